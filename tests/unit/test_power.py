"""Efficiency, energy and power factor: values by hand, uncertainties by Monte Carlo (JCGM 101) with a fixed seed."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rig.errors import BenchFault, UseError
from rig.metrology.measurement import Component, Measurement
from rig.metrology.power import CEC, EURO, efficiency, energy, power_factor, weighted_efficiency
from rig.metrology.series import Series

TRIALS = 200_000


def reading(name: str, value: float, u: float, unit: str = "W", at: float = 0.0) -> Measurement:
    return Measurement(name, value, unit, (Component(name, u, "normal", "analyzer"),), name, at, (name,))


def spread(values: np.ndarray) -> float:
    return float(np.std(values, ddof=1))


def test_efficiency_and_its_uncertainty_by_monte_carlo() -> None:
    """standards.md 5: P_AC 0.20 %, P_DC 0.25 % give 0.58 points at 90 % (k = 2)."""
    out, taken = reading("ac", 5400.0, 5400.0 * 0.002, at=1.0), reading("dc", -6000.0, 6000.0 * 0.0025, at=2.0)
    m = efficiency(out, taken)
    assert (m.value, m.unit, m.at, m.of) == (pytest.approx(0.9), "1", 2.0, ("ac", "dc"))
    assert m.expanded() == pytest.approx(0.0058, abs=1e-4)
    rng = np.random.default_rng(3)
    drawn = rng.normal(out.value, out.u, TRIALS) / -rng.normal(taken.value, taken.u, TRIALS)
    assert m.u == pytest.approx(spread(drawn), rel=0.01)


def test_power_factor_by_monte_carlo() -> None:
    p, s = reading("p", -2900.0, 9.0), reading("s", 3000.0, 6.0, "VA")
    m = power_factor(p, s)
    assert m.value == pytest.approx(2900 / 3000)
    rng = np.random.default_rng(4)
    drawn = -rng.normal(p.value, p.u, TRIALS) / rng.normal(s.value, s.u, TRIALS)
    assert m.u == pytest.approx(spread(drawn), rel=0.01)


@pytest.mark.parametrize("correlation", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("weights", [EURO, CEC])
def test_weighted_efficiency_by_monte_carlo(weights: dict[float, float], correlation: float) -> None:
    """What all points share, one analyzer's gain, is not averaged out."""
    assert math.fsum(weights.values()) == pytest.approx(1.0)
    points = {load: reading(f"{load}", 0.8 + 0.1 * load, 0.002 + 0.001 * load, "1", load) for load in weights}
    m = weighted_efficiency(points, weights, correlation=correlation)
    assert m.value == pytest.approx(math.fsum(w * (0.8 + 0.1 * load) for load, w in weights.items()))
    rng = np.random.default_rng(5)
    shared = math.sqrt(correlation) * rng.standard_normal(TRIALS)
    drawn = sum(
        w * points[load].u * (shared + math.sqrt(1 - correlation) * rng.standard_normal(TRIALS))
        for load, w in weights.items()
    )
    assert m.u == pytest.approx(spread(np.asarray(drawn)), rel=0.01)
    assert weighted_efficiency(points, weights).u == pytest.approx(
        math.fsum(w * points[load].u for load, w in weights.items())
    )
    with pytest.raises(UseError, match="cannot be of all points"):
        weighted_efficiency(points, weights, correlation=-0.5)
    with pytest.raises(UseError, match="no efficiency at 100%; measure these too"):
        weighted_efficiency({load: p for load, p in points.items() if load < 1.0}, weights)


def test_energy_by_monte_carlo() -> None:
    """A reading that is wrong by the same all along, and a window whose ends are known to an update."""
    t = np.arange(0.0, 60.5, 0.5)
    power = 3000.0 + 500.0 * np.sin(t / 10)
    m = energy(Series(t, power, "W", 8.0, 0.5), "e")
    assert m.value == pytest.approx(3000.0 * 60 + 5000.0 * (1 - math.cos(6.0)), rel=1e-4)
    assert m.unit == "J"
    rng = np.random.default_rng(6)
    ends = rng.uniform(-0.25, 0.25, (2, TRIALS))
    drawn = m.value + 60.0 * rng.normal(0.0, 8.0, TRIALS) + power[0] * ends[0] + power[-1] * ends[1]
    assert spread(drawn) <= m.u <= 1.15 * spread(drawn)


def test_energy_of_a_window() -> None:
    s = Series(np.arange(0.0, 10.0), np.full(10, 100.0), "W")
    assert energy(s, "e", since=2.0, until=7.0).value == pytest.approx(500.0)


def test_what_cannot_be_divided_or_added() -> None:
    with pytest.raises(UseError, match="give both in one unit"):
        efficiency(reading("a", 1.0, 0.1), reading("b", 1.0, 0.1, "J"))
    with pytest.raises(UseError, match="needs W and VA, got W and W"):
        power_factor(reading("a", 1.0, 0.1), reading("b", 1.0, 0.1))
    for nothing in (0.0, math.nan, math.inf):
        with pytest.raises(BenchFault, match="nothing to divide by"):
            efficiency(reading("a", 1.0, 0.1), reading("b", nothing, 0.1))
    with pytest.raises(UseError, match="energy is made from W, got A"):
        energy(Series(np.arange(2.0), np.ones(2), "A"), "e")


@pytest.mark.parametrize("correlation", [-1.0, -0.5, 0.3, 0.9, 1.0])
def test_correlated_inputs_by_monte_carlo(correlation: float) -> None:
    """Two channels that share a reference: what they share drops out of their ratio (JCGM 100, 5.2.2)."""
    out, taken = reading("ac", 5400.0, 12.0), reading("dc", 6000.0, 15.0)
    m = efficiency(out, taken, correlation=correlation)
    rng = np.random.default_rng(8)
    both = [[out.u**2, correlation * out.u * taken.u], [correlation * out.u * taken.u, taken.u**2]]
    drawn = rng.multivariate_normal([out.value, taken.value], both, TRIALS)
    assert m.u == pytest.approx(spread(drawn[:, 0] / drawn[:, 1]), rel=0.01)
    assert (m.u < efficiency(out, taken).u) is (correlation > 0)


def test_errors_that_are_wholly_shared_and_alike_cancel() -> None:
    assert efficiency(reading("a", 900.0, 9.0), reading("b", 1000.0, 10.0), correlation=1.0).u == pytest.approx(0.0)
    with pytest.raises(UseError, match=r"correlation of 1\.5 cannot be"):
        efficiency(reading("a", 1.0, 0.1), reading("b", 1.0, 0.1), correlation=1.5)
