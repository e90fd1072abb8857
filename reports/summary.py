"""The first screen of a report: what happened, in sentences. Knows a run, no format."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reports import surroundings
from reports.run import SEVERITY, Asked, Outcome, Run, Test, counts
from rig.evidence.captures import unfinished
from rig.evidence.documents import Judged
from rig.evidence.run_info import RunInfo


@dataclass(frozen=True, slots=True)
class Kind:
    """What the bench was. word: in capitals. line: what follows. tag: stands beside every result; may be empty."""

    word: str
    line: str
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something the reader must know before the verdict. grave: the evidence or the bench is in doubt."""

    grave: bool
    head: str
    text: str


@dataclass(frozen=True, slots=True)
class Gap:
    """What got no verdict, for one reason. what: "requirement" or "test"."""

    what: str
    reason: str
    ids: tuple[str, ...]

    @property
    def many(self) -> str:
        """ "3 requirements"."""
        return _many(len(self.ids), self.what)


def kind(run: Run) -> Kind:
    """Of the bench, with the sentence that keeps a simulation from being taken for a test of a device."""
    parts = run.bench.parts if run.bench else ()
    models = ", ".join(part.name for part in parts if part.emulated)
    match run.kind:
        case "hardware":
            return Kind("HARDWARE BENCH", "No part of this bench was emulated.")
        case "emulated":
            line = "Every part was a model. These results say nothing about any physical device."
            return Kind("EMULATED BENCH · simulated plant", line, "simulated plant")
        case "mixed":
            line = f"Emulated: {models}. A result that rests on an emulated part says nothing about a physical one."
            return Kind("MIXED BENCH · simulated plant in part", line, "partly simulated")
        case _:
            return Kind("BENCH NOT DESCRIBED", "The journal does not say what was real.", "bench not described")


def claim(run: Run, claim: str) -> str:
    """What a PASS may say on this bench. claim: the most it could say on hardware."""
    if run.kind == "hardware" or claim == "reported, no limit":
        return claim
    word = {"emulated": "simulated plant: no claim", "mixed": "partly simulated: no claim"}.get(run.kind, "no claim")
    return f"{word}; on hardware: {claim}"


def alarms(run: Run, info: RunInfo | str | None, folder: Path, wrong: Mapping[str, str]) -> list[Alarm]:
    """All that shakes the evidence, gravest first. info: run.json, or why it cannot be read."""
    reading, found = run.reading, list[Alarm]()
    if reading.flaw:
        text = f"{reading.flaw}. The {len(reading.lines)} lines before it verify and are shown; nothing after them is."
        found.append(Alarm(True, "The journal does not verify.", text))
    if run.seal:
        found.append(Alarm(True, "The journal is not the one that was sealed.", f"{run.seal}."))
    if run.unsafe:
        text = "At least one instrument did not confirm by read-back that it carries no energy; see Safe state below."
        found.append(Alarm(True, "The bench was left without a confirmed safe state.", text))
    if wrong:
        some = list(wrong.values())
        more = f"; and {len(some) - 3} more" if len(some) > 3 else ""
        found.append(Alarm(True, f"{len(some)} of the captures cannot be trusted.", "; ".join(some[:3]) + more + "."))
    if reading.torn:
        text = (
            f"Its last line ({len(reading.torn)} characters) was being written when the run ended. It is not counted."
        )
        found.append(Alarm(False, "The journal ends in a torn line.", text))
    if run.stop is None and not reading.flaw:
        last = next((test.start.title for test in run.tests if not test.ended), "")
        inside = f", inside “{last}”" if last else ""
        text = f"The journal has no end: the run was cut off after {run.seconds:.6g} s of bench time{inside}."
        found.append(Alarm(False, "The run did not end in order.", text))
    elif run.stop is not None and run.stop.status != "completed":
        found.append(Alarm(False, f"The run was {run.stop.status}.", run.stop.reason or "No reason was given."))
    for doc in run.resumed:
        torn = f" An unfinished last line of {_many(doc.torn, 'byte')} was set aside ({doc.aside})." if doc.torn else ""
        text = f"After line {doc.lines} it was begun again with {_many(len(doc.kept), 'finished test')} kept.{torn}"
        found.append(Alarm(False, f"The run was cut off and gone on with (part {doc.part}).", text))
    if parts := [path.name for path in unfinished(folder)]:
        found.append(Alarm(False, "Captures were still being written.", ", ".join(parts)))
    found += _bench_alarms(run, info if isinstance(info, RunInfo) else None)
    if unknown := [row.name for row in surroundings.rows(run) if row.unknown]:
        text = f"{', '.join(unknown)}: nothing of the bench measures it and its file does not state it."
        found.append(Alarm(False, "A condition of the tests is not known.", text))
    if isinstance(info, str):
        found.append(Alarm(False, "run.json cannot be read.", info))
    return found


def _bench_alarms(run: Run, info: RunInfo | None) -> list[Alarm]:
    """Of the real parts of a bench: a driver nobody tried on its instrument, a calibration past its date."""
    real = [part for part in (run.bench.parts if run.bench else ()) if not part.emulated]
    found = list[Alarm]()
    if fresh := [part.name for part in real if not part.met_hardware]:
        text = f"{', '.join(fresh)}: this run is the first evidence that the driver speaks to the real instrument."
        found.append(Alarm(False, "A driver had never met hardware.", text))
    day = info.begun[:10] if info else ""
    dated = [(part.name, part.calibration.until) for part in real if part.calibration.until]
    if old := [f"{name} (until {until})" for name, until in dated if until < day]:
        found.append(Alarm(False, "Out of calibration when the run began.", ", ".join(old)))
    return found


def why(run: Run) -> tuple[str, list[str]]:
    """Under the verdict: a sentence, and what it rests on, point by point, gravest first."""
    scope = run.in_scope
    if not scope and not run.tests:
        return "Nothing was judged.", []
    by_word, found = counts(one.verdict for one in scope), list[str]()
    said: dict[Outcome, str] = {
        "FAIL": "not met",
        "INVALID": "could not be judged on this bench",
        "INCONCLUSIVE": "too near to the limit to tell",
        "NOT RUN": "without a verdict",
    }
    for word, phrase in said.items():
        if n := by_word.get(word):
            found.append(f"{_many(n, 'requirement')} {phrase}")
    if n := sum(test.outcome == "FAIL" for test in run.tests):
        found.append(f"{_many(n, 'test')} failed")
    for duty, whose in (("charger", "the item"), ("vehicle", "the rig's own car")):
        if n := sum(
            one.state == "broken" and not one.doc.provoked and one.doc.duty == duty for one in run.rules.values()
        ):
            found.append(f"{_many(n, 'rule')} broken by {whose}")
    if n := sum(test.outcome == "ERROR" for test in run.tests):
        found.append(f"{_many(n, 'test')} could not be carried out as written")
    if run.unsafe:
        found.append("no confirmed safe state")
    if run.reading.flaw:
        found.append("the journal does not verify")
    elif run.seal:
        found.append("the journal is not the one that was sealed")
    elif run.stop is None or run.stop.status != "completed":
        found.append("the run did not complete")
    judged = sum(len(one.judged) for one in scope)
    if not found and run.verdict == "PASS":
        return f"All {_many(len(scope), 'requirement')} in scope met, by {_many(judged, 'judged measurement')}.", []
    met = by_word.get("PASS", 0)
    return f"{met} of {_many(len(scope), 'requirement')} in scope met, {_many(judged, 'judged measurement')}.", found


def _many(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def attention(run: Run) -> list[Asked]:
    """Requirements in scope that are no PASS, the worst first."""
    open_ = [one for one in run.in_scope if one.verdict != "PASS"]
    return sorted(open_, key=lambda one: -SEVERITY.index(one.verdict))


@dataclass(frozen=True, slots=True)
class Deciding:
    """What decides one quantity of a requirement. n: journal number of the measurement. fellows: all values under the
    same limit, when there are several. word: what it is among them."""

    judged: Judged
    value: float
    n: int
    fellows: tuple[float, ...]
    word: str


def decisive(asked: Asked) -> list[Deciding]:
    """For each quantity the judgement with the worst verdict, and of those the one with the least margin; the largest
    value where no limit is set."""
    rows: dict[tuple[str, str], list[tuple[float, Judged, int]]] = {}
    others: dict[tuple[str, str], list[float]] = {}
    for value, judged in asked.judged:
        rows.setdefault((judged.quantity, repr(judged.limit)), []).append((value.doc.value, judged, value.n))
        others.setdefault((judged.quantity, repr(judged.limit)), []).extend(value.fellows)
    found = list[Deciding]()
    for key, row in rows.items():
        free = row[0][1].limit.min is None and row[0][1].limit.max is None
        found_value, judged, n = max(row, key=_size if free else _badness)
        fellows = (*(one[0] for one in row), *others[key])
        found.append(
            Deciding(judged, found_value, n, fellows if len(fellows) > 1 else (), "largest" if free else "worst")
        )
    return found


def _badness(one: tuple[float, Judged, int]) -> tuple[int, float, int]:
    _, judged, n = one
    return SEVERITY.index(judged.verdict), math.inf if math.isnan(judged.margin) else -judged.margin, -n


def _size(one: tuple[float, Judged, int]) -> tuple[float, int]:
    value, _, n = one
    return -math.inf if math.isnan(value) else value, -n


def gaps(run: Run) -> list[Gap]:
    """What was NOT RUN and why: requirements of the catalogue first, then tests; the largest group first."""
    rows: dict[tuple[bool, str], list[str]] = {}
    for asked in run.requirements.values():
        if asked.verdict == "NOT RUN" and not asked.judged:
            for reason in asked.reasons[:1]:
                rows.setdefault((False, reason), []).append(asked.doc.id)
    for test in run.tests:
        if test.outcome == "NOT RUN":
            rows.setdefault((True, test.reason or "no reason given"), []).append(test.start.test)
    ordered = sorted(rows.items(), key=lambda pair: (pair[0][0], -len(pair[1]), pair[0][1]))
    return [Gap("test" if test else "requirement", reason, tuple(ids)) for (test, reason), ids in ordered]


def suites(run: Run) -> list[tuple[str, list[Test], dict[Outcome, int]]]:
    """Tests by suite, in the order of the journal; then suites that were selected and began no test."""
    rows: dict[str, list[Test]] = {}
    for test in run.tests:
        rows.setdefault(test.start.suite or "other", []).append(test)
    for name in run.start.suites if run.start else ():
        rows.setdefault(name, [])
    return [(name, tests, counts(test.outcome for test in tests)) for name, tests in rows.items()]
