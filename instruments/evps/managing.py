"""Energy management: the charger's own meter at the mains connection, and what the mains itself asks for.

Theory
  What the house takes is what the meter shows and what the charger gives. Mode and power as pressed are a wish; the
  bounds at the meter come first: the charger gives what the house takes beyond `most`, and no more than it takes above
  `least`. So one rule serves a demand limit (most), no export (least), following the house (both 0), and charging from
  what is left over (a house that takes less than nothing).

  Power that flows into the mains although it must not, while the charger gives some, blocks the gates: a second pair of
  eyes behind the regulation (reverse-power relay, standards.md PWR-015).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from instruments.evps.behaviour import Behaviour
from instruments.evps.events import SetMeter, Supply
from rig.plant.ports import StageReading

if TYPE_CHECKING:
    from instruments.evps.core import Core


def bounds(told: SetMeter) -> tuple[float, float] | None:
    """What is to be kept; None for nothing."""
    if told.least is None and told.most is None:
        return None
    return (-math.inf if told.least is None else told.least, math.inf if told.most is None else told.most)


def look_at_mains(c: Core, t: float) -> None:
    """Read the meter when its time has come, and be looked at again for the next time."""
    s, b = c.s, c.b
    if s.supply is not Supply.GRID or (s.keep is None and not b.supports):
        return
    if c.past(t, c.marks.get("meter", -math.inf), b.meter_period):
        c.marks["meter"] = t
        c.past(t, t, b.meter_period)
        if s.keep is not None:
            wish = {"discharge": s.power, "charge": -s.power, "standby": 0.0}[s.mode]
            s.metered = asked(s.keep, s.reading, wish, b)


def asked(keep: tuple[float, float], reading: StageReading, wish: float, b: Behaviour) -> float:
    """W into the house."""
    room = min(b.meter_margin * b.power, 0.5 * (keep[1] - keep[0]))
    least, most = keep[0] + room, keep[1] - room
    house = b.meter_gain * reading.p_mains + reading.p_ac
    return max(-b.power, min(b.power, house - least, max(wish, house - most)))


def reversing(c: Core, t: float) -> bool:
    """Whether the gates are to be blocked because the mains is fed from the car."""
    s, b = c.s, c.b
    if s.keep is None or s.keep[0] < 0.0:
        return False
    if t < c.marks.get("reversed", -math.inf) + b.reverse_hold:
        c.past(t, c.marks["reversed"], b.reverse_hold)
        return True
    least = b.reverse_share * b.power
    if -b.meter_gain * s.reading.p_mains <= least or s.reading.p_ac <= least:
        c.marks.pop("reverse", None)
        return False
    if not c.past(t, c.mark(t, "reverse"), b.reverse_trip):
        return False
    c.marks.pop("reverse")
    c.marks["reversed"] = t
    return True


def wanted_by_mains(b: Behaviour, reading: StageReading) -> float:
    """Fraction of its power it may give to a mains as it is now."""
    rule = b.grid_code.support
    if not b.supports or rule is None or reading.f_mains <= 0.0:
        return 1.0
    share = 1.0 - rule.per_hz * max(0.0, reading.f_mains - rule.over * b.f_nominal)
    if rule.high:
        low, high = rule.high
        u = max(reading.u_house[: b.legs]) / b.u_nominal
        share = min(share, 1.0 - (u - low) / (high - low))
    return min(1.0, max(0.0, 1.0 - b.support_gain * (1.0 - min(1.0, share))))
