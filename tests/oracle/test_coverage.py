"""Stated uncertainties cover the truth as often as they say, over random cases; `make metrology` tries 10,000 of each.

Fewer cases here, and the same that the command begins with: no luck of the day is in it.
"""

from __future__ import annotations

import math

import pytest

from benchmarks.coverage.__main__ import SUBJECTS
from benchmarks.coverage.tally import FARTHEST, LEAST_COVERED, tally

CASES = {
    "transfer": 40,
    "phase-jump": 30,
    "rms": 50,
    "power": 40,
    "reading": 400,
    "thd": 40,
    "frequency": 40,
    "ripple": 20,
}
LEAST, MOST = 0.5, 1.25
"""Of error over u, root mean square: less would say that the budgets are too wide, more that they are too narrow."""


@pytest.mark.parametrize("name", SUBJECTS)
def test_the_stated_uncertainty_covers_the_truth(name: str) -> None:
    subject, *_ = SUBJECTS[name]
    counted = tally(subject, range(CASES[name]), seed=1)
    # So few cases say that less than 94 % are covered only when this many are not (three standard deviations).
    luck = 3.0 * math.sqrt(LEAST_COVERED * (1.0 - LEAST_COVERED) / CASES[name])
    assert counted.covered >= LEAST_COVERED - luck, counted
    assert counted.worst <= FARTHEST, counted.worst_case
    assert LEAST <= counted.spread <= MOST, counted
