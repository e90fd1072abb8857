"""Quantities in files: a bare number is SI, a text carries its unit and is refused in a wrong one.

`voltage = 200.0`, `voltage = "200 V"` and `voltage = "0.2 kV"` say the same; `voltage = "200 A"` is refused.
These are pydantic field types; the float that comes out is SI.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Annotated

from pydantic import BeforeValidator

_PREFIX = {"": 1.0, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6}
_OTHER = {
    ("s", "min"): 60.0,
    ("s", "h"): 3600.0,
    ("J", "Wh"): 3600.0,
    ("J", "kWh"): 3.6e6,
    ("1", "%"): 0.01,
    ("1", ""): 1.0,
}
_TEXT = re.compile(r"\s*([-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)\s*([^\s\d]*)\s*")


def parse_quantity(value: object, unit: str) -> float:
    """A number (SI) or a text with a unit, as SI. ValueError says what is wrong and how to write it."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f'{value!r} is no quantity in {unit}: write a number in {unit} or a text like "1.5 {unit}"')
    if isinstance(value, int | float):
        number, factor = float(value), 1.0
    else:
        match = _TEXT.fullmatch(value)
        scale = _factor(match[2], unit) if match else None
        if match is None or scale is None:
            raise ValueError(
                f'{value!r} is no quantity in {unit}: write a number in {unit} or a text like "1.5 {unit}"'
            )
        number, factor = float(match[1]), scale
    if not math.isfinite(number):
        raise ValueError(f"{value!r} is not finite: write a number in {unit}")
    return number * factor


def _factor(written: str, unit: str) -> float | None:
    """SI units in one written unit; None when it measures something else."""
    if (unit, written) in _OTHER:
        return _OTHER[unit, written]
    if unit != "1" and written.endswith(unit):
        return _PREFIX.get(written.removesuffix(unit))
    return None


def _as(unit: str) -> BeforeValidator:
    parse: Callable[[object], float] = lambda value: parse_quantity(value, unit)  # noqa: E731
    return BeforeValidator(parse)


Volts = Annotated[float, _as("V")]
Amperes = Annotated[float, _as("A")]
Watts = Annotated[float, _as("W")]
Ohms = Annotated[float, _as("ohm")]
Seconds = Annotated[float, _as("s")]
Hertz = Annotated[float, _as("Hz")]
Joules = Annotated[float, _as("J")]
Celsius = Annotated[float, _as("degC")]
Kelvins = Annotated[float, _as("K")]
Fraction = Annotated[float, _as("1")]
