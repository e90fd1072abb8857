"""What a step or a ramp did, each answer a measurement: rise, overshoot, undershoot, steadiness, slope, straightness.

Levels before and after a step are the means of the readings in a window each, so that noise counts by their number. A
reading's systematic error is the same all along: it drops out of differences and comes back as an error of gain, which
is taken as large as it is at the larger level.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rig.errors import BenchFault, UseError
from rig.metrology.measurement import Component, Measurement
from rig.metrology.series import ROOT12, Series
from rig.metrology.wave import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A step seen in a series. before, after: the levels, unit. u: standard uncertainty of a level by its noise, unit.
    noise: standard deviation of one reading about its level. dof: degrees of freedom of it. s: the readings between."""

    s: Series
    before: float
    after: float
    u: float
    noise: float
    dof: int
    since: float

    @property
    def size(self) -> float:
        """After minus before, unit."""
        return self.after - self.before

    @property
    def part(self) -> Floats:
        """Each reading as a fraction of the step: 0 before, 1 after."""
        return (self.s.y - self.before) / self.size

    def relative_u(self) -> float:
        """Of the step's size, 1."""
        return math.hypot(math.sqrt(2) * self.u / abs(self.size), self.s.u / max(abs(self.before), abs(self.after)))


def step(s: Series, at: float, level: float, until: float = math.inf) -> Step:
    """The step asked for at time `at` (s). level: s, how long a level is averaged: before `at`, and up to the end.

    BenchFault when the levels cannot be told apart, or have too few readings for their noise to be known.
    """
    window = s.between(at - level, until)
    end = float(window.t[-1])
    old, new = s.between(at - level, at).y, s.between(end - level, end).y
    if min(len(old), len(new)) < 3:
        raise BenchFault(
            f"series {s.source}: a level of {level:g} s holds too few readings; average longer or read faster"
        )
    before, after = float(np.mean(old)), float(np.mean(new))
    dof = len(old) + len(new) - 2
    noise = math.sqrt((float(np.sum((old - before) ** 2)) + float(np.sum((new - after) ** 2))) / dof)
    u = noise / math.sqrt(min(len(old), len(new)))
    if not abs(after - before) > 4 * math.sqrt(2) * u:
        raise BenchFault(
            f"series {s.source}: no step at {at:g} s, {before:.6g} {s.unit} before and {after:.6g} after it"
        )
    return Step(s.between(at - level, until), before, after, u, noise, dof, at)


def step_size(x: Step, name: str) -> Measurement:
    """After minus before, in the series' unit."""
    levels = Component("levels", math.sqrt(2) * x.u, "normal", "noise of the readings", dof=x.dof)
    gain = x.s.u * abs(x.size) / max(abs(x.before), abs(x.after))
    return x.s.made(name, x.size, levels, Component("reading", gain, "normal", x.s.source or "instrument"))


def rise_time(x: Step, name: str, low: float = 0.1, high: float = 0.9) -> Measurement:
    """s from the first reading at `low` of the step that leads to its first passing of `high`."""
    if not 0 <= low < high <= 1:
        raise UseError(f"{name}: {low:g} to {high:g} of a step is no rise; give fractions that grow")
    t, part = x.s.t, x.part
    up = int(np.argmax(part >= high))
    under = np.flatnonzero(part[:up] <= low)
    if not len(under):
        raise BenchFault(f"{name}: noise hides where the step passes {low:.0%}; average, or take a larger step")
    down = int(under[-1])
    begin, begin_slope = _between(t, part, down, low)
    end, end_slope = _between(t, part, up - 1, high)
    timing = Component("update interval", math.sqrt(2) * x.s.step / ROOT12, "rectangular", f"{x.s.step * 1e3:.3g} ms")
    noise = x.noise / abs(x.size) * math.hypot(1 / begin_slope, 1 / end_slope)
    value = end - begin
    return x.s.made(
        name,
        value,
        timing,
        Component("noise at the crossings", min(noise, value + x.s.step), "normal", "noise of the readings", dof=x.dof),
        unit="s",
        at=end,
    )


def _between(t: Floats, part: Floats, i: int, level: float) -> tuple[float, float]:
    """s at which the straight line from reading i to the next meets a level, and its slope, 1/s."""
    rise, span = float(part[i + 1] - part[i]), float(t[i + 1] - t[i])
    if rise <= 0 or span <= 0:
        return float(t[i + 1]), math.inf
    return float(t[i]) + span * min(max((level - float(part[i])) / rise, 0.0), 1.0), rise / span


def overshoot(x: Step, name: str = "overshoot") -> Measurement:
    """How far beyond the new level the readings went, fraction of the step; 0 when they never did."""
    return _beyond(x, name, x.part[x.s.t >= x.since] - 1.0)


def undershoot(x: Step, name: str = "undershoot") -> Measurement:
    """How far below the old level they went first, fraction of the step; 0 when they never did."""
    return _beyond(x, name, -x.part[x.s.t >= x.since])


def _beyond(x: Step, name: str, part: Floats) -> Measurement:
    """The largest of so many readings lies above the truth by what their noise adds at its peak: taken off by half."""
    largest, expected = float(np.max(part)), x.noise / abs(x.size) * math.sqrt(2 * math.log(max(2, len(part))))
    value = max(0.0, largest - expected / 2)
    return x.s.made(
        name,
        value,
        Component("noise at the peak", expected / ROOT12, "rectangular", "0 to the largest of the readings' noise"),
        Component("noise of a reading", x.noise / abs(x.size), "normal", "noise of the readings", dof=x.dof),
        Component("size of the step", value * x.relative_u(), "normal", x.s.source or "instrument"),
        unit="1",
    )


def departure(s: Series, name: str, since: float = -math.inf, until: float = math.inf) -> Measurement:
    """How constant: the largest departure of a reading from the mean, unit. What noise there is, is part of it."""
    w = s.between(since, until)
    away = np.abs(w.y - float(np.mean(w.y)))
    i = int(np.argmax(away))
    share = w.u / float(np.max(np.abs(w.y))) if np.any(w.y) else 0.0
    spread = float(np.std(w.y, ddof=1)) / math.sqrt(len(w.y)) if len(w.y) > 1 else 0.0
    return w.made(
        name,
        float(away[i]),
        Component("mean", spread, "normal", f"{len(w.y)} readings", dof=len(w.y) - 1),
        Component("reading", share * float(away[i]), "normal", w.source or "instrument"),
        at=float(w.t[i]),
    )


def ramp_slope(s: Series, name: str, since: float = -math.inf, until: float = math.inf) -> Measurement:
    """Slope of a straight line through the readings of a window by least squares, unit/s, with its sign."""
    w = s.between(since, until)
    line, rest = _line(w, name)
    t = w.t - float(np.mean(w.t))
    n = len(t)
    noise = math.sqrt(float(np.sum(rest**2)) / (n - 2) / float(t @ t))
    share = w.u / float(np.max(np.abs(w.y))) if np.any(w.y) else 0.0
    stamps = abs(line) * w.step / ROOT12 / math.sqrt(float(t @ t))  # each reading stamped to one update
    return w.made(
        name,
        line,
        Component("scatter about the line", noise, "normal", f"{n} readings", dof=n - 2),
        Component("reading", share * abs(line), "normal", w.source or "instrument"),
        Component("update interval", stamps, "rectangular", f"{w.step * 1e3:.3g} ms"),
        unit=f"{w.unit}/s",
    )


def ramp_departure(s: Series, name: str, since: float = -math.inf, until: float = math.inf) -> Measurement:
    """How straight: the largest departure of a reading from the line through them, unit."""
    w = s.between(since, until)
    _, rest = _line(w, name)
    i = int(np.argmax(np.abs(rest)))
    n = len(rest)
    line = math.sqrt(float(np.sum(rest**2)) / (n - 2)) * 2 / math.sqrt(n)
    value = float(abs(rest[i]))
    share = w.u / float(np.max(np.abs(w.y))) if np.any(w.y) else 0.0
    return w.made(
        name,
        value,
        Component("line", line, "normal", f"{n} readings", dof=n - 2),
        Component("reading", share * value, "normal", w.source or "instrument"),
        at=float(w.t[i]),
    )


def _line(w: Series, name: str) -> tuple[float, Floats]:
    """(slope, what is left of each reading)."""
    if len(w.t) < 4 or not w.t[-1] > w.t[0]:
        raise BenchFault(f"{name}: {len(w.t)} readings make no line; record longer or read faster")
    t = w.t - float(np.mean(w.t))
    slope = float(t @ w.y) / float(t @ t)
    return slope, np.asarray(w.y - float(np.mean(w.y)) - slope * t, dtype=np.float64)
