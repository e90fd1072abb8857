"""One check with its durable record, beside a phase of OpenHTF (Apache-2.0) with one measurement.

Ours: `Run.check` of one measurement, judged under its requirement, both documents chained and on the disk (fsync)
before the verdict is given back. OpenHTF's: one of as many phases of a test, each with one measurement in limits, with
its record written as JSON once at the end and not brought to the disk. OpenHTF is the extra `bench`.
"""

from __future__ import annotations

import importlib.util
import tempfile
from pathlib import Path

from fixtures.library import REQUIREMENTS, catalogue_revision, find_bench, find_profile
from instruments.registry import REGISTRY
from rig.chademo.rules import ALL
from rig.clock import Stopwatch
from rig.metrology.measurement import Component, Measurement
from rig.open_bench import open_bench, read_bench_file
from rig.profile import read_profile
from rig.requirements import read_catalogue
from rig.run import Run

REQUIREMENT, QUANTITY = "XFR-002", "t_transfer"
MISSING = "OpenHTF is not here: pip install 'v2hrig[bench]'"


def checks(count: int) -> float:
    """s a check, of so many."""
    config = read_bench_file(find_bench("emulated"), REGISTRY)
    profile = read_profile(find_profile(config.bench.profile))
    budget = (Component("edges", 1e-4, "rectangular", "benchmark"), Component("time base", 1e-5, "normal", "benchmark"))
    value = Measurement(QUANTITY, 0.012, "s", budget, "benchmark", 1.0)
    with tempfile.TemporaryDirectory() as folder, open_bench(config, REGISTRY, profile, seed=1) as bench:
        run = Run(bench, read_catalogue(REQUIREMENTS).for_profile(profile), Path(folder) / "run", ALL)
        run.begin((), ("benchmark",), catalogue_revision())
        run.start_test("benchmark", "Checks", (REQUIREMENT,))
        run.check(REQUIREMENT, value)
        watch = Stopwatch()
        for _ in range(count):
            run.check(REQUIREMENT, value)
        took = watch.seconds()
        run.stop_test("PASS")
        run.end("completed")
    return took / count


def phases(count: int) -> float | None:
    """s a phase of OpenHTF, of so many; None where it is not installed."""
    if importlib.util.find_spec("openhtf") is None:
        return None
    import openhtf
    from openhtf.output.callbacks import json_factory
    from openhtf.util import console_output, units

    console_output.CLI_QUIET = True

    def phase(test: openhtf.TestApi) -> None:
        test.measurements.t_transfer = 0.012

    limited = openhtf.Measurement(QUANTITY).with_units(units.SECOND).in_range(0.0, 0.02)
    test = openhtf.Test(*[openhtf.measures(limited)(phase) for _ in range(count)])
    with tempfile.TemporaryDirectory() as folder:
        test.add_output_callbacks(json_factory.OutputToJSON(str(Path(folder) / "record.json")))
        watch = Stopwatch()
        if not test.execute(test_start=lambda: "benchmark"):
            raise SystemExit("OpenHTF's test did not pass; look at its record")
        return watch.seconds() / count


def best(count: int, repeats: int) -> tuple[float, float | None]:
    """s a check and s a phase, the best of several turns each."""
    ours = min(checks(count) for _ in range(repeats))
    theirs = [took for _ in range(repeats) if (took := phases(count)) is not None]
    return ours, min(theirs, default=None)


if __name__ == "__main__":
    print(best(200, 3))
