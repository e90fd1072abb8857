"""The CHAdeMO bus in virtual time, and the same face over python-can."""

from __future__ import annotations

import itertools
import threading

import pytest

from rig.can.bus import VirtualBus, bits_on_wire
from rig.can.frame import Frame
from rig.can.hardware import HardwareBus
from rig.clock import RealClock, VirtualClock
from rig.errors import LostInstrument, UseError


def test_everybody_else_hears_a_frame_at_one_instant() -> None:
    clock = VirtualClock()
    bus, heard = VirtualBus(clock), []
    a = bus.attach("a", lambda at, f: heard.append(("a", at, f)))
    bus.attach("b", lambda at, f: heard.append(("b", at, f)))
    bus.attach("c", lambda at, f: heard.append(("c", at, f)))
    bus.watch(lambda at, who, f: heard.append((f"watch {who}", at, f)))
    frame = Frame(0x100, bytes(8))
    a.send(frame)
    assert heard == []
    clock.sleep(0.01)
    at = bits_on_wire(8) / 500_000
    assert heard == [("b", at, frame), ("c", at, frame), ("watch a", at, frame)]


def test_frames_queue_on_the_wire_in_the_order_of_sending() -> None:
    clock = VirtualClock()
    bus, heard = VirtualBus(clock), []
    a, _ = bus.attach("a", lambda at, f: None), bus.attach("b", lambda at, f: heard.append((round(at * 1e6), f.id)))
    for number in (0x108, 0x109, 0x208, 0x209):
        a.send(Frame(number, bytes(8)))
    clock.sleep(0.01)
    assert [f for _, f in heard] == [0x108, 0x109, 0x208, 0x209]
    gaps = [b - a for (a, _), (b, _) in itertools.pairwise(heard)]
    assert gaps == [bits_on_wire(8) * 2] * 3  # 2 us a bit; the facts saw 0.2 to 0.3 ms on the wire
    assert 200 <= gaps[0] <= 300


def test_a_name_is_used_once_and_a_node_that_left_cannot_send() -> None:
    bus = VirtualBus(VirtualClock())
    port = bus.attach("ev", lambda at, f: None)
    with pytest.raises(UseError, match="attached already"):
        bus.attach("ev", lambda at, f: None)
    port.close()
    port.close()
    with pytest.raises(UseError, match="has left the bus"):
        port.send(Frame(1, b""))
    bus.attach("ev", lambda at, f: None)


def test_a_real_bus_carries_frames_between_two_clocks() -> None:
    clocks = RealClock(), RealClock()
    one, two = (HardwareBus(c, "virtual", "test-bus") for c in clocks)
    got, arrived = [], threading.Event()
    try:
        two.attach("evse", lambda at, f: (got.append(f), arrived.set()))
        seen: list[str] = []
        two.watch(lambda at, who, f: seen.append(who))
        one.attach("ev", lambda at, f: None).send(Frame(0x102, b"\x01\x02"))
        assert arrived.wait(10.0)
        assert got == [Frame(0x102, b"\x01\x02")]
    finally:
        one.close()
        two.close()
        for clock in clocks:
            clock.close()


def test_an_interface_that_is_not_there_is_a_clear_error() -> None:
    clock = RealClock()
    try:
        with pytest.raises(LostInstrument, match="nosuch"):
            HardwareBus(clock, "nosuch", "can0")
    finally:
        clock.close()
