"""Words of the islanding suite."""

import pytest

from suites.islanding.protection import Protection


@pytest.fixture
def protection(bench, evps, capture, contact, depth):
    """The EVPS feeding beside the mains, and a mains that leaves its limits."""
    return Protection(bench, evps, capture, contact, depth)
