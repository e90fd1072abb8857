"""The words of the vehicle machine: its phases, its reasons to stop, its faults, and what can be wished of it.

Wishes are a frozen value: replace the whole (dataclasses.replace) and it takes effect at the car's next frame.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import Literal, get_args

from rig.chademo.messages import VEHICLE_IDS
from rig.errors import UseError

Fault = Literal[
    "battery_overvoltage",
    "battery_undervoltage",
    "current_deviation",
    "high_temperature",
    "voltage_deviation",
    "system_fault",
]
"""102.4.0 .. 102.4.4 in this order, and 102.5.2 (chademo.md 1, 0x102)."""

FAULTS: tuple[Fault, ...] = get_args(Fault)

EV_FRAMES = (0x100, 0x101, 0x102, 0x200)
"""What every car sends, in the order and 10 ms apart (chademo.md 0)."""


class VehiclePhase(Enum):
    """Where the car is in a session. The value is the word for reports."""

    ASLEEP = "asleep"
    WAKING = "waking"
    GREETING = "greeting"
    PERMITTED = "permitted"
    CLOSING = "closing"
    CLOSED = "closed"
    ASKING = "asking"
    RUNNING = "running"
    STOPPING = "stopping"
    OPENING = "opening"
    WELD_CHECK = "weld check"
    ENDED = "ended"


class StopReason(Enum):
    """Why the last session ended. The value is the sentence for reports."""

    NONE = "no stop yet"
    USER = "stop asked for at the car"
    SHIFT = "shift lever out of park"
    FAULT = "the car raised a fault"
    TARGET_REACHED = "charge target reached"
    MIN_LEVEL = "discharged on below the minimum discharge level"
    MIN_VOLTAGE = "discharged on below the minimum discharge voltage"
    MAX_LEVEL = "charged on above the maximum charge level"
    WITHDRAWN = "discharged on after discharge was withdrawn"
    K_RELEASED = "charge permission k released"
    ENABLE_WITHDRAWN = "102.5.0 withdrawn"
    CHARGER_STOP = "the charger stopped (109.5.5)"
    CHARGER_FAULT = "the charger reports a fault (109.5.1, 109.5.3 or 109.5.4)"
    CHARGER_ENDED = "the charger went out of power transfer without a stop (109.5.0)"
    CHARGER_UNLOCKED = "the charger unlocked its connector (109.5.2)"
    CHARGER_SILENT = "a charger frame stayed away"
    INCOMPATIBLE = "car and charger do not fit"
    NOT_READY = "the car does not know its own pack"
    NO_D2 = "no d2 after permission"
    LINE_LOST = "d1 or d2 lost in session"
    UNPLUGGED = "plug pulled in session"
    INLET_LIVE = "inlet not dead before the contactors"
    CONTACTOR = "the contactors did not follow"
    NOT_RUNNING = "the charger did not start after the request"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a bench can make the car do. None: as the profile says. A, V, s; levels and soc are fractions 0..1.

    A wish for a fault or the shift lever makes the car do everything a car does then: the bit, enable off and k off
    together. With lone_signal it shows only that bit and waits `stop_limit` for the charger's reaction before it goes
    the whole way; k_released and enable_withdrawn are always such lone signals. Stop signals are redundant (chademo.md
    2, safety times), so each must be enough.
    """

    charge_current: float | None = None
    """Request to rise to, A; also limited by 108.3. 0: never asks for charge."""
    discharge_limit: float | None = None
    """Limit 200.0 to rise or fall to, A, positive."""
    ramp: float | None = None
    """Slope of both, A/s, up and down (falls to what the charger offers are immediate)."""
    min_discharge_level: float | None = None
    max_charge_level: float | None = None
    target_voltage: float | None = None
    min_discharge_voltage: float | None = None
    max_battery_voltage: float | None = None
    max_charging_time: float | None = None
    """Minutes, 0..255."""
    protocol_number: int | None = None
    faults: frozenset[Fault] = frozenset()
    shifted: bool = False
    discharge_withdrawn: bool = False
    """102.5.7 goes to 0 and stays there until the car sleeps. The limit 200.0 stays as it is, so that the charger's
    reaction to this bit can be told from its reaction to the limit."""
    k_released: bool = False
    enable_withdrawn: bool = False
    lone_signal: bool = False
    silent: frozenset[int] = frozenset()
    """Frames not sent, by id."""
    wake: float | None = None
    """s; this and the next three replace the figure of the same name in the profile (d1 to first frame, first frame
    to permission, d2 to contactors, contactors to first request)."""
    permission: float | None = None
    closing: float | None = None
    request: float | None = None

    def __post_init__(self) -> None:
        for name, value, top in (
            ("charge_current", self.charge_current, 255.0),
            ("discharge_limit", self.discharge_limit, 255.0),
            ("min_discharge_level", self.min_discharge_level, 1.0),
            ("max_charge_level", self.max_charge_level, 1.0),
            ("target_voltage", self.target_voltage, 65535.0),
            ("min_discharge_voltage", self.min_discharge_voltage, 65535.0),
            ("max_battery_voltage", self.max_battery_voltage, 65535.0),
            ("max_charging_time", self.max_charging_time, 255.0),
            ("protocol_number", self.protocol_number, 255.0),
            ("ramp", self.ramp, math.inf),
            ("wake", self.wake, 3600.0),
            ("permission", self.permission, 3600.0),
            ("closing", self.closing, 3600.0),
            ("request", self.request, 3600.0),
        ):
            if value is not None and not 0 <= value <= top:
                raise UseError(f"car wish {name}={value}: must lie in 0..{top:g}")
        if unknown := sorted(self.faults - set(FAULTS)):
            raise UseError(f"car wish faults={unknown}: not known, use {', '.join(FAULTS)}")
        if foreign := sorted(self.silent - VEHICLE_IDS):
            known = ", ".join(hex(i) for i in sorted(VEHICLE_IDS))
            raise UseError(f"car wish silent={[hex(i) for i in foreign]}: a car sends only {known}")
