"""Ripple in a band: peak to peak of what stands between two frequencies, of a record of any length.

A record is walked in blocks through an elliptic filter (scipy.signal), after means of so many samples that the band is
still a hundredth of the rate of means. The pass band is flat to PASS_DB up to its very edge, so a line at the edge
counts whole; a line two fifths beyond it counts for STOP_DB less. The first part of the record, while the filter swings
in, is not looked at.

The limits of DC charging name cumulated bands: 1.5 A peak to peak up to 10 Hz, 6 A up to 5 kHz, 9 A up to 150 kHz
(standards.md CHA-002): low = 0 takes the mean off and keeps all the rest.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import signal

from rig.errors import BenchFault, UseError
from rig.metrology.measurement import Component, Measurement
from rig.metrology.wave import BLOCK, Floats, Wave

ORDER, PASS_DB, STOP_DB = 8, 0.05, 60.0
"""Of the filter (project choice)."""
OVER = 100
"""Means a period of the band's upper edge: their own fall at that edge is (pi/OVER)^2/6 = 0.02 %."""
SWING_IN = 25.0
"""Periods of the band's lower edge, or upper one where there is no lower, until the filter has settled to 0.1 %."""


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
    if len(w.samples) // many < 2 * skip:
        raise BenchFault(
            f"{name}: {w.seconds:.3g} s is too short for {low or high:g} Hz; record {2 * skip / rate:.3g} s"
        )
    sections = _filter(low, high, rate)
    level = float(np.mean(w.part(0, min(len(w.samples), BLOCK))))
    state = np.zeros((len(sections), 2))
    highest, lowest, seen = -math.inf, math.inf, 0
    whole = BLOCK // many * many or many
    for begin in range(0, len(w.samples) - many + 1, whole):
        end = min(len(w.samples) // many * many, begin + whole)
        means: Floats = w.part(begin, end).reshape(-1, many).mean(axis=1) - level
        band, state = signal.sosfilt(sections, means, zi=state)
        kept = band[max(0, skip - seen) :]
        seen += len(means)
        if len(kept):
            highest, lowest = max(highest, float(kept.max())), min(lowest, float(kept.min()))
    value = highest - lowest
    flat = (1 + (low > 0)) * (10 ** (PASS_DB / 20) - 1)
    missed = 1 - math.cos(math.pi * high / rate)  # of a peak that falls between two samples, at the upper edge
    budget = (
        Component("gain", w.gain_u * value, "normal", w.source or "gain"),
        Component("flatness of the filter", flat * value / math.sqrt(3), "rectangular", f"{PASS_DB:g} dB"),
        Component("peaks between samples", missed * value / math.sqrt(3), "one-sided", f"0 to {missed:.2g}"),
        Component("resolution", math.sqrt(2) * w.resolution / math.sqrt(12), "rectangular", "converter step"),
    )
    source = f"{w.source or 'wave'}, {low:g} to {high:g} Hz"
    return Measurement(name, value, unit, budget, source, w.start + w.seconds, w.of)


def _filter(low: float, high: float, rate: float) -> Floats:
    """Second-order sections."""
    parts = [signal.ellip(ORDER, PASS_DB, STOP_DB, high, "lowpass", output="sos", fs=rate)]
    if low:
        parts.append(signal.ellip(ORDER, PASS_DB, STOP_DB, low, "highpass", output="sos", fs=rate))
    return np.asarray(np.vstack(parts), dtype=np.float64)
