"""Indicators of battery wear from the current over time: what a pack went through, not what became of it.

They are indicators, not a warranty: how a pack ages follows from its chemistry, its temperature and its history, of
which a charger sees little. They compare ways of using the same pack.

  full cycles     charge in and out over twice the capacity
  swings          depth of every rise and fall of charge, counted as ASTM E1049-85 counts load cycles (rainflow, 5.4.4):
                  a full cycle counts 1, what is left over counts one half
  time at         share of the time above HIGH and below LOW charge
  C-rate          current over the capacity an hour, highest and mean while it flows
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from rig.errors import UseError

Floats = npt.NDArray[np.float64]

HIGH, LOW = 0.8, 0.2
"""Of full charge (project choice: the window many makers advise for every day)."""
FLOWS = 0.5
"""A from which a current counts as flowing (project choice: above what a meter shows of nothing)."""
BINS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Edges of the histogram of depth, of full charge; deeper than the last counts in the last."""
YEAR = 365.25 * 86400.0
"""s."""


@dataclass(frozen=True)
class Wear:
    """seconds: looked at. throughput: C, in and out together. full_cycles: 1. depths: (depth 0..1, count) of every
    swing, the deepest first. high, low: share of the time. c_highest, c_mean: 1/h, of the capacity."""

    seconds: float
    throughput: float
    full_cycles: float
    depths: tuple[tuple[float, float], ...]
    high: float
    low: float
    c_highest: float
    c_mean: float

    @property
    def a_year(self) -> float:
        """Full cycles in a year that goes on like this."""
        return self.full_cycles * YEAR / self.seconds

    @property
    def deepest(self) -> float:
        """Deepest swing, of full charge."""
        return self.depths[0][0] if self.depths else 0.0

    def histogram(self) -> tuple[float, ...]:
        """Cycles by depth, one count a bin of BINS."""
        counts = [0.0] * (len(BINS) - 1)
        for depth, count in self.depths:
            counts[min(int(np.searchsorted(BINS, depth, "right")) - 1, len(counts) - 1)] += count
        return tuple(counts)


def wear(t: Floats, current: Floats, soc: float, capacity: float) -> Wear:
    """From readings of the current. t: s, increasing; current: A, positive into the pack, run straight from one reading
    to the next; soc: 0..1 at the first reading; capacity: C. UseError for fewer than two readings."""
    if t.shape != current.shape or len(t) < 2 or not (np.diff(t) > 0).all() or not capacity > 0:
        raise UseError("wear: needs two readings or more, times that rise, and a capacity above 0; record longer")
    step = np.diff(t)
    mean, size = (current[1:] + current[:-1]) / 2, (np.abs(current[1:]) + np.abs(current[:-1])) / 2
    charge = np.concatenate(([soc], soc + np.cumsum(mean * step) / capacity))
    seconds, throughput = float(t[-1] - t[0]), float(np.sum(size * step))
    flows = size > FLOWS
    rate = 3600.0 / capacity
    return Wear(
        seconds=seconds,
        throughput=throughput,
        full_cycles=throughput / (2.0 * capacity),
        depths=tuple(sorted(swings(charge.tolist()), reverse=True)),
        high=float(np.sum(step * _above(charge, HIGH)) / seconds),
        low=float(np.sum(step * (1.0 - _above(charge, LOW))) / seconds),
        c_highest=float(np.max(np.abs(current))) * rate,
        c_mean=float(np.sum((size * step)[flows]) / np.sum(step[flows])) * rate if flows.any() else 0.0,
    )


def _above(charge: Floats, level: float) -> Floats:
    """Share of each step for which a charge that runs straight is above a level."""
    least, most = np.minimum(charge[1:], charge[:-1]), np.maximum(charge[1:], charge[:-1])
    span = np.maximum(most - least, 1e-12)
    share: Floats = np.clip((most - level) / span, 0.0, 1.0)
    return share


def swings(levels: Sequence[float]) -> list[tuple[float, float]]:
    """(depth, count 1 or 0.5) of every swing in a course, by ASTM E1049-85, 5.4.4."""
    found, points = list[tuple[float, float]](), list[float]()
    for point in turning_points(levels):
        points.append(point)
        while len(points) >= 3:
            x, y = abs(points[-1] - points[-2]), abs(points[-2] - points[-3])
            if x < y:
                break
            if len(points) == 3:  # y holds the start: half a cycle, and the start moves on
                found.append((y, 0.5))
                points.pop(0)
            else:
                found.append((y, 1.0))
                del points[-3:-1]
    found += [(abs(b - a), 0.5) for a, b in pairwise(points)]
    return [(depth, count) for depth, count in found if depth > 0.0]


def turning_points(levels: Sequence[float]) -> list[float]:
    """First, last, and every peak and valley between."""
    points = list[float]()
    for level in levels:
        if not math.isfinite(level):
            raise UseError("wear: a level is no number; leave it out")
        if points and level == points[-1]:
            continue
        if len(points) >= 2 and (points[-1] - points[-2]) * (level - points[-1]) > 0:
            points[-1] = level
        else:
            points.append(level)
    return points
