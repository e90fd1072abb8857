"""A run put together for its readers: tests with what belongs to them, requirements with their judgements, one verdict.

Reads the journal's documents and nothing else; knows no file format of a report. What counts as what:

  requirement   worst of its judgements; also NOT RUN for a selected quantity nobody measured, INVALID for a test that
                was to judge it and could not, FAIL for a protection rule of it that the charger broke
  rule          broken by the charger: FAIL. Broken by the rig's own car: INVALID, the bench was not fit
  run           worst of its selected requirements, its tests and its rules; at best NOT RUN when it did not end in
                order; at best INVALID when the bench was left unsafe or the journal does not verify
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import msgspec

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
    TestStop,
)
from rig.evidence.journal import Line, Reading
from rig.evidence.safety_log import last_word, safety_logs

Outcome = Literal["PASS", "NOT RUN", "INCONCLUSIVE", "ERROR", "INVALID", "FAIL"]
SEVERITY: tuple[Outcome, ...] = ("PASS", "NOT RUN", "INCONCLUSIVE", "ERROR", "INVALID", "FAIL")
"""From good to bad, as rig.metrology.decision; ERROR is of a test that could not be carried out as written."""

_RANK = {"broken": 0, "kept": 2, "unknown": 3}
"""What is said of a rule that came out differently in two places: the first of these."""
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


def gather(reading: Reading) -> Run:
    """Put the documents together. A flawed or torn journal gives what was read before the flaw."""
    run = Run(reading)
    values: dict[int, Value] = {}
    for line in reading.lines:
        _take(run, line, values)
    _supervised(run)
    _settle_tests(run)
    for watched in _rules(run):
        run.rules[watched.doc.rule] = watched
    for asked in run.requirements.values():
        _settle_requirement(run, asked)
    run.verdict = _overall(run)
    return run


def worst(words: Iterable[Outcome]) -> Outcome:
    """The verdict of several: NOT RUN for none."""
    return max(words, key=SEVERITY.index, default="NOT RUN")


def counts(words: Iterable[Outcome]) -> dict[Outcome, int]:
    """How many of each, from bad to good, without the words that do not occur."""
    found = Counter(words)
    return {word: found[word] for word in reversed(SEVERITY) if found[word]}


def _take(run: Run, line: Line, values: dict[int, Value]) -> None:
    """Put one document in its place."""
    doc, run.seconds = line.doc, max(run.seconds, run.before + line.t)
    test = run.tests[-1] if run.tests and not run.tests[-1].ended else run.outside
    match doc:
        case RunStart():
            run.start = doc
        case BenchDescribed():
            run.bench = doc
        case Required():
            run.requirements[doc.id] = Asked(doc)
        case TestStart():
            run.tests.append(Test(len(run.tests), doc, line.t))
        case TestStop():
            if test is not run.outside:
                test.outcome, test.reason, test.seconds, test.ended = doc.outcome, doc.reason, doc.seconds, True
        case NotRun():
            run.not_run.append(doc)
        case RunStop():
            run.stop = doc
        case ChargerCard():
            run.card = doc
        case Resumed():
            _go_on(run, doc)
        case _:
            _take_inside(run, test, line, values)


def _supervised(run: Run) -> None:
    """What the supervisor of a real bench did, and how it left it: of a run that was killed nobody else tells."""
    for log in safety_logs(run.reading.folder):
        run.outside.incidents += [(line.t, line.doc) for line in log.lines if isinstance(line.doc, Incident)]
        if (last := last_word(log)) is not None:
            at = next(line.t for line in reversed(log.lines) if line.doc is last)
            run.outside.safe.append((at, last))


def _go_on(run: Run, doc: Resumed) -> None:
    """A new part: an end that was none, a test that is begun anew and sums that will be made again count no more."""
    run.resumed.append(doc)
    run.before, run.stop, run.card = run.seconds, None, None
    run.not_run = [one for one in run.not_run if one.subject == "test" and one.id in doc.kept]
    run.outside.rules = [one for one in run.outside.rules if one.state == "broken"]
    if run.tests and not run.tests[-1].ended:
        index = run.tests.pop().index
        for asked in run.requirements.values():
            asked.judged = [(value, judged) for value, judged in asked.judged if value.test != index]


def _take_inside(run: Run, test: Test, line: Line, values: dict[int, Value]) -> None:
    doc = line.doc
    match doc:
        case Stimulus():
            test.steps.append((line.t, doc))
        case CaptureStored():
            test.captures.append(doc)
        case Measured():
            values[line.n] = value = Value(line.n, doc, test.index)
            test.values.append(value)
        case Judged():
            measured = values.get(doc.measurement)
            if measured is not None:
                measured.judged.append(doc)
                _asked(run, doc).judged.append((measured, doc))
        case Picture():
            test.pictures.append(doc)
        case RuleFound():
            test.rules.append(doc)
        case Incident():
            test.incidents.append((line.t, doc))
        case Surroundings():
            test.surroundings = doc
        case SafeStateReached():
            test.safe.append((line.t, doc))
        case _:
            pass


def _asked(run: Run, doc: Judged) -> Asked:
    if doc.requirement not in run.requirements:
        told = Required(
            id=doc.requirement,
            title="(this journal does not describe it)",
            stated="",
            source="",
            confidence="",
            claim=doc.claim,
            selected=True,
        )
        run.requirements[doc.requirement] = Asked(told)
    return run.requirements[doc.requirement]


def _settle_tests(run: Run) -> None:
    """Tests that never began stand among the others; requirements know their tests; rules told twice count once."""
    begun = {test.start.test for test in run.tests}
    for told in run.not_run:
        if told.subject == "test" and told.id not in begun:
            path = told.id.partition("::")[0].replace("\\", "/").split("/")
            start = TestStart(test=told.id, title=told.id.rpartition("::")[2], suite=path[-2] if len(path) > 1 else "")
            run.tests.append(Test(len(run.tests), start, run.seconds, "NOT RUN", told.reason, ended=True))
    for test in run.everything:
        for id in test.start.requirements:
            if id in run.requirements:
                run.requirements[id].tests.append(test.index)
        test.rules = _once(test.rules)
        for value in test.values:
            if value.judged:
                kin = [one for one in test.values if one.doc.name == value.doc.name and one.doc.unit == value.doc.unit]
                value.fellows = tuple(one.doc.value for one in kin if not one.judged)


def _rank(doc: RuleFound) -> int:
    """As _RANK; what was broken on purpose comes after what was not."""
    return _RANK[doc.state] + (1 if doc.state == "broken" and doc.provoked else 0)


def _once(told: list[RuleFound]) -> list[RuleFound]:
    """One document a rule. A breach may be told when it happens and once more in a sum; neither is counted twice."""
    found: dict[str, list[RuleFound]] = {}
    for doc in told:
        found.setdefault(doc.rule, []).append(doc)
    single = list[RuleFound]()
    for rule in sorted(found):
        doc = min(found[rule], key=_rank)
        breaches = [one for one in found[rule] if one.state == "broken"]
        count = max(len({(one.at, one.frame) for one in breaches}), *(one.count for one in found[rule]))
        single.append(msgspec.structs.replace(doc, count=count))
    return single


def _rules(run: Run) -> list[Watched]:
    """Each rule over the run: what tests tell of it, and the sum outside them, whichever counts more breaches."""
    found: dict[str, Watched] = {}
    for test in run.everything:
        for doc in test.rules:
            one = found.setdefault(doc.rule, Watched(doc, doc.state))
            if _rank(doc) < _rank(one.doc):
                one.doc, one.state = doc, doc.state
            one.count = max(one.count, doc.count) if test is run.outside else one.count + doc.count
            if doc.state == "broken" and (test is not run.outside or not one.where):
                one.where.append(test.index)
    return sorted(found.values(), key=lambda one: (_rank(one.doc), one.doc.rule))


def rule_verdict(watched: Watched) -> Outcome:
    """What a rule says of the item: a broken duty of the charger fails it, one of the rig's car says nothing of it."""
    if watched.state == "broken" and not watched.doc.provoked:
        return "FAIL" if watched.doc.duty == "charger" else "INVALID"
    return "PASS" if watched.state == "kept" else "NOT RUN"


def _settle_requirement(run: Run, asked: Asked) -> None:
    doc = asked.doc
    words: list[Outcome] = [judged.verdict for _, judged in asked.judged]
    seen = {judged.quantity for _, judged in asked.judged}
    if asked.in_scope:
        asked.open = [row.quantity for row in doc.rows if row.quantity not in seen]
    tests_judging = {value.test for value, _ in asked.judged}
    for index in asked.tests:
        test = run.tests[index]
        if index not in tests_judging and test.outcome in ("INVALID", "ERROR"):
            words.append("INVALID")
            asked.reasons.append(f"{test.name}: {test.outcome}, {test.reason or 'no reason given'}")
        elif index not in tests_judging and test.outcome == "NOT RUN" and not asked.judged:
            asked.reasons.append(f"{test.name}: {test.reason or 'not run'}")
    for watched in run.rules.values():
        if watched.state == "broken" and watched.doc.duty == "charger" and doc.id in watched.doc.requirements:
            words.append("FAIL")
            asked.reasons.append(f"rule {watched.doc.rule} broken: {watched.doc.message}")
    asked.reasons += [one.reason for one in run.not_run if one.subject == "requirement" and one.id == doc.id]
    if doc.not_run:
        asked.reasons.append(doc.not_run)
    elif not asked.judged and not asked.reasons:
        asked.reasons.append(_silence(run, asked))
    if asked.judged and asked.open:
        words.append("NOT RUN")
        asked.reasons.append(f"no verdict on {', '.join(asked.open)}")
    asked.reasons = list(dict.fromkeys(asked.reasons))
    asked.judged.sort(key=lambda pair: (-SEVERITY.index(pair[1].verdict), pair[0].n))
    asked.verdict = worst(words)


def _silence(run: Run, asked: Asked) -> str:
    """Why nobody judged it, where nobody said so."""
    if asked.tests:
        return "no verdict came from its tests"
    if not asked.doc.selected:
        return "no selected test verifies it"
    ended = run.stop is not None and run.stop.status == "completed"
    return "no test of this run verified it" if ended else "the run ended before a test of it began"


def _overall(run: Run) -> Outcome:
    # A test that was not run leaves its mark on the requirements it was to judge, where they are in scope at all.
    words: list[Outcome] = [one.verdict for one in run.in_scope]
    words += [test.outcome for test in run.tests if test.outcome != "NOT RUN"]
    # A duty of the rig's own car may be broken on purpose; where it was not, its test says INVALID.
    words += [word for one in run.rules.values() if (word := rule_verdict(one)) == "FAIL"]
    if run.reading.flaw or run.unsafe:
        words.append("INVALID")
    if run.stop is None or run.stop.status != "completed":
        words.append("NOT RUN")
    found = worst(words)
    return "INVALID" if found == "ERROR" else found
