"""Active power of a voltage and a current recorded together: the mean of their product over whole cycles.

For what a power analyzer's update is too slow for, and for benches without one: an oscilloscope with a current probe
knows power to a few per cent. What the two channels are apart in time turns reactive power into active.
"""

from __future__ import annotations

import math

import numpy as np

from rig.errors import BenchFault, UseError
from rig.metrology.integral import integral_of_products, integral_of_squares
from rig.metrology.measurement import Component, Measurement
from rig.metrology.rms import GUESS_RATE, cycles_in, fit_wave
from rig.metrology.wave import Wave


def active_power(u: Wave, i: Wave, nominal_frequency: float, name: str = "p") -> Measurement:
    """W, mean of u*i over all whole cycles of the voltage, positive where both have one sign. u: V. i: A.

    UseError for channels that are not of one record; BenchFault for fewer than two cycles, or a voltage that is dead.
    """
    if (u.unit, i.unit) != ("V", "A") or (u.rate, u.start, len(u.samples)) != (i.rate, i.start, len(i.samples)):
        raise UseError(f"{name}: needs a voltage (V) and a current (A) of one record; hand in two channels of it")
    fit = fit_wave(u.thinned(GUESS_RATE), nominal_frequency)
    cycles = cycles_in(u, fit.frequency)
    if cycles < 2:
        raise BenchFault(f"{name}: {u.seconds:.3g} s hold {cycles} cycle; record two or more")
    edges = np.arange(cycles + 1, dtype=np.float64) / fit.frequency
    each = np.diff(integral_of_products(u, i, edges)) * fit.frequency
    value = float(np.mean(each))
    volts, amperes = (math.sqrt(float(integral_of_squares(w, edges[-1:])[0] / edges[-1])) for w in (u, i))
    level_u, level_i = (float(np.mean(w.thinned(GUESS_RATE).volts())) for w in (u, i))
    reactive = math.sqrt(max((volts * amperes) ** 2 - value**2, 0.0))
    zero = math.hypot(level_i * u.offset_u, level_u * i.offset_u, u.offset_u * i.offset_u)
    apart = 2 * math.pi * fit.frequency * math.hypot(u.time_u, i.time_u)
    steps = math.hypot(u.resolution * amperes, i.resolution * volts) / math.sqrt(12 * len(u.samples))
    spread = float(np.std(each, ddof=1)) / math.sqrt(cycles)
    budget = (
        Component("gain of the voltage", u.gain_u, "normal", u.source or "voltage", abs(value)),
        Component("gain of the current", i.gain_u, "normal", i.source or "current", abs(value)),
        Component("zeros", zero, "rectangular", "both channels"),
        Component("channels apart in time", apart, "normal", "at power factor 0 it counts whole", reactive),
        Component("resolution", steps, "rectangular", "converter steps"),
        Component("repeatability", spread, "normal", f"{cycles} cycles", dof=cycles - 1),
    )
    source = f"{u.source or 'voltage'} x {i.source or 'current'}"
    return Measurement(name, value, "W", budget, source, u.start + float(edges[-1]), tuple(dict.fromkeys(u.of + i.of)))
