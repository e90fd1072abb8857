"""Work for workers of the farm's tests: quick, and such that a worker can be killed in the middle of it.

Runs in a worker process, which waits in real time by what stands in a folder, with a bound.
"""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

from rig.qualify.units import Result, Unit

BOUND = 30.0
"""s a worker waits at most for its end."""


def outcome(unit: Unit) -> Result:
    """A made-up result that depends on the unit alone."""
    bad = unit.case == "odd" and unit.seed % 2 == 1
    return Result(unit=unit.id, outcomes={"suites/a/test_a.py::test_a": "FAIL" if bad else "PASS"}, bench_seconds=1.0)


def log(folder: str, unit: Unit) -> Result:
    """The same, and a line for each time it was begun."""
    with Path(folder, f"{unit.id}.begun").open("a") as file:
        file.write(f"{os.getpid()}\n")
    return outcome(unit)


def die_once(folder: str, unit: Unit) -> Result:
    """The first worker that gets seed 3 is killed by it."""
    if unit.seed == 3 and not (marker := Path(folder, "died")).exists():
        marker.write_text(str(os.getpid()))
        os.kill(os.getpid(), signal.SIGKILL)
        threading.Event().wait(BOUND)
    return log(folder, unit)


def die_always(folder: str, unit: Unit) -> Result:
    """Seed 3 kills whoever has it."""
    if unit.seed == 3:
        os.kill(os.getpid(), signal.SIGKILL)
        threading.Event().wait(BOUND)
    return log(folder, unit)
