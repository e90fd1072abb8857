"""Budgets against GTC (the uncertainty calculator of the Measurement Standards Laboratory of New Zealand), against
worked examples of the GUM, and against Monte Carlo trials by JCGM 101."""

from __future__ import annotations

import math

import GTC
import numpy as np
import pytest

from rig.metrology.decision import Limit, Rule, conformance_probability
from rig.metrology.measurement import Component, Measurement
from rig.metrology.power import efficiency

NORMAL_99 = 2.575829


def made(value: float, *budget: Component, unit: str = "V") -> Measurement:
    return Measurement("y", value, unit, budget)


def test_gauge_block_of_jcgm_100_h1_by_gtc() -> None:
    """l = l_s + d - l_s (d_alpha * theta + alpha_s * d_theta), nm and K; u 32 nm, 16 degrees of freedom, U99 93 nm."""
    l_s = GTC.ureal(50_000_623.0, 25.0, 18)
    d = GTC.ureal(215.0, 5.8, 24) + GTC.ureal(0.0, 3.9, 5) + GTC.ureal(0.0, 6.7, 8)
    alpha_s = GTC.ureal(11.5e-6, 2e-6 / math.sqrt(3))
    d_alpha = GTC.ureal(0.0, 1e-6 / math.sqrt(3), 50)
    theta = GTC.ureal(-0.1, 0.2) + GTC.ureal(0.0, 0.5 / math.sqrt(2))
    d_theta = GTC.ureal(0.0, 0.05 / math.sqrt(3), 2)
    length = l_s + d - l_s * (d_alpha * theta + alpha_s * d_theta)
    m = made(
        50_000_838.0,
        Component("standard", 25.0, "normal", "certificate", dof=18),
        Component("readings", 5.8, "normal", "25 readings", dof=24),
        Component("comparator, random", 3.9, "normal", "certificate", dof=5),
        Component("comparator, systematic", 6.7, "normal", "certificate", dof=8),
        Component("expansion", 1e-6 / math.sqrt(3), "rectangular", "limit", 50_000_623.0 * 0.1, 50),
        Component("temperature", 0.05 / math.sqrt(3), "rectangular", "limit", 50_000_623.0 * 11.5e-6, 2),
    )
    assert m.value == pytest.approx(length.x, abs=0.5)
    assert m.u == pytest.approx(length.u, rel=1e-9)
    assert m.u == pytest.approx(32.0, abs=0.5)
    assert m.dof == pytest.approx(length.df, rel=1e-6)
    assert int(m.dof) == 16
    assert m.factor(NORMAL_99) == pytest.approx(GTC.rp.k_factor(int(length.df), 99.0), rel=1e-4)
    assert m.expanded(NORMAL_99) == pytest.approx(93.0, abs=1.0)


def test_impedance_of_jcgm_100_h2_is_a_ratio_of_correlated_readings() -> None:
    """Z = V/I with r(V, I) = -0.36: 254.26 ohm, u 0.236 ohm. R and X are GTC's alone: the rig measures no phase."""
    volts = made(4.9990, Component("v", 0.0032, "normal", "5 readings"), unit="1")
    amperes = made(19.6610e-3, Component("i", 0.0095e-3, "normal", "5 readings"), unit="1")
    m = efficiency(volts, amperes, "z", correlation=-0.36)
    v, i, phi = GTC.multiple_ureal([4.9990, 19.6610e-3, 1.04446], [0.0032, 0.0095e-3, 0.00075], 5)
    GTC.set_correlation(-0.36, v, i)
    GTC.set_correlation(0.86, v, phi)
    GTC.set_correlation(-0.65, i, phi)
    z, r, x = v / i, v / i * GTC.cos(phi), v / i * GTC.sin(phi)
    assert (r.x, r.u, x.x, x.u) == pytest.approx((127.732, 0.071, 219.847, 0.295), abs=2e-3)
    assert (m.value, m.u) == pytest.approx((z.x, z.u), rel=1e-9)
    assert m.value == pytest.approx(254.26, abs=0.01)
    assert m.u == pytest.approx(0.236, abs=1e-3)


@pytest.mark.parametrize("correlation", [-1.0, -0.4, 0.0, 0.3, 0.9, 1.0])
def test_efficiency_of_correlated_powers_by_gtc(correlation: float) -> None:
    out = made(5400.0, Component("ac", 11.0, "normal", "analyzer"), unit="W")
    taken = made(-6000.0, Component("dc", 15.0, "normal", "analyzer"), unit="W")
    p_out, p_in = GTC.multiple_ureal([5400.0, 6000.0], [11.0, 15.0], math.inf)
    GTC.set_correlation(correlation, p_out, p_in)
    assert efficiency(out, taken, correlation=correlation).u == pytest.approx((p_out / p_in).u, rel=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_any_budget_by_gtc(seed: int) -> None:
    """u and the degrees of freedom of Welch and Satterthwaite of sums with any sensitivities, and k by Student's t."""
    rng = np.random.default_rng(seed)
    budget = [
        Component(
            f"x{n}", float(10 ** rng.uniform(-3, 1)), "normal", "", float(rng.normal()), float(rng.integers(1, 60))
        )
        for n in range(int(rng.integers(1, 7)))
    ]
    total = sum(c.sensitivity * GTC.ureal(0.0, c.u, c.dof) for c in budget)
    m = made(0.0, *budget)
    assert m.u == pytest.approx(total.u, rel=1e-9)
    assert m.dof == pytest.approx(total.df, rel=1e-6)
    assert m.factor(1.959964) == pytest.approx(GTC.rp.k_factor(math.floor(m.dof), 95.0), rel=1e-4)


@pytest.mark.parametrize(
    ("inputs", "gum", "trials"), [((1.0, 1.0, 1.0, 1.0), 3.92, 3.88), ((1.0, 1.0, 1.0, 10.0), 19.9, 17.0)]
)
def test_additive_model_of_jcgm_101_9_2(inputs: tuple[float, ...], gum: float, trials: float) -> None:
    """Four rectangular inputs of standard uncertainty 1, then one of them 10: the GUM's 95 % interval and the shortest
    of a Monte Carlo. Where one limit rules, U is too wide and never too narrow."""
    m = made(0.0, *(Component("x", u, "rectangular", "") for u in inputs))
    rng = np.random.default_rng(101)
    drawn = np.sum([rng.uniform(-1.0, 1.0, 400_000) * math.sqrt(3.0) * u for u in inputs], axis=0)
    assert m.expanded(1.96) == pytest.approx(gum, abs=0.1)
    assert float(np.quantile(np.abs(drawn), 0.95)) == pytest.approx(trials, abs=0.1)
    assert np.mean(np.abs(drawn) <= m.expanded()) >= 0.954


@pytest.mark.parametrize("dof", [3, 5, 10])
def test_t_distributed_conformance_by_monte_carlo(dof: int) -> None:
    """JCGM 106, 7: what a value with few degrees of freedom says of its measurand, drawn from Student's t."""
    limit = Limit(12.5, 16.3, "V")
    drawn = 13.6 + 1.8 * np.random.default_rng(dof).standard_t(dof, 400_000)
    inside = float(np.mean((drawn >= 12.5) & (drawn <= 16.3)))
    assert conformance_probability(13.6, 1.8, limit, dof) == pytest.approx(inside, abs=0.003)


def test_guard_band_of_ilac_g8_keeps_its_risk_with_any_distribution() -> None:
    """w = U, k = 2: a value at the acceptance limit is wrongly accepted in less than 2.5 % of cases, whatever the
    budget is made of."""
    rng = np.random.default_rng(8)
    for halves in ((1.0,), (1.0, 1.0), (1.0, 0.3, 0.1)):
        m = made(0.0, *(Component("x", u, "rectangular", "") for u in halves))
        accepted = Limit(max=10.0, unit="V").moved(Rule().guard(m.expanded())).max
        assert accepted is not None
        drawn = np.sum([rng.uniform(-1.0, 1.0, 200_000) * math.sqrt(3.0) * u for u in halves], axis=0)
        assert np.mean(accepted + drawn > 10.0) < 0.025
