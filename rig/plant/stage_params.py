"""What the EVPS's power stage is made of, with the source of every figure, and its loss law both ways round.

Loss law: loss(x) = p_idle + linear*x + quadratic*x*x with x the power given out (DC when it charges, AC when it
discharges). The quadratic is inverted in closed form where the power taken in is what is known.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class StageParams:
    """Figures of the power stage. SI."""

    p_control: float = 20.0
    """W of the control alone, gates blocked; project choice within the 55 W benchmark (standards.md EFF-004 [CONS])."""
    p_idle: float = 48.0
    """W with the gates on and no power, control included; the same source."""
    loss_linear: float = 0.040
    """W per W; project choice: so 92.4 % at 6 kW, 93.2 % at 3 kW (>= 90 %, chademo.md 4 [NICH])."""
    loss_quadratic: float = 5.6e-6
    """W per W^2; as loss_linear."""
    current_lag: float = 0.100
    """s; the output follows the request with about 100 ms lag (chademo.md 2 [LOG B])."""
    form_lag: float = 0.005
    """s of the DC side behind the house's demand when forming; project choice, a link voltage loop."""
    i_dc_max: float = 30.0
    """A either way (chademo.md 4 [NICH])."""
    u_dc_max: float = 450.0
    """V while charging (chademo.md 4 [NICH])."""
    u_test_max: float = 510.0
    """V of the output node; the insulation test of log A is at 505 V (chademo.md 2)."""
    i_ac_max: float = 36.0
    """A a leg beside the mains (chademo.md 4 [NICH])."""
    i_form_max: float = 48.0
    """A a leg when forming; project choice, 160 % of 30 A: a short overload is carried (standards.md PWR-008)."""
    u_ac_min: float = 0.5
    """Fraction of nominal the house bus needs for the stage to live on it; project choice."""
    slew: float = 300.0
    """V/s of the output node; 500 V in 1.7 s (log A: 1 to 4 s, chademo.md 2)."""
    c_out: float = 100e-6
    """F at the output node; project choice."""
    r_bleed: float = 1200.0
    """ohm; 505 V to 9 V in 0.48 s with c_out (log A: 0.5 s, chademo.md 2)."""
    r_leak: float = 500e3
    """ohm of dividers always across the output node; project choice, minutes to empty it without the bleed."""
    own_supply: bool = False
    """An accumulator of its own keeps control and link alive where neither mains nor car does (a portable station that
    starts with no mains; project choice: it is never empty, and it feeds no load)."""
    c_link: float = 3.3e-3
    """F of the DC link; project choice: it carries a reversal from 6 kW in to 6 kW out for form_lag (60 J)."""
    u_link: float = 420.0
    """V it is kept at; project choice, above the peak of 2x 141 V with room."""
    u_link_floor: float = 300.0
    """V below which the stage can neither form nor lift its output; project choice, just above the AC peak."""
    u_link_alive: float = 180.0
    """V at which the control starts; project choice."""
    u_link_dead: float = 150.0
    """V at which the control dies: 8 to 13 s of hold-up from u_link (current, then d1 and d2, then contactors)."""
    link_refill: float = 500.0
    """W with which the link is brought back to u_link; project choice."""
    contactor_operate: float = 0.020
    """s; project choice, a usual 400 V contactor."""
    contactor_release: float = 0.010
    """s; project choice."""
    droop: float = 0.020
    """Fraction of voltage lost at rated leg power when forming; project choice within +/-6 % (chademo.md 4 [NICH])."""
    soft_start: float = 0.004
    """s of voltage ramp when forming begins; project choice, a few ms."""
    weak_leg: float = 0.0
    """Fraction of its voltage that leg L2 loses at rated power beside the droop (0: both legs alike)."""
    form_level: float = 1.0
    """Fraction of nominal voltage that is formed at no load."""
    form_df: float = 0.0
    """Hz beside nominal that is formed."""
    sync_rate: float = 0.25
    """Hz off the mains' frequency while drifting into step with it, 0: never; project choice within the 0.3 Hz window
    for closing (standards.md XFR-008): at most 2 s from any phase."""
    form_impedance: float = 0.2
    """ohm between the stage's AC terminals and its inner voltage; project choice, an output filter."""
    trip_time: float = 0.005
    """s until the stage blocks itself on over-current; project choice."""

    def link_energy(self, u: float) -> float:
        """J in the link at u (V)."""
        return 0.5 * self.c_link * u * u

    def loss(self, given: float) -> float:
        """W lost while given (W, 0 or more) is put out."""
        return self.p_idle + given * (self.loss_linear + given * self.loss_quadratic)

    def given(self, taken: float) -> float:
        """W put out for taken (W) in; 0 where taken does not even cover the idle loss."""
        over = taken - self.p_idle
        if over <= 0.0:
            return 0.0
        slope = 1.0 + self.loss_linear
        return 2.0 * over / (slope + math.sqrt(slope * slope + 4.0 * self.loss_quadratic * over))

    def loss_at_dc(self, p_dc: float) -> float:
        """W lost with p_dc (W, positive into the battery) at the DC side."""
        if p_dc >= 0.0:
            return self.p_idle + p_dc * (self.loss_linear + p_dc * self.loss_quadratic)
        if -p_dc <= self.p_idle:
            return self.p_idle
        return -p_dc - self.given(-p_dc)


def dc_current(power: float, u_set: float, resistance: float) -> float:
    """A into a source of u_set (V) behind resistance (ohm) at this power (W), both positive charging. The small
    solution; where there is none, that of the most the source can give."""
    square = u_set * u_set + 4.0 * resistance * power
    if square < 0.0:
        return -0.5 * u_set / resistance
    under = u_set + math.sqrt(square)
    return 2.0 * power / under if under > 0.0 else 0.0
