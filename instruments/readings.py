"""From a power analyzer's figures to measurements: the budget of each function, from the model's accuracy file.

Knows ranges and figures, no session and no model. A figure's own components are limits of its range; S and the power
factor are made of U, I and P and take their uncertainties; P also depends on how far from power factor 1 it was
measured. The functions of an accuracy file are in units of the range: voltage, current, power, each also with _dc, and
frequency and thd.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rig.errors import InstrumentError
from rig.metrology.accuracy import Accuracy
from rig.metrology.measurement import Component, Measurement

Values = Sequence[float]
Make = Callable[[Values, float], Measurement]


@dataclass(frozen=True, slots=True)
class Model:
    """What a model's figures are worth. question: how it is asked for values, for errors. zero: fraction of the range
    below which U and I are shown as zero; pf_influence: limit of the error of P in units of the reactive power; both
    with their sources in the components' words. thd_scale: of its THD figure to a fraction."""

    accuracy: Accuracy
    question: str
    zero: float
    zero_source: str
    pf_influence: float
    pf_source: str
    thd_scale: float = 0.01


@dataclass(frozen=True, slots=True)
class Range:
    """One input's ranges: V and A. dc: whether it is wired to the DC port."""

    voltage: float
    current: float
    dc: bool


def maker(model: Model, function: str, name: str, source: str, wired: Range) -> Make:
    """How a quantity is made from the values of its items and the moment of its update."""
    limits = _limits(model, wired)
    if function == "p":
        return _power(model, name, source, limits, ac=not wired.dc)
    if function == "s":
        return _apparent(name, source, limits)
    if function == "pf":
        return _power_factor(model, name, source, limits)
    if function == "thd_u":
        return _plain(name, source, "1", _Limits(model, "thd", 1.0), model.thd_scale)
    if function == "f":
        return _plain(name, source, "Hz", _Limits(model, "frequency", 1.0), 1.0)
    return _plain(name, source, "V" if function == "u" else "A", limits[function], 1.0)


class _Limits:
    """The budget of one reading. full: what the accuracy file's figures are in units of."""

    def __init__(self, model: Model, function: str, full: float) -> None:
        accuracy = model.accuracy
        spec = accuracy[function].ranges[0]
        root = math.sqrt(3.0)
        self._share = spec.reading / 100.0 / root
        self._name, self._source = f"{accuracy.model} {function}: of reading", f"{spec.source} ({spec.confidence})"
        fixed = accuracy.budget(function, 0.0, spec.full)
        self._fixed = tuple(Component(c.name, c.u * full, c.distribution, c.source) for c in fixed)
        zero = model.zero * full / root if function.startswith(("voltage", "current")) else 0.0
        self._zero = Component(f"{accuracy.model} {function}: shown as zero", zero, "rectangular", model.zero_source)

    def budget(self, value: float) -> tuple[Component, ...]:
        """Components at a reading; a zero may be a small voltage or current that is not shown."""
        if value == 0.0:
            return (*self._fixed, self._zero) if self._zero.u else self._fixed
        return (Component(self._name, self._share * abs(value), "rectangular", self._source), *self._fixed)

    def u(self, value: float) -> float:
        """Standard uncertainty at a reading."""
        return math.sqrt(math.fsum(c.u**2 for c in self.budget(value)))


def _limits(model: Model, wired: Range) -> dict[str, _Limits]:
    kind = "_dc" if wired.dc else ""
    volts, amperes = wired.voltage, wired.current
    return {
        "u": _Limits(model, f"voltage{kind}", volts),
        "i": _Limits(model, f"current{kind}", amperes),
        "p": _Limits(model, f"power{kind}", volts * amperes),
    }


def _plain(name: str, source: str, unit: str, limits: _Limits, scale: float) -> Make:
    """scale: of the instrument's figure (THD comes in per cent)."""

    def make(values: Values, at: float) -> Measurement:
        value = values[0] * scale
        return Measurement(name, value, unit, limits.budget(value), source, at)

    return make


def _power(model: Model, name: str, source: str, limits: dict[str, _Limits], ac: bool) -> Make:
    def make(values: Values, at: float) -> Measurement:
        p, u, i = values
        budget = limits["p"].budget(p)
        if ac:
            reactive = math.sqrt(max((u * i) ** 2 - p * p, 0.0))
            influence = model.pf_influence * reactive / math.sqrt(3.0)
            budget = (*budget, Component("power factor", influence, "rectangular", model.pf_source))
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


def _power_factor(model: Model, name: str, source: str, limits: dict[str, _Limits]) -> Make:
    def make(values: Values, at: float) -> Measurement:
        pf, p, u, i = values
        if u * i == 0.0:
            raise InstrumentError(source, model.question, "has a power factor, but no voltage or no current")
        budget = (
            Component("power", limits["p"].u(p), "normal", source, 1.0 / (u * i)),
            Component("voltage", limits["u"].u(u), "normal", source, pf / u),
            Component("current", limits["i"].u(i), "normal", source, pf / i),
        )
        return Measurement(name, pf, "1", budget, source, at)

    return make
