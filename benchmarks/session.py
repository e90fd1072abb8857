"""An hour of a V2H session on the emulated bench: the house on the car, rules and journal on, the CAN log written."""

from __future__ import annotations

from pathlib import Path

from fixtures.library import REQUIREMENTS, catalogue_revision, find_bench, find_profile
from instruments.registry import REGISTRY
from rig.chademo.rules import ALL
from rig.chademo.vehicle_state import VehiclePhase
from rig.clock import Stopwatch
from rig.open_bench import open_bench, read_bench_file
from rig.profile import read_profile
from rig.requirements import read_catalogue
from rig.run import Run

HOUR = 3600.0
RISEN = 2.0
"""s for the limits of the car to rise, 30 A at 20 A/s."""
POWER = 3000.0
"""W drawn by the house (half of the rating)."""


def session(bench_seconds: float, folder: Path, power: float = POWER) -> tuple[float, int, int]:
    """Wall seconds, frames and journal lines of so much bench time of a V2H session. power: W the house draws; a full
    pack lasts five hours at the usual."""
    config = read_bench_file(find_bench("emulated"), REGISTRY)
    profile = read_profile(find_profile(config.bench.profile))
    with open_bench(config, REGISTRY, profile, seed=1) as bench:
        run = Run(bench, read_catalogue(REQUIREMENTS).for_profile(profile), folder, ALL)
        run.begin((), ("benchmark",), catalogue_revision())
        run.start_test("benchmark", "A V2H session")
        bench.prepare()
        frames = 0

        def count(*_: object) -> None:
            nonlocal frames
            frames += 1

        bench.car.plug_in(0.8)
        bench.charger.start("standby")
        bench.car.wait_for(VehiclePhase.RUNNING, 60.0)
        bench.clock.sleep(RISEN)
        assert bench.grid is not None
        assert bench.house is not None
        bench.grid.interrupt()
        bench.house.draw(power)
        bench.clock.sleep(5.0)
        if not (bench.car.in_session and bench.charger.state().on_backup):
            raise SystemExit("the session did not come about; run the suites first")
        unwatch = bench.bus.watch(count)
        watch = Stopwatch()
        bench.clock.sleep(bench_seconds)
        wall = watch.seconds()
        unwatch()
        if not bench.car.in_session:
            raise SystemExit("the session did not last")
        bench.stand_by()
        test = run.conclude()
        run.stop_test("FAIL" if test.broken else "PASS")
        run.end("completed")
        return wall, frames, run.journal.count
