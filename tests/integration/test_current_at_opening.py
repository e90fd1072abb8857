"""What the suite says a contactor cut, against what the emulated circuit knows it cut, within its uncertainty."""

from __future__ import annotations

from pathlib import Path

import pytest
from rigs import bench_with

from fixtures.bench import Evps
from fixtures.library import find_profile
from instruments.registry import REGISTRY
from rig.chademo.rules import ALL
from rig.events_log import EventsLog
from rig.open_bench import open_bench, read_bench_file
from rig.profile import read_profile
from rig.run import Run
from suites.battery_protection.flow import DIRECTIONS, Ending, Flow

SEEDS = range(1, 7)


def stop(tmp_path: Path, bench_file: Path, seed: int, direction: str) -> tuple[Ending, float]:
    """A stop by the charger's button, and the current (A) its contactors opened under in truth."""
    config = read_bench_file(bench_file, REGISTRY)
    profile = read_profile(find_profile(config.bench.profile))
    with open_bench(config, REGISTRY, profile, seed=seed) as bench:
        run = Run(bench, {}, tmp_path / f"run{seed}{direction}", ALL)
        events = EventsLog(bench)
        events.begin()
        bench.prepare()
        flow = Flow(bench, Evps(bench), run.record, run.capture, events)
        flow.begin("charge" if direction == "charge" else "discharge")
        ending = flow.end("stop", bench.charger.stop)
        assert bench.world is not None
        (truth,) = [one.value for one in bench.world.plant.incidents if one.name == "EV contactor opened under load"]
        run.end("completed")
    return ending, abs(truth)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_the_current_a_contactor_cut_is_found_within_its_uncertainty(tmp_path: Path, direction: str) -> None:
    bench_file = bench_with(tmp_path, "charger", 'defects = ["opens-contactors-at=12"]')
    ratios = []
    for seed in SEEDS:
        ending, truth = stop(tmp_path, bench_file, seed, direction)
        m = ending.current_at(ending.opened, "current_at_opening")
        assert m.unit == "A"
        assert truth > 5.0
        assert m.expanded() < 0.5
        ratios.append(abs(m.value - truth) / m.expanded())
    assert sum(one <= 1.0 for one in ratios) >= len(ratios) - 1, ratios
