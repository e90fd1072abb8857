"""Settings in the catalogue, limits by grid code, protections with a memory, and the instant of a step."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from instruments.evps.behaviour import Behaviour
from instruments.evps.grid_codes import CODES
from instruments.evps.protection import MeanVoltage, Rocof
from rig.errors import BenchFault
from rig.metrology.instant import instant_of_step, start_of_ramp
from rig.metrology.wave import Wave
from rig.requirements import Setting

RATE = 20e3


def wave(before: tuple[float, float], after: tuple[float, float], at: float, noise: float, seed: int) -> Wave:
    """Two sines of (V rms, Hz) that meet at an instant (s), with noise of so many V rms; 1 s."""
    t = np.arange(round(RATE)) / RATE
    phase = 0.7 + 2 * np.pi * np.where(t < at, before[1] * t, before[1] * at + after[1] * (t - at))
    v = np.sqrt(2) * np.where(t < at, before[0], after[0]) * np.sin(phase)
    return Wave(v + np.random.default_rng(seed).normal(0.0, noise, len(t)), RATE, start=100.0)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(
    ("before", "after"),
    [((118.0, 60.0), (122.0, 60.0)), ((230.0, 50.0), (230.0, 52.5)), ((110.0, 50.0), (104.0, 50.0))],
)
def test_a_step_is_found_within_its_uncertainty(
    before: tuple[float, float], after: tuple[float, float], seed: int
) -> None:
    at = 0.45 + 0.0021 * seed
    found, u = instant_of_step(wave(before, after, at, 0.3, seed), 100.42, 100.5, before[1], after[1])
    assert abs(found - 100.0 - at) <= math.sqrt(3) * u.u * (1 + 1e-6)  # half the bracket
    assert u.u < 3e-3


def test_no_step_is_no_instant() -> None:
    steady = wave((120.0, 60.0), (120.0, 60.0), 0.5, 0.3, 1)
    with pytest.raises(BenchFault, match="no step"):
        instant_of_step(steady, 100.42, 100.5, 60.0)


def test_the_start_of_a_ramp_follows_from_how_far_it_came() -> None:
    t = np.arange(round(2 * RATE)) / RATE
    late = np.maximum(t - 0.6, 0.0)
    w = Wave(325.0 * np.sin(2 * np.pi * (50.0 * t - 1.2 * late**2 / 2)), RATE)
    start, u = start_of_ramp(w, 0.5, 1.1, 50.0, -1.2)
    assert start == pytest.approx(0.6, abs=2e-3)
    assert u.u < 1e-3


def test_the_mean_of_ten_minutes_passes_its_limit_when_it_should() -> None:
    mean = MeanVoltage(replace(Behaviour(), grid_code=CODES["vde-ar-n-4105-2018"]))
    mean.see(0.0, 1.08)
    assert math.isinf(mean.due(1.0))
    mean.see(1000.0, 1.12)  # half of the ten minutes at 1.12 make 1.10 of the mean
    assert mean.due(1000.0) == pytest.approx(1301.0, abs=1.0)
    mean.see(1310.0, 1.00)
    assert mean.due(1310.0) <= 1310.0
    assert math.isinf(mean.due(1400.0))  # the mean has fallen below it again


def test_a_course_is_a_ramp_and_a_jump_is_none() -> None:
    b = replace(Behaviour(), grid_code=CODES["g99"])
    rocof = Rocof(b)
    for n in range(300):
        rocof.see(10.0 + 0.002 * n, 50.0 - 1.2 * 0.002 * n)
    assert rocof.due(10.5) == pytest.approx(10.4, abs=0.01)
    assert math.isinf(rocof.due(11.0))  # it has come to stand
    jump = Rocof(b)
    jump.see(0.0, 50.0)
    jump.see(5.0, 52.4)
    assert math.isinf(jump.due(5.01))


def test_a_setting_stands_between_its_levels() -> None:
    with pytest.raises(ValidationError, match="same side"):
        Setting(figure="u", unit="1", at=1.2, before=1.25, beyond=1.22)
    with pytest.raises(ValidationError, match="not in 'Hz'"):
        Setting(figure="u", unit="Hz", at=50.0, beyond=51.0)
