"""Steady waves whose RMS, power, distortion and ripple are known because they are written down: sums of sines."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rig.metrology.wave import Floats


@dataclass(frozen=True)
class Line:
    """A sine. peak: unit. frequency: Hz. phase: rad at time 0."""

    peak: float
    frequency: float
    phase: float


@dataclass(frozen=True)
class Sum:
    """Lines about a level, unit."""

    lines: tuple[Line, ...]
    level: float = 0.0

    def __call__(self, t: Floats) -> Floats:
        """At times t, s."""
        total: Floats = np.full_like(t, self.level)
        for line in self.lines:
            total += line.peak * np.sin(2.0 * math.pi * line.frequency * t + line.phase)
        return total

    @property
    def rms(self) -> float:
        """Of the lines, which differ in frequency, and the level."""
        return math.sqrt(self.level**2 + sum(line.peak**2 for line in self.lines) / 2.0)

    @property
    def thd(self) -> float:
        """Of the first line."""
        return math.sqrt(sum(line.peak**2 for line in self.lines[1:])) / self.lines[0].peak

    def power(self, other: Sum) -> float:
        """Mean of the product with another sum that has the same frequencies in the same order."""
        pairs = zip(self.lines, other.lines, strict=True)
        return self.level * other.level + sum(a.peak * b.peak * math.cos(a.phase - b.phase) / 2.0 for a, b in pairs)

    def peak_to_peak(self, period: float, points: int = 400_000) -> float:
        """Over a period in which all of it repeats, s."""
        values = self(np.arange(points) * (period / points))
        return float(values.max() - values.min())


def distorted(
    rng: np.random.Generator, peak: float, frequency: float, share: float = 0.05, highest: int = 40, level: float = 0.0
) -> Sum:
    """A fundamental with one to five harmonics of up to `share` of it each."""
    orders = rng.choice(np.arange(2, highest + 1), size=int(rng.integers(1, 6)), replace=False)
    lines = [Line(peak, frequency, float(rng.uniform(0.0, 2.0 * math.pi)))]
    lines += [
        Line(peak * float(rng.uniform(0.0, share)), float(n) * frequency, float(rng.uniform(0.0, 2.0 * math.pi)))
        for n in orders
    ]
    return Sum(tuple(lines), level)
