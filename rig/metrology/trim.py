"""A wave scaled to what a better instrument read of the same voltage at the same time.

A digitizer knows shapes and instants, and magnitudes to a per cent or two; a power analyzer knows magnitudes to a tenth
of that. Where a limit is on magnitude, a steady stretch of the record is laid beside a reading.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from rig.errors import BenchFault
from rig.metrology.measurement import Measurement
from rig.metrology.rms import rms
from rig.metrology.wave import Wave

CREDIBLE = 0.10
"""Of the reading: more than that is no gain error, something is wired or set wrong (project choice: five times the
limit of error of a usual oscilloscope)."""


def trimmed(w: Wave, reading: Measurement, frequency: float, since: float, until: float) -> Wave:
    """The wave, scaled so that its rms from `since` to `until` (s, bench time, steady) is the reading's (V rms). Its
    gain is then as uncertain as the reading and the rms together. BenchFault where the two cannot be of one voltage."""
    low, high = round((since - w.start) * w.rate), round((until - w.start) * w.rate)
    if not 0 <= low < high <= len(w.samples):
        raise BenchFault(
            f"{w.source or 'wave'}: {since:.3f} to {until:.3f} s is not in the record; record that stretch"
        )
    here = rms(w.cut(low, high), frequency)
    factor = reading.value / here.value
    if abs(factor - 1.0) > CREDIBLE:
        raise BenchFault(
            f"{w.source or 'wave'}: {here.value:.1f} V where {reading.source} reads {reading.value:.1f} V; "
            "look at probe factor and wiring"
        )
    noise = math.hypot(*(c.contribution for c in here.budget if c.name != "gain"))
    gain_u = math.hypot(reading.u / reading.value, noise / here.value)
    samples = np.asarray(w.samples * np.float32(factor), dtype=np.float32)
    return replace(
        w,
        samples=samples,
        resolution=w.resolution * factor,
        gain_u=gain_u,
        offset_u=w.offset_u * factor,
        noise=w.noise * factor,
    )
