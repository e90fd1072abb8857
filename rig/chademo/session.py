"""What a CHAdeMO session has shown so far, seen from outside.

Theory
  Two machines are coupled by one cable: the vehicle (EV) and the charger (EVSE). Each says in its cyclic frames what it
  can, wants and does, and each drives lines (d1, d2: charger; k: vehicle). Neither frame is a command: the state of the
  session is what both have said last, taken together. This observer keeps exactly that. Two rules:

  1. It does not know which role we play, or whether we play one at all. A vehicle of ours, a charger under test, a
     recording by somebody else: the same file observes them, so nobody is judged by his own opinion.
  2. It judges nothing. What is odd is kept as it is; rules judge.

  A session runs through the phases of the table in phases.py, from the handshake over permission, lock, insulation
  test, contactors, request and power flow to the stop, the welding check and the unlock. After every change the first
  row that may leave the present phase and whose condition holds is taken, until none does. Rows that end a session
  stand first, so a stop wins over whatever comes with it.

  Voltages and currents are those of the charger's frames (109.1-2, 109.3, 208.0; whole V and A, up to one cycle old)
  unless an instrument's `Sample` is at hand that began within the last cycle, and so is no older. What is known of a
  current holds for this very moment only while nothing moves (`current_stands`): whoever judges a moment asks. 102.5.3
  is 0 while the contactors are closed and also while the welding check runs; the auxiliary contact (`ContactorMoved`)
  is better where it is wired. With a peer of protocol 0.9 the flag 102.5.3 means nothing: there the first request for
  current says that they are closed.

  A vehicle's frames after a silence begin a new session, if the session before was over or the silence long. A stretch
  in which nothing could be heard (`hole`, a garbled piece of a recording) is nobody's silence.

Signs: currents positive into the battery. V, A, s.
"""

from __future__ import annotations

import math
from dataclasses import fields
from operator import attrgetter
from typing import NamedTuple

from rig.can.frame import Frame
from rig.chademo.codec import (
    ChargerCapability,
    ChargerDischarge,
    ChargerDischargeTime,
    ChargerStatus,
    Message,
    VehicleDischarge,
    VehicleDischargeEnergy,
    VehicleLimits,
    VehicleStatus,
    VehicleTimes,
    decode,
)
from rig.chademo.events import ContactorMoved, Sample, Wire, WireChanged
from rig.chademo.messages import SPECS, VEHICLE_IDS
from rig.chademo.phases import DEAD, FLOW, GONE, LEAVING, OVER, PERMITTED, RUNNING, SILENCE, STARTING, Phase

__all__ = [
    "DEAD", "FLOW", "OVER", "PERMITTED", "QUANTITIES", "RUNNING", "SAME_BURST", "SILENCE", "STARTING", "Kind", "Phase",
    "Session", "Slot",
]  # fmt: skip

Kind = int | str
"""What changed: a frame id; a wire's name; "contactor" (the auxiliary contact); "voltage" and "current" (measured or
reported); "charger" (0x109 but for its voltage and current); "phase"; "traffic" (pace, order or length of a frame)."""

SAME_BURST = 0.05
"""s, frames of one cycle: half a period (recorded sessions: 0.2 ms to 5 ms apart)."""
LONG_SILENCE = 10.0
"""s without a vehicle frame, after which even an unfinished session is over (chademo.md 2: its longest patience, the
T-time of the weld check, 10 s [CLARA])."""
SAMPLE_LIFE = 0.11
"""s, an instrument's sample that began longer ago gives way to the frames (one cycle: no report need be older)."""
ANSWER = 2.5 + SAMPLE_LIFE
"""s from a stop on in which the current may come down at any moment: as long as a vehicle waits (chademo.md 2 stop),
and a report."""
APART = 0.04
"""s, two readings at least so far apart tell whether something moves (project choice: not two of one update)."""
CONTACTOR_FLAG_SINCE = 2
"""Protocol number from which 102.5.3 has a meaning (chademo.md 1, 102.5.3: v1.0, number 2)."""


P = Phase


class Slot:
    """Arrivals of one frame id: the last payload, and when it came."""

    __slots__ = ("after", "data", "first", "gap", "id", "last")

    def __init__(self, frame: int) -> None:
        self.id = frame
        self.data: bytes | None = None
        self.first = math.nan
        self.last = -math.inf
        self.gap = math.inf
        """s between the last two, as known when the payload or the pace changed."""
        self.after: Slot = self
        """The frame that comes before this one in each cycle; itself where none must."""


class _Reading(NamedTuple):
    """An instrument's. at: s, when it came. since: s, from when on it is one."""

    at: float
    value: float
    since: float

    @property
    def end(self) -> float:
        """s, from then on it is older than a report."""
        return self.since + SAMPLE_LIFE


class Session:
    """The last state of both sides and the phase. Fed by `hear`, `wire`, `contactor` and `sample`."""

    def __init__(self) -> None:
        self.wires: dict[Wire, bool] = {}
        self.aux: bool | None = None
        """The vehicle contactor by its auxiliary contact: True closed; None where it is not wired."""
        self.wire_at: dict[Wire, float] = {}
        """s, when each wire changed last."""
        self.hole = -math.inf
        """s, end of the last stretch in which nothing could be heard."""
        self._samples: dict[str, _Reading] = {}
        """The last of each name, as long as it is good for `current` and `voltage`."""
        self._last_read: dict[str, tuple[float, float]] = {}
        """s of the last of each name, and its value."""
        self._steady_since = math.inf
        """s, since when readings of the current have been alike; inf after one that differed."""
        self.slots: dict[int, Slot] = {}
        self.now: float = 0.0
        self.number = 0
        """Of the session, from 1."""
        self._report_moved = -math.inf
        """s, when the reported current last left the count it stood at."""
        self._report_stood: float | None = None
        self._forget()

    def _forget(self) -> None:
        """Begin anew. Wires, contact and instruments stay as they are."""
        self.number += 1
        self.limits: VehicleLimits | None = None
        self.times: VehicleTimes | None = None
        self.status: VehicleStatus | None = None
        self.discharge: VehicleDischarge | None = None
        self.energy: VehicleDischargeEnergy | None = None
        self.capability: ChargerCapability | None = None
        self.charger: ChargerStatus | None = None
        self.charger_discharge: ChargerDischarge | None = None
        self.charger_time: ChargerDischargeTime | None = None
        self.slots.clear()
        for spec in SPECS.values():
            self.slots[spec.id] = Slot(spec.id)
        self.slots[0x109].after = self.slots[0x108]
        self.traffic = self.slots[0x100]
        """Whose pace or length was odd last, or whose payload changed."""
        self.traffic_at = -math.inf
        """s, when that was."""
        self.phase = P.WAITING
        self.phase_at = -math.inf
        self.whole = False
        """The vehicle was seen before it was enabled, so nothing of the session is missing."""
        self._enable()

    def _enable(self) -> None:
        """The vehicle gives its permission, perhaps not for the first time in this session."""
        self.entered: dict[Phase, float] = {}
        """s, when each phase was entered last, since the vehicle was enabled."""
        self.voltage_peak = 0.0
        """V, highest output since the vehicle was enabled and before its contactors closed."""
        self.requested = False
        """The vehicle has asked for current since it was enabled."""
        self.ran = False
        """Power transfer has begun since it was enabled."""
        self.began_v2h = self.v2h
        """Both sides could discharge when it was enabled: what the vehicle withdraws later leaves a V2H session."""

    # -- what comes in

    def begins_anew(self, now: float) -> bool:
        """Whether a vehicle frame at `now` would be the first of another session; if so everything is forgotten."""
        if self.phase is P.WAITING:
            return False
        silence = now - max(self.hole, *(self.slots[frame].last for frame in VEHICLE_IDS))
        if silence < (SILENCE if self.phase in OVER else LONG_SILENCE):
            return False
        self._forget()
        return True

    def hear(self, now: float, slot: Slot, frame: Frame) -> tuple[Kind, ...]:
        """Take a frame whose payload is new: what it changed, nothing if it says nothing (raw or short frames)."""
        self.now = now
        slot.data = frame.data
        message = decode(frame)
        if message is None:
            return (frame.id,) if len(frame.data) == 8 else ()
        return (frame.id, *self._store(message))

    def wire(self, now: float, change: WireChanged) -> None:
        """A line changed."""
        self.now = now
        self.wires[change.wire] = change.on
        self.wire_at[change.wire] = now

    def contactor(self, now: float, moved: ContactorMoved) -> None:
        """The auxiliary contact changed."""
        self.now = now
        self.aux = moved.closed

    def sample(self, now: float, sample: Sample) -> None:
        """An instrument read."""
        self.now = now
        since, before = now - sample.age, self._last_read.get(sample.name)
        self._last_read[sample.name] = (now, sample.value)
        self._samples.pop(sample.name, None)
        if now < since + SAMPLE_LIFE:
            self._samples[sample.name] = _Reading(now, sample.value, since)
        if sample.name == "dc_current":
            alike = before is not None and abs(sample.value - before[1]) <= FLOW and now - before[0] >= APART
            self._steady_since = min(self._steady_since, before[0]) if alike and before is not None else math.inf
        if sample.name == "dc_voltage" and self.phase in STARTING:
            self.voltage_peak = max(self.voltage_peak, sample.value)

    def silent(self, now: float) -> bool:
        """Nobody has sent anything for SILENCE."""
        return now >= self._last() + SILENCE

    def heard(self, frame: int) -> bool:
        """A frame of this kind has come within SILENCE: what it says may be held against its sender."""
        return self.now < self.slots[frame].last + SILENCE

    def _last(self) -> float:
        return max(slot.last for slot in self.slots.values())

    @property
    def due(self) -> float:
        """s, the next moment at which the session may change though nothing comes in; inf for never."""
        phase, due = self.phase, self._stands_anew
        if phase is P.OPEN or phase is P.UNLOCKED:
            due = min(due, self._last() + SILENCE)
        elif (phase is P.STOPPING or phase is P.WELD_CHECK) and self.now < self.slots[0x102].last + GONE:
            due = min(due, self.slots[0x102].last + GONE)
        return min(due, *(one.end for one in self._samples.values())) if self._samples else due

    def pass_time(self, now: float) -> tuple[Kind, ...]:
        """`due` has come: what that changed."""
        stands, self.now = now >= self._stands_anew, now
        stale = [name for name, one in self._samples.items() if now >= one.end]
        for name in stale:
            del self._samples[name]
        kinds = tuple(QUANTITIES[name] for name in stale)
        return (*kinds, "current") if stands and "dc_current" not in stale else kinds

    @property
    def _stands_anew(self) -> float:
        """s, the next moment at which what is known of the current may change by itself; inf for never."""
        stopped, moved = self.entered.get(P.STOPPING, -math.inf) + ANSWER, self._report_moved + SAMPLE_LIFE
        read = self._last_read.get("dc_current", (-math.inf, 0.0))[0] + SAMPLE_LIFE
        now, never = self.now, math.inf
        return min(stopped if now < stopped else never, moved if now < moved else never, read if now < read else never)

    def _reported(self) -> None:
        """The reported current may have changed: by more than a count it moves."""
        new = self.reported_current
        if new is None or (self._report_stood is not None and abs(new - self._report_stood) <= 1.0):
            return
        self._report_stood, self._report_moved = new, self.now

    def _store(self, message: Message) -> tuple[Kind, ...]:
        match message:
            case ChargerStatus():
                was, self.charger = self.charger, message
                self._reported()
                if self.phase in STARTING:
                    self.voltage_peak = max(self.voltage_peak, message.output_voltage)
                return _changed(was, message)
            case VehicleStatus():
                self.whole = self.whole or (self.status is None and not message.enabled)
                self.status = message
                self.requested = self.requested or message.current_request > 0
            case VehicleDischarge():
                self.discharge = message
            case ChargerDischarge():
                discharge, self.charger_discharge = self.charger_discharge, message
                self._reported()
                if discharge is None or discharge.discharge_current != message.discharge_current:
                    return ("current",)
            case ChargerCapability():
                self.capability = message
            case VehicleTimes():
                self.times = message
            case VehicleLimits():
                self.limits = message
            case ChargerDischargeTime():
                self.charger_time = message
            case VehicleDischargeEnergy():
                self.energy = message
        return ()

    # -- what is so now

    @property
    def reported_current(self) -> float | None:
        """A by 109.3 and 208.0, positive charging."""
        if self.charger is None:
            return None
        out = self.charger_discharge
        return self.charger.output_current - (0 if out is None else out.discharge_current)

    def sampled(self, name: str) -> float | None:
        """An instrument's last reading, if it came within a cycle; what it is of may be older than that."""
        found = self._last_read.get(name)
        return None if found is None or self.now >= found[0] + SAMPLE_LIFE else found[1]

    def just_sampled(self, name: str) -> float | None:
        """An instrument's reading, if it was taken at this very moment."""
        found = self._last_read.get(name)
        return None if found is None or found[0] != self.now else found[1]

    def fresh(self, name: str) -> float | None:
        """An instrument's reading that began within the last cycle."""
        found = self._samples.get(name)
        return None if found is None or self.now >= found.end else found.value

    @property
    def current(self) -> float | None:
        """A, positive charging: measured where an instrument watches, else reported."""
        if self._samples:
            measured = self.fresh("dc_current")
            if measured is not None:
                return measured
        return self.reported_current

    @property
    def current_stands(self) -> bool:
        """Whether `current` holds for this very moment: nothing has moved since before it was read or reported.

        A current that falls is somewhere below what is known of it, and nobody knows how fast a charger brings it down
        that blocks its stage. After a stop it may do so at any moment.
        """
        if self.now < self.entered.get(P.STOPPING, -math.inf) + ANSWER:
            return False
        if self.fresh("dc_current") is None:
            return self.now >= self._report_moved + SAMPLE_LIFE
        return self._steady_since <= self._samples["dc_current"].since and self._report_moved < self._steady_since

    @property
    def voltage(self) -> float | None:
        """V at the connector: measured where an instrument watches, else reported."""
        if self._samples:
            measured = self.fresh("dc_voltage")
            if measured is not None:
                return measured
        return None if self.charger is None else self.charger.output_voltage

    @property
    def enabled(self) -> bool:
        """102.5.0."""
        return self.status is not None and self.status.enabled

    @property
    def permitted(self) -> bool:
        """102.5.0 and, where it is wired, k."""
        return self.enabled and self.wires.get("k") is not False

    @property
    def running(self) -> bool:
        """109.5.0."""
        return self.charger is not None and self.charger.running

    @property
    def flag_closed(self) -> bool | None:
        """102.5.3: contactors closed or welding check running; None where the flag has no meaning."""
        if self.status is None or self.charger is None:
            return None
        if min(self.status.protocol, self.charger.protocol) < CONTACTOR_FLAG_SINCE:
            return None
        return not self.status.contactor_open

    @property
    def closed(self) -> bool | None:
        """The vehicle contactors, by the auxiliary contact where wired, else by the flag."""
        return self.flag_closed if self.aux is None else self.aux

    @property
    def vehicle_stops(self) -> bool:
        """The vehicle wants the session to end (chademo.md 3): enable or k off, a fault, the lever out of park, no
        target voltage any more, a stop before the first request."""
        s = self.status
        return s is not None and (
            not self.permitted
            or s.fault
            or s.system_fault
            or s.not_in_park
            or s.target_voltage == 0
            or (s.stop_before_charging and not self.requested)
        )

    @property
    def charger_fault(self) -> bool:
        """109.5.1, 109.5.3 or 109.5.4."""
        c = self.charger
        return c is not None and (c.malfunction or c.battery_incompatible or c.system_malfunction)

    @property
    def v2h(self) -> bool:
        """Both sides can discharge: 102.5.7 and 109.4.0."""
        s, c = self.status, self.charger
        return s is not None and c is not None and s.discharge_compatible and c.discharge_compatible

    # -- the phase

    def settle(self, now: float) -> bool:
        """Walk the table until no row holds. True if the phase changed."""
        before = self.phase
        for _ in LEAVING:
            for row in LEAVING[self.phase]:
                if row.when(self):
                    break
            else:
                break
            if row.to is P.ENABLED:
                self._enable()
            self.ran = self.ran or row.to is P.STANDBY
            self.phase, self.phase_at = row.to, now
            self.entered[row.to] = now
        return self.phase is not before


QUANTITIES: dict[str, Kind] = {"dc_voltage": "voltage", "dc_current": "current"}
"""What a sample is a sample of."""


_FLAGS = attrgetter(*({f.name for f in fields(ChargerStatus)} - {"output_voltage", "output_current"}))
"""Everything of 0x109 but its voltage and current."""


def _changed(was: ChargerStatus | None, new: ChargerStatus) -> tuple[Kind, ...]:
    """Which of "voltage", "current" and "charger" differ."""
    if was is None:
        return ("voltage", "current", "charger")
    kinds: list[Kind] = []
    if was.output_voltage != new.output_voltage:
        kinds.append("voltage")
    if was.output_current != new.output_current:
        kinds.append("current")
    if _FLAGS(was) != _FLAGS(new):
        kinds.append("charger")
    return tuple(kinds)
