"""A measured value with its uncertainty budget. Limits and verdicts live elsewhere: a value does not know its limit."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

Distribution = Literal["normal", "rectangular", "triangular", "u-shaped", "one-sided"]


@dataclass(frozen=True, slots=True)
class Component:
    """One line of an uncertainty budget (GUM, JCGM 100 clause 5).

    u: standard uncertainty of the input, in the input's own unit. sensitivity: unit of the measurand per unit of the
    input. source: where the figure comes from (accuracy file, certificate, method). dof: degrees of freedom of u, n - 1
    of n readings; infinite where it is a limit or a certificate's.
    """

    name: str
    u: float
    distribution: Distribution
    source: str
    sensitivity: float = 1.0
    dof: float = math.inf

    @property
    def contribution(self) -> float:
        """Standard uncertainty in the measurand's unit."""
        return abs(self.sensitivity) * self.u


@dataclass(frozen=True, slots=True)
class Measurement:
    """A value, its SI unit, its budget, and where it came from.

    unit: as in rig.units ("V", "A", "W", "s", "Hz", "1"). at: s, bench time of the sample or of the event's end.
    source: instrument and channel, or the method that made it. of: digests of captures it was computed from.
    """

    name: str
    value: float
    unit: str
    budget: tuple[Component, ...] = ()
    source: str = ""
    at: float = 0.0
    of: tuple[str, ...] = ()

    @property
    def u(self) -> float:
        """Combined standard uncertainty, inputs uncorrelated (JCGM 100, 5.1.2)."""
        return math.sqrt(math.fsum(c.contribution**2 for c in self.budget))

    @property
    def dof(self) -> float:
        """Effective degrees of freedom, by the formula of Welch and Satterthwaite (JCGM 100, G.4.1)."""
        lost = math.fsum(c.contribution**4 / c.dof for c in self.budget if c.dof > 0)
        if any(c.dof <= 0 and c.contribution > 0 for c in self.budget):
            return 0.0  # a spread of one reading says nothing
        return self.u**4 / lost if lost > 0 else math.inf

    def factor(self, k: float = 2.0) -> float:
        """Coverage factor that covers as much here as k does with endless degrees of freedom (JCGM 100, G.6.4): from
        Student's t with the next lower whole number of them, no smaller than k."""
        dof = self.dof
        if math.isinf(dof):
            return k
        from scipy.special import ndtr, stdtrit  # a fifth of what starting a run costs, and seldom needed

        return float(stdtrit(math.floor(dof), ndtr(k))) if dof >= 1 else math.inf

    def expanded(self, k: float = 2.0) -> float:
        """Expanded uncertainty U = k*u, k widened where the degrees of freedom are few."""
        return self.factor(k) * self.u if self.u else 0.0

    def less(self, exact: float) -> Measurement:
        """The same above a value that is known exactly: what was asked for, what was allowed."""
        return replace(self, value=self.value - exact)

    def named(self, name: str) -> Measurement:
        """The same measurement under another name."""
        return replace(self, name=name)
