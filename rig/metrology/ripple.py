"""Ripple in a band: peak to peak of what stands between two frequencies, of a record of any length.

A record is walked in blocks through an elliptic filter (scipy.signal), forwards and backwards so that the lines of the
band keep their places to each other and with them their common peaks. Before that come means of so many samples that
the band is still a hundredth of the rate of means. They are weighted by a triangle over two of their intervals: a line
that would fold back into the band from their rate is ten thousand times smaller in them. The pass band is flat to twice
PASS_DB up to its very edge, so a line at the edge counts whole; a line two fifths beyond it counts for twice STOP_DB
less. Both ends of the record, where the filter swings in, are not looked at.

Of the digitizer's own noise, what falls into the band stands on the peaks by anything from nothing to its own largest
value in so long a record: half of that is taken off and its width is in the budget.

The limits of DC charging name cumulated bands: 1.5 A peak to peak up to 10 Hz, 6 A up to 5 kHz, 9 A up to 150 kHz
(standards.md CHA-002): low = 0 takes the mean off and keeps all the rest.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np
from scipy import signal

from rig.errors import BenchFault, UseError
from rig.metrology.measurement import Component, Measurement
from rig.metrology.wave import BLOCK, Floats, Wave

ORDER, PASS_DB, STOP_DB = 5, 0.025, 30.0
"""Of the filter in one direction (project choice)."""
OVER = 100
"""Means a period of the band's upper edge: their own fall at that edge is (pi/OVER)^2/3 = 0.03 %."""
SWING_IN = 12.5
"""Periods of the band's lower edge, or upper one where there is no lower, until the filter has settled to far below
0.1 %."""
NEEDED = 4
"""Times that, for a record: half of it is looked at (project choice)."""


def ripple(w: Wave, low: float, high: float, name: str = "ripple", unit: str = "A") -> Measurement:
    """Peak to peak of what stands between low and high (Hz), in the unit of the wave's samples. low: 0 for no lower
    edge but the mean."""
    if not 0 <= low < high:
        raise UseError(f"{name}: {low:g} to {high:g} Hz is no band; give a lower and a higher frequency")
    if high > 0.45 * w.rate:
        raise BenchFault(f"{name}: {w.rate:g} S/s does not show {high:g} Hz; record at {high / 0.4:.3g} S/s or more")
    many = max(1, int(w.rate / (OVER * high)))
    rate = w.rate / many
    skip = math.ceil(SWING_IN / (low or high) * rate)
    if len(w.samples) // many < NEEDED * skip:
        raise BenchFault(
            f"{name}: {w.seconds:.3g} s is too short for {low or high:g} Hz; record {NEEDED * skip / rate:.3g} s"
        )
    sections = _filter(low, high, rate)
    level = float(np.mean(w.part(0, min(len(w.samples), BLOCK))))
    highest, lowest, seen = -math.inf, math.inf, 0
    top, bottom = -math.inf, math.inf
    for means in _joined(_means(w, many), max(BLOCK, 2 * skip), 2 * skip):
        top, bottom = max(top, float(means.max())), min(bottom, float(means.min()))
        kept = signal.sosfiltfilt(sections, means - level)[skip : len(means) - skip]
        seen += len(kept)
        highest, lowest = max(highest, float(kept.max())), min(lowest, float(kept.min()))
    noise, most = _noise(w, high - low, seen / rate)
    value = max(highest - lowest - most / 2, 0.0)
    flat = (1 + (low > 0)) * (10 ** (2 * PASS_DB / 20) - 1)
    missed = 1 - math.cos(math.pi * high / rate)  # of a peak that falls between two samples, at the upper edge
    beside = max(top - bottom - value, 0.0) * 10 ** (-2 * STOP_DB / 20)
    budget = (
        Component("gain", w.gain_u * value, "normal", w.source or "gain"),
        Component("flatness of the filter", flat * value / math.sqrt(3), "rectangular", f"{2 * PASS_DB:g} dB"),
        Component("peaks between samples", missed * value / math.sqrt(3), "one-sided", f"0 to {missed:.2g}"),
        Component("beside the band", beside / math.sqrt(3), "one-sided", f"{2 * STOP_DB:g} dB of it"),
        Component("noise on the peaks", most / math.sqrt(12), "rectangular", f"0 to {most:.2g} {unit}"),
        Component("noise in the band", math.sqrt(2) * noise, "normal", "digitizer noise and converter step"),
    )
    source = f"{w.source or 'wave'}, {low:g} to {high:g} Hz"
    return Measurement(name, value, unit, budget, source, w.start + w.seconds, w.of)


def _means(w: Wave, many: int) -> Iterator[Floats]:
    """Weighted means of so many samples and as many more, block by block; of one sample, the samples."""
    up = (np.arange(many) + 0.5) / many**2
    whole = BLOCK // many * many or many
    end = len(w.samples) // many * many
    before = np.empty(0)
    for begin in range(0, end, whole):
        rows = w.part(begin, min(end, begin + whole)).reshape(-1, many)
        if many == 1:
            yield rows[:, 0]
            continue
        rising, falling = np.concatenate([before, rows @ up]), rows @ up[::-1]
        means = rising[: len(falling)] + falling if len(before) else rising[:-1] + falling[1:]
        before = rising[-1:]
        if len(means):
            yield means


def _joined(pieces: Iterable[Floats], least: int, overlap: int) -> Iterator[Floats]:
    """The same in pieces of `least` values or more, each after the last values of the one before."""
    held: list[Floats] = []
    fresh = 0
    for piece in pieces:
        held.append(piece)
        fresh += len(piece)
        if fresh >= least + overlap:
            whole = np.concatenate(held)
            yield whole
            held, fresh = [whole[len(whole) - overlap :]], overlap
    if held and sum(map(len, held)) > overlap:
        yield np.concatenate(held)


def _noise(w: Wave, width: float, seconds: float) -> tuple[float, float]:
    """Of the digitizer, in a band so wide (Hz): its standard deviation, and the largest peak to peak to expect of it in
    so long a record, unit."""
    each = math.hypot(w.noise, w.resolution / math.sqrt(12))
    noise = each * math.sqrt(min(2 * width / w.rate, 1.0))
    return noise, 2 * noise * math.sqrt(2 * math.log(max(2.0, 2 * width * seconds)))


def _filter(low: float, high: float, rate: float) -> Floats:
    """Second-order sections."""
    parts = [signal.ellip(ORDER, PASS_DB, STOP_DB, high, "lowpass", output="sos", fs=rate)]
    if low:
        parts.append(signal.ellip(ORDER, PASS_DB, STOP_DB, low, "highpass", output="sos", fs=rate))
    return np.asarray(np.vstack(parts), dtype=np.float64)
