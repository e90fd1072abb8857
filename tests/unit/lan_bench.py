"""An instrument behind the served transports without a socket: what a client sends goes in, what it would get comes
out. Shared by the tests of HiSLIP and VXI-11."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rig.clock import RealClock
from rig.scpi.codec import Real
from rig.scpi.command import Command
from rig.scpi.face import ScpiFace
from rig.visa.faults import FaultyDevice
from rig.visa.streams import Peer
from rig.visa.turns import Turns

POWER = Command[float]("POWer", Real("W", 0, 3600), "test", "S")
IDENTITY = "ACME,3600,SN1,1.0"


class Far(Peer):
    """A peer whose far end is a list of bytes."""

    def __init__(self) -> None:
        self.got = b""
        super().__init__(0, self._take, lambda: None, lambda: None)

    def _take(self, data: bytes) -> int:
        self.got += data
        return len(data)

    def took(self) -> bytes:
        """What came since the last look."""
        data, self.got = self.got, b""
        return data


def instrument(clock: RealClock) -> tuple[Turns, FaultyDevice]:
    """A load with one set-point, and the queue before it."""
    kept = {"power": 0.0}
    face = ScpiFace(IDENTITY, {POWER: (lambda v: kept.update(power=v), lambda: kept["power"])})
    device = FaultyDevice(face)
    return Turns(device, clock), device


@pytest.fixture
def clock() -> Iterator[RealClock]:
    clock = RealClock()
    yield clock
    clock.close()
