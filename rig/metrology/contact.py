"""A contact seen through its auxiliary contact, and what the voltages beside it say (standards.md XFR-006, 010).

Knows waves only. An auxiliary contact bounces: transitions closer together than BOUNCE are one move, which happened
somewhere between the first and the last of them.

Overlap: how long the mains contact was still closed after the EVPS had begun to form the house. What a dead bus still
holds decays, what an inverter forms grows; so forming begins where the amplitude of the house voltage, tracked with a
window a tenth of a cycle long, is at its lowest, or at the end of the valley where it stays low for a while.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rig.errors import BenchFault
from rig.metrology.edges import PERSISTENCE, THRESHOLD, Flags, first_persistent, samples_of
from rig.metrology.measurement import Component, Measurement
from rig.metrology.wave import Floats, Wave

AUX_LEVEL = 6.0
"""V: half of what the auxiliary contact switches (rig.plant.ports: 12 V closed)."""
BOUNCE = 3e-3
"""s without a transition after which a contact has come to rest (project choice: three times a usual bounce)."""
AUX_U = 0.1e-3
"""s, standard uncertainty of an auxiliary contact against its main contact (project choice; a data sheet's figure
should take its place)."""
TRACK = 0.1
"""Cycles of the amplitude's window (project choice: shorter than a soft start, long enough for sine and cosine)."""
GROWN = 0.03
"""Of the nominal peak: growth of the amplitude that is no noise (project choice)."""
HOPS = 20
"""Looks at the amplitude per window (project choice)."""


@dataclass(frozen=True, slots=True)
class Move:
    """A contact has moved. at: s, the middle of its bounce. u: standard uncertainty of that, s."""

    at: float
    closed: bool
    u: float


def moves(aux: Wave) -> tuple[Move, ...]:
    """All moves of a contact, in order; a twitch that ends where it began is none."""
    closed = aux.volts() > AUX_LEVEL
    changes = np.flatnonzero(np.diff(closed))
    if not len(changes):
        return ()
    found = []
    for group in np.split(changes, np.flatnonzero(np.diff(changes) > BOUNCE * aux.rate) + 1):
        before, after = bool(closed[group[0]]), bool(closed[group[-1] + 1])
        if before == after:
            continue
        wide = float(group[-1] - group[0] + 1) / aux.rate
        middle = aux.start + (float(group[0] + group[-1]) / 2 + 0.5) / aux.rate
        found.append(Move(middle, after, math.hypot(wide / math.sqrt(12), AUX_U)))
    return tuple(found)


def comes_alive(w: Wave, voltage: float, frequency: float) -> tuple[float, float]:
    """(s, its standard uncertainty) at which a dead voltage comes to life. voltage: V rms, nominal. BenchFault when it
    does not, or was not dead when the record began."""
    peak = math.sqrt(2) * voltage
    name = w.source or "wave"

    def over(low: int, high: int) -> Flags:
        flags: Flags = np.abs(w.part(low, high)) > THRESHOLD * peak
        return flags

    seen = first_persistent(over, 0, len(w.samples), samples_of(PERSISTENCE, w.rate))
    if seen is None:
        raise BenchFault(f"{name}: stays dead over the whole record; record longer, or see whether the source is on")
    if seen < w.rate / frequency / 2:
        raise BenchFault(f"{name}: is alive when the record begins; start it before the voltage comes")
    hidden = 2 * math.asin(THRESHOLD) / (2 * math.pi * frequency)  # about a zero crossing
    return w.start + seen / w.rate - hidden / 2, hidden / math.sqrt(12)


def overlap(house: Wave, aux: Wave, voltage: float, frequency: float, name: str = "overlap") -> Measurement:
    """s the mains contact was still closed after the EVPS began to form; negative is a gap. One leg of the house and
    the auxiliary contact through one transfer. voltage: V rms, nominal. BenchFault when the contact never opened or
    the house did not come back."""
    opened = next((move for move in moves(aux) if not move.closed), None)
    if opened is None:
        raise BenchFault(f"{aux.source or 'aux'}: the contact does not open in this record; see whether it transferred")
    times, amplitude = _amplitude(house, frequency)
    peak = math.sqrt(2) * voltage
    near = (times > opened.at - 1.5 / frequency) & (times < opened.at + 1.5 / frequency)
    if not near.any():
        raise BenchFault(f"{house.source or 'house'}: record 30 ms before and after the contact opens")
    lowest = int(np.flatnonzero(near)[np.argmin(amplitude[near])])
    grown = np.flatnonzero(amplitude[lowest:] > amplitude[lowest] + GROWN * peak)
    if not len(grown):
        raise BenchFault(f"{house.source or 'house'}: does not come back in this record; record longer")
    # A window shows growth from the moment its end touches it: so forming has begun after the middle of the lowest one
    # (where that is a valley floor, after the last that had not grown) and before the end of the first that has grown.
    seen = float(times[lowest + int(grown[0])])
    earliest, latest = max(float(times[lowest]), seen - TRACK / frequency), seen + TRACK / frequency / 2
    value = opened.at - (earliest + latest) / 2
    budget = (
        Component("auxiliary contact", opened.u, "rectangular", "bounce, and lead against the main contact"),
        Component("begin of forming", (latest - earliest) / math.sqrt(12), "rectangular", "lowest to first growth"),
        Component("time base", math.sqrt(2) * house.time_u, "normal", house.source or "time base"),
    )
    source = f"amplitude of {house.source or 'house'} against {aux.source or 'auxiliary contact'}"
    return Measurement(name, value, "s", budget, source, opened.at, tuple(dict.fromkeys((*house.of, *aux.of))))


def _amplitude(w: Wave, frequency: float) -> tuple[Floats, Floats]:
    """(s, V peak) of the sine that fits best in a short window, stamped at its middle."""
    width = max(8, round(TRACK * w.rate / frequency))
    hop = max(1, width // HOPS)
    angle = 2 * math.pi * frequency / w.rate * (np.arange(width) - (width - 1) / 2)
    inverse = np.linalg.pinv(np.column_stack([np.cos(angle), np.sin(angle)]))
    windows = np.lib.stride_tricks.sliding_window_view(w.volts(), width)[::hop]
    terms = windows @ inverse.T
    middles = w.start + (np.arange(len(windows)) * hop + (width - 1) / 2) / w.rate
    amplitude: Floats = np.hypot(terms[:, 0], terms[:, 1])
    return np.asarray(middles, dtype=np.float64), amplitude
