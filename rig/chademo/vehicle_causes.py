"""What makes the car stop, as one table: the reason, when it counts, for how long, and what is shown with it.

Causes are looked at in the order of the table whenever something has changed; the first that has held for its time
wins. A cause with a fault raises that bit of 102.4 / 102.5.2 together with enable off and k off (chademo.md 3).

The car's own inhibits (level, voltage, withdrawal) are the second line: the charger must have stopped the flow by
itself long before (chademo.md 3); the car only ends the session when it did not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from rig.chademo.codec import ChargerCapability, ChargerDischarge, ChargerStatus
from rig.chademo.events import PackState
from rig.chademo.vehicle_profile import VehicleProfile
from rig.chademo.vehicle_state import Fault, StopReason, VehiclePhase, Wishes
from rig.chademo.vehicle_voice import Voice

P = VehiclePhase
LIVE = frozenset({P.GREETING, P.PERMITTED, P.CLOSING, P.CLOSED, P.ASKING, P.RUNNING})
"""Phases that end in a stop when something is wrong."""
PERMITTED = LIVE - {P.GREETING}
COUPLED = PERMITTED - {P.PERMITTED}
"""d2 has been seen, the contactors are moving or closed."""
CLOSED = COUPLED - {P.CLOSING}
FLOWING = frozenset({P.RUNNING})


@dataclass(slots=True)
class Situation:
    """All the car knows now. Wires as seen; charger's last messages; own pack; what it says itself (voice)."""

    profile: VehicleProfile
    wishes: Wishes
    voice: Voice
    d1: bool = False
    d2: bool = False
    proximity: bool = False
    contactor_closed: bool = False
    capability: ChargerCapability | None = None
    status: ChargerStatus | None = None
    discharge: ChargerDischarge | None = None
    pack: PackState | None = None
    pack_at: int = 0
    """ns, when the pack's state was last told."""
    silent: bool = False
    """A charger frame has stayed away too long."""
    deviations: int = 0
    """Consecutive frames 109 whose voltage is not the car's."""
    stop_pressed: bool = False
    full: bool = False
    v2h: bool = False
    """Both sides can discharge."""
    lasting: dict[int, int] = field(default_factory=dict)
    """Index of a cause -> ns since when it holds."""

    @property
    def level_floor(self) -> float:
        """SOC below which discharge must not go on, 0..1."""
        return self.voice.value(self.wishes.min_discharge_level, self.profile.min_discharge_level)

    @property
    def level_ceiling(self) -> float:
        """SOC above which charge must not go on, 0..1."""
        return self.voice.value(self.wishes.max_charge_level, self.profile.max_charge_level)

    def current(self) -> float:
        """A into the pack: the car's own reading; before it has one, what the charger says."""
        if self.pack is not None:
            return self.pack.current
        taken = self.status.output_current if self.status is not None else 0.0
        given = self.discharge.discharge_current if self.discharge is not None else 0.0
        return taken - given


@dataclass(frozen=True, slots=True)
class Cause:
    """holds: whether it is so. wait: s it must hold without a break (absent: at once)."""

    reason: StopReason
    phases: frozenset[VehiclePhase]
    holds: Callable[[Situation], bool]
    wait: Callable[[Situation], float] | None = None
    fault: Fault | None = None


def _pack(of: Callable[[Situation, PackState], bool]) -> Callable[[Situation], bool]:
    return lambda s: s.pack is not None and of(s, s.pack)


def _says(of: Callable[[ChargerStatus], bool]) -> Callable[[Situation], bool]:
    return lambda s: s.status is not None and of(s.status)


def _charger_fault(status: ChargerStatus) -> bool:
    return status.malfunction or status.battery_incompatible or status.system_malfunction


def _too_much_current(s: Situation, pack: PackState) -> bool:
    allowed = 0.0 if s.voice.withdrawn else s.voice.limit
    beyond = pack.current - s.voice.request if pack.current >= 0 else -pack.current - allowed
    return beyond >= s.profile.deviation_current.value


def _flows(current: float, s: Situation) -> bool:
    return current > s.profile.disobeyed_current.value


def _below_floor(s: Situation, pack: PackState) -> bool:
    return s.level_floor > 0 and pack.soc <= s.level_floor and _flows(-pack.current, s)


def _below_voltage(s: Situation, pack: PackState) -> bool:
    floor = s.voice.value(s.wishes.min_discharge_voltage, s.profile.min_discharge_voltage)
    return pack.voltage <= floor and _flows(-pack.current, s)


def _above_ceiling(s: Situation, pack: PackState) -> bool:
    return pack.soc >= s.level_ceiling and _flows(pack.current, s)


def _charged(s: Situation, pack: PackState) -> bool:
    return not s.v2h and (s.full or pack.soc >= s.level_ceiling)


def _lone(s: Situation) -> float:
    return s.profile.stop_limit.value if s.wishes.lone_signal else 0.0


def _always_lone(s: Situation) -> float:
    return s.profile.stop_limit.value


def _reaction(s: Situation) -> float:
    return s.profile.charger_stop_reaction.value


def _deviation_time(s: Situation) -> float:
    return s.profile.deviation_time.value


def _disobeyed_time(s: Situation) -> float:
    return s.profile.disobeyed_time.value


R = StopReason
CAUSES: tuple[Cause, ...] = (
    # Lines and frames: the other side is gone
    Cause(R.UNPLUGGED, LIVE, lambda s: not s.proximity),
    Cause(R.LINE_LOST, LIVE, lambda s: not s.d1),
    Cause(R.LINE_LOST, COUPLED, lambda s: not s.d2),
    Cause(R.CONTACTOR, CLOSED, lambda s: not s.contactor_closed, fault="system_fault"),
    Cause(R.CHARGER_SILENT, LIVE, lambda s: s.silent),
    # The pack protects itself (chademo.md 3)
    Cause(R.FAULT, LIVE, _pack(lambda s, p: p.voltage > s.profile.overvoltage.value), fault="battery_overvoltage"),
    Cause(R.FAULT, LIVE, _pack(lambda s, p: p.voltage < s.profile.undervoltage.value), fault="battery_undervoltage"),
    Cause(
        R.FAULT, LIVE, _pack(lambda s, p: p.temperature >= s.profile.high_temperature.value), fault="high_temperature"
    ),
    Cause(R.FAULT, CLOSED, _pack(_too_much_current), _deviation_time, "current_deviation"),
    Cause(R.FAULT, FLOWING, lambda s: s.deviations >= s.profile.deviation_count.value, fault="voltage_deviation"),
    # The charger ends it
    Cause(R.CHARGER_FAULT, LIVE, _says(_charger_fault)),
    Cause(R.CHARGER_STOP, FLOWING, _says(lambda c: c.stopping), _reaction),
    Cause(R.CHARGER_ENDED, FLOWING, _says(lambda c: not c.running and not c.stopping), _reaction),
    Cause(R.CHARGER_UNLOCKED, COUPLED, _says(lambda c: not c.locked)),
    # The driver, or the bench in the driver's place
    Cause(R.FAULT, LIVE, lambda s: bool(s.wishes.faults), _lone),
    Cause(R.SHIFT, LIVE, lambda s: s.wishes.shifted, _lone),
    Cause(R.USER, LIVE, lambda s: s.stop_pressed),
    Cause(R.K_RELEASED, PERMITTED, lambda s: s.wishes.k_released, _always_lone),
    Cause(R.ENABLE_WITHDRAWN, PERMITTED, lambda s: s.wishes.enable_withdrawn, _always_lone),
    # Nothing more to do, or the charger does not inhibit by itself
    Cause(R.TARGET_REACHED, FLOWING, _pack(_charged)),
    Cause(R.MIN_LEVEL, FLOWING, _pack(_below_floor), _disobeyed_time),
    Cause(R.MIN_VOLTAGE, FLOWING, _pack(_below_voltage), _disobeyed_time),
    Cause(R.MAX_LEVEL, FLOWING, _pack(_above_ceiling), _disobeyed_time),
    Cause(R.WITHDRAWN, FLOWING, _pack(lambda s, p: s.voice.withdrawn and _flows(-p.current, s)), _disobeyed_time),
)

BY_PHASE: Mapping[VehiclePhase, tuple[tuple[int, Cause], ...]] = {
    phase: tuple((index, cause) for index, cause in enumerate(CAUSES) if phase in cause.phases) for phase in P
}


def incompatibility(s: Situation, status: ChargerStatus, capability: ChargerCapability) -> str:
    """Why car and charger do not fit, in words; "" when they do (chademo.md 2 step 2)."""
    target = s.voice.value(s.wishes.target_voltage, s.profile.target_voltage)
    if status.protocol < 1:
        return f"charger protocol number {status.protocol} is older than 0.9"
    if capability.available_voltage < target:
        return f"charger offers {capability.available_voltage:g} V, the target is {target:g} V"
    return ""
