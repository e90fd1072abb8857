"""How a rule is put to the test: a stream that keeps it, one that breaks it, one that leaves it unknown."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import pytest
from scripted_session import Story, good, greeting

from rig.chademo.events import Observation
from rig.chademo.rules.rule import Finding, Rule, RuleState, RuleVerdict
from rig.chademo.rules.ruleset import RuleSet

Make = Callable[[], Story]


@dataclass(frozen=True)
class Case:
    """breaks: the stream that breaks the rule, at `at` s (the moment it must be told). shows: the frame id told as
    evidence; None for none. keeps, unknown: by default the good session, and two sides that only greet."""

    breaks: Make
    at: float
    shows: int | None
    keeps: Make = good
    unknown: Make = greeting


def judged(rules: Iterable[Rule], stream: Iterable[tuple[float, Observation]], thorough: bool = False) -> RuleSet:
    """A rule set that has seen the whole stream."""
    seen = RuleSet(tuple(rules), thorough)
    now = 0.0
    for now, event in stream:
        seen.step(now, event)
    seen.close(now)
    return seen


def verdict(rule: Rule, story: Story) -> RuleVerdict:
    """How one rule comes out of a story."""
    (only,) = judged([rule], story.stream()).verdicts()
    return only


def parameters(rules: Iterable[Rule], cases: Mapping[str, Case]) -> pytest.MarkDecorator:
    """Every rule with its case; a rule without one is an error of the table."""
    table = [pytest.param(rule, cases[rule.id], id=rule.id) for rule in rules]
    return pytest.mark.parametrize(("rule", "case"), table)


def check_kept(rule: Rule, case: Case) -> None:
    found = verdict(rule, case.keeps())
    assert found.state is RuleState.KEPT, str(found.first)


def check_broken(rule: Rule, case: Case) -> None:
    found = verdict(rule, case.breaks())
    assert found.state is RuleState.BROKEN
    first: Finding | None = found.first
    assert first is not None
    assert first.at == pytest.approx(case.at, abs=0.02), str(first)
    assert first.frame.startswith("" if case.shows is None else f"{case.shows:03X} "), first.frame
    assert bool(first.frame) == (case.shows is not None)
    assert first.rule == rule.id
    assert first.unit == rule.unit
    assert math.isfinite(first.value)
    assert first.value != first.limit or rule.unit == "s"  # a deadline is told when it has passed
    assert first.message


def check_unknown(rule: Rule, case: Case) -> None:
    found = verdict(rule, case.unknown())
    assert found.state is RuleState.UNKNOWN, str(found.first)
