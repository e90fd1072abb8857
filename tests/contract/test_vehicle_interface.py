"""Every vehicle interface keeps the promises of its role, in bench time on an emulated line and on a pty."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from instruments.vehicle_interface import commands as vehicle_interface
from instruments.vehicle_interface import driver as vehicle_interface_driver
from instruments.vehicle_interface import emulator as vehicle_interface_emulator
from instruments.vehicle_interface.commands import OPEN_DELAY
from instruments.vehicle_interface.driver import VehicleInterfaceBox
from rig.chademo.events import ContactorMoved, WireChanged
from rig.clock import RealClock, VirtualClock
from rig.errors import InstrumentError, LostInstrument, UnsafeState, UseError
from rig.lines.emulated import EmulatedSerial, emulated_lines
from rig.lines.face import LineDevice
from rig.lines.frame import Line, decode, encode
from rig.lines.serve import serve
from rig.lines.session import SerialLines, open_lines
from rig.plant.plant import Plant
from rig.plant.ports import DcSupply
from rig.plant.world import World
from rig.roles import VehicleInterface

NAME = "EMU::vehicle::INSTR"
DRIVERS: dict[str, tuple[Callable[..., Any], Callable[..., Any], Any]] = {
    "vehicle_interface": (
        vehicle_interface_driver.open_driver,
        vehicle_interface_emulator.build,
        vehicle_interface.Options(),
    )
}

Spoil = Callable[[bytes], bytes | None]


class FaultyLine:
    """A box whose lines are spoilt on order: what it is told, what it answers, what it says by itself."""

    def __init__(self, box: LineDevice) -> None:
        self.box = box
        self.told: deque[Spoil] = deque()
        self.answered: deque[Spoil] = deque()
        self.said: deque[Spoil] = deque()
        self.dead = False
        self.requests: list[str] = []

    def latency(self, raw: bytes) -> float:
        return self.box.latency(raw)

    def process(self, raw: bytes) -> bytes | None:
        with suppress(ValueError):
            self.requests.append(decode(raw).body)
        arrived = self._pass(self.told, raw)
        if arrived is None or self.dead:
            return None
        reply = self.box.process(arrived)
        return None if reply is None else self._pass(self.answered, reply)

    def listen(self, send: Callable[[bytes], None] | None) -> None:
        def said(raw: bytes) -> None:
            spoilt = self._pass(self.said, raw)
            if spoilt is not None and send is not None and not self.dead:
                send(spoilt)

        self.box.listen(None if send is None else said)

    def _pass(self, orders: deque[Spoil], raw: bytes) -> bytes | None:
        return orders.popleft()(raw) if orders else raw


def swallow(raw: bytes) -> bytes | None:
    return None


def flip(raw: bytes) -> bytes:
    """One wrong bit in the body."""
    return raw[:5] + bytes([raw[5] ^ 0x01]) + raw[6:]


def halve(raw: bytes) -> bytes:
    return raw[: len(raw) // 2]


def noise(raw: bytes) -> bytes:
    return b"\x00\xff\x07" * 5 + b"\n"


@dataclass
class Desk:
    clock: VirtualClock
    world: World
    line: FaultyLine
    box: VehicleInterface
    heard: list[tuple[float, WireChanged | ContactorMoved]] = field(default_factory=list)

    def changes(self) -> list[WireChanged | ContactorMoved]:
        return [change for _, change in self.heard]


@pytest.fixture(params=DRIVERS)
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    open_driver, build, options = DRIVERS[request.param]
    clock = VirtualClock()
    world = World(clock, Plant(), 1, None)
    world.plant.set_dc_supply(DcSupply(on=True, u_set=380.0, i_source_max=30.0, i_sink_max=30.0))
    line = FaultyLine(build(world, options))
    made = Desk(clock, world, line, open_driver(emulated_lines(line, NAME, clock), options, clock))
    yield made
    made.box.close()


def closed(desk: Desk) -> None:
    """A car in session: plugged in, k given, contactor closed."""
    desk.box.subscribe(lambda at, change: desk.heard.append((at, change)))
    desk.box.set_wire("proximity", True)
    desk.world.plant.set_wire("d1", True)
    desk.box.set_wire("k", True)
    desk.world.plant.set_wire("d2", True)
    desk.box.move_contactor(True)
    desk.clock.sleep(0.2)
    assert desk.world.plant.ev_contactor_closed


def test_it_drives_and_reads_the_wires(desk: Desk) -> None:
    assert not any(desk.box.wires().values())
    desk.box.set_wire("proximity", True)
    desk.box.set_wire("k", True)
    desk.world.plant.set_wire("d1", True)
    desk.world.plant.set_wire("lock", True)
    assert desk.box.wires() == {"d1": True, "d2": False, "k": True, "proximity": True, "lock": True}
    assert desk.world.plant.wire("k")
    desk.box.set_wire("k", False)
    desk.box.set_wire("k", False)
    assert not desk.world.plant.wire("k")


def test_the_contactor_closes_only_while_the_charger_feeds_it(desk: Desk) -> None:
    desk.box.move_contactor(True)
    desk.clock.sleep(0.5)
    assert not desk.box.contactor_closed()
    desk.box.move_contactor(False)
    closed(desk)
    assert desk.box.contactor_closed()
    desk.world.plant.set_wire("d2", False)
    desk.clock.sleep(0.2)
    assert not desk.box.contactor_closed()


def test_it_measures_the_inlet_but_not_perfectly(desk: Desk) -> None:
    assert abs(desk.box.inlet_voltage()) < 3.0
    closed(desk)
    volts = desk.box.inlet_voltage()
    assert volts != desk.world.plant.at("dc").u
    assert volts == pytest.approx(desk.world.plant.at("dc").u, rel=0.008)


def test_the_inlet_comes_with_its_uncertainty(desk: Desk) -> None:
    closed(desk)
    m = desk.box.inlet()
    assert abs(m.value - desk.world.plant.at("dc").u) <= m.expanded(2.0)
    assert 0.0 < m.u < 0.01 * m.value
    assert (m.unit, m.at) == ("V", desk.clock.now())


def test_stamps_are_as_good_as_it_says(desk: Desk) -> None:
    told: list[tuple[float, object]] = []
    desk.box.subscribe(lambda at, change: told.append((at, change)))
    happened = desk.clock.now()
    desk.world.plant.set_wire("d1", True)
    desk.clock.sleep(0.1)
    assert abs(told[-1][0] - happened) <= desk.box.stamp_u < 0.01


def test_changes_are_told_in_order_with_the_time_they_happened(desk: Desk) -> None:
    true: list[tuple[float, object]] = []
    told_at: list[float] = []
    desk.box.subscribe(lambda at, change: told_at.append(desk.clock.now()))
    desk.world.plant.subscribe(lambda at, change: true.append((at, change)))
    closed(desk)
    desk.clock.sleep(200.0)
    desk.world.plant.set_wire("d2", False)
    desk.clock.sleep(1.0)
    moments = [(at, change) for at, change in true if isinstance(change, WireChanged | ContactorMoved)]
    assert desk.changes() == [change for _, change in moments]
    for (told, _), (happened, _), heard in zip(desk.heard, moments, told_at, strict=True):
        assert abs(told - happened) < 0.005
        assert told <= heard
    assert [at for at, _ in desk.heard] == sorted(at for at, _ in desk.heard)


def test_listeners_run_as_events_of_the_clock(desk: Desk) -> None:
    """A listener may not sleep: it is inside an event."""
    failures: list[str] = []

    def listener(at: float, change: object) -> None:
        try:
            desk.clock.sleep(0.1)
        except UseError as error:
            failures.append(str(error))

    desk.box.subscribe(listener)
    desk.box.set_wire("proximity", True)
    desk.clock.sleep(0.1)
    assert failures
    assert "DELIVER" in failures[0]


def test_a_listener_may_use_the_box(desk: Desk) -> None:
    """As the car does: k on as soon as d1 is."""
    desk.box.subscribe(lambda at, change: desk.box.set_wire("k", True) if change == WireChanged("d1", True) else None)
    desk.box.set_wire("proximity", True)
    desk.world.plant.set_wire("d1", True)
    desk.clock.sleep(0.05)
    assert desk.world.plant.wire("k")


def test_an_exchange_costs_the_time_of_its_bytes_in_the_foreground_only(desk: Desk) -> None:
    desk.box.wires()
    before = desk.clock.now()
    desk.box.inlet_voltage()
    cost = desk.clock.now() - before
    assert 0.002 < cost < 0.02
    spent: list[float] = []

    def inside() -> None:
        before = desk.clock.now()
        desk.box.inlet_voltage()
        spent.append(desk.clock.now() - before)

    desk.clock.at(desk.clock.now() + 1.0, inside)
    desk.clock.sleep(2.0)
    assert spent == [0.0]


def test_nobody_speaks_while_nothing_is_driven(desk: Desk) -> None:
    desk.box.subscribe(lambda at, change: None)
    desk.line.requests.clear()
    desk.clock.sleep(3600.0)
    assert desk.line.requests == []


# -- safety


def test_safe_from_any_state_and_twice(desk: Desk) -> None:
    assert desk.box.make_safe().confirmed
    closed(desk)
    before = desk.clock.now()
    state = desk.box.make_safe()
    assert state.confirmed
    assert "k off" in state.readings
    plant = desk.world.plant
    assert not plant.ev_contactor_closed
    assert not plant.wire("k")
    assert not plant.wire("proximity")
    (k_off,) = [at for at, change in desk.heard if change == WireChanged("k", False)]
    (opened,) = [at for at, change in desk.heard if change == ContactorMoved(False)]
    assert opened - k_off >= OPEN_DELAY
    assert desk.clock.now() - before < OPEN_DELAY + 1.0
    before = desk.clock.now()
    assert desk.box.make_safe().confirmed
    assert desk.clock.now() - before < 0.2


def test_a_silent_host_drops_k_first_and_the_contactor_later(desk: Desk) -> None:
    closed(desk)
    moved: list[tuple[float, object]] = []
    desk.world.plant.subscribe(lambda at, change: moved.append((at, change)))
    desk.box.close()
    desk.clock.sleep(20.0)
    changes = {change: at for at, change in moved}
    assert set(changes) == {WireChanged("k", False), ContactorMoved(False)}
    assert OPEN_DELAY <= changes[ContactorMoved(False)] - changes[WireChanged("k", False)] < OPEN_DELAY + 0.5
    assert desk.world.plant.wire("proximity")


def test_a_host_that_speaks_is_left_alone(desk: Desk) -> None:
    closed(desk)
    desk.clock.sleep(600.0)
    assert desk.world.plant.ev_contactor_closed
    assert desk.world.plant.wire("k")


def test_after_a_trip_nothing_is_switched_on_until_it_was_made_safe(desk: Desk) -> None:
    closed(desk)
    desk.line.dead = True
    with pytest.raises(LostInstrument, match=NAME):
        desk.clock.sleep(10.0)
    desk.clock.sleep(10.0)  # told once
    assert not desk.world.plant.wire("k")
    assert not desk.world.plant.ev_contactor_closed
    desk.line.dead = False
    with pytest.raises(InstrumentError, match="watchdog"):
        desk.box.set_wire("k", True)
    desk.box.set_wire("k", False)
    assert desk.box.make_safe().confirmed
    desk.box.set_wire("k", True)
    assert desk.world.plant.wire("k")


def test_a_box_that_is_gone_is_unsafe(desk: Desk) -> None:
    closed(desk)
    desk.line.dead = True
    with pytest.raises(UnsafeState, match=NAME):
        desk.box.make_safe()


# -- a bad line


@pytest.mark.parametrize("spoil", [swallow, flip, halve, noise])
@pytest.mark.parametrize("way", ["told", "answered"])
def test_a_spoilt_line_is_repeated_and_never_misread(desk: Desk, spoil: Spoil, way: str) -> None:
    closed(desk)
    orders = {"told": desk.line.told, "answered": desk.line.answered}[way]
    for ask in (desk.box.wires, desk.box.contactor_closed):
        right = ask()
        orders.extend([spoil, spoil])
        assert ask() == right
    orders.append(spoil)
    assert desk.box.inlet_voltage() == pytest.approx(380.0, rel=0.01)
    orders.append(spoil)
    desk.box.set_wire("k", False)
    assert not desk.world.plant.wire("k")


@pytest.mark.parametrize("spoil", [swallow, flip, halve, noise])
def test_a_line_that_stays_bad_is_a_lost_instrument(desk: Desk, spoil: Spoil) -> None:
    desk.box.wires()
    desk.line.answered.extend([spoil] * 3)
    with pytest.raises(LostInstrument, match=NAME):
        desk.box.inlet_voltage()
    assert abs(desk.box.inlet_voltage()) < 3.0


def test_an_answer_to_another_request_is_not_taken(desk: Desk) -> None:
    desk.box.wires()

    def other(raw: bytes) -> bytes:
        line = decode(raw)
        return encode(Line(line.kind, (line.tag - 1) % 256, line.body))

    desk.line.answered.extend([other] * 3)
    with pytest.raises(LostInstrument):
        desk.box.wires()


@pytest.mark.parametrize("body", ["nan", "1", "1 nan", "1 inf", "1 1e9", "1 x", "1 2 3"])
def test_a_voltage_that_is_none_is_an_error(desk: Desk, body: str) -> None:
    desk.box.wires()
    desk.line.answered.append(lambda raw: encode(Line("<", decode(raw).tag, body)))
    with pytest.raises(InstrumentError, match="VOLT"):
        desk.box.inlet_voltage()


@pytest.mark.parametrize("body", ["1", "1 2 0101", "1 2 0000000x", "1 2 000000000", "1 00000000"])
def test_a_state_that_is_none_is_an_error(desk: Desk, body: str) -> None:
    desk.box.wires()
    desk.line.answered.append(lambda raw: encode(Line("<", decode(raw).tag, body)))
    with pytest.raises(InstrumentError, match="STATE"):
        desk.box.contactor_closed()


@pytest.mark.parametrize("lost", range(5))
@pytest.mark.parametrize("spoil", [swallow, flip])
def test_no_event_is_ever_lost(desk: Desk, lost: int, spoil: Spoil) -> None:
    """Whichever event line is lost, it comes later, with its own stamp, and in order."""
    true: list[tuple[float, object]] = []
    desk.world.plant.subscribe(lambda at, change: true.append((at, change)))
    desk.line.said.extend([lambda raw: raw] * lost + [spoil])
    closed(desk)
    desk.clock.sleep(5.0)
    moments = [(at, change) for at, change in true if isinstance(change, WireChanged | ContactorMoved)]
    assert desk.changes() == [change for _, change in moments]
    assert all(
        abs(told - happened) < 0.005 for (told, _), (happened, _) in zip(desk.heard[1:], moments[1:], strict=True)
    )


def test_more_than_a_round_of_event_numbers(desk: Desk) -> None:
    desk.box.subscribe(lambda at, change: desk.heard.append((at, change)))
    for n in range(600):
        desk.world.plant.set_wire("d1", n % 2 == 0)
        desk.clock.sleep(0.01)
    assert len(desk.heard) == 600


def test_a_restart_of_the_box_is_noticed(desk: Desk) -> None:
    closed(desk)
    desk.clock.sleep(1.0)
    desk.line.answered.append(lambda raw: encode(Line("<", decode(raw).tag, "100 0")))
    with pytest.raises(InstrumentError, match="restarted"):
        desk.clock.sleep(5.0)


@pytest.mark.parametrize(
    "body",
    ["", "WIRE", "WIRE d1 1", "WIRE k 2", "CONTACTOR on", "WATCHDOG x", "WATCHDOG 0", "HELLO", "EVENT zz", "EVENT 7F"],
)
def test_the_box_refuses_what_it_does_not_understand(desk: Desk, body: str) -> None:
    session = emulated_lines(desk.line, NAME, desk.clock)
    with pytest.raises(UseError if not body else InstrumentError, match=NAME):
        session.request(body)


def test_another_instrument_on_the_port_is_noticed(desk: Desk) -> None:
    desk.line.answered.append(lambda raw: encode(Line("<", decode(raw).tag, "ACME,scale,1,2,1")))
    with pytest.raises(InstrumentError, match="no vehicle interface"):
        desk.box.identity()


def test_a_closed_session_says_so(desk: Desk) -> None:
    desk.box.close()
    desk.box.close()
    with pytest.raises(LostInstrument, match="closed"):
        desk.box.wires()


def test_the_emulated_port_can_be_read_like_any_other(desk: Desk) -> None:
    port = EmulatedSerial(desk.line, desk.clock)
    port.write(encode(Line(">", 1, "ID?")))
    assert decode(port.read(port.in_waiting)).body.startswith("v2hrig,")
    assert port.read() == b""


def test_virtual_time_cannot_wait_for_a_real_port() -> None:
    with pytest.raises(UseError, match="real"):
        open_lines("loop://", VirtualClock())


def test_a_port_that_is_not_there_is_lost() -> None:
    clock = RealClock()
    with pytest.raises(LostInstrument, match="nowhere"):
        open_lines("/dev/nowhere", clock)
    clock.close()


# -- a real port, in real time


@dataclass
class RealDesk:
    world: World
    box: VehicleInterfaceBox
    clock: RealClock
    session: SerialLines


@pytest.fixture
def real() -> Iterator[RealDesk]:
    """The emulated box on a pseudo-terminal, moved by a clock of its own as another machine would be."""
    theirs, ours = RealClock(), RealClock()
    with theirs.lock:
        world = World(theirs, Plant(), 1, None)
        world.plant.set_dc_supply(DcSupply(on=True, u_set=380.0, i_source_max=30.0, i_sink_max=30.0))
        options = vehicle_interface.Options(watchdog=0.4)
        face = vehicle_interface_emulator.build(world, options)
    port, hang_up = serve(face, theirs)
    session = open_lines(port, ours)
    box = vehicle_interface_driver.open_driver(session, options, ours)
    yield RealDesk(world, box, ours, session)
    box.close()
    hang_up()
    ours.close()
    theirs.close()


def test_over_a_pseudo_terminal(real: RealDesk) -> None:
    heard: list[WireChanged | ContactorMoved] = []
    stamps: list[float] = []

    def listener(at: float, change: WireChanged | ContactorMoved) -> None:
        heard.append(change)
        stamps.append(at)

    real.box.subscribe(listener)
    real.box.set_wire("proximity", True)
    real.box.set_wire("k", True)
    theirs = real.world.clock
    assert isinstance(theirs, RealClock)
    with theirs.lock:
        real.world.plant.set_wire("d1", True)
        real.world.plant.set_wire("d2", True)
    real.box.move_contactor(True)
    real.clock.wait_until(lambda: ContactorMoved(True) in heard, 5.0)
    assert heard == [
        WireChanged("proximity", True),
        WireChanged("k", True),
        WireChanged("d1", True),
        WireChanged("d2", True),
        ContactorMoved(True),
    ]
    assert stamps == sorted(stamps)
    assert real.box.contactor_closed()
    assert real.box.inlet_voltage() == pytest.approx(380.0, rel=0.01)
    real.box.move_contactor(False)
    real.clock.wait_until(lambda: ContactorMoved(False) in heard, 5.0)
    assert real.box.make_safe().confirmed


def test_a_closed_port_says_so(real: RealDesk) -> None:
    assert real.box.identity().model == "vehicle-interface"
    real.session.close()
    real.session.close()
    with pytest.raises(LostInstrument, match="closed"):
        real.box.wires()
