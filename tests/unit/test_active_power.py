"""Active power of a voltage and a current recorded together."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from rig.errors import BenchFault, UseError
from rig.metrology.active_power import active_power
from rig.metrology.wave import Wave


def pair(seconds: float = 0.31, angle: float = 60.0, f: float = 50.3, rate: float = 50e3) -> tuple[Wave, Wave]:
    """100 V and 10 A rms, the current behind by an angle, degrees."""
    t = np.arange(round(seconds * rate)) / rate
    u = math.sqrt(2) * 100.0 * np.sin(2 * math.pi * f * t)
    i = math.sqrt(2) * 10.0 * np.sin(2 * math.pi * f * t - math.radians(angle))
    return Wave(u.astype(np.float32), rate, 5.0, of=("c",)), Wave(i.astype(np.float32), rate, 5.0, unit="A", of=("c",))


@pytest.mark.parametrize("angle", [0.0, 60.0, 90.0, -150.0, 180.0])
def test_power_at_any_angle_with_its_sign(angle: float) -> None:
    m = active_power(*pair(angle=angle), 50.0)
    assert m.value == pytest.approx(1000.0 * math.cos(math.radians(angle)), abs=0.05)
    assert (m.unit, m.of) == ("W", ("c",))


def test_reactive_power_makes_the_time_between_channels_count() -> None:
    u, i = pair(angle=90.0)
    m = active_power(replace(u, time_u=1e-5), replace(i, time_u=1e-5), 50.0)
    shifted = active_power(*(pair(angle=90.0)[0], replace(i, samples=np.roll(i.samples, 1))), 50.0)  # 20 us later
    assert m.u == pytest.approx(math.sqrt(2) * 2 * math.pi * 50.3 * 1e-5 * 1000.0, rel=0.01)
    assert abs(shifted.value) <= 2.0 * m.expanded()


def test_int_samples_do_not_overflow() -> None:
    u, i = pair(angle=0.0)
    whole = [replace(w, samples=np.rint(100 * w.samples).astype(np.int16)) for w in (u, i)]
    assert active_power(*whole, 50.0).value == pytest.approx(1e7, rel=1e-3)


def test_what_makes_no_power() -> None:
    u, i = pair()
    with pytest.raises(UseError, match="two channels of it"):
        active_power(i, u, 50.0)
    with pytest.raises(UseError, match="of one record"):
        active_power(u, replace(i, start=6.0), 50.0)
    with pytest.raises(BenchFault, match="record two or more"):
        active_power(*pair(0.03), 50.0)
    holed = i.samples.copy()
    holed[1234] = np.nan
    with pytest.raises(BenchFault, match="no number"):
        active_power(u, replace(i, samples=holed), 50.0)
