"""Voltage dips, interruptions and swells as IEC 61000-4-30 counts them: on Urms(1/2), with threshold and hysteresis.

  dip           begins when Urms(1/2) falls below its threshold (90 %), ends at or above threshold + hysteresis
  interruption  the same from 5 %                              swell    the mirror image from 110 %
(standards.md MET-004 [PQA][HIO][PSD]: dip at 90 %, hysteresis 2 %; 5 % and 110 %: usual settings, project choice.)

For events of a cycle and more only: an instrument of this kind reads short gaps 10 to 20 ms long, or does not see them
(standards.md 2.2). Short ones are timed point on wave (rig.metrology.transfer). The two are never mixed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rig.errors import UseError
from rig.metrology.measurement import Component, Measurement
from rig.metrology.rms import HalfCycles, urms_budget, urms_half
from rig.metrology.wave import Wave

DIP, INTERRUPTION, SWELL, HYSTERESIS = 0.90, 0.05, 1.10, 0.02

Kind = Literal["dip", "interruption", "swell"]


@dataclass(frozen=True, slots=True)
class VoltageEvent:
    """One event. begin, end: s, bench time, stamped at the ends of their windows; end inf when it lasts to the end of
    the record. extreme: V, residual voltage of a dip, highest of a swell. duration: as a measurement."""

    kind: Kind
    begin: float
    end: float
    extreme: Measurement
    duration: Measurement


def voltage_events(
    w: Wave, voltage: float, frequency: float, kind: Kind = "dip", threshold: float | None = None
) -> tuple[VoltageEvent, ...]:
    """All events of a kind in a record. voltage: V rms, declared. frequency: Hz. threshold: of the declared voltage."""
    level = threshold if threshold is not None else {"dip": DIP, "interruption": INTERRUPTION, "swell": SWELL}[kind]
    sign = 1.0 if kind == "swell" else -1.0
    if not 0 < level < 2 or sign * (level - 1) <= 0:
        raise UseError(
            f"{kind}: a threshold of {level:g} is on the wrong side; give a fraction of the declared voltage"
        )
    half = urms_half(w, frequency)
    beyond = sign * (half.values / voltage - level)
    begins = np.flatnonzero(beyond > 0)
    events: list[VoltageEvent] = []
    free = 0
    for begin in begins.tolist():
        if begin < free:
            continue
        back = np.flatnonzero(beyond[begin:] <= -HYSTERESIS + 1e-12)
        end = begin + int(back[0]) if len(back) else None
        events.append(_event(w, half, kind, begin, end, frequency))
        if end is None:
            break
        free = end
    return tuple(events)


def _event(w: Wave, half: HalfCycles, kind: Kind, begin: int, end: int | None, frequency: float) -> VoltageEvent:
    values = half.values[begin:end]
    i = int(np.argmax(values) if kind == "swell" else np.argmin(values))
    since = float(half.times[begin])
    until = math.inf if end is None else float(half.times[end])
    extreme = float(values[i])
    # Half a cycle at each side (standards.md 5: +/-1 cycle, half at the start and half at the end).
    edge = Component(
        "refreshed each half cycle", math.sqrt(2) * 0.5 / frequency / math.sqrt(3), "rectangular", "method"
    )
    return VoltageEvent(
        kind,
        since,
        until,
        Measurement(f"u_{kind}", extreme, "V", urms_budget(w, extreme), w.source, float(half.times[begin + i]), w.of),
        Measurement(f"t_{kind}", until - since, "s", (edge,), w.source, min(until, w.start + w.seconds), w.of),
    )
