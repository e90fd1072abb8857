"""Every electronic load keeps the promises of its role. Through the in-process VISA library, on an emulated world."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest
import pyvisa

from instruments.chroma_63804 import commands as chroma_63804
from instruments.chroma_63804 import driver as chroma_63804_driver
from instruments.chroma_63804 import emulator as chroma_63804_emulator
from instruments.itech_it8617 import commands as itech_it8617
from instruments.itech_it8617 import driver as itech_it8617_driver
from instruments.itech_it8617 import emulator as itech_it8617_emulator
from rig.clock import VirtualClock
from rig.errors import EnvelopeError, InstrumentError, LostInstrument, UnsafeState
from rig.plant.plant import Plant
from rig.plant.ports import Mains
from rig.plant.world import World
from rig.roles import ElectronicLoad
from rig.visa.faults import Fault, FaultyDevice
from rig.visa.library import EmulatedVisaLibrary
from rig.visa.session import open_session

NAME = "EMU::house_l1::INSTR"
DRIVERS: dict[str, tuple[Callable[..., Any], Callable[..., Any], Any]] = {
    "chroma_63804": (
        chroma_63804_driver.open_driver,
        chroma_63804_emulator.build,
        chroma_63804.Options(leg=0),
    ),
    "itech_it8617": (
        itech_it8617_driver.open_driver,
        itech_it8617_emulator.build,
        itech_it8617.Options(leg=0),
    ),
}


@dataclass
class Desk:
    clock: VirtualClock
    world: World
    line: FaultyDevice
    load: ElectronicLoad
    driver: str = ""


@pytest.fixture(params=DRIVERS)
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    with closing(sitting_down(request.param)) as desks:
        yield next(desks)


def sitting_down(driver: str, seed: int = 1) -> Generator[Desk]:
    """A desk, and its end. seed: of the box's own errors."""
    open_driver, build, options = DRIVERS[driver]
    clock = VirtualClock()
    world = World(clock, Plant(), seed, None)
    world.plant.set_mains(Mains(on=True))
    world.plant.command_pcs(True)
    clock.sleep(1.0)
    line = FaultyDevice(build(world, options))
    manager = pyvisa.ResourceManager(EmulatedVisaLibrary({NAME: line}, clock))
    yield Desk(clock, world, line, open_driver(open_session(NAME, manager), options, clock), driver)
    manager.close()


def true_power(desk: Desk) -> float:
    return desk.world.plant.at("house_l1").p


@pytest.mark.parametrize("power", [100.0, 1500.0, 3000.0, 4400.0])
def test_it_draws_what_was_asked_within_half_a_per_cent_of_its_rating(desk: Desk, power: float) -> None:
    desk.load.draw(power)
    assert true_power(desk) == pytest.approx(power, abs=0.005 * desk.load.rating.power)


@pytest.mark.parametrize("driver", DRIVERS)
def test_next_to_nothing_can_be_drawn_whatever_the_box_s_own_errors_are(driver: str) -> None:
    """What the meter shows too much may be more than was asked for: the set-point ends at 0, not below it."""
    for seed in range(12):
        with closing(sitting_down(driver, seed)) as desks:
            one = next(desks)
            for power in (0.5, 4.0, 12.0):
                one.load.draw(power)
                assert -0.005 * one.load.rating.power < true_power(one) - power < 0.005 * one.load.rating.power


def test_asked_and_read_are_different_things_and_the_budget_covers_the_difference(desk: Desk) -> None:
    desk.load.draw(2000.0)
    for noun, unit, true in (
        (desk.load.power, "W", true_power(desk)),
        (desk.load.voltage, "V", desk.world.plant.at("house_l1").u),
    ):
        read = noun()
        assert read.at == desk.clock.now()
        assert read.value != true
        assert abs(read.value - true) <= math.sqrt(3.0) * 3 * read.u
        assert read.u > 0.0
        assert read.unit == unit
        assert read.source.startswith(NAME)


def test_a_draw_of_nothing_opens_the_input_and_comes_again(desk: Desk) -> None:
    desk.load.draw(1000.0)
    desk.load.draw(0.0)
    assert true_power(desk) == 0.0
    desk.load.draw(0.0)
    desk.load.draw(1200.0)
    assert true_power(desk) == pytest.approx(1200.0, abs=25.0)


def test_a_dead_house_draws_nothing_and_is_no_error(desk: Desk) -> None:
    desk.load.draw(1000.0)
    desk.world.plant.set_mains(Mains(on=False))
    desk.clock.sleep(1.0)
    assert abs(desk.load.power().value) < 30.0
    desk.load.draw(1500.0)


@pytest.mark.parametrize("power", [-1.0, 1e6, math.nan, math.inf])
def test_out_of_range_is_refused_before_it_is_sent(desk: Desk, power: float) -> None:
    desk.load.draw(500.0)
    before = [line for line in desk.line.lines if "?" not in line]
    with pytest.raises(EnvelopeError, match=NAME):
        desk.load.draw(power)
    assert [line for line in desk.line.lines if "?" not in line] == before


def test_safe_from_any_state_and_twice(desk: Desk) -> None:
    assert desk.load.make_safe().confirmed
    desk.load.draw(4000.0)
    for _ in range(2):
        safe = desk.load.make_safe()
        assert safe.confirmed
        assert safe.readings
        assert true_power(desk) == 0.0
    desk.load.draw(300.0)
    assert true_power(desk) == pytest.approx(300.0, abs=25.0)


def test_safe_after_errors_and_with_a_full_queue(desk: Desk) -> None:
    desk.load.draw(4000.0)
    for _ in range(50):
        desk.line.process("NONSENSE 1")
    assert desk.load.make_safe().confirmed
    assert true_power(desk) == 0.0


@pytest.mark.parametrize("fault", [Fault.SILENCE, Fault.MUTE, Fault.LATE, Fault.GARBAGE, Fault.HALF])
def test_one_lost_exchange_does_not_keep_it_from_being_safe(desk: Desk, fault: Fault) -> None:
    desk.load.draw(4000.0)
    desk.line.order(fault, when={"chroma_63804": "LOAD", "itech_it8617": "INP"}[desk.driver])
    desk.load.make_safe()
    assert desk.load.make_safe().confirmed
    assert true_power(desk) == 0.0


def test_an_instrument_that_is_gone_is_unsafe(desk: Desk) -> None:
    desk.load.draw(4000.0)
    desk.line.order(Fault.UNPLUGGED)
    with pytest.raises(UnsafeState, match=NAME):
        desk.load.make_safe()


@pytest.mark.parametrize("fault", [Fault.GARBAGE, Fault.NONSENSE, Fault.EMPTY, Fault.HALF, Fault.NAN])
@pytest.mark.parametrize("noun", ["power", "voltage"])
def test_a_broken_reply_is_never_a_number(desk: Desk, fault: Fault, noun: str) -> None:
    desk.load.draw(1000.0)
    read = desk.load.power if noun == "power" else desk.load.voltage
    good = read().value
    desk.line.order(fault, when="MEAS")
    with pytest.raises(InstrumentError, match=NAME):
        read()
    assert read().value == pytest.approx(good, rel=0.01)


def test_silence_is_a_lost_instrument(desk: Desk) -> None:
    desk.line.order(Fault.SILENCE)
    with pytest.raises(LostInstrument, match="no answer"):
        desk.load.power()


def test_it_answers_for_itself(desk: Desk) -> None:
    identity = desk.load.identity()
    assert identity.maker
    assert identity.serial
    assert desk.load.resource == NAME
    desk.load.draw(1000.0)
    desk.load.close()
    desk.load.close()
    assert true_power(desk) > 900.0  # closing changes no output


def test_malformed_and_unknown_commands_are_refused_in_its_own_words(desk: Desk) -> None:
    desk.line.process("*CLS")
    desk.line.process("SYST:REM")  # the one that has it
    desk.line.process("*CLS")
    power = {"chroma_63804": ":LOAD:POW", "itech_it8617": ":SOUR:POW"}[desk.driver]
    for line, code in ((f"{power}E 3", b"-113"), (power, b"-109"), (f"{power} 9 V", b"-131")):
        assert desk.line.process(line) is None
        reply = desk.line.process("SYST:ERR?")
        assert reply is not None
        assert reply.startswith(code)
    assert desk.line.process("SYST:ERR?") == b'0,"No error"\n'


# -- the ITECH's own manners


@pytest.fixture
def itech() -> Iterator[Desk]:
    clock = VirtualClock()
    world = World(clock, Plant(), 1, None)
    world.plant.set_mains(Mains(on=True))
    world.plant.command_pcs(True)
    clock.sleep(1.0)
    options = itech_it8617.Options(leg=0)
    line = FaultyDevice(itech_it8617_emulator.build(world, options))
    manager = pyvisa.ResourceManager(EmulatedVisaLibrary({NAME: line}, clock))
    yield Desk(clock, world, line, itech_it8617_driver.open_driver(open_session(NAME, manager), options, clock))
    manager.close()


def test_protections_are_set_before_the_input_closes(itech: Desk) -> None:
    itech.load.draw(1000.0)
    told = [line for line in itech.line.lines if "?" not in line]
    closed = told.index("INP ON")
    assert told[0] == "SYST:REM"
    for start in ("CURR:PROT 66", "POW:PROT 5940", "FUNC POW", "POW 1000"):
        assert any(line.startswith(start) for line in told[:closed]), start


def test_without_remote_no_set_command_is_obeyed(itech: Desk) -> None:
    itech.line.process("POW 100")
    assert (itech.line.process("SYST:ERR?") or b"").startswith(b"-201")
    assert itech.line.process("POW?") == b"0.00\n"


def test_an_input_that_opened_by_itself_is_told_and_not_closed_in_silence(itech: Desk) -> None:
    itech.load.draw(3000.0)
    itech.line.process("CURR:PROT 10")  # someone at another keyboard
    itech.clock.sleep(0.3)
    assert true_power(itech) == 0.0
    with pytest.raises(InstrumentError, match="opened its input by itself"):
        itech.load.draw(3000.0)
    assert true_power(itech) == 0.0
    itech.load.draw(3000.0)  # told; set up anew
    assert true_power(itech) == pytest.approx(3000.0, abs=30.0)


def test_closing_gives_the_panel_back_only_when_nothing_is_drawn(itech: Desk) -> None:
    itech.load.draw(1000.0)
    itech.load.draw(0.0)
    itech.load.close()
    itech.line.process("*CLS")
    itech.line.process("POW 5")
    assert (itech.line.process("SYST:ERR?") or b"").startswith(b"-201")
