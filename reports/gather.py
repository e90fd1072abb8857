"""A journal's documents put in their places: what belongs to which test, what a resumed run takes back."""

from __future__ import annotations

from reports.run import Asked, Run, Test, Value
from reports.verdicts import settle
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
from rig.evidence.verify import against_seal


def gather(reading: Reading) -> Run:
    """Put the documents together. A flawed or torn journal gives what was read before the flaw."""
    run = Run(reading, seal=against_seal(reading))
    values: dict[int, Value] = {}
    for line in reading.lines:
        _take(run, line, values)
    _supervised(run)
    settle(run)
    return run


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
            run.tests.append(Test(len(run.tests), doc, line.t, part=1 + len(run.resumed)))
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
