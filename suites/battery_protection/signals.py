"""Every signal by which a vehicle ends a session, as one table: what the car does, and the moment it can be seen.

Each is shown alone: no other bit and no wire goes with it, so that the charger must answer to this very one (stop
signals are redundant, chademo.md 2 safety times; bits: chademo.md 1 0x102, 3).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fixtures.words import Bench, EventsLog, Instant
from rig.chademo.codec import VehicleStatus
from rig.chademo.events import WireChanged
from rig.chademo.vehicle_state import Fault


@dataclass(frozen=True)
class Signal:
    """id: as in the facts. act: makes the car show it. seen: the moment it stood on bus or wire, at or after a time."""

    id: str
    act: Callable[[Bench], None]
    seen: Callable[[EventsLog, float], Instant]

    def __str__(self) -> str:
        return self.id


def _fault(id: str, fault: Fault, so: Callable[[VehicleStatus], bool]) -> Signal:
    return Signal(
        id,
        lambda bench: bench.car.raise_fault(fault, lone=True),
        lambda events, since: events.said(VehicleStatus, so, id, since),
    )


K = Signal(
    "k-off",
    lambda bench: bench.car.release_k(),
    lambda events, since: events.change(WireChanged("k", False), since),
)
ENABLE = Signal(
    "102.5.0-enable-withdrawn",
    lambda bench: bench.car.withdraw_enable(),
    lambda events, since: events.said(VehicleStatus, lambda m: not m.enabled, "102.5.0 = 0", since),
)
SIGNALS: tuple[Signal, ...] = (
    K,
    ENABLE,
    _fault("102.4.0-overvoltage", "battery_overvoltage", lambda m: m.fault_overvoltage),
    _fault("102.4.1-undervoltage", "battery_undervoltage", lambda m: m.fault_undervoltage),
    _fault("102.4.2-current-deviation", "current_deviation", lambda m: m.fault_current_deviation),
    _fault("102.4.3-over-temperature", "high_temperature", lambda m: m.fault_high_temperature),
    _fault("102.4.4-voltage-deviation", "voltage_deviation", lambda m: m.fault_voltage_deviation),
    Signal(
        "102.5.1-not-in-park",
        lambda bench: bench.car.shift(True, lone=True),
        lambda events, since: events.said(VehicleStatus, lambda m: m.not_in_park, "102.5.1 = 1", since),
    ),
    _fault("102.5.2-system-fault", "system_fault", lambda m: m.system_fault),
)
