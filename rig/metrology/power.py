"""Efficiency, energy and power factor, each with the budget of what it was made from.

Inputs are taken as uncorrelated unless the caller says otherwise: two channels of one analyzer share its reference, and
what they share cancels in a ratio (JCGM 100, 5.2.2).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from rig.errors import BenchFault, UseError
from rig.metrology.measurement import Component, Measurement
from rig.metrology.series import Series

EURO: Mapping[float, float] = {0.05: 0.03, 0.10: 0.06, 0.20: 0.13, 0.30: 0.10, 0.50: 0.48, 1.00: 0.20}
"""European weights by load (standards.md EFF-002 [PVS])."""
CEC: Mapping[float, float] = {0.10: 0.04, 0.20: 0.05, 0.30: 0.12, 0.50: 0.21, 0.75: 0.53, 1.00: 0.05}
"""Californian weights by load (standards.md EFF-002 [PVS])."""


def efficiency(out: Measurement, taken: Measurement, name: str = "efficiency", correlation: float = 0.0) -> Measurement:
    """What came out over what was taken, both W or both J; signs are dropped. correlation: -1..1, of their errors."""
    return _ratio(out, taken, name, correlation=correlation)


def power_factor(p: Measurement, s: Measurement, name: str = "power_factor") -> Measurement:
    """|P|/S. p: W. s: VA."""
    if (p.unit, s.unit) != ("W", "VA"):
        raise UseError(f"{name}: needs W and VA, got {p.unit} and {s.unit}; hand in active and apparent power")
    return _ratio(p, s, name, same_unit=False)


def energy(s: Series, name: str, since: float = -math.inf, until: float = math.inf) -> Measurement:
    """J of a series of power readings in W, from the first to the last reading of the window. BenchFault for a window
    with a hole in it."""
    if s.unit != "W":
        raise UseError(f"{name}: energy is made from W, got {s.unit}; hand in power readings")
    w = s.between(since, until).without_holes()
    span = float(w.t[-1] - w.t[0])
    power_at_ends = float(np.abs(w.y[[0, -1]]).max())
    # The reading's error is the same all along; the window's ends are known to one update.
    return w.made(name, float(np.trapezoid(w.y, w.t)), w.reading_u(span), w.instant_u(2, power_at_ends), unit="J")


def total(parts: Sequence[Measurement], name: str) -> Measurement:
    """The sum of several legs, in their unit. Errors of one instrument's inputs are taken as uncorrelated."""
    units = {m.unit for m in parts}
    if len(units) != 1:
        raise UseError(f"{name}: give parts of one unit, one at least; got {', '.join(sorted(units)) or 'none'}")
    budget = tuple(Component(m.name, m.u, "normal", m.source, 1.0, m.dof) for m in parts)
    of = tuple(dict.fromkeys(digest for m in parts for digest in m.of))
    value = math.fsum(m.value for m in parts)
    return Measurement(name, value, units.pop(), budget, " + ".join(m.source for m in parts), parts[0].at, of)


def share(m: Measurement, whole: float, name: str, less: float = 0.0) -> Measurement:
    """(value - less) / whole as a fraction; whole and less are exact (set-points and ratings), in the value's unit."""
    if not whole > 0:
        raise UseError(f"{name}: {whole:g} {m.unit} is nothing to divide by")
    budget = (Component(m.name, m.u, "normal", m.source, 1 / whole, m.dof),)
    return Measurement(name, (m.value - less) / whole, "1", budget, m.source, m.at, m.of)


def weighted_efficiency(
    points: Mapping[float, Measurement],
    weights: Mapping[float, float] = EURO,
    name: str = "efficiency_euro",
    correlation: float = 1.0,
) -> Measurement:
    """Efficiency over load points. points: fraction of rated power -> efficiency.

    correlation: 0..1, of their errors: one analyzer that reads a little too much does so at every load, and no mean
    takes that away (JCGM 100, 5.2.2).
    """
    if not 0 <= correlation <= 1:
        raise UseError(f"{name}: a correlation of {correlation:g} cannot be of all points; give one from 0 to 1")
    missing = [load for load in weights if load not in points]
    if missing:
        raise UseError(f"{name}: no efficiency at {', '.join(f'{load:.0%}' for load in missing)}; measure these too")
    value = math.fsum(weight * points[load].value for load, weight in weights.items())
    own, shared = math.sqrt(1 - correlation), math.sqrt(correlation)
    budget: tuple[Component, ...] = tuple(
        Component(f"efficiency at {load:.0%}", m.u, "normal", m.source, own * weight, m.dof)
        for load, weight, m in ((load, weight, points[load]) for load, weight in weights.items())
        if own
    )
    if shared:
        common = math.fsum(weight * points[load].u for load, weight in weights.items())
        dof = min(points[load].dof for load in weights)
        budget += (Component("common to all loads", common, "normal", f"correlation {correlation:g}", shared, dof),)
    used = [points[load] for load in weights]
    of = tuple(dict.fromkeys(digest for m in used for digest in m.of))
    return Measurement(name, value, "1", budget, "weighted over load", max(m.at for m in used), of)


def _ratio(
    top: Measurement, bottom: Measurement, name: str, same_unit: bool = True, correlation: float = 0.0
) -> Measurement:
    if same_unit and top.unit != bottom.unit:
        raise UseError(f"{name}: {top.name} is in {top.unit}, {bottom.name} in {bottom.unit}; give both in one unit")
    if bottom.value == 0 or not math.isfinite(bottom.value):
        raise BenchFault(f"{name}: {bottom.name} reads {bottom.value:g} {bottom.unit}; nothing to divide by")
    if not abs(correlation) <= 1:
        raise UseError(f"{name}: a correlation of {correlation:g} cannot be; give one from -1 to 1")
    value = abs(top.value / bottom.value)
    source = f"{top.source} / {bottom.source}"
    by_top, by_bottom = 1 / abs(bottom.value), value / abs(bottom.value)
    # Correlated errors as independent ones: each its own part, and one that moves both, in which a ratio takes the
    # difference (the sum where they move against each other). The squares add up to JCGM 100, equation 13.
    own = math.sqrt(1 - abs(correlation))
    sign = math.copysign(1.0, correlation)
    shared = math.sqrt(abs(correlation)) * abs(by_top * top.u - sign * by_bottom * bottom.u)
    budget: tuple[Component, ...] = (
        Component(top.name, top.u, "normal", top.source, by_top * own, top.dof),
        Component(bottom.name, bottom.u, "normal", bottom.source, by_bottom * own, bottom.dof),
    )
    if correlation:
        budget += (Component("common to both", shared, "normal", f"correlation {correlation:g}"),)
    return Measurement(name, value, "1", budget, source, max(top.at, bottom.at), (*top.of, *bottom.of))
