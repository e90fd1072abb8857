"""What the CHAdeMO machines are told and what they answer: plain frozen values.

Wires are named by the charging connector (facts: CHRSKLY, BE): d1 and d2 are driven by the EVSE, k by the EV,
proximity by the plug, lock is the EVSE's connector lock. True means active (d1/d2: coil supply on; k: permission
given; proximity: plugged in; lock: locked).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rig.can.frame import Frame

Wire = Literal["d1", "d2", "k", "proximity", "lock"]


@dataclass(frozen=True, slots=True)
class WireChanged:
    """A wire took a new state; also what a machine asks for when it drives that wire."""

    wire: Wire
    on: bool


@dataclass(frozen=True, slots=True)
class ContactorMoved:
    """The EV's contactor pair: asked for (out of the vehicle machine) or seen by its auxiliary contact (into it)."""

    closed: bool


@dataclass(frozen=True, slots=True)
class PackState:
    """What the car knows of its pack and inlet now.

    voltage: V at the pack. current: A, positive charging. soc: 0..1. temperature: degC. inlet_voltage: V at the
    connector side of the EV contactor (what a car looks at before it closes and when it tests for welding).
    """

    voltage: float
    current: float
    soc: float
    temperature: float
    inlet_voltage: float


VehicleIn = Frame | WireChanged | ContactorMoved | PackState
VehicleOut = Frame | WireChanged | ContactorMoved


@dataclass(frozen=True, slots=True)
class Sample:
    """A measured quantity of the bench offered to the rules beside the frames.

    name: "dc_voltage" V, "dc_current" A positive charging, as an instrument read them. age: s, since the beginning of
    what it is the reading of: an instrument's last update, and the exchange.
    """

    name: str
    value: float
    age: float = 0.0


Observation = Frame | WireChanged | ContactorMoved | Sample
"""What a rule sees. A recorded trace holds frames only."""
