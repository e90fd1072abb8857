"""The identity card of a session: who charger and vehicle say they are, what they can, how long each step took beside
the rule that limits it, how fast currents rise, and how far the output was from what was asked. Data; judges nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from rig.chademo.messages import Side
from rig.chademo.rules.rule import RuleVerdict
from rig.chademo.session import Phase, Session
from rig.trace.facts import Fact
from rig.trace.judge import SessionReport, TraceReport

VERSIONS: Mapping[int, str] = {0: "before 0.9", 1: "0.9", 2: "1.0 to 1.2", 3: "2.0"}
"""Protocol number -> CHAdeMO version (chademo.md 1, 102.0 and 109.0)."""
LIMITS: Mapping[str, str] = {
    "answer_time": "R-ANSWER",
    "enable_time": "R-D1-ENABLE",
    "close_time": "R-CLOSED-TIME",
    "request_time": "R-REQUEST-TIME",
    "run_time": "R-RUN-TIME",
    "off_time": "R-STOP-ANSWER",
    "weld_check_time": "R-WELD-TIME",
    "request_ramp": "R-REQUEST-RAMP",
    "limit_ramp": "R-LIMIT-RAMP",
    "insulation_voltage": "R-INSULATION-TESTED",
    "charge_peak": "R-CHARGE-LIMIT",
    "discharge_peak": "R-DISCHARGE-LIMIT",
}
"""Fact -> the rule that limits it, where there is one."""
SETTLING = 2.5
"""s after a change of the request, from which on the output counts as settled: 1 s of lag and 30 A at 20 A/s
(chademo.md 2 run)."""


@dataclass(frozen=True, slots=True)
class Limited:
    """A fact beside the rule that limits it; verdict None where no rule does."""

    fact: Fact
    verdict: RuleVerdict | None


@dataclass(frozen=True, slots=True)
class Deviation:
    """Output against request min(102.3, 108.3) while charging and settled. mean, worst: A, output above positive.
    seconds: how long that could be told."""

    mean: float
    worst: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Card:
    """What is known of one session."""

    number: int
    who: Mapping[Side, tuple[Fact, ...]]
    course: tuple[Limited, ...]
    """Times, ramps and peaks."""
    deviation: Deviation | None
    broken: Mapping[Side, tuple[str, ...]]
    """Ids of the rules each side broke, in all sessions of the trace."""

    @property
    def versions(self) -> Mapping[Side, str]:
        """CHAdeMO version each side speaks, by its protocol number."""
        found: dict[Side, str] = {}
        for side, facts in self.who.items():
            number = next((fact.value for fact in facts if fact.key == f"{side}_protocol"), None)
            if number is not None:
                found[side] = VERSIONS.get(int(number), f"unknown, number {number:g}")
        return found


class Deviations:
    """Collects the deviation of each session, by its number; fed as `judge_trace(..., watch=deviations.see)`."""

    def __init__(self) -> None:
        self._sums: dict[int, list[float]] = {}
        self._before: tuple[int, float, float, float, float] | None = None
        """Session, s of the last look, s since when the target stands, target and output (A)."""

    def see(self, now: float, s: Session) -> None:
        """The session is so now; what was before it held until now."""
        if self._before is not None:
            number, then, since, target, output = self._before
            seconds = now - max(then, since + SETTLING)
            if seconds > 0:
                self._add(number, output - target, seconds)
        self._before = self._of(now, s)

    def of(self, number: int) -> Deviation | None:
        """What was found in a session; None where the output never settled."""
        found = self._sums.get(number)
        return None if found is None else Deviation(found[0] / found[1], found[2], found[1])

    def _of(self, now: float, s: Session) -> tuple[int, float, float, float, float] | None:
        if s.phase is not Phase.CHARGING or s.status is None or s.capability is None or s.reported_current is None:
            return None
        target = float(min(s.status.current_request, s.capability.available_current))
        before = self._before
        since = before[2] if before is not None and before[0] == s.number and before[3] == target else now
        return s.number, now, since, target, float(s.reported_current)

    def _add(self, number: int, deviation: float, seconds: float) -> None:
        total = self._sums.setdefault(number, [0.0, 0.0, 0.0])
        total[0] += deviation * seconds
        total[1] += seconds
        if abs(deviation) > abs(total[2]):
            total[2] = math.copysign(abs(deviation), deviation)


def cards(report: TraceReport, deviations: Deviations) -> tuple[Card, ...]:
    """A card of each session of a trace."""
    verdicts = {verdict.rule.id: verdict for verdict in report.verdicts}
    sides: tuple[Side, Side] = ("charger", "vehicle")
    broken = {side: tuple(v.rule.id for v in report.broken(side=side)) for side in sides}
    return tuple(_card(session, verdicts, deviations.of(session.number), broken) for session in report.sessions)


def _card(
    session: SessionReport,
    verdicts: Mapping[str, RuleVerdict],
    deviation: Deviation | None,
    broken: Mapping[Side, tuple[str, ...]],
) -> Card:
    who = {side: tuple(fact for fact in session.facts if fact.side == side) for side in broken}
    course = tuple(Limited(fact, verdicts.get(LIMITS.get(fact.key, ""))) for fact in session.facts if fact.side is None)
    return Card(session.number, who, course, deviation, broken)
