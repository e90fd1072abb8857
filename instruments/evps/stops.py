"""What ends a session, as one table (chademo.md 3 and 2): its name, in which phases it counts, and how it ends.

  NORMAL       109.5.5, current down, 109.5.0 = 0, the car opens its contactors and tests them, d2, d1, unlock
  ERROR        the same with 109.5.4 set and latched
  MALFUNCTION  gates blocked, 109.5.1 set and latched, lines dropped as soon as no current flows
  BLACKOUT     current down, lines dropped as soon as no current flows, while the control lives on what is stored

Causes are looked at in the order of the table; the first that holds wins. The signals of the car are redundant: each
alone is enough.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from instruments.evps.events import Supply
from instruments.evps.situation import Situation
from rig.chademo.codec import VehicleStatus


class Phase(Enum):
    """Where the charger is in a session. The value is its panel's word."""

    OFF = "off"
    IDLE = "idle"
    CALLING = "calling"
    LOCKING = "locking"
    CHECKING = "checking"
    TESTING = "testing"
    BLEEDING = "bleeding"
    COUPLING = "coupling"
    MATCHING = "matching"
    READY = "ready"
    RUNNING = "running"
    STOPPING = "stopping"
    OPENING = "opening"
    RELEASING = "releasing"
    ENDED = "ended"
    FAULT = "fault"


P = Phase
LIVE = frozenset({P.CALLING, P.LOCKING, P.CHECKING, P.TESTING, P.BLEEDING, P.COUPLING, P.MATCHING, P.READY, P.RUNNING})
"""Phases that can be stopped."""
PERMITTED = LIVE - {P.CALLING}
COUPLED = frozenset({P.MATCHING, P.READY, P.RUNNING})
"""The car's contactors are closed."""
BEFORE = LIVE - {P.RUNNING}
POWERED = COUPLED | {P.COUPLING}
"""d2 is on."""
OVER = frozenset({P.OFF, P.IDLE, P.FAULT})
"""Nothing is under way."""
FLOWING = frozenset({P.RUNNING})


class Ending(Enum):
    """How a session ends (see the head)."""

    NORMAL = "normal"
    ERROR = "error"
    MALFUNCTION = "malfunction"
    BLACKOUT = "blackout"


@dataclass(frozen=True, slots=True)
class Cause:
    """name: also what a latched fault is called."""

    name: str
    phases: frozenset[Phase]
    holds: Callable[[Situation], bool]
    ending: Ending = Ending.NORMAL


def _says(of: Callable[[VehicleStatus], bool]) -> Callable[[Situation], bool]:
    return lambda s: s.status is not None and of(s.status)


def _leaky(s: Situation) -> bool:
    return s.insulation is not None and s.insulation < s.b.insulation_per_volt * s.b.dc_voltage


def _silent(s: Situation) -> bool:
    return s.now >= s.silent_at - 1e-9


CAUSES: tuple[Cause, ...] = (
    Cause("emergency_stop", LIVE, lambda s: s.emergency, Ending.MALFUNCTION),
    Cause("unplugged", PERMITTED, lambda s: not s.proximity, Ending.MALFUNCTION),
    Cause("unplugged", frozenset({P.CALLING}), lambda s: not s.proximity),
    Cause("insulation", FLOWING, _leaky, Ending.MALFUNCTION),
    Cause("overvoltage", COUPLED, lambda s: s.threshold > 0.0 and s.u >= s.threshold, Ending.ERROR),
    Cause("overload", FLOWING, lambda s: s.overloaded, Ending.ERROR),
    Cause("blackout", LIVE, lambda s: s.supply is Supply.OUT, Ending.BLACKOUT),
    Cause("silence", LIVE, _silent, Ending.ERROR),
    Cause("battery_overvoltage", LIVE, _says(lambda c: c.fault_overvoltage)),
    Cause("battery_undervoltage", LIVE, _says(lambda c: c.fault_undervoltage)),
    Cause("current_deviation", LIVE, _says(lambda c: c.fault_current_deviation)),
    Cause("high_temperature", LIVE, _says(lambda c: c.fault_high_temperature)),
    Cause("voltage_deviation", LIVE, _says(lambda c: c.fault_voltage_deviation)),
    Cause("system_fault", LIVE, _says(lambda c: c.system_fault)),
    Cause("shift", LIVE, _says(lambda c: c.not_in_park)),
    Cause("stop_before_charging", BEFORE, lambda s: not s.asked and _asks_stop(s)),
    Cause("stop_before_late", FLOWING, lambda s: s.b.stop_before_always and _asks_stop(s)),
    Cause("k", PERMITTED, lambda s: not s.k),
    Cause("enable", PERMITTED, _says(lambda c: not c.enabled)),
    Cause("target_zero", PERMITTED, _says(lambda c: c.target_voltage == 0)),
    Cause("stop_button", LIVE, lambda s: s.stop_pressed),
)


def _asks_stop(s: Situation) -> bool:
    return s.status is not None and s.status.stop_before_charging


NAMES = frozenset(cause.name for cause in CAUSES)

BY_PHASE: Mapping[Phase, tuple[Cause, ...]] = {
    phase: tuple(cause for cause in CAUSES if phase in cause.phases) for phase in Phase
}
