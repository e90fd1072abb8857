"""Ripple in bands against sums of lines whose peaks are known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rig.errors import BenchFault, UseError
from rig.metrology.ripple import ripple
from rig.metrology.wave import BLOCK, Wave


def current(seconds: float, rate: float, *lines: tuple[float, float], level: float = 15.0) -> Wave:
    """A DC current with lines of (Hz, A peak)."""
    t = np.arange(round(seconds * rate)) / rate
    i = level + sum((peak * np.sin(2 * math.pi * f * t + f) for f, peak in lines), np.zeros(len(t)))
    return Wave(np.asarray(i, dtype=np.float32), rate, gain_u=1e-3, source="probe")


def test_the_cumulated_bands_of_dc_charging() -> None:
    """0.3 A at 7 Hz, 1 A at 300 Hz, 2 A at 40 kHz: peak to peak 0.6 A to 10 Hz, 2.6 A to 5 kHz, 6.6 A to 150 kHz."""
    w = current(5.2, 1e6, (7.0, 0.3), (300.0, 1.0), (40e3, 2.0))
    for high, truth in ((10.0, 0.6), (5e3, 2.6), (150e3, 6.6)):
        m = ripple(w, 0.0, high)
        assert m.value == pytest.approx(truth, rel=0.012)
        assert abs(m.value - truth) <= m.expanded() + 0.002
        assert m.unit == "A"


@pytest.mark.parametrize("f", [105.0, 400.0, 990.0])
def test_a_line_in_the_band_counts_whole(f: float) -> None:
    m = ripple(current(2.0, 50e3, (f, 0.5), (20.0, 3.0), (4e3, 3.0)), 100.0, 1e3)
    assert m.value == pytest.approx(1.0, rel=0.02)


@pytest.mark.parametrize("f", [70.0, 1400.0, 9e3])
def test_a_line_beside_the_band_does_not(f: float) -> None:
    assert ripple(current(2.0, 50e3, (f, 5.0)), 100.0, 1e3).value < 0.03


def test_the_level_is_no_ripple() -> None:
    assert ripple(current(1.0, 50e3, level=30.0), 0.0, 1e3).value < 1e-3


def test_blocks_leave_no_seam() -> None:
    w = current(3.2 * BLOCK / 50e3, 50e3, (50.0, 1.0))
    assert ripple(w, 0.0, 2e3).value == pytest.approx(2.0, rel=0.01)


def test_what_cannot_be_seen() -> None:
    w = current(1.0, 50e3, (50.0, 1.0))
    with pytest.raises(BenchFault, match=r"50000 S/s does not show 150000 Hz; record at 3\.75e\+05 S/s"):
        ripple(w, 0.0, 150e3)
    with pytest.raises(BenchFault, match="too short for 10 Hz; record 5 s"):
        ripple(w, 0.0, 10.0)
    with pytest.raises(UseError, match="is no band"):
        ripple(w, 1e3, 10.0)
    with pytest.raises(BenchFault, match="no number"):
        ripple(Wave(np.where(np.arange(100_000) == 70_000, np.nan, 1.0), 50e3), 0.0, 1e3)
