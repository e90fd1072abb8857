"""Errors of measurements in units of their own uncertainty, counted."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from rig.metrology.measurement import Measurement

Random = np.random.Generator

LEAST_COVERED = 0.94
"""Share of the cases that U (k = 2) must cover."""
FARTHEST = 3.0
"""U, what no case may be off by."""


class Case(NamedTuple):
    """One measurement and its truth, anything from low to high. what: the case in words, to make it again."""

    measurement: Measurement
    low: float
    high: float
    what: object

    @property
    def error(self) -> float:
        """Measured minus true, with its sign."""
        return max(self.measurement.value - self.high, 0.0) + min(self.measurement.value - self.low, 0.0)


Subject = Callable[[Random, int], Case]
"""Makes case number n and measures it."""


@dataclass
class Tally:
    """scale, unit: for print."""

    scale: float = 1.0
    unit: str = ""
    errors: list[float] = field(default_factory=list)
    expanded: list[float] = field(default_factory=list)
    standard: list[float] = field(default_factory=list)
    worst_case: Case | None = None

    def add(self, case: Case) -> None:
        """Count one."""
        m = case.measurement
        if abs(case.error) / m.expanded() >= self.worst:
            self.worst_case = case
        self.errors.append(case.error)
        self.expanded.append(m.expanded())
        self.standard.append(m.u)

    def _ratios(self) -> np.ndarray:
        return np.abs(np.array(self.errors)) / np.array(self.expanded)

    @property
    def covered(self) -> float:
        """Share of the cases inside U."""
        return float(np.mean(self._ratios() <= 1.0))

    @property
    def worst(self) -> float:
        """Largest error, in U."""
        return float(self._ratios().max()) if self.errors else 0.0

    @property
    def spread(self) -> float:
        """Root mean square of error / u: 1 where the budget says just what happens, less where it is too wide."""
        return math.sqrt(float(np.mean((np.array(self.errors) / np.array(self.standard)) ** 2)))

    @property
    def good(self) -> bool:
        """Whether U covers as often as it says, and never misses by far."""
        return self.covered >= LEAST_COVERED and self.worst <= FARTHEST

    def __str__(self) -> str:
        us = np.percentile(np.array(self.expanded) * self.scale, [50, 95, 100])
        off = float(np.median(np.abs(self.errors))) * self.scale
        return (
            f"{len(self.errors)} cases: {self.covered:.2%} inside U (k = 2), worst error {self.worst:.2f} U, "
            f"rms of error/u {self.spread:.2f}\n  |error| median {off:.3g} {self.unit}; "
            f"U median {us[0]:.3g}, 95 % {us[1]:.3g}, largest {us[2]:.3g} {self.unit}"
        )


def tally(subject: Subject, numbers: Iterable[int], seed: int, scale: float = 1.0, unit: str = "") -> Tally:
    """Measure the cases of these numbers. seed: of the whole; each case has one of its own."""
    counted = Tally(scale, unit)
    for number in numbers:
        counted.add(subject(np.random.default_rng([seed, number]), number))
    return counted
