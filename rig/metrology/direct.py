"""Direct current on a wave or in a series: how much of it flowed at an instant, and how it went from there.

An instant is known to some u only, and a contact that opens cuts the current at once: the wave is read up to the
earliest moment the instant can have been, and carried on from there along its own slope. A series holds readings of the
past: what may have changed since the last one, as fast as it has lately, is in the budget.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from rig.errors import BenchFault, UseError
from rig.metrology.measurement import Component, Measurement
from rig.metrology.series import ROOT12, Series
from rig.metrology.wave import Floats, Wave

SPAN = 0.02
"""s of a wave a level is read from: a cycle of 50 Hz, in which a ripple of twice the mains's frequency vanishes, and a
fifth of the 100 ms with which a current follows (project choice)."""
HELD = 1.5
"""Updates from the middle of what a meter shows the mean of until it shows another (project choice: any meter's)."""
LEAST = 20
"""Samples a level is read from, at least (project choice)."""


def zeroed(w: Wave, since: float, until: float = math.inf) -> Wave:
    """The wave less what it shows while nothing can flow: channel and probe lose their zero error, their gain stays.

    since, until: s, a stretch in which the circuit is known to be open. The wave as it is where the stretch is too
    short, or shows more than a zero can be off: then something flows after all.
    """
    values = _between(w, since, until)
    if len(values) < LEAST:
        return w
    zero, spread = float(np.mean(values)), float(np.std(values)) / math.sqrt(len(values))
    if abs(zero) > math.sqrt(3) * w.offset_u + 3.0 * spread + w.resolution:
        return w
    u = math.hypot(spread, w.resolution / ROOT12)
    return replace(w, samples=w.samples - np.float32(zero), offset_u=u)


def level_at(w: Wave, name: str, at: float, at_u: float = 0.0, span: float = SPAN) -> Measurement:
    """The value at an instant, from what was before it. at_u: s, standard uncertainty of the instant.

    BenchFault where the wave does not hold `span` s before the instant.
    """
    early = math.sqrt(3) * (at_u + w.start_u)  # limits of both, added: no sample is later than the instant
    t, y = _times(w, at - early - span, at - early), _between(w, at - early - span, at - early)
    if len(y) < LEAST or t[0] > at - early - span + 2.0 / w.rate:
        raise BenchFault(f"{w.source or 'wave'}: no {span:g} s before {at:g} s in it; record longer")
    slope, level = np.polyfit(t - at, y, 1)
    rest = float(np.std(y - level - slope * (t - at)))
    budget = (
        Component("gain", w.gain_u, "rectangular", w.source, float(level)),
        Component("zero", w.offset_u, "rectangular", w.source),
        Component("resolution", w.resolution / ROOT12, "rectangular", w.source),
        Component("instant", math.hypot(at_u, w.start_u), "rectangular", "stamp and start of the record", float(slope)),
        Component("straight line", rest, "normal", f"what {span * 1e3:g} ms stray from it"),
    )
    return Measurement(name, float(level), w.unit, budget, w.source, at, w.of)


def last_before(s: Series, name: str, at: float) -> Measurement:
    """The value at an instant, from the last reading before it: wrong by what has happened since.

    A meter shows the mean of an update until the next has ended: that is up to HELD updates, each with as much change
    as the readings have shown lately, either way. BenchFault where there is no reading before.
    """
    k = int(np.searchsorted(s.t, at, side="right")) - 1
    if k < 0:
        raise BenchFault(f"series {s.source}: no reading before {at:g} s; record longer")
    lately = np.abs(np.diff(s.y[max(k - 2, 0) : k + 1]))
    change = float(lately.max()) if len(lately) else 0.0
    source = f"{HELD:g} times the change in {s.step * 1e3:.3g} ms, as lately"
    held = Component("update", HELD * change / math.sqrt(3), "rectangular", source)
    return s.made(name, float(s.y[k]), s.reading_u(), held, at=at)


def course(w: Wave, interval: float = 1e-3) -> Series:
    """The wave as readings, each the mean of an interval (s) and stamped with its middle: for slopes and times.

    Its u has gain, zero and resolution, the gain as large as at the largest value. UseError for an interval that holds
    no sample.
    """
    count = round(interval * w.rate)
    if count < 1:
        raise UseError(f"course(interval={interval:g} s): {w.rate:g} S/s has no sample in it; take a longer one")
    rows = len(w.samples) // count
    if rows == 0:
        raise BenchFault(f"{w.source or 'wave'}: {w.seconds:g} s hold no interval of {interval:g} s; record longer")
    y = w.part(0, rows * count).reshape(rows, count).mean(axis=1)
    t: Floats = np.arange(rows, dtype=np.float64) * (count / w.rate) + (w.start + (count - 1) / (2 * w.rate))
    u = math.hypot(w.gain_u * float(np.abs(y).max()), w.offset_u, w.resolution / ROOT12)
    return Series(t, y, w.unit, u, count / w.rate, w.source, w.of)


def _index(w: Wave, at: float) -> int:
    """Of the first sample at or after an instant, within the wave."""
    if math.isinf(at):
        return 0 if at < 0 else len(w.samples)
    return min(max(math.ceil((at - w.start) * w.rate - 1e-6), 0), len(w.samples))


def _between(w: Wave, since: float, until: float) -> Floats:
    low, high = _index(w, since), _index(w, until)
    return w.part(low, max(low, high))


def _times(w: Wave, since: float, until: float) -> Floats:
    low, high = _index(w, since), _index(w, until)
    return w.start + w.times(low, max(low, high))
