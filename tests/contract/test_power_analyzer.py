"""Every power analyzer keeps the promises of its role. Through the in-process VISA library, on an emulated world."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, cast, get_args

import pytest
import pyvisa
from pydantic import ValidationError

from instruments.hioki_pw8001 import commands as pw8001
from instruments.hioki_pw8001 import driver as pw8001_driver
from instruments.hioki_pw8001 import emulator as pw8001_emulator
from instruments.yokogawa_wt1800e import commands as wt1800e
from instruments.yokogawa_wt1800e import driver as wt1800e_driver
from instruments.yokogawa_wt1800e import emulator as wt1800e_emulator
from rig.clock import Phase, VirtualClock
from rig.errors import InstrumentError, LostInstrument, UseError
from rig.metrology.measurement import Measurement
from rig.plant.plant import Plant
from rig.plant.ports import DcSupply, Mains, Operating, Port, StageCommand, StageMode
from rig.plant.world import World
from rig.roles import Function, PowerAnalyzer, Quantity, Snapshot
from rig.visa.faults import Fault, FaultyDevice
from rig.visa.library import EmulatedVisaLibrary
from rig.visa.session import open_session

NAME = "EMU::analyzer::INSTR"
DRIVERS: dict[str, tuple[Callable[..., Any], Callable[..., Any], Any]] = {
    "wt1800e, text": (wt1800e_driver.open_driver, wt1800e_emulator.build, wt1800e.Options()),
    "wt1800e, binary": (wt1800e_driver.open_driver, wt1800e_emulator.build, wt1800e.Options(transfer="float")),
    "pw8001": (
        pw8001_driver.open_driver,
        pw8001_emulator.build,
        pw8001.Options.model_validate(
            {"channels": {1: "house_l1", 2: "house_l2", 3: "evps_l1", 5: "evps_l2", 6: "grid_l1", 8: "dc"}}
        ),
    ),
}


@dataclass(frozen=True)
class Spelling:
    """What the tests must know of a driver's dialect: its name, its question for values, set-up exchanges of which one
    may be lost (asked and told), what an earlier program may have left, and wiring with a range that is too small."""

    maker: str
    values: str
    silent: tuple[str, ...]
    lost: tuple[str, ...]
    left: str
    small: Any
    stop: str
    """How somebody else stops its updates."""


_WT = Spelling(
    "YOKOGAWA",
    "VAL",
    ("EESR?", "VAL?", "ITEM2?", "VOLT:RANG:ELEM1?", "RATE?"),
    ("HEAD OFF", "RATE 0.2", "RANG:ELEM1 150", "ITEM1 UDC", "NUMB 2", "WIR P1W2"),
    ":NUM:ITEM1 P,3;ITEM2 P,4;:NUM:NUM 2",
    wt1800e.Options.model_validate({"elements": {1: {"port": "house_l1", "voltage": 60.0}, 2: "dc"}}),
    ":STAT:FILT1 NEV",
)
SPELLING = {
    "wt1800e, text": _WT,
    "wt1800e, binary": _WT,
    "pw8001": Spelling(
        "HIOKI",
        "MEAS",
        ("ESR0?", "MEAS?", "HOLD?", "VOLT1:RANG?", "CURR1:AUTO?"),
        ("HEAD OFF", "HOLD OFF", "VOLT1:RANG 150", "CURR1:AUTO OFF", "VOLT8:RANG 600", "VOLT1:AUTO OFF"),
        ":HOLD ON;:VOLT1:RANG 60",
        pw8001.Options.model_validate({"channels": {1: {"port": "house_l1", "voltage": 60.0}, 2: "dc"}}),
        ":HOLD ON",
    ),
}
AC: tuple[Port, ...] = ("house_l1", "house_l2", "evps_l1", "evps_l2", "grid_l1")
EVERYTHING: list[Quantity] = [
    *((port, function) for port in AC for function in cast("tuple[Function, ...]", ("u", "i", "p", "s", "f", "thd_u"))),
    *(("dc", function) for function in cast("tuple[Function, ...]", ("u", "i", "p", "s"))),
]


@dataclass
class Desk:
    clock: VirtualClock
    world: World
    line: FaultyDevice
    analyzer: PowerAnalyzer
    driver: str = ""

    @property
    def spelling(self) -> Spelling:
        return SPELLING[self.driver]

    def value(self, *quantity: Any) -> float:
        return self.analyzer.read(quantity).values[quantity].value


def charging(world: World, clock: VirtualClock) -> None:
    """Mains on, house loaded, 10 A into the car."""
    plant = world.plant
    plant.set_mains(Mains(True, (100.0, 100.0), 50.0))
    plant.command_pcs(True)
    plant.set_house_load(0, 1200.0)
    plant.set_house_load(1, 700.0)
    plant.set_dc_supply(DcSupply(True, 360.0, 0.1, 30.0, 30.0))
    for wire in ("proximity", "d1", "d2", "k"):
        plant.set_wire(wire, True)  # type: ignore[arg-type]
    plant.command_ev_contactor(True)
    plant.command_stage(StageCommand(StageMode.VOLTAGE, u_ref=360.0))
    clock.sleep(3.0)
    world.plant.command_stage(StageCommand(StageMode.CURRENT, i_ref=10.0, contactor=True))
    clock.sleep(3.0)
    assert world.plant.at("dc").i == pytest.approx(10.0, rel=0.01)


def sit_down(driver: str, seed: int = 1, options: Any = None) -> tuple[Desk, pyvisa.ResourceManager]:
    open_driver, build, usual = DRIVERS[driver]
    clock = VirtualClock()
    world = World(clock, Plant(), seed, None)
    line = FaultyDevice(build(world, options or usual))
    manager = pyvisa.ResourceManager(EmulatedVisaLibrary({NAME: line}, clock))
    analyzer = open_driver(open_session(NAME, manager), options or usual, clock)
    charging(world, clock)
    return Desk(clock, world, line, analyzer, driver), manager


@pytest.fixture(params=DRIVERS)
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    desk, manager = sit_down(request.param)
    yield desk
    manager.close()


def truth(now: Operating, function: str) -> float:
    return {"u": now.u, "i": now.i, "p": now.p, "s": now.u * now.i, "f": now.f, "thd_u": 0.0}[function]


# -- numbers


def test_every_quantity_of_one_update_with_unit_moment_and_budget(desk: Desk) -> None:
    asked = desk.clock.now()
    snapshot = desk.analyzer.read(*EVERYTHING)
    assert set(snapshot.values) == set(EVERYTHING)
    assert asked < snapshot.at <= desk.clock.now()
    units = {"u": "V", "i": "A", "p": "W", "s": "VA", "f": "Hz", "thd_u": "1"}
    for (port, function), m in snapshot.values.items():
        assert m.unit == units[function]
        assert m.at == snapshot.at
        assert port in m.source
        assert NAME in m.source
        assert m.u > 0.0
        assert all(component.source for component in m.budget)
        true = truth(desk.world.plant.at(port), function)
        assert m.value == pytest.approx(true, abs=1.5 * m.expanded()), (port, function)


def test_voltage_current_power_and_power_factor_belong_together(desk: Desk) -> None:
    for port in AC:
        values = desk.analyzer.read(*((port, f) for f in ("u", "i", "p", "s", "pf"))).values  # type: ignore[misc]
        u, i, p, s, pf = (values[port, f] for f in ("u", "i", "p", "s", "pf"))  # type: ignore[index]
        assert s.value == pytest.approx(u.value * i.value, rel=1e-4)
        assert p.value == pytest.approx(s.value * pf.value, rel=1e-4)
        assert abs(p.value - u.value * i.value * math.copysign(1.0, p.value)) < 3.0 * math.hypot(p.u, s.u)
        assert abs(abs(pf.value) - 1.0) < 3.0 * pf.u
    dc = desk.analyzer.read(("dc", "u"), ("dc", "i"), ("dc", "p")).values
    assert dc["dc", "p"].value == pytest.approx(
        dc["dc", "u"].value * dc["dc", "i"].value, abs=3.0 * dc["dc", "p"].u + 0.002 * 3600.0
    )
    assert dc["dc", "i"].value > 0.0  # into the battery


def test_a_grid_leg_carries_its_house_and_its_charger(desk: Desk) -> None:
    values = desk.analyzer.read(("grid_l1", "p"), ("house_l1", "p"), ("evps_l1", "p")).values
    grid, house, evps = (values[port, "p"] for port in ("grid_l1", "house_l1", "evps_l1"))  # type: ignore[index]
    assert evps.value < -1000.0  # the charger takes it
    assert grid.value == pytest.approx(house.value - evps.value, abs=3.0 * math.hypot(grid.u, house.u, evps.u))


@pytest.mark.parametrize("driver", ["wt1800e, text", "pw8001"])
def test_the_budget_covers_the_errors_of_many_specimens(driver: str) -> None:
    inside, worst, count = 0, 0.0, 0
    for seed in range(60):
        desk, manager = sit_down(driver, seed)
        for (port, function), m in desk.analyzer.read(*EVERYTHING).values.items():
            if function == "thd_u":
                continue  # cannot be below zero: its errors are one-sided
            error = abs(m.value - truth(desk.world.plant.at(port), function)) / m.expanded()
            inside, worst, count = inside + (error <= 1.0), max(worst, error), count + 1
        manager.close()
    assert inside / count > 0.95
    assert 0.9 < worst < 1.5  # the budget is no empty promise either


def test_a_sine_has_no_distortion_worth_the_name(desk: Desk) -> None:
    thd = desk.analyzer.read(("house_l1", "thd_u")).values["house_l1", "thd_u"]
    assert 0.0 <= thd.value < 0.002


def test_a_square_top_has_the_distortion_of_the_textbook(monkeypatch: pytest.MonkeyPatch) -> None:
    """Third harmonic of 5 % and fifth of 3 %: THD is the root of the sum of their squares."""
    desk, manager = sit_down("wt1800e, text")
    clean = Plant.waves

    def dirty(self: Plant, port: Any, start: float, seconds: float, rate: float) -> Any:
        wave = clean(self, port, start, seconds, rate).copy()
        for n in range(len(wave)):
            angle = 2.0 * math.pi * 50.0 * (start + n / rate)
            wave[n] += math.sqrt(2.0) * (5.0 * math.sin(3.0 * angle + 0.4) + 3.0 * math.cos(5.0 * angle))
        return wave

    monkeypatch.setattr(Plant, "waves", dirty)
    u = desk.world.plant.at("house_l1").u
    thd = desk.analyzer.read(("house_l1", "thd_u")).values["house_l1", "thd_u"]
    assert thd.value == pytest.approx(math.hypot(5.0, 3.0) / u, abs=2.0 * thd.u)
    manager.close()


# -- time


@pytest.mark.parametrize("share", [0.0, 0.13, 0.37, 0.5, 0.71, 0.99])
def test_read_waits_for_an_update_that_began_after_the_call(desk: Desk, share: float) -> None:
    desk.analyzer.read(("house_l1", "p"))
    period = desk.analyzer.update_period
    desk.clock.sleep(3.0 * period + share * period)
    desk.world.plant.set_house_load(0, 2400.0)
    asked = desk.clock.now()
    snapshot = desk.analyzer.read(("house_l1", "p"))
    assert snapshot.values["house_l1", "p"].value == pytest.approx(2400.0, rel=0.005)  # nothing of before is in it
    assert snapshot.at - period >= asked - 0.03 * period
    assert snapshot.at <= desk.clock.now() <= asked + 2.2 * period + 0.1


def test_latest_is_of_its_update_and_not_of_the_moment_of_asking(desk: Desk) -> None:
    quantity: Quantity = ("house_l1", "p")
    period = desk.analyzer.update_period
    last = desk.analyzer.read(quantity)
    desk.clock.sleep(last.at + 2.3 * period - desk.clock.now())
    desk.world.plant.set_house_load(0, 2400.0)
    before = desk.clock.now()
    old = desk.analyzer.latest(quantity)
    assert desk.clock.now() - before < 0.1 * period
    assert old.values[quantity].value == pytest.approx(1200.0, rel=0.005)
    assert old.at == pytest.approx(last.at + 2.0 * period, abs=0.05 * period)
    desk.clock.sleep(period)
    mixed = desk.analyzer.latest(quantity).values[quantity].value  # the load changed inside this update
    assert 1210.0 < mixed < 2390.0
    desk.clock.sleep(period)
    assert desk.analyzer.latest(quantity).values[quantity].value == pytest.approx(2400.0, rel=0.005)


def test_the_same_update_shows_the_same_figures(desk: Desk) -> None:
    last = desk.analyzer.read(("house_l1", "u"), ("dc", "i"))
    again = [desk.analyzer.latest(("house_l1", "u"), ("dc", "i")) for _ in range(3)]
    for snapshot in again:
        assert [m.value for m in snapshot.values.values()] == [m.value for m in last.values.values()]


def test_updates_are_one_period_apart(desk: Desk) -> None:
    period = desk.analyzer.update_period
    ends = [desk.analyzer.read(("house_l1", "u")).at for _ in range(8)]
    for earlier, later in pairwise(ends):
        periods = (later - earlier) / period
        assert periods == pytest.approx(round(periods), abs=0.05)
        assert periods > 0.9


def test_a_recorder_in_the_background_costs_no_time_and_misses_nothing(desk: Desk) -> None:
    quantities: list[Quantity] = [("house_l1", "p"), ("dc", "u")]
    desk.analyzer.read(*quantities)
    seen: list[Snapshot] = []

    def look() -> None:
        before = desk.clock.now()
        seen.append(desk.analyzer.latest(*quantities))
        assert desk.clock.now() == before

    stop = desk.clock.every(0.1, look, Phase.OBSERVE)
    desk.clock.sleep(30.0)
    desk.analyzer.read(("grid_l1", "f"))  # the foreground goes on reading beside it
    desk.clock.sleep(30.0)
    stop()
    ends = [s.at for s in seen]
    assert len(seen) >= 600
    assert all(later - earlier < 1.2 * desk.analyzer.update_period for earlier, later in pairwise(ends))
    assert len({round(end / desk.analyzer.update_period, 1) for end in ends}) >= 60.0 / desk.analyzer.update_period - 2
    rights = [s.values["dc", "u"] for s in seen]
    assert all(isinstance(m, Measurement) and m.value == pytest.approx(361.0, abs=2.0) for m in rights)


def test_reading_inside_an_event_is_refused(desk: Desk) -> None:
    desk.analyzer.read(("dc", "u"))
    caught: list[UseError] = []

    def event() -> None:
        with pytest.raises(UseError) as error:
            desk.analyzer.read(("dc", "u"))
        caught.append(error.value)

    desk.clock.at(desk.clock.now() + 0.5, event)
    desk.clock.sleep(1.0)
    assert "inside" in str(caught[0])


def test_the_first_latest_waits_in_the_foreground_and_says_so_in_an_event(desk: Desk) -> None:
    failures: list[InstrumentError] = []
    found: list[float] = []

    def event() -> None:
        try:
            found.append(desk.analyzer.latest(("dc", "u")).values["dc", "u"].value)
        except InstrumentError as error:
            failures.append(error)

    stop = desk.clock.every(0.25, event)
    desk.clock.sleep(3.0)
    stop()
    assert 1 <= len(failures) <= 4
    assert all("no update has ended" in str(error) for error in failures)
    assert found[-1] == pytest.approx(361.0, abs=2.0)
    other, manager = sit_down(desk.driver)
    assert other.analyzer.latest(("dc", "u")).values["dc", "u"].value == pytest.approx(361.0, abs=2.0)
    manager.close()


# -- what is no measurement


def test_over_range_is_no_measurement(desk: Desk) -> None:
    small, manager = sit_down(desk.driver, options=desk.spelling.small)
    for quantity in cast("list[Quantity]", [("house_l1", "u"), ("house_l1", "p"), ("house_l1", "s")]):
        with pytest.raises(InstrumentError, match=f"{NAME}.*over range"):
            small.analyzer.read(quantity)
        with pytest.raises(InstrumentError, match="over range"):
            small.analyzer.latest(("dc", "u"), quantity)
    assert small.value("house_l1", "i") == pytest.approx(12.0, rel=0.01)
    assert small.value("dc", "u") == pytest.approx(361.0, abs=2.0)
    manager.close()


def test_a_dead_bus_reads_zero_and_has_no_frequency(desk: Desk) -> None:
    desk.world.plant.set_mains(Mains(False))
    desk.clock.sleep(5.0)
    zero = desk.analyzer.read(("grid_l1", "u"), ("grid_l1", "p")).values
    assert zero["grid_l1", "u"].value == 0.0
    assert zero["grid_l1", "u"].u > 0.1  # what is too small to be shown is in the budget
    assert abs(zero["grid_l1", "p"].value) < 10.0
    for function in ("f", "pf", "thd_u"):
        with pytest.raises(InstrumentError, match="undefined"):
            desk.analyzer.read(("grid_l1", function))  # type: ignore[arg-type]


@pytest.mark.parametrize("verb", ["read", "latest"])
@pytest.mark.parametrize("fault", [Fault.GARBAGE, Fault.NONSENSE, Fault.EMPTY, Fault.HALF, Fault.NAN])
def test_a_broken_reply_is_never_a_number(desk: Desk, fault: Fault, verb: str) -> None:
    desk.analyzer.read(("dc", "u"))
    desk.line.order(fault, when=desk.spelling.values)
    with pytest.raises(InstrumentError, match=NAME):
        getattr(desk.analyzer, verb)(("dc", "u"))
    assert desk.value("dc", "u") == pytest.approx(361.0, abs=2.0)


@pytest.mark.parametrize("fault", [Fault.SILENCE, Fault.MUTE, Fault.LATE])
@pytest.mark.parametrize("exchange", range(5))
def test_silence_is_a_lost_instrument_and_what_was_set_is_sent_anew(desk: Desk, fault: Fault, exchange: int) -> None:
    desk.line.order(fault, when=desk.spelling.silent[exchange])
    with pytest.raises(LostInstrument, match=f"{NAME}.*no answer"):
        desk.analyzer.read(("dc", "u"), ("house_l1", "u"))
    assert desk.value("dc", "u") == pytest.approx(361.0, abs=2.0)
    assert desk.value("house_l1", "u") == pytest.approx(100.0, abs=1.0)


@pytest.mark.parametrize("setting", range(6))
def test_a_setting_that_got_lost_never_makes_a_wrong_reading(desk: Desk, setting: int) -> None:
    desk.line.process(desk.spelling.left)  # what an earlier program left
    desk.line.order(Fault.SILENCE, when=desk.spelling.lost[setting])
    with suppress(InstrumentError):
        desk.analyzer.read(("dc", "u"), ("house_l1", "u"))
    found = desk.analyzer.read(("dc", "u"), ("house_l1", "u")).values
    assert found["dc", "u"].value == pytest.approx(361.0, abs=2.0)
    assert found["house_l1", "u"].value == pytest.approx(100.0, abs=1.0)


def test_an_instrument_that_is_gone(desk: Desk) -> None:
    desk.analyzer.read(("dc", "u"))
    desk.line.order(Fault.UNPLUGGED)
    for _ in range(2):
        with pytest.raises(LostInstrument, match=NAME):
            desk.analyzer.latest(("dc", "u"))
    desk.analyzer.close()


def test_an_instrument_somebody_reset_is_noticed(desk: Desk) -> None:
    desk.analyzer.read(("dc", "u"), ("dc", "i"))
    desk.line.process("*RST")
    with pytest.raises(InstrumentError, match=NAME):
        desk.analyzer.latest(("dc", "u"), ("dc", "i"))
    assert desk.value("dc", "u") == pytest.approx(361.0, abs=2.0)


def test_updates_that_stop_are_a_fault(desk: Desk) -> None:
    desk.analyzer.read(("dc", "u"))
    desk.line.process(desk.spelling.stop)
    with pytest.raises(InstrumentError, match="no update has ended"):
        desk.analyzer.read(("dc", "u"))


@pytest.mark.parametrize("quantity", [("grid_l2", "u"), ("dc", "f"), ("dc", "thd_u"), ("dc", "pf")])
def test_what_is_not_wired_or_has_no_meaning_is_refused_before_it_is_sent(desk: Desk, quantity: Quantity) -> None:
    with pytest.raises(UseError, match=NAME):
        desk.analyzer.read(quantity)
    with pytest.raises(UseError, match="nothing to read"):
        desk.analyzer.read()
    assert desk.line.lines == []


def test_it_names_its_ports_and_itself(desk: Desk) -> None:
    assert set(desk.analyzer.ports) < set(get_args(Port))
    assert desk.analyzer.identity().maker == desk.spelling.maker
    desk.analyzer.read(("dc", "u"))
    desk.analyzer.close()
    desk.analyzer.close()


# -- the Yokogawa's own manners


@pytest.fixture
def yokogawa() -> Iterator[Desk]:
    desk, manager = sit_down("wt1800e, text")
    yield desk
    manager.close()


def said(desk: Desk, line: str) -> str:
    return (desk.line.process(line) or b"").decode("latin-1").strip()


def test_closing_gives_the_panel_back(yokogawa: Desk) -> None:
    yokogawa.analyzer.read(("dc", "u"))
    yokogawa.analyzer.close()
    assert yokogawa.line.process(":COMM:REM?") == b"0\n"


def test_a_hold_somebody_left_is_released(yokogawa: Desk) -> None:
    yokogawa.line.process(":NUM:HOLD ON")
    yokogawa.world.plant.set_house_load(0, 2400.0)
    assert yokogawa.value("house_l1", "p") == pytest.approx(2400.0, rel=0.005)
    assert said(yokogawa, ":NUM:HOLD?") == "0"


def test_headers_are_on_until_they_are_off(yokogawa: Desk) -> None:
    assert said(yokogawa, ":RATE?") == ":RATE 500.0E-03"
    assert said(yokogawa, "INPUT:VOLTAGE:RANGE:ELEMENT6?") == ":INPUT:VOLTAGE:RANGE:ELEMENT6 1.000E+03"
    assert said(yokogawa, ":COMM:VERB OFF;:NUM:HOLD?") == ":NUM:HOLD 0"
    assert said(yokogawa, ":STAT:EESR?;:STAT:ERR?") == '0;0,"No error"'  # status never has one
    assert said(yokogawa, ":COMMUNICATE:HEADER OFF;:RATE?") == "500.0E-03"


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (":NUMERI:HOLD ON", '113,"Undefined header"'),
        (":RATE", '109,"Missing parameter"'),
        (":RATE 300MS", '222,"Data out of range"'),
        (":RATE 1 A", '131,"Invalid suffix"'),
        (":INPUT:VOLTAGE:RANGE:ELEMENT1 120", '222,"Data out of range"'),
        (":INPUT:VOLTAGE:RANGE:ELEMENT7 150", '114,"Header suffix out of range"'),
        (":NUM:ITEM1 VOLTS,1", '224,"Illegal parameter value"'),
        (":NUM:ITEM1 URMS,7", '224,"Illegal parameter value"'),
        (":NUM:FORM REAL", '224,"Illegal parameter value"'),
    ],
)
def test_its_own_error_numbers_are_positive(yokogawa: Desk, line: str, error: str) -> None:
    yokogawa.line.process("*CLS")
    yokogawa.line.process(line)
    assert said(yokogawa, ":STATUS:ERROR?") == error
    assert said(yokogawa, ":STATUS:ERROR?") == '0,"No error"'


def test_marks_of_missing_and_over_range_values_in_both_formats(yokogawa: Desk) -> None:
    for line in (":INP:VOLT:RANG:ELEM1 15", ":NUM:ITEM1 URMS,1;ITEM2 NONE;ITEM3 UDC,6", ":NUM:NUM 3", ":RATE 50MS"):
        yokogawa.line.process(line)
    yokogawa.clock.sleep(0.3)
    over, none, dc = said(yokogawa, ":NUMERIC:NORMAL:VALUE?").split(",")
    assert (over, none) == ("INF", "NAN")
    assert float(dc) == pytest.approx(361.0, abs=4.0)
    assert said(yokogawa, ":NUM:VAL? 2") == "NAN"
    yokogawa.line.process(":NUM:HOLD ON;:NUM:FORM FLOAT")
    block = yokogawa.line.process(":NUM:VAL?") or b""
    assert block[:6] == b"#40012"
    assert struct.unpack(">2I", block[6:14]) == (0x7E94F56A, 0x7E951BEE)
    assert struct.unpack(">f", block[14:18])[0] == pytest.approx(float(dc), abs=0.5)


def test_hold_keeps_one_update_until_it_is_set_again(yokogawa: Desk) -> None:
    for line in (":COMM:HEAD OFF", ":NUM:ITEM1 P,1;ITEM2 URMS,1", ":NUM:NUM 2", ":NUM:HOLD ON"):
        yokogawa.line.process(line)
    held = said(yokogawa, ":NUM:VAL?")
    yokogawa.world.plant.set_house_load(0, 2400.0)
    yokogawa.clock.sleep(2.0)
    assert said(yokogawa, ":NUM:VAL?") == held
    yokogawa.line.process(":NUM:HOLD ON")
    assert float(said(yokogawa, ":NUM:VAL?").split(",")[0]) == pytest.approx(2400.0, rel=0.02)


def test_waiting_for_the_end_of_an_update_holds_the_line(yokogawa: Desk) -> None:
    for line in (":RATE 1", ":STAT:FILT1 FALL"):
        yokogawa.line.process(line)
    yokogawa.clock.sleep(2.5)
    said(yokogawa, ":STAT:EESR?")
    wait = yokogawa.line.latency(":COMMUNICATE:WAIT 1")
    assert 0.002 <= wait <= 1.002
    yokogawa.clock.sleep(wait - 0.0021)
    assert said(yokogawa, ":STAT:EESR?") == "0"
    yokogawa.clock.sleep(0.0022)
    assert said(yokogawa, ":STAT:EESR?") == "1"
    assert said(yokogawa, ":STAT:EESR?") == "0"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"update": 0.3}, "no such update"),
        ({"elements": {7: "dc"}}, "elements 1..6"),
        ({"elements": {1: "dc", 2: "dc"}}, "wired twice"),
        ({"elements": {1: {"port": "dc", "voltage": 500.0}}}, "no such range"),
        ({"elements": {1: "roof"}}, "house_l1"),
        ({"elements": {}}, "at least 1"),
    ],
)
def test_a_wrong_bench_file_is_told(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        wt1800e.Options.model_validate(options)


def test_numbers_are_printed_as_the_manual_prints_them() -> None:
    assert [wt1800e.nr3(v, 5) for v in (103.79, 1.0143, 0.38, -0.0381, 49868.0, 0.5, 1000.0, 999.9999, 9.9999996)] == [
        "103.79E+00",
        "1.0143E+00",
        "380.00E-03",
        "-38.100E-03",
        "49.868E+03",
        "500.00E-03",
        "1.0000E+03",
        "1.0000E+03",
        "10.0000E+00",
    ]
    for k in range(-40, 40):
        value = 1.2345678 * 1.9**k
        assert float(wt1800e.nr3(value)) == pytest.approx(value, rel=1e-5)


# -- the Hioki's own manners


@pytest.fixture
def hioki() -> Iterator[Desk]:
    desk, manager = sit_down("pw8001")
    yield desk
    manager.close()


def test_hioki_headers_are_on_until_they_are_off(hioki: Desk) -> None:
    assert said(hioki, ":VOLT1:RANG?") == ":VOLTAGE1:RANGE 1500"
    assert said(hioki, "HEADE?") == ""  # neither the long form nor the short one
    assert said(hioki, ":HEAD OFF;:VOLTAGE1:RANGE?") == "1500"


@pytest.mark.parametrize(
    ("line", "bits"),
    [
        (":VOLTAG1:RANG 150", "32"),
        (":VOLT1:RANG", "32"),
        (":VOLT9:RANG 150", "32"),
        (":VOLT1:RANG 120", "16"),
        (":MEAS? Urms9", "16"),
    ],
)
def test_hioki_tells_the_class_of_an_error_and_forgets_it(hioki: Desk, line: str, bits: str) -> None:
    said(hioki, "*CLS")
    assert said(hioki, line) == ""
    assert said(hioki, "*ESR?") == bits
    assert said(hioki, "*ESR?") == "0"


def test_hioki_errors_reach_the_driver_in_words(hioki: Desk) -> None:
    hioki.line.process("NONSENSE 1")
    with pytest.raises(InstrumentError, match=r"command error \(\*ESR\?\)"):
        hioki.analyzer.read(("dc", "u"))


def test_hioki_a_slower_rate_than_the_bench_file_says_is_noticed() -> None:
    clock = VirtualClock()
    world = World(clock, Plant(), 1, None)
    face = pw8001_emulator.build(world, pw8001.Options(update=0.2))
    manager = pyvisa.ResourceManager(EmulatedVisaLibrary({NAME: face}, clock))
    other = pw8001.Options(update=0.05)
    analyzer = pw8001_driver.open_driver(open_session(NAME, manager), other, clock)
    charging(world, clock)
    with pytest.raises(InstrumentError, match=r"apart, the bench file says 0\.05 s"):
        analyzer.read(("dc", "u"))
    manager.close()


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("Urms1 +100.0150E+00;P1 -1.234567E+03", (100.015, -1234.567)),
        ("+100.0150E+00,+0.000000E+00", (100.015, 0.0)),
        ("+999.99E+9;-999.99E+9", (math.inf, math.inf)),
    ],
)
def test_hioki_figures_are_read_with_and_without_names(text: str, values: tuple[float, ...]) -> None:
    assert pw8001.VALUES.value.parse(text) == values


@pytest.mark.parametrize("text", ["", "+1.0;", "one", "+1.0E+00 V", "NAN"])
def test_hioki_what_is_no_figure_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"no number|empty"):
        pw8001.VALUES.value.parse(text)


@pytest.mark.parametrize("value", [0.0, 0.123456, 9.99999949, 12.5, 360.123, 999.99996, 1234.5, -45_000.0])
def test_hioki_prints_and_reads_the_same_figure(value: float) -> None:
    (read,) = pw8001.VALUES.value.parse(pw8001.nr3(value))
    assert read == pytest.approx(value, rel=1e-6, abs=1e-6)
