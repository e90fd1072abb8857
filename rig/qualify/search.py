"""The slightest severity that is still caught: bisection, as a machine that says what to try and is told what came.

The severities in between are halved on a straight scale, or by ratio where both ends are positive and far apart. That
what is caught at one severity is caught at every grosser one is an assumption; a defect that breaks it shows as two
thresholds for two seeds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

FAR = 20.0
"""Ratio of the ends from which it goes by ratio (project choice)."""


@dataclass
class Search:
    """nil: the severity at which there is no defect. gross: one that was caught. steps: to try at most."""

    nil: float
    gross: float
    steps: int = 7
    tried: list[tuple[float, bool]] = field(default_factory=list)
    done: bool = False

    @property
    def caught(self) -> float:
        """The slightest severity that was caught."""
        return next((severity for severity, caught in reversed(self.tried) if caught), self.gross)

    @property
    def missed(self) -> float:
        """The grossest severity that was not caught; nil when every one was."""
        return next((severity for severity, caught in reversed(self.tried) if not caught), self.nil)

    def next(self) -> float | None:
        """The severity to try now; None when it is over."""
        if self.done or len(self.tried) >= self.steps:
            return None
        a, b = self.missed, self.caught
        if min(a, b) > 0.0 and max(a, b) / min(a, b) > FAR:
            return math.sqrt(a * b)
        return 0.5 * (a + b)

    def tell(self, severity: float, caught: bool, enough: bool = False) -> None:
        """What came of it. enough: it need not be known any closer."""
        self.tried.append((severity, caught))
        self.done = self.done or enough
