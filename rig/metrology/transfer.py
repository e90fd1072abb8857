"""Transfer time, point on wave (standards.md 2.3). Knows voltages only: neither the mains command nor the plant.

  t_transfer   load voltage leaves tolerance -> load voltage returns and stays in tolerance; worst leg
  t_settle     first return of voltage -> last exit from +/-6 % V and +/-2 % f

Method, per leg
  1  fit a sine, frequency too, to five to ten clean cycles before the event and after it has settled
  2  start: first persistent |v - before| above 10 % of the nominal peak
  3  end: last persistent |v - after| above it; Urms(1/2) must then stay at or above 90 % to the end of the record
  4  where the edges may hide, about a zero crossing or in a slow change, is found from the noise; the middle is the
     reading and the width goes to the budget (rig.metrology.edges)
A reference is a sine and what repeats with it each cycle, so that a distorted mains is a clean one.
Urms(1/2) alone would read 10 to 20 ms too much (standards.md 2.2). A record whose voltage does not come back gives inf.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rig.errors import BenchFault, UseError
from rig.metrology.edges import (
    PERSISTENCE,
    SHARE,
    THRESHOLD,
    Edge,
    Flags,
    bracket,
    cycle_of,
    end_edge,
    farther,
    first,
    first_persistent,
    last_persistent,
    persistent,
    samples_of,
    start_edge,
)
from rig.metrology.measurement import Component, Measurement
from rig.metrology.rms import HalfCycles, urms_half
from rig.metrology.settle import settling
from rig.metrology.sine import SineFit, fit_sine, with_shape
from rig.metrology.wave import Wave

FEWEST, MOST = 5, 10
"""Cycles of a reference fit (5: standards.md 2.3; 10: project choice)."""
LEAST_RATE = 20e3
"""S/s (standards.md 2.3, step 1)."""
FIT_RATE = 50e3
"""S/s from which on a reference is fitted to every second, third... sample: five cycles have thousands (project
choice)."""
EDGE_RATE = 50e3
"""S/s that edges are looked for at: two samples of 20 us are a U of 16 us, a thousandth of the shortest limit, and a
denser record would cost ten times the time (project choice)."""
LOW = 0.90
"""Of nominal: below it the load is not supplied (standards.md 2.3, step 4)."""
SETTLED = 0.005
"""Of the nominal peak: what a settled voltage may add to the residual it has in the end (project choice)."""
STRAY = 1.1
"""Residual after the event over the one before it, above which the disturbance is still in it (project choice)."""
SHAPED = 1.2
"""Standard deviation of a carried phase over the bound for a sine alone: what repeats each cycle is estimated from the
same samples, in steps (1.05 with noise alone, 1.3 with harmonics far above it, both over five cycles; trials)."""


@dataclass(frozen=True, slots=True)
class LegTransfer:
    """One leg. start, end: s, bench time (end inf: never; both NaN: no interruption). minimum: lowest Urms(1/2), V.

    before, after: the fitted references; their time 0 is the record's first sample. phase_jump: degrees, -180..180, of
    after against before at the end, phase_u its standard uncertainty. settled: s, t_settle; settled_apart: s, by which
    it may differ for all that is known of the gain. budget: of end - start.
    """

    name: str
    start: float
    end: float
    before: SineFit
    after: SineFit | None
    minimum: float
    phase_jump: float
    settled: float
    budget: tuple[Component, ...]
    reason: str
    phase_u: float = 0.0
    settled_apart: float = 0.0

    @property
    def duration(self) -> float:
        """s; 0 without an interruption, inf when the voltage did not come back."""
        return 0.0 if math.isnan(self.start) else max(0.0, self.end - self.start)

    @property
    def u(self) -> float:
        """s, standard uncertainty of the duration."""
        return math.sqrt(math.fsum(c.contribution**2 for c in self.budget))


@dataclass(frozen=True, slots=True)
class TransferResult:
    """The worst leg's verdict value and all there is to draw. start, end, reason: of the worst leg. phase_jump:
    degrees, -180..180, of the leg that jumped most; NaN when a leg did not come back."""

    measurement: Measurement
    settle: Measurement
    phase_jump: Measurement
    start: float
    end: float
    legs: tuple[LegTransfer, ...]
    reason: str


def transfer_time(legs: Sequence[Wave], voltage: float, frequency: float, name: str = "t_transfer") -> TransferResult:
    """Measure the interruption in a record of the house voltage. voltage: V rms, nominal, of a leg. frequency: Hz.

    BenchFault for a record that cannot be judged: clipped, too short, or not supplied when it begins.
    """
    if not legs:
        raise UseError(f"{name}: no leg given; hand in the wave of each house leg")
    results = tuple(_leg(leg, voltage, frequency) for leg in legs)
    # A leg that is known less well may have been away for longer than one that reads a little more.
    worst = max(results, key=lambda leg: leg.duration + 2 * leg.u)
    slowest = max(results, key=lambda leg: leg.settled)
    source = f"point on wave, {', '.join(leg.source or 'leg' for leg in legs)}"
    at = worst.end if math.isfinite(worst.end) else legs[0].start + legs[0].seconds
    of = tuple(dict.fromkeys(digest for leg in legs for digest in leg.of))
    half_cycle = 0.5 / frequency
    settle_budget = (
        Component("refreshed each half cycle", half_cycle / math.sqrt(12), "rectangular", "method"),
        Component("shape of the excursion", half_cycle / math.sqrt(12), "rectangular", "method"),
        Component("first return", PERSISTENCE / math.sqrt(12), "rectangular", "method"),
        Component("magnitude", max(leg.settled_apart for leg in results) / math.sqrt(3), "rectangular", "gain"),
    )
    return TransferResult(
        Measurement(name, worst.duration, "s", worst.budget, source, at, of),
        Measurement("t_settle", slowest.settled, "s", settle_budget, source, at, of),
        _phase_jump(results, source, at, of),
        worst.start,
        worst.end,
        results,
        worst.reason,
    )


def _phase_jump(legs: Sequence[LegTransfer], source: str, at: float, of: tuple[str, ...]) -> Measurement:
    lost = next((leg for leg in legs if math.isnan(leg.phase_jump)), None)
    most = lost or max(legs, key=lambda leg: abs(leg.phase_jump))
    budget = (Component("both references, carried to the end", most.phase_u, "normal", "noise of the fits"),)
    return Measurement("phase_jump", most.phase_jump, "deg", budget, source, at, of)


def _phase_u(w: Wave, fit: SineFit, at: float) -> float:
    """Standard uncertainty, degrees, of a reference's phase carried to a time (s): by the bounds of IEEE 1057 for the
    phase in the middle of a fit and for its frequency, which do not move together."""
    n = (fit.end - fit.begin) * w.rate / max(1, int(w.rate / FIT_RATE))
    # Steps of the converter that come again each cycle look like a part of the wave.
    noise = math.hypot(fit.residual, w.resolution / math.sqrt(12))
    away = (at - (fit.begin + fit.end) / 2) / (fit.end - fit.begin)
    return SHAPED * math.degrees(noise / fit.amplitude * math.sqrt(2 / n * (1 + 12 * away**2)))


def _leg(w: Wave, voltage: float, frequency: float) -> LegTransfer:
    peak = math.sqrt(2) * voltage
    name = w.source or "leg"
    cycle = round(w.rate / frequency)
    if w.rate < 0.99 * LEAST_RATE:
        raise BenchFault(f"{name}: {w.rate:g} S/s is too coarse for edges; record at {LEAST_RATE:g} S/s or more")
    if len(w.samples) < (2 * FEWEST + 1) * cycle:
        raise BenchFault(f"{name}: {w.seconds:.3g} s is too short; record 0.3 s before and 1 s after the event")
    w = w.picked(EDGE_RATE)
    cycle = round(w.rate / frequency)
    half = urms_half(w, frequency)
    minimum = float(half.values.min())
    rough = _clean_start(w, frequency, peak, cycle, name)
    event = _event(w, rough, half, peak)
    if event is None:
        return _no_interruption(name, rough, minimum, w)
    low = max(0, event - MOST * cycle)
    before = _reference(w, low, event, rough.frequency)
    if before.residual > THRESHOLD * peak / 4 or before.amplitude < (1 - THRESHOLD / 2) * rough.amplitude:
        low, before = 0, rough  # it was falling already: only its beginning is clean
    start = start_edge(w, low, before, peak)
    if start is None:
        return _no_interruption(name, before, minimum, w)
    after = _settled_end(w, frequency, peak, cycle)
    if after is None:
        start = bracket(w, start, len(w.samples) - 1, before, peak)
        return _lost(name, w, start, before, minimum, _comes_back(w, frequency, peak))
    return _joined(w, name, start, before, after, minimum, voltage, frequency)


def _reference(w: Wave, low: int, high: int, frequency: float) -> SineFit:
    """The sine, and what repeats with it, of a clean stretch."""
    every = max(1, int(w.rate / FIT_RATE))
    time, values = w.times(low, high)[::every], w.part(low, high)[::every]
    return with_shape(fit_sine(time, values, frequency), time, values)


def _clean_start(w: Wave, frequency: float, peak: float, cycle: int, name: str) -> SineFit:
    fit = _reference(w, 0, FEWEST * cycle, frequency)
    if fit.amplitude < LOW * peak:
        raise BenchFault(
            f"{name}: the house is not supplied when the record begins ({fit.amplitude / math.sqrt(2):.1f} V rms); "
            "start it 0.3 s before the event"
        )
    if fit.residual > THRESHOLD * peak / 2:
        raise BenchFault(f"{name}: no {FEWEST} clean cycles before the event; start the record 0.3 s before it")
    return fit


def _change(w: Wave, lag: int, level: float) -> Callable[[int, int], Flags]:
    """Whether samples differ from those a cycle later by more than a level."""

    def over(low: int, high: int) -> Flags:
        later, now = w.samples[low + lag : high + lag], w.samples[low:high]
        difference = later - now if w.samples.dtype.kind == "f" else later - now.astype(np.float64)
        flags: Flags = np.abs(difference) > level
        return flags

    return over


def _event(w: Wave, rough: SineFit, half: HalfCycles, peak: float) -> int | None:
    """Index shortly before the first departure: each sample against the one a cycle before, so that drift is no event;
    None when the voltage never changes."""
    lag, width = cycle_of(w, rough), samples_of(PERSISTENCE, w.rate)
    begin = first_persistent(_change(w, lag, THRESHOLD * peak), 0, len(w.samples) - lag, width)
    # A slow fall changes little from cycle to cycle: look for it by its size.
    sunk = first(half.values < LOW * peak / math.sqrt(2))
    found = [begin + lag - round(0.002 * w.rate)] if begin is not None else []
    found += [round((float(half.times[sunk]) - w.start) * w.rate) - 2 * lag] if sunk is not None else []
    return max(FEWEST * lag, min(found)) if found else None


def _settled_end(w: Wave, frequency: float, peak: float, cycle: int) -> SineFit | None:
    """The sine the voltage has settled to, fitted as near to the event as it fits; None when it has not come back."""
    total, n = len(w.samples), FEWEST * cycle
    last = _reference(w, total - n, total, frequency)
    surely, perhaps = _about_low(w)
    if last.amplitude < surely * peak or last.residual > THRESHOLD * peak / 2:
        return None
    if last.amplitude < perhaps * peak:
        raise BenchFault(
            f"{w.source or 'leg'}: comes back to {last.amplitude / peak:.1%} of nominal, too near {LOW:.0%} for a gain "
            f"known to {2 * w.gain_u:.1%}; adjust the digitizer, or trim its record to the power analyzer's reading"
        )
    lag, width = cycle_of(w, last), samples_of(PERSISTENCE, w.rate)
    final = last_persistent(_change(w, lag, THRESHOLD * peak), 0, total - lag, width)
    begin = 0 if final is None else final + 1
    loose = None
    while total - begin >= n:
        stop = min(total, begin + MOST * lag)
        fit = _reference(w, begin, stop, last.frequency)
        late = np.abs(w.part(begin, stop) - fit.at(w.times(begin, stop))) > THRESHOLD * peak
        if fit.amplitude >= LOW * peak and first(persistent(late, width)) is None:
            loose = loose or fit
            if fit.residual <= math.hypot(last.residual, SETTLED * peak):
                return fit
        begin += lag
    return loose or last


def _comes_back(w: Wave, frequency: float, peak: float) -> Edge | None:
    """The end of an interruption whose voltage comes back in the last cycles of the record: no earlier than it is seen,
    and when for good nobody knows. None where it does not."""
    cycle = round(w.rate / frequency)
    half = urms_half(w.cut(max(0, len(w.samples) - (FEWEST + 2) * cycle)), frequency)
    below = np.flatnonzero(half.values < LOW * peak / math.sqrt(2))
    if not len(below) or below[-1] == len(half.values) - 1:
        return None
    ends = round((float(half.times[below[-1]]) - w.start) * w.rate)
    return Edge(ends, +1, -cycle // 2, len(w.samples) - 1 - ends)


def _joined(
    w: Wave,
    name: str,
    start: Edge,
    before: SineFit,
    after: SineFit,
    minimum: float,
    voltage: float,
    frequency: float,
) -> LegTransfer:
    peak = math.sqrt(2) * voltage
    start = farther(w, start, before, after, peak)
    end = end_edge(w, start.seen, round(after.end * w.rate) + 1, after, peak)
    start = bracket(w, start, end.seen, before, peak)
    end = _last_low(w, bracket(w, end, start.seen, after, peak), voltage, after.frequency)
    # The edges of one short departure cannot pass each other.
    begin_s, end_s = start.at(w.rate), max(start.at(w.rate), end.at(w.rate))
    steady = _steady(w, after, before)
    jump = (steady.phase_at(end_s) - before.phase_at(end_s) + 180.0) % 360.0 - 180.0
    reason = f"left at {w.start + begin_s:.6f} s, back for good at {w.start + end_s:.6f} s"
    settled, settled_apart = settling(w, start.seen, voltage, frequency, after.frequency)
    budget = _budget(w, start, end)
    phase_u = math.hypot(_phase_u(w, before, end_s), _phase_u(w, steady, end_s))
    begin_s, end_s = w.start + begin_s, w.start + end_s
    return LegTransfer(
        name, begin_s, end_s, before, after, minimum, jump, settled, budget, reason, phase_u, settled_apart
    )


def _steady(w: Wave, after: SineFit, before: SineFit) -> SineFit:
    """The reference after the event for its phase: a cycle later where it holds an end of the disturbance, which an
    edge may be timed with but which turns it."""
    lag = cycle_of(w, after)
    low, high = round(after.begin * w.rate) + lag, round(after.end * w.rate) + 1 + lag
    if after.residual < STRAY * before.residual or high > len(w.samples):
        return after
    return _reference(w, low, high, after.frequency)


def _last_low(w: Wave, end: Edge, voltage: float, frequency: float) -> Edge:
    """A later stretch below 90 % makes the transfer end after it (step 4 of the method); one that may be below it, for
    all that is known of the gain, makes it end there or before."""
    cycle = round(w.rate / frequency)
    if len(w.samples) - end.seen < 2 * cycle:
        return end
    half = urms_half(w.cut(end.seen + 1), frequency)
    surely, perhaps = (np.flatnonzero(half.values < level * voltage) for level in _about_low(w))
    if not len(perhaps):
        return end

    def until(low: int) -> int:
        """Samples from the edge to the end of a window; it may have been low at its beginning only."""
        return min(len(w.samples) - 1, round((float(half.times[low]) - w.start) * w.rate)) - end.seen

    near = until(int(surely[-1])) - cycle // 2 if len(surely) else end.near
    return replace(end, near=near, far=max(end.far, until(int(perhaps[-1]))), drift=0.0)


def _about_low(w: Wave) -> tuple[float, float]:
    """Fractions of nominal: below the first it is surely not supplied, below the second perhaps not."""
    unsure = 2 * w.gain_u
    return LOW * (1 - unsure), LOW * (1 + unsure)


def _lost(name: str, w: Wave, start: Edge, before: SineFit, minimum: float, back: Edge | None) -> LegTransfer:
    begin_s = w.start + start.at(w.rate)
    if back is None:
        reason = f"left at {begin_s:.6f} s and was not back when the record ended, {w.seconds:.3g} s long"
        budget = _budget(w, start, start)
        return LegTransfer(name, begin_s, math.inf, before, None, minimum, math.nan, math.inf, budget, reason)
    end_s = w.start + back.at(w.rate)
    reason = f"left at {begin_s:.6f} s and was coming back when the record ended, {w.seconds:.3g} s long"
    budget = _budget(w, start, back)
    return LegTransfer(
        name, begin_s, end_s, before, None, minimum, math.nan, 0.0, budget, reason, settled_apart=math.inf
    )


def _no_interruption(name: str, before: SineFit, minimum: float, w: Wave) -> LegTransfer:
    """Nothing persisted: an interruption about a zero crossing, or shorter than the persistence, cannot be seen."""
    unseen = 2 * math.asin(THRESHOLD) / (2 * math.pi * before.frequency) + 2 * SHARE * PERSISTENCE
    budget = (
        Component("unseen about a zero crossing", unseen / math.sqrt(3), "one-sided", f"0 to {unseen * 1e3:.2g} ms"),
        Component("sampling", 1 / w.rate / math.sqrt(6), "triangular", "two edges of one sample"),
    )
    reason = f"the voltage never left its sine by more than {THRESHOLD:.0%} of the peak: no interruption"
    return LegTransfer(name, math.nan, math.nan, before, before, minimum, 0.0, 0.0, budget, reason)


def _budget(w: Wave, start: Edge, end: Edge) -> tuple[Component, ...]:
    """Of end - start, s (standards.md 5). A step passes the threshold whatever it is; only a slow change asks how high
    it is. What the gain makes of it moves both edges outwards, or both inwards."""
    root12 = math.sqrt(12)
    drift = (start.drift + end.drift) / w.rate
    took = abs(end.at(w.rate) - start.at(w.rate)) / w.seconds
    # Both edges lean the same way, so what is hidden of them is added, not its squares.
    hidden = start.hidden(w.rate) + end.hidden(w.rate)
    return (
        Component("hidden edges", hidden / root12, "rectangular", f"within {hidden * 1e3:.2g} ms"),
        Component("sampling", math.sqrt(2) / w.rate / root12, "triangular", "two edges of one sample"),
        Component("threshold", w.gain_u, "normal", "gain, where the voltage goes through it slowly", drift),
        Component("time base", math.sqrt(2) * w.time_u * took, "normal", w.source or "time base"),
    )
