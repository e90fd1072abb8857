"""Words of the protocol suite."""

import pytest

from suites.chademo_protocol.stages import Walk


@pytest.fixture
def walk(bench, events, run, evps):
    """Brings a session to a stage."""
    return Walk(bench, events, run, evps)
