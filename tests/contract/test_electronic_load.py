"""Every electronic load keeps the promises of its role. Through the in-process VISA library, on an emulated world."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import pyvisa

from instruments.chroma_63804 import commands as chroma_63804
from instruments.chroma_63804 import driver as chroma_63804_driver
from instruments.chroma_63804 import emulator as chroma_63804_emulator
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
    )
}


@dataclass
class Desk:
    clock: VirtualClock
    world: World
    line: FaultyDevice
    load: ElectronicLoad


@pytest.fixture(params=DRIVERS)
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    open_driver, build, options = DRIVERS[request.param]
    clock = VirtualClock()
    world = World(clock, Plant(), 1, None)
    world.plant.set_mains(Mains(on=True))
    world.plant.command_pcs(True)
    clock.sleep(1.0)
    line = FaultyDevice(build(world, options))
    manager = pyvisa.ResourceManager(EmulatedVisaLibrary({NAME: line}, clock))
    yield Desk(clock, world, line, open_driver(open_session(NAME, manager), options, clock))
    manager.close()


def true_power(desk: Desk) -> float:
    return desk.world.plant.at("house_l1").p


@pytest.mark.parametrize("power", [100.0, 1500.0, 3000.0, 4400.0])
def test_it_draws_what_was_asked_within_half_a_per_cent_of_its_rating(desk: Desk, power: float) -> None:
    desk.load.draw(power)
    assert true_power(desk) == pytest.approx(power, abs=0.005 * desk.load.rating.power)


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
    desk.line.order(fault, when="LOAD")
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
    for line, code in ((":LOAD:POWE 3", b"-113"), (":LOAD:POW", b"-109"), (":LOAD:POW 9 V", b"-131")):
        assert desk.line.process(line) is None
        reply = desk.line.process("SYST:ERR?")
        assert reply is not None
        assert reply.startswith(code)
    assert desk.line.process("SYST:ERR?") == b'0,"No error"\n'
