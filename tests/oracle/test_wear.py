"""Indicators of battery wear beside the worked example of ASTM E1049 and beside sums done by hand."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from rig.errors import UseError
from rig.metrology.wear import BINS, YEAR, swings, wear

CAPACITY = 65.0 * 3600.0


def test_the_worked_example_of_the_standard() -> None:
    """ASTM E1049-85 figure 6: -2 1 -3 5 -1 3 -4 4 -2 holds ranges 3 (0.5), 4 (1.5), 6 (0.5), 8 (1) and 9 (0.5)."""
    counted = Counter[float]()
    for depth, count in swings([-2.0, 1.0, -3.0, 5.0, -1.0, 3.0, -4.0, 4.0, -2.0]):
        counted[depth] += count
    assert counted == {3.0: 0.5, 4.0: 1.5, 6.0: 0.5, 8.0: 1.0, 9.0: 0.5}


def test_one_cycle_of_half_the_pack() -> None:
    """An hour at half the capacity an hour out, a rest, and an hour back: one swing of one half."""
    t = np.array([0.0, 3600.0, 3600.001, 7200.0, 7200.001, 10800.0])
    i = np.array([-32.5, -32.5, 0.0, 0.0, 32.5, 32.5])
    found = wear(t, i, 0.9, CAPACITY)
    assert found.full_cycles == pytest.approx(0.5, rel=1e-5)
    assert found.deepest == pytest.approx(0.5, rel=1e-5)
    assert sum(count for _, count in found.depths) == pytest.approx(1.0)
    assert (found.c_highest, found.c_mean) == pytest.approx((0.5, 0.5))
    assert found.high == pytest.approx(0.4 / 3, rel=1e-3)  # 0.9 to 0.8 both ways: a fifth of an hour each of three
    assert found.low == 0.0
    assert found.a_year == pytest.approx(0.5 * YEAR / 10800.0, rel=1e-5)
    histogram = dict(zip(BINS, found.histogram(), strict=False))
    assert sum(found.histogram()) == pytest.approx(1.0)
    assert histogram[0.4] + histogram[0.5] == pytest.approx(1.0)  # at the edge of a bin rounding decides


def test_too_little_is_refused() -> None:
    with pytest.raises(UseError, match="record longer"):
        wear(np.array([0.0]), np.array([1.0]), 0.5, CAPACITY)
