"""Grid protections with a memory: the mean voltage of ten minutes, and the rate at which the frequency changes.

Each is told the mains when it changes and says when it will act; numbers and times in, times out.
"""

from __future__ import annotations

import math

import numpy as np

from instruments.evps.behaviour import Behaviour

SPAN = 600.0
"""s of the mean (standards.md GRD-025: 10 min)."""
GRID = 1.0
"""s between two looks at the mean (project choice)."""
STANDS = 0.05
"""s without a change after which a frequency stands still (project choice: two and a half cycles)."""


class MeanVoltage:
    """When the mean of ten minutes passes its limit. Voltages: fractions of nominal."""

    def __init__(self, b: Behaviour) -> None:
        self._limit = b.grid_code.mean_limit
        self._past: list[tuple[float, float]] = []
        self._from = self._until = math.inf

    def see(self, now: float, u: float) -> None:
        """The voltage is u from now on."""
        if self._limit is None:
            return
        self._past.append((now, u))
        while len(self._past) > 1 and self._past[1][0] <= now - SPAN:
            self._past.pop(0)
        times = now + np.arange(0.0, SPAN + GRID, GRID)
        begins = np.array([at for at, _ in self._past])
        ends = np.append(begins[1:], math.inf)
        volts = np.array([level for _, level in self._past])
        inside = np.minimum(ends, times[:, None]) - np.maximum(begins, times[:, None] - SPAN)
        over = (np.maximum(inside, 0.0) @ volts) / SPAN > self._limit
        first = int(np.argmax(over))
        below = np.flatnonzero(~over[first:])
        self._from = float(times[first]) if over[first] else math.inf
        self._until = float(times[first + int(below[0])]) if over[first] and len(below) else math.inf

    def due(self, now: float) -> float:
        """s at which it acts; inf while it does not come to that, and once the mean has fallen again."""
        return self._from if now < self._until else math.inf


class Rocof:
    """When the frequency has changed too fast for too long. A jump is no ramp: it takes a course of small changes."""

    def __init__(self, b: Behaviour) -> None:
        self._limit = b.grid_code.rocof
        self._last: tuple[float, float] | None = None
        self._since = math.inf
        self._up = False

    def see(self, now: float, f: float) -> None:
        """The frequency is f (Hz) from now on."""
        if self._limit is None:
            return
        before, self._last = self._last, (now, f)
        if before is None or not 0.0 < now - before[0] <= STANDS:
            self._since = math.inf
            return
        rate = (f - before[1]) / (now - before[0])
        if abs(rate) <= self._limit[0] or (rate > 0.0) is not self._up:
            self._since = math.inf
        if abs(rate) > self._limit[0] and math.isinf(self._since):
            self._since, self._up = before[0], rate > 0.0

    def due(self, now: float) -> float:
        """s at which it acts; inf while the frequency stands."""
        if self._limit is None or self._last is None or now - self._last[0] > STANDS:
            return math.inf
        return self._since + self._limit[1]
