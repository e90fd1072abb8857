"""The house: both legs of the load as one. Several boxes acting in order is a bench verb."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rig.errors import EnvelopeError
from rig.metrology.measurement import Measurement
from rig.roles import ElectronicLoad


class House:
    """One electronic load a leg. power: W, 0 or more, from the home side."""

    def __init__(self, legs: Sequence[ElectronicLoad]) -> None:
        self.legs = tuple(legs)

    @property
    def power_rating(self) -> float:
        """W all legs together can draw."""
        return sum(leg.rating.power for leg in self.legs)

    def draw(self, power: float, shares: Sequence[float] | None = None) -> None:
        """Draw power (W) from the house bus, split over the legs. shares: fraction of each, equal when not given."""
        shares = shares if shares is not None else [1.0 / len(self.legs)] * len(self.legs)
        if len(shares) != len(self.legs) or abs(sum(shares) - 1.0) > 1e-9 or min(shares) < 0:
            raise EnvelopeError(f"house: shares {list(shares)} must be {len(self.legs)} fractions that add up to 1")
        for leg, share in zip(self.legs, shares, strict=True):
            leg.draw(power * share)

    @contextmanager
    def drawing(self, power: float, shares: Sequence[float] | None = None) -> Iterator[None]:
        """Draw for as long as the block runs; the loads open again when it ends, however it ends."""
        self.draw(power, shares)
        try:
            yield
        finally:
            self.draw(0.0)

    def power(self) -> Measurement:
        """W really drawn, all legs; the legs' budgets side by side (their errors taken as uncorrelated)."""
        read = [leg.power() for leg in self.legs]
        budget = tuple(component for one in read for component in one.budget)
        value = sum(one.value for one in read)
        source = " + ".join(one.source for one in read)
        return Measurement("house_power", value, "W", budget, source, max(one.at for one in read))
