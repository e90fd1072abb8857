"""Transfer time, point on wave (standards.md 2.3). Knows voltages only: neither the mains command nor the plant.

  t_transfer   load voltage leaves tolerance -> load voltage returns and stays in tolerance; worst leg
  t_settle     first return of voltage -> last exit from +/-6 % V and +/-2 % f

Method, per leg
  1  fit a sine, frequency too, to five to ten clean cycles before the event and after it has settled
  2  start: first persistent |v - before| above 10 % of the nominal peak
  3  end: last persistent |v - after| above it; Urms(1/2) must then stay at or above 90 % to the end of the record
  4  what is blind near a zero crossing is added by halves to the reading and to its budget (rig.metrology.edges)
Urms(1/2) alone would read 10 to 20 ms too much (standards.md 2.2). A record whose voltage does not come back gives inf.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rig.errors import BenchFault, UseError
from rig.metrology.edges import PERSISTENCE, SHARE, THRESHOLD, Edge, end_edge, first, persistent, start_edge
from rig.metrology.measurement import Component, Measurement
from rig.metrology.rms import urms_half
from rig.metrology.settle import settling
from rig.metrology.sine import SineFit, fit_sine
from rig.metrology.wave import Floats, Wave

FEWEST, MOST = 5, 10
"""Cycles of a reference fit (5: standards.md 2.3; 10: project choice)."""
LEAST_RATE = 20e3
"""S/s (standards.md 2.3, step 1)."""
LOW = 0.90
"""Of nominal: below it the load is not supplied (standards.md 2.3, step 4)."""
LEVEL_U = 0.01
"""Standard uncertainty of the threshold in nominal peaks (standards.md 5: threshold 1 % pk -> 0.03 ms)."""


@dataclass(frozen=True, slots=True)
class LegTransfer:
    """One leg. start, end: s, bench time (end inf: never; both NaN: no interruption). minimum: lowest Urms(1/2), V.

    before, after: the fitted references; their time 0 is the record's first sample. phase_jump: degrees, -180..180, of
    after against before at the end. settled: s, t_settle. budget: of end - start.
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

    @property
    def duration(self) -> float:
        """s; 0 without an interruption, inf when the voltage did not come back."""
        return 0.0 if math.isnan(self.start) else max(0.0, self.end - self.start)


@dataclass(frozen=True, slots=True)
class TransferResult:
    """The worst leg's verdict value and all there is to draw. start, end, reason: of the worst leg."""

    measurement: Measurement
    settle: Measurement
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
    worst = max(results, key=lambda leg: leg.duration)
    slowest = max(results, key=lambda leg: leg.settled)
    source = f"point on wave, {', '.join(leg.source or 'leg' for leg in legs)}"
    at = worst.end if math.isfinite(worst.end) else legs[0].start + legs[0].seconds
    of = tuple(dict.fromkeys(digest for leg in legs for digest in leg.of))
    half_cycle = 0.5 / frequency
    settle_budget = (
        Component("refreshed each half cycle", half_cycle / math.sqrt(12), "rectangular", "method"),
        Component("first return", PERSISTENCE / math.sqrt(12), "rectangular", "method"),
    )
    return TransferResult(
        Measurement(name, worst.duration, "s", worst.budget, source, at, of),
        Measurement("t_settle", slowest.settled, "s", settle_budget, source, at, of),
        worst.start,
        worst.end,
        results,
        worst.reason,
    )


def _leg(w: Wave, voltage: float, frequency: float) -> LegTransfer:
    values, time = w.volts(), w.time
    peak = math.sqrt(2) * voltage
    name = w.source or "leg"
    cycle = round(w.rate / frequency)
    if w.rate < 0.99 * LEAST_RATE:
        raise BenchFault(f"{name}: {w.rate:g} S/s is too coarse for edges; record at {LEAST_RATE:g} S/s or more")
    if len(values) < (2 * FEWEST + 1) * cycle:
        raise BenchFault(f"{name}: {w.seconds:.3g} s is too short; record 0.3 s before and 1 s after the event")
    minimum = float(urms_half(w, frequency).values.min())
    rough = _clean_start(values, time, frequency, peak, cycle, name)
    event = _event(values, rough, peak, w.rate)
    if event is None:
        return _no_interruption(name, rough, minimum, w)
    low = max(0, event - MOST * cycle)
    before = fit_sine(time[low:event], values[low:event], rough.frequency)
    if before.residual > THRESHOLD * peak / 4 or before.amplitude < (1 - THRESHOLD / 2) * rough.amplitude:
        low, before = 0, rough  # it was falling already: only its beginning is clean
    edge = start_edge(values[low:], time[low:], before, peak, w.rate)
    if edge is None:
        return _no_interruption(name, before, minimum, w)
    start = Edge(edge.seen + low, edge.blind)
    after = _settled_end(values, time, frequency, peak, cycle)
    if after is None:
        return _lost(name, w, start, before, minimum)
    return _joined(w, name, start, before, after, minimum, voltage, frequency)


def _clean_start(values: Floats, time: Floats, frequency: float, peak: float, cycle: int, name: str) -> SineFit:
    n = FEWEST * cycle
    fit = fit_sine(time[:n], values[:n], frequency)
    if fit.amplitude < LOW * peak:
        raise BenchFault(
            f"{name}: the house is not supplied when the record begins ({fit.amplitude / math.sqrt(2):.1f} V rms); "
            "start it 0.3 s before the event"
        )
    if fit.residual > THRESHOLD * peak / 2:
        raise BenchFault(f"{name}: no {FEWEST} clean cycles before the event; start the record 0.3 s before it")
    return fit


def _event(values: Floats, rough: SineFit, peak: float, rate: float) -> int | None:
    """Index shortly before the first departure: each sample against the one a cycle before, so that drift is no event;
    None when the voltage never changes."""
    lag = round(rate / rough.frequency)
    change = np.abs(values[lag:] - values[:-lag]) > THRESHOLD * peak
    begin = first(persistent(change, rate))
    # A slow fall changes little from cycle to cycle: look for it by its size.
    n = (len(values) // lag) * lag
    sunk = first(np.sqrt(np.mean(values[:n].reshape(-1, lag) ** 2, axis=1)) < LOW * peak / math.sqrt(2))
    found = [begin + lag - round(0.002 * rate)] if begin is not None else []
    found += [(sunk - 1) * lag] if sunk is not None else []
    return max(FEWEST * lag, min(found)) if found else None


def _settled_end(values: Floats, time: Floats, frequency: float, peak: float, cycle: int) -> SineFit | None:
    """The sine the voltage has settled to, fitted as near to the event as it fits; None when it has not come back."""
    n = FEWEST * cycle
    last = fit_sine(time[-n:], values[-n:], frequency)
    if last.amplitude < LOW * peak or last.residual > THRESHOLD * peak / 2:
        return None
    rate = 1 / float(time[1] - time[0])
    lag = round(rate / last.frequency)
    change = np.abs(values[lag:] - values[:-lag]) > THRESHOLD * peak
    final = first(persistent(change[::-1], rate))
    begin = 0 if final is None else len(change) - final
    while len(values) - begin >= n:
        stop = min(len(values), begin + MOST * lag)
        fit = fit_sine(time[begin:stop], values[begin:stop], last.frequency)
        late = np.abs(values[begin:stop] - fit.at(time[begin:stop])) > THRESHOLD * peak
        if fit.amplitude >= LOW * peak and first(persistent(late, rate)) is None:
            return fit
        begin += lag
    return last


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
    values, time = w.volts(), w.time
    stop = round(after.end * w.rate) + 1
    edge = end_edge(values[start.seen : stop], time[start.seen : stop], after, math.sqrt(2) * voltage, w.rate)
    end = Edge(start.seen + edge.seen, edge.blind)
    late = _last_low(w, end, voltage, frequency)
    if late is not None:
        end = late
    # The true edge lies outwards of the seen sample by up to one sample and the blind span: the middle is the reading.
    begin_s = time[start.seen] - (1 / w.rate + start.blind) / 2
    end_s = time[end.seen] + (1 / w.rate + end.blind) / 2
    jump = (after.phase_at(end_s) - before.phase_at(end_s) + 180.0) % 360.0 - 180.0
    reason = f"left at {w.start + begin_s:.6f} s, back for good at {w.start + end_s:.6f} s"
    settled = settling(w, start.seen, voltage, frequency)
    budget = _budget(w, start, end, before)
    return LegTransfer(name, w.start + begin_s, w.start + end_s, before, after, minimum, jump, settled, budget, reason)


def _last_low(w: Wave, end: Edge, voltage: float, frequency: float) -> Edge | None:
    """A later stretch below 90 % makes the transfer end after it (step 4 of the method)."""
    half = urms_half(w, frequency)
    begins = half.times - w.start - 1 / frequency
    low = np.flatnonzero((begins > end.seen / w.rate) & (half.values < LOW * voltage))
    if not len(low):
        return None
    return Edge(min(len(w.samples) - 1, round((half.times[low[-1]] - w.start) * w.rate)), 0.5 / frequency)


def _lost(name: str, w: Wave, start: Edge, before: SineFit, minimum: float) -> LegTransfer:
    begin_s = start.seen / w.rate - (1 / w.rate + start.blind) / 2
    reason = f"left at {w.start + begin_s:.6f} s and was not back when the record ended, {w.seconds:.3g} s long"
    budget = _budget(w, start, start, before)
    return LegTransfer(name, w.start + begin_s, math.inf, before, None, minimum, math.nan, math.inf, budget, reason)


def _no_interruption(name: str, before: SineFit, minimum: float, w: Wave) -> LegTransfer:
    """Nothing persisted: an interruption about a zero crossing, or shorter than the persistence, cannot be seen."""
    unseen = 2 * math.asin(THRESHOLD) / (2 * math.pi * before.frequency) + 2 * SHARE * PERSISTENCE
    budget = (
        Component("unseen about a zero crossing", unseen / math.sqrt(3), "one-sided", f"0 to {unseen * 1e3:.2g} ms"),
        Component("sampling", 1 / w.rate / math.sqrt(6), "rectangular", "two edges of one sample"),
    )
    reason = f"the voltage never left its sine by more than {THRESHOLD:.0%} of the peak: no interruption"
    return LegTransfer(name, math.nan, math.nan, before, before, minimum, 0.0, 0.0, budget, reason)


def _budget(w: Wave, start: Edge, end: Edge, before: SineFit) -> tuple[Component, ...]:
    """Of end - start, s (standards.md 5)."""
    root12 = math.sqrt(12)
    level = LEVEL_U / (2 * math.pi * before.frequency)
    return (
        Component("start near a zero crossing", start.blind / root12, "one-sided", f"0 to {start.blind * 1e3:.2g} ms"),
        Component("end near a zero crossing", end.blind / root12, "one-sided", f"0 to {end.blind * 1e3:.2g} ms"),
        Component("sampling", math.sqrt(2) / w.rate / root12, "rectangular", "two edges of one sample"),
        Component("threshold", level, "normal", "1 % of the nominal peak"),
        Component("time base", math.sqrt(2) * w.time_u, "normal", w.source or "time base"),
    )
