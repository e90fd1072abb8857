"""A model's table of commands, what its driver sends and what its emulator answers are one thing.

Every public verb of every driver is done once against its emulator, through pyvisa; every line that passes must be a
row of the table, and every row of the table must be answered by the emulator. Parametrised over the registry: a new
model is in as soon as it is registered.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import pytest
import pyvisa

from instruments.registry import REGISTRY
from rig.clock import VirtualClock
from rig.plant.plant import Plant
from rig.plant.ports import Mains
from rig.plant.world import World
from rig.scpi import face as common
from rig.scpi.command import Command
from rig.scpi.face import ScpiFace
from rig.visa.faults import FaultyDevice
from rig.visa.library import EmulatedVisaLibrary
from rig.visa.session import open_session

MODELS = sorted(name for name, driver in REGISTRY.items() if driver.transport == "visa")
COMMON = {value for value in vars(common).values() if isinstance(value, Command)}
"""The commands every instrument has (IEEE 488.2), and the standard error queue."""
Verb = Callable[[Any, VirtualClock], object]


def _start_again(grid: Any, clock: VirtualClock) -> None:
    grid.supply(100.0, 50.0)
    clock.sleep(0.1)
    grid.interrupt(90.0)
    clock.sleep(0.1)
    grid.interrupt()


def _series(load: Any, clock: VirtualClock) -> None:
    for power in (500.0, 2500.0, 0.0):
        load.draw(power)
        clock.sleep(0.5)


VERBS: dict[str, dict[str, Verb]] = {
    "load": {
        "draw": _series,
        "power": lambda load, _: load.power(),
        "voltage": lambda load, _: load.voltage(),
    },
    "dc_source": {
        "imitate": lambda source, _: source.imitate(360.0, 0.2, 30.0, 25.0),
        "reading": lambda source, _: source.reading(),
    },
    "grid": {
        "supply": lambda grid, _: grid.supply(100.0, 50.0),
        "ramp": lambda grid, clock: (grid.ramp(95.0, 50.5, 0.5), clock.sleep(1.0)),
        "dip": lambda grid, clock: (grid.dip(50.0, 0.1, 45.0), clock.sleep(0.5)),
        "interrupt": _start_again,
    },
    "analyzer": {
        "read": lambda analyzer, _: analyzer.read(("house_l1", "u"), ("dc", "p"), ("house_l1", "pf")),
        "latest": lambda analyzer, _: analyzer.latest(("house_l1", "u")),
    },
    "digitizer": {
        "start": lambda digitizer, _: digitizer.start([digitizer.ports[0]], 0.2, 10_000.0),
        "fetch": lambda digitizer, _: digitizer.fetch(),
    },
    "thermometer": {"ambient": lambda thermometer, _: thermometer.ambient()},
}
"""By role: how each of its verbs is done, in this order. Beside them every driver has identity, self_test, close and
make_safe."""


def table(model: str) -> set[Command[Any]]:
    """Every row of a model."""
    module = importlib.import_module(f"instruments.{model}.commands")
    return {value for value in vars(module).values() if isinstance(value, Command)}


def emulated(model: str, clock: VirtualClock) -> tuple[Any, Any]:
    """The face of a model on a live house, and its options."""
    driver = REGISTRY[model]
    world = World(clock, Plant(), 1, None)
    world.plant.set_mains(Mains(True, (100.0, 100.0), 50.0))
    world.plant.command_pcs(True)
    world.plant.set_house_load(0, 1000.0)
    clock.sleep(2.0)
    options = driver.options.model_validate({"leg": 0} if driver.role == "load" else {})
    assert driver.emulate is not None
    return driver.emulate(world, options), options


def public(instrument: Any) -> set[str]:
    """Names of what can be called from outside."""
    return {name for name in dir(type(instrument)) if name[0] != "_" and callable(getattr(type(instrument), name))}


@pytest.mark.parametrize("model", MODELS)
def test_every_verb_is_done_and_sends_rows_of_the_table_only(model: str) -> None:
    clock = VirtualClock()
    face, options = emulated(model, clock)
    line = FaultyDevice(face)
    manager = pyvisa.ResourceManager(EmulatedVisaLibrary({"EMU": line}, clock))
    driver = REGISTRY[model]
    instrument = driver.open(open_session("EMU", manager), options, clock)
    verbs = VERBS[driver.role]
    always = {"identity", "close", "self_test"} | ({"make_safe"} if hasattr(instrument, "make_safe") else set())
    assert public(instrument) == verbs.keys() | always
    instrument.identity()
    for verb in verbs.values():
        verb(instrument, clock)
    if "make_safe" in always:
        assert instrument.make_safe().confirmed
    assert instrument.self_test() == (0 if instrument.self_tests else None)
    instrument.close()
    rows = table(model) | COMMON
    sent: set[Command[Any]] = set()
    for text in line.lines:
        units = face._parse(text)
        assert all(unit.error is None for unit in units), text
        assert all(unit.command in rows for unit in units), text
        sent |= {unit.command for unit in units if unit.command is not None}
    assert len(sent - COMMON) >= min(6, len(table(model)))
    manager.close()


@pytest.mark.parametrize("model", MODELS)
def test_the_emulator_answers_every_row_and_nothing_else(model: str) -> None:
    face, _ = emulated(model, VirtualClock())
    assert isinstance(face, ScpiFace)
    answered, rows = set(face._handlers), table(model)
    assert {row.header for row in rows - answered} <= {row.header for row in COMMON}
    assert {row.header for row in answered - rows - COMMON} == set()
