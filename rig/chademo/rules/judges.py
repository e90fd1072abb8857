"""The few shapes nearly every rule has. A rule is one of these with its own conditions.

  Invariant   whenever it applies it holds, but for `grace` seconds
  After       from `limit` seconds after something began, and as long as it lasts, a condition holds
  Deadline    within `limit` seconds after something began, something happened; off again if the beginning ends
  Edge        at the moment something happens, a condition holds
  Envelope    a value stays below a limit that moves; where the limit falls the value may follow with a slope
  Slope       a value rises no faster than so much a second from frame to frame

A test gives True (holds), None (does not apply) or the Breach. All conditions are functions of the session alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from rig.chademo.rules.rule import Breach
from rig.chademo.session import Session

Test = Callable[[Session], Breach | bool | None]
Level = Callable[[Session], bool]
Value = Callable[[Session], float | None]

PATIENCE = 0.01
"""s, a judge waiting for a falling allowance looks no more often than this."""


class Invariant:
    """Whenever `test` applies it holds; a breach counts once it has lasted `grace` s."""

    __slots__ = ("_grace", "_since", "_test", "_told", "due", "seen")

    def __init__(self, test: Test, grace: float = 0.0) -> None:
        self._test, self._grace = test, grace
        self.seen = False
        self.forget()

    def forget(self) -> None:
        """Nothing is pending."""
        self._since: float | None = None
        self._told = False
        self.due = math.inf

    def look(self, now: float, s: Session) -> Breach | None:
        """See `Judge.look`."""
        found = self._test(s)
        if not isinstance(found, Breach):
            self.seen = self.seen or bool(found)
            self.forget()
            return None
        if self._told:
            return None
        if self._since is None:
            self._since = now
        if now < self._since + self._grace:
            self.due = self._since + self._grace
            return None
        self.due, self._told, self.seen = math.inf, True, True
        return found


class After:
    """From `limit` s after `begun` became true, and as long as it stays so, `test` holds."""

    __slots__ = ("_begun", "_limit", "_since", "_test", "_told", "due", "seen")

    def __init__(self, begun: Level, limit: float, test: Test) -> None:
        self._begun, self._limit, self._test = begun, limit, test
        self.seen = False
        self.forget()

    def forget(self) -> None:
        """Nothing has begun."""
        self._since: float | None = None
        self._told = False
        self.due = math.inf

    def look(self, now: float, s: Session) -> Breach | None:
        """See `Judge.look`."""
        if not self._begun(s):
            self.forget()
            return None
        if self._since is None:
            self._since = now
        if now < self._since + self._limit:
            self.due = self._since + self._limit
            return None
        self.due = math.inf
        found = self._test(s)
        if not isinstance(found, Breach):
            self.seen = self.seen or bool(found)
            self._told = False
            return None
        if self._told:
            return None
        self._told = self.seen = True
        return found


class Deadline:
    """`done` comes within `limit` s after `begun` became true, unless `begun` ends before.

    say: one line, with {value} and {limit} in s.
    """

    __slots__ = ("_begun", "_done", "_finished", "_limit", "_say", "_since", "due", "seen")

    def __init__(self, begun: Level, done: Level, limit: float, say: str) -> None:
        self._begun, self._done, self._limit, self._say = begun, done, limit, say
        self.seen = False
        self.forget()

    def forget(self) -> None:
        """Nothing has begun."""
        self._since: float | None = None
        self._finished = False
        self.due = math.inf

    def look(self, now: float, s: Session) -> Breach | None:
        """See `Judge.look`."""
        if self._since is None and not self._begun(s):
            return None
        if self._since is None:
            self._since = now
        if self._finished or self._done(s):
            self.seen = self._finished = True
            self.due = math.inf
            if not self._begun(s):
                self.forget()
            return None
        if not self._begun(s):
            self.forget()
            return None
        if now < self._since + self._limit:
            self.due = self._since + self._limit
            return None
        self.seen = self._finished = True
        self.due = math.inf
        return Breach(now - self._since, self._limit, self._say.format(limit=self._limit))


class Edge:
    """At the moment `level` goes from False to True, `test` holds. None: not known, no edge."""

    __slots__ = ("_before", "_level", "_test", "due", "seen")

    def __init__(self, level: Callable[[Session], bool | None], test: Test) -> None:
        self._level, self._test = level, test
        self.seen = False
        self.due = math.inf
        self.forget()

    def forget(self) -> None:
        """The state before is not known."""
        self._before: bool | None = None

    def look(self, now: float, s: Session) -> Breach | None:
        """See `Judge.look`."""
        before, self._before = self._before, self._level(s)
        if before is not False or self._before is not True:
            return None
        found = self._test(s)
        if isinstance(found, Breach):
            self.seen = True
            return found
        self.seen = self.seen or bool(found)
        return None


class Fall(NamedTuple):
    """A limit that was in force until a moment."""

    limit: float
    until: float


class Envelope:
    """`value` stays at or below `limit` + tolerance. None: does not apply.

    Where the limit falls, the value may stay for `lag` s and then follow with `slope` (A/s) from where the limit was,
    or, if there was no limit (inf), from where the value was. A breach counts once it has lasted `grace` s.
    `late`: s added to the lag, by the session (a reported value is older than a measured one).
    """

    __slots__ = (
        "_falls",
        "_grace",
        "_lag",
        "_late",
        "_limit",
        "_limit_was",
        "_say",
        "_since",
        "_slope",
        "_told",
        "_tolerance",
        "_value",
        "_value_was",
        "due",
        "seen",
    )

    def __init__(
        self,
        value: Value,
        limit: Value,
        say: str,
        *,
        tolerance: Callable[[float], float],
        slope: float,
        lag: float,
        late: Callable[[Session], float],
        grace: float = 0.0,
    ) -> None:
        self._value, self._limit, self._say = value, limit, say
        self._tolerance, self._slope, self._lag, self._late, self._grace = tolerance, slope, lag, late, grace
        self.seen = False
        self.forget()

    def forget(self) -> None:
        """No limit has been in force."""
        self._falls: list[Fall] = []
        self._limit_was = self._value_was = 0.0
        self._since: float | None = None
        self._told = False
        self.due = math.inf

    def look(self, now: float, s: Session) -> Breach | None:
        """See `Judge.look`."""
        value, limit = self._value(s), self._limit(s)
        if value is None or limit is None:
            self.forget()
            return None
        if limit < self._limit_was:
            was = self._limit_was if math.isfinite(self._limit_was) else max(self._value_was, value)
            self._falls.append(Fall(was, now))
        self._limit_was, self._value_was = limit, value
        allowed = self._allowed(now, limit, s)
        excess = value - allowed - self._tolerance(limit)
        if excess <= 0:
            self.seen = self.seen or (value > 0 and math.isfinite(limit)) or limit == 0
            self._since, self._told = None, False
            self.due = self._crossing(now, excess)
            return None
        return self._beyond(now, value, allowed)

    def _allowed(self, now: float, limit: float, s: Session) -> float:
        late = self._lag + self._late(s)
        falls = [(f.limit - self._slope * max(0.0, now - f.until - late), f) for f in self._falls]
        self._falls = [f for left, f in falls if left > limit]
        return max([limit, *(left for left, _ in falls)])

    def _crossing(self, now: float, excess: float) -> float:
        """The soonest moment at which an unchanged value could leave a falling allowance."""
        return now + max(PATIENCE, -excess / self._slope) if self._falls else math.inf

    def _beyond(self, now: float, value: float, allowed: float) -> Breach | None:
        if self._told:
            self.due = math.inf
            return None
        if self._since is None:
            self._since = now
        if now < self._since + self._grace:
            self.due = self._since + self._grace
            return None
        self.due, self._told, self.seen = math.inf, True, True
        return Breach(value, allowed, self._say.format(value=value, limit=allowed))


class Slope:
    """`value` rises by no more than `slope` (units a second) times the time since its frame before, plus `slack` s."""

    __slots__ = ("_frame", "_say", "_slack", "_slope", "_value", "_was", "due", "seen")

    def __init__(self, value: Value, frame: int, slope: float, slack: float, say: str) -> None:
        self._value, self._frame, self._slope, self._slack, self._say = value, frame, slope, slack, say
        self.seen = False
        self.due = math.inf
        self.forget()

    def forget(self) -> None:
        """No value before."""
        self._was: float | None = None

    def look(self, now: float, s: Session) -> Breach | None:
        """See `Judge.look`."""
        was, self._was = self._was, self._value(s)
        if was is None or self._was is None or self._was <= was:
            return None
        self.seen = True
        rise, most = self._was - was, self._slope * (s.slots[self._frame].gap + self._slack)
        if rise <= most:
            return None
        return Breach(rise, most, self._say.format(value=rise, limit=most))
