"""What a rule is: a duty of one side, with its source, and a judge that watches for it.

A rule is data; a judge is its running state in one session stream. Judges look only when something they hear changed,
or when the moment they named (`due`) has come, so an unchanged frame costs them nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, Protocol

from rig.chademo.messages import Confidence, Side
from rig.chademo.session import Kind, Session


class RuleState(Enum):
    """kept: the occasion came and nothing broke it. unknown: not enough was seen to say."""

    KEPT = "kept"
    BROKEN = "broken"
    UNKNOWN = "unknown"


class Breach(NamedTuple):
    """What was found against what was allowed, in one unit, and one line about it."""

    value: float
    limit: float
    message: str


class Judge(Protocol):
    """The running state of one rule."""

    due: float
    """s; look again then even if nothing changes; inf for never."""

    seen: bool
    """The occasion to break or keep the rule came at least once."""

    def look(self, now: float, s: Session) -> Breach | None:
        """The session changed, or `due` has come. A lasting breach is told once, when it begins."""
        ...

    def forget(self) -> None:
        """A new session begins; `seen` stays."""
        ...


@dataclass(frozen=True, slots=True)
class Rule:
    """One duty.

    duty: whose. requirements: ids of the requirement catalogue it supports. tolerance: what is allowed beyond the bare
    figure, and why. hears: what the judge reacts to. unit: of a finding's value and limit. shows: the frame id shown as
    evidence for a deadline; 0: the first one that what it hears names.
    """

    id: str
    title: str
    duty: Side
    source: str
    confidence: Confidence
    tolerance: str
    unit: str
    hears: tuple[Kind, ...]
    judge: Callable[[], Judge]
    requirements: tuple[str, ...] = ()
    shows: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule was broken at `at` (s). frame: the frame that showed it, id and bytes in hex; empty without one."""

    rule: str
    state: RuleState
    at: float
    frame: str
    value: float
    limit: float
    unit: str
    message: str

    def __str__(self) -> str:
        return f"{self.at:.3f} s {self.rule}: {self.message}" + (f" [{self.frame}]" if self.frame else "")


@dataclass(frozen=True, slots=True)
class RuleVerdict:
    """How a rule came out of a session. first: the finding that broke it. count: how often it was broken."""

    rule: Rule
    state: RuleState
    first: Finding | None = None
    count: int = 0
