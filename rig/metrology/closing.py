"""Two live voltages at the moment a contact joins them: frequency, magnitude and phase apart (standards.md XFR-008).

Both sides are fitted over the same few cycles that end shortly before the contact touches, since a charger stops
forming just before; phases are carried on to the moment of closing by the fitted frequencies. Where the difference of
frequency is still moving within these cycles, half a stretch against the other, its uncertainty says so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from rig.errors import BenchFault
from rig.metrology.contact import Move
from rig.metrology.measurement import Component, Measurement
from rig.metrology.sine import SineFit, fit_sine
from rig.metrology.wave import Wave

CYCLES = 6
"""Cycles fitted, an even number (project choice: 120 ms at 50 Hz, in which 0.3 Hz turn by 13 degrees)."""
LEAD = 4e-3
"""s before the contact at which the fits end (project choice: longer than the break before the make)."""


@dataclass(frozen=True, slots=True)
class Offsets:
    """Of house against mains when the contact closes, magnitudes. df: Hz. dv: fraction of nominal. dphi: degrees."""

    df: Measurement
    dv: Measurement
    dphi: Measurement


def offsets_at_close(grid: Wave, house: Wave, closing: Move, voltage: float, frequency: float) -> Offsets:
    """Measure what the contact closed onto. grid, house: the same leg on both sides. voltage: V rms, nominal.
    BenchFault when the record begins too late or a side is dead."""
    end = closing.at - LEAD
    begin = end - CYCLES / frequency
    whole = [_fit(w, begin, end, voltage, frequency) for w in (grid, house)]
    middle = (begin + end) / 2
    early = [_fit(w, begin, middle, voltage, frequency) for w in (grid, house)]
    late = [_fit(w, middle, end, voltage, frequency) for w in (grid, house)]
    df = late[1].frequency - late[0].frequency
    moved = abs(df - (early[1].frequency - early[0].frequency))
    noise = math.hypot(*(_frequency_noise(fit, w) for fit, w in zip(late, (grid, house), strict=True)))
    of = tuple(dict.fromkeys((*grid.of, *house.of)))
    source = f"{house.source or 'house'} against {grid.source or 'grid'}"
    frequency_u = (
        Component("noise of the fits", noise, "normal", "residual of the fits"),
        Component("still moving", moved / math.sqrt(12), "rectangular", "second half against the first"),
    )
    ahead = LEAD + CYCLES / frequency / 4
    phases = [fit.phase_at(closing.at - w.start) for fit, w in zip(late, (grid, house), strict=True)]
    apart = (phases[1] - phases[0] + 180.0) % 360.0 - 180.0
    phase_u = (
        Component("frequency carried on", 360.0 * ahead * math.hypot(noise, moved / math.sqrt(12)), "normal", "fits"),
        Component("noise of the fits", _phase_noise(late), "normal", "residual of the fits"),
        Component("moment of closing", closing.u, "rectangular", "auxiliary contact", 360.0 * abs(df)),
        Component("time base", math.hypot(grid.time_u, house.time_u), "normal", "channels", 360.0 * frequency),
    )
    volts = [fit.amplitude / math.sqrt(2) for fit in whole]
    volts_u = tuple(
        Component(f"gain, {w.source or side}", w.gain_u * u / voltage, "normal", w.source or side)
        for w, u, side in zip((grid, house), volts, ("grid", "house"), strict=True)
    )
    return Offsets(
        Measurement("df_at_close", abs(df), "Hz", frequency_u, source, closing.at, of),
        Measurement("dv_at_close", abs(volts[1] - volts[0]) / voltage, "1", volts_u, source, closing.at, of),
        Measurement("dphi_at_close", abs(apart), "deg", phase_u, source, closing.at, of),
    )


def _fit(w: Wave, begin: float, end: float, voltage: float, frequency: float) -> SineFit:
    low, high = round((begin - w.start) * w.rate), round((end - w.start) * w.rate)
    name = w.source or "wave"
    if low < 0:
        raise BenchFault(f"{name}: record {CYCLES + 1} cycles before the contact closes")
    fit = fit_sine(w.times(low, high), w.part(low, high), frequency)
    if fit.amplitude < 0.5 * math.sqrt(2) * voltage:
        raise BenchFault(f"{name}: is not live when the contact closes ({fit.amplitude / math.sqrt(2):.1f} V rms)")
    return fit


def _frequency_noise(fit: SineFit, w: Wave) -> float:
    """Hz, Cramer-Rao bound of the frequency of a sine in noise (IEEE 1057)."""
    seconds = fit.end - fit.begin
    n = max(1.0, seconds * w.rate)
    return math.sqrt(6 / n) * fit.residual / (math.pi * seconds * fit.amplitude)


def _phase_noise(fits: list[SineFit]) -> float:
    """degrees, of the difference of two phases; the residual may repeat within a cycle, so no averaging is claimed."""
    return math.degrees(math.hypot(*(fit.residual / fit.amplitude for fit in fits)))
