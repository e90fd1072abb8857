"""From the instrument's figures to measurements: the budget of each function, from the accuracy file.

Knows elements and figures, no session. A figure's own components are limits of its range; S and the power factor are
made of U, I and P and take their uncertainties; P also depends on how far from power factor 1 it was measured.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

from instruments.yokogawa_wt1800e.commands import VALUES, ZERO, Element
from rig.errors import InstrumentError
from rig.metrology.accuracy import Accuracy, read_accuracy
from rig.metrology.measurement import Component, Measurement

ACCURACY = read_accuracy(Path(__file__).with_name("accuracy.toml"))
POWER_FACTOR_INFLUENCE = 0.001
"""Error of P in units of the reactive power, limit ("influence of power factor", 0.1 % of S at zero; WT1800, M)."""

Values = Sequence[float]
Make = Callable[[Values, float], Measurement]


def maker(function: str, name: str, source: str, element: Element) -> Make:
    """How a quantity is made from the values of its items and the moment of its update."""
    limits = _limits(element)
    if function == "p":
        return _power(name, source, limits, ac=element.port != "dc")
    if function == "s":
        return _apparent(name, source, limits)
    if function == "pf":
        return _power_factor(name, source, limits)
    if function == "thd_u":
        return _plain(name, source, "1", _Limits(ACCURACY, "thd", 1.0), 0.01)
    if function == "f":
        return _plain(name, source, "Hz", _Limits(ACCURACY, "frequency", 1.0), 1.0)
    return _plain(name, source, "V" if function == "u" else "A", limits[function], 1.0)


class _Limits:
    """The budget of one reading. full: what the accuracy file's figures are in units of."""

    def __init__(self, accuracy: Accuracy, function: str, full: float) -> None:
        spec = accuracy[function].ranges[0]
        root = math.sqrt(3.0)
        self._share = spec.reading / 100.0 / root
        self._name, self._source = f"{accuracy.model} {function}: of reading", f"{spec.source} ({spec.confidence})"
        fixed = accuracy.budget(function, 0.0, spec.full)
        self._fixed = tuple(Component(c.name, c.u * full, c.distribution, c.source) for c in fixed)
        zero = ZERO * full / root if function.startswith(("voltage", "current")) else 0.0
        self._zero = Component(f"{accuracy.model} {function}: shown as zero", zero, "rectangular", "WT1800 (M)")

    def budget(self, value: float) -> tuple[Component, ...]:
        """Components at a reading; a zero may be a small voltage or current that is not shown."""
        if value == 0.0:
            return (*self._fixed, self._zero) if self._zero.u else self._fixed
        return (Component(self._name, self._share * abs(value), "rectangular", self._source), *self._fixed)

    def u(self, value: float) -> float:
        """Standard uncertainty at a reading."""
        return math.sqrt(math.fsum(c.u**2 for c in self.budget(value)))


def _limits(element: Element) -> dict[str, _Limits]:
    kind = "_dc" if element.port == "dc" else ""
    volts, amperes = element.voltage_range, element.current
    return {
        "u": _Limits(ACCURACY, f"voltage{kind}", volts),
        "i": _Limits(ACCURACY, f"current{kind}", amperes),
        "p": _Limits(ACCURACY, f"power{kind}", volts * amperes),
    }


def _plain(name: str, source: str, unit: str, limits: _Limits, scale: float) -> Make:
    """scale: of the instrument's figure (THD comes in per cent)."""

    def make(values: Values, at: float) -> Measurement:
        value = values[0] * scale
        return Measurement(name, value, unit, limits.budget(value), source, at)

    return make


def _power(name: str, source: str, limits: dict[str, _Limits], ac: bool) -> Make:
    why = "influence of the power factor, WT1800 (M)"

    def make(values: Values, at: float) -> Measurement:
        p, u, i = values
        budget = limits["p"].budget(p)
        if ac:
            reactive = math.sqrt(max((u * i) ** 2 - p * p, 0.0))
            influence = POWER_FACTOR_INFLUENCE * reactive / math.sqrt(3.0)
            budget = (*budget, Component("power factor", influence, "rectangular", why))
        return Measurement(name, p, "W", budget, source, at)

    return make


def _apparent(name: str, source: str, limits: dict[str, _Limits]) -> Make:
    def make(values: Values, at: float) -> Measurement:
        s, u, i = values
        budget = (
            Component("voltage", limits["u"].u(u), "normal", source, abs(i)),
            Component("current", limits["i"].u(i), "normal", source, abs(u)),
        )
        return Measurement(name, s, "VA", budget, source, at)

    return make


def _power_factor(name: str, source: str, limits: dict[str, _Limits]) -> Make:
    def make(values: Values, at: float) -> Measurement:
        pf, p, u, i = values
        if u * i == 0.0:
            raise InstrumentError(source, VALUES.spelt() + "?", "has a power factor, but no voltage or no current")
        budget = (
            Component("power", limits["p"].u(p), "normal", source, 1.0 / (u * i)),
            Component("voltage", limits["u"].u(u), "normal", source, pf / u),
            Component("current", limits["i"].u(i), "normal", source, pf / i),
        )
        return Measurement(name, pf, "1", budget, source, at)

    return make
