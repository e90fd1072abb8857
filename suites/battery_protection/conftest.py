"""Words of the battery protection suite."""

import pytest

from suites.battery_protection.flow import Flow


@pytest.fixture
def flow(bench, evps, record, capture, events):
    """Power under way in one direction, and the end of it."""
    return Flow(bench, evps, record, capture, events)
