"""What a bench may be seen at, and for how long: the supervisor's limits. Knows no clock and no instrument.

They stand behind the protections of the instruments themselves and before nothing: a device under test that keeps its
own limits never comes near them. Where the bench file names none, they follow from the device's plate.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from rig.profile import Ratings
from rig.safety.settings import SafetyTable

ABOVE_PLATE = {"voltage": 1.05, "current": 1.2, "power": 1.5}
"""Times the plate's DC voltage, DC current and power (project choice: above every overload that suites ask for, 125 %
and its losses, and below the protections of the source)."""
UNITS: Mapping[str, str] = {"voltage": "V", "current": "A", "power": "W", "soc": "1", "temperature": "degC"}


class Level(msgspec.Struct, frozen=True):
    """Bounds of one quantity, SI: outside them for `hold` s is a breach."""

    quantity: str
    low: float
    high: float
    hold: float


def levels(table: SafetyTable, ratings: Ratings) -> tuple[Level, ...]:
    """The bench file's figures, and the plate's where it names none."""
    plate = {"voltage": ratings.dc_voltage, "current": ratings.dc_current, "power": ratings.power}
    asked = {"voltage": table.voltage, "current": table.current, "power": table.power}
    found = []
    for name, figure in plate.items():
        most = asked[name]
        most = ABOVE_PLATE[name] * figure if most is None else most
        found.append(Level(name, -most, most, table.hold))
    for name, low, high in (
        ("soc", table.soc_min, table.soc_max),
        ("temperature", table.temperature_min, table.temperature_max),
    ):
        if low is not None or high is not None:
            found.append(Level(name, -math.inf if low is None else low, math.inf if high is None else high, table.hold))
    return tuple(found)


@dataclass(slots=True)
class _Watched:
    level: Level
    since: float | None = None  # s, from when on it has been outside


class Envelope:
    """Holds readings against levels. A value that is no number counts as outside."""

    def __init__(self, levels: Iterable[Level]) -> None:
        self._watched = {level.quantity: _Watched(level) for level in levels}

    def look(self, now: float, values: Mapping[str, float]) -> str:
        """Which level has been left for too long, in words; empty while none. now: s, of these values. Quantities
        without a level are nobody's."""
        for name, value in values.items():
            watched = self._watched.get(name)
            if watched is None:
                continue
            level = watched.level
            if level.low <= value <= level.high:
                watched.since = None
                continue
            watched.since = now if watched.since is None else watched.since
            if now - watched.since >= level.hold:
                unit = UNITS.get(name, "")
                bound = level.low if value < level.low else level.high
                return (
                    f"{name} {value:g} {unit} was beyond {bound:g} {unit} for {now - watched.since:.2f} s "
                    f"({level.hold:g} s allowed)"
                )
        return ""
