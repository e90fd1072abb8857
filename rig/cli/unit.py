"""Running one unit of work in this process: a run of pytest on a bench file with something planted, and what it found.

Both `v2hrig qualify` and `v2hrig farm` hand this function to their workers, so it must be importable by its name there.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fixtures.conductor import Conductor, Order, is_procedure, name_of, verified
from fixtures.depth import Depth
from fixtures.library import find_bench
from rig.cli.campaign import Named, folders, home
from rig.clock import Stopwatch
from rig.evidence.documents import Judged, Measured, RuleFound, TestStart, TestStop
from rig.evidence.documents import NotRun as LeftOut
from rig.evidence.journal import Reading, read_journal
from rig.qualify.bench_file import planted
from rig.qualify.units import Found, Result, Unit

QUIET = (
    "-p", "fixtures.plugin", "-p", "no:cacheprovider", "-p", "no:terminal", "-p", "no:xdist", "-p", "no:random_order",
    "-p", "no:hypothesispytest", "-p", "no:unraisableexception", "-p", "no:threadexception",
    "--override-ini=addopts=--strict-markers",
)  # fmt: skip


class Only:
    """Leaves the procedures that were asked for, in their order. None: none of them, what there was is kept."""

    def __init__(self, names: frozenset[str] | None) -> None:
        self._names = names
        self.collected: dict[str, tuple[str, ...]] = {}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """After the depth has thinned them."""
        procedures = [item for item in items if is_procedure(item)]
        self.collected = {name_of(item): verified(item) for item in procedures}
        if self._names is None or self._names:
            items[:] = [item for item in procedures if self._names and name_of(item) in self._names]


class Begun:
    """Says which procedure begins, for one who watches."""

    def __init__(self, call: Callable[[str], None]) -> None:
        self._call = call

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """A procedure begins."""
        self._call(name_of(item))


def procedures(depth: Depth, suites: tuple[str, ...] = ()) -> dict[str, tuple[str, ...]]:
    """Name -> requirements it declares, of every procedure of this depth, in their order."""
    only = Only(None)
    with _silent():
        pytest.main(_arguments(suites, depth), plugins=[Named(Conductor(Order())), only])
    return only.collected


def run_unit(unit: Unit) -> Result:
    """Run a unit in a folder of its own that is thrown away. What it found is all that is kept."""
    folder = Path(tempfile.mkdtemp(prefix="v2hrig-"))
    try:
        return run_in(unit, folder / "run")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run_in(unit: Unit, folder: Path) -> Result:
    """Run a unit with its evidence in a folder that is not there yet. The bench file as it was planted is beside it."""
    watch = Stopwatch()
    bench = unit.bench
    if unit.plants:
        file = folder.with_name(f"{folder.name}-bench.toml")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(planted(find_bench(unit.bench).read_text(encoding="utf-8"), unit.plants), encoding="utf-8")
        bench = str(file)
    conductor = Conductor(Order(bench, unit.profile, unit.seed, folder, unit.depth, f"v2hrig unit {unit.id}"))
    arguments = _arguments(unit.suites, unit.depth) + (["-x"] if unit.first else [])
    with _silent():
        pytest.main(arguments, plugins=[Named(conductor), Only(frozenset(unit.tests))])
    if conductor.run is None:
        return Result(unit=unit.id, failure=conductor.failure or "no procedure was run", wall_seconds=watch.seconds())
    return found_in(unit, read_journal(folder), watch.seconds(), conductor.failure)


def found_in(unit: Unit, reading: Reading, wall: float, failure: str = "") -> Result:
    """What a run's journal says."""
    outcomes: dict[str, str] = {}
    seconds: dict[str, float] = {}
    found: list[Found] = []
    values: dict[int, Measured] = {}
    test = ""
    for line in reading.lines:
        match line.doc:
            case TestStart():
                test = line.doc.test
            case Measured():
                values[line.n] = line.doc
            case Judged():
                found.append(_judgement(test, line.doc, values[line.doc.measurement]))
            case RuleFound(state="broken", duty="charger") if test:
                found.append(_breach(test, line.doc))
            case TestStop():
                outcomes[line.doc.test], seconds[line.doc.test] = line.doc.outcome, line.doc.seconds
                test = ""
            case LeftOut(subject="test"):
                outcomes.setdefault(line.doc.id, "NOT RUN")
            case _:
                pass
    return Result(
        unit=unit.id,
        outcomes=outcomes,
        seconds=seconds,
        found=tuple(found),
        bench_seconds=sum(seconds.values()),
        wall_seconds=wall,
        failure=failure,
    )


def _judgement(test: str, doc: Judged, m: Measured) -> Found:
    return Found(
        test=test,
        requirement=doc.requirement,
        quantity=doc.quantity,
        verdict=doc.verdict,
        value=m.value,
        minimum=doc.limit.min,
        maximum=doc.limit.max,
        expanded=doc.expanded,
        unit=m.unit,
    )


def _breach(test: str, doc: RuleFound) -> Found:
    """Which side of its limit a rule's value lies on is not written down: it is broken, so outside."""
    high = doc.value >= doc.limit
    return Found(
        test=test,
        requirement=doc.rule,
        quantity="",
        verdict="FAIL",
        value=doc.value,
        minimum=None if high else doc.limit,
        maximum=doc.limit if high else None,
        expanded=0.0,
        unit=doc.unit,
    )


def _arguments(suites: tuple[str, ...], depth: Depth) -> list[str]:
    return [*map(str, folders(list(suites))), f"--rootdir={home().parent}", *QUIET, "--depth", depth]


@contextmanager
def _silent() -> Iterator[None]:
    """pytest has nothing to say to whoever runs a unit; what a run has to say stands in its evidence."""
    out, err = sys.stdout, sys.stderr
    with Path(os.devnull).open("w") as nowhere:
        sys.stdout = sys.stderr = nowhere
        try:
            yield
        finally:
            sys.stdout, sys.stderr = out, err
