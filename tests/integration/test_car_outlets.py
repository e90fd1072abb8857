"""Outlets built into a car: served without a cable, and one whose outlets drop at the engine's start is caught."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from rigs import certify

from fixtures.library import find_bench
from instruments.car_outlets.commands import Options
from instruments.car_outlets.emulator import CAPACITY, EFFICIENCY, ENGINE_STARTS, ENGINE_STOPS, ITSELF, EmulatedCar
from rig.clock import VirtualClock
from rig.plant.params import PlantParams
from rig.plant.plant import Plant
from rig.plant.world import World
from rig.prompts import Prompt


def bench_of(tmp_path: Path, keys: str) -> Path:
    """The car's bench with a pack that is nearly low, and keys more."""
    text, count = re.subn(r"^soc = .*$", f"soc = 0.2005\n{keys}", find_bench("outlander").read_text(), flags=re.M)
    assert count == 1
    path = tmp_path / "bench.toml"
    path.write_text(text)
    return path


def test_outlets_that_drop_when_the_engine_starts_are_caught(tmp_path: Path) -> None:
    wrong = bench_of(tmp_path, 'wrong = "drops-at-engine-start"')
    ran = certify(tmp_path / "run", "--bench", str(wrong), "--seed", "1", "-k", "engine_starts")
    assert ran.code == 1, ran.out
    assert "FAIL" in ran.verdicts("EMS-010")


def car(**options: object) -> tuple[EmulatedCar, World, VirtualClock]:
    clock = VirtualClock()
    world = World(clock, Plant(PlantParams(legs=1, u_nominal=100.0, p_rated=1500.0)), 1, None)
    found = EmulatedCar(world, Options.model_validate({"maker": "m", "model": "x", "serial": "1", **options}))
    return found, world, clock


def press(found: EmulatedCar, verb: str) -> str:
    return found.answer(Prompt(verb, "", ""))


def test_the_engine_keeps_the_pack_between_its_bounds() -> None:
    found, world, clock = car(soc=ENGINE_STARTS + 0.001)
    assert press(found, "start") == "done"
    world.plant.set_house_load(0, 1500.0)
    clock.sleep(120.0)
    assert press(found, "display") == "engine backup"
    while found.engine:
        clock.sleep(60.0)
    assert found.soc == pytest.approx(ENGINE_STOPS, abs=0.01)
    assert world.plant.at("house_l1").u == pytest.approx(100.0, rel=0.06)
    press(found, "stop")
    assert (press(found, "display"), world.plant.at("house_l1").u) == ("idle", 0.0)


def test_what_the_outlets_give_leaves_the_pack() -> None:
    found, world, clock = car(soc=0.9)
    press(found, "start")
    world.plant.set_house_load(0, 1000.0)
    clock.sleep(1800.0)
    given = sum(world.plant.energy().house)
    assert given == pytest.approx(1000.0 * 1799.0, rel=1e-3)
    assert (0.9 - found.soc) * CAPACITY == pytest.approx(given / EFFICIENCY + 1800.0 * ITSELF, rel=2e-3)


def test_an_overload_and_an_empty_pack_put_the_outlets_out() -> None:
    found, world, clock = car(soc=0.9)
    press(found, "start")
    world.plant.set_house_load(0, 2000.0)
    clock.sleep(20.0)
    assert press(found, "display") == "fault overload"
    assert press(found, "start") != "done"
    press(found, "reset")
    assert press(found, "display") == "idle"
    found, world, clock = car(soc=0.001, wrong="engine-never-starts")
    press(found, "start")
    world.plant.set_house_load(0, 1500.0)
    clock.sleep(60.0)
    assert press(found, "display") == "fault empty"
