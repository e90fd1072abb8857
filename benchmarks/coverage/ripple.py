"""Random ripple on a direct current: lines in a band and beside it, on a period in which all of them repeat."""

from __future__ import annotations

import math

import numpy as np

from benchmarks.coverage.digitizer import channel, time_base
from benchmarks.coverage.tally import Case, Random
from benchmarks.coverage.waves import Line, Sum
from rig.metrology.ripple import NEEDED, SWING_IN, ripple

BANDS = ((0.0, 100.0), (0.0, 1e3), (0.0, 5e3), (100.0, 1e3), (300.0, 5e3))
"""Hz."""
CLEAR = 1.5
"""How far beside the band a line is that does not belong to it, as a ratio: where the filter has fallen to its stop."""


def ripple_current(rng: Random, _number: int) -> Case:
    """Peak to peak of the lines in a band, one to four of them, of up to 10 % of 5 to 30 A; two beside it; noise of
    the digitizer to 2 % of the ripple's peak."""
    low, high = BANDS[int(rng.integers(len(BANDS)))]
    base = max(low, high / 50.0)  # of the lines' frequencies: a beat is over in one period of it
    level = float(rng.uniform(5.0, 30.0))
    inside = _lines(rng, np.arange(math.ceil(max(low, base) / base), int(high / base) + 1) * base, 4, 0.1 * level)
    clock = time_base(rng, (50e3, 100e3))
    outside = CLEAR * high + rng.uniform(0.0, 1.0, 1) * (0.4 * clock.rate - CLEAR * high)
    beside = _lines(rng, np.concatenate([outside, [low / CLEAR] if low else []]), 2, 0.1 * level)
    truth = Sum(inside).peak_to_peak(1.0 / base)
    peak = level + sum(line.peak for line in (*inside, *beside))
    noise = float(rng.uniform(0.0, 0.02)) * truth / 2.0
    seconds = 1.05 * NEEDED * SWING_IN / (low or high) + 3.0 / base
    probe = channel(rng, peak, noise, known=True)
    w = probe.wave(Sum((*inside, *beside), level), seconds, clock, "A")
    return Case(ripple(w, low, high), truth, truth, (inside, beside, level, (low, high), noise))


def _lines(rng: Random, frequencies: np.ndarray, most: int, peak: float) -> tuple[Line, ...]:
    chosen = rng.choice(frequencies, size=min(len(frequencies), int(rng.integers(1, most + 1))), replace=False)
    return tuple(
        Line(peak * float(rng.uniform(0.1, 1.0)), float(f), float(rng.uniform(0.0, 2.0 * math.pi))) for f in chosen
    )
