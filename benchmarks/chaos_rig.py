"""`python -m benchmarks.chaos_rig RIG.toml FOLDER`: a rig that charges and discharges until somebody ends it.

The victim of benchmarks.chaos. It begins at a line on its standard input and says on its output where it is: `open
ORIGIN SUPERVISOR`, then one word and the bench's time a line: `prepared`, `plugged`, `session`, `charge`, `discharge`.
An error in the foreground ends it as it ends a procedure: INVALID, the bench at rest, its journal closed, exit code 3
or 4.
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

from fixtures.library import REQUIREMENTS, find_profile, find_vehicle
from instruments.registry import REGISTRY
from rig.bench import Bench
from rig.chademo.rules import ALL
from rig.chademo.vehicle_state import VehiclePhase
from rig.clock import RealClock
from rig.errors import BenchFault
from rig.open_bench import open_bench, read_bench_file
from rig.profile import read_profile
from rig.requirements import read_catalogue
from rig.roles import ChargerMode
from rig.run import Run
from rig.vehicle_model import read_vehicle

SESSION_WITHIN = 60.0
TURNS_EVERY = 3.0
"""s in one direction."""


def main(rig: Path, folder: Path) -> int:
    """Run until killed, or told to stop. Exit code as of a run."""
    config = read_bench_file(rig, REGISTRY)
    sys.stdin.readline()
    profile, car = read_profile(find_profile(config.bench.profile)), read_vehicle(find_vehicle(config.car.profile))
    with open_bench(config, REGISTRY, profile, car=car, purpose="chaos") as bench:
        assert isinstance(bench.clock, RealClock)
        run = Run(bench, read_catalogue(REQUIREMENTS).for_profile(profile), folder, ALL)
        run.begin((), ("chaos",), "")
        print("open", bench.clock.origin, 0 if bench.guard is None else bench.guard.pid, flush=True)
        run.start_test("chaos", "Energised until somebody ends it")
        try:
            energise(bench)
        except BenchFault as fault:
            run.incident(type(fault).__name__, str(fault), "bench")
        run.rested(bench.stand_by())
        test = run.conclude()
        run.stop_test("INVALID", "\n".join(test.reasons()))
        run.rested(bench.make_safe())
        run.end("interrupted", run.stopped)
    return run.exit_code()


def energise(bench: Bench) -> None:
    """A session, to and fro. Only an error ends it."""
    bench.prepare()
    say(bench, "prepared")
    if bench.house is not None:
        bench.house.draw(1000.0)
    bench.car.plug_in(0.5)
    bench.charger.start("charge")
    say(bench, "plugged")
    bench.car.wait_for(VehiclePhase.RUNNING, SESSION_WITHIN)
    say(bench, "session")
    modes: tuple[ChargerMode, ...] = ("charge", "discharge")
    for mode in itertools.cycle(modes):
        bench.charger.set_mode(mode)
        say(bench, mode)
        bench.clock.sleep(TURNS_EVERY)


def say(bench: Bench, word: str) -> None:
    """Where it is, and when."""
    print(word, f"{bench.clock.now():.3f}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]), Path(sys.argv[2])))
