"""The identity card of the charger under test: what its sessions showed beside the procedures of a run, summed up.

A `Observed` rule set notes the facts of each session of a test while it judges; `CardMaker` adds the tests up. Sessions
in which the rig's own car was told to misbehave are counted and left out: their times are the car's doing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from statistics import median

from rig.chademo.events import Observation
from rig.chademo.rules.common import FREE
from rig.chademo.rules.rule import Finding, RuleState, RuleVerdict
from rig.chademo.rules.ruleset import RuleSet
from rig.evidence.documents import CardRow, ChargerCard, OutputDeviation, SessionsSeen
from rig.machine import Step
from rig.trace.card import LIMITS, VERSIONS, Deviations
from rig.trace.facts import Fact, facts, known_facts
from rig.trace.observer import Observer

COURSE = (
    "answer_time",
    "lock_time",
    "insulation_time",
    "discharged_time",
    "insulation_voltage",
    "run_time",
    "charge_ramp",
    "charge_peak",
    "discharge_ramp",
    "discharge_peak",
    "off_time",
    "unlock_time",
)
"""Facts of the course of a session that are the charger's doing, in the order of a session."""
KNOWN: Mapping[str, Fact] = known_facts()
SAYS = tuple(key for key, fact in KNOWN.items() if fact.side == "charger")
FLAGS = frozenset({"charger_v2h", "welding_detection"})
DECIMALS = 6
"""Of what is written down: far finer than a frame's stamp."""


class Observed:
    """A rule set as a machine, with an observer of its sessions. spoiled: whether the rig's own car misbehaves now."""

    def __init__(self, rules: RuleSet, spoiled: Callable[[], bool]) -> None:
        self._rules, self._spoiled = rules, spoiled
        self._observer, self._deviations = Observer(rules.session), Deviations()
        self._changes, self._left_out = 0, set[int]()

    def step(self, now: float, event: Observation | None) -> Step[Finding]:
        """See `RuleSet.step`."""
        step = self._rules.step(now, event)
        if self._rules.changes != self._changes:
            self._changes = self._rules.changes
            session = self._rules.session
            self._observer.see(now)
            self._deviations.see(now, session)
            if session.phase not in FREE and self._spoiled():
                self._left_out.add(session.number)
        return step

    def seen(self, now: float) -> SessionsSeen | None:
        """What the sessions up to now (s) showed; None where there was none."""
        self._observer.close(now)
        records = [record for record in self._observer.records if record.spans]
        good = [record for record in records if record.number not in self._left_out]
        if not records:
            return None
        values: dict[str, list[float]] = {}
        for record in good:
            for fact in facts(record):
                if fact.key in SAYS or fact.key in COURSE:
                    values.setdefault(fact.key, []).append(round(float(fact.value), DECIMALS))
        found = [self._deviations.of(record.number) for record in good]
        told = [OutputDeviation(mean=one.mean, worst=one.worst, seconds=one.seconds) for one in found if one]
        return SessionsSeen(
            sessions=len(good),
            spoiled=len(records) - len(good),
            values={key: tuple(row) for key, row in values.items()},
            deviation=_together(told),
        )


class CardMaker:
    """Adds up what the tests of a run saw."""

    def __init__(self) -> None:
        self._sessions = self._spoiled = 0
        self._values: dict[str, list[float]] = {}
        self._deviations: list[OutputDeviation] = []

    def take(self, seen: SessionsSeen) -> None:
        """Of one test."""
        self._sessions += seen.sessions
        self._spoiled += seen.spoiled
        for key, values in seen.values.items():
            self._values.setdefault(key, []).extend(values)
        if seen.deviation is not None:
            self._deviations.append(seen.deviation)

    def card(self, verdicts: Mapping[str, RuleVerdict]) -> ChargerCard | None:
        """The card; None where no session was seen. verdicts: how each rule came out, by its id."""
        if not self._sessions + self._spoiled:
            return None
        numbers = sorted({int(one) for one in self._values.get("charger_protocol", ())})
        return ChargerCard(
            sessions=self._sessions,
            spoiled=self._spoiled,
            versions=tuple(VERSIONS.get(one, f"unknown, number {one}") for one in numbers),
            says=tuple(self._rows(SAYS, verdicts)),
            course=tuple(self._rows(COURSE, verdicts)),
            deviation=_together(self._deviations),
            broken=tuple(
                id for id, one in verdicts.items() if one.state is RuleState.BROKEN and one.rule.duty == "charger"
            ),
        )

    def _rows(self, keys: Iterable[str], verdicts: Mapping[str, RuleVerdict]) -> Iterable[CardRow]:
        for key in keys:
            values = self._values.get(key)
            if not values:
                continue
            fact, verdict = KNOWN[key], verdicts.get(LIMITS.get(key, ""))
            yield CardRow(
                key=key,
                name=fact.name,
                unit=fact.unit,
                where=fact.where,
                least=min(values),
                median=round(median(values), DECIMALS),
                most=max(values),
                count=len(values),
                flag=key in FLAGS,
                rule=verdict.rule.id if verdict else "",
                says=verdict.rule.title if verdict else "",
                state=verdict.state.value if verdict else "",
            )


def _together(found: Iterable[OutputDeviation]) -> OutputDeviation | None:
    """Several as one: the mean over the whole time, the worst of all."""
    rows = list(found)
    seconds = math.fsum(one.seconds for one in rows)
    if not seconds > 0:
        return None
    return OutputDeviation(
        mean=round(math.fsum(one.mean * one.seconds for one in rows) / seconds, DECIMALS),
        worst=max((one.worst for one in rows), key=abs),
        seconds=round(seconds, DECIMALS),
    )
