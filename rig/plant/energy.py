"""Where the energy went. The ledger is written by every step of the circuit; the account is what is shown of it.

The terminals of the account are the mains side of the PCS contact, the house loads and the CHAdeMO connector. Every
step books what leaves one place as what enters another, so the balance closes but for rounding.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EnergyAccount:
    """J since the plant began. mains: in from the mains. house: into the house loads, per leg. dc: into the vehicle.
    loss: heat in the EVPS, contactor and bleed. stored: held in its link and output capacitor, empty at first.
    own: out of the EVPS's own accumulator. sun: out of what else feeds the house beside the mains."""

    mains: float
    house: tuple[float, float]
    dc: float
    loss: float
    stored: float
    own: float = 0.0
    sun: float = 0.0

    def residual(self) -> float:
        """J unaccounted for; rounding only."""
        return self.mains + self.own + self.sun - self.house[0] - self.house[1] - self.dc - self.loss - self.stored

    def turnover(self) -> float:
        """J: the scale for a relative residual."""
        house = abs(self.house[0]) + abs(self.house[1])
        return abs(self.mains) + self.sun + house + abs(self.dc) + abs(self.loss) + abs(self.own)


Mark = tuple[float, float, float, float, float, float, float, float]


class Ledger:
    """Running sums in J. ac: into the EVPS from the house bus."""

    __slots__ = ("ac", "dc", "house0", "house1", "loss", "mains", "own", "sun")

    def __init__(self) -> None:
        self.mains = self.house0 = self.house1 = 0.0
        self.ac = self.dc = self.loss = self.own = self.sun = 0.0

    def mark(self) -> Mark:
        """The sums, to come back to."""
        return self.mains, self.house0, self.house1, self.ac, self.dc, self.loss, self.own, self.sun

    def back_to(self, mark: Mark) -> None:
        """The sums as they were."""
        self.mains, self.house0, self.house1, self.ac, self.dc, self.loss, self.own, self.sun = mark
