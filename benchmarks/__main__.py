"""`make bench`: how fast an emulated hour passes, beside the floor, in one run.

One V2H session of an hour on the emulated bench: the house on the car, rules and journal on, the CAN log written. The
floor is the same frames between two bare nodes (benchmarks/floor.py). Each is timed several times, alternating, and
the best of each counts: what disturbs a run only ever makes it slower.

Then queries a second of emulated instruments, beside pyvisa-sim and a bare echo server (queries.py), how fast waves are
analysed beside plain reading (analysing.py), and how steadily the vehicle's frames leave a real bus, beside bare
periodic tasks of python-can (jitter.py).
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.analysing import print_bandwidth
from benchmarks.floor import bare_exchange
from benchmarks.jitter import print_jitter
from benchmarks.judging import print_rates
from benchmarks.queries import print_queries
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
BEST_OF = 5
"""Waves are analysed so many times as often as sessions are run: what takes milliseconds is disturbed more easily."""
RISEN = 2.0
"""s for the limits of the car to rise, 30 A at 20 A/s."""
POWER = 3000.0
"""W drawn by the house (half of the rating)."""


def session(bench_seconds: float, folder: Path) -> tuple[float, int, int]:
    """Wall seconds, frames and journal lines of so much bench time of a V2H session."""
    config = read_bench_file(find_bench("emulated"), REGISTRY)
    profile = read_profile(find_profile(config.bench.profile))
    with open_bench(config, REGISTRY, profile, seed=1) as bench:
        run = Run(bench, read_catalogue(REQUIREMENTS).for_profile(profile), folder, ALL)
        run.begin((), ("benchmark",), catalogue_revision())
        run.start_test("benchmark", "An hour of a V2H session")
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
        bench.house.draw(POWER)
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


def main() -> None:
    """Print both ratios and their quotient, and the jitter."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--seconds", type=float, default=HOUR, help="bench time of the session")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--jitter", type=float, default=6.0, help="s of each way of sending frames; 0: leave it out")
    chosen = parser.parse_args()
    floors, sessions = [], []
    for number in range(chosen.repeats):
        floors.append(bare_exchange(chosen.seconds))
        with tempfile.TemporaryDirectory() as folder:
            sessions.append(session(chosen.seconds, Path(folder) / str(number)))
    floor, frames_floor = min(floors)
    wall, frames, lines = min(sessions)
    print(f"bench time             {chosen.seconds:.0f} s, best of {chosen.repeats}")
    for name, took, count in (("floor", floor, frames_floor), ("session, rules+journal", wall, frames)):
        print(f"{name:<23}{took:8.3f} s wall   {chosen.seconds / took:8.0f} x real time   {count} frames")
    print(f"session / floor        {floor / wall:8.3f}   (aim 0.25 or more)   {lines} journal lines")
    print_rates(chosen.seconds, chosen.repeats)
    print_queries()
    print_bandwidth(BEST_OF * max(chosen.repeats, 1))
    if chosen.jitter:
        print_jitter(chosen.jitter)


if __name__ == "__main__":
    main()
