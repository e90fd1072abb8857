"""Every defect there is as a case of a qualification: those of the charger, pairs of them, and those of instruments."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from instruments.evps.defect import Defect
from instruments.evps.defect_pairs import PAIRS, Pair
from instruments.evps.defects import ALL
from rig.qualify.cases import Case
from rig.qualify.units import Plant

DIGITS = 9
"""Of a severity in a bench file (project choice): two that print alike are the same."""


def cases() -> tuple[Case, ...]:
    """All of them."""
    return (*map(_defect, ALL), *map(_pair, PAIRS), *INSTRUMENTS)


def _defect(defect: Defect) -> Case:
    def plant(severity: float) -> tuple[Plant, ...]:
        return (Plant("charger", "defects", f'["{defect.name}={_figure(severity)}"]'),)

    return Case(
        defect.name,
        "device",
        defect.description,
        defect.breaks,
        defect.severity,
        defect.nil,
        defect.unit,
        plant,
        defect.source,
        defect.when,
        defect.beyond,
    )


def _pair(pair: Pair) -> Case:
    plants = tuple(Plant("charger", "defects", f'["{one}"]') for one in pair.defects)
    return Case(pair.name, "pair", pair.description, pair.breaks, 1.0, None, "1", lambda _: plants, "imagination")


def _misread(part: str, functions: tuple[str, ...], severity: float) -> tuple[Plant, ...]:
    wrong = ", ".join(f"{one} = {_figure(severity)}" for one in functions)
    return (Plant(part, "misreads", f"{{ {wrong} }}"),)


def _misreads(
    name: str, part: str, functions: tuple[str, ...], gross: float, what: str, breaks: tuple[str, ...], source: str
) -> Case:
    plant: Callable[[float], tuple[Plant, ...]] = partial(_misread, part, functions)
    return Case(name, "instrument", what, breaks, gross, 0.0, "1", plant, source)


MET = "ISO/IEC 17025 7.7: intermediate checks; an instrument out of its limits between two calibrations"
INSTRUMENTS = (
    _misreads(
        "analyzer-current-off",
        "analyzer",
        ("current", "current_dc", "power", "power_dc"),
        0.06,
        "the analyzer's current inputs show so much too much: a shunt or a ratio set wrong",
        ("CHA-001", "PWR-003", "PWR-006"),
        MET,
    ),
    _misreads(
        "analyzer-voltage-off",
        "analyzer",
        ("voltage", "voltage_dc", "power", "power_dc"),
        0.06,
        "the analyzer's voltage inputs show so much too much",
        ("CHA-013", "PQ-001"),
        MET,
    ),
    _misreads(
        "analyzer-power-off",
        "analyzer",
        ("power", "power_dc"),
        0.06,
        "the analyzer's power is so much more than its voltage times its current",
        ("PWR-006", "EFF-001"),
        MET,
    ),
    _misreads(
        "source-current-off",
        "battery",
        ("current",),
        0.06,
        "the DC source shows so much too much current",
        ("CHA-004", "CHA-026"),
        MET,
    ),
    _misreads(
        "source-voltage-off",
        "battery",
        ("voltage", "voltage_set"),
        0.06,
        "the DC source's voltage is so much off, set and read",
        ("CHA-013", "BAT-005"),
        MET,
    ),
    _misreads(
        "digitizer-gain-off",
        "digitizer",
        ("voltage",),
        0.15,
        "the digitizer shows so much too much voltage: a probe ratio set wrong",
        ("XFR-005", "PWR-010"),
        MET,
    ),
    _misreads(
        "digitizer-clock-off",
        "digitizer",
        ("time",),
        0.15,
        "the digitizer's time base runs so much too slow",
        ("XFR-002", "XFR-006"),
        MET,
    ),
    _misreads(
        "load-off",
        "house_l1",
        ("power_set",),
        -0.15,
        "the house load draws so much less than it is told to",
        ("PWR-001", "PWR-002"),
        MET,
    ),
)


def _figure(severity: float) -> str:
    return f"{severity:.{DIGITS}g}"
