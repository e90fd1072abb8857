"""The unit of work of a campaign, and what comes back of it.

A unit is one run of some procedures on one bench: (bench, profile, selection, depth, what is planted, seed). The same
unit on the same version gives the same outcomes wherever it runs, so one that was lost is simply run again, and its id
is what it is counted by.
"""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec

Depth = Literal["quick", "normal", "full"]
BAD = frozenset({"FAIL", "INCONCLUSIVE", "INVALID", "ERROR"})
"""Outcomes of a procedure that is neither passed nor left out."""


class Plant(msgspec.Struct, frozen=True):
    """A key of a bench part that spoils it: text as it stands in the bench file, a TOML value."""

    part: str
    key: str
    text: str


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    """suites: subjects, all when empty. tests: names of procedures (suites/…py::test[case]), all of the suites when
    empty. first: stop at the first that does not pass. case: what is planted, as people call it; severity: how much."""

    bench: str = "emulated"
    profile: str = ""
    suites: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    depth: Depth = "quick"
    seed: int = 0
    case: str = ""
    severity: float | None = None
    plants: tuple[Plant, ...] = ()
    first: bool = False

    @property
    def id(self) -> str:
        """Digest of all of it: the same unit has the same id on every machine."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:16]


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A judgement, or a rule that was broken (quantity empty, requirement the rule's id). minimum, maximum: the limit;
    expanded: U, 0 for a rule."""

    test: str
    requirement: str
    quantity: str
    verdict: str
    value: float
    minimum: float | None
    maximum: float | None
    expanded: float
    unit: str

    def beyond(self) -> float:
        """How far outside its limit the value lies, in its unit; negative inside, -inf where there is no limit."""
        over = float("-inf") if self.maximum is None else self.value - self.maximum
        under = float("-inf") if self.minimum is None else self.minimum - self.value
        return max(over, under)


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """Of one unit. outcomes: procedure -> its outcome. seconds: procedure -> s of the bench. failure: why the run as a
    whole could not be carried out, "" when it was."""

    unit: str
    outcomes: dict[str, str] = {}
    seconds: dict[str, float] = {}
    found: tuple[Found, ...] = ()
    bench_seconds: float = 0.0
    wall_seconds: float = 0.0
    failure: str = ""

    @property
    def failed(self) -> tuple[str, ...]:
        """Procedures that said FAIL, in the order they ran."""
        return tuple(test for test, outcome in self.outcomes.items() if outcome == "FAIL")

    @property
    def bad(self) -> tuple[str, ...]:
        """Procedures that did neither pass nor stay out."""
        return tuple(test for test, outcome in self.outcomes.items() if outcome in BAD)

    @property
    def judged(self) -> int:
        """Procedures that came to an outcome of their own."""
        return sum(outcome != "NOT RUN" for outcome in self.outcomes.values())
