"""The charger's half of a charge or V2H session, as a machine without time, wires or physics.

Theory (chademo.md section 2)
  Start closes d1 and so wakes the car, which speaks first. When both fit and the car has given permission on two ways
  (k and 102.5.0) the plug is locked; the output, found dead, is lifted to the test voltage through the charger's own
  contactor, the insulation is judged, and the output is discharged again. d2 completes the supply of the car's
  contactors, which close onto a dead inlet. The battery's voltage now stands at the connector: the charger's side is
  brought to it and its own contactor closes without a spark. With the car's first wish (request or, for V2H, a limit)
  109.5.5 goes to 0 and 109.5.0 to 1, and power flows as power.py says.

  The PCS decides what the AC side is good for (Supply): work beside the mains, pause, form the house, or end the
  session while the control lives. A change of direction or of supply is no end of the session.

      IDLE -start, plug-> CALLING -k, 102.5.0-> LOCKING -> CHECKING -> TESTING -> BLEEDING -d2-> COUPLING
        COUPLING -102.5.3=0-> MATCHING -own contactor-> READY -request-> RUNNING
      any of them -a cause of stops.py-> STOPPING -current 0-> OPENING -102.5.3=1-> RELEASING -d2, d1, unlock-> ENDED
      ENDED -> IDLE, or FAULT until reset.  OFF: no control power; whatever was under way is lost.

  Nothing is polled but a ramp: each phase names the moment at which it wants to be looked at again, and a wake brings a
  fresh reading of the sensors.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from instruments.evps.behaviour import Behaviour
from instruments.evps.events import (
    Ability,
    ControllerIn,
    ControllerOut,
    EmergencyStop,
    InsulationReading,
    MeasureInsulation,
    Reset,
    SetMode,
    SetPower,
    SetReserve,
    Start,
    Stop,
    Supply,
)
from instruments.evps.inhibits import Inhibits
from instruments.evps.power import Power, Wanted
from instruments.evps.situation import Situation
from instruments.evps.stops import BY_PHASE, LIVE, Ending, Phase
from instruments.evps.voice import Voice
from rig.can.frame import Frame
from rig.chademo.events import Wire, WireChanged
from rig.machine import Step
from rig.plant.ports import StageCommand, StageMode, StageReading

P = Phase
OVER = frozenset({P.OFF, P.IDLE, P.FAULT})
"""Phases in which nothing is under way."""
COUPLED = frozenset({P.COUPLING, P.MATCHING, P.READY, P.RUNNING})
"""Phases after d2."""
EPS = 1e-9
"""s; the queue counts whole nanoseconds."""
BLOCKED = StageCommand()
BLEED = StageCommand(StageMode.OFF, bleed=True)


class Controller:
    """The charger's controller. Read its public fields for the panel; change nothing but by events."""

    def __init__(self, b: Behaviour) -> None:
        self.b = b
        self.s = Situation(b, power=b.power)
        self.phase = P.OFF
        self.fault = ""
        """The latched fault; "" when there is none."""
        self.ended_by = ""
        """What ended the last session."""
        self.inhibits = Inhibits()
        self._power, self._voice = Power(b), Voice(b)
        self._late = dict(b.late)
        self._wanted = False
        self._ending = Ending.NORMAL
        self._since = self._coupled_at = 0.0
        self._deadline = math.inf
        self._marks: dict[str, float] = {}
        self._lasting: dict[str, float] = {}
        self._wires: dict[Wire, bool] = {"d1": False, "d2": False, "lock": False}
        self._stage = BLOCKED
        self._told = BLOCKED
        self._ability = Ability(False, False)
        self._out: list[ControllerOut] = []
        self._idle: Step[ControllerOut] = Step()
        self._look = False
        self._deaf = True
        """It does not listen to the bus: nothing is under way."""
        self._do: dict[Phase, Callable[[float], Phase | None]] = {
            P.OFF: self._off,
            P.IDLE: self._idling,
            P.CALLING: self._calling,
            P.LOCKING: self._locking,
            P.CHECKING: self._checking,
            P.TESTING: self._testing,
            P.BLEEDING: self._bleeding,
            P.COUPLING: self._coupling,
            P.MATCHING: self._matching,
            P.READY: self._ready,
            P.RUNNING: self._running,
            P.STOPPING: self._stopping,
            P.OPENING: self._opening,
            P.RELEASING: self._releasing,
            P.ENDED: self._ended,
            P.FAULT: self._faulted,
        }

    @property
    def forming(self) -> bool:
        """It feeds the house by itself."""
        return self._told.mode is StageMode.FORM

    # -- the machine

    def step(self, now: float, event: ControllerIn | None) -> Step[ControllerOut]:
        """Take a frame, a wire, a reading, a press or the PCS's word; or a wake."""
        if isinstance(event, Frame):
            if not self._hear(now, event):
                return self._idle
        elif isinstance(event, StageReading):
            if event != self.s.reading:
                self.s.reading, self._look = event, True
        elif event is not None:
            self._take(event)
            self._look = True
        if self._look or now + EPS >= self._deadline:
            self._advance(now)
        if now + EPS >= self._voice.next:
            self._out.extend(self._voice.say(now, self.s))
        wake = min(self._voice.next, self._deadline)
        self._idle = Step((), None if math.isinf(wake) else wake)
        if not self._out:
            return self._idle
        out, self._out = tuple(self._out), []
        return Step(out, self._idle.wake_at)

    def _hear(self, now: float, frame: Frame) -> bool:
        """A frame of the car; False when nothing follows."""
        if self._deaf or not self.s.hear(now, frame):
            return False
        self._voice.begin(now)
        self._look = True
        return True

    def _take(self, event: ControllerIn) -> None:
        s = self.s
        match event:
            case WireChanged("proximity"):
                s.proximity = event.on
            case WireChanged("k"):
                s.k = event.on
            case InsulationReading():
                s.insulation = event.ohm
            case Supply():
                s.supply = event
            case Start():
                s.mode, self._wanted = event.mode, True
            case SetMode():
                s.mode = event.mode
            case SetPower():
                s.power = event.watts
            case SetReserve():
                s.reserve = event.soc
            case Stop():
                s.stop_pressed, self._wanted = True, False
            case EmergencyStop():
                s.emergency, self._wanted = True, False
            case Reset():
                self._reset()
            case _:
                pass

    def _reset(self) -> None:
        """Acknowledge; nothing while a session is under way."""
        if self.phase in (P.FAULT, P.IDLE):
            self.s.emergency = False
            self.fault = ""
            self._voice.clear()

    # -- the phases

    def _advance(self, t: float) -> None:
        """Look at causes, then at the phase, until nothing changes any more."""
        self._look, self.s.now = False, t
        if not self.s.reading.alive and self.phase is not P.OFF:
            self._die()
        following: Phase | None = self.phase
        while following is not None:
            self._deadline = math.inf
            cause = self._cause(t) if self.phase in LIVE else None
            following = self._do[self.phase](t) if cause is None else self._stop(*cause)
            if following is not None:
                self._enter(t, following)
        self._settle()

    def _enter(self, t: float, phase: Phase) -> None:
        self.phase, self._since = phase, t
        self._deaf = phase in OVER
        self._marks.clear()

    def _settle(self) -> None:
        """What is told to stage and PCS, when it has changed."""
        if self._stage != self._told:
            self._told = self._stage
            self._out.append(self._stage)
        ability = Ability(self._could_form(), self.phase is P.RUNNING and self.s.mode == "discharge")
        if ability != self._ability:
            self._ability = ability
            self._out.append(ability)

    def _cause(self, t: float) -> tuple[str, Ending] | None:
        s, ignored = self.s, self.b.ignored
        for cause in BY_PHASE[self.phase]:
            name = cause.name
            if name in ignored:
                continue
            if not cause.holds(s):
                self._lasting.pop(name, None)
            elif name not in self._late or self._past(t, self._lasting.setdefault(name, t), self._late[name]):
                return name, cause.ending
        if "silence" not in ignored:
            self._deadline = min(self._deadline, s.silent_at)
        return None

    def _past(self, t: float, since: float, seconds: float) -> bool:
        """Whether that much time has gone by; if not, be looked at again then."""
        due = since + seconds
        if t + EPS < due:
            self._deadline = min(self._deadline, due)
            return False
        return True

    def _soon(self, t: float) -> None:
        self._deadline = min(self._deadline, t + self.b.look)

    def _mark(self, t: float, name: str) -> float:
        """Since when, in this phase."""
        return self._marks.setdefault(name, t)

    def _drive(self, wire: Wire, on: bool) -> None:
        if self._wires[wire] != on:
            self._wires[wire] = on
            self._out.append(WireChanged(wire, on))

    def _die(self) -> None:
        """The control has lost its power: its outputs have gone, the lock stays where it is."""
        self._wires["d1"] = self._wires["d2"] = False
        self._stage = BLOCKED
        self._wanted = self.s.emergency = False
        self._end_session()
        self.fault = ""
        self._voice.clear()
        self._enter(self.s.now, P.OFF)

    def _end_session(self) -> None:
        self._voice.silence()
        self.s.begin()
        self._power.begin()
        self._lasting.clear()

    def _off(self, t: float) -> Phase | None:
        if not self.s.reading.alive:
            return None
        return P.RELEASING if self._wires["lock"] else P.IDLE

    def _idling(self, t: float) -> Phase | None:
        s = self.s
        if s.emergency:
            self._latch("emergency_stop", Ending.MALFUNCTION)
            return P.FAULT
        s.stop_pressed = False
        if not (self._wanted and s.proximity):
            return None
        self._wanted = False
        self._end_session()
        self.inhibits = Inhibits()
        self.ended_by = ""
        self._ending = Ending.NORMAL
        self._drive("d1", True)
        return P.CALLING

    def _calling(self, t: float) -> Phase | None:
        s, b = self.s, self.b
        status = s.status
        if status is not None and status.target_voltage > b.dc_voltage:
            self._voice.incompatible = True
            return self._stop("battery_incompatible", Ending.ERROR)
        if status is not None and status.enabled and not s.k:
            if self._past(t, self._mark(t, "inconsistent"), b.inconsistent_limit):
                return self._stop("permission_inconsistent", Ending.NORMAL)
        else:
            self._marks.pop("inconsistent", None)
        if s.permitted and s.limits is not None and status is not None:
            s.v2h = status.discharge_compatible
            if s.mode == "discharge" and not s.v2h:
                return self._stop("no_discharge", Ending.NORMAL)
            return P.LOCKING
        if self._past(t, self._since, b.permission_limit):
            return self._stop("no_permission", Ending.NORMAL)
        return None

    def _locking(self, t: float) -> Phase | None:
        if not self._past(t, self._since, self.b.lock_delay):
            return None
        self._drive("lock", True)
        self._voice.locked = True
        return P.CHECKING

    def _checking(self, t: float) -> Phase | None:
        """The output must be dead before anything is put on it."""
        s, b = self.s, self.b
        self._stage = BLEED
        if s.u < b.dead_before and s.reading.u_node < b.dead_before:
            return P.TESTING if b.insulation_test else P.BLEEDING
        if self._past(t, self._since, b.test_limit):
            return self._stop("output_alive", Ending.MALFUNCTION)
        self._soon(t)
        return None

    def _testing(self, t: float) -> Phase | None:
        s, b = self.s, self.b
        self._stage = StageCommand(StageMode.VOLTAGE, u_ref=b.test_voltage, contactor=True)
        if s.u >= 0.98 * b.test_voltage and self._past(t, self._mark(t, "held"), b.test_hold):
            if s.insulation is None:
                self._out.append(MeasureInsulation())
            elif s.insulation < b.insulation_per_volt * b.dc_voltage:
                return self._stop("insulation", Ending.MALFUNCTION)
            else:
                return P.BLEEDING
        if self._past(t, self._since, b.test_limit):
            return self._stop("no_test_voltage", Ending.MALFUNCTION)
        self._soon(t)
        return None

    def _bleeding(self, t: float) -> Phase | None:
        s, b = self.s, self.b
        if s.u <= b.bled and self._past(t, self._since, b.contactor_move):
            self._stage = BLEED
            if self._past(t, self._mark(t, "bled"), b.contactor_move):
                self._drive("d2", True)
                return P.COUPLING
            return None
        self._stage = StageCommand(StageMode.OFF, contactor=b.insulation_test, bleed=True)
        if self._past(t, self._since, b.test_limit):
            return self._stop("output_alive", Ending.MALFUNCTION)
        self._soon(t)
        return None

    def _coupling(self, t: float) -> Phase | None:
        s, b = self.s, self.b
        self._stage = BLOCKED
        if s.status is not None and not s.status.contactor_open and s.u > b.dc_voltage_min:
            self._coupled_at = t
            return P.MATCHING
        if self._past(t, self._since, b.contactor_limit):
            return self._stop("no_vehicle_contactor", Ending.NORMAL)
        return None

    def _matching(self, t: float) -> Phase | None:
        """Bring the own side to the battery's voltage, then close onto it."""
        s, b = self.s, self.b
        closing = "closing" in self._marks
        if not closing:
            if abs(self._stage.u_ref - s.u) > 1.0:
                self._stage = StageCommand(StageMode.VOLTAGE, u_ref=s.u)
            if abs(s.reading.u_node - s.u) <= b.match:
                self._mark(t, "closing")
                self._stage = replace(self._stage, contactor=True)
        if "closing" in self._marks and self._past(t, self._marks["closing"], b.contactor_move):
            self._stage = StageCommand(StageMode.CURRENT, contactor=True)
            return P.READY
        if self._past(t, self._coupled_at, b.request_limit):
            return self._stop("no_match", Ending.MALFUNCTION)
        self._soon(t)
        return None

    def _ready(self, t: float) -> Phase | None:
        s = self.s
        if s.asked or (s.v2h and s.granted > 0.0):
            self._voice.running, self._voice.stopping = True, False
            return P.RUNNING
        if self._past(t, self._coupled_at, self.b.request_limit):
            return self._stop("no_request", Ending.NORMAL)
        return None

    def _running(self, t: float) -> Phase | None:
        s, b = self.s, self.b
        self._count_charging(t)
        self._lower(t)
        self.inhibits.look(s)
        if self.inhibits.set.get("charging_time") and not s.v2h:
            return self._stop("charging_time", Ending.NORMAL)
        charges = s.supply is Supply.GRID and s.mode == "charge" and not self.inhibits.forbids("charge")
        if s.v2h:  # chademo.md 1 108.3: without V2H it stays as it was
            self._voice.offer = self._power.offer(s) if charges else 0.0
        if s.supply is Supply.GRID:
            self._power.measure(s)
            self._stage = self._power.steer(t, s, self._power.wanted(s, self.inhibits))
            self._deadline = min(self._deadline, self._power.look_at)
        elif s.supply is Supply.ISLAND and self._may_discharge():
            self._power.begin()
            self._stage = self._forming()
            self._watch_load(t)
        else:
            self._power.begin()
            self._stage = StageCommand(StageMode.OFF, contactor=True)
        if s.i < 0.0 and s.u < s.lowest_voltage + b.voltage_margin + b.voltage_near:
            self._soon(t)
        if s.i > 0.0 and s.u > s.threshold - b.voltage_near:
            self._soon(t)
        if self._past(t, self._marks.get("insulation", self._since), b.insulation_period):
            self._marks["insulation"] = t
            self._out.append(MeasureInsulation())
            self._past(t, t, b.insulation_period)
        return None

    def _forming(self) -> StageCommand:
        limit = self._power.forming_limit(self.s)
        return StageCommand(StageMode.FORM, i_discharge_max=limit, contactor=True, sync=self.b.synchronises)

    def _count_charging(self, t: float) -> None:
        """s charged, for 101's limit."""
        last = self._marks.get("counted", t)
        if self.s.i > self.b.open_current:
            self.s.charged_for += t - last
        self._marks["counted"] = t

    def _lower(self, t: float) -> None:
        """A lowered limit that takes effect late."""
        s = self.s
        if s.lowering is not None and self._past(t, s.lowering[0], 0.0):
            s.granted, s.lowering = s.lowering[1], None

    def _watch_load(self, t: float) -> None:
        """Overload of a formed house."""
        s, b = self.s, self.b
        starved = min(s.reading.u_house[: b.legs]) < b.starved * b.u_nominal
        for index, (fraction, seconds) in enumerate(b.overloads):
            name = f"overload {index}"
            over = s.reading.p_ac >= fraction * b.power or (index == 0 and starved)
            if not over:
                self._marks.pop(name, None)
            elif self._past(t, self._mark(t, name), seconds):
                s.overloaded = self._look = True

    def _may_discharge(self) -> bool:
        return self.s.v2h and not self.inhibits.forbids("discharge") and self.s.discharge_limit > 0.0

    def _could_form(self) -> bool:
        return self.phase is P.RUNNING and self.s.reading.alive and self._may_discharge()

    # -- the way out

    def _stop(self, name: str, ending: Ending) -> Phase:
        """The one way out of a session."""
        self.ended_by = name
        self._ending = ending
        self._latch(name, ending)
        self._wanted = False
        self._voice.stopping = True
        if ending is Ending.BLACKOUT and self.b.d2_at_once:
            self._drive("d2", False)
        return P.STOPPING if self.phase in COUPLED else P.RELEASING

    def _latch(self, name: str, ending: Ending) -> None:
        if ending in (Ending.ERROR, Ending.MALFUNCTION):
            self.fault = self.fault or name
            self._voice.malfunction |= ending is Ending.MALFUNCTION
            self._voice.system_malfunction |= ending is Ending.ERROR and not self._voice.incompatible
        # a blackout is told to the car like an error, but nothing needs to be acknowledged
        self._voice.system_malfunction |= ending is Ending.BLACKOUT

    def _stopping(self, t: float) -> Phase | None:
        """Current to 0, and 109.5.0 with it; then the own contactor."""
        s, b = self.s, self.b
        slow = self._past(t, self._since, b.stop_limit)
        blocked = self._ending is not Ending.NORMAL or slow or not self._told.contactor
        if blocked and self._ending is not Ending.BLACKOUT:
            self._stage = replace(self._stage, mode=StageMode.OFF, i_ref=0.0)
        elif self._told.mode is StageMode.FORM or s.supply is not Supply.GRID:
            self._stage = StageCommand(StageMode.CURRENT, contactor=True)
        else:
            self._stage = self._power.steer(t, s, Wanted(0.0))
            self._deadline = min(self._deadline, self._power.look_at)
        if abs(s.i) > b.open_current:
            self._marks.pop("still", None)
            self._soon(t)
            return None
        if not self._past(t, self._mark(t, "still"), b.still):
            return None
        self._voice.running = False
        return P.OPENING

    def _opening(self, t: float) -> Phase | None:
        """Own contactor open, then wait for the car's."""
        s, b = self.s, self.b
        if not self._past(t, self._since, b.contactor_move):
            self._stage = replace(self._stage, contactor=False)
            return None
        self._stage = BLEED
        if self._ending in (Ending.MALFUNCTION, Ending.BLACKOUT) or self.ended_by == "silence" or not s.proximity:
            # the car shall have heard of 0 A and 109.5.0 = 0 before its coils lose their supply
            return P.RELEASING if self._past(t, self._since, b.contactor_move + b.cycle) else None
        status = s.status
        if status is not None and status.protocol < 2:
            return P.RELEASING if self._past(t, self._since, b.weld_wait_old) else None
        if status is not None and status.contactor_open:
            return P.RELEASING
        if self._past(t, self._since, b.weld_limit):
            self._latch("vehicle_contactor", Ending.ERROR)
            return P.RELEASING
        return None

    def _releasing(self, t: float) -> Phase | None:
        """d2, later d1, and the lock once the output is dead."""
        s, b = self.s, self.b
        self._stage = BLEED
        self._drive("d2", False)
        if not self._past(t, self._since, b.d1_after_d2):
            return None
        self._drive("d1", False)
        if max(s.u, s.reading.u_node) <= b.bled:
            self._voice.locked = False
            if self._past(t, self._mark(t, "dead"), b.unlock_delay):
                self._drive("lock", False)
                return P.ENDED
            return None
        if self._past(t, self._since, b.release_limit):
            self._latch("output_alive", Ending.MALFUNCTION)
            return P.ENDED
        self._soon(t)
        return None

    def _ended(self, t: float) -> Phase | None:
        if not self._past(t, self._since, self.b.last_frames):
            return None
        self._end_session()
        self._stage = BLOCKED
        if self.fault:
            return P.FAULT
        self._voice.clear()
        return P.IDLE

    def _faulted(self, t: float) -> Phase | None:
        if self.fault:
            return None
        return P.RELEASING if self._wires["lock"] else P.IDLE
