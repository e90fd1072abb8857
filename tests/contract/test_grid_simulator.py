"""Every grid simulator keeps the promises of its role. Through the in-process VISA library, on an emulated world."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import pyvisa

from instruments.ametek_mx45 import commands as ametek_mx45
from instruments.ametek_mx45 import driver as ametek_mx45_driver
from instruments.ametek_mx45 import emulator as ametek_mx45_emulator
from instruments.chroma_61845 import commands as chroma_61845
from instruments.chroma_61845 import driver as chroma_61845_driver
from instruments.chroma_61845 import emulator as chroma_61845_emulator
from rig.clock import VirtualClock
from rig.errors import EnvelopeError, InstrumentError, LostInstrument, UnsafeState
from rig.plant.plant import Plant
from rig.plant.ports import MainsChanged
from rig.plant.world import World
from rig.roles import GridSimulator
from rig.visa.faults import Fault, FaultyDevice
from rig.visa.library import EmulatedVisaLibrary
from rig.visa.session import open_session

NAME = "EMU::grid::INSTR"
DRIVERS: dict[str, tuple[Callable[..., Any], Callable[..., Any], Any]] = {
    "chroma_61845": (chroma_61845_driver.open_driver, chroma_61845_emulator.build, chroma_61845.Options()),
    "ametek_mx45": (ametek_mx45_driver.open_driver, ametek_mx45_emulator.build, ametek_mx45.Options()),
}


@dataclass(frozen=True)
class Spelling:
    """What the tests must know of a driver's dialect. safe: the order in which it goes down."""

    measures: str
    phase: str
    volts: str
    safe: tuple[str, ...]


SPELLING = {
    "chroma_61845": Spelling("FETC", "PHAS:P12?", "VOLT:LEV:IMM:AMPL:AC", ("TRIG OFF", "OUTP OFF", "OUTP:REL OFF")),
    "ametek_mx45": Spelling("MEAS", "PHAS?", "VOLT", ("ABOR", "OUTP OFF")),
}


@dataclass
class Desk:
    clock: VirtualClock
    world: World
    line: FaultyDevice
    grid: GridSimulator
    spelling: Spelling
    changes: list[tuple[float, MainsChanged]] = field(default_factory=list)

    def heard(self, when: float, event: object) -> None:
        if isinstance(event, MainsChanged):
            self.changes.append((when, event))


@pytest.fixture(params=DRIVERS)
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    open_driver, build, options = DRIVERS[request.param]
    clock = VirtualClock()
    world = World(clock, Plant(), 1, None)
    line = FaultyDevice(build(world, options))
    manager = pyvisa.ResourceManager(EmulatedVisaLibrary({NAME: line}, clock))
    made = Desk(clock, world, line, open_driver(open_session(NAME, manager), options, clock), SPELLING[request.param])
    world.plant.subscribe(made.heard)
    yield made
    manager.close()


@pytest.mark.parametrize(("voltage", "frequency"), [(100.0, 50.0), (100.0, 60.0), (86.0, 49.5), (120.0, 60.5)])
def test_it_supplies_both_legs(desk: Desk, voltage: float, frequency: float) -> None:
    desk.grid.supply(voltage, frequency)
    desk.clock.sleep(0.1)
    for port in ("grid_l1", "grid_l2"):
        leg = desk.world.plant.at(port)  # type: ignore[arg-type]
        assert leg.u == pytest.approx(voltage, rel=0.006)
        assert leg.f == pytest.approx(frequency, rel=2e-4)


def test_a_mains_that_is_on_steps_without_a_gap(desk: Desk) -> None:
    desk.grid.supply(100.0, 50.0)
    desk.changes.clear()
    desk.grid.supply(107.0, 50.0)
    desk.grid.supply(107.0, 51.0)
    assert desk.changes
    assert all(event.mains.on and event.mains.phase == 0.0 for _, event in desk.changes)
    assert desk.world.plant.at("grid_l1").u == pytest.approx(107.0, rel=0.006)


@pytest.mark.parametrize("angle", [0.0, 45.0, 90.0, 137.3, 180.0, 270.0, 359.99])
def test_it_opens_at_the_angle_asked_for(desk: Desk, angle: float) -> None:
    for wait in (0.5, 0.5073):
        desk.grid.supply(100.0, 50.0)
        desk.clock.sleep(wait)
        desk.changes.clear()
        desk.grid.interrupt(angle)
        desk.clock.sleep(0.1)
        opened = next(event for _, event in desk.changes if not event.mains.on or not any(event.mains.u))
        error = (opened.angle - angle + 180.0) % 360.0 - 180.0
        assert abs(error) < 0.06  # the set-point has one decimal
        assert not desk.changes[-1][1].mains.on
        assert desk.world.plant.at("grid_l1").u < 1.0


def test_it_opens_at_once(desk: Desk) -> None:
    desk.grid.supply(100.0, 50.0)
    desk.clock.sleep(0.3)
    desk.grid.interrupt(90.0)
    desk.grid.supply(100.0, 50.0)
    desk.clock.sleep(0.3)
    desk.changes.clear()
    before = desk.clock.now()
    desk.grid.interrupt()
    (when,) = [when for when, event in desk.changes if not event.mains.on]
    assert before <= when <= desk.clock.now()
    desk.grid.interrupt()  # idempotent
    assert desk.world.plant.at("grid_l1").u < 1.0


@pytest.mark.parametrize(("voltage", "frequency"), [(-1.0, 50.0), (151.0, 50.0), (math.nan, 50.0), (100.0, 400.0)])
def test_out_of_range_is_refused_before_it_is_sent(desk: Desk, voltage: float, frequency: float) -> None:
    with pytest.raises(EnvelopeError, match=NAME):
        desk.grid.supply(voltage, frequency)
    assert desk.line.lines == []


def test_safe_from_any_state_and_twice(desk: Desk) -> None:
    assert desk.grid.make_safe().confirmed
    desk.grid.supply(100.0, 50.0)
    desk.clock.sleep(0.5)
    desk.line.lines.clear()
    assert desk.grid.make_safe().confirmed
    assert desk.world.plant.at("grid_l1").u < 1.0
    told = [line for line in desk.line.lines if "?" not in line]
    off = [told.index(line) for line in desk.spelling.safe]
    assert off == sorted(off)
    assert desk.grid.make_safe().confirmed
    desk.grid.supply(100.0, 50.0)
    assert desk.world.plant.at("grid_l1").u == pytest.approx(100.0, rel=0.006)


@pytest.mark.parametrize("fault", [Fault.SILENCE, Fault.MUTE, Fault.LATE, Fault.GARBAGE, Fault.HALF])
@pytest.mark.parametrize("when", ["OUTP", "SYST", "reading"])
def test_one_lost_exchange_does_not_keep_it_from_being_safe(desk: Desk, fault: Fault, when: str) -> None:
    desk.grid.supply(100.0, 50.0)
    desk.line.order(fault, when=desk.spelling.measures if when == "reading" else when)
    desk.grid.make_safe()
    assert desk.grid.make_safe().confirmed
    assert desk.world.plant.at("grid_l1").u < 1.0


def test_an_instrument_that_is_gone_is_unsafe(desk: Desk) -> None:
    desk.grid.supply(100.0, 50.0)
    desk.line.order(Fault.UNPLUGGED)
    with pytest.raises(UnsafeState, match=NAME):
        desk.grid.make_safe()


@pytest.mark.parametrize("fault", [Fault.GARBAGE, Fault.NONSENSE, Fault.EMPTY, Fault.HALF, Fault.SILENCE])
def test_a_set_up_that_cannot_be_confirmed_is_an_error_and_can_be_repeated(desk: Desk, fault: Fault) -> None:
    desk.line.order(fault, when=desk.spelling.phase)
    with pytest.raises(InstrumentError, match=NAME):
        desk.grid.supply(100.0, 50.0)
    assert desk.world.plant.at("grid_l1").u < 1.0
    desk.grid.supply(100.0, 50.0)
    assert desk.world.plant.at("grid_l2").u == pytest.approx(100.0, rel=0.006)


def test_a_lost_set_point_is_noticed(desk: Desk) -> None:
    """The command never arrives; the reading-back says so."""
    desk.grid.supply(100.0, 50.0)
    desk.line.order(Fault.SILENCE, when=f"{desk.spelling.volts} 110")
    with pytest.raises(InstrumentError, match="asked for 110"):
        desk.grid.supply(110.0, 50.0)


def test_silence_is_a_lost_instrument(desk: Desk) -> None:
    desk.line.order(Fault.SILENCE)
    with pytest.raises(LostInstrument):
        desk.grid.identity()


REFUSED = {
    "chroma_61845": (
        ("VOLT:RANG HIGH", b"-221"),
        ("INST:PHAS SINGLE", b"-221"),
        ("VOLT:LEV:IMM:AMPL:AC 200", b"-222"),
        ("OUTP:MODE STAIRS", b"-224"),
        ("TRIG ON", b"-211"),
        ("SOUR:VOLTS 3", b"-113"),
    ),
    "ametek_mx45": (
        ("VOLT:RANG 300", b"-221"),
        ("PHAS 120", b"-221"),
        ("VOLT 200", b"-222"),
        ("VOLT:MODE STAIRS", b"-224"),
        ("TRIG", b"-211"),
        ("SOUR:VOLTS 3", b"-113"),
    ),
}


@pytest.mark.parametrize("driver", REFUSED)
def test_settings_that_cannot_change_under_way_are_refused_in_its_own_words(driver: str) -> None:
    open_driver, build, options = DRIVERS[driver]
    clock = VirtualClock()
    face = build(World(clock, Plant(), 1, None), options)
    manager = pyvisa.ResourceManager(EmulatedVisaLibrary({NAME: face}, clock))
    open_driver(open_session(NAME, manager), options, clock).supply(100.0, 50.0)
    for line, code in REFUSED[driver]:
        assert face.process(line) is None
        reply = face.process("SYST:ERR?")
        assert reply is not None
        assert reply.startswith(code), line
    manager.close()


def test_it_dips_from_an_angle_and_comes_back(desk: Desk) -> None:
    with pytest.raises(EnvelopeError, match="supply"):
        desk.grid.dip(40.0, 0.2, 90.0)
    desk.grid.supply(100.0, 50.0)
    desk.clock.sleep(0.2)
    desk.changes.clear()
    desk.grid.dip(40.0, 0.2, 90.0)
    desk.clock.sleep(0.5)
    (start, down), (end, up) = desk.changes
    assert down.angle == pytest.approx(90.0, abs=0.06)
    assert down.mains.u[0] == pytest.approx(40.0, abs=0.5)
    assert end - start == pytest.approx(0.2, abs=1e-6)
    assert up.mains.u[0] == pytest.approx(100.0, abs=0.6)
    desk.grid.dip(60.0, 0.1)  # and again
    desk.clock.sleep(0.3)
    assert desk.world.plant.at("grid_l1").u == pytest.approx(100.0, abs=0.6)


def test_it_ramps_straight_and_stays(desk: Desk) -> None:
    with pytest.raises(EnvelopeError, match="supply"):
        desk.grid.ramp(90.0, 50.0, 1.0)
    desk.grid.supply(100.0, 50.0)
    desk.clock.sleep(0.2)
    start = desk.clock.now()
    desk.grid.ramp(80.0, 51.0, 4.0)
    desk.clock.sleep(start + 2.0 - desk.clock.now())
    half = desk.world.plant.at("grid_l1")
    assert half.u == pytest.approx(90.0, abs=1.5)
    assert half.f == pytest.approx(50.5, abs=0.05)
    desk.clock.sleep(2.5)
    end = desk.world.plant.at("grid_l1")
    assert end.u == pytest.approx(80.0, abs=0.6)
    assert end.f == pytest.approx(51.0, rel=2e-4)
    desk.grid.supply(100.0, 50.0)
    desk.clock.sleep(0.1)
    assert desk.world.plant.at("grid_l1").u == pytest.approx(100.0, abs=0.6)


def test_ametek_is_dead_before_its_relay_opens() -> None:
    """Its relay knows no angle: the voltage steps to nothing there, the relay follows when that is done."""
    clock = VirtualClock()
    world = World(clock, Plant(), 1, None)
    options = ametek_mx45.Options()
    face = ametek_mx45_emulator.build(world, options)
    manager = pyvisa.ResourceManager(EmulatedVisaLibrary({NAME: face}, clock))
    grid = ametek_mx45_driver.open_driver(open_session(NAME, manager), options, clock)
    grid.supply(100.0, 50.0)
    clock.sleep(0.2)
    changes: list[tuple[float, MainsChanged]] = []
    world.plant.subscribe(lambda t, e: changes.append((t, e)) if isinstance(e, MainsChanged) else None)
    grid.interrupt(90.0)
    (dead_at, dead), (open_at, opened) = changes
    assert dead.mains.on
    assert dead.mains.u == (0.0, 0.0)
    assert not opened.mains.on
    assert 0.0 < open_at - dead_at < 0.05
    assert face.process("VOLT:MODE?;:TRIG:STAT?") == b"FIX;IDLE\n"
    manager.close()


def test_chroma_61845_slews() -> None:
    clock = VirtualClock()
    world = World(clock, Plant(), 1, None)
    options = chroma_61845.Options(slew=0.1)  # V/ms
    face = chroma_61845_emulator.build(world, options)
    manager = pyvisa.ResourceManager(EmulatedVisaLibrary({NAME: face}, clock))
    grid = chroma_61845_driver.open_driver(open_session(NAME, manager), options, clock)
    grid.supply(50.0, 50.0)
    clock.sleep(1.0)
    start = clock.now()
    grid.supply(100.0, 50.0)
    clock.sleep(max(start + 0.25 + 0.02 - clock.now(), 0.0))
    assert 65.0 < world.plant.at("grid_l1").u < 80.0
    clock.sleep(0.4)
    assert world.plant.at("grid_l1").u == pytest.approx(100.0, rel=0.006)
    manager.close()
