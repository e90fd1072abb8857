"""Steps and ramps with known rise, overshoot and slope; uncertainties against the spread over seeds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rig.errors import BenchFault, UseError
from rig.metrology.measurement import Measurement
from rig.metrology.series import Series
from rig.metrology.step import (
    departure,
    overshoot,
    ramp_departure,
    ramp_slope,
    rise_time,
    step,
    step_size,
    undershoot,
)


def response(damping: float, noise: float = 0.0, seed: int = 0, size: float = 10.0, rate: float = 500.0) -> Series:
    """A second-order step of `size` at 1 s from 2.0, natural frequency 20 rad/s."""
    t = np.arange(round(4 * rate)) / rate
    since = np.maximum(t - 1.0, 0.0)
    if damping < 1:
        wd = 20.0 * math.sqrt(1 - damping**2)
        swing = np.cos(wd * since) + damping / math.sqrt(1 - damping**2) * np.sin(wd * since)
        y = 2.0 + size * (1 - np.exp(-damping * 20.0 * since) * swing)
    else:
        y = 2.0 + size * (1 - np.exp(-20.0 * since))
    y = y + noise * np.random.default_rng(seed).normal(size=len(t))
    return Series(t, y, "A", 0.0, 1 / rate, "meter")


def covered(read: list[Measurement], truth: float) -> float:
    return float(np.mean([abs(m.value - truth) <= m.expanded() for m in read]))


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_size_and_rise_of_a_first_order_step(sign: float) -> None:
    x = step(response(1.0, size=10.0 * sign), at=1.0, level=0.5)
    assert step_size(x, "size").value == pytest.approx(10.0 * sign, abs=1e-6)
    rise = rise_time(x, "rise")
    truth = math.log(9.0) / 20.0
    assert abs(rise.value - truth) <= rise.expanded()
    assert rise.unit == "s"
    assert rise.u < 2e-3
    assert rise_time(x, "to half", 0.1, 0.5).value == pytest.approx(math.log(0.9 / 0.5) / 20.0, abs=2e-3)


@pytest.mark.parametrize("damping", [0.2, 0.5, 0.7])
def test_overshoot_of_a_second_order_step(damping: float) -> None:
    m = overshoot(step(response(damping), at=1.0, level=0.5))
    assert m.value == pytest.approx(math.exp(-math.pi * damping / math.sqrt(1 - damping**2)), abs=2e-3)
    assert m.unit == "1"


def test_no_overshoot_is_nought() -> None:
    x = step(response(1.0), at=1.0, level=0.5)
    assert overshoot(x).value == pytest.approx(0.0, abs=1e-9)
    assert undershoot(x).value == 0.0


def test_undershoot() -> None:
    s = response(1.0)
    dipped = Series(s.t, s.y - np.where((s.t > 1.0) & (s.t < 1.004), 1.5, 0.0), "A", 0.0, s.interval)
    m = undershoot(step(dipped, at=1.0, level=0.5))
    assert m.value == pytest.approx(0.15 - 0.04, abs=0.01)


def test_uncertainties_hold_over_noisy_runs() -> None:
    noise = 0.1
    steps = [step(response(0.5, noise, seed), at=1.0, level=0.5) for seed in range(60)]
    assert covered([step_size(x, "size") for x in steps], 10.0) >= 0.9
    clean = rise_time(step(response(0.5), at=1.0, level=0.5), "rise").value
    assert covered([rise_time(x, "rise") for x in steps], clean) >= 0.9
    peak = math.exp(-math.pi * 0.5 / math.sqrt(0.75))
    read = [overshoot(x) for x in steps]
    assert covered(read, peak) >= 0.9
    assert max(m.expanded() for m in read) < 0.1


def test_what_is_no_step() -> None:
    flat = Series(np.arange(400) / 100, np.random.default_rng(1).normal(5.0, 0.1, 400), "A", 0.0, 0.01)
    with pytest.raises(BenchFault, match="no step at 1 s"):
        step(flat, at=1.0, level=0.5)
    with pytest.raises(BenchFault, match="too few readings"):
        step(response(1.0), at=1.0, level=0.003)
    t = np.arange(400) / 100
    noisy = Series(t, np.where(t < 2, 0.0, 1.0) + np.resize([-1.2, 1.2], 400), "A", 0.0, 0.01)
    with pytest.raises(BenchFault, match="noise hides where the step passes 10%"):
        rise_time(step(noisy, at=2.0, level=1.9), "rise")
    with pytest.raises(UseError, match="is no rise"):
        rise_time(step(response(1.0), 1.0, 0.5), "rise", 0.9, 0.1)


def test_how_constant() -> None:
    t = np.arange(1000) / 100
    s = Series(t, 5.0 + 0.2 * np.sin(2 * math.pi * t), "V", 0.05, 0.01)
    m = departure(s, "ripple")
    assert m.value == pytest.approx(0.2, rel=1e-3)
    assert m.unit == "V"
    assert departure(s, "ripple", since=2.0, until=2.0).value == 0.0


@pytest.mark.parametrize("slope", [20.0, -100.0, 0.5])
def test_slope_of_a_noisy_ramp(slope: float) -> None:
    t = np.arange(0.0, 1.0, 0.01)
    read = []
    for seed in range(60):
        noise = np.random.default_rng(seed).normal(0.0, 0.05, len(t))
        read.append(ramp_slope(Series(t, 3.0 + slope * t + noise, "A", 0.0, 1e-6), "ramp"))
    assert covered(read, slope) >= 0.9
    assert read[0].unit == "A/s"
    spread = float(np.std([m.value for m in read], ddof=1))
    assert read[0].u == pytest.approx(spread, rel=0.35)


def test_the_stamps_of_a_steep_ramp_count() -> None:
    rng = np.random.default_rng(2)
    t = np.arange(0.0, 1.0, 0.01)
    read = [
        ramp_slope(Series(t, 100.0 * (t + rng.uniform(-0.005, 0.005, len(t))), "A", 0.0, 0.01), "ramp")
        for _ in range(60)
    ]
    assert covered(read, 100.0) >= 0.9


def test_how_straight() -> None:
    t = np.arange(0.0, 1.0, 0.001)
    bent = 10.0 * t + np.where(np.abs(t - 0.5) < 0.0005, 0.7, 0.0)
    m = ramp_departure(Series(t, bent, "A"), "departure")
    assert m.value == pytest.approx(0.7, rel=0.01)
    assert m.at == pytest.approx(0.5)


def test_what_is_no_line() -> None:
    for measure in (ramp_slope, ramp_departure):
        with pytest.raises(BenchFault, match="make no line"):
            measure(Series(np.arange(3.0), np.arange(3.0), "A"), "x")
        with pytest.raises(BenchFault, match="make no line"):
            measure(Series(np.zeros(5), np.arange(5.0), "A"), "x")
