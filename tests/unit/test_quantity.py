"""Quantities in files: SI numbers, or texts whose unit is checked."""

from __future__ import annotations

import math

import pytest

from rig.quantity import parse_quantity


@pytest.mark.parametrize(
    ("text", "unit", "si"),
    [
        (200, "V", 200.0),
        (1.5, "s", 1.5),
        ("200 V", "V", 200.0),
        ("0.2 kV", "V", 200.0),
        ("15 mA", "A", 0.015),
        ("10ms", "s", 0.01),
        ("2 min", "s", 120.0),
        ("24 kWh", "J", 86.4e6),
        ("0.1 ohm", "ohm", 0.1),
        ("50 %", "1", 0.5),
        ("50 Hz", "Hz", 50.0),
        ("0.5", "1", 0.5),
        ("-3e2 mV", "V", -0.3),
    ],
)
def test_what_is_understood(text: object, unit: str, si: float) -> None:
    assert math.isclose(parse_quantity(text, unit), si, rel_tol=1e-12)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("200 A", "V"),
        ("200", "V"),
        ("V", "V"),
        ("1 xV", "V"),
        (True, "V"),
        ([1], "V"),
        ("nan", "1"),
        ("1,5 V", "V"),
        (None, "s"),
    ],
)
def test_what_is_refused_names_the_unit_wanted(text: object, unit: str) -> None:
    with pytest.raises(ValueError, match=unit):
        parse_quantity(text, unit)


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_only_finite_numbers(number: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        parse_quantity(number, "A")
