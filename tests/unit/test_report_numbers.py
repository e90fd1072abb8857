"""Values as a report prints them, and lines of few points."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.decimate import min_max, stepped
from reports.gauge import gauge
from reports.numbers import bounds, per_cent, quantity, span, tick_text, ticks, with_u
from rig.evidence.documents import Bounds, Judged


@pytest.mark.parametrize(
    ("value", "u", "unit", "shown"),
    [
        (0.01824, 0.00049, "s", "18.24 ± 0.49 ms"),
        (5962.0, 22.4, "W", "5.962 ± 0.022 kW"),
        (200.0, 0.62, "V", "200.00 ± 0.62 V"),
        (0.9031, 0.0058, "1", "0.9031 ± 0.0058"),
        (-0.0001, 0.02, "A", "0 ± 20 mA"),
        (12.0, 0.0, "A", "12 A"),
        (math.inf, 0.1, "s", "never"),
        (math.nan, 0.1, "V", "no number"),
        (20.0, 1.5, "deg", "20.0 ± 1.5°"),
    ],
)
def test_a_value_has_the_digits_its_uncertainty_deserves(value: float, u: float, unit: str, shown: str) -> None:
    assert with_u(value, u, unit) == shown


@pytest.mark.parametrize(
    ("low", "high", "unit", "shown"),
    [
        (None, 0.02, "s", "≤ 20 ms"),
        (6000.0, None, "W", "≥ 6 kW"),
        (188.0, 212.0, "V", "188 to 212 V"),
        (0.0, 0.0, "1", "= 0"),
        (None, None, "s", "no limit"),
    ],
)
def test_a_limit_in_words(low: float | None, high: float | None, unit: str, shown: str) -> None:
    assert bounds(low, high, unit) == shown


def test_small_words() -> None:
    assert [span(0.42), span(192), span(7500)] == ["0.42 s", "3 min 12 s", "2 h 05 min"]
    assert [per_cent(0.885), per_cent(0.99999), per_cent(1e-9), per_cent(math.nan)] == [
        "88.5 %", "> 99.9 %", "< 0.1 %", "not stated",
    ]  # fmt: skip
    assert quantity(450.0, "V") == "450 V"


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(2, 12))
def test_ticks_are_inside_and_about_as_many_as_asked(low: float, width: float, about: int) -> None:
    step, found = ticks(low, low + width, about)
    assert all(low - step * 1e-6 <= one <= low + width + step * 1e-6 for one in found)
    assert width / step <= max(about * 1.01, 2.5)
    assert [tick_text(one, step) for one in found]


@given(st.integers(0, 49_999), st.integers(5, 300))
def test_a_spike_of_one_sample_is_never_lost(place: int, columns: int) -> None:
    t = np.arange(50_000) / 50e3
    values = np.sin(2 * np.pi * 50 * t)
    values[place] = 7.0
    times, kept = min_max(t, values, 0.0, 1.0, columns)
    assert kept.max() == 7.0
    assert len(kept) <= 2 * (columns + 2)
    assert abs(times[kept.argmax()] - t[place]) <= 1.0 / columns
    assert np.all(np.diff(times) >= 0)


def test_few_samples_come_back_as_they_are_with_one_on_either_side() -> None:
    t = np.arange(100.0)
    times, kept = min_max(t, t * 2, 40.0, 60.0, 50)
    assert times.tolist() == list(range(39, 62))
    assert kept.tolist() == [2 * one for one in range(39, 62)]


def test_a_gap_stays_a_gap_and_a_step_holds() -> None:
    t = np.arange(1000.0)
    values = np.where((t > 300) & (t < 600), np.nan, 1.0)
    _, kept = min_max(t, values, 0.0, 999.0, 50)
    assert np.isnan(kept).any()
    assert np.nanmax(kept) == 1.0
    times, held = stepped(np.array([0.0, 1.0, 2.0]), np.array([5.0, 6.0, 7.0]))
    assert list(zip(times, held, strict=True)) == [(0, 5), (1, 5), (1, 6), (2, 6), (2, 7)]


def judged(value: float, limit: Bounds, acceptance: Bounds, u: float) -> Judged:
    return Judged(
        requirement="A", quantity="q", verdict="PASS", measurement=0, limit=limit, acceptance=acceptance, expanded=u,
        k=2.0, rule="", claim="", margin=0.0, probability=1.0, reason="",
    )  # fmt: skip


@pytest.mark.parametrize("value", [0.0, 18.0, 19.8, 25.0, 1e9, -3.0, math.inf, -math.inf, math.nan])
@pytest.mark.parametrize(
    ("limit", "acceptance"),
    [
        (Bounds(max=20.0), Bounds(max=19.5)),
        (Bounds(min=20.0), Bounds(min=20.5)),
        (Bounds(min=10.0, max=20.0), Bounds(min=10.5, max=19.5)),
        (Bounds(max=20.0), Bounds(max=23.0)),
        (Bounds(), Bounds()),
        (Bounds(max=0.0), Bounds(max=0.0)),
    ],
)
@pytest.mark.parametrize("u", [0.0, 0.5, math.inf, math.nan])
def test_a_gauge_stays_inside_its_box(value: float, limit: Bounds, acceptance: Bounds, u: float) -> None:
    drawn = str(gauge(value, judged(value, limit, acceptance, u), (value, 1.0)))
    assert "nan" not in drawn
    assert "inf" not in drawn.replace("infinite", "")
    dots = [float(one.split('"')[0]) for one in drawn.split('cx="')[1:]]
    assert all(0 <= one <= 260 for one in dots)
    assert len(dots) == math.isfinite(value)
