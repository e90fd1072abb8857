"""Measures of readings over time, against ramps and steps worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from rig.errors import BenchFault, UseError
from rig.metrology.measurement import Component, Measurement
from rig.metrology.power import energy
from rig.metrology.series import (
    Series,
    largest,
    mean,
    reversals,
    series,
    settling_time,
    slope,
    smallest,
    time_to,
    value_at,
    worst_difference,
    worst_excess,
)


def ramp(rate: float = 20.0, top: float = 10.0, begin: float = 1.0, step: float = 0.01, u: float = 0.0) -> Series:
    """0 until `begin`, then up by `rate` a second to `top`, held to 3 s."""
    t = np.arange(round(3 / step) + 1) * step
    return Series(t, np.clip((t - begin) * rate, 0.0, top), "A", u, step, "meter")


@pytest.mark.parametrize("rate", [5.0, 20.0, 100.0])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_slope_of_a_ramp(rate: float, sign: float) -> None:
    s = ramp(rate)
    m = slope(Series(s.t, sign * s.y, "A", 0.0, 0.01), "ramp")
    assert abs(m.value - rate) <= m.expanded()
    assert m.unit == "A/s"
    assert m.u < rate / 3


@pytest.mark.parametrize("begin", [1.0, 1.003, 1.0071])
@pytest.mark.parametrize("step", [0.002, 0.01, 0.05])
def test_slope_wherever_the_updates_fall(begin: float, step: float) -> None:
    m = slope(ramp(20.0, begin=begin, step=step), "ramp")
    assert abs(m.value - 20.0) <= m.expanded()


def test_a_step_within_one_update_is_no_steeper_than_it_can_show() -> None:
    s = ramp(rate=1e6, step=0.1, begin=1.05)
    m = slope(s, "ramp")
    assert m.value == pytest.approx(0.8 * 10.0 / (0.8 * 0.1))
    assert m.u > 0


def test_what_did_not_move_has_no_slope() -> None:
    m = slope(Series(np.arange(4.0), np.array([5.0, 5.1, 4.9, 5.1]), "A", 0.2), "ramp")
    assert (m.value, m.unit) == (0.0, "A/s")
    assert m.budget
    assert slope(Series(np.array([1.0]), np.array([5.0]), "A"), "ramp").value == 0.0


def test_time_to_a_threshold() -> None:
    s = ramp(rate=20.0)
    up = time_to(s, 5.0, "rise", since=0.5, falling=False)
    assert up.value == pytest.approx(0.75)
    assert up.unit == "s"
    assert up.at == pytest.approx(1.25)
    assert up.u == pytest.approx(0.01 / math.sqrt(12))
    down = time_to(Series(s.t, 10.0 - s.y, "A", 0.1, 0.01), 5.0, "fall", since=1.0)
    assert down.value == pytest.approx(0.25)
    assert down.u == pytest.approx(math.hypot(0.01 / math.sqrt(12), 0.1 / 20.0))


def test_time_to_counts_the_last_crossing() -> None:
    s = Series(np.arange(6.0), np.array([9.0, 1.0, 9.0, 1.0, 1.0, 1.0]), "A")
    assert time_to(s, 5.0, "t", since=0.0).value == pytest.approx(2.5)


def test_time_to_what_is_there_and_to_what_never_comes() -> None:
    s = ramp()
    assert time_to(s, 5.0, "t", since=2.0, falling=False).value == 0.0
    assert time_to(s, 5.0, "t", since=0.0).value == math.inf
    assert time_to(s, 20.0, "t", since=0.0, falling=False).value == math.inf


def test_the_start_has_its_own_uncertainty() -> None:
    assert time_to(ramp(), 5.0, "t", 0.5, False, since_u=0.1).u == pytest.approx(math.hypot(0.1, 0.01 / math.sqrt(12)))


def test_settling_into_a_band_for_good() -> None:
    t = np.arange(0.0, 3.0, 0.01)
    y = 10.0 + 5.0 * np.exp(-t / 0.2) * np.cos(20 * t)
    m = settling_time(Series(t, y, "A", 0.0, 0.01), 9.0, 11.0, "t_settle", since=0.0)
    outside = t[np.abs(y - 10.0) > 1.0]
    assert outside[-1] <= m.value <= outside[-1] + 0.01
    assert settling_time(Series(t, y + 5, "A"), 9.0, 11.0, "t", since=0.0).value == math.inf
    assert settling_time(Series(t, y, "A"), 9.0, 11.0, "t", since=2.0).value == 0.0


def test_mean_weighs_by_time() -> None:
    s = Series(np.array([0.0, 1.0, 4.0]), np.array([0.0, 2.0, 2.0]), "W", 0.3)
    m = mean(s, "p")
    assert m.value == pytest.approx((1.0 + 6.0) / 4.0)
    assert m.u >= 0.3
    assert mean(s, "p", since=1.0).value == 2.0
    assert mean(Series(np.array([1.0]), np.array([5.0]), "W"), "p").value == 5.0


def test_readings_that_are_missing_are_not_run_over() -> None:
    """Half a second late is a busy computer; four seconds of ten unseen are nothing to take a mean of."""
    t = np.arange(0.0, 10.0, 0.2)
    late, holed = (Series(kept, 100.0 + 0.0 * kept, "W") for kept in (np.delete(t, [20, 21]), t[(t < 3.0) | (t > 7.0)]))
    assert mean(late, "p").value == pytest.approx(100.0)
    for measure in (
        lambda: mean(holed, "p"),
        lambda: energy(holed, "e"),
        lambda: worst_excess(holed, replace(holed, t=t[:1], y=t[:1] + 120.0), "excess"),
    ):
        with pytest.raises(BenchFault, match=r"no reading from 2\.800 to 7\.200 s, where one comes each 0\.2 s"):
            measure()
    assert mean(holed, "p", until=2.9).value == pytest.approx(100.0)


def test_largest_and_smallest_say_when() -> None:
    s = Series(np.array([0.0, 1.0, 2.0]), np.array([3.0, 7.0, 5.0]), "V", 0.1)
    assert (largest(s, "x").value, largest(s, "x").at, largest(s, "x").u) == (7.0, 1.0, 0.1)
    assert (smallest(s, "x", since=0.5).value, smallest(s, "x", since=0.5).at) == (5.0, 2.0)


# --- a limit that moves ------------------------------------------------------------------------------------------


def limit(*entries: tuple[float, float]) -> Series:
    return Series(np.array([t for t, _ in entries]), np.array([y for _, y in entries]), "A")


def held(value: float, step: float = 0.1, end: float = 5.0) -> Series:
    t = np.arange(round(end / step) + 1) * step
    return Series(t, np.full_like(t, value), "A", 0.05, step)


def test_excess_over_a_constant_limit() -> None:
    m = worst_excess(held(12.0), limit((0.0, 15.0)), "excess")
    assert m.value == pytest.approx(-3.0)
    assert m.u == pytest.approx(0.05)


def test_a_rise_of_the_limit_counts_at_once_and_a_fall_too_without_allowance() -> None:
    assert worst_excess(held(12.0), limit((0.0, 15.0), (2.0, 5.0)), "excess").value == pytest.approx(7.0)
    assert worst_excess(held(12.0), limit((1.0, 5.0), (2.0, 15.0)), "excess").value == pytest.approx(7.0)
    m = worst_excess(held(12.0), limit((2.0, 15.0)), "excess")
    assert m.value == pytest.approx(-3.0)  # what was before the first entry is not looked at


def test_delay_and_ramp_after_a_fall() -> None:
    """15 A until 2 s, then 5 A: allowed 15 A to 2.5 s, then down by 20 A/s, so 5 A from 3.0 s."""
    falling = limit((0.0, 15.0), (2.0, 5.0))
    t = np.arange(0.0, 5.0, 0.01)
    allowed = np.where(t < 2.5, 15.0, np.maximum(5.0, 15.0 - 20.0 * (t - 2.5)))
    on_it = Series(t, allowed, "A", 0.0, 0.01)
    assert worst_excess(on_it, falling, "excess", ramp=20.0, delay=0.5).value == pytest.approx(0.0, abs=1e-9)
    above = Series(t, allowed + np.where(np.abs(t - 2.75) < 0.005, 0.4, 0.0), "A", 0.0, 0.01)
    m = worst_excess(above, falling, "excess", ramp=20.0, delay=0.5)
    assert (m.value, m.at) == (pytest.approx(0.4), pytest.approx(2.75))
    assert worst_excess(on_it, falling, "excess", delay=0.5).value > 5.0


def test_a_second_fall_starts_from_what_was_allowed_then() -> None:
    """15 to 5 A at 2 s with 10 A/s, and to 0 A at 2.5 s, when still 10 A were allowed."""
    falling = limit((0.0, 15.0), (2.0, 5.0), (2.5, 0.0))
    t = np.arange(0.0, 5.0, 0.01)
    allowed = np.where(t < 2.0, 15.0, np.maximum(0.0, 15.0 - 10.0 * (t - 2.0)))
    assert worst_excess(Series(t, allowed, "A"), falling, "x", ramp=10.0).value == pytest.approx(0.0, abs=1e-9)


def test_delay_only() -> None:
    falling = limit((0.0, 15.0), (2.0, 5.0))
    t = np.arange(0.0, 5.0, 0.01)
    kept = np.where(t <= 2.5, 15.0, 5.0)
    assert worst_excess(Series(t, kept, "A"), falling, "x", delay=0.5 + 1e-9).value == pytest.approx(0.0, abs=1e-9)


# --- what is refused ---------------------------------------------------------------------------------------------


def test_series_of_measurements() -> None:
    ms = [
        Measurement("p", value, "W", (Component("c", u, "normal", "s"),), "meter", at, (digest,))
        for value, u, at, digest in ((2.0, 0.2, 1.0, "b"), (1.0, 0.1, 0.0, "a"), (3.0, 0.1, 2.0, "a"))
    ]
    s = series(ms, interval=0.5)
    assert s.y.tolist() == [1.0, 2.0, 3.0]
    assert (s.u, s.unit, s.step, s.source, s.of) == (0.2, "W", 0.5, "meter", ("a", "b"))


def test_what_is_no_series() -> None:
    with pytest.raises(UseError, match="same length"):
        Series(np.arange(3.0), np.arange(2.0), "A")
    with pytest.raises(UseError, match="one reading at least"):
        Series(np.empty(0), np.empty(0), "A")
    with pytest.raises(UseError, match="times go back"):
        Series(np.array([1.0, 0.0]), np.zeros(2), "A")
    with pytest.raises(BenchFault, match="no number"):
        Series(np.arange(2.0), np.array([1.0, math.nan]), "A")
    with pytest.raises(UseError, match="no reading given"):
        series([])
    with pytest.raises(UseError, match="units differ"):
        series([Measurement("a", 1.0, "V"), Measurement("a", 1.0, "A")])
    with pytest.raises(BenchFault, match="no reading from 10 to"):
        mean(held(1.0), "x", since=10.0)
    with pytest.raises(UseError, match="give both in one unit"):
        worst_excess(held(1.0), Series(np.zeros(1), np.zeros(1), "V"), "x")


# --- one series beside another ------------------------------------------------------------------------------------


def test_a_step_within_one_update_is_at_least_as_steep_as_two_updates_allow() -> None:
    """Its budget never reaches below what is certain: the step lies within the two updates about it."""
    for step in (0.01, 0.02, 0.05):
        m = slope(ramp(rate=1e6, step=step, begin=1.0 + step / 2), "ramp")
        certain = 0.8 * 10.0 / (2 * step)
        assert certain * 0.7 < m.value - m.expanded() < m.value


def test_signs_and_floors() -> None:
    s = Series(np.arange(3.0), np.array([-3.0, 0.2, 3.0]), "A", 0.1, 0.5, "meter", ("digest",))
    assert s.magnitude.y.tolist() == [3.0, 0.2, 3.0]
    assert s.reversed.y.tolist() == [3.0, -0.2, -3.0]
    assert s.at_least(0.5).y.tolist() == [0.5, 0.5, 3.0]
    for made in (s.magnitude, s.reversed, s.at_least(0.0)):
        assert (made.u, made.interval, made.source, made.of) == (0.1, 0.5, "meter", ("digest",))


def test_held_holds_from_one_entry_to_the_next() -> None:
    s = limit((1.0, 10.0), (2.0, 20.0))
    assert s.held(np.array([0.0, 1.0, 1.9, 2.0, 9.0])).tolist() == [10.0, 10.0, 10.0, 20.0, 20.0]


def test_readings_while_another_series_lies_in_a_band() -> None:
    volts = Series(np.arange(4.0), np.array([280.0, 270.0, 260.0, 250.0]), "V")
    current = Series(np.arange(4.0), np.array([-20.0, -20.0, 0.0, -5.0]), "A")
    assert volts.where(current, high=-1.0).y.tolist() == [280.0, 270.0, 250.0]
    with pytest.raises(BenchFault, match="no reading while"):
        volts.where(current, low=1.0)


def test_value_at_an_instant() -> None:
    s = Series(np.array([0.0, 1.0, 2.0]), np.array([0.0, 100.0, 100.0]), "V", 0.5, 0.02)
    steep = value_at(s, "v", 0.25)
    assert (steep.value, steep.at) == (25.0, 0.25)
    assert steep.u == pytest.approx(math.hypot(0.5, 100.0 * 0.02 / math.sqrt(12)))
    flat = value_at(s, "v", 1.5)
    assert (flat.value, flat.u) == (100.0, 0.5)
    assert value_at(s, "v", 2.0).value == 100.0
    with pytest.raises(BenchFault, match="record longer"):
        value_at(s, "v", 2.1)


def test_what_is_told_against_what_is_measured() -> None:
    measured = Series(np.arange(5.0), np.array([300.0, 300.0, 301.0, 310.0, 310.0]), "V", 0.3)
    told = Series(np.array([1.0, 4.0]), np.array([300.0, 311.0]), "V", 0.0, 0.1, "109.1-2")
    m = worst_difference(measured, told, "report", digit=1.0)
    assert (m.value, m.at, m.unit) == (-10.0, 3.0, "V")
    assert m.u == pytest.approx(math.hypot(0.3, 1.0 / math.sqrt(12)))
    with pytest.raises(UseError, match="one unit"):
        worst_difference(measured, Series(told.t, told.y, "A"), "report")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([5.0, 5.0, 0.1], 0),
        ([5.0, 0.2, -0.2, 5.0], 0),
        ([5.0, 0.0, -5.0], 1),
        ([5.0, -5.0, 5.0, 0.0, -5.0], 3),
        ([0.1, -0.1], 0),
    ],
)
def test_reversals_between_directions(values: list[float], expected: int) -> None:
    m = reversals(Series(np.arange(float(len(values))), np.array(values), "A"), 1.0)
    assert (m.name, m.value, m.unit, m.u) == ("reversals", expected, "1", 0.0)
