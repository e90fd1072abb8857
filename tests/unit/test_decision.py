"""Decision rules: risks recomputed, the worked example of JCGM 106, verdict zones, values that are no numbers."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from rig.errors import UseError
from rig.metrology.decision import Limit, Rule, Verdict, conformance_probability, judge, worst_of
from rig.metrology.measurement import Component, Measurement
from rig.metrology.timing import count, duration

SIMPLE = Rule("simple")


def reading(value: float, u: float = 0.5, unit: str = "V") -> Measurement:
    return Measurement("x", value, unit, (Component("all", u, "normal", "test"),))


@pytest.mark.parametrize(
    ("r", "risk"), [(0, 0.5), (0.5, 0.159), (0.7, 0.081), (0.83, 0.0485), (1.0, 0.0228), (1.25, 0.0062), (1.5, 0.0013)]
)
def test_false_acceptance_at_the_acceptance_limit(r: float, risk: float) -> None:
    """The table of standards.md 3 (ILAC-G8), recomputed by the rule's own guard band."""
    u = 0.4
    at_limit = Limit(max=10.0, unit="V").moved(Rule(r=r).guard(2 * u)).max
    assert at_limit is not None
    assert 1 - conformance_probability(at_limit, u, Limit(max=10.0, unit="V")) == pytest.approx(
        risk, abs=6e-5 + risk / 99
    )


def test_false_acceptance_by_experiment() -> None:
    """A device exactly on the limit, measured 20,000 times: PASS at the rate the rule promises, FAIL at the same."""
    limit, u = Limit(max=10.0, unit="V"), 0.5
    verdicts = [judge(reading(y, u), limit).verdict for y in np.random.default_rng(7).normal(10.0, u, 20_000)]
    for verdict, rate in ((Verdict.PASS, 0.02275), (Verdict.FAIL, 0.02275), (Verdict.INCONCLUSIVE, 0.9545)):
        expected = 20_000 * rate
        assert abs(verdicts.count(verdict) - expected) < 5 * math.sqrt(expected)


def test_worked_example_of_jcgm_106() -> None:
    """7.4: 13.6 with u 1.8 between 12.5 and 16.3."""
    assert conformance_probability(13.6, 1.8, Limit(12.5, 16.3, "V")) == pytest.approx(0.663, abs=5e-4)


def test_conformance_probability_is_the_normal_distributions() -> None:
    for value, u, low, high in ((1.0, 0.3, 0.5, 1.2), (-4.0, 2.0, -3.0, 9.0), (5.0, 1e-6, 5.0, 6.0)):
        normal = NormalDist(value, u)
        assert conformance_probability(value, u, Limit(low, high)) == pytest.approx(normal.cdf(high) - normal.cdf(low))
    assert conformance_probability(1.0, 0.5, Limit(min=1.0)) == pytest.approx(0.5)
    assert conformance_probability(1.0, 0.5, Limit()) == 1.0
    assert conformance_probability(1.0, 0.0, Limit(max=1.0)) == 1.0
    assert conformance_probability(1.1, 0.0, Limit(max=1.0)) == 0.0
    assert math.isnan(conformance_probability(math.nan, 1.0, Limit(max=1.0)))


@pytest.mark.parametrize(
    ("value", "verdict", "words"),
    [
        (8.9, Verdict.PASS, "keeps <= 10 V"),
        (9.0, Verdict.PASS, "keeps"),
        (9.01, Verdict.INCONCLUSIVE, "conditional pass"),
        (10.0, Verdict.INCONCLUSIVE, "conditional pass"),
        (10.01, Verdict.INCONCLUSIVE, "conditional fail"),
        (11.0, Verdict.FAIL, "breaks"),
    ],
)
def test_zones_of_the_non_binary_guard_band(value: float, verdict: Verdict, words: str) -> None:
    judged = judge(reading(value), Limit(max=10.0, unit="V"))
    assert judged.verdict is verdict
    assert words in judged.reason
    assert "guard band 1 U, k = 2, non-binary" in judged.reason
    assert judged.expanded == 1.0
    assert judged.acceptance == Limit(max=9.0, unit="V")
    assert judged.margin == pytest.approx(10.0 - value)


def test_zones_of_the_other_rules() -> None:
    limit = Limit(max=10.0, unit="V")
    binary, inherent = Rule(binary=True), Rule("inherent", mra=0.4)
    assert judge(reading(9.0), limit, binary).verdict is Verdict.PASS
    assert judge(reading(9.01), limit, binary).verdict is Verdict.FAIL
    assert "with its guard band" in judge(reading(9.01), limit, binary).reason
    assert judge(reading(10.0), limit, SIMPLE).verdict is Verdict.PASS
    assert judge(reading(10.01), limit, SIMPLE).verdict is Verdict.FAIL
    assert judge(reading(10.6), limit, inherent).verdict is Verdict.PASS
    assert judge(reading(10.61), limit, inherent).verdict is Verdict.FAIL
    assert judge(reading(10.6), limit, inherent).acceptance.max == pytest.approx(10.6)
    assert judge(reading(9.6), limit, Rule(r=0.4)).verdict is Verdict.PASS


def test_a_lower_limit_mirrors() -> None:
    limit = Limit(min=10.0, unit="V")
    assert judge(reading(11.0), limit).verdict is Verdict.PASS
    assert judge(reading(10.99), limit).verdict is Verdict.INCONCLUSIVE
    assert judge(reading(9.0), limit).verdict is Verdict.FAIL


def test_two_sided_limits_that_the_uncertainty_nearly_fills() -> None:
    """U above a quarter of the width: the middle passes only while both sides together leave what one side would."""
    limit = Limit(-1.0, 1.0, "V")
    assert judge(reading(0.0, 0.1), limit).verdict is Verdict.PASS
    assert judge(reading(0.0, 0.42), limit).verdict is Verdict.PASS
    assert judge(reading(0.0, 0.45), limit).verdict is Verdict.INCONCLUSIVE
    wide = judge(reading(0.0, 0.8), limit)
    assert wide.verdict is Verdict.INCONCLUSIVE
    assert wide.acceptance == Limit(0.0, 0.0, "V")
    assert judge(reading(0.0, 0.45), limit, Rule(binary=True)).verdict is Verdict.FAIL
    assert judge(reading(0.9, 0.45), limit, SIMPLE).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("value", "limit", "verdict"),
    [
        (math.inf, Limit(max=10.0, unit="s"), Verdict.FAIL),
        (math.inf, Limit(min=10.0, unit="s"), Verdict.PASS),
        (math.inf, Limit(1.0, 10.0, "s"), Verdict.FAIL),
        (-math.inf, Limit(min=0.0, unit="s"), Verdict.FAIL),
        (-math.inf, Limit(max=0.0, unit="s"), Verdict.PASS),
        (math.inf, Limit(unit="s"), Verdict.PASS),
        (math.nan, Limit(max=10.0, unit="s"), Verdict.INVALID),
        (math.nan, Limit(unit="s"), Verdict.INVALID),
    ],
)
@pytest.mark.parametrize("rule", [Rule(), SIMPLE, Rule("inherent", mra=0.1), Rule(binary=True)])
def test_never_and_no_number(value: float, limit: Limit, verdict: Verdict, rule: Rule) -> None:
    judged = judge(reading(value, 0.1, "s"), limit, rule)
    assert judged.verdict is verdict
    if math.isnan(value):
        assert math.isnan(judged.margin)


def test_never_needs_no_budget_but_a_value_does() -> None:
    never = duration("t_x", 1.0, math.inf, 0.0, 0.0)
    assert judge(Measurement("x", math.inf, "s"), Limit(max=1.0, unit="s")).verdict is Verdict.FAIL
    assert "never happened" in judge(never, Limit(max=1.0, unit="s")).reason
    for unit in ("s", "1"):
        with pytest.raises(UseError, match="needs an uncertainty budget"):
            judge(Measurement("x", 0.5, unit), Limit(max=1.0, unit=unit))
        assert judge(Measurement("x", 0.5, unit), Limit(max=1.0, unit=unit), SIMPLE).verdict is Verdict.PASS
        assert judge(Measurement("x", 0.5, unit), Limit(unit=unit)).verdict is Verdict.PASS


def test_an_uncertainty_that_is_no_number_is_invalid() -> None:
    assert judge(reading(1.0, math.inf), Limit(max=10.0, unit="V")).verdict is Verdict.INVALID
    assert judge(reading(1.0, math.nan), Limit(max=10.0, unit="V"), SIMPLE).verdict is Verdict.INVALID


def test_counts_are_exact() -> None:
    assert judge(count("n", 0), Limit(max=0.0)).verdict is Verdict.PASS
    assert judge(count("n", 1), Limit(max=0.0)).verdict is Verdict.FAIL
    assert count("n", 3).u == 0.0


def test_reporting_claims_nothing() -> None:
    judged = judge(reading(5.0), Limit(unit="V"))
    assert judged.verdict is Verdict.PASS
    assert "nothing is claimed" in judged.reason
    assert judged.margin == math.inf


def test_what_cannot_be_judged_is_a_use_error() -> None:
    with pytest.raises(UseError, match="measured in 'V', its limit is in 'A'"):
        judge(reading(1.0), Limit(max=1.0, unit="A"))
    with pytest.raises(UseError, match="unknown unit 'furlong'"):
        Limit(max=1.0, unit="furlong")
    with pytest.raises(UseError, match="min is above max"):
        Limit(2.0, 1.0)
    with pytest.raises(UseError, match="not a number"):
        Limit(max=math.nan)
    for wrong in ({"r": -1.0}, {"k": 0.0}, {"mra": -0.1}, {"r": math.nan}):
        with pytest.raises(UseError):
            Rule(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("limit", "text"),
    [
        (Limit(max=0.02, unit="s"), "<= 0.02 s"),
        (Limit(min=0.9), ">= 0.9"),
        (Limit(94.0, 106.0, "V"), "94 to 106 V"),
        (Limit(), "no limit"),
    ],
)
def test_how_limits_read(limit: Limit, text: str) -> None:
    assert str(limit) == text


def test_how_rules_read() -> None:
    assert str(SIMPLE) == "simple acceptance"
    assert str(Rule(r=0.5, k=3, binary=True)) == "guard band 0.5 U, k = 3, binary"
    assert str(Rule("inherent", mra=0.01)) == "the standard's own rule, 1.5 x MRA 0.01"


def test_the_verdict_of_several_is_the_worst() -> None:
    p, f, i, v, n = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.INVALID, Verdict.NOT_RUN
    assert worst_of([]) is n
    assert worst_of([p, p]) is p
    assert worst_of([p, n]) is n
    assert worst_of([n, i, p]) is i
    assert worst_of([i, v]) is v
    assert worst_of([v, f, i, p]) is f
    assert str(n) == "NOT RUN"


def test_few_degrees_of_freedom_widen_the_guard_band() -> None:
    few = Measurement("x", 9.0, "V", (Component("scatter", 0.4, "normal", "4 readings", dof=3),))
    limit = Limit(max=10.0, unit="V")
    judged = judge(few, limit)
    assert judged.verdict is Verdict.INCONCLUSIVE
    assert judged.k == pytest.approx(3.307, abs=0.001)
    assert judged.expanded == pytest.approx(0.4 * judged.k)
    assert judge(reading(9.0, 0.4), limit).verdict is Verdict.PASS
    assert judge(reading(9.0, 0.4), limit).k == 2.0
    assert judged.probability < judge(reading(9.0, 0.4), limit).probability


def test_a_false_acceptance_is_as_rare_with_few_readings() -> None:
    """Means of four readings of a device exactly on its limit: PASS in 2.3 % at the most."""
    rng = np.random.default_rng(12)
    limit = Limit(max=10.0, unit="V")
    passed = 0
    for drawn in rng.normal(10.0, 1.0, (4_000, 4)):
        u = float(np.std(drawn, ddof=1)) / 2
        m = Measurement("x", float(np.mean(drawn)), "V", (Component("scatter", u, "normal", "4", dof=3),))
        passed += judge(m, limit).verdict is Verdict.PASS
    assert passed / 4_000 == pytest.approx(0.02275, abs=0.008)


def test_a_spread_of_one_reading_is_invalid() -> None:
    m = Measurement("x", 1.0, "V", (Component("scatter", 0.1, "normal", "one", dof=0),))
    assert judge(m, Limit(max=10.0, unit="V")).verdict is Verdict.INVALID
