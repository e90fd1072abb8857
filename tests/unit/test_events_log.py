"""The log of a test's events: moments of wires, contacts and frames, and what never happened."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, cast

import pytest

from rig.bench import Bench
from rig.can.bus import VirtualBus
from rig.can.frame import Frame
from rig.chademo.codec import ChargerStatus, VehicleStatus
from rig.chademo.events import ContactorMoved, WireChanged
from rig.clock import VirtualClock
from rig.events_log import FRAME_U, EventsLog


class Box:
    """A vehicle interface that is only listened to."""

    stamp_u = 0.003

    def __init__(self) -> None:
        self.tell: Callable[[float, Any], None] = lambda at, change: None

    def subscribe(self, call: Callable[[float, Any], None]) -> None:
        self.tell = call


class Desk:
    def __init__(self) -> None:
        self.clock, self.vehicle = VirtualClock(), Box()
        self.bus = VirtualBus(self.clock)
        self.log = EventsLog(cast(Bench, self))
        self.log.begin()
        self.port = self.bus.attach("somebody", lambda at, frame: None)

    def send(self, frame: Frame) -> float:
        """Send, and the time it was heard at."""
        self.port.send(frame)
        self.clock.sleep(0.1)
        return self.log.times(frame.id)[-1]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_change_has_its_stamp_and_how_good_it_is(desk: Desk) -> None:
    desk.vehicle.tell(1.0, WireChanged("k", True))
    desk.vehicle.tell(2.0, ContactorMoved(True))
    desk.vehicle.tell(3.0, WireChanged("k", False))
    k = desk.log.change(WireChanged("k", True))
    assert (k.at, k.what) == (1.0, "k on")
    assert k.u == pytest.approx(0.003 / math.sqrt(3))
    assert desk.log.change(WireChanged("k", False)).at == 3.0
    closed = desk.log.change(ContactorMoved(True))
    m = k.until(closed, "k_to_contactors")
    assert (m.name, m.value, m.unit) == ("k_to_contactors", 1.0, "s")
    assert m.u == pytest.approx(math.sqrt(2) * k.u)


def test_the_first_at_or_after_a_moment(desk: Desk) -> None:
    for at in (1.0, 5.0, 9.0):
        desk.vehicle.tell(at, WireChanged("d2", False))
    assert [desk.log.change(WireChanged("d2", False), since).at for since in (0.0, 1.0, 1.1, 9.0)] == [1, 1, 5, 9]


def test_what_never_happened_is_never(desk: Desk) -> None:
    desk.vehicle.tell(1.0, WireChanged("d1", True))
    d1, never = desk.log.change(WireChanged("d1", True)), desk.log.change(WireChanged("d2", True))
    assert d1.happened
    assert not never.happened
    assert d1.until(never, "t").value == math.inf
    assert "never" in never.what
    assert not desk.log.said(ChargerStatus, lambda m: True, "any").happened


def test_the_first_frame_that_says_so(desk: Desk) -> None:
    desk.send(VehicleStatus().encode())
    first = desk.send(VehicleStatus(enabled=True).encode())
    second = desk.send(VehicleStatus(enabled=True, current_request=5.0).encode())
    desk.send(ChargerStatus(running=True).encode())
    said = desk.log.said(VehicleStatus, lambda m: m.enabled, "102.5.0 = 1")
    assert (said.at, said.u, said.what) == (first, FRAME_U, "102.5.0 = 1")
    assert desk.log.said(VehicleStatus, lambda m: m.enabled, "again", first + 0.01).at == second
    assert [m.current_request for _, m in desk.log.messages(VehicleStatus)] == [0.0, 0.0, 5.0]
    assert len(desk.log.times(0x102)) == 3
    assert desk.log.times(0x102, since=second) == [second]


def test_it_hears_only_between_begin_and_end(desk: Desk) -> None:
    desk.send(VehicleStatus().encode())
    desk.log.end()
    desk.port.send(VehicleStatus(enabled=True).encode())
    desk.clock.sleep(0.1)
    desk.vehicle.tell(1.0, WireChanged("k", True))
    assert len(desk.log.times(0x102)) == 1
    assert not desk.log.change(WireChanged("k", True)).happened
    desk.log.begin()
    assert desk.log.times(0x102) == []
