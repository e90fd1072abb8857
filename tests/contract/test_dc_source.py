"""Every DC source keeps the promises of its role. Through the in-process VISA library, on an emulated world."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import pyvisa
from pydantic import ValidationError

from instruments.ea_psb_10000 import commands as ea_psb_10000
from instruments.ea_psb_10000 import driver as ea_psb_10000_driver
from instruments.ea_psb_10000 import emulator as ea_psb_10000_emulator
from instruments.keysight_rp7962 import commands as keysight_rp7962
from instruments.keysight_rp7962 import driver as keysight_rp7962_driver
from instruments.keysight_rp7962 import emulator as keysight_rp7962_emulator
from rig.clock import VirtualClock
from rig.errors import EnvelopeError, InstrumentError, LostInstrument, UnsafeState
from rig.plant.plant import Plant
from rig.plant.world import World
from rig.roles import DcSource
from rig.visa.faults import Fault, FaultyDevice
from rig.visa.library import EmulatedVisaLibrary
from rig.visa.session import open_session

NAME = "EMU::battery::INSTR"
DRIVERS: dict[str, tuple[Callable[..., Any], Callable[..., Any], Any]] = {
    "ea_psb_10000": (ea_psb_10000_driver.open_driver, ea_psb_10000_emulator.build, ea_psb_10000.Options()),
    "keysight_rp7962": (keysight_rp7962_driver.open_driver, keysight_rp7962_emulator.build, keysight_rp7962.Options()),
}
BEFORE_THE_OUTPUT = {
    "ea_psb_10000": (
        *("SYST:LOCK ON", "VOLT:PROT", "CURR:PROT", "POW:PROT", "SINK:CURR:PROT", "SYST:COMM:MON:ACT ON"),
        *("VOLT 3", "SINK:CURR 3"),
    ),
    "keysight_rp7962": (
        *("OUTP OFF", "OUTP:PROT:CLE", "VOLT:PROT", "CURR:PROT:STAT OFF", "OUTP:PROT:WDOG ON"),
        *("VOLT 3", "CURR:LIM 3", "CURR:LIM:NEG -3"),
    ),
}
"""What must have been told before OUTP ON, by driver."""
FIRST = {"ea_psb_10000": "SYST:LOCK ON", "keysight_rp7962": "OUTP OFF"}


@dataclass
class Desk:
    clock: VirtualClock
    world: World
    line: FaultyDevice
    source: DcSource
    driver: str = ""

    def told(self) -> list[str]:
        return [line for line in self.line.lines if "?" not in line]

    def plug_in(self) -> None:
        """Close the vehicle's contactors, so that the source's terminals are the connector's."""
        for wire in ("proximity", "d1", "d2", "k"):
            self.world.plant.set_wire(wire, True)  # type: ignore[arg-type]
        self.world.plant.command_ev_contactor(True)
        self.clock.sleep(0.5)
        assert self.world.plant.ev_contactor_closed


def sit_down(driver: str) -> tuple[Desk, pyvisa.ResourceManager]:
    open_driver, build, options = DRIVERS[driver]
    clock = VirtualClock()
    world = World(clock, Plant(), 1, None)
    line = FaultyDevice(build(world, options))
    manager = pyvisa.ResourceManager(EmulatedVisaLibrary({NAME: line}, clock))
    return Desk(clock, world, line, open_driver(open_session(NAME, manager), options, clock), driver), manager


@pytest.fixture(params=DRIVERS)
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    desk, manager = sit_down(request.param)
    yield desk
    manager.close()


@pytest.fixture
def ea() -> Iterator[Desk]:
    desk, manager = sit_down("ea_psb_10000")
    yield desk
    manager.close()


@pytest.fixture
def keysight() -> Iterator[Desk]:
    desk, manager = sit_down("keysight_rp7962")
    yield desk
    manager.close()


def test_it_holds_the_voltage_at_its_terminals_and_at_the_connector(desk: Desk) -> None:
    desk.source.imitate(360.0, 0.1, 30.0, 30.0)
    assert desk.source.reading().voltage == pytest.approx(360.0, abs=0.6)
    desk.plug_in()
    assert desk.world.plant.at("dc").u == pytest.approx(360.0, abs=0.6)
    now = desk.source.reading()
    assert now.voltage == pytest.approx(360.0, abs=0.6)
    assert abs(now.current) < 0.2
    assert now.at == desk.clock.now()


def test_a_reading_is_as_good_as_it_says(desk: Desk) -> None:
    desk.source.imitate(360.0, 0.1, 30.0, 30.0)
    desk.plug_in()
    now, true = desk.source.reading(), desk.world.plant.at("dc")
    assert abs(now.voltage - true.u) <= 2 * now.voltage_u < 1.0
    assert abs(now.current - true.i) <= 2 * now.current_u < 0.5
    assert 0.0 < now.update <= 0.1


def test_protections_and_limits_are_set_before_the_output_is_on(desk: Desk) -> None:
    desk.source.imitate(360.0, 0.1, 30.0, 30.0)
    told = desk.told()
    on = told.index("OUTP ON")
    for start in BEFORE_THE_OUTPUT[desk.driver]:
        assert any(line.startswith(start) for line in told[:on]), start
    assert told[0] == FIRST[desk.driver]


def test_a_repeated_call_sends_only_what_changed(desk: Desk) -> None:
    desk.source.imitate(360.0, 0.5, 30.0, 25.0)
    desk.line.lines.clear()
    desk.source.imitate(360.0, 0.5, 30.0, 25.0)
    assert desk.told() == []
    desk.source.imitate(359.5, 0.5, 30.0, 25.0)
    assert desk.told() == ["VOLT 359.5"]


@pytest.mark.parametrize(
    "values",
    [
        (-1.0, 0.1, 30.0, 30.0),
        (481.0, 0.1, 30.0, 30.0),
        (360.0, 0.1, 91.0, 30.0),
        (360.0, 0.1, 30.0, -5.0),
        (math.nan, 0.1, 30.0, 30.0),
        (360.0, 1e5, 30.0, 30.0),
    ],
)
def test_out_of_range_is_refused_before_it_is_sent(desk: Desk, values: tuple[float, float, float, float]) -> None:
    with pytest.raises(EnvelopeError, match=NAME):
        desk.source.imitate(*values)
    assert desk.line.lines == []


def test_safe_from_any_state_and_twice(desk: Desk) -> None:
    assert desk.source.make_safe().confirmed
    desk.source.imitate(360.0, 0.1, 30.0, 30.0)
    for _ in range(2):
        safe = desk.source.make_safe()
        assert safe.confirmed
        assert safe.readings
        assert desk.source.reading().voltage < 2.0
    desk.source.imitate(350.0, 0.1, 30.0, 30.0)
    assert desk.source.reading().voltage == pytest.approx(350.0, abs=0.6)


@pytest.mark.parametrize("fault", [Fault.SILENCE, Fault.MUTE, Fault.LATE, Fault.GARBAGE, Fault.HALF])
@pytest.mark.parametrize("when", ["OUTP", "LOCK", "SYST", "MEAS"])
def test_one_lost_exchange_does_not_keep_it_from_being_safe(desk: Desk, fault: Fault, when: str) -> None:
    desk.source.imitate(360.0, 0.1, 30.0, 30.0)
    desk.line.order(fault, when=when)
    desk.source.make_safe()
    assert desk.source.make_safe().confirmed


def test_an_instrument_that_is_gone_is_unsafe(desk: Desk) -> None:
    desk.source.imitate(360.0, 0.1, 30.0, 30.0)
    desk.line.order(Fault.UNPLUGGED)
    with pytest.raises(UnsafeState, match=NAME):
        desk.source.make_safe()


@pytest.mark.parametrize("fault", [Fault.GARBAGE, Fault.NONSENSE, Fault.EMPTY, Fault.HALF, Fault.NAN])
def test_a_broken_reply_is_never_a_number(desk: Desk, fault: Fault) -> None:
    desk.source.imitate(360.0, 0.1, 30.0, 30.0)
    desk.line.order(fault, when="MEAS")
    with pytest.raises(InstrumentError, match=NAME):
        desk.source.reading()
    assert desk.source.reading().voltage == pytest.approx(360.0, abs=0.6)


@pytest.mark.parametrize("fault", [Fault.SILENCE, Fault.MUTE, Fault.LATE, Fault.GARBAGE, Fault.EMPTY])
def test_after_a_failed_set_up_everything_is_sent_anew(desk: Desk, fault: Fault) -> None:
    desk.line.order(fault, when="VOLT:PROT?")
    with pytest.raises(InstrumentError, match=NAME):
        desk.source.imitate(360.0, 0.1, 30.0, 30.0)
    assert desk.source.reading().voltage < 2.0
    desk.source.imitate(360.0, 0.1, 30.0, 30.0)
    assert desk.source.reading().voltage == pytest.approx(360.0, abs=0.6)


def test_silence_is_a_lost_instrument(desk: Desk) -> None:
    desk.line.order(Fault.SILENCE)
    with pytest.raises(LostInstrument, match="no answer"):
        desk.source.reading()


def test_closing_leaves_an_output_on(desk: Desk) -> None:
    desk.source.imitate(360.0, 0.1, 30.0, 30.0)
    desk.source.close()
    desk.source.close()
    assert desk.line.process("OUTP?") in (b"ON\n", b"1\n")
    assert desk.world.plant.at("dc").u == 0.0  # contactors open
    desk.plug_in()
    assert desk.world.plant.at("dc").u == pytest.approx(360.0, abs=0.6)


# -- the EA's own manners


def words(desk: Desk, line: str) -> str:
    desk.line.process(line)
    return (desk.line.process("SYST:ERR?") or b"").decode().strip()


def test_without_remote_no_set_command_is_obeyed(ea: Desk) -> None:
    assert words(ea, "VOLT 12") == '-221,"Settings conflict"'
    assert words(ea, "OUTP ON") == '-221,"Settings conflict"'
    assert ea.line.process("VOLT?;:OUTP?;:SYST:LOCK:OWN?") == b"0.00 V;OFF;NONE\n"
    assert words(ea, "SYST:LOCK ON") == '0,"No error"'
    assert words(ea, "VOLT 12V") == '0,"No error"'
    assert ea.line.process("SOUR:VOLT?") == b"12.00 V\n"


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("VOLTS 12", '-100,"Command error"'),
        ("VOLT", '-220,"Parameter error"'),
        ("VOLT 12 A", '-220,"Parameter error"'),
        ("VOLT 511", '-222,"Data out of range"'),
        ("VOLT 1;VOLT 2;VOLT 3;VOLT 4;VOLT 5;VOLT 6", '-223,"Too much data"'),
        ("SYST:CONF:MODE UIX", '-224,"Illegal parameter value"'),
        ("RES 1", '-221,"Settings conflict"'),  # mode is UIP
    ],
)
def test_the_guide_s_own_error_numbers(ea: Desk, line: str, error: str) -> None:
    ea.line.process("SYST:LOCK ON")
    assert words(ea, line) == error


def test_an_overvoltage_from_outside_switches_off_and_is_named(ea: Desk) -> None:
    ea.source.imitate(360.0, 0.1, 30.0, 30.0)
    ea.line.process("VOLT:PROT 350")  # someone at another keyboard
    ea.clock.sleep(0.3)
    assert ea.line.process("OUTP?") == b"OFF\n"
    with pytest.raises(InstrumentError, match="switched its output off by itself: OVP"):
        ea.source.imitate(360.0, 0.1, 30.0, 30.0)
    ea.source.imitate(360.0, 0.1, 30.0, 30.0)  # acknowledged; set up anew
    assert ea.source.reading().voltage == pytest.approx(360.0, abs=0.6)


def test_silence_switches_the_output_off(desk: Desk) -> None:
    desk.source.imitate(360.0, 0.1, 30.0, 30.0)
    desk.plug_in()
    for _ in range(30):
        desk.clock.sleep(1.0)
        desk.source.imitate(360.0, 0.1, 30.0, 30.0)
    assert desk.world.plant.at("dc").u == pytest.approx(360.0, abs=0.6)
    desk.clock.sleep(11.0)
    assert desk.world.plant.at("dc").u < 300.0
    desk.source.imitate(360.0, 0.1, 30.0, 30.0)
    desk.clock.sleep(0.5)
    assert desk.world.plant.at("dc").u == pytest.approx(360.0, abs=0.6)


def test_the_rating_of_the_bench_file_must_be_the_instrument_s() -> None:
    clock = VirtualClock()
    world = World(clock, Plant(), 1, None)
    face = ea_psb_10000_emulator.build(world, ea_psb_10000.Options())
    manager = pyvisa.ResourceManager(EmulatedVisaLibrary({NAME: face}, clock))
    other = ea_psb_10000.Options(voltage=750.0, current=60.0)
    source = ea_psb_10000_driver.open_driver(open_session(NAME, manager), other, clock)
    with pytest.raises(InstrumentError, match="rated 500, the bench file says 750"):
        source.imitate(360.0, 0.1, 30.0, 30.0)
    manager.close()
    with pytest.raises(ValidationError, match="ocp = 45 is above"):
        ea_psb_10000.Options(current=30.0)


# -- the Keysight's own manners


def test_a_latched_output_still_says_it_is_programmed_on(keysight: Desk) -> None:
    keysight.source.imitate(360.0, 0.1, 30.0, 30.0)
    keysight.line.process("VOLT:PROT 350")  # someone at another keyboard
    keysight.clock.sleep(0.3)
    assert keysight.line.process("OUTP?;:STAT:QUES:COND?") == b"1;1\n"
    with pytest.raises(InstrumentError, match="switched its output off by itself: OVP"):
        keysight.source.imitate(360.0, 0.1, 30.0, 30.0)
    keysight.line.lines.clear()
    keysight.source.imitate(360.0, 0.1, 30.0, 30.0)  # off first, then cleared: clearing alone would bring it back
    told = keysight.told()
    assert told.index("OUTP OFF") < told.index("OUTP:PROT:CLE") < told.index("OUTP ON")
    assert keysight.source.reading().voltage == pytest.approx(360.0, abs=0.6)


def test_clearing_brings_an_output_back(keysight: Desk) -> None:
    keysight.source.imitate(360.0, 0.1, 30.0, 30.0)
    keysight.plug_in()
    keysight.line.process("VOLT:PROT 350")
    keysight.clock.sleep(0.3)
    keysight.line.process("VOLT:PROT 480")
    keysight.line.process("OUTP:PROT:CLE")
    assert keysight.world.plant.at("dc").u == pytest.approx(360.0, abs=0.6)


def test_limits_never_exceed_what_the_power_protection_leaves(keysight: Desk) -> None:
    clock = keysight.clock
    options = keysight_rp7962.Options(opp=3600.0)
    face = keysight_rp7962_emulator.build(World(clock, Plant(), 1, None), options)
    manager = pyvisa.ResourceManager(EmulatedVisaLibrary({NAME: face}, clock))
    source = keysight_rp7962_driver.open_driver(open_session(NAME, manager), options, clock)
    source.imitate(360.0, 0.1, 30.0, 5.0)
    assert face.process("CURR:LIM?;:CURR:LIM:NEG?") == b"+1.00000E+01;-5.00000E+00\n"
    manager.close()


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("VOLTS 12", "-113"),
        ("VOLT", "-109"),
        ("VOLT 12 A", "-131"),
        ("VOLT 511", "-222"),
        ("CURR:LIM:NEG 5", "-222"),
        ("FUNC WATT", "-224"),
    ],
)
def test_it_refuses_in_its_own_words(keysight: Desk, line: str, error: str) -> None:
    assert words(keysight, line).startswith(error)
