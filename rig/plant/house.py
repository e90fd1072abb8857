"""The house: a load a leg, and what its bus does when the EVPS alone feeds it.

Load law (contract of the electronic loads): constant power while the leg has half its nominal voltage or more, a
resistance of the same power at half voltage below. So an overloaded bus has a working point: it falls below half.

Forming: voltage behind a small droop, each leg within the stage's AC current, both legs within the power the battery
may give; where that is not enough the voltage gives way, both legs alike.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

HALF = 0.5
"""Fraction of nominal below which a load is a resistance (contract of the loads)."""


def leg_power(demand: float, u: float, nominal: float) -> float:
    """W a load of this demand (W) takes at u (V)."""
    low = HALF * nominal
    return demand if u >= low else demand * (u / low) ** 2


@dataclass(frozen=True, slots=True)
class Formed:
    """An islanded bus. u: V per leg, p: W per leg, held: the voltage is where it should be (no give-way)."""

    u: tuple[float, float]
    p: tuple[float, float]
    held: bool


DEAD = Formed((0.0, 0.0), (0.0, 0.0), False)


@dataclass(frozen=True, slots=True)
class FormingLimits:
    """nominal: V per leg. droops: fraction at leg_rated (W) of each leg. i_max: A per leg. legs: 1 or 2. level: of
    nominal, at no load."""

    nominal: float
    droops: tuple[float, float]
    leg_rated: float
    i_max: float
    legs: int
    level: float = 1.0


def form(demand: tuple[float, float], available: float, limits: FormingLimits) -> Formed:
    """The bus with demand (W per leg) and available (W, at the AC side, all legs)."""
    legs = range(limits.legs)
    wanted = sum(demand[leg] for leg in legs)
    if available < wanted or available <= 0.0:
        if available <= 0.0:
            return DEAD
        share = available / wanted
        low = HALF * limits.nominal
        u = [min(low * math.sqrt(share), _current_limited(demand[leg], leg, limits)) for leg in legs]
    else:
        u = [min(_drooped(demand[leg], leg, limits), _current_limited(demand[leg], leg, limits)) for leg in legs]
    held = all(u[leg] == _drooped(demand[leg], leg, limits) for leg in legs)
    p = [leg_power(demand[leg], u[leg], limits.nominal) for leg in legs]
    return Formed((u[0], u[1]), (p[0], p[1]), held) if limits.legs == 2 else Formed((u[0], 0.0), (p[0], 0.0), held)


def _drooped(demand: float, leg: int, limits: FormingLimits) -> float:
    return limits.nominal * (limits.level - limits.droops[leg] * min(demand / limits.leg_rated, 2.0))


def _current_limited(demand: float, leg: int, limits: FormingLimits) -> float:
    """V at which the load takes i_max; infinite where the limit does not bind."""
    if demand <= limits.i_max * _drooped(demand, leg, limits):
        return math.inf
    low = HALF * limits.nominal
    return min(low, limits.i_max * low * low / demand)
