"""What forbids one direction while the session goes on, as one table (chademo.md 3; standards.md BAT-004, CHA-017).

An inhibit has a condition that sets it and one that lets it go; between both it stays as it was, so that nothing
oscillates at a floor. `at_once`: the current must not wait for a ramp.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from instruments.evps.situation import Situation

Direction = Literal["charge", "discharge"]
Test = Callable[[Situation], bool]


@dataclass(frozen=True, slots=True)
class Inhibit:
    """sets: begins it. frees: ends it."""

    name: str
    direction: Direction
    sets: Test
    frees: Test
    at_once: bool = False


def _never(_: Situation) -> bool:
    return False


def _level(s: Situation) -> float:
    return 1.0 if s.soc is None else s.soc


def _floor(s: Situation) -> float:
    return s.floor - s.b.level_below if s.floor > 0.0 else 0.0


def _lowest(s: Situation) -> float:
    return s.lowest_voltage + s.b.voltage_margin


def _target(s: Situation) -> float:
    return s.status.target_voltage - s.b.target_margin if s.status is not None else 0.0


def _time_over(s: Situation) -> bool:
    limit = s.times.max_charge_time if s.times is not None else 0.0
    return limit > 0.0 and s.charged_for >= limit


INHIBITS: tuple[Inhibit, ...] = (
    Inhibit(
        "minimum_level",
        "discharge",
        lambda s: _floor(s) > 0.0 and _level(s) <= _floor(s) + 1e-9,
        lambda s: _level(s) >= _floor(s) + s.b.level_hysteresis - 1e-9,
    ),
    Inhibit(
        "reserve",
        "discharge",
        lambda s: s.reserve > 0.0 and _level(s) <= s.reserve + 1e-9,
        lambda s: s.reserve == 0.0 or _level(s) >= s.reserve + s.b.level_hysteresis - 1e-9,
    ),
    Inhibit(
        "withdrawn",
        "discharge",
        lambda s: s.status is not None and not s.status.discharge_compatible,
        _never,
        at_once=True,
    ),
    Inhibit(
        "minimum_voltage",
        "discharge",
        lambda s: s.u <= _lowest(s),
        lambda s: s.u >= _lowest(s) + s.b.voltage_hysteresis,
        at_once=True,
    ),
    Inhibit(
        "maximum_level",
        "charge",
        lambda s: _level(s) >= s.ceiling - 1e-9,
        lambda s: _level(s) <= s.ceiling - s.b.level_hysteresis + 1e-9,
    ),
    Inhibit(
        "target_voltage",
        "charge",
        lambda s: s.u >= _target(s),
        lambda s: s.u <= _target(s) - s.b.target_hysteresis,
    ),
    Inhibit("charging_time", "charge", _time_over, _never),
)


class Inhibits:
    """Which of them are set."""

    def __init__(self) -> None:
        self.set: dict[str, Inhibit] = {}

    def look(self, s: Situation) -> None:
        """Take the present state."""
        for inhibit in INHIBITS:
            if inhibit.name in s.b.ignored:
                continue
            if inhibit.name in self.set:
                if inhibit.frees(s) and not inhibit.sets(s):
                    del self.set[inhibit.name]
            elif inhibit.sets(s):
                self.set[inhibit.name] = inhibit

    def forbids(self, direction: Direction) -> bool:
        """Whether a direction is forbidden now."""
        return any(inhibit.direction == direction for inhibit in self.set.values())

    def at_once(self, direction: Direction) -> bool:
        """Whether it is forbidden by one that does not wait."""
        return any(inhibit.at_once and inhibit.direction == direction for inhibit in self.set.values())
