"""A run in a process of its own that has no right to everything: what test_folder_lost.py takes a folder away from.

python unprivileged.py FOLDER   as root it becomes nobody first; everybody else is nobody already
It says a line when it has come somewhere, and waits for a line before it goes on.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from fixtures.library import REQUIREMENTS, find_bench, find_profile
from instruments.registry import REGISTRY
from rig.bench import Bench
from rig.chademo.rules import ALL
from rig.chademo.vehicle_state import VehiclePhase
from rig.clock import RealClock
from rig.errors import BenchFault, UseError
from rig.evidence.documents import TestStart
from rig.evidence.journal import Journal
from rig.open_bench import open_bench, read_bench_file
from rig.profile import read_profile
from rig.requirements import read_catalogue
from rig.run import Run
from rig.safety.lease import Claim, Lease

NOBODY = 65_534


def become_nobody() -> None:
    """Root may write everywhere."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)


def reach(what: str) -> None:
    """Say so, and wait to be told to go on."""
    print(what, flush=True)
    sys.stdin.readline()


def lose_folder(bench: Bench, folder: Path) -> None:
    """A run in the middle of a session whose folder is taken away."""
    catalogue = read_catalogue(REQUIREMENTS).for_profile(bench.profile)
    try:
        Run(bench, catalogue, folder / "locked" / "run", ALL)
    except UseError as error:
        print(f"refused: {error}", flush=True)
    run = Run(bench, catalogue, folder / "run", ALL)
    run.begin((), ("a",), "")
    run.start_test("a", "A session")
    bench.prepare()
    bench.car.plug_in(0.5)
    bench.charger.start("charge")
    bench.car.wait_for(VehiclePhase.RUNNING, 60.0)
    with run.record("before"):
        bench.clock.sleep(1.0)
    reach("energised")
    try:
        with run.record("after"):
            bench.clock.sleep(1.0)
    except BenchFault as fault:
        print(f"fault: {fault}", flush=True)
    with run.keeping.at_rest():
        outcome = bench.make_safe()
        run.rested(outcome)
        run.conclude()
        run.stop_test("INVALID", "its record was lost")
    run.end("aborted", run.keeping.lost)
    print(f"{outcome.confirmed} {run.exit_code()}", flush=True)


def step_the_clock(folder: Path) -> None:
    """A journal and a lease on a machine whose wall clock is set back a day, then forward ten."""
    clock, real, step = RealClock(), time.time, [0.0]
    time.time = lambda: real() + step[0]
    journal = Journal(folder / "stepped", clock.now)
    held = Lease(folder / "leases", Claim.of_this_process("night 12")).take(["lab1 /dev/ttyUSB0"])
    for seconds in (0.0, -86_400.0, 864_000.0):
        step[0] = seconds
        journal.append(TestStart(test=f"{seconds:g}", title="t"))
        try:
            held.check()
            held.renew()
            print("held", flush=True)
        except BenchFault as fault:
            print(f"lost: {fault}", flush=True)
        try:
            Lease(folder / "leases", Claim("bert", "lab1", 4711, "day 1")).take(["lab1 /dev/ttyUSB0"])
            print("taken", flush=True)
        except BenchFault as fault:
            print(f"refused: {fault}", flush=True)
    held.give_back()
    journal.close()
    clock.close()


def main() -> None:
    """Everything that is imported late is imported before the right to read it is gone."""
    folder = Path(sys.argv[1])
    config = read_bench_file(find_bench("emulated"), REGISTRY)
    with open_bench(config, REGISTRY, read_profile(find_profile(config.bench.profile))) as bench:
        become_nobody()
        lose_folder(bench, folder)
    step_the_clock(folder)


if __name__ == "__main__":
    main()
