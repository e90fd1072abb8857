"""A contact seen through its auxiliary contact, and what the voltages beside it say (standards.md XFR-006, 010).

Knows waves only. An auxiliary contact bounces: transitions closer together than BOUNCE are one move, which happened
somewhere between the first and the last of them.

Overlap: how long the mains contact was still closed after the EVPS had begun to form the house. What a dead bus still
holds decays, what an inverter forms grows. So forming begins where what is left of the sine before the loss first grows
again; about its zero crossings nothing is seen, which the bracket of the begin allows for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rig.errors import BenchFault
from rig.metrology.edges import PERSISTENCE, THRESHOLD, Flags, first_persistent, samples_of
from rig.metrology.measurement import Component, Measurement
from rig.metrology.transfer import LegTransfer
from rig.metrology.wave import Wave

AUX_LEVEL = 6.0
"""V: half of what the auxiliary contact switches (rig.plant.ports: 12 V closed)."""
BOUNCE = 3e-3
"""s without a transition after which a contact has come to rest (project choice: three times a usual bounce)."""
AUX_U = 0.1e-3
"""s, standard uncertainty of an auxiliary contact against its main contact (project choice; a data sheet's figure
should take its place)."""
VISIBLE = 0.2
"""Of the sine's peak: below it a voltage cannot be told from a dead one (project choice: 1.3 ms of each half cycle)."""
GROWN = 0.05
"""Of the sine: growth that is no noise (project choice: noise of 1 % of the peak is 5 % of a visible sine)."""
NOISE = 6.0
"""Standard deviations of the record's noise that are growth (project choice: the lowest of the samples before is itself
some three below)."""
SLOW = 2e-3
"""s in which forming is seen at the latest (project choice: 5 % of a soft start of 20 ms, and a zero crossing)."""


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


def overlap(house: Wave, leg: LegTransfer, aux: Wave, name: str = "overlap") -> Measurement:
    """s the mains contact was still closed after the EVPS began to form; negative is a gap. house, leg: one leg through
    one transfer, and what rig.metrology.transfer made of it. BenchFault when the contact never opened, or the house
    never left its sine or did not come back to it."""
    opened = next((move for move in moves(aux) if not move.closed), None)
    if opened is None:
        raise BenchFault(f"{aux.source or 'aux'}: the contact does not open in this record; see whether it transferred")
    earliest, latest = _forming(house, leg)
    budget = (
        Component("auxiliary contact", opened.u, "rectangular", "bounce, and lead against the main contact"),
        Component("begin of forming", (latest - earliest) / math.sqrt(12), "rectangular", "last low to first growth"),
        Component("edges", 1 / house.rate / math.sqrt(6), "rectangular", "two edges of one sample"),
        Component("time base", math.sqrt(2) * house.time_u, "normal", house.source or "time base"),
    )
    source = f"{house.source or 'house'} against {aux.source or 'auxiliary contact'}"
    of = tuple(dict.fromkeys((*house.of, *aux.of)))
    return Measurement(name, opened.at - (earliest + latest) / 2, "s", budget, source, opened.at, of)


def _forming(house: Wave, leg: LegTransfer) -> tuple[float, float]:
    """Between which moments (s) the house begins to be formed."""
    name = house.source or "house"
    if math.isnan(leg.start):
        raise BenchFault(f"{name}: never leaves its sine in this record; forming has no beginning to be seen")
    begin = max(0, round((leg.start - house.start) * house.rate))
    t = house.times(begin, len(house.samples))
    sine = leg.before.alternating(t)
    visible = np.abs(sine) > VISIBLE * leg.before.amplitude
    t, left = t[visible], np.abs((house.part(begin, len(house.samples)) - leg.before.offset)[visible] / sine[visible])
    # Of an eight-bit record noise alone grows by more where the sine is small.
    least = np.maximum(GROWN, NOISE * leg.before.residual / np.abs(sine[visible]))
    grown = np.flatnonzero(left > np.minimum.accumulate(left) + least)
    if not len(grown):
        raise BenchFault(f"{name}: does not come back in this record; record longer")
    seen = int(grown[0])
    before = max(int(np.argmin(left[:seen])) - 1, 0)  # the lowest may be the first to be seen after a zero crossing
    return house.start + max(float(t[before]), float(t[seen]) - SLOW), house.start + float(t[seen])
