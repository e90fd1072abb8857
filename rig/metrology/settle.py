"""Settling of a voltage after it has come back: t_settle of standards.md 2.1.

First return: the first moment after the start at which |v| stands above 30 % of the nominal peak for 1 ms (the
dropout test of standards.md 2.1 [AGI] takes 50 V of 120 V). Bands: +/-6 % V (Urms(1/2)) and +/-2 % f (each cycle
between rising zero crossings), the data-sheet bands [NICH].
"""

from __future__ import annotations

import math

import numpy as np

from rig.metrology.edges import first
from rig.metrology.rms import urms_half
from rig.metrology.wave import Floats, Wave

BACK_LEVEL, BACK_TIME = 0.3, 1e-3
VOLTAGE_BAND, FREQUENCY_BAND = 0.06, 0.02


def settling(w: Wave, start: int, voltage: float, frequency: float) -> float:
    """s from the first return of voltage after sample `start` to the last exit from the bands; inf when still out."""
    values = w.volts()
    back = _first_return(values, start, math.sqrt(2) * voltage, w.rate)
    cycle = round(w.rate / frequency)
    if back is None or len(values) - back < 2 * cycle:
        return math.inf
    rest = Wave(values[back:], w.rate)
    half = urms_half(rest, frequency)
    begins = half.times - 1 / frequency
    outside = np.abs(half.values / voltage - 1.0) > VOLTAGE_BAND
    return max(_last(outside, begins, 0.5 / frequency), _frequency_exit(rest, frequency))


def _first_return(values: Floats, start: int, peak: float, rate: float) -> int | None:
    width = max(2, round(BACK_TIME * rate))
    over = np.abs(values[start:]) > BACK_LEVEL * peak
    total = np.concatenate([[0], np.cumsum(over)])
    held = np.zeros(len(over), dtype=np.bool_)
    held[: len(over) - width + 1] = (total[width:] - total[:-width]) == width
    where = first(held)
    return None if where is None else start + where


def _last(outside: np.ndarray[tuple[int], np.dtype[np.bool_]], begins: Floats, step: float) -> float:
    """s at which the last outside window gives way to the first good one; 0 when all are good, inf when the last is
    outside."""
    where = np.flatnonzero(outside)
    if not len(where):
        return 0.0
    return math.inf if where[-1] == len(outside) - 1 else float(begins[where[-1]]) + step


def _frequency_exit(w: Wave, frequency: float) -> float:
    """The same for the frequency of each cycle."""
    kept = _rising(w.volts(), w.rate)
    cycles = np.diff(kept)
    if not len(cycles):
        return math.inf
    outside = np.abs(1 / (cycles * frequency) - 1.0) > FREQUENCY_BAND
    where = np.flatnonzero(outside)
    if not len(where):
        return 0.0
    return math.inf if where[-1] == len(outside) - 1 else float(kept[where[-1] + 1])


def _rising(values: Floats, rate: float) -> Floats:
    """s of each rising zero crossing: midway between leaving the low and reaching the high tenth of the peak, so that
    noise about zero counts once."""
    level = 0.1 * float(np.max(np.abs(values)))
    sure = np.flatnonzero(np.abs(values) > level)
    up = np.flatnonzero((values[sure[:-1]] < 0) & (values[sure[1:]] > 0))
    crossings: Floats = (sure[up] + sure[up + 1]) / 2 / rate
    return crossings
