"""From the rig's own values to journal documents: the one place that knows both. Knows no file."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rig.chademo.rules.rule import RuleVerdict
from rig.conditions import Stood
from rig.evidence.captures import Captures
from rig.evidence.documents import (
    Bounds,
    BudgetLine,
    CaptureStored,
    Condition,
    Judged,
    Measured,
    PartIdentity,
    Required,
    Row,
    RuleFound,
    SafeStateReached,
    Surroundings,
    Word,
)
from rig.metrology.decision import Judgement, Limit, Verdict
from rig.metrology.measurement import Measurement
from rig.requirements import Requirement
from rig.roles import Identity, SafeState, Waveforms

WORD: dict[Verdict, Word] = {
    Verdict.PASS: "PASS",
    Verdict.FAIL: "FAIL",
    Verdict.INCONCLUSIVE: "INCONCLUSIVE",
    Verdict.INVALID: "INVALID",
    Verdict.NOT_RUN: "NOT RUN",
}


def in_words(stated: str, unit: str) -> str:
    """A limit as its source words it, with the unit where the words leave it out: "<= 20", "ms" -> "<= 20 ms"."""
    named = {part for part in re.split(r"[ ,]+", unit) if part} - {"-"}
    bare = not any(re.search(rf"(?<![A-Za-z]){re.escape(part)}(?![A-Za-z])", stated) for part in named)
    figures = re.match(r"(?:typ |about )?[^a-z]*\d", stated)  # "same limit as XFR-001" has no unit of its own
    return f"{stated} {unit}" if named and bare and figures else stated


def required(r: Requirement, selected: bool) -> Required:
    """A row of the catalogue, as for_profile() gave it. selected: a selected test verifies it."""
    return Required(
        id=r.id,
        title=r.title,
        stated=in_words(r.stated, r.stated_unit),
        source=r.source,
        confidence=r.confidence.raw,
        claim=r.claim,
        references=dict(r.references),
        rows=tuple(Row(quantity=row.quantity, limit=bounds(row.limit), source=row.source) for row in r.limits),
        rule=str(r.rule.rule()),
        method=r.method,
        conditions=r.conditions,
        selected=selected,
        not_run=r.not_run or "",
        applies=r.applies,
    )


def surroundings(found: Sequence[Stood]) -> Surroundings:
    """How the conditions of a test stood."""
    rows = tuple(
        Condition(
            quantity=one.condition.quantity,
            state=one.state,
            limit=bounds(one.condition.limit),
            asked=one.condition.asked,
            value=one.measured.value if one.measured else None,
            u=one.measured.u if one.measured else None,
            source=one.measured.source if one.measured else "",
            reason=one.reason,
        )
        for one in found
    )
    return Surroundings(conditions=rows, fit=all(one.fit for one in found))


def measured(m: Measurement, requirement: str = "") -> Measured:
    """A measurement. requirement: whose quantity it is, empty for none."""
    lines = tuple(
        BudgetLine(name=c.name, u=c.u, distribution=c.distribution, source=c.source, sensitivity=c.sensitivity)
        for c in m.budget
    )
    return Measured(
        name=m.name,
        value=m.value,
        unit=m.unit,
        u=m.u,
        requirement=requirement,
        budget=lines,
        source=m.source,
        at=m.at,
        of=m.of,
    )


def judged(j: Judgement, requirement: Requirement, quantity: str, measurement: int) -> Judged:
    """A judgement. measurement: the journal number of its Measured."""
    return Judged(
        requirement=requirement.id,
        quantity=quantity,
        verdict=WORD[j.verdict],
        measurement=measurement,
        limit=bounds(j.limit),
        acceptance=bounds(j.acceptance),
        expanded=j.expanded,
        k=j.k,
        rule=str(j.rule),
        claim=requirement.claim,
        margin=j.margin,
        probability=j.probability,
        reason=j.reason,
    )


def bounds(limit: Limit) -> Bounds:
    """A limit."""
    return Bounds(min=limit.min, max=limit.max, unit=limit.unit)


def rule_found(v: RuleVerdict, provoked: bool = False) -> RuleFound:
    """How a rule came out of what was watched. provoked: the rig's own car was told to break it."""
    first = v.first
    return RuleFound(
        rule=v.rule.id,
        title=v.rule.title,
        state=v.state.value,
        duty=v.rule.duty,
        source=v.rule.source,
        confidence=v.rule.confidence,
        requirements=v.rule.requirements,
        at=first.at if first else 0.0,
        frame=first.frame if first else "",
        value=first.value if first else 0.0,
        limit=first.limit if first else 0.0,
        unit=first.unit if first else v.rule.unit,
        message=first.message if first else "",
        count=v.count,
        provoked=provoked,
    )


def identity(who: Identity) -> PartIdentity:
    """*IDN? or its like."""
    return PartIdentity(maker=who.maker, model=who.model, serial=who.serial, firmware=who.firmware)


def safe_state(state: SafeState) -> SafeStateReached:
    """The outcome of make_safe."""
    return SafeStateReached(confirmed=state.confirmed, readings=state.readings)


def store_waveforms(captures: Captures, name: str, w: Waveforms, note: str = "") -> CaptureStored:
    """Store a digitizer record; its digest goes into `of` of what is measured from it."""
    return captures.waveform(
        name, w.channels, w.samples, start=w.start, rate=w.rate, units=w.units, note=note or w.source
    )
