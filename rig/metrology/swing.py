"""How far a voltage strays, by Urms(1/2): after a load step (standards.md PWR-010), or where there should be none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rig.errors import BenchFault, UseError
from rig.metrology.measurement import Measurement
from rig.metrology.rms import urms_budget, urms_half
from rig.metrology.wave import Wave


def voltage_deviation(
    legs: Sequence[Wave], voltage: float, frequency: float, name: str = "voltage_deviation"
) -> Measurement:
    """Largest |Urms(1/2) - nominal| / nominal of all legs over the whole record. voltage: V rms of a leg."""
    if not legs:
        raise UseError(f"{name}: no leg given; hand in the wave of each house leg")
    worst = None
    for w in legs:
        half = urms_half(w, frequency)
        away = np.abs(half.values / voltage - 1.0)
        i = int(np.argmax(away))
        if worst is None or away[i] > worst.value:
            budget = urms_budget(w, float(half.values[i]), 1 / voltage)
            worst = Measurement(name, float(away[i]), "1", budget, w.source, float(half.times[i]), w.of)
    assert worst is not None
    return worst


def highest_rms(w: Wave, frequency: float, since: float, name: str = "u") -> Measurement:
    """V, the highest Urms(1/2) of the cycles that begin at or after `since` (s, bench time). BenchFault when there is
    none."""
    half = urms_half(w, frequency)
    later = np.flatnonzero(half.times - 1 / frequency >= since - 1e-9)
    if not len(later):
        raise BenchFault(f"{w.source or 'wave'}: no cycle after {since:.3f} s in it; record longer")
    i = int(later[np.argmax(half.values[later])])
    value = float(half.values[i])
    return Measurement(name, value, "V", urms_budget(w, value), w.source, float(half.times[i]), w.of)
