"""What a report on paper is made from and how it is given out; the few words every part of it uses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reports import numbers
from reports.history.rows import Indexed
from reports.pictures import Drawn
from reports.run import Asked, Run, Test, Value, counts
from rig.evidence.documents import Bounds, Judged
from rig.evidence.run_info import Laboratory, RunInfo

Section = Any
"""Nested lists, dicts and text, as JSON has them."""
NOT_STATED = "not stated"


@dataclass(frozen=True, slots=True)
class Issue:
    """How a report is given out. number: its own. amends: number of the report this one takes the place of.
    former: a run it is compared with."""

    number: str
    laboratory: Laboratory
    final: bool = False
    amends: str = ""
    reason: str = ""
    former: Indexed | None = None


@dataclass(frozen=True, slots=True)
class Sources:
    """All a report is made from. wrong: file of a capture -> what is wrong with it.
    look: draws a decided value in its capture, where no test asked for a picture of it; None when it has none."""

    folder: Path
    run: Run
    info: RunInfo | str | None
    drawn: Mapping[int, list[Drawn]]
    wrong: Mapping[str, str]
    look: Callable[[Value, Judged], Drawn | None]

    @property
    def told(self) -> RunInfo | None:
        """run.json where it can be read."""
        return self.info if isinstance(self.info, RunInfo) else None

    @property
    def models(self) -> list[str]:
        """Emulated parts, by place and driver."""
        parts = self.run.bench.parts if self.run.bench else ()
        return [f"{part.name} ({part.driver})" for part in parts if part.emulated]


def title(run: Run) -> str:
    """What the paper calls itself."""
    return {
        "hardware": "Certification test report",
        "emulated": "Simulation report",
        "mixed": "Mixed-bench test report",
    }.get(run.kind, "Test report")


def mark(run: Run) -> str:
    """Stands beside every result."""
    return {"unknown": "not described"}.get(run.kind, run.kind)


def method_of(test: Test) -> str:
    """The id of a test's method: its id without parameters."""
    return test.start.test.partition("[")[0] or "outside any test"


def key(test: Test) -> str:
    """A short name for a test in this paper: T12."""
    return f"T{test.index + 1}" if test.index >= 0 else "–"


def test_of(run: Run, index: int) -> Test:
    return run.tests[index] if index >= 0 else run.outside


def ranges(indices: Iterable[int]) -> str:
    """Of tests by their indices: T1 to T6, T9; what is outside any test stays outside it."""
    rows, outside = list[list[int]](), False
    for index in indices:
        if index < 0:
            outside = True
        elif rows and index == rows[-1][1] + 1:
            rows[-1][1] = index
        else:
            rows.append([index, index])
    words = [f"T{low + 1}" if low == high else f"T{low + 1} to T{high + 1}" for low, high in rows]
    return ", ".join([*words, *(["outside any test"] if outside else [])])


def tally(words: Iterable[Any]) -> list[list[str]]:
    return [[word, str(n)] for word, n in counts(words).items()]


def by_id(some: Iterable[Asked]) -> list[Asked]:
    return sorted(some, key=lambda one: one.doc.id)


def bounds(limit: Bounds) -> str:
    return numbers.bounds(limit.min, limit.max, limit.unit)
