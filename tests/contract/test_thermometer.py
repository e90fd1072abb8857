"""Every thermometer keeps the promises of its role. Through the in-process VISA library, in an emulated room."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import pyvisa

from instruments.keysight_34970a import commands, driver, emulator
from rig.clock import VirtualClock
from rig.errors import InstrumentError, LostInstrument
from rig.plant.plant import Plant
from rig.plant.world import World
from rig.roles import Thermometer
from rig.visa.faults import Fault, FaultyDevice
from rig.visa.library import EmulatedVisaLibrary
from rig.visa.session import open_session

NAME = "EMU::thermometer::INSTR"
DRIVERS: dict[str, tuple[Callable[..., Any], Callable[..., Any], type[commands.Options]]] = {
    "keysight_34970a": (driver.open_driver, emulator.build, commands.Options)
}


@dataclass
class Desk:
    world: World
    line: FaultyDevice
    thermometer: Thermometer


@pytest.fixture(params=DRIVERS)
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    open_driver, build, options = DRIVERS[request.param]
    clock = VirtualClock()
    world = World(clock, Plant(), 1, None)
    line = FaultyDevice(build(world, options()))
    manager = pyvisa.ResourceManager(EmulatedVisaLibrary({NAME: line}, clock))
    yield Desk(world, line, open_driver(open_session(NAME, manager), options(), clock))
    manager.close()


@pytest.mark.parametrize("room", [-5.0, 18.0, 23.0, 41.5])
def test_it_reads_the_room_within_its_uncertainty(desk: Desk, room: float) -> None:
    desk.world.ambient = room
    found = desk.thermometer.ambient()
    assert found.unit == "degC"
    assert 0.0 < found.u < 0.5
    assert abs(found.value - room) <= 2.0 * found.u


def test_it_reads_anew_each_time(desk: Desk) -> None:
    first = desk.thermometer.ambient()
    desk.world.ambient = 30.0
    second = desk.thermometer.ambient()
    assert second.at > first.at
    assert second.value - first.value == pytest.approx(7.0, abs=0.2)


@pytest.mark.parametrize(
    ("fault", "error"),
    [("silence", LostInstrument), ("garbage", InstrumentError), ("nan", InstrumentError), ("empty", InstrumentError)],
)
def test_what_is_no_number_is_no_temperature(desk: Desk, fault: Fault, error: type[Exception]) -> None:
    desk.thermometer.ambient()
    desk.line.order(Fault(fault), 1, "READ")
    with pytest.raises(error):
        desk.thermometer.ambient()


def test_a_channel_without_a_sensor_is_no_temperature() -> None:
    clock = VirtualClock()
    world = World(clock, Plant(), 1, None)
    manager = pyvisa.ResourceManager(
        EmulatedVisaLibrary({NAME: emulator.build(world, commands.Options(channel=102))}, clock)
    )
    box = driver.open_driver(open_session(NAME, manager), commands.Options(channel=101), clock)
    with pytest.raises(InstrumentError, match="over range"):
        box.ambient()
    manager.close()
