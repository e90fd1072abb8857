"""When a mains stepped from one steady state to another, by its wave: least squares over all possible instants.

The sine before and the sine after are fitted to steady stretches on both sides. For an instant k the squares of what is
left of the samples before k against the first, and after k against the second, are added up; the step is where that sum
is least. Instants whose sum is not worse than noise can make it bracket it: about a zero crossing, or where the two
sines cross, nothing is seen. Steps of voltage and of frequency alike; a step whose sines do not part is refused.

A ramp of frequency has no such instant. Where its rate is known its start follows from how far it has come.
"""

from __future__ import annotations

import math

import numpy as np

from rig.errors import BenchFault
from rig.metrology.measurement import Component
from rig.metrology.sine import fit_sine
from rig.metrology.wave import Wave

CYCLES = 5
"""Cycles fitted on each side (project choice)."""
DEVIATES = 16.0
"""Variances of noise by which a sum may be worse and its instant still be the one (4 standard deviations)."""


def instant_of_step(
    w: Wave, since: float, until: float, frequency: float, after: float | None = None
) -> tuple[float, Component]:
    """(s, its uncertainty) at which the mains stepped. since, until: s, bench time: before and after it for certain.
    frequency, after: Hz of both sides (after: None for the same). BenchFault where no step can be seen."""
    after = frequency if after is None else after
    low, high = (round((at - w.start) * w.rate) for at in (since, until))
    wide = [round(CYCLES / f * w.rate) for f in (frequency, after)]
    name = w.source or "wave"
    if low - wide[0] < 0 or high + wide[1] > len(w.samples):
        raise BenchFault(f"{name}: record {CYCLES} cycles before a step and after it")
    first = fit_sine(w.times(low - wide[0], low), w.part(low - wide[0], low), frequency)
    second = fit_sine(w.times(high, high + wide[1]), w.part(high, high + wide[1]), after)
    t, v = w.times(low, high), w.part(low, high)
    squares = [(v - fit.alternating(t) - fit.offset) ** 2 for fit in (first, second)]
    cost = np.concatenate(([0.0], np.cumsum(squares[0]))) + np.concatenate((np.cumsum(squares[1][::-1])[::-1], [0.0]))
    noise = max(first.residual, second.residual) ** 2
    best = int(np.argmin(cost))
    possible = np.flatnonzero(cost <= cost[best] + DEVIATES * noise)
    begin, end = int(possible[0]), int(possible[-1])
    if cost[0] <= cost[best] + DEVIATES * noise and cost[-1] <= cost[best] + DEVIATES * noise:
        raise BenchFault(f"{name}: no step between {since:.3f} and {until:.3f} s; look at the grid simulator")
    # k samples before it: it happened between sample k - 1 and sample k.
    u = (end - begin + 1) / w.rate / math.sqrt(12)
    return w.start + (low + (begin + end - 1) / 2) / w.rate, Component("instant of the step", u, "rectangular", name)


def start_of_ramp(w: Wave, since: float, at: float, frequency: float, rate: float) -> tuple[float, Component]:
    """(s, its uncertainty) at which the frequency began to run. since: s, before the ramp for certain. at: s, still on
    it. frequency: Hz before it. rate: Hz/s, its sign with it."""
    seconds = CYCLES / frequency
    fits = []
    for end in (since, at):
        low, high = (round((instant - w.start) * w.rate) for instant in (end - seconds, end))
        if low < 0:
            raise BenchFault(f"{w.source or 'wave'}: record {CYCLES} cycles before a ramp")
        fits.append(fit_sine(w.times(low, high), w.part(low, high), frequency))
    come = fits[1].frequency - fits[0].frequency
    if come * rate <= 0.0:
        raise BenchFault(f"{w.source or 'wave'}: the frequency has not moved by {at:.3f} s; look at the grid simulator")
    # Cramer-Rao bound of the frequency of a sine in noise (IEEE 1057), of both fits.
    n = seconds * w.rate
    noise = math.hypot(*(math.sqrt(6 / n) * fit.residual / (math.pi * seconds * fit.amplitude) for fit in fits))
    return at - seconds / 2 - come / rate, Component("start of the ramp", noise / abs(rate), "normal", "two fits")
