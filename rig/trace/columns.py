"""A session as columns over time, for drawing: each value where it changed. Judges nothing, draws nothing.

A column holds its last value until the next. Memory grows with changes, not with frames, and is bounded by MOST.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from rig.chademo.messages import Side
from rig.chademo.session import Session

MOST = 200_000
"""Changes kept of one column; a day of a session shows some ten thousand. What comes later is counted."""


@dataclass(frozen=True, slots=True)
class Bit:
    """A status bit worth seeing. name: short. where: the bits."""

    name: str
    side: Side
    where: str
    on: Callable[[Session], bool | None]


def _fault(s: Session) -> bool | None:
    return None if s.status is None else s.status.fault or s.status.system_fault


Value = Callable[[Session], float | None]

VALUES: dict[str, Value] = {
    "output_voltage": lambda s: None if s.charger is None else s.charger.output_voltage,
    "target_voltage": lambda s: None if s.status is None else s.status.target_voltage,
    "threshold_voltage": lambda s: None if s.capability is None else s.capability.threshold_voltage or None,
    "min_discharge_voltage": lambda s: None if s.discharge is None else s.discharge.min_discharge_voltage or None,
    "current": lambda s: s.reported_current,
    "request": lambda s: None if s.status is None else s.status.current_request,
    "available": lambda s: None if s.capability is None else s.capability.available_current,
    "discharge_limit": lambda s: None if s.discharge is None else -s.discharge.max_discharge_current,
    "input_current": lambda s: None if s.charger_discharge is None else -s.charger_discharge.available_input_current,
    "soc": lambda s: (
        None
        if s.status is None or s.limits is None or not s.limits.charged_rate_reference
        else s.status.charged_rate / s.limits.charged_rate_reference
    ),
}
"""V and A, currents positive into the battery (so limits of discharge are negative), soc 0..1."""

BITS: tuple[Bit, ...] = (
    Bit("enabled", "vehicle", "102.5.0", lambda s: None if s.status is None else s.status.enabled),
    Bit("closed", "vehicle", "102.5.3 = 0", lambda s: s.flag_closed),
    Bit("can V2H", "vehicle", "102.5.7", lambda s: None if s.status is None else s.status.discharge_compatible),
    Bit("fault", "vehicle", "102.4, 102.5.2", _fault),
    Bit("not in P", "vehicle", "102.5.1", lambda s: None if s.status is None else s.status.not_in_park),
    Bit("stop", "vehicle", "102.5.4", lambda s: None if s.status is None else s.status.stop_before_charging),
    Bit("locked", "charger", "109.5.2", lambda s: None if s.charger is None else s.charger.locked),
    Bit("running", "charger", "109.5.0", lambda s: None if s.charger is None else s.charger.running),
    Bit("stopping", "charger", "109.5.5", lambda s: None if s.charger is None else s.charger.stopping),
    Bit("can V2H", "charger", "109.4.0", lambda s: None if s.charger is None else s.charger.discharge_compatible),
    Bit("fault", "charger", "109.5.1, .3, .4", lambda s: None if s.charger is None else s.charger_fault),
)


@dataclass(slots=True)
class Column:
    """Where a value changed. t: s, never falling. values: None where it is not known."""

    t: list[float] = field(default_factory=list)
    values: list[float | None] = field(default_factory=list)
    more: int = 0
    """Changes not kept."""

    def take(self, now: float, value: float | None) -> None:
        """It is so now."""
        if self.values and self.values[-1] == value:
            return
        if len(self.t) >= MOST:
            self.more += 1
            return
        self.t.append(now)
        self.values.append(value)


class Columns:
    """Fed as `judge_trace(..., watch=columns.see)`."""

    def __init__(self) -> None:
        self.values = {name: Column() for name in VALUES}
        self.bits = {bit: Column() for bit in BITS}

    def see(self, now: float, s: Session) -> None:
        """The session is so now."""
        for name, value in VALUES.items():
            self.values[name].take(now, value(s))
        for bit, column in self.bits.items():
            on = bit.on(s)
            column.take(now, None if on is None else float(on))
