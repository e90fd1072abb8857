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

  The phases' own stories are told in handshake.py, running.py and ending.py; stops.py is the table of what ends a
  session, inhibits.py of what forbids one direction.

  Nothing is polled but a ramp: each phase names the moment at which it wants to be looked at again, and a wake brings a
  fresh reading of the sensors.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from instruments.evps import ending, handshake, running
from instruments.evps.behaviour import Behaviour
from instruments.evps.core import BLOCKED, EPS, Core
from instruments.evps.events import (
    Ability,
    ControllerIn,
    ControllerOut,
    Display,
    EmergencyStop,
    InsulationReading,
    Reset,
    SetMeter,
    SetMode,
    SetPower,
    SetReserve,
    Start,
    Stop,
    Supply,
)
from instruments.evps.managing import bounds
from instruments.evps.running import could_form
from instruments.evps.situation import Situation
from instruments.evps.stops import BY_PHASE, LIVE, Ending, Phase
from rig.can.frame import Frame
from rig.chademo.events import WireChanged
from rig.machine import Step
from rig.plant.ports import StageMode, StageReading

P = Phase

DO: Mapping[Phase, Callable[[Core, float], Phase | None]] = {
    P.OFF: ending.off,
    P.IDLE: handshake.idling,
    P.CALLING: handshake.calling,
    P.LOCKING: handshake.locking,
    P.CHECKING: handshake.checking,
    P.TESTING: handshake.testing,
    P.BLEEDING: handshake.bleeding,
    P.COUPLING: handshake.coupling,
    P.MATCHING: handshake.matching,
    P.READY: handshake.ready,
    P.RUNNING: running.running,
    P.STOPPING: ending.stopping,
    P.OPENING: ending.opening,
    P.RELEASING: ending.releasing,
    P.ENDED: ending.ended,
    P.FAULT: ending.faulted,
}


class Controller:
    """The charger's controller. Read its properties for the panel; change nothing but by events."""

    def __init__(self, b: Behaviour) -> None:
        self._core = Core(b)
        self._late = dict(b.late)
        self._ability = Ability(False, False)
        self._shown = Display(P.OFF.value, "", False)
        self._idle: Step[ControllerOut] = Step()

    @property
    def phase(self) -> Phase:
        """Where in a session it is."""
        return self._core.phase

    @property
    def fault(self) -> str:
        """The latched fault; "" when there is none."""
        return self._core.fault

    @property
    def ended_by(self) -> str:
        """What ended the last session."""
        return self._core.ended_by

    @property
    def s(self) -> Situation:
        """What it knows; only to be read."""
        return self._core.s

    @property
    def forming(self) -> bool:
        """It feeds the house by itself."""
        return self._core.told.mode is StageMode.FORM

    @property
    def manages(self) -> bool:
        """It looks at its meter now."""
        return self._core.phase is P.RUNNING and (self._core.s.keep is not None or self._core.b.supports)

    @property
    def ramping(self) -> bool:
        """A current is on its way."""
        return self._core.phase is P.RUNNING and not math.isinf(self._core.power.look_at)

    def behave(self, b: Behaviour) -> None:
        """Go on as this behaviour would, from the next step on."""
        c = self._core
        if b is c.b:
            return
        c.b = c.s.b = b
        c.power.behave(b)
        c.voice.behave(b)
        self._late, c.look = dict(b.late), True

    # -- the machine

    def repeats(self, now: float, frame: Frame) -> bool:
        """Whether it may be spared this frame: it listens to none, or this one says nothing new. Its time is noted."""
        return self._core.deaf or self._core.s.repeats(now, frame)

    def step(self, now: float, event: ControllerIn | None) -> Step[ControllerOut]:
        """Take a frame, a wire, a reading, a press or the PCS's word; or a wake."""
        c = self._core
        if type(event) is Frame:
            if not self._hear(now, event):
                return self._idle
        elif isinstance(event, StageReading):
            if event != c.s.reading:
                c.s.reading, c.look = event, True
        elif event is not None:
            self._take(now, event)
            c.look = True
        if c.look or now + EPS >= c.deadline:
            self._advance(now)
        if now + EPS >= c.voice.next:
            c.out.extend(c.voice.say(now, c.s))
        due, deadline = c.voice.next, c.deadline
        wake = due if due < deadline else deadline
        self._idle = Step((), None if wake == math.inf else wake)
        if not c.out:
            return self._idle
        out, c.out = tuple(c.out), []
        return Step(out, self._idle.wake_at)

    def _hear(self, now: float, frame: Frame) -> bool:
        """A frame of the car; False when nothing follows."""
        c = self._core
        if c.deaf or not c.s.hear(now, frame):
            return False
        c.voice.begin(now)
        c.look = True
        return True

    def _take(self, now: float, event: ControllerIn) -> None:
        c = self._core
        s = c.s
        match event:
            case WireChanged("proximity"):
                s.proximity = event.on
            case WireChanged("k"):
                s.k = event.on
            case InsulationReading():
                s.insulation = event.ohm
            case Supply():
                if event is Supply.GRID and s.supply is not Supply.GRID:
                    s.entered = now
                s.supply = event
            case Start():
                s.mode, c.wanted = event.mode, True
            case SetMode():
                s.mode = event.mode
            case SetPower():
                if c.b.power_late > 0.0 and c.phase is P.RUNNING:
                    s.power_due = (now + c.b.power_late, event.watts)
                else:
                    s.power, s.power_due = event.watts, None
            case SetReserve():
                s.reserve = event.soc
            case SetMeter():
                s.keep, s.metered = bounds(event), None
            case Stop():
                s.stop_pressed, c.wanted = True, False
            case EmergencyStop():
                s.emergency, c.wanted = True, False
            case Reset():
                self._reset()
            case _:
                pass

    def _reset(self) -> None:
        """Acknowledge; nothing while a session is under way."""
        c = self._core
        if c.phase in (P.FAULT, P.IDLE):
            c.s.emergency = False
            c.fault = ""
            c.voice.clear()

    def _advance(self, t: float) -> None:
        """Look at causes, then at the phase, until nothing changes any more."""
        c = self._core
        c.look, c.s.now, c.voice.stale = False, t, True
        if not c.s.reading.alive and c.phase is not P.OFF:
            self._die()
        following: Phase | None = c.phase
        while following is not None:
            c.deadline = math.inf
            cause = self._cause(t) if c.phase in LIVE else None
            following = DO[c.phase](c, t) if cause is None else c.stop(*cause)
            if following is not None:
                c.enter(t, following)
        self._settle()

    def _settle(self) -> None:
        """What is told to stage, PCS and panel, when it has changed."""
        c = self._core
        if c.stage != c.told:
            c.told = c.stage
            c.out.append(c.stage)
        ability = Ability(could_form(c), c.phase is P.RUNNING and c.s.direction == "discharge")
        if ability != self._ability:
            self._ability = ability
            c.out.append(ability)
        shown = self._shown
        if c.phase.value != shown.phase or c.fault != shown.fault or self.forming != shown.backup:
            self._shown = Display(c.phase.value, c.fault, self.forming)
            c.out.append(self._shown)

    def _cause(self, t: float) -> tuple[str, Ending] | None:
        c = self._core
        s, ignored = c.s, c.b.ignored
        for cause in BY_PHASE[c.phase]:
            name = cause.name
            if name in ignored:
                continue
            if not cause.holds(s):
                c.lasting.pop(name, None)
            elif name not in self._late or c.past(t, c.lasting.setdefault(name, t), self._late[name]):
                return name, cause.ending
        if "silence" not in ignored:
            c.deadline = min(c.deadline, s.silent_at)
        return None

    def _die(self) -> None:
        """The control has lost its power: its outputs have gone, the lock stays where it is."""
        c = self._core
        c.wires["d1"] = c.wires["d2"] = False
        c.stage = BLOCKED
        c.wanted = c.wanted and c.b.resumes
        c.s.emergency = False
        c.end_session()
        c.fault = ""
        c.voice.clear()
        c.enter(c.s.now, P.OFF)
