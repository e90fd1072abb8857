"""What judges a soak: it must be able to fail one."""

from __future__ import annotations

import pytest

from benchmarks.soak import RISES, WARM_UP, Told, slope


def test_the_slope_is_that_of_least_squares() -> None:
    assert slope([1.0, 2.0]) == 0.0
    assert slope([5.0, 7.0, 9.0, 11.0]) == pytest.approx(2.0)
    assert slope([0.0, 3.0, 0.0]) == pytest.approx(0.0)


def test_memory_that_rises_after_the_warm_up_is_wrong_and_before_it_is_not() -> None:
    for rise, wrong in ((0.5 * RISES, 0), (1.5 * RISES, 1)):
        told = Told(memory=[50.0 * k for k in range(WARM_UP)] + [400.0 + rise * k for k in range(20)])
        told.judge()
        assert len(told.wrong) == wrong, told.wrong


def test_a_verdict_that_changes_is_wrong() -> None:
    told = Told(verdicts=["PASS"] * 9)
    told.judge()
    assert not told.wrong
    told.verdicts.append("INCONCLUSIVE")
    told.judge()
    assert "several verdicts" in told.wrong[0]
