"""A run put together for its readers: tests with what belongs to them, requirements with their judgements, one verdict.

Types only: reports.gather fills them from a journal's documents, reports.verdicts says what counts as what. Knows no
file format of a report.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from rig.evidence.documents import (
    BenchDescribed,
    CaptureStored,
    ChargerCard,
    Incident,
    Judged,
    Measured,
    NotRun,
    Picture,
    Required,
    Resumed,
    RuleFound,
    RunStart,
    RunStop,
    SafeStateReached,
    Stimulus,
    Surroundings,
    TestStart,
)
from rig.evidence.journal import Reading

Outcome = Literal["PASS", "NOT RUN", "INCONCLUSIVE", "ERROR", "INVALID", "FAIL"]
SEVERITY: tuple[Outcome, ...] = ("PASS", "NOT RUN", "INCONCLUSIVE", "ERROR", "INVALID", "FAIL")
"""From good to bad, as rig.metrology.decision; ERROR is of a test that could not be carried out as written."""
CUT_OFF = "the journal ends inside this test"


@dataclass(slots=True)
class Value:
    """A measurement and its judgements. n: its number in the journal. test: index of its test, -1 outside one. fellows:
    other values of the same name in that test which nobody judged: runs of which this one was the worst."""

    n: int
    doc: Measured
    test: int
    judged: list[Judged] = field(default_factory=list)
    fellows: tuple[float, ...] = ()


@dataclass(slots=True)
class Test:
    """A test and what happened in it; times are bench seconds."""

    __test__ = False  # for pytest, which collects Test*

    index: int
    start: TestStart
    begun: float
    outcome: Outcome = "ERROR"
    reason: str = CUT_OFF
    ended: bool = False
    seconds: float = 0.0
    steps: list[tuple[float, Stimulus]] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)
    captures: list[CaptureStored] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    rules: list[RuleFound] = field(default_factory=list)
    incidents: list[tuple[float, Incident]] = field(default_factory=list)
    safe: list[tuple[float, SafeStateReached]] = field(default_factory=list)
    surroundings: Surroundings | None = None
    """What was read before it began."""
    part: int = 1
    """Of the run it was carried out in: bench time begins again with each."""

    @property
    def name(self) -> str:
        """Its title without a full stop, with its parameters where the id has some: tells it from its siblings."""
        id, title = self.start.test, self.start.title.rstrip(".")
        parameters = id[id.index("[") :] if id.endswith("]") and "[" in id else ""
        return title if parameters in title else f"{title} {parameters}"


@dataclass(slots=True)
class Asked:
    """A requirement and how it came out. reasons: why it is no PASS, or why nobody judged it. open: quantities without
    a verdict."""

    doc: Required
    verdict: Outcome = "NOT RUN"
    reasons: list[str] = field(default_factory=list)
    judged: list[tuple[Value, Judged]] = field(default_factory=list)
    tests: list[int] = field(default_factory=list)
    open: list[str] = field(default_factory=list)

    @property
    def in_scope(self) -> bool:
        """Whether this run was to judge it, or did."""
        return (self.doc.selected and not self.doc.not_run) or bool(self.judged)


@dataclass(slots=True)
class Watched:
    """A rule over the whole run. doc: of its first breach, or how it came out. count: breaches. where: indices of tests
    it was broken in; -1 when only the end of the run tells of it."""

    doc: RuleFound
    state: Literal["kept", "broken", "unknown"]
    count: int = 0
    where: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Run:
    """All of it."""

    reading: Reading
    start: RunStart | None = None
    bench: BenchDescribed | None = None
    stop: RunStop | None = None
    card: ChargerCard | None = None
    """Of the charger; None in a run that did not end, or in which no session was seen."""
    tests: list[Test] = field(default_factory=list)
    requirements: dict[str, Asked] = field(default_factory=dict)
    rules: dict[str, Watched] = field(default_factory=dict)
    outside: Test = field(default_factory=lambda: Test(-1, TestStart(test="", title="Outside any test"), 0.0))
    not_run: list[NotRun] = field(default_factory=list)
    resumed: list[Resumed] = field(default_factory=list)
    seconds: float = 0.0
    before: float = 0.0
    """s, bench time of the parts before the one that is read."""
    seal: str = ""
    """What tells the journal from the one that was sealed; empty where nothing does."""
    verdict: Outcome = "NOT RUN"

    @property
    def kind(self) -> Literal["hardware", "emulated", "mixed", "unknown"]:
        """Of the bench."""
        return self.bench.kind if self.bench else "unknown"

    @property
    def everything(self) -> list[Test]:
        """The tests, and what stands outside them."""
        return [*self.tests, self.outside]

    @property
    def in_scope(self) -> list[Asked]:
        """Requirements this run was to judge, or did."""
        return [one for one in self.requirements.values() if one.in_scope]

    @property
    def unsafe(self) -> bool:
        """Whether a safe state was asked for and not confirmed."""
        return any(not state.confirmed for test in self.everything for _, state in test.safe)


def worst(words: Iterable[Outcome]) -> Outcome:
    """The verdict of several: NOT RUN for none."""
    return max(words, key=SEVERITY.index, default="NOT RUN")


def counts(words: Iterable[Outcome]) -> dict[Outcome, int]:
    """How many of each, from bad to good, without the words that do not occur."""
    found = Counter(words)
    return {word: found[word] for word in reversed(SEVERITY) if found[word]}
