"""The mains source's wave: its phase never breaks except where a jump is asked for.

Leg L1 is sqrt(2)*U*sin(2*pi*turns); leg L2 of a three-wire service is its antiphase. The phase runs on while the
output relay is open, as a grid simulator's oscillator does.
"""

from __future__ import annotations

import math

from rig.errors import UseError
from rig.plant.ports import Mains


class MainsSource:
    """What the grid simulator puts on the mains terminals."""

    def __init__(self, mains: Mains) -> None:
        self.now = mains
        self._since = 0.0
        self._turns = 0.0

    def turns(self, at: float) -> float:
        """Phase of leg L1 in turns, 0..1; at: s, not before the last change."""
        return (self._turns + self.now.f * (at - self._since)) % 1.0

    def change(self, mains: Mains, at: float) -> float:
        """Take a new state. Degrees (0..360) the wave of leg L1 was at, before any jump."""
        refuse_bad_mains(mains)
        before = self.turns(at)
        self.now, self._since = mains, at
        self._turns = (before + mains.phase / 360.0) % 1.0
        return before * 360.0


def refuse_bad_mains(mains: Mains) -> None:
    """UseError for what no source can do."""
    figures = (*mains.u, mains.f, mains.phase)
    if not all(math.isfinite(x) for x in figures) or min(mains.u) < 0 or mains.f <= 0 or not 0 <= mains.third < 1:
        raise UseError(
            f"mains {mains}: voltages must be 0 or more, the frequency above 0, all finite, third from 0 to below 1"
        )


def loaded_voltage(u: float, resistance: float, power: float) -> float:
    """V at the terminals of a source of u (V) behind a resistance (ohm) that gives power (W, signed). The upper
    solution; where there is none, half of u (the most a source can give)."""
    under = u * u - 4.0 * resistance * power
    return 0.5 * (u + math.sqrt(under)) if under > 0.0 else 0.5 * u
