"""What all phases of the charger share: what it knows, what it drives, and the few verbs they act with.

A phase is a function of this and the time: it sets what the stage shall do, drives wires, names when it wants to be
looked at again, and returns the phase that follows, or None to stay.
"""

from __future__ import annotations

import math

from instruments.evps.behaviour import Behaviour
from instruments.evps.events import ControllerOut
from instruments.evps.inhibits import Inhibits
from instruments.evps.power import Power
from instruments.evps.situation import Situation
from instruments.evps.stops import OVER, POWERED, Ending, Phase
from instruments.evps.voice import Voice
from rig.chademo.events import Wire, WireChanged
from rig.plant.ports import StageCommand, StageMode

EPS = 1e-9
"""s; the queue counts whole nanoseconds."""
BLOCKED = StageCommand()
BLEED = StageCommand(StageMode.OFF, bleed=True)


class Core:
    """State and verbs. Times in s."""

    def __init__(self, b: Behaviour) -> None:
        self.b = b
        self.s = Situation(b, power=b.power)
        self.power, self.voice, self.inhibits = Power(b), Voice(b), Inhibits()
        self.phase = Phase.OFF
        self.fault = ""
        """The latched fault; "" when there is none."""
        self.ended_by = ""
        """What ended the last session."""
        self.ending = Ending.NORMAL
        self.ran = False
        """Power transfer has begun in this session."""
        self.wanted = False
        """Start was pressed and no session has begun since."""
        self.since = self.coupled_at = 0.0
        """When this phase began; when the car's contactors were closed."""
        self.marks: dict[str, float] = {}
        """Since when something is so, in this phase."""
        self.lasting: dict[str, float] = {}
        """Since when a stop cause holds."""
        self.deadline = math.inf
        self.look = False
        """Something has changed: look at once."""
        self.deaf = True
        """It does not listen to the bus: nothing is under way."""
        self.wires: dict[Wire, bool] = {"d1": False, "d2": False, "lock": False}
        self.stage = self.told = BLOCKED
        """What the stage shall do, and what it was told last."""
        self.out: list[ControllerOut] = []

    def past(self, t: float, since: float, seconds: float) -> bool:
        """Whether that much time has gone by; if not, be looked at again then."""
        due = since + seconds
        if t + EPS < due:
            self.deadline = min(self.deadline, due)
            return False
        return True

    def soon(self, t: float) -> None:
        """Be looked at again after one step of a ramp."""
        self.deadline = min(self.deadline, t + self.b.look)

    def mark(self, t: float, name: str) -> float:
        """Since when, in this phase."""
        return self.marks.setdefault(name, t)

    def drive(self, wire: Wire, on: bool) -> None:
        """Put a wire of the charger's side on or off."""
        if self.wires[wire] != on:
            self.wires[wire] = on
            self.out.append(WireChanged(wire, on))

    def stop(self, name: str, ending: Ending) -> Phase:
        """The one way out of a session."""
        self.ended_by = name
        self.ending = ending
        self.latch(name, ending)
        self.wanted = self.b.resumes and ending is Ending.BLACKOUT
        self.voice.stopping = self.voice.stopping or self.b.shows_stop
        if ending is Ending.BLACKOUT and self.b.d2_at_once:
            self.drive("d2", False)
        return Phase.STOPPING if self.phase in POWERED else Phase.RELEASING

    def latch(self, name: str, ending: Ending) -> None:
        """Remember a fault, and show it in 109.5."""
        if ending in (Ending.ERROR, Ending.MALFUNCTION):
            self.fault = self.fault or name
            self.voice.malfunction |= ending is Ending.MALFUNCTION
            self.voice.system_malfunction |= ending is Ending.ERROR and not self.voice.incompatible
        # a blackout is told to the car like an error, but nothing needs to be acknowledged
        self.voice.system_malfunction |= ending is Ending.BLACKOUT

    def end_session(self) -> None:
        """Forget the car."""
        self.ran = False
        self.voice.silence()
        self.s.begin()
        self.power.begin()
        self.lasting.clear()

    def enter(self, t: float, phase: Phase) -> None:
        """A new phase begins at t (s)."""
        self.phase, self.since = phase, t
        self.deaf = phase in OVER
        self.marks.clear()
