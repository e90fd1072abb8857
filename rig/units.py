"""Quantities, units and signs.

Inside the rig every number is a float in SI units: V, A, W, J, s, Hz, K differences in K, temperatures in degC.
State of charge is a fraction 0..1 (per cent only at the edges: CAN frames, reports). Angles are degrees at the
edges and radians only inside a formula.

Signs, everywhere
  DC current and DC power   positive into the battery (charging)
  AC power                  positive from mains to home side; EVPS AC power positive from the EVPS into the home
  discharge limits          positive numbers
"""

from __future__ import annotations

NS_PER_S = 1_000_000_000


def to_ns(seconds: float) -> int:
    """Whole nanoseconds nearest to seconds."""
    return round(seconds * NS_PER_S)


def to_s(nanoseconds: int) -> float:
    """Seconds of a count of nanoseconds."""
    return nanoseconds / NS_PER_S
