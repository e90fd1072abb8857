"""All the charger's controller knows now: the car's last words, the wires, its sensors, what was pressed.

A frame that repeats the last one costs one look-up and changes nothing but the time it was heard at. Levels of 0x200
are per cent with a car that also sends 0x201, else 0.1 kWh to be divided by the capacity and truncated; placeholders
before k are not looked at (chademo.md 1 0x200, unit rule).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from instruments.evps.behaviour import Behaviour
from instruments.evps.events import Supply
from rig.can.frame import Frame
from rig.chademo.codec import (
    VehicleDischarge,
    VehicleDischargeEnergy,
    VehicleLimits,
    VehicleStatus,
    VehicleTimes,
    decode,
)
from rig.plant.ports import StageReading
from rig.roles import ChargerMode

NOTHING = StageReading(0.0, 0.0, (0.0, 0.0), 0.0, False)
LEVEL_COUNT = 360_000.0
"""J in a count of 200.6/7 of a car without 0x201: 0.1 kWh."""
UNKNOWN_LEVEL = 0xFF
"""Placeholder of 200.6/7 (chademo.md 1 0x200)."""


@dataclass(slots=True)
class Situation:
    """What is known. Currents A positive charging, voltages V, levels 0..1."""

    b: Behaviour
    now: float = 0.0
    """s, of this look."""
    mode: ChargerMode = "standby"
    power: float = 0.0
    reserve: float = 0.0
    keep: tuple[float, float] | None = None
    """W: least and most taken from the mains, by its own meter; None: not by the meter."""
    metered: float | None = None
    """W into the house that the meter asks for, negative for charging; None: mode and power as pressed."""
    power_due: tuple[float, float] | None = None
    """(s, W): a set-point that is not in force yet."""
    proximity: bool = False
    k: bool = False
    reading: StageReading = NOTHING
    supply: Supply = Supply.CEASE
    entered: float = -math.inf
    """s, since when it may work beside the mains."""
    insulation: float | None = None
    """ohm, as last measured in this session."""
    emergency: bool = False
    stop_pressed: bool = False
    overloaded: bool = False
    limits: VehicleLimits | None = None
    times: VehicleTimes | None = None
    status: VehicleStatus | None = None
    discharge: VehicleDischarge | None = None
    percent: bool = False
    """The car sends 0x201: its levels are per cent."""
    v2h: bool = False
    """Both sides can discharge, as found when permission was given."""
    asked: bool = False
    """The car has asked for current once."""
    charged_for: float = 0.0
    """s charged in this session."""
    heard: dict[int, Frame] = field(default_factory=dict)
    heard_at: dict[int, float] = field(default_factory=dict)
    """s, the last of each kind of frame the car has sent."""
    granted: float = 0.0
    """A of 200.0 in force."""
    initial: float | None = None
    """A of 200.0 as it stands since the first 0x200; None once it has changed."""
    lowering: tuple[float, float] | None = None
    """(s due, A): a lowered limit that is not in force yet."""

    def begin(self) -> None:
        """A new session: forget the car before."""
        self.limits = self.times = self.status = self.discharge = None
        self.percent = self.v2h = self.asked = self.stop_pressed = self.overloaded = False
        self.insulation = None
        self.charged_for = self.granted = 0.0
        self.lowering = self.initial = None
        self.heard.clear()
        self.heard_at.clear()

    def repeats(self, now: float, frame: Frame) -> bool:
        """Whether a frame says what the one before said; notes that it came."""
        number = frame[0]
        if self.heard.get(number) != frame:
            return False
        if number in self.heard_at:
            self.heard_at[number] = now
        return True

    def hear(self, now: float, frame: Frame) -> bool:
        """Take a frame of the car. False when nothing is new in it. One that is too short is none (chademo.md 0)."""
        if self.repeats(now, frame):
            return False
        if self.b.any_frame:
            frame = Frame(frame.id & 0x7FF, frame.data.ljust(8, b"\0"))
        number = frame.id
        message = decode(frame)
        if message is None:
            return False
        if number in self.b.watched:
            self.heard_at[number] = now
        self.heard[number] = frame
        match message:
            case VehicleStatus():
                self.status = message
                self.asked |= message.current_request > 0
            case VehicleDischarge():
                first, self.discharge = self.discharge is None, message
                self._grant(now, message, first)
            case VehicleLimits():
                self.limits = message
            case VehicleTimes():
                self.times = message
            case VehicleDischargeEnergy():
                self.percent = True
            case _:
                return False
        return True

    def _grant(self, now: float, message: VehicleDischarge, first: bool) -> None:
        limit = message.max_discharge_current
        if first:
            self.initial = limit
        elif limit != self.initial:
            self.initial = None
        if self.initial is not None and self.b.limit_masked:
            limit = 0.0
        if self.b.limit_raw:
            limit = 255.0 - limit
        if self.b.limit_late > 0.0 and limit < self.granted:
            self.lowering = (self.lowering[0] if self.lowering else now + self.b.limit_late, limit)
        else:
            self.granted, self.lowering = limit, None

    # -- what is asked of it

    @property
    def direction(self) -> ChargerMode:
        """The mode pressed, or what the meter makes of it."""
        if self.metered is None:
            return self.mode
        return "discharge" if self.metered > 0.0 else "charge" if self.metered < 0.0 else "standby"

    @property
    def asked_power(self) -> float:
        """W in that direction."""
        return self.power if self.metered is None else abs(self.metered)

    # -- the car

    @property
    def silent_at(self) -> float:
        """s at which the car counts as silent if nothing more comes; inf before it has spoken."""
        return min(self.heard_at.values(), default=math.inf) + self.b.silence

    @property
    def permitted(self) -> bool:
        """k and 102.5.0 both, as far as it looks at them."""
        ignored = self.b.ignored
        status = self.status
        return status is not None and (self.k or "k" in ignored) and (status.enabled or "enable" in ignored)

    @property
    def request(self) -> float:
        """A, 102.3."""
        return self.status.current_request if self.status is not None else 0.0

    @property
    def soc(self) -> float | None:
        """0..1 in steps of what the car shows; None when not known."""
        if self.status is None or self.limits is None or not self.limits.charged_rate_reference:
            return None
        return self.status.charged_rate / self.limits.charged_rate_reference

    @property
    def floor(self) -> float:
        """The car's minimum level, 0..1; 0: not used."""
        return self._level(0 if self.discharge is None else self.discharge.min_discharge_level)

    @property
    def ceiling(self) -> float:
        """The car's maximum level for charging, 0..1; 1: not used."""
        return self._level(0 if self.discharge is None else self.discharge.max_charge_level) or 1.0

    def _level(self, count: int) -> float:
        if count in (0, UNKNOWN_LEVEL):
            return 0.0
        if self.percent is not self.b.swaps_level_unit:
            return count / 100.0
        capacity = self.times.rated_capacity if self.times is not None else 0.0
        return int(100.0 * count * LEVEL_COUNT / capacity + 1e-9) / 100.0 if capacity > 0.0 else 0.0

    @property
    def lowest_voltage(self) -> float:
        """V below which it must not discharge: the car's and its own."""
        car = self.discharge.min_discharge_voltage if self.discharge is not None else 0.0
        return max(car, self.b.dc_voltage_min)

    @property
    def threshold(self) -> float:
        """V of 108.4-5; 0 until the car's limit is known."""
        return min(self.limits.max_voltage, self.b.dc_voltage) if self.limits is not None else 0.0

    @property
    def discharge_limit(self) -> float:
        """A it may take from the car: min(200.0, own 208.3), with what it keeps below."""
        own = self.b.dc_current
        if self.b.limit_ignored:
            return own
        return max(0.0, min(self.granted - self.b.limit_margin + self.b.limit_over, own))

    # -- itself

    @property
    def i(self) -> float:
        """A, positive charging."""
        return self.reading.i_out

    @property
    def u(self) -> float:
        """V at the connector."""
        return self.reading.u_out
