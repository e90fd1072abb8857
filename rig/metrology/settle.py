"""Settling of a voltage after it has come back: t_settle of standards.md 2.1.

First return: the first moment after the start at which |v| stands above 30 % of the nominal peak for 1 ms (the
dropout test of standards.md 2.1 [AGI] takes 50 V of 120 V). Bands: +/-6 % V (Urms(1/2)) and +/-2 % f (each cycle
between rising zero crossings), the data-sheet bands [NICH].
"""

from __future__ import annotations

import math

import numpy as np

from rig.metrology.edges import Flags, first_persistent, samples_of
from rig.metrology.rms import urms_half
from rig.metrology.wave import Floats, Wave, blocks

BACK_LEVEL, BACK_TIME = 0.3, 1e-3
VOLTAGE_BAND, FREQUENCY_BAND = 0.06, 0.02


def settling(w: Wave, start: int, voltage: float, frequency: float, running: float) -> tuple[float, float]:
    """s from the first return of voltage after sample `start` to the last exit from the bands, inf when still out; and
    by how much less or more that is where the gain is off by its U: a band of 6 % has little room for 2 %.

    voltage, frequency: nominal, the middle of the bands. running: Hz, of the voltage that came back, for its windows.
    """
    back = _first_return(w, start, math.sqrt(2) * voltage)
    if back is None or len(w.samples) - back < 2 * round(w.rate / running):
        return math.inf, 0.0
    rest = w.cut(back)
    half, step, shifted = urms_half(rest, running).values / voltage, 0.5 / running, _frequency_exit(rest, frequency)
    found, *others = (max(_voltage_exit(half * (1 + 2 * s * w.gain_u), step), shifted) for s in (0, -1, +1))
    return found, max(abs(other - found) if other != found else 0.0 for other in others)


def _voltage_exit(ratio: Floats, step: float) -> float:
    """s to the last exit. ratio: Urms(1/2) over nominal, windows of two steps, one begun each step.

    The last window outside the band holds the exit where its mean square says, if before it all was as a cycle earlier
    and after it all is as a cycle later.
    """
    where = np.flatnonzero(np.abs(ratio - 1.0) > VOLTAGE_BAND)
    if not len(where):
        return 0.0
    i = int(where[-1])
    if i == len(ratio) - 1:
        return math.inf
    edge = 1 + math.copysign(VOLTAGE_BAND, ratio[i] - 1)
    before, after = float(ratio[max(0, i - 2)]) ** 2, float(ratio[min(len(ratio) - 1, i + 3)]) ** 2
    out = (edge**2 - after) / (before - after) if before != after else 1.0
    # The next window begins a step later and is good: the exit lies between, here in the middle.
    return step * (i + 2 * min(max(out, 0.0), 1.0) + 0.5)


def _first_return(w: Wave, start: int, peak: float) -> int | None:
    def over(low: int, high: int) -> Flags:
        flags: Flags = np.abs(w.samples[low:high].astype(np.float64)) > BACK_LEVEL * peak
        return flags

    return first_persistent(over, start, len(w.samples), samples_of(BACK_TIME, w.rate), share=1.0)


def _frequency_exit(w: Wave, frequency: float) -> float:
    """s from the first sample to the end of the last cycle outside the band."""
    kept = _rising(w)
    cycles = np.diff(kept)
    if not len(cycles):
        return math.inf
    where = np.flatnonzero(np.abs(1 / (cycles * frequency) - 1.0) > FREQUENCY_BAND)
    if not len(where):
        return 0.0
    return math.inf if where[-1] == len(cycles) - 1 else float(kept[where[-1] + 1])


def _rising(w: Wave) -> Floats:
    """s of each rising zero crossing: midway between leaving the low and reaching the high tenth of the peak, so that
    noise about zero counts once."""
    level = 0.1 * max(float(w.samples.max()), -float(w.samples.min()))
    crossings = []
    last, was_low = 0, False
    for low, high in blocks(0, len(w.samples)):
        values = w.samples[low:high]
        sure = np.flatnonzero((values > level) | (values < -level))
        if not len(sure):
            continue
        below = np.concatenate([[was_low], values[sure] < 0])
        at = np.concatenate([[last], sure + low])
        up = np.flatnonzero(below[:-1] & ~below[1:])
        crossings.append((at[up] + at[up + 1]) / 2 / w.rate)
        last, was_low = int(at[-1]), bool(below[-1])
    return np.concatenate(crossings) if crossings else np.empty(0)
