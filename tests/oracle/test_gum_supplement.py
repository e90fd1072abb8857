"""Examples of JCGM 101 (propagation of distributions) and JCGM 106 (conformity): what a budget says beside what trials
say, and which terms a budget needs where a first-order one is wrong."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rig.metrology.decision import Limit, Rule, Verdict, conformance_probability, judge
from rig.metrology.measurement import Component, Measurement

TRIALS = 400_000
K95 = 1.96


def made(value: float, *budget: Component) -> Measurement:
    return Measurement("y", value, "V", budget)


def shortest(drawn: np.ndarray, share: float = 0.95) -> tuple[float, float]:
    """The shortest interval that holds such a share (JCGM 101, 7.7)."""
    ordered = np.sort(drawn)
    inside = math.ceil(share * len(ordered))
    i = int(np.argmin(ordered[inside - 1 :] - ordered[: len(ordered) - inside + 1]))
    return float(ordered[i]), float(ordered[i + inside - 1])


def test_additive_normal_model_of_9_2_2() -> None:
    """Four normal inputs of u = 1: u 2.0, 95 % within 3.92, by the budget and by trials."""
    m = made(0.0, *(Component("x", 1.0, "normal", "") for _ in range(4)))
    drawn = np.random.default_rng(922).normal(0.0, 1.0, (4, TRIALS)).sum(axis=0)
    assert (m.u, m.expanded(K95)) == pytest.approx((2.0, 3.92), abs=1e-2)
    assert shortest(drawn) == pytest.approx((-3.92, 3.92), abs=0.1)


def test_mass_calibration_of_9_3_needs_the_products() -> None:
    """delta m = (m_rc + delta)(1 + (a - a0)(1/w - 1/r)) - m_nom, mg and kg/m3. At a = a0 the densities vanish from a
    first-order budget: 0.0539 mg, where there are 0.0754; with the products of two errors it says 0.0750."""
    rng = np.random.default_rng(93)
    reference, difference = rng.normal(100_000.0, 0.050, TRIALS), rng.normal(1.234, 0.020, TRIALS)
    air, weight, standard = (rng.uniform(*span, TRIALS) for span in ((1.1, 1.3), (7000.0, 9000.0), (7950.0, 8050.0)))
    drawn = (reference + difference) * (1 + (air - 1.2) * (1 / weight - 1 / standard)) - 100_000.0
    u_air, u_weight, u_standard = (half / math.sqrt(3) for half in (0.1, 1000.0, 50.0))
    first = (Component("reference", 0.050, "normal", ""), Component("difference", 0.020, "normal", ""))
    products = tuple(
        Component(name, u_air * u / 8000.0**2, "normal", "product of two errors", 100_000.0)
        for name, u in (("air by weight", u_weight), ("air by standard", u_standard))
    )
    assert made(1.234, *first).u == pytest.approx(0.0539, abs=1e-4)
    assert made(1.234, *first, *products).u == pytest.approx(0.0750, abs=1e-4)
    assert (float(np.mean(drawn)), float(np.std(drawn))) == pytest.approx((1.2341, 0.0754), abs=5e-4)
    assert shortest(drawn) == pytest.approx((1.0834, 1.3825), abs=4e-3)


@pytest.mark.parametrize(
    ("x", "linear", "value", "u", "interval"),
    [
        (0.000, 0.0, 50e-6, 50e-6, (0.0, 150e-6)),
        (0.010, 100e-6, 150e-6, 112e-6, (0.0, 367e-6)),
        (0.050, 500e-6, 2551e-6, 502e-6, (1590e-6, 3543e-6)),
    ],
)
def test_comparison_loss_of_9_4_has_no_slope_at_its_least(
    x: float, linear: float, value: float, u: float, interval: tuple[float, float]
) -> None:
    """Y = X1^2 + X2^2, both with u = 0.005. A sum of squares near nought is larger than its parts' best estimates say
    and has an uncertainty that no slope shows: what harmonics, zeros and reactive power are made of."""
    rng = np.random.default_rng(94)
    drawn = rng.normal(x, 0.005, TRIALS) ** 2 + rng.normal(0.0, 0.005, TRIALS) ** 2
    slope = Component("x1", 0.005, "normal", "", 2 * x)
    curved = tuple(Component(name, math.sqrt(2) * 0.005**2, "normal", "square of an error") for name in ("x1", "x2"))
    assert made(x**2, slope).u == pytest.approx(linear, abs=1e-9)
    assert made(x**2, slope, *curved).u == pytest.approx(u, abs=1e-6)
    assert (float(np.mean(drawn)), float(np.std(drawn))) == pytest.approx((value, u), abs=2e-6)
    low, high = shortest(drawn)
    assert high - low == pytest.approx(interval[1] - interval[0], rel=0.02)
    assert low == pytest.approx(interval[0], abs=40e-6)


def test_one_sided_conformance_by_jcgm_106() -> None:
    """A breakdown voltage of -5.47 V, u 0.05 V, that must lie at or below -5.40 V, conforms with 0.92."""
    assert conformance_probability(-5.47, 0.05, Limit(max=-5.40, unit="V")) == pytest.approx(0.92, abs=2e-3)


def test_guarded_acceptance_trades_one_risk_for_the_other() -> None:
    """JCGM 106, 8.3 and 9: devices spread about the middle of 10 +/- 1 with 0.5, measured with u 0.125. A guard band of
    U all but ends false acceptance of the population and multiplies false rejection; the rates are those of the two
    normal distributions, and a value that is neither is inconclusive."""
    rng = np.random.default_rng(106)
    limit, u = Limit(9.0, 11.0, "V"), 0.125
    true = rng.normal(10.0, 0.5, TRIALS)
    read = true + rng.normal(0.0, u, TRIALS)
    good = np.abs(true - 10.0) <= 1.0
    rates = {}
    for r in (0.0, 1.0):
        acceptance = limit.moved(Rule(r=r).guard(2 * u))
        assert acceptance.min is not None
        assert acceptance.max is not None
        accepted = (read >= acceptance.min) & (read <= acceptance.max)
        rates[r] = float(np.mean(accepted & ~good)), float(np.mean(~accepted & good))
        assert rates[r] == pytest.approx(_risks(acceptance, u), abs=1.5e-3)
    assert rates[1.0][0] < rates[0.0][0] / 20
    assert rates[1.0][1] > 2 * rates[0.0][1]
    for value, verdict in ((10.7, Verdict.PASS), (10.8, Verdict.INCONCLUSIVE), (11.3, Verdict.FAIL)):
        assert judge(made(value, Component("u", u, "normal", "")), limit, Rule()).verdict is verdict


def _risks(acceptance: Limit, u: float) -> tuple[float, float]:
    """Global risks of the producer's good and the consumer's bad by integration over the devices (JCGM 106, 9.3)."""
    true = np.linspace(6.0, 14.0, 16_001)
    density = np.exp(-0.5 * ((true - 10.0) / 0.5) ** 2) / (0.5 * math.sqrt(2 * math.pi))
    accepted = np.array([conformance_probability(float(x), u, acceptance) for x in true])
    good = np.abs(true - 10.0) <= 1.0
    step = float(true[1] - true[0])
    return float(np.sum(density * accepted * ~good)) * step, float(np.sum(density * (1 - accepted) * good)) * step
