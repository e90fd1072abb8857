"""What a planted defect is: a small change of a charger's behaviour, with one figure, and perhaps an occasion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from instruments.evps.behaviour import Behaviour

Change = Callable[[Behaviour, float], Behaviour]
IMAGINED = "imagination"


@dataclass(frozen=True, slots=True)
class Defect:
    """One kind. severity: its figure when none is given, in `unit`, gross; within least..most. nil: the figure at which
    it is no defect any more, None for one that is there or not. when: only on this occasion (occasions.py). source: the
    field failure it is drawn from, or imagination. beyond: why no procedure catches it; "" where one must."""

    name: str
    description: str
    breaks: tuple[str, ...]
    severity: float
    unit: str
    change: Change
    least: float = 0.0
    most: float = 1e6
    nil: float | None = None
    when: str = ""
    source: str = IMAGINED
    beyond: str = ""


def ignore(*causes: str) -> Change:
    """Does not look at these causes and inhibits."""
    return lambda b, _: replace(b, ignored=b.ignored | frozenset(causes))


def late(cause: str) -> Change:
    """A cause must hold for so many s."""
    return lambda b, seconds: replace(b, late=(*b.late, (cause, seconds)))


def deaf(name: str, cause: str, what: str, *breaks: str, source: str = IMAGINED) -> Defect:
    """A charger that goes on although something should end its session."""
    return Defect(f"ignores-{name}", f"goes on although {what}", breaks, 1.0, "1", ignore(cause), source=source)
