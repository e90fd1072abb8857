"""Laws every decision keeps, whatever the numbers."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from rig.metrology.decision import SEVERITY, Limit, Rule, Verdict, conformance_probability, judge, worst_of
from rig.metrology.measurement import Component, Measurement
from rig.requirements import LimitRow, Requirement

numbers = st.floats(-1e3, 1e3).map(lambda x: round(x, 6))
uncertainties = st.floats(0.0, 50.0).map(lambda x: round(x, 6))
rules = st.builds(
    Rule,
    st.sampled_from(["simple", "guard_band", "inherent"]),
    st.sampled_from([0.0, 0.5, 1.0, 1.5]),
    st.sampled_from([1.0, 2.0, 3.0]),
    st.booleans(),
    st.sampled_from([0.0, 0.3, 5.0]),
)
limits = st.one_of(
    numbers.map(lambda high: Limit(max=high)),
    numbers.map(lambda low: Limit(min=low)),
    st.tuples(numbers, numbers).map(lambda pair: Limit(min(pair), max(pair))),
)
RANK = (Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.FAIL)
laws = settings(deadline=None, derandomize=True, max_examples=300)


def verdict(value: float, u: float, limit: Limit, rule: Rule) -> Verdict:
    return judge(Measurement("x", value, "1", (Component("c", u, "normal", "test"),)), limit, rule).verdict


@laws
@given(numbers, st.floats(0.0, 100.0), uncertainties, limits, rules)
def test_moving_towards_a_limit_and_beyond_never_improves_a_verdict(
    value: float, step: float, u: float, limit: Limit, rule: Rule
) -> None:
    """Away from the middle of a two-sided limit, or across the bound of a one-sided one."""
    centre = {
        (True, True): ((limit.min or 0.0) + (limit.max or 0.0)) / 2,
        (True, False): math.inf,
        (False, True): -math.inf,
    }[limit.min is not None, limit.max is not None]
    away = -1.0 if value < centre else 1.0
    assert RANK.index(verdict(value, u, limit, rule)) <= RANK.index(verdict(value + away * step, u, limit, rule))


@laws
@given(numbers, uncertainties, limits, rules)
def test_mirrored_values_and_limits_are_judged_alike(value: float, u: float, limit: Limit, rule: Rule) -> None:
    mirrored = Limit(None if limit.max is None else -limit.max, None if limit.min is None else -limit.min, limit.unit)
    assert verdict(value, u, limit, rule) is verdict(-value, u, mirrored, rule)
    p, q = conformance_probability(value, u, limit), conformance_probability(-value, u, mirrored)
    assert math.isclose(p, q, abs_tol=1e-12)


@laws
@given(numbers, uncertainties, st.floats(0.0, 10.0), limits)
def test_more_uncertainty_never_turns_anything_into_pass_or_fail(
    value: float, u: float, more: float, limit: Limit
) -> None:
    wider = verdict(value, u + more, limit, Rule())
    assert wider in (Verdict.INCONCLUSIVE, verdict(value, u, limit, Rule()))


@laws
@given(numbers, uncertainties, limits, rules)
def test_a_verdict_agrees_with_its_margin_and_probability(value: float, u: float, limit: Limit, rule: Rule) -> None:
    judged = judge(Measurement("x", value, "1", (Component("c", u, "normal", "test"),)), limit, rule)
    assert 0.0 <= judged.probability <= 1.0
    if rule.kind == "guard_band":
        if judged.verdict is Verdict.PASS:
            assert judged.margin >= 0
            assert judged.probability >= 0.5 - 1e-9 or judged.rule.r * judged.rule.k == 0
        if judged.verdict is Verdict.FAIL and not rule.binary:
            assert judged.margin <= 0


@laws
@given(st.lists(st.sampled_from(SEVERITY), min_size=1, max_size=8))
def test_the_worst_of_several_is_one_of_them_and_no_other_is_worse(verdicts: list[Verdict]) -> None:
    worst = worst_of(verdicts)
    assert worst in verdicts
    assert all(SEVERITY.index(v) <= SEVERITY.index(worst) for v in verdicts)
    assert worst_of([*verdicts, worst]) is worst
    assert worst_of(verdicts[::-1]) is worst


@laws
@given(st.lists(st.tuples(st.one_of(numbers, st.just(math.nan), st.just(math.inf)), uncertainties), min_size=1), limits)
def test_the_worst_run_has_the_worst_verdict(runs: list[tuple[float, float]], limit: Limit) -> None:
    row = LimitRow(quantity="x", unit="1", min=limit.min, max=limit.max)
    r = Requirement.model_validate(
        {
            "id": "TST-001",
            "title": "t",
            "stated": "s",
            "stated_unit": "1",
            "method": "m",
            "conditions": "c",
            "source": "[X]",
            "confidence": "S",
            "limit": [row.model_dump()],
        }
    )
    ms = [Measurement("x", value, "1", (Component("c", u, "normal", "test"),)) for value, u in runs]
    worst = r.judge(r.worst(ms))
    assert worst.verdict is worst_of([r.judge(m).verdict for m in ms])
    alike = [r.judge(m).margin for m in ms if r.judge(m).verdict is worst.verdict]
    assert math.isnan(worst.margin) or worst.margin <= min(m for m in alike if not math.isnan(m))
