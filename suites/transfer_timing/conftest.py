"""Words of the transfer suite."""

import pytest

from suites.transfer_timing.outage import Outage


@pytest.fixture
def outage(bench, evps, capture):
    """The mains goes and comes."""
    return Outage(bench, evps, capture)
