"""How much current, in which direction, and how it gets there.

Theory
  What may flow is bounded by the car (102.3, 200.0), by what the charger offers (108.3, 208.3), by its inhibits and by
  the AC power asked for (chademo.md 3). The direction within these bounds is the charger's own choice.

  The AC power asked for becomes a DC current over the efficiency, which is measured while the current is settled: so
  the AC side is right in steady state without knowing the losses.

  A current moves in steps of `look`. The stage follows its reference with a lag; the reference is chosen so that after
  one step the current is where the ramp wants it: ref = (next - i a) / (1 - a), a = exp(-look / lag). So the ramp is
  followed without overshoot. A current that does not move (a source at its limit) is left alone at its goal.

Signs: A positive charging; W positive numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from instruments.evps.behaviour import Behaviour
from instruments.evps.inhibits import Inhibits
from instruments.evps.managing import wanted_by_mains
from instruments.evps.situation import Situation
from rig.plant.ports import StageCommand, StageMode

MEASURABLE = 1.0
"""A below which an efficiency means nothing (project choice)."""
STALLED = 3
"""Steps without movement after which a ramp gives up (project choice)."""
MOVED = 0.005
"""A that count as movement in a step (project choice: far below the slowest ramp's 0.2 A)."""
CREDIBLE = (0.5, 1.0)
"""Efficiencies it believes (project choice)."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """goal: A. at_once: block the gates on the way there."""

    goal: float
    at_once: bool = False


class Power:
    """The charger's current loop over its power stage."""

    def __init__(self, b: Behaviour) -> None:
        self._b = b
        self._into = self._out = b.efficiency
        self._decay = math.exp(-b.look / b.current_lag)
        self.begin()

    def behave(self, b: Behaviour) -> None:
        """Go on as this behaviour would."""
        self._b = b

    def begin(self) -> None:
        """Nothing is under way."""
        self._ref = self._goal = 0.0
        self._blocked = False
        self._before = math.nan
        self._still = 0
        self.look_at = math.inf
        """s, next step of the ramp."""

    # -- how much

    def offer(self, s: Situation) -> float:
        """Whole A for 108.3: what the power asked for makes of it, rounded up."""
        b = self._b
        watts = min(s.asked_power, b.power) * self._into
        most = watts / s.u if s.u > b.dc_voltage_min else b.dc_current
        return float(math.ceil(min(most, b.dc_current)))

    def wanted(self, s: Situation, inhibits: Inhibits) -> Wanted:
        """The current to go to beside the mains."""
        b = self._b
        watts = min(s.asked_power, b.power) * b.derating
        if s.direction == "standby" or s.u <= 0.0:
            return Wanted(0.0)
        if s.direction == "charge":
            if inhibits.forbids("charge"):
                return Wanted(0.0, inhibits.at_once("charge"))
            return Wanted(min(s.request + b.current_over, self.offer(s) + b.current_over, watts * self._into / s.u))
        if not s.v2h or inhibits.forbids("discharge"):
            return Wanted(0.0, inhibits.at_once("discharge"))
        watts *= self.entering(s) * wanted_by_mains(b, s.reading)
        return Wanted(-min(s.discharge_limit, watts / (self._out * s.u)))

    def entering(self, s: Situation) -> float:
        """Fraction of its power it may give so soon after it has come back to the mains."""
        ramp = self._b.grid_code.enter_ramp
        return min((s.now - s.entered) / ramp, 1.0) if ramp > 0.0 else 1.0

    def forming_limit(self, s: Situation) -> float:
        """A it may take from the battery when it forms the house."""
        b = self._b
        if b.derating < 1.0 and s.u > 0.0:
            return min(s.discharge_limit, b.derating * b.power / (self._out * s.u))
        return s.discharge_limit

    def measure(self, s: Situation) -> None:
        """The efficiency, where the current is settled."""
        i, p = s.i, s.reading.p_ac * self._b.power_sense
        if abs(i) < MEASURABLE or abs(i - self._ref) > self._b.near or p == 0.0 or i * p > 0.0:
            return
        w, (least, most) = self._b.efficiency_weight, CREDIBLE
        if i > 0.0 and least <= (seen := s.u * i / -p) <= most:
            self._into += w * (seen - self._into)
        elif i < 0.0 and least <= (seen := p / (s.u * -i)) <= most:
            self._out += w * (seen - self._out)

    # -- how it gets there

    def steer(self, now: float, s: Situation, wanted: Wanted) -> StageCommand:
        """The stage's command on the way to what is wanted, contactor closed. Sets `look_at`."""
        b, i, goal = self._b, s.i, wanted.goal
        if wanted.at_once and abs(i) > b.near:
            self._blocked, self._ref, self.look_at = True, 0.0, now + b.look
            return StageCommand(StageMode.OFF, contactor=True)
        self._blocked = False
        if abs(goal - self._goal) > b.power_band or (goal == 0.0 and self._goal != 0.0):
            self._goal, self._still, self.look_at = goal, 0, now
        if now + 1e-9 >= self.look_at:
            self._step(now, i)
        return StageCommand(StageMode.CURRENT, i_ref=self._ref, contactor=True)

    def _step(self, now: float, i: float) -> None:
        b, goal = self._b, self._goal
        self._still = self._still + 1 if abs(i - self._before) < MOVED else 0
        self._before = i
        if abs(goal - i) <= b.near or self._still >= STALLED:
            self._ref, self.look_at = goal, math.inf
            return
        towards = 0.0 if goal * i < 0.0 else goal
        rate = b.ramp_down if abs(towards) < abs(i) else b.ramp_up
        step = math.copysign(min(rate * b.look, abs(towards - i)), towards - i)
        self._ref = (i + step - i * self._decay) / (1.0 - self._decay)
        self.look_at = now + b.look
