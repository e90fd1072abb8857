"""What the car says: its frames in a fixed time table, their placeholders, and the two ramps.

Theory
  A car has m frames: 100, 101, 102, 200, and what its profile adds in the same order each cycle (chademo.md 0: spaced
  10 ms, every 100 ms). Frame n of the session is due at start + (n // m) * 100 ms + (n % m) * 10 ms, in whole
  nanoseconds, so the schedule never drifts. A call that comes more than a cycle late (a real bench) skips what was
  missed; it never sends a burst. A frame with a lead is sent for so many cycles before the others (cycles below 0).

  Just awake, a LEAF does not know its own battery yet and sends placeholders; a charger must not use them before k
  (chademo.md 5, log A). The first cycle differs once more: rate reference F0 and SOC 3.

  The request 102.3 and the limit 200.0 move one step per cycle, when their own frame is due (2 A per 100 ms). What the
  charger offers (108.3) caps the request at once; a stop puts both to 0 at once.

  A frame is packed again only after `touch`, while a ramp moves it, or while placeholders may still change.
"""

from __future__ import annotations

from collections.abc import Callable

from rig.can.frame import Frame
from rig.chademo.codec import VehicleDischarge, VehicleLimits, VehicleStatus, VehicleTimes
from rig.chademo.messages import NEVER, USE_MINUTES
from rig.chademo.vehicle_profile import Figure, VehicleProfile
from rig.chademo.vehicle_state import Fault, Wishes
from rig.units import to_ns

CYCLE_NS = 100_000_000
SPACING_NS = 10_000_000
NOT_DUE = 1 << 62

# chademo.md 1 0x100, 0x102 and 5 log A: raw values before the car knows better
FIRST_RATE_REFERENCE = 0xF0
RATE_REFERENCE = 0x64
RATE_REFERENCE_OLD_CHARGER = 0xFF  # charger of protocol 0.9
FIRST_RATE, PLACEHOLDER_RATE = 3, 1


class Voice:
    """The car's frames. Set what is to be said, `touch`, and ask `say` whenever `next_ns` is reached."""

    def __init__(self, profile: VehicleProfile, wishes: Wishes) -> None:
        self.profile, self.wishes = profile, wishes
        self._offers = bool(profile.v2h.value)
        self._added = tuple(Frame(one.id, one.data) for one in profile.frames)
        self._leads = (0,) * 4 + tuple(one.lead for one in profile.frames)
        self._count = len(self._leads)
        self._frames: list[Frame | None] = []
        self.next_ns = NOT_DUE
        self.silence()

    def silence(self) -> None:
        """Fall asleep: nothing more to say, and everything of the last session forgotten."""
        self.next_ns, self._start, self._index = NOT_DUE, 0, 0
        self.elapsed_ns = 0
        self._settled_ns = 0
        self.enabled = self.stop_before = self.withdrawn = self.old_charger = False
        self.contactor_open = True
        self.faults: frozenset[Fault] = frozenset()
        self.rate = 0
        self.request = self.request_goal = 0.0
        self.request_cap = 255.0
        self.limit = self.limit_goal = 0.0
        self.touch()

    def begin(self, now_ns: int) -> None:
        """First frame now."""
        self.next_ns = now_ns
        self._index = -max(self._leads) * self._count
        self._start = now_ns + max(self._leads) * CYCLE_NS
        p = self.profile
        known = max(p.levels_known.value, p.battery_known.value, p.time_known.value)
        self._settled_ns = self._start + to_ns(known) + CYCLE_NS

    def touch(self) -> None:
        """Something to be said has changed: pack every frame anew."""
        self._frames = [None, None, None, None, *self._added]

    def halt(self) -> None:
        """Request and limit to 0 at once."""
        self.request = self.request_goal = self.limit = self.limit_goal = 0.0
        self.touch()

    def say(self, now_ns: int) -> Frame | None:
        """The frame that is due (None: none this time). Only to be called when next_ns is reached."""
        index, count = self._index, self._count
        if now_ns >= self.next_ns + CYCLE_NS:
            index += count * ((now_ns - self.next_ns) // CYCLE_NS)
        cycle, position = divmod(index, count)
        self.elapsed_ns = elapsed = cycle * CYCLE_NS + position * SPACING_NS
        if position == 2 or position == 3:
            self._ramp(position)
        frame = self._frames[position]
        if position < 4 and (frame is None or self.next_ns < self._settled_ns):
            frame = self._frames[position] = _PACK[position](self)
        assert frame is not None
        self._index = index + 1
        following = elapsed + SPACING_NS if position + 1 < count else (cycle + 1) * CYCLE_NS
        self.next_ns = self._start + following
        unsaid = frame.id in self.wishes.silent or (position == 3 and not self._offers)
        return None if unsaid or cycle < -self._leads[position] else frame

    @property
    def cycle_begins(self) -> bool:
        """The next frame is the first of a cycle."""
        return not self._index % self._count

    def value(self, wish: float | None, figure: Figure) -> float:
        """What is wished, else what the profile says."""
        return figure.value if wish is None else wish

    def knows(self, figure: Figure) -> bool:
        """Whether the car is awake for that long."""
        return self.elapsed_ns >= to_ns(figure.value)

    def _ramp(self, position: int) -> None:
        if position == 2:
            if self.request == self.request_goal <= self.request_cap:
                return
            value = min(_towards(self.request, self.request_goal, self._step()), self.request_cap)
            if value != self.request:
                self.request, self._frames[2] = value, None
        elif self.limit != self.limit_goal:
            self.limit, self._frames[3] = _towards(self.limit, self.limit_goal, self._step()), None

    def _step(self) -> float:
        """A a cycle."""
        return self.value(self.wishes.ramp, self.profile.ramp) * CYCLE_NS / 1e9


def _towards(value: float, goal: float, step: float) -> float:
    """One step nearer, never past it."""
    return min(value + step, goal) if goal >= value else max(value - step, goal)


def _whole(amperes: float) -> int:
    """A limit on the wire is rounded down: the safe side."""
    return int(amperes + 1e-9)


def _limits(v: Voice) -> Frame:
    p, w = v.profile, v.wishes
    known = RATE_REFERENCE_OLD_CHARGER if v.old_charger else RATE_REFERENCE
    return VehicleLimits(
        min_charge_current=p.min_charge_current.value,
        min_voltage=p.min_battery_voltage.value,
        max_voltage=v.value(w.max_battery_voltage, p.max_battery_voltage),
        charged_rate_reference=FIRST_RATE_REFERENCE if v.elapsed_ns < CYCLE_NS else known,
    ).encode()


def _times(v: Voice) -> Frame:
    p, w = v.profile, v.wishes
    capacity = p.capacity.value if v.knows(p.battery_known) else p.placeholder_capacity.value
    timed = v.knows(p.time_known)
    return VehicleTimes(
        max_charge_time_10s=USE_MINUTES if timed else 0.0,
        max_charge_time_min=60.0 * v.value(w.max_charging_time, p.max_charging_time) if timed else 0.0,
        rated_capacity=0.0 if v.elapsed_ns < CYCLE_NS else capacity * 3.6e6,
    ).encode()


def _status(v: Voice) -> Frame:
    p, w = v.profile, v.wishes
    faults = v.faults | w.faults
    placeholder = FIRST_RATE if v.elapsed_ns < CYCLE_NS else PLACEHOLDER_RATE
    return VehicleStatus(
        protocol=int(v.value(w.protocol_number, p.protocol_number)),
        target_voltage=v.value(w.target_voltage, p.target_voltage),
        current_request=_whole(v.request),
        fault_overvoltage="battery_overvoltage" in faults,
        fault_undervoltage="battery_undervoltage" in faults,
        fault_current_deviation="current_deviation" in faults,
        fault_high_temperature="high_temperature" in faults,
        fault_voltage_deviation="voltage_deviation" in faults,
        enabled=v.enabled and not w.enable_withdrawn,
        not_in_park=w.shifted,
        system_fault="system_fault" in faults,
        # chademo.md 1 0x102 [CLARA]: with a charger of 0.9 the car leaves the bit 0
        contactor_open=v.contactor_open and not v.old_charger,
        stop_before_charging=v.stop_before,
        unknown_5_6=bool(p.status_bit_5_6.value),
        discharge_compatible=bool(p.v2h.value) and not v.withdrawn,
        charged_rate=v.rate if v.knows(p.battery_known) else placeholder,
    ).encode()


def _discharge(v: Voice) -> Frame:
    p, w = v.profile, v.wishes
    known = v.knows(p.levels_known)
    unit = p.capacity.value * 10.0 if p.level_in_energy.value else 100.0
    least = v.value(w.min_discharge_level, p.min_discharge_level)
    most = v.value(w.max_charge_level, p.max_charge_level)
    return VehicleDischarge(
        max_discharge_current=_whole(v.limit),
        min_discharge_voltage=v.value(w.min_discharge_voltage, p.min_discharge_voltage),
        min_discharge_level=round(least * unit) if known else NEVER,
        max_charge_level=round(most * unit) if known else NEVER,
    ).encode()


_PACK: tuple[Callable[[Voice], Frame], ...] = (_limits, _times, _status, _discharge)
"""In the order of EV_FRAMES."""
