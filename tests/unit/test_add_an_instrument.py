"""docs/add-an-instrument.md works: its blocks are written out, imported, opened on a world and used."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import pyvisa

from rig.clock import VirtualClock
from rig.errors import EnvelopeError, UnsafeState
from rig.plant.plant import Plant
from rig.plant.ports import Mains
from rig.plant.world import World
from rig.visa.faults import Fault, FaultyDevice
from rig.visa.library import EmulatedVisaLibrary
from rig.visa.session import open_session

PAGE = Path(__file__).parents[2] / "docs" / "add-an-instrument.md"
BLOCK = re.compile(r"^```(?:python|toml) (\S+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass
class Desk:
    world: World
    line: FaultyDevice
    load: Any
    commands: ModuleType


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    folder = tmp_path / "acme_3000"
    folder.mkdir()
    (folder / "__init__.py").touch()
    files = dict(BLOCK.findall(PAGE.read_text()))
    assert files.keys() == {"commands.py", "driver.py", "emulator.py", "accuracy.toml"}
    for name, text in files.items():
        (folder / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    commands, driver, emulator = (importlib.import_module(f"acme_3000.{n}") for n in ("commands", "driver", "emulator"))
    clock = VirtualClock()
    world = World(clock, Plant(), 1, None)
    world.plant.set_mains(Mains(on=True))
    world.plant.command_pcs(True)
    clock.sleep(1.0)
    options = commands.Options(leg=0)
    line = FaultyDevice(emulator.build(world, options))
    manager = pyvisa.ResourceManager(EmulatedVisaLibrary({"EMU": line}, clock))
    yield Desk(world, line, driver.open_driver(open_session("EMU", manager), options, clock), commands)
    manager.close()
    for name in [name for name in sys.modules if name.partition(".")[0] == "acme_3000"]:
        del sys.modules[name]


def test_it_draws_and_measures_with_a_budget(desk: Desk) -> None:
    assert desk.load.identity().maker == "Acme"
    desk.load.draw(1500.0)
    assert desk.world.plant.at("house_l1").p == pytest.approx(1500.0, rel=1e-3)
    for reading, true in ((desk.load.power(), 1500.0), (desk.load.voltage(), desk.world.plant.at("house_l1").u)):
        assert reading.value == pytest.approx(true, abs=3.0 * reading.u)
        assert reading.value != true
    with pytest.raises(EnvelopeError, match="3000"):
        desk.load.draw(3001.0)


def test_protections_go_before_the_input(desk: Desk) -> None:
    desk.load.draw(1500.0)
    told = [line for line in desk.line.lines if "?" not in line]
    assert told == ["POW 1500", "POW:PROT 3300", "INP ON"]


@pytest.mark.parametrize("fault", [Fault.SILENCE, Fault.LATE, Fault.GARBAGE])
def test_it_is_made_safe_after_a_lost_exchange(desk: Desk, fault: Fault) -> None:
    desk.load.draw(1500.0)
    desk.line.order(fault, when="INP")
    desk.load.make_safe()
    assert desk.load.make_safe().confirmed
    assert desk.world.plant.at("house_l1").p == 0.0
    desk.line.order(Fault.UNPLUGGED)
    with pytest.raises(UnsafeState):
        desk.load.make_safe()
