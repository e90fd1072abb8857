"""What the history keeps of a run: itself, its tests, its values and its requirements as flat rows. Made from the run's
folder alone, so the index can be made again at any time. Knows no database."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from reports.gather import gather
from reports.run import Asked, Run, Value
from rig.errors import TraceError
from rig.evidence.journal import scan_journal
from rig.evidence.run_info import RunInfo, read_run_info
from rig.evidence.verify import SEAL

Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run. id: the same wherever the folder stands. begun, ended: ISO 8601 UTC, empty where run.json does not say.
    device: maker, model and serial in one. bench_file: SHA-256 of the bench file. seconds: of the bench. sealed: 1 when
    a seal stood beside it. flaw: what is wrong with the journal; empty when it verifies and is the sealed one."""

    id: str
    run: str
    folder: str
    begun: str
    ended: str
    kind: str
    verdict: str
    item: str
    device: str
    firmware: str
    profile: str
    bench: str
    bench_file: str
    catalogue: str
    seed: int
    rig: str
    revision: str
    head: str
    lines: int
    seconds: float
    sealed: int
    flaw: str


@dataclass(frozen=True, slots=True)
class TestRow:
    """A test of a run."""

    __test__ = False  # for pytest, which collects Test*

    id: str
    n: int
    test: str
    title: str
    suite: str
    outcome: str
    reason: str
    seconds: float


@dataclass(frozen=True, slots=True)
class ValueRow:
    """A judgement, or a value nobody judged (requirement and verdict empty). n: journal number of the measurement.
    value, expanded (U = k u), low, high (the limit): in `unit`. source: what the value was computed by."""

    id: str
    n: int
    test: str
    requirement: str
    quantity: str
    value: float
    expanded: float
    k: float
    unit: str
    low: float | None
    high: float | None
    verdict: str
    margin: float


@dataclass(frozen=True, slots=True)
class AskedRow:
    """A requirement in the scope of a run."""

    id: str
    requirement: str
    title: str
    verdict: str
    reason: str


@dataclass(frozen=True, slots=True)
class Indexed:
    """All of one run."""

    run: RunRow
    tests: tuple[TestRow, ...]
    values: tuple[ValueRow, ...]
    asked: tuple[AskedRow, ...]


def read_run(folder: Path) -> Indexed:
    """The rows of a run's folder. TraceError without a journal."""
    run = gather(scan_journal(folder))
    try:
        info = read_run_info(folder)
    except TraceError:
        info = None
    return rows(run, info, folder)


def rows(run: Run, info: RunInfo | None, folder: Path) -> Indexed:
    """The rows of a run that was read."""
    row = _run(run, info, folder)
    values = [one for test in run.everything for value in test.values for one in _values(row.id, run, value)]
    tests = [
        TestRow(
            row.id, test.index, test.start.test, test.name, test.start.suite, test.outcome, test.reason, test.seconds
        )
        for test in run.tests
    ]
    return Indexed(row, tuple(tests), tuple(values), tuple(_asked(row.id, one) for one in run.in_scope))


def _run(run: Run, info: RunInfo | None, folder: Path) -> RunRow:
    start = run.start
    first = run.reading.lines[0].sha if run.reading.lines else ""
    name = info.run if info else folder.name
    facts = (first, name, info.begun if info else "", info.host if info else "")
    item = start.item if start else None
    return RunRow(
        id=hashlib.sha256("\n".join(facts).encode("utf-8", "backslashreplace")).hexdigest()[:12],
        run=name,
        folder=str(folder.resolve()),
        begun=info.begun if info else "",
        ended=info.ended if info else "",
        kind=run.kind,
        verdict=run.verdict,
        item=item.name if item else "",
        device=" ".join(filter(None, (item.maker, item.model, item.serial))) if item else "",
        firmware=item.firmware if item else "",
        profile=start.profile if start else "",
        bench=start.bench if start else "",
        bench_file=run.bench.digest if run.bench else "",
        catalogue=start.catalogue if start else "",
        seed=start.seed if start else 0,
        rig=start.rig if start else "",
        revision=info.commit if info else "",
        head=run.reading.head,
        lines=len(run.reading.lines),
        seconds=run.seconds,
        sealed=int((folder / SEAL).is_file()),
        flaw=run.reading.flaw or run.seal,
    )


def _values(id: str, run: Run, value: Value) -> list[ValueRow]:
    doc = value.doc
    test = run.tests[value.test].start.test if value.test >= 0 else ""
    if not value.judged:
        nobody = ValueRow(id, value.n, test, "", doc.name, doc.value, 2 * doc.u, 2.0, doc.unit, None, None, "", 0.0)
        return [nobody]
    return [
        ValueRow(id, value.n, test, one.requirement, one.quantity, doc.value, one.expanded, one.k, doc.unit,
                 one.limit.min, one.limit.max, one.verdict, one.margin)
        for one in value.judged
    ]  # fmt: skip


def _asked(id: str, asked: Asked) -> AskedRow:
    return AskedRow(id, asked.doc.id, asked.doc.title, asked.verdict, "; ".join(asked.reasons))
