"""The moment an update ended is learnt from looks that only say whether one has."""

from __future__ import annotations

import random

import pytest

from instruments.beat import Beat

PERIOD = 0.2


class Box:
    """A free-running instrument: ends at phase + k * period. A look clears what it tells."""

    def __init__(self, phase: float, period: float = PERIOD) -> None:
        self.phase, self.period, self.looked = phase, period, 0.0

    def last(self, now: float) -> float:
        return self.phase + (now - self.phase) // self.period * self.period

    def look(self, now: float) -> tuple[float, float, bool]:
        since, self.looked = self.looked, now
        return since, now, self.last(now) > since


@pytest.mark.parametrize("seed", range(20))
def test_looks_at_any_time_narrow_it_down(seed: int) -> None:
    dice = random.Random(seed)
    box, beat, now = Box(dice.uniform(0.0, PERIOD)), Beat(PERIOD), 0.0
    for _ in range(400):
        now += dice.uniform(0.01, 0.15)
        beat.looked(*box.look(now))
    assert beat.known
    assert beat.last(now) == pytest.approx(box.last(now), abs=0.02 * PERIOD)
    assert box.last(now) + PERIOD <= beat.next_by(now) + 1e-9 < box.last(now) + 1.05 * PERIOD


def test_it_is_never_later_than_now_and_never_older_than_a_period() -> None:
    dice = random.Random(3)
    box, beat, now = Box(0.07), Beat(PERIOD), 0.0
    for _ in range(1000):
        now += dice.choice((0.003, 0.05, 0.19, 0.7, 3.0))
        beat.looked(*box.look(now))
        assert now - 1.1 * PERIOD <= beat.last(now) <= now + 1e-9


def test_a_crystal_that_runs_away_is_followed() -> None:
    dice = random.Random(5)
    box, beat, now = Box(0.01, PERIOD * (1.0 + 5e-5)), Beat(PERIOD), 0.0
    for _ in range(200_000):
        now += dice.uniform(0.02, 0.18)
        beat.looked(*box.look(now))
    assert now > 10_000.0  # 0.5 s apart by now: more than two periods
    assert beat.last(now) == pytest.approx(box.last(now), abs=0.1 * PERIOD)


def test_before_any_look_it_is_somewhere_in_the_last_period() -> None:
    beat = Beat(PERIOD)
    assert not beat.known
    assert beat.last(10.0) == pytest.approx(9.9)
    assert beat.next_by(10.0) == 10.0


def test_an_end_that_does_not_come_is_forgotten() -> None:
    beat = Beat(PERIOD)
    for now, ended in ((0.0, False), (0.01, True), (0.02, False)):
        beat.looked(now - 0.01, now, ended)
    assert beat.known
    for step in range(2, 60):
        beat.looked(step * 0.01, (step + 1) * 0.01, False)
    assert not beat.known
