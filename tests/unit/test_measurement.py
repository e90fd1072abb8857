"""A measurement and its budget (JCGM 100, 5.1.2)."""

from __future__ import annotations

import math

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
