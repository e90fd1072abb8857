"""A direct current at an instant, against currents whose true course is known: steady, falling, cut by a contact."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from rig.errors import BenchFault, UseError
from rig.metrology.direct import course, last_before, level_at, zeroed
from rig.metrology.series import Series, slope, time_to
from rig.metrology.wave import Floats, Wave

START, RATE = 50.0, 12_500.0
CUT = 51.0
Course = Callable[[Floats], Floats]


def probe(
    true: Course,
    *,
    seconds: float = 3.0,
    gain: float = 0.0,
    zero: float = 0.0,
    noise: float = 0.0,
    late: float = 0.0,
    seed: int = 1,
) -> Wave:
    """What a probe with these errors shows. late: s, the record says it began so much later than it did."""
    t = START + np.arange(round(seconds * RATE)) / RATE
    values = (1.0 + gain) * true(t - late) + zero + noise * np.random.default_rng(seed).normal(size=t.size)
    return Wave(
        values.astype(np.float32),
        RATE,
        START,
        resolution=1.5e-3,
        gain_u=0.0141 / math.sqrt(3),
        unit="A",
        offset_u=2.0 / math.sqrt(3),
        start_u=1e-3 / math.sqrt(3),
        source="probe dc_i",
        of=("digest",),
    )


def cut_while_falling(slope: float, at_cut: float) -> Course:
    """A: falls by slope (A/s) through at_cut at CUT, where a contact takes it to 0."""

    def course(t: Floats) -> Floats:
        return np.where(t < CUT, at_cut + slope * (CUT - t), 0.0)

    return course


@pytest.mark.parametrize("amperes", [0.0, 4.5, -12.0, 30.0])
def test_a_steady_current_is_what_it_is(amperes: float) -> None:
    m = level_at(probe(lambda t: np.full_like(t, amperes)), "current", 51.5)
    assert m.value == pytest.approx(amperes, abs=1e-4)
    assert (m.unit, m.of, m.at, m.source) == ("A", ("digest",), 51.5, "probe dc_i")


@pytest.mark.parametrize("fall", [20.0, 150.0, 400.0])
@pytest.mark.parametrize("at_cut", [0.5, 4.5, 12.0])
def test_what_a_contact_cuts_is_carried_on_to_its_moment(fall: float, at_cut: float) -> None:
    """Although the samples about the moment itself are not used: the contact may have opened before its stamp."""
    m = level_at(probe(cut_while_falling(fall, at_cut)), "current", CUT, 0.5e-3)
    assert m.value == pytest.approx(at_cut, abs=1e-3)
    instant = next(line for line in m.budget if line.name == "instant")
    assert instant.contribution == pytest.approx(fall * math.hypot(0.5e-3, 1e-3 / math.sqrt(3)), rel=1e-3)


def test_a_lag_bends_the_way_down_and_the_budget_knows() -> None:
    """An exponential of 100 ms from 25 A: what a straight line of 20 ms misses is in the budget."""

    def true(t: Floats) -> Floats:
        return np.where(t < CUT, 25.0 * np.exp(-(t - 50.8) / 0.1), 0.0)

    m = level_at(probe(true), "current", CUT, 0.3e-3)
    expected = 25.0 * math.exp(-2.0)
    assert abs(m.value - expected) <= m.expanded()
    assert abs(m.value - expected) < 0.15


def test_the_budget_covers_probes_and_stamps_of_all_kinds() -> None:
    rng, inside, ratios = np.random.default_rng(5), 0, []
    for n in range(400):
        fall, at_cut = rng.uniform(0.0, 250.0), rng.uniform(0.0, 15.0)
        late, stamp_u = rng.uniform(-1e-3, 1e-3), 1e-3 / math.sqrt(3)
        wave = probe(
            cut_while_falling(fall, at_cut),
            gain=rng.uniform(-0.0141, 0.0141),
            zero=rng.uniform(-2.0, 2.0),
            noise=0.02,
            late=late,
            seed=n,
        )
        stamped = CUT + rng.uniform(-1e-3, 1e-3)
        m = level_at(zeroed(wave, CUT + 0.05), "current", stamped, stamp_u)
        off = abs(m.value - at_cut) / m.expanded()
        ratios.append(off)
        inside += off <= 1.0
    assert inside >= 0.95 * 400
    assert max(ratios) > 0.6  # and no budget that covers everything


# -- the zero


def test_an_open_circuit_shows_the_zero() -> None:
    wave = probe(cut_while_falling(0.0, 6.0), zero=1.4, noise=0.02)
    assert level_at(wave, "current", CUT).value == pytest.approx(7.4, abs=0.02)
    better = zeroed(wave, CUT + 0.05)
    m = level_at(better, "current", CUT)
    assert m.value == pytest.approx(6.0, abs=0.02)
    assert better.offset_u < 1e-3
    assert m.expanded() < 0.2 < level_at(wave, "current", CUT).expanded()


def test_what_is_no_zero_is_not_taken_off() -> None:
    """5 A flow on where the circuit is said to be open: more than a zero can be off."""
    wave = probe(lambda t: np.full_like(t, 5.0))
    assert zeroed(wave, CUT) is wave
    assert zeroed(wave, START + 2.9999) is wave  # too short a stretch


# -- what cannot be


def test_an_instant_the_record_does_not_lead_up_to_is_refused() -> None:
    wave = probe(lambda t: np.full_like(t, 5.0), seconds=1.0)
    for at in (START + 0.01, START - 1.0, START + 1.5):
        with pytest.raises(BenchFault, match="record longer"):
            level_at(wave, "current", at)
    with pytest.raises(UseError, match="take a longer one"):
        course(wave, 1e-6)


# -- as readings


def test_means_of_a_millisecond_show_slope_and_time() -> None:
    def true(t: Floats) -> Floats:
        return np.clip(25.0 - 150.0 * (t - CUT), 0.0, 25.0)

    s = course(probe(true, noise=0.02)).magnitude
    assert s.step == pytest.approx(1e-3, abs=1e-4)
    fell = slope(s, "ramp_down", CUT - 0.1, CUT + 0.5)
    assert fell.value == pytest.approx(150.0, rel=5e-3)
    down = time_to(s, 5.0, "time_to_5A", CUT)
    assert down.value == pytest.approx(20.0 / 150.0, abs=1e-3)


# -- readings of the past


@pytest.mark.parametrize("fall", [0.0, 20.0, 150.0])
@pytest.mark.parametrize("phase", [0.0, 0.003, 0.011, 0.019])
def test_the_last_reading_is_wrong_by_what_an_update_changes(fall: float, phase: float) -> None:
    """A meter of 20 ms updates, looked at when it pleases: the budget reaches the truth."""
    ends: Floats = START + phase + 0.02 * np.arange(60, dtype=np.float64)
    true = cut_while_falling(fall, 6.0)
    windows = ends[:, None] + np.linspace(-0.02, -1e-6, 200)
    shown: Floats = true(windows).mean(axis=1)
    m = last_before(Series(ends, shown, "A", 0.05, 0.02, "meter"), "current", CUT)
    assert abs(m.value - 6.0) <= m.expanded()
    update = next(line for line in m.budget if line.name == "update")
    assert update.contribution == pytest.approx(1.5 * fall * 0.02 / math.sqrt(3), rel=0.02, abs=1e-9)


def test_a_reading_before_is_needed() -> None:
    with pytest.raises(BenchFault, match="no reading before"):
        last_before(Series(np.array([2.0]), np.array([1.0]), "A"), "current", 1.0)
