"""A stream of timed frames judged: what the sessions showed, and how every rule came out. Knows no file.

Marks of a phase are the first of a session: a session in which the vehicle is enabled twice shows the first times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from rig.can.frame import Frame
from rig.chademo.messages import Confidence, Side
from rig.chademo.rules import ALL
from rig.chademo.rules.rule import Finding, Rule, RuleState, RuleVerdict
from rig.chademo.rules.ruleset import RuleSet
from rig.chademo.session import Session
from rig.trace.facts import Fact, facts
from rig.trace.observer import Observer, Span


@dataclass(frozen=True, slots=True)
class SessionReport:
    """One session. more_phases: phases that were not kept. peaks: the highest of the whole session."""

    number: int
    phases: tuple[Span, ...]
    more_phases: int
    peaks: Span
    facts: tuple[Fact, ...]

    def fact(self, key: str) -> float | bool | None:
        """The value of a fact; None where it was not seen."""
        return next((fact.value for fact in self.facts if fact.key == key), None)


@dataclass(frozen=True, slots=True)
class TraceReport:
    """What a trace showed.

    frames, span (s): of what was read. where: by rule, the number of the frame (from 1) at which it was first broken;
    for a deadline that passed, the last frame before it was missed.
    """

    frames: int
    span: float
    sessions: tuple[SessionReport, ...]
    more_sessions: int
    verdicts: tuple[RuleVerdict, ...]
    where: dict[str, int]

    def broken(self, *, side: Side | None = None, confidence: Iterable[Confidence] = ()) -> tuple[RuleVerdict, ...]:
        """The rules that were broken, of one side or all, of these confidences or all."""
        wanted = set(confidence)
        return tuple(
            verdict
            for verdict in self.verdicts
            if verdict.state is RuleState.BROKEN
            and (side is None or verdict.rule.duty == side)
            and (not wanted or verdict.rule.confidence in wanted)
        )


def judge_trace(
    frames: Iterable[tuple[float, Frame | None]],
    rules: Sequence[Rule] = ALL,
    watch: Callable[[float, Session], None] | None = None,
) -> TraceReport:
    """Judge frames in order of time (s). None in place of a frame: something could not be read before that moment.
    watch: told of the time whenever the session, which it may read, has changed."""
    judged = RuleSet(rules)
    observer = Observer(judged.session)
    where: dict[str, int] = {}
    repeats, step, seen, count, now = judged.repeats, judged.step, 0, 0, 0.0
    for now, frame in frames:
        if frame is None:
            _note(judged.hole(now).out, now, count + 1, where)
            continue
        count += 1
        if repeats(now, frame):
            continue
        out = step(now, frame).out
        if out:
            _note(out, now, count, where)
        if judged.changes != seen:
            seen = judged.changes
            observer.see(now)
            if watch is not None:
                watch(now, judged.session)
    _note(judged.close(now).out, now, count, where)
    observer.close(now)
    sessions = tuple(
        SessionReport(record.number, tuple(record.spans), record.more_spans, record.peaks, facts(record))
        for record in observer.records
        if record.spans
    )
    return TraceReport(count, now, sessions, observer.more_sessions, judged.verdicts(), where)


def _note(found: Iterable[Finding], now: float, count: int, where: dict[str, int]) -> None:
    for finding in found:
        where.setdefault(finding.rule, count if finding.at >= now else count - 1)
