"""Measures of readings over time, on irregular (t, value) arrays.

Between two readings the value is taken to run straight. What happens inside an instrument's update interval is not
seen: an instant read from a series is uncertain by a rectangular distribution one interval wide.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rig.errors import BenchFault, UseError
from rig.metrology.measurement import Component, Measurement
from rig.metrology.timing import count
from rig.metrology.wave import Floats

ROOT12 = math.sqrt(12)
HOLE, LEAST_HOLE = 5.0, 1.0
"""Usual spacings of readings, and s, that no reading came for at least, where some are missing (project choice: more
than a busy computer is late by)."""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Readings. t: s, increasing, shape (n,). y: in unit. u: standard uncertainty of one reading, systematic.

    interval: s between two updates of the instrument; 0 takes the spacing of t.
    """

    t: Floats
    y: Floats
    unit: str
    u: float = 0.0
    interval: float = 0.0
    source: str = ""
    of: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.t.ndim != 1 or self.t.shape != self.y.shape or len(self.t) == 0:
            raise UseError(f"series {self.source}: t and y must be two rows of the same length, one reading at least")
        if not (np.diff(self.t) >= 0).all():
            raise UseError(f"series {self.source}: times go back; sort the readings")
        if not np.isfinite(self.y).all():
            raise BenchFault(f"series {self.source}: holds readings that are no number; the instrument was over range")

    @property
    def step(self) -> float:
        """s one update takes."""
        return self.interval or (float(np.median(np.diff(self.t))) if len(self.t) > 1 else 0.0)

    def between(self, since: float, until: float) -> Series:
        """The readings in a window. BenchFault when there are none."""
        inside = (self.t >= since) & (self.t <= until)
        if not inside.any():
            raise BenchFault(
                f"series {self.source}: no reading from {since:g} to {until:g} s; record longer or read faster"
            )
        return Series(self.t[inside], self.y[inside], self.unit, self.u, self.interval, self.source, self.of)

    def without_holes(self) -> Series:
        """The same. BenchFault where readings are missing: what was not seen is not run straight over."""
        if len(self.t) > 2:
            apart = np.diff(self.t)
            usual = max(self.interval, float(np.median(apart)))
            i = int(np.argmax(apart))
            if apart[i] > max(HOLE * usual, LEAST_HOLE):
                raise BenchFault(
                    f"series {self.source}: no reading from {self.t[i]:.3f} to {self.t[i + 1]:.3f} s, where one comes "
                    f"each {usual:.3g} s; see what stopped the instrument and measure again"
                )
        return self

    @property
    def magnitude(self) -> Series:
        """The same without its sign."""
        return replace(self, y=np.abs(self.y))

    @property
    def reversed(self) -> Series:
        """The same with the other sign."""
        return replace(self, y=-self.y)

    def at_least(self, floor: float) -> Series:
        """The same, never below a floor."""
        return replace(self, y=np.maximum(self.y, floor))

    def held(self, t: Floats) -> Floats:
        """Value at each of the times t, holding from one reading to the next. Times before the first get the first."""
        values: Floats = self.y[np.maximum(np.searchsorted(self.t, t, side="right") - 1, 0)]
        return values

    def where(self, other: Series, low: float = -math.inf, high: float = math.inf) -> Series:
        """The readings taken while another series lay between low and high. BenchFault when there are none."""
        beside = other.held(self.t)
        inside = (beside >= low) & (beside <= high)
        if not inside.any():
            raise BenchFault(f"series {self.source}: no reading while {other.source} lay in {low:g}..{high:g}")
        return replace(self, t=self.t[inside], y=self.y[inside])

    def made(self, name: str, value: float, *budget: Component, unit: str = "", at: float = math.nan) -> Measurement:
        """A measurement of this series."""
        when = float(self.t[-1]) if math.isnan(at) else at
        return Measurement(name, value, unit or self.unit, budget, self.source, when, self.of)

    def reading_u(self, sensitivity: float = 1.0) -> Component:
        """What one reading contributes."""
        return Component("reading", self.u, "normal", self.source or "instrument", sensitivity)

    def instant_u(self, instants: int = 1, sensitivity: float = 1.0) -> Component:
        """What so many instants read from it contribute."""
        u = math.sqrt(instants) * self.step / ROOT12
        return Component("update interval", u, "rectangular", f"{self.step * 1e3:.3g} ms", sensitivity)


def series(measurements: Iterable[Measurement], interval: float = 0.0) -> Series:
    """Readings of one quantity as a series; its u is the largest of theirs."""
    ms = sorted(measurements, key=lambda m: m.at)
    if not ms:
        raise UseError("series: no reading given; read the instrument first")
    if len({m.unit for m in ms}) > 1:
        raise UseError(f"series: units differ ({', '.join(sorted({m.unit for m in ms}))}); give one quantity")
    t, y = np.array([m.at for m in ms]), np.array([m.value for m in ms])
    of = tuple(dict.fromkeys(digest for m in ms for digest in m.of))
    return Series(t, y, ms[0].unit, max(m.u for m in ms), interval, ms[0].source, of)


def added(parts: Sequence[Series], source: str = "") -> Series:
    """The sum of several readings of the same updates: legs to a whole. BenchFault when they are not of the same."""
    if not parts:
        raise UseError("added: no series given; hand in one a leg")
    first = parts[0]
    for s in parts[1:]:
        if s.unit != first.unit:
            raise UseError(f"added: {first.source} is in {first.unit}, {s.source} in {s.unit}; give one unit")
        if s.t.shape != first.t.shape or not (s.t == first.t).all():
            raise BenchFault(
                f"added: {first.source} and {s.source} were not read in the same updates; record them together"
            )
    return Series(
        first.t,
        np.sum([s.y for s in parts], axis=0),
        first.unit,
        math.hypot(*(s.u for s in parts)),
        first.interval,
        source or " + ".join(s.source for s in parts),
        tuple(dict.fromkeys(digest for s in parts for digest in s.of)),
    )


def first_exit(s: Series, low: float, high: float, name: str, since: float) -> Measurement:
    """s from `since` until the value first leaves low..high; inf when it stays inside to the last reading."""
    w = s.between(since, math.inf)
    outside = np.flatnonzero((w.y < low) | (w.y > high))
    if not len(outside):
        return w.made(name, math.inf, w.instant_u(), unit="s")
    i = int(outside[0])
    # The update that first shows it is a mean: it happened within it, or between the two.
    before = float(w.t[i - 1]) if i else since
    return w.made(name, (before + float(w.t[i])) / 2 - since, w.instant_u(2), unit="s", at=float(w.t[i]))


def mean(s: Series, name: str, since: float = -math.inf, until: float = math.inf) -> Measurement:
    """Time-weighted mean of the readings in a window. BenchFault for a window with a hole in it."""
    w = s.between(since, until).without_holes()
    span = float(w.t[-1] - w.t[0])
    value = float(np.trapezoid(w.y, w.t)) / span if span > 0 else float(np.mean(w.y))
    n = len(w.y)
    spread = float(np.std(w.y, ddof=1)) / math.sqrt(n) if n > 1 else 0.0
    return w.made(name, value, w.reading_u(), Component("repeatability", spread, "normal", f"{n} readings", dof=n - 1))


def largest(s: Series, name: str, since: float = -math.inf, until: float = math.inf) -> Measurement:
    """The highest reading in a window."""
    w = s.between(since, until)
    i = int(np.argmax(w.y))
    return w.made(name, float(w.y[i]), w.reading_u(), at=float(w.t[i]))


def smallest(s: Series, name: str, since: float = -math.inf, until: float = math.inf) -> Measurement:
    """The lowest reading in a window."""
    w = s.between(since, until)
    i = int(np.argmin(w.y))
    return w.made(name, float(w.y[i]), w.reading_u(), at=float(w.t[i]))


def slope(s: Series, name: str, since: float = -math.inf, until: float = math.inf) -> Measurement:
    """Steepness of a step, unit/s, positive: 80 % of it over the time from 10 % to 90 %, first to last reading.

    0 when nothing moved. A step that falls within one update reads as steep as that update can show, no steeper.
    """
    w = s.between(since, until)
    rise = float(w.y[-1] - w.y[0])
    unit = f"{s.unit}/s"
    if abs(rise) <= 2 * w.u or len(w.y) < 2:
        return w.made(name, 0.0, Component("no step", 0.0, "normal", "the readings did not move"), unit=unit)
    part = (w.y - w.y[0]) / rise
    high = int(np.argmax(part >= 0.9))
    low = int(np.flatnonzero(part[: high + 1] <= 0.1)[-1])
    t90 = _crossing(w.t, part, high, 0.9)
    t10 = _crossing(w.t, part, low + 1, 0.1)
    took = max(t90 - t10, 1e-9)
    value = 0.8 * abs(rise) / took
    # Two instants read inside the same update cannot be wrong by more than that update, so the step took took + step
    # at the most: where the linear budget reaches farther down than that, this bound is the better one.
    timing = w.instant_u(2, value / max(took, w.step))
    farthest = value - 0.8 * abs(rise) / (took + w.step)
    if farthest / math.sqrt(3) < timing.contribution:
        timing = Component("update interval", farthest / math.sqrt(3), "rectangular", f"{w.step * 1e3:.3g} ms")
    return w.made(name, value, timing, w.reading_u(math.sqrt(2) * value / abs(rise)), unit=unit, at=t90)


def time_to(
    s: Series, threshold: float, name: str, since: float, falling: bool = True, since_u: float = 0.0
) -> Measurement:
    """s from `since` until the value stays at or below the threshold (falling) or at or above it; inf if it does not.

    0 when it is there from the first reading on. since_u: s, standard uncertainty of `since`.
    """
    m = _time_to(s.between(since, math.inf), threshold, name, since, falling)
    start = Component("instant of the start", since_u, "rectangular", "its stamp")
    return replace(m, budget=(*m.budget, start)) if since_u else m


def _time_to(w: Series, threshold: float, name: str, since: float, falling: bool) -> Measurement:
    sign = 1.0 if falling else -1.0
    beyond = np.flatnonzero(sign * (w.y - threshold) > 0)
    if not len(beyond):
        return w.made(name, 0.0, w.instant_u(), unit="s", at=since)
    last = int(beyond[-1])
    if last == len(w.y) - 1:
        return w.made(name, math.inf, w.instant_u(), unit="s")
    when = _crossing(w.t, w.y, last + 1, threshold)
    steep = abs(float(w.y[last + 1] - w.y[last])) / max(float(w.t[last + 1] - w.t[last]), 1e-9)
    level = w.reading_u(1 / steep) if steep > 0 else w.reading_u(0.0)
    return w.made(name, when - since, w.instant_u(), level, unit="s", at=when)


def settling_time(s: Series, low: float, high: float, name: str, since: float) -> Measurement:
    """s from `since` until the value is between low and high for good; inf when it is outside at the end."""
    middle, half = (low + high) / 2, (high - low) / 2
    w = s.between(since, math.inf)
    away = Series(w.t, np.abs(w.y - middle), w.unit, w.u, w.interval, w.source, w.of)
    return time_to(away, half, name, since)


def worst_excess(s: Series, limit: Series, name: str, ramp: float = math.inf, delay: float = 0.0) -> Measurement:
    """Largest value minus what is allowed; negative when it always kept below.

    limit: holds from each of its entries to the next; readings before the first are not looked at. A rise of the
    limit counts at once; after a fall the allowed value stays for `delay` s and then falls by `ramp` unit/s.
    BenchFault where readings are missing.
    """
    if limit.unit != s.unit:
        raise UseError(f"{name}: value in {s.unit}, limit in {limit.unit}; give both in one unit")
    w = s.between(float(limit.t[0]), math.inf).without_holes()
    excess = w.y - _allowed(w.t, limit, ramp, delay)
    i = int(np.argmax(excess))
    moving = abs(float(np.gradient(excess, w.t)[i])) if len(w.t) > 1 and (np.diff(w.t) > 0).all() else 0.0
    return w.made(name, float(excess[i]), w.reading_u(), w.instant_u(1, moving), at=float(w.t[i]))


def value_at(s: Series, name: str, when: float) -> Measurement:
    """Value at an instant, straight between the readings around it."""
    if not s.t[0] <= when <= s.t[-1]:
        raise BenchFault(f"series {s.source}: no reading about {when:g} s; record longer")
    after = min(int(np.searchsorted(s.t, when)), len(s.t) - 1)
    before = max(after - 1, 0)
    rise, span = float(s.y[after] - s.y[before]), float(s.t[after] - s.t[before])
    value = float(np.interp(when, s.t, s.y))
    return s.made(name, value, s.reading_u(), s.instant_u(1, abs(rise) / span if span > 0 else 0.0), at=when)


def worst_difference(s: Series, told: Series, name: str, digit: float = 0.0) -> Measurement:
    """What was told minus what was measured, where they are farthest apart; with its sign.

    told: holds from each entry to the next; readings before the first are not looked at. digit: its resolution.
    """
    if told.unit != s.unit:
        raise UseError(f"{name}: measured in {s.unit}, told in {told.unit}; give both in one unit")
    w = s.between(float(told.t[0]), math.inf)
    apart = told.held(w.t) - w.y
    i = int(np.argmax(np.abs(apart)))
    resolution = Component("digit", digit / ROOT12, "rectangular", f"{told.source}, {digit:g} {told.unit} a digit")
    return w.made(name, float(apart[i]), w.reading_u(), resolution, at=float(w.t[i]))


def reversals(s: Series, level: float, name: str = "reversals") -> Measurement:
    """Changes of sign between values beyond +level and -level, counted; what lies between them is no direction."""
    signs = np.sign(s.y[np.abs(s.y) >= level])
    return count(name, int(np.count_nonzero(np.diff(signs))), s.source, float(s.t[-1]))


def _allowed(t: Floats, limit: Series, ramp: float, delay: float) -> Floats:
    """What is allowed at times t: the limit, with its falls slowed down."""
    allowed = np.empty_like(t)
    before = -math.inf
    ends = np.append(limit.t[1:], math.inf)
    for begin, end, level in zip(limit.t, ends, limit.y, strict=True):
        here = (t >= begin) & (t < end)
        allowed[here] = _after(t[here] - begin, before, float(level), ramp, delay)
        if math.isfinite(end):
            before = float(_after(np.array([end - begin]), before, float(level), ramp, delay)[0])
    return allowed


def _after(elapsed: Floats, before: float, level: float, ramp: float, delay: float) -> Floats:
    """Allowed value `elapsed` s after the limit went from what was allowed to level."""
    if before <= level:
        return np.full_like(elapsed, level)
    late = np.maximum(elapsed - delay, 0.0)
    fallen = np.where(late > 0, math.inf, 0.0) if math.isinf(ramp) else ramp * late
    values: Floats = np.maximum(level, before - fallen)
    if math.isinf(ramp) and delay == 0.0:
        values = np.full_like(elapsed, level)
    return values


def _crossing(t: Floats, y: Floats, i: int, level: float) -> float:
    """s at which the straight line from reading i-1 to reading i meets the level."""
    if i == 0 or y[i] == y[i - 1]:
        return float(t[i])
    part = min(max(float((level - y[i - 1]) / (y[i] - y[i - 1])), 0.0), 1.0)
    return float(t[i - 1] + part * (t[i] - t[i - 1]))
