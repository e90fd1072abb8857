"""A measurement and its budget (JCGM 100, 5.1.2)."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rig.metrology.measurement import Component, Measurement
from rig.metrology.timing import duration


def test_budget_adds_in_squares_with_sensitivities() -> None:
    budget = (
        Component("a", 0.3, "normal", "certificate", 2.0),
        Component("b", 0.8, "rectangular", "data sheet", -1.0),
    )
    m = Measurement("x", 1.0, "V", budget)
    assert [c.contribution for c in budget] == [0.6, 0.8]
    assert m.u == pytest.approx(1.0)
    assert m.expanded() == pytest.approx(2.0)
    assert m.expanded(3.0) == pytest.approx(3.0)


def test_no_budget_is_no_uncertainty() -> None:
    assert Measurement("x", 1.0, "V").u == 0.0


def test_example_budget_of_a_voltmeter() -> None:
    """standards.md 5: 0.5 V limit of error, divider 0.1 % at k = 2, repeatability 0.05 V at 200 V -> U 0.62 V."""
    budget = (
        Component("analyzer", 0.5 / math.sqrt(3), "rectangular", "data sheet"),
        Component("divider", 0.1, "normal", "certificate"),
        Component("repeatability", 0.05, "normal", "readings"),
    )
    assert Measurement("u", 200.0, "V", budget).expanded() == pytest.approx(0.62, abs=0.005)


def test_renaming_changes_the_name_only() -> None:
    m = Measurement("x", 1.0, "V", (Component("a", 0.1, "normal", "s"),), "meter", 3.0, ("digest",))
    assert m.named("y") == Measurement("y", 1.0, "V", m.budget, "meter", 3.0, ("digest",))


def test_duration_between_two_instants() -> None:
    m = duration("t_x", 1.5, 2.0, 0.003, 0.004, "stamps")
    assert (m.value, m.unit, m.at) == (0.5, "s", 2.0)
    assert m.u == pytest.approx(0.005)
    assert duration("t_x", 1.0, math.inf, 0.003, 0.004).value == math.inf


# --- few degrees of freedom --------------------------------------------------------------------------------------


def test_effective_degrees_of_freedom_of_the_end_gauge() -> None:
    """JCGM 100, H.1: u = 32 nm with 16 degrees of freedom, U99 = 93 nm."""
    budget = (
        Component("standard", 25.0, "normal", "certificate", dof=18),
        Component("comparator", 9.7, "normal", "readings", dof=25.6),
        Component("difference of expansion", 2.9, "rectangular", "limit", dof=50),
        Component("difference of temperature", 16.6, "rectangular", "limit", dof=2),
    )
    m = Measurement("l", 50_000_838.0, "m", budget)
    assert m.u == pytest.approx(32, abs=0.5)
    assert int(m.dof) == 16
    k99 = 2.5758  # normal, 99 %
    assert m.factor(k99) == pytest.approx(2.92, abs=0.03)
    assert m.expanded(k99) == pytest.approx(93, abs=1)


@pytest.mark.parametrize(("dof", "k"), [(1, 13.97), (2, 4.53), (5, 2.65), (10, 2.28), (20, 2.13), (50, 2.05)])
def test_coverage_factors_of_the_t_table(dof: float, k: float) -> None:
    """JCGM 100, table G.2, for 95.45 %."""
    m = Measurement("x", 0.0, "V", (Component("scatter", 2.0, "normal", "readings", dof=dof),))
    assert m.factor() == pytest.approx(k, abs=0.005)
    assert m.expanded() == pytest.approx(2 * k, abs=0.01)


def test_endless_degrees_of_freedom_leave_k_alone() -> None:
    m = Measurement("x", 0.0, "V", (Component("a", 3.0, "normal", "s"), Component("b", 0.0, "normal", "s", dof=3)))
    assert m.dof == math.inf
    assert (m.factor(), m.factor(3.0)) == (2.0, 3.0)


def test_the_spread_of_a_single_reading_is_no_uncertainty_at_all() -> None:
    m = Measurement("x", 0.0, "V", (Component("scatter", 1.0, "normal", "one reading", dof=0),))
    assert m.expanded() == math.inf
    assert Measurement("x", 0.0, "V", (Component("scatter", 0.0, "normal", "one reading", dof=0),)).expanded() == 0.0


def test_coverage_by_experiment() -> None:
    """Means of four readings, 20,000 times: U covers the truth in 95.45 %, which k = 2 alone would not."""
    rng = np.random.default_rng(11)
    drawn = rng.normal(10.0, 1.0, (20_000, 4))
    u = np.std(drawn, axis=1, ddof=1) / 2
    k = Measurement("x", 0.0, "V", (Component("scatter", 1.0, "normal", "4 readings", dof=3),)).factor()
    error = np.abs(np.mean(drawn, axis=1) - 10.0)
    assert np.mean(error <= k * u) == pytest.approx(0.9545, abs=0.005)
    assert np.mean(error <= 2 * u) < 0.90
