"""Unbalance: of three phases by symmetrical components (IEC 61000-4-30), of the legs of a three-wire service by size.

Three phases: negative over positive sequence of the fundamentals. a = 1 at 120 degrees:
    U+ = (A + a B + a^2 C) / 3        U- = (A + a^2 B + a C) / 3
Two legs have no sequence; their unbalance here is the difference of the rms values over their mean (project choice).
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence

from rig.errors import BenchFault, UseError
from rig.metrology.measurement import Component, Measurement
from rig.metrology.rms import fit_wave, rms
from rig.metrology.wave import Wave


def unbalance(phases: Sequence[Wave], frequency: float, name: str = "u2") -> Measurement:
    """Negative over positive sequence, fraction, whichever way the phases turn in order of A, B, C. frequency: Hz."""
    if len(phases) != 3 or len({(w.rate, w.start, len(w.samples)) for w in phases}) != 1:
        raise UseError(f"{name}: needs three phases recorded at the same time; hand in A, B and C of one capture")
    fits = [fit_wave(w, frequency) for w in phases]
    middle = phases[0].seconds / 2
    vectors = [cmath.rect(fit.amplitude, math.radians(fit.phase_at(middle))) for fit in fits]
    a = cmath.exp(2j * math.pi / 3)
    plus = abs(vectors[0] + a * vectors[1] + a * a * vectors[2]) / 3
    minus = abs(vectors[0] + a * a * vectors[1] + a * vectors[2]) / 3
    if minus > plus:
        raise BenchFault(f"{name}: the phases turn the other way; swap two of {', '.join(w.source for w in phases)}")
    # Each phase enters both sequences with a third: a relative error e of one moves U-/U+ by up to e/3.
    budget = []
    for w, fit in zip(phases, fits, strict=True):
        noise = math.sqrt(2 / len(w.samples)) * fit.residual / fit.amplitude
        phase = 2 * math.pi * fit.frequency * w.time_u
        label = w.source or "phase"
        budget += [
            Component(f"{label} gain", w.gain_u, "normal", label, 1 / 3),
            Component(f"{label} instant", phase, "normal", label, 1 / 3),
            Component(f"{label} noise", noise, "normal", "residual of the fit", 1 / 3),
        ]
    last = phases[0]
    of = tuple(dict.fromkeys(digest for w in phases for digest in w.of))
    source = f"sequences of {', '.join(w.source or 'phase' for w in phases)}"
    return Measurement(name, minus / plus, "1", tuple(budget), source, last.start + last.seconds, of)


def leg_unbalance(legs: Sequence[Wave], frequency: float, name: str = "leg_unbalance") -> Measurement:
    """|U1 - U2| over their mean, fraction, of the two legs of a three-wire service. frequency: Hz."""
    if len(legs) != 2:
        raise UseError(f"{name}: needs two legs, got {len(legs)}; hand in both")
    one, other = (rms(w, frequency) for w in legs)
    middle = (one.value + other.value) / 2
    budget = tuple(
        Component(m.source or f"leg {number}", m.u, "normal", m.source, 1 / middle, m.dof)
        for number, m in enumerate((one, other), 1)
    )
    source = f"{one.source}, {other.source}"
    return Measurement(name, abs(one.value - other.value) / middle, "1", budget, source, one.at, (*one.of, *other.of))
