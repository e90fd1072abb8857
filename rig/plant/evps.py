"""The EVPS's power stage: DC current loop, DC output node, DC link, losses. Knows no mains, no house, no contacts.

Theory
  What feeds the link decides the regime, looked up by `settle` whenever something around the stage has changed:

    GRID     the house bus is live from the mains: the DC current follows its reference with `current_lag`, the AC
             side takes what current, losses, link and output node need
    OWN      neither mains nor battery, an accumulator of its own: it keeps control and link alive and lifts the node
    BATTERY  no mains, battery connected: the AC side is what the house needs (FORM) or nothing; the DC power follows
             with `form_lag` and the link makes up the difference, which is how a reversal is carried
    LINK     none of these: the control lives on the link until it is empty (hold-up)

  The states are the current i (GRID) or the power p_in out of the battery (BATTERY), the node's voltage, the link's
  energy. Connected to the battery the node follows its terminals; alone it slews to a reference or bleeds down.
  Between changes every state moves on an exponential or a straight line, stepped exactly, so it does not matter in how
  many pieces a time is stepped: who looks in between changes nothing. `hold` is the steady case: constant powers times
  time. What is left of an exponential below TINY is jumped, at an event of its own: a jump of a current or a power
  carries no energy.

  Energy: each step books dc, loss, link and node from the same integrals and lets the AC side (GRID) or the link be
  what balances them. They have closed forms but for the loss over an exponential current: Gauss's rule with five points
  over at most half a lag, never across a bend of the loss law, is exact to rounding (its error term is 2e-16 of the
  integral). A node that follows the terminals smoothly loses nothing; one that is pulled there at once takes C*du*u
  from the battery, half of which is heat.

Signs: p_ac into the stage, p_dc into the vehicle, p_link into the link.
"""

from __future__ import annotations

import math
from enum import Enum
from typing import NamedTuple

from rig.plant.energy import Ledger
from rig.plant.ports import DcSupply, StageCommand, StageMode
from rig.plant.stage_params import StageParams, dc_current

TINY_CURRENT = 1e-4
"""A (project choice: a hundredth of what the rig's meters resolve)."""
TINY_POWER = 0.01
"""W (project choice)."""
EMPTY = 0.05
"""V at which a bleeding node is empty (project choice)."""
NEAR = 1e-6
"""J: the link is at a threshold (event times are whole nanoseconds; 500 W in 1 ns is 5e-7 J)."""
REFILL_BAND = 4.0
"""J the link may stray before it is refilled (project choice: above the 2.5 J a refill's end overshoots)."""
CURVE_STEP = 0.5
"""Lags of a moving current between two looks (project choice): the loss rule's reach, and how often the AC waves of a
ramp are drawn anew."""
LOW_LINK_STEP = 0.001
"""s between two looks at a link that moves on a curve and may pass a threshold on it (project choice)."""
GAUSS = (
    (0.046910077030668004, 0.11846344252809454),
    (0.23076534494715845, 0.23931433524968324),
    (0.5, 0.28444444444444444),
    (0.76923465505284155, 0.23931433524968324),
    (0.95308992296933200, 0.11846344252809454),
)
"""(place, weight) of the five-point Gauss-Legendre rule on 0..1 (Abramowitz and Stegun, table 25.4)."""


class Regime(Enum):
    """What feeds the link."""

    GRID = "grid"
    OWN = "own"
    BATTERY = "battery"
    LINK = "link"


FED = frozenset({Regime.GRID, Regime.OWN})
"""Something outside feeds the link: whatever the stage needs it takes from there."""


class Course(NamedTuple):
    """Where node voltage (V) and current (A) go: on an exponential of tau (s), on a straight line of slope (V/s), or,
    both 0, nowhere."""

    u: float
    i: float
    tau: float = 0.0
    slope: float = 0.0


class PowerStage:
    """States and powers of the stage. The plant settles it after every change and steps it in between."""

    __slots__ = (
        "_conductance", "_demand", "_e_alive", "_e_dead", "_e_floor", "_e_nominal", "_goal", "_i_high", "_i_low",
        "_p_least", "_p_most", "_refilling", "_u_goal", "alive", "command", "connected", "i", "link", "loss", "mode",
        "moving", "p_ac", "p_dc", "p_in", "p_link", "p_own", "params", "regime", "resistance", "tripped", "u_node",
        "u_set",
    )  # fmt: skip

    def __init__(self, params: StageParams) -> None:
        self.params = params
        self.command = StageCommand()
        self.mode = StageMode.OFF
        self.regime = Regime.LINK
        self.alive = self.tripped = self.connected = self.moving = False
        self.i = self.p_in = self.u_node = self.link = 0.0
        self.u_set = self.resistance = 0.0
        self.p_ac = self.p_dc = self.loss = self.p_link = self.p_own = 0.0
        self._i_low = self._i_high = self._p_least = self._p_most = 0.0
        self._goal = self._u_goal = self._demand = self._conductance = 0.0
        self._refilling = 0
        self._e_nominal = params.link_energy(params.u_link)
        self._e_floor = params.link_energy(params.u_link_floor)
        self._e_alive = params.link_energy(params.u_link_alive)
        self._e_dead = params.link_energy(params.u_link_dead)

    # -- what surrounds it

    def look_at_link(self) -> None:
        """Whether the control lives and the link wants filling. First of all after a change."""
        e = self.link
        self.alive = e > self._e_dead + NEAR if self.alive else e >= self._e_alive - NEAR
        stray = e - self._e_nominal
        if self._refilling * -stray <= NEAR:
            self._refilling = -1 if stray > REFILL_BAND else 1 if stray < -REFILL_BAND else 0
        self.mode = self.command.mode if self.alive and not self.tripped else StageMode.OFF

    def connect(self, connected: bool, supply: DcSupply) -> None:
        """Whether the battery is on the output node, and what it is."""
        p = self.params
        self.connected = connected
        self._conductance = 1.0 / p.r_leak + (1.0 / p.r_bleed if self.command.bleed and self.alive else 0.0)
        if not connected:
            self.i = self.p_in = 0.0
            return
        us, r = supply.u_set, supply.resistance
        self.u_set, self.resistance = us, r
        if self.regime is Regime.GRID:
            self.p_in = -self.i * (us + r * self.i)
        give, take = min(supply.i_source_max, p.i_dc_max), min(supply.i_sink_max, p.i_dc_max)
        if self.mode is StageMode.FORM:
            give = min(give, max(self.command.i_discharge_max, 0.0))
        give = min(give, 0.5 * us / r) if r > 0.0 else give
        room = p.u_dc_max - us
        take = 0.0 if room <= 0.0 else min(take, room / r) if r > 0.0 else take
        self._i_low, self._i_high = -give, take
        # Dividers and bleed hang on the battery's terminals whatever it is told to give; the link never pays for them.
        self._p_most = max(give * (us - r * give), self._leak())
        self._p_least = -take * (us + r * take)

    def available(self) -> float:
        """W the AC side may give when forming: what battery and link allow."""
        if not self.connected:
            return 0.0
        full = self.link >= self._e_floor - NEAR
        taken = self._p_most if full else min(max(self.p_in, 0.0), self._p_most)
        return self.params.given(taken - self._leak())

    def promised(self) -> float:
        """W it could give with a full link."""
        return self.params.given(self._p_most - self._leak()) if self.connected else 0.0

    def settle(self, regime: Regime, u_ac: float, p_out: float, wanted: float, ledger: Ledger) -> None:
        """Take the new surroundings. u_ac: V, both legs, GRID. p_out: W the house takes from a formed bus; wanted: W
        it would take if the link were full."""
        self.regime = regime
        self._demand = p_out
        self.moving = False
        if regime is Regime.GRID:
            self._aim_current(u_ac)
        elif regime is Regime.BATTERY:
            self._aim_power(wanted)
        if self.connected:
            self._pull_node(ledger)
        else:
            self._aim_node(ledger)
        self._evaluate()

    def _aim_current(self, u_ac: float) -> None:
        p = self.params
        if not self.connected or self.mode is StageMode.OFF:
            self._goal = self.i = 0.0
            return
        ac, beside = p.i_ac_max * u_ac, self._leak() + self._refilling * p.link_refill
        high = min(self._i_high, dc_current(p.given(ac - beside), self.u_set, self.resistance))
        out = max(ac + beside, 0.0)
        low = max(self._i_low, dc_current(-out - p.loss(out), self.u_set, self.resistance))
        wanted = self.command.i_ref if self.mode is StageMode.CURRENT else 0.0
        self._goal = min(max(wanted, low), high)
        self.i = min(max(self.i, self._i_low), self._i_high)
        self.moving = abs(self.i - self._goal) > TINY_CURRENT
        if not self.moving:
            self.i = self._goal

    def _aim_power(self, wanted: float) -> None:
        if self.link < self._e_floor - NEAR:
            self.p_in = max(self.p_in, 0.0)
        need = wanted + self._loss_when(wanted) + self._leak() + self._refilling * self.params.link_refill
        self._goal = min(max(need, 0.0), self._p_most)
        self.p_in = min(max(self.p_in, self._p_least), self._p_most)
        self.moving = abs(self.p_in - self._goal) > TINY_POWER
        if not self.moving:
            self.p_in = self._goal
        self.i = dc_current(-self.p_in, self.u_set, self.resistance)

    def _aim_node(self, ledger: Ledger) -> None:
        """Alone, the node is lifted or lowered to a reference, or it bleeds."""
        p, command = self.params, self.command
        driven = self.regime in FED or self.link >= self._e_floor - NEAR
        if driven and self.mode is StageMode.VOLTAGE:
            self._u_goal = min(max(command.u_ref, 0.0), p.u_test_max)
        elif driven and self.mode is StageMode.CURRENT and command.i_ref > 0.0:
            self._u_goal = p.u_dc_max
        else:
            self._u_goal = math.nan
            if self.u_node <= EMPTY:
                ledger.loss += 0.5 * p.c_out * self.u_node * self.u_node
                self.u_node = 0.0
        self.moving = self.u_node > 0.0 if self._bleeding() else self.u_node != self._u_goal

    # -- powers

    def _leak(self) -> float:
        """W of dividers and bleed while the battery is on the node."""
        return self.u_set * self.u_set * self._conductance

    def _loss_when(self, given: float) -> float:
        """W lost when forming with given (W) or standing by."""
        if self.mode is StageMode.OFF:
            return self.params.p_control if self.alive or self.regime in FED else 0.0
        return self.params.loss(given)

    def _evaluate(self) -> None:
        """Powers at this moment (those of a slewing node left out: they last for milliseconds and its energy is
        booked exactly)."""
        self.p_own = 0.0
        if self.regime is Regime.OWN:
            self.p_ac = self.p_dc = 0.0
            self.loss = self._loss_when(0.0) + self._held_leak()
            self.p_link = self._refilling * self.params.link_refill
            self.p_own = self.loss + self.p_link
            return
        if self.regime is Regime.GRID:
            self.p_dc = self.i * (self.u_set + self.resistance * self.i) if self.connected else 0.0
            lost = self._loss_when(0.0) if self.mode is StageMode.OFF else self.params.loss_at_dc(self.p_dc)
            self.loss = lost + self._held_leak()
            self.p_link = self._refilling * self.params.link_refill
            self.p_ac = self.p_dc + self.loss + self.p_link
            return
        self.p_dc = -self.p_in
        self.loss = self._loss_when(self._demand) + self._held_leak()
        self.p_ac = -self._demand
        self.p_link = self.p_ac - self.p_dc - self.loss

    def _held_leak(self) -> float:
        """W of the dividers that the stage itself makes up for; a bleeding node pays for its own."""
        if self.connected:
            return self._leak()
        return 0.0 if self._bleeding() else self.u_node * self.u_node * self._conductance

    def next_event(self, now: float) -> float:
        """s at which the link reaches a threshold or a motion bends or ends, after which it must be settled anew."""
        return now + min(self._motion_left(), self._link_left())

    def _motion_left(self) -> float:
        """s until what moves has arrived, or must be looked at on its way; inf when nothing moves."""
        if not self.moving:
            return math.inf
        p = self.params
        if not self.connected:
            if self._bleeding():
                return self._node_tau() * math.log(self.u_node / EMPTY)
            way, top = abs(self._u_goal - self.u_node), max(self._u_goal, self.u_node)
            left = way / p.slew
            most = p.c_out * top * way + (self.loss + top * top * self._conductance) * left
            return min(left, self._link_look(most))
        if self.regime is Regime.GRID:
            gap = abs(self.i - self._goal)
            return min(p.current_lag * math.log(gap / TINY_CURRENT), CURVE_STEP * p.current_lag, self._bend_left())
        gap = abs(self.p_in - self._goal)
        left = p.form_lag * math.log(gap / TINY_POWER)
        return min(left, self._link_look(gap * p.form_lag + abs(self._goal + self.p_ac - self.loss) * left))

    def _link_look(self, most: float) -> float:
        """s to the next look at a link that may move by `most` (J) on a curve; inf where it passes nothing. Too low to
        form, it is looked at anyway: what the stage may give grows with what it takes."""
        if self.regime in FED:
            return math.inf
        marks = [self._e_dead, self._e_alive, self._e_floor, *((self._e_nominal,) if self._refilling else ())]
        low = self.regime is Regime.BATTERY and self.link < self._e_floor
        return LOW_LINK_STEP if low or any(abs(self.link - x) <= most for x in marks) else math.inf

    def _bend_left(self) -> float:
        """s until the current passes a bend of the loss law: no power, or the power that only covers the idle loss."""
        left = math.inf
        for bend in (0.0, dc_current(-self.params.p_idle, self.u_set, self.resistance)):
            before, after = self.i - bend, self._goal - bend
            if before * after < 0.0:
                left = min(left, self.params.current_lag * math.log1p(-before / after))
        return left

    def _link_left(self) -> float:
        """s until the link, filling or emptying at a constant rate, reaches a threshold."""
        curved = self.moving and self.regime not in FED and (self.connected or not self._bleeding())
        if curved:
            return math.inf
        e, rate = self.link, self.p_link
        if rate > 0.0:
            ahead = [x for x in (self._e_alive, self._e_floor, self._e_nominal) if x > e + NEAR]
            return (ahead[0] - e) / rate if ahead else math.inf
        if rate < 0.0:
            behind = [x for x in (self._e_nominal, self._e_floor, self._e_dead) if x < e - NEAR]
            return (behind[0] - e) / rate if behind else math.inf
        return math.inf

    def _bleeding(self) -> bool:
        """The lone node has no reference and runs down."""
        return math.isnan(self._u_goal)

    def _node_tau(self) -> float:
        return self.params.c_out / self._conductance

    def course(self) -> Course:
        """Where the node's voltage and the current are on their way to."""
        p = self.params
        if not self.moving:
            return Course(self.u_node, self.i)
        if not self.connected:
            if self._bleeding():
                return Course(0.0, 0.0, tau=self._node_tau())
            return Course(self._u_goal, 0.0, slope=math.copysign(p.slew, self._u_goal - self.u_node))
        grid = self.regime is Regime.GRID
        i = self._goal if grid else dc_current(-self._goal, self.u_set, self.resistance)
        return Course(self.u_set + self.resistance * i, i, tau=p.current_lag if grid else p.form_lag)

    # -- time

    def mark(self) -> tuple[bool, float, float, float, float, float, float, float, float, float]:
        """All that a step moves, to come back to."""
        return (
            self.moving, self.i, self.p_in, self.u_node, self.link,
            self.p_ac, self.p_dc, self.loss, self.p_link, self.p_own,
        )  # fmt: skip

    def back_to(self, mark: tuple[bool, float, float, float, float, float, float, float, float, float]) -> None:
        """Undo every step since the mark; nothing may have been settled since."""
        (
            self.moving, self.i, self.p_in, self.u_node, self.link,
            self.p_ac, self.p_dc, self.loss, self.p_link, self.p_own,
        ) = mark  # fmt: skip

    def step(self, dt: float, ledger: Ledger) -> None:
        """dt (s), not beyond next_event. Exact in any number of pieces."""
        if not self.moving:
            self._hold(dt, ledger)
        elif not self.connected:
            self._step_node(dt, ledger)
        else:
            if self.regime is Regime.GRID:
                self._step_current(dt, ledger)
            else:
                self._step_power(dt, ledger)
            self._follow(ledger)
            self._evaluate()

    def _hold(self, dt: float, ledger: Ledger) -> None:
        """dt (s) of constant powers."""
        ledger.ac += self.p_ac * dt
        ledger.own += self.p_own * dt
        ledger.dc += self.p_dc * dt
        ledger.loss += self.loss * dt
        self.link += self.p_link * dt

    def _step_current(self, dt: float, ledger: Ledger) -> None:
        """The current on its exponential towards the goal."""
        p, us, r, goal, lag = self.params, self.u_set, self.resistance, self._goal, self.params.current_lag
        gap = self.i - goal
        charge = goal * dt - gap * lag * math.expm1(-dt / lag)
        squares = goal * goal * dt - gap * lag * (
            2.0 * goal * math.expm1(-dt / lag) + 0.5 * gap * math.expm1(-2.0 * dt / lag)
        )
        dc = us * charge + r * squares
        loss = self._leak() * dt
        for place, weight in GAUSS:
            i = goal + gap * math.exp(-place * dt / lag)
            loss += weight * dt * p.loss_at_dc(i * (us + r * i))
        ledger.dc += dc
        ledger.loss += loss
        ledger.ac += dc + loss + self.p_link * dt
        self.link += self.p_link * dt
        self.i = goal + gap * math.exp(-dt / lag)

    def _step_power(self, dt: float, ledger: Ledger) -> None:
        """The power out of the battery on its exponential towards the goal; the link makes up the difference."""
        lag = self.params.form_lag
        gap = self.p_in - self._goal
        taken = self._goal * dt - gap * lag * math.expm1(-dt / lag)
        ledger.dc -= taken
        ledger.ac += self.p_ac * dt
        ledger.loss += self.loss * dt
        self.link += taken + (self.p_ac - self.loss) * dt
        self.p_in = self._goal + gap * math.exp(-dt / lag)
        self.i = dc_current(-self.p_in, self.u_set, self.resistance)

    def _step_node(self, dt: float, ledger: Ledger) -> None:
        """The node alone: its own decay, or a straight line to its reference."""
        p, u0 = self.params, self.u_node
        if self._bleeding():
            self.u_node = u1 = u0 * math.exp(-dt / self._node_tau())
            self._hold(dt, ledger)
            ledger.loss += 0.5 * p.c_out * (u0 * u0 - u1 * u1)
            return
        way = self._u_goal - u0
        h = min(dt, abs(way) / p.slew)
        self.u_node = u1 = self._u_goal if abs(way) <= p.slew * dt else u0 + math.copysign(p.slew * h, way)
        self.moving = u1 != self._u_goal
        base = self.loss - u0 * u0 * self._conductance
        lost = base * h + self._conductance * (u0 * u0 + u0 * u1 + u1 * u1) / 3.0 * h
        lifted = 0.5 * p.c_out * (u1 * u1 - u0 * u0)
        ledger.loss += lost
        if self.regime in FED:
            taken = lost + lifted + self.p_link * h
            ledger.ac += taken if self.regime is Regime.GRID else 0.0
            ledger.own += taken if self.regime is Regime.OWN else 0.0
            self.link += self.p_link * h
        else:
            self.link -= lost + lifted
        self._evaluate()
        self._hold(dt - h, ledger)

    def _follow(self, ledger: Ledger) -> None:
        """The node goes with the terminals, smoothly: all that leaves the battery is in it."""
        u0, u1 = self.u_node, self.u_set + self.resistance * self.i
        ledger.dc -= 0.5 * self.params.c_out * (u1 * u1 - u0 * u0)
        self.u_node = u1

    def _pull_node(self, ledger: Ledger) -> None:
        """The battery pulls the node to its terminals at once (see the head)."""
        u0, u1 = self.u_node, self.u_set + self.resistance * self.i
        if u1 == u0:
            return
        c = self.params.c_out
        ledger.dc -= c * (u1 - u0) * u1
        ledger.loss += 0.5 * c * (u1 - u0) ** 2
        self.u_node = u1

    def stored(self) -> float:
        """J in link and output node."""
        return self.link + 0.5 * self.params.c_out * self.u_node * self.u_node
