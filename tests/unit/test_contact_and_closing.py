"""Contacts, closings and trimmed waves against waves whose truth is known by their formula."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from rig.errors import BenchFault, UseError
from rig.metrology.closing import offsets_at_close
from rig.metrology.contact import Move, comes_alive, moves, overlap
from rig.metrology.measurement import Component, Measurement
from rig.metrology.power import share, total
from rig.metrology.series import Series, added, first_exit
from rig.metrology.swing import highest_rms, voltage_deviation
from rig.metrology.transfer import transfer_time
from rig.metrology.trim import trimmed
from rig.metrology.wave import Floats, Wave

RATE, U, F = 20e3, 100.0, 50.0
PEAK = math.sqrt(2) * U
START = 7.0


def wave(values: Floats, gain_u: float = 0.0) -> Wave:
    noise = np.random.default_rng(5).normal(0.0, 0.3, len(values))
    return Wave((values + noise).astype(np.float32), RATE, START, gain_u=gain_u)


def times(seconds: float) -> Floats:
    found: Floats = np.arange(round(seconds * RATE)) / RATE
    return found


def aux(*changes: float, closed: bool = True, seconds: float = 1.0) -> Wave:
    """A contact that changes at these times, s after the record's begin."""
    t, state = times(seconds), np.full(round(seconds * RATE), closed)
    for change in changes:
        state[t >= change] ^= True
    return Wave(np.where(state, 12.0, 0.0).astype(np.float32), RATE, START)


def sine(t: Floats, u: float = U, f: float = F, turns: float = 0.0) -> Floats:
    values: Floats = math.sqrt(2) * u * np.sin(2 * math.pi * (f * t + turns))
    return values


# -- contact


def test_a_bouncing_contact_moves_once() -> None:
    (move,) = moves(aux(0.5, 0.5003, 0.5006))
    assert not move.closed
    assert abs(move.at - START - 0.5003) < 2 * move.u


def test_moves_come_in_order() -> None:
    assert [move.closed for move in moves(aux(0.2, 0.6))] == [False, True]


def test_a_twitch_is_no_move() -> None:
    assert moves(aux(0.5, 0.5004)) == ()


def test_a_contact_at_rest_does_not_move() -> None:
    assert moves(aux(closed=False)) == ()


@pytest.mark.parametrize("turns", [0.0, 0.1, 0.25, 0.45])
def test_life_is_seen_where_it_begins(turns: float) -> None:
    t = times(0.5)
    at, u = comes_alive(wave(np.where(t >= 0.2, sine(t, turns=turns), 0.0)), U, F)
    assert abs(at - START - 0.2) <= 2 * u


@pytest.mark.parametrize(("since", "words"), [(0.0, "alive when the record begins"), (9.0, "stays dead")])
def test_life_without_a_beginning_is_a_fault(since: float, words: str) -> None:
    t = times(0.5)
    with pytest.raises(BenchFault, match=words):
        comes_alive(wave(np.where(t >= since, sine(t), 0.0)), U, F)


def transferred(forms: float, turns: float, decay: float = 2e-3, rise: float = 4e-3) -> Wave:
    """A house that is lost at 0.4 s and formed from `forms` on. rise: s of soft start."""
    t = times(1.0)
    envelope = np.where(t < 0.4, 1.0, np.exp(-np.maximum(t - 0.4, 0.0) / decay))
    envelope = np.where(t >= forms, np.minimum((t - forms) / rise, 1.0), envelope)
    return wave(envelope * sine(t, turns=turns))


def overlap_of(house: Wave, contact: Wave) -> Measurement:
    return overlap(house, transfer_time([house], U, F).legs[0], contact)


@pytest.mark.parametrize("turns", [k / 16 for k in range(16)])
@pytest.mark.parametrize("gap", [-4e-3, 2e-3, 30e-3], ids=["overlap", "gap", "long-gap"])
@pytest.mark.parametrize("decay", [0.5e-3, 2e-3, 4e-3], ids="{:g}s".format)
def test_overlap_is_true_within_its_uncertainty(gap: float, turns: float, decay: float) -> None:
    opens = 0.4 + 9e-3
    m = overlap_of(transferred(opens + gap, turns, decay), aux(opens))
    assert abs(m.value + gap) <= 2 * m.u
    assert m.u < 1e-3


def test_overlap_needs_a_contact_that_opens() -> None:
    with pytest.raises(BenchFault, match="does not open"):
        overlap_of(transferred(0.42, 0.0), aux())


def test_overlap_needs_a_house_that_leaves_its_sine() -> None:
    with pytest.raises(BenchFault, match="never leaves"):
        overlap_of(wave(sine(times(1.0))), aux(0.41))


def test_overlap_needs_a_house_that_comes_back() -> None:
    with pytest.raises(BenchFault, match="does not come back"):
        overlap_of(transferred(2.0, 0.0), aux(0.41))


# -- closing

CLOSES = Move(START + 0.5, True, 1e-4)


@pytest.mark.parametrize(("df", "dv", "degrees"), [(0.0, 0.0, 0.0), (0.25, 0.05, 15.0), (-0.4, -0.12, 170.0)])
def test_offsets_are_those_at_the_moment_of_closing(df: float, dv: float, degrees: float) -> None:
    t = times(0.6)
    turns = degrees / 360.0 - 0.5 * df  # so that it is `degrees` ahead at 0.5 s
    grid, house = wave(sine(t)), wave(sine(t, (1 + dv) * U, F + df, turns))
    offsets = offsets_at_close(grid, replace(house, gain_u=1e-3), CLOSES, U, F)
    assert abs(offsets.df.value - abs(df)) <= 2 * offsets.df.u + 2e-3
    assert abs(offsets.dv.value - abs(dv)) <= 2 * offsets.dv.u + 1e-3
    assert abs(offsets.dphi.value - abs(degrees)) <= 2 * offsets.dphi.u
    assert offsets.dphi.u < 1.0


def test_a_frequency_that_still_moves_is_less_certain() -> None:
    t = times(0.6)
    late = np.maximum(t - 0.43, 0.0)
    jumping = 2 * math.pi * (F * t + 0.25 * late)
    steady = offsets_at_close(wave(sine(t)), wave(sine(t)), CLOSES, U, F)
    moved = offsets_at_close(wave(sine(t)), wave(PEAK * np.sin(jumping)), CLOSES, U, F)
    assert moved.df.u > 5 * steady.df.u
    assert abs(moved.df.value - 0.25) <= 2 * moved.df.u


def test_closing_onto_a_dead_side_has_no_offsets() -> None:
    t = times(0.6)
    with pytest.raises(BenchFault, match="not live"):
        offsets_at_close(wave(sine(t)), wave(0.0 * t), CLOSES, U, F)


# -- trim and swing


def reading(value: float) -> Measurement:
    return Measurement("u", value, "V", (Component("meter", 0.05, "normal", "meter"),), "meter")


def test_a_trimmed_wave_is_as_good_as_the_meter() -> None:
    w = trimmed(wave(1.03 * sine(times(1.0)), gain_u=0.0115), reading(100.0), F, START + 0.1, START + 0.3)
    m = highest_rms(w, F, START + 0.4)
    assert abs(m.value - 100.0) < 0.1
    assert w.gain_u < 2e-3


def test_what_a_trimmed_wave_is_wrong_by_is_trimmed_with_it() -> None:
    w = replace(wave(sine(times(1.0)) / 1.08), offset_u=1.0, noise=0.1)
    made = trimmed(w, reading(100.0), F, START + 0.1, START + 0.3)
    assert (made.offset_u, made.noise) == pytest.approx((1.08, 0.108), rel=1e-3)


def test_a_wave_of_another_voltage_is_not_trimmed() -> None:
    with pytest.raises(BenchFault, match="probe factor"):
        trimmed(wave(sine(times(1.0))), reading(120.0), F, START + 0.1, START + 0.3)


def test_a_stretch_outside_the_record_is_not_trimmed_by() -> None:
    with pytest.raises(BenchFault, match="not in the record"):
        trimmed(wave(sine(times(1.0))), reading(100.0), F, START + 0.9, START + 1.3)


def test_deviation_is_that_of_the_worse_leg() -> None:
    t = times(1.0)
    dipped = wave(np.where((t > 0.4) & (t < 0.6), 0.93, 1.0) * sine(t))
    m = voltage_deviation([wave(sine(t)), dipped], U, F)
    assert abs(m.value - 0.07) < 2e-3


def test_highest_rms_looks_at_whole_cycles_after_the_instant() -> None:
    t = times(1.0)
    m = highest_rms(wave(np.where(t < 0.5, sine(t), 0.05 * sine(t))), F, START + 0.5)
    assert abs(m.value - 5.0) < 0.1
    with pytest.raises(BenchFault, match="no cycle after"):
        highest_rms(wave(sine(t)), F, START + 0.99)


# -- sums and shares


def series(*values: float, source: str = "a") -> Series:
    return Series(np.arange(len(values), dtype=np.float64) * 0.2, np.array(values), "W", 1.0, 0.2, source)


def test_legs_add_up_with_their_uncertainties() -> None:
    both = added([series(1.0, 2.0), series(3.0, 5.0, source="b")])
    assert both.y.tolist() == [4.0, 7.0]
    assert both.u == pytest.approx(math.sqrt(2))


def test_readings_of_other_updates_do_not_add_up() -> None:
    other = series(3.0, 5.0)
    with pytest.raises(BenchFault, match="same updates"):
        added([series(1.0, 2.0), replace(other, t=other.t + 0.1)])


def test_first_exit_lies_between_the_last_inside_and_the_first_outside() -> None:
    m = first_exit(series(1.0, 1.0, 9.0, 1.0), 0.0, 2.0, "t", 0.0)
    assert m.value == pytest.approx(0.3)
    assert math.isinf(first_exit(series(1.0, 1.0), 0.0, 2.0, "t", 0.0).value)


def test_a_total_has_one_unit() -> None:
    watts, volts = replace(reading(1.0), unit="W"), reading(2.0)
    assert total([watts, watts], "p").value == 2.0
    with pytest.raises(UseError, match="one unit"):
        total([watts, volts], "p")


def test_a_share_carries_the_uncertainty_of_what_is_shared() -> None:
    m = share(reading(50.0), 200.0, "part", less=10.0)
    assert m.value == pytest.approx(0.2)
    assert m.u == pytest.approx(0.05 / 200.0)
    few = replace(reading(50.0), budget=(Component("meter", 0.05, "normal", "3 readings", dof=2),))
    assert share(few, 200.0, "part").dof == pytest.approx(2.0)
    assert total([replace(few, unit="W")], "p").dof == pytest.approx(2.0)
    assert m.unit == "1"


def test_the_worst_deviation_says_when_and_knows_its_channels_zero() -> None:
    t = times(1.0)
    w = replace(wave(sine(t) * np.where((t > 0.5) & (t < 0.6), 0.9, 1.0) + 3.0), offset_u=3.0 / math.sqrt(3))
    m = voltage_deviation([w], U, F)
    assert START + 0.5 <= m.at <= START + 0.62
    assert abs(m.value - 0.1) <= m.expanded()
