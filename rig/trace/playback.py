"""A script played on a clock at its own times, aligned with the living side by what that side has done.

Where the living side is not yet as far as the recorded one was, the script is held: its last cycle is sent again and
again, as a side does that waits. Where the living side has already done what comes next in the recording, the script
leaps: cycles that say nothing new are left out, up to that moment. In both cases whole cycles are added or taken
away, so nobody sees a frame missing or a period broken; what is said after that moment keeps its recorded times.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rig.can.frame import Frame
from rig.chademo.messages import PERIOD
from rig.chademo.session import Session
from rig.clock import Cancel, Clock
from rig.trace.script import Event, Gate, Script

PATIENCE = 30.0
"""s it is held before it is given up (project choice: longer than any time of chademo.md 2)."""
SHORTEST = PERIOD / 2
"""s of a cycle that is sent again, at least: what a disordered recording can show may be less."""


@dataclass(frozen=True, slots=True)
class Passed:
    """A milestone the living side has reached. recorded: s of the recording. live: s of the bench, from where playing
    began. late: s by which it came later than the recording, as it was played, had it; negative: earlier. held: s."""

    name: str
    recorded: float
    live: float
    late: float
    held: float
    timed: bool


class Playback:
    """One playing. do: called with each event when it is due. session: what both sides have shown so far."""

    def __init__(
        self, clock: Clock, script: Script, do: Callable[[Event], None], session: Callable[[], Session]
    ) -> None:
        self._clock, self._script, self._do, self._session = clock, script, do, session
        self._events = script.events
        self._before = _before(script)
        self._waiting: list[Gate] = list(script.gates)
        self._held: dict[Gate, float] = {}
        self.passed: list[Passed] = []
        self.lacking: Gate | None = None
        """What the living side did not reach in time."""
        self.done = False
        self.leapt = 0.0
        """s left out."""
        self._said: dict[int, bytes] = {}
        self._began = self._offset = 0.0
        self._next = self._driven = 0
        self._cancel: Cancel | None = None

    def begin(self) -> None:
        """Now is 0 s of the recording."""
        self._began = self._offset = self._clock.now()
        self._plan()

    def look(self) -> None:
        """Something of the session has changed."""
        session, now = self._session(), self._clock.now()
        for gate in [gate for gate in self._waiting if gate.milestone.holds(session)]:
            self._waiting.remove(gate)
            held = self._held.get(gate, 0.0)
            late = now - (gate.at + self._offset - held)
            self.passed.append(Passed(gate.milestone.name, gate.at, now - self._began, late, held, gate.timed))

    def stop(self) -> None:
        """Play no more. Idempotent."""
        self.done = True
        if self._cancel is not None:
            self._cancel()

    def _plan(self) -> None:
        if self._next >= len(self._events):
            self.done = True
            return
        when = max(self._events[self._next][0] + self._offset, self._clock.now())
        self._cancel = self._clock.at(when, self._play)

    def _play(self) -> None:
        if self.done:
            return
        at, event = self._events[self._next]
        self.look()
        if self._leap():
            self._plan()
            return
        gate = next((gate for gate in self._waiting if gate.at <= at), None)
        if gate is not None:
            self._hold(gate)
            return
        if isinstance(event, Frame) or self._next >= self._driven:
            self._do(event)
        if isinstance(event, Frame):
            self._said[event.id] = event.data
        self._next += 1
        self._driven = max(self._driven, self._next)
        self._plan()

    def _leap(self) -> bool:
        """Leave out whole cycles that say nothing new before a moment that the living side has reached already."""
        at = self._events[self._next][0]
        ahead = next((gate for gate in self._script.gates if gate.at > at), None)
        if ahead is None or ahead in self._waiting:
            return False
        first = self._next
        while (after := self._cycle_from(self._next)) is not None and self._events[after][0] <= ahead.at:
            self._next = after
        self._driven = max(self._driven, self._next)
        left_out = self._events[self._next][0] - at
        self._offset -= left_out
        self.leapt += left_out
        return self._next > first

    def _cycle_from(self, n: int) -> int | None:
        """The event a cycle after event n, if everything between them has just been said the same; else None."""
        event = self._events[n][1]
        if not isinstance(event, Frame):
            return None
        for m in range(n, len(self._events)):
            other = self._events[m][1]
            if m > n and isinstance(other, Frame) and other.id == event.id:
                return m
            if not isinstance(other, Frame) or self._said.get(other.id) != other.data:
                return None
        return None

    def _hold(self, gate: Gate) -> None:
        """Send the last cycle again, or wait for a cycle where there is none."""
        self._driven = max(self._driven, self._next)
        back, cycle = self._before[self._next]
        for one in self._waiting:
            if one.at <= self._events[self._next][0]:
                self._held[one] = self._held.get(one, 0.0) + cycle
        if self._held[gate] > PATIENCE:
            self.lacking = gate
            self.stop()
            return
        self._offset += cycle
        self._next = back
        self._plan()


def _before(script: Script) -> list[tuple[int, float]]:
    """Of each event: the one from which on the last cycle is sent again, and how long that cycle takes (s)."""
    events, found = script.events, list[tuple[int, float]]()
    last: dict[int, int] = {}
    following: list[int | None] = [None] * (len(events) + 1)
    for n in range(len(events) - 1, -1, -1):
        following[n] = n if isinstance(events[n][1], Frame) else following[n + 1]
    for n, (_, event) in enumerate(events):
        frame = following[n]
        back, cycle = n, PERIOD
        if frame is not None:
            ahead = events[frame][1]
            assert isinstance(ahead, Frame)
            if ahead.id in last:
                span = events[frame][0] - events[last[ahead.id]][0]
                if SHORTEST <= span <= 2 * PERIOD:
                    back, cycle = last[ahead.id], span
        elif last:
            first = max(0, n - len(last))
            back, cycle = first, PERIOD
        found.append((back, cycle))
        if isinstance(event, Frame):
            last[event.id] = n
    return found
