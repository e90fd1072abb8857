"""The CHAdeMO bus in virtual time, and the same face over python-can."""

from __future__ import annotations

import itertools
import threading

import pytest

from rig.can.bus import VirtualBus, bits_on_wire
from rig.can.frame import EXTENDED, Frame
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


def test_a_frame_on_the_wire_arrives_though_its_sender_has_left() -> None:
    clock = VirtualClock()
    bus, heard = VirtualBus(clock), []
    a = bus.attach("a", lambda at, f: None)
    bus.attach("b", lambda at, f: heard.append(("b", f.id)))
    bus.watch(lambda at, who, f: heard.append((who, f.id)))
    a.send(Frame(0x100, b""))
    a.close()
    clock.sleep(0.01)
    assert heard == [("b", 0x100), ("a", 0x100)]


def test_a_node_that_leaves_during_a_delivery_hears_nothing_more() -> None:
    clock = VirtualClock()
    bus, heard = VirtualBus(clock), []
    sender = bus.attach("a", lambda at, f: None)
    ports = []
    bus.attach("b", lambda at, f: ports[0].close())
    ports.append(bus.attach("c", lambda at, f: heard.append(f)))
    sender.send(Frame(1, b""))
    clock.sleep(0.01)
    assert heard == []


@pytest.mark.parametrize("frame", [Frame(0x800, b""), Frame(-1, b""), Frame(1, bytes(9)), Frame(EXTENDED << 1, b"")])
def test_what_no_wire_can_carry_is_refused(frame: Frame) -> None:
    clock = RealClock()
    real = HardwareBus(clock, "virtual", "refusing-bus")
    try:
        for bus in (VirtualBus(VirtualClock()), real):
            with pytest.raises(UseError, match="an id has 11 bits, and a frame at most 8 bytes"):
                bus.attach("ev", lambda at, f: None).send(frame)
    finally:
        real.close()
        clock.close()


def test_an_error_in_a_receiver_comes_up_in_the_foreground_and_the_bus_goes_on_hearing() -> None:
    clocks = RealClock(), RealClock()
    one, two = (HardwareBus(c, "virtual", "failing-bus") for c in clocks)
    got, arrived = [], threading.Event()

    def receive(at: float, frame: Frame) -> None:
        got.append(frame.id)
        arrived.set()
        if frame.id == 1:
            raise UseError("the rule has a bug")

    try:
        two.attach("evse", receive)
        port = one.attach("ev", lambda at, f: None)
        port.send(Frame(1, b""))
        assert arrived.wait(10.0)
        with pytest.raises(UseError, match="the rule has a bug"):
            clocks[1].wait_until(lambda: False, 10.0)
        arrived.clear()
        port.send(Frame(2, b""))
        assert arrived.wait(10.0)
        assert got == [1, 2]
    finally:
        for thing in (one, two, *clocks):
            thing.close()


def test_an_interface_that_fails_while_it_listens_is_a_lost_instrument() -> None:
    clock = RealClock()
    bus = HardwareBus(clock, "virtual", "lost-bus")
    try:
        bus._bus.shutdown()  # as when its cable is pulled
        with pytest.raises(LostInstrument, match=r"virtual:lost-bus.*the interface failed"):
            clock.wait_until(lambda: False, 10.0)
    finally:
        bus.close()
        bus.close()
        clock.close()


def test_who_has_left_a_real_bus_cannot_send() -> None:
    clock = RealClock()
    bus = HardwareBus(clock, "virtual", "leaving-bus")
    port, other = bus.attach("ev", lambda at, f: None), bus.attach("other", lambda at, f: None)
    port.close()
    bus.close()
    try:
        for one in (port, other):
            with pytest.raises(UseError, match="has left the bus"):
                one.send(Frame(1, b""))
    finally:
        clock.close()


def test_an_extended_frame_is_another_frame_on_both_buses() -> None:
    extended = Frame(EXTENDED | 0x102, b"\x01")
    assert str(extended) == "00000102 01"
    virtual, heard = VirtualClock(), []
    bus = VirtualBus(virtual)
    bus.attach("evse", lambda at, f: heard.append((at, f)))
    port = bus.attach("ev", lambda at, f: None)
    port.send(extended)
    virtual.sleep(0.01)
    assert heard == [(pytest.approx(bits_on_wire(1, extended=True) / 500e3, abs=2e-9), extended)]
    assert bits_on_wire(1, extended=True) == bits_on_wire(1) + 22  # 20 more bits, two of them stuffed

    clocks = RealClock(), RealClock()
    one, two = (HardwareBus(c, "virtual", "extended-bus") for c in clocks)
    got, arrived = [], threading.Event()

    def hear(at: float, frame: Frame) -> None:
        got.append(frame)
        arrived.set()

    try:
        two.attach("evse", hear)
        one.attach("ev", lambda at, f: None).send(extended)
        assert arrived.wait(5.0)
        assert got == [extended]
    finally:
        one.close()
        two.close()
        for clock in clocks:
            clock.close()
