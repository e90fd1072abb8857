"""The few shapes nearly every rule has. A rule is one of these with its own conditions.

  Invariant   whenever it applies it holds, but for `grace` seconds
  After       from `limit` seconds after something began, and as long as it lasts, a condition holds
  Deadline    within `limit` seconds after something began, something happened; off again if the beginning ends
  Edge        at the moment something happens, a condition holds
  Envelope    a value stays below a limit that moves; where the limit falls the value may follow with a slope
  Slope       a value rises no faster than so much a second from frame to frame
  Constant    a value does not change while it is known
  Ceiling     a value never exceeds what it was first
  Latch       a level that has become True does not fall back
  Settled     once a target has been steady for a while, a condition holds

A test gives True (holds), None (does not apply) or the Breach. All conditions are functions of the session alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from rig.chademo.rules.rule import Breach
from rig.chademo.session import RUNNING, Session

Test = Callable[[Session], Breach | bool | None]
Level = Callable[[Session], bool]
Value = Callable[[Session], float | None]

NS = 2e-9
"""s, the least by which a moment that is waited for lies ahead, so that nobody waits for it again and again."""
Grace = float | Callable[[Session], float]


class Invariant:
    """Whenever `test` applies it holds; a breach counts once it has lasted `grace` s (as it was when it began)."""

    __slots__ = ("_grace", "_since", "_test", "_told", "_until", "due", "seen")

    def __init__(self, test: Test, grace: Grace = 0.0) -> None:
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
            if found:
                self.seen = True
            if self._since is not None:
                self.forget()
            return None
        if self._told:
            return None
        if self._since is None:
            self._since = now
            self._until = now + (self._grace(s) if callable(self._grace) else self._grace)
        if now < self._until:
            self.due = self._until
            return None
        self.due, self._told, self.seen = math.inf, True, True
        return found


class After:
    """From `limit` s after `begun` became true, and as long as it stays so, `test` holds.

    relieved: that `begun` ends before is as good (obeying takes away the reason).
    """

    __slots__ = ("_begun", "_limit", "_relieved", "_since", "_test", "_told", "due", "seen")

    def __init__(self, begun: Level, limit: float, test: Test, relieved: bool = False) -> None:
        self._begun, self._limit, self._test, self._relieved = begun, limit, test, relieved
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
            if self._since is not None:
                self.seen = self.seen or self._relieved
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
    """At the moment `level` goes from False to True, `test` holds. None: not known, no edge.

    start: what it is taken to be before the first look (a line's change is an edge even if nothing was known before).
    """

    __slots__ = ("_before", "_level", "_start", "_test", "due", "seen")

    def __init__(self, level: Callable[[Session], bool | None], test: Test, start: bool | None = None) -> None:
        self._level, self._test, self._start = level, test, start
        self._before = start
        self.seen = False
        self.due = math.inf
        self.forget()

    def forget(self) -> None:
        """The state before is not known; that of a line stays what it is."""
        if self._start is None:
            self._before = None

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
    """`value` stays at or below `limit` + tolerance. None: does not apply. The occasion: a value, or a limit of 0.

    Where the limit falls, the value may stay for `lag` s and then follow with `slope` (A/s) from where the limit was,
    or, if there was no limit (inf), from where the value was. A breach counts once it has lasted `grace` s.
    """

    __slots__ = (
        "_falls",
        "_grace",
        "_lag",
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
        grace: float = 0.0,
    ) -> None:
        self._value, self._limit, self._say = value, limit, say
        self._tolerance, self._slope, self._lag, self._grace = tolerance, slope, lag, grace
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
        allowed = self._allowed(now, limit)
        bar = value - self._tolerance(limit)
        if bar <= allowed:
            self.seen = self.seen or (value > 0 and math.isfinite(limit)) or (limit == 0 and s.phase in RUNNING)
            self._since, self._told = None, False
            self.due = self._crossing(now, bar, limit)
            return None
        return self._beyond(now, value, allowed)

    def _allowed(self, now: float, limit: float) -> float:
        if not self._falls:
            return limit
        falls = [(f.limit - self._slope * max(0.0, now - f.until - self._lag), f) for f in self._falls]
        self._falls = [f for left, f in falls if left > limit]
        return max([limit, *(left for left, _ in falls)])

    def _crossing(self, now: float, bar: float, limit: float) -> float:
        """The moment at which the falling allowance passes an unchanged value; never where the limit itself allows it.

        The hair added makes it certain that the value is beyond when that moment comes.
        """
        if bar <= limit or not self._falls:
            return math.inf
        return max(now + NS, NS + max(f.until + self._lag + (f.limit - bar) / self._slope for f in self._falls))

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


class Constant:
    """`of` does not change while it is known. None: not known, or free to change."""

    __slots__ = ("_of", "_was", "_what", "due", "seen")

    def __init__(self, of: Value, what: str) -> None:
        self._of, self._what = of, what
        self.due = math.inf
        self.seen = False
        self.forget()

    def forget(self) -> None:
        """Not known."""
        self._was: float | None = None

    def look(self, now: float, s: Session) -> Breach | None:
        """See `Judge.look`."""
        was, self._was = self._was, self._of(s)
        if self._was is None:
            return None
        self.seen = True
        if was is None or was == self._was:
            return None
        return Breach(self._was, was, f"{self._what} went from {was:g} to {self._was:g}")


class Ceiling:
    """`of` never exceeds what it was first, in a session seen from its beginning."""

    __slots__ = ("_first", "_of", "_say", "_told", "due", "seen")

    def __init__(self, of: Value, say: str) -> None:
        self._of, self._say = of, say
        self.due = math.inf
        self.seen = False
        self.forget()

    def forget(self) -> None:
        """Not known."""
        self._first: float | None = None
        self._told = False

    def look(self, now: float, s: Session) -> Breach | None:
        """See `Judge.look`."""
        value = self._of(s)
        if value is None:
            return None
        if self._first is None:
            self._first = value
        self.seen = self.seen or s.whole
        beyond = s.whole and value > self._first
        told, self._told = self._told, beyond
        if not beyond or told:
            return None
        return Breach(value, self._first, self._say.format(value=value, limit=self._first))


class Latch:
    """`level`, once True, stays True. None: not known. watched: keeping it False is an occasion as well."""

    __slots__ = ("_before", "_level", "_say", "_watched", "due", "seen")

    def __init__(self, level: Callable[[Session], bool | None], say: str, watched: bool = False) -> None:
        self._level, self._say, self._watched = level, say, watched
        self.seen = False
        self.due = math.inf
        self.forget()

    def forget(self) -> None:
        """The state before is not known."""
        self._before: bool | None = None

    def look(self, now: float, s: Session) -> Breach | None:
        """See `Judge.look`."""
        before, self._before = self._before, self._level(s)
        self.seen = self.seen or bool(self._before) or (self._watched and self._before is not None)
        if before is True and self._before is False:
            return Breach(0.0, 1.0, self._say)
        return None


class Settled:
    """Once `target` has not changed for `wait` s plus its last change over `slope`, `test` holds, and goes on to.

    target: None where there is none. A breach counts once it has lasted `grace` s.
    """

    __slots__ = ("_inner", "_ready", "_slope", "_target", "_wait", "_was", "due", "seen")

    def __init__(self, target: Value, test: Test, wait: float, slope: float, grace: float = 0.0) -> None:
        self._target, self._wait, self._slope = target, wait, slope
        self._inner = Invariant(test, grace)
        self.seen = False
        self.forget()

    def forget(self) -> None:
        """There is no target."""
        self._was: float | None = None
        self._ready = math.inf
        self._inner.forget()
        self.due = math.inf

    def look(self, now: float, s: Session) -> Breach | None:
        """See `Judge.look`."""
        target, was = self._target(s), self._was
        if target != was:
            self.forget()
            self._was = target
            change = 0.0 if target is None else abs(target - (was or 0.0))
            self._ready = math.inf if target is None else now + self._wait + change / self._slope
        if now < self._ready:
            self.due = self._ready
            return None
        found = self._inner.look(now, s)
        self.due, self.seen = self._inner.due, self.seen or self._inner.seen
        return found
