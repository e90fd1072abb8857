"""An emergency stop pressed on the page: who is told, in which order, and what became of it by the record.

  at once      the bench's supervisor, where it has one, by SIGTERM to its handle: the battery source goes off by its
               own hand, then it sees to the rest (docs/safety.md); and the run, which puts the press on record and
               brings everything to no energy
  after ASKED  a run that has not said that it heard: SIGINT, as Ctrl-C
  after TOLD   one that still has not come to its end: SIGTERM
The outcome is read from the evidence and from nothing else: CONFIRMED when every way down that was recorded after the
press was, the supervisor's own last look included where there is one. A run that ends without a word is UNCONFIRMED.
This is no safety function: the emergency stop that a person may rely on is a chain in hardware.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any, Protocol

from console.processes import Handle
from console.record import Record
from rig.clock import Stopwatch

ASKED, TOLD = 2.0, 15.0
"""s (project choice: longer than any event of a bench, and than the usual way down)."""


class Target(Protocol):
    """What is stopped. record: None before it has one."""

    record: Record | None
    supervisor: Handle | None
    process: Handle | None
    ended: bool

    def tell_emergency(self, by: str) -> bool:
        """Over its socket; whether that was there."""
        ...


class Emergency:
    """One press. It acts when it is made; `turn` follows it up."""

    def __init__(self, target: Target, by: str) -> None:
        self._target, self._watch = target, Stopwatch()
        self._steps: list[str] = []
        self._ladder: list[tuple[float, str, Callable[[], bool]]] = []
        record = target.record
        self._rested = 0 if record is None else len(record.rested)
        self._watched = 0 if record is None else len(record.watched)
        self.heard = False
        """The run has said that it heard."""
        self.state = "pressed"
        self.readings: tuple[str, ...] = ()
        supervisor, process = target.supervisor, target.process
        if supervisor is not None:
            self._do("the supervisor told", lambda: supervisor.signal(signal.SIGTERM))
        told = self._do("the run told", lambda: target.tell_emergency(by))
        if process is not None:
            self._ladder = [
                (ASKED if told else 0.0, "the run sent SIGINT", lambda: process.signal(signal.SIGINT)),
                (TOLD, "the run sent SIGTERM", lambda: process.signal(signal.SIGTERM)),
            ]
        self.turn()

    def turn(self) -> None:
        """Go on with what has not been heeded, and read what came of it."""
        now, target = self._watch.seconds(), self._target
        while self._ladder and now >= self._ladder[0][0] and not target.ended:
            _, words, act = self._ladder.pop(0)
            if not (self.heard and "SIGINT" in words):
                self._do(words, act)
        self._read()

    def shown(self) -> dict[str, Any]:
        """For the page."""
        return {"state": self.state, "steps": list(self._steps), "readings": list(self.readings)}

    def _do(self, words: str, act: Callable[[], bool]) -> bool:
        done = act()
        self._steps.append(f"{self._watch.seconds():.1f} s: {words}" + ("" if done else ": not there"))
        return done

    def _read(self) -> None:
        record, target = self._target.record, self._target
        found = [] if record is None else record.rested[self._rested :]
        last = [] if record is None else record.watched[self._watched :]
        if self.state == "pressed" and (found or last):
            self.state = "coming to rest"
        self.readings = tuple(line for _, lines in (found + last)[-2:] for line in lines)
        whole = target.ended and (record is None or record.whole)
        if any(not confirmed for confirmed, _ in found) and not (last and last[-1][0]):
            self.state = "UNCONFIRMED"
        elif target.supervisor is not None:
            if last:
                self.state = "CONFIRMED" if last[-1][0] else "UNCONFIRMED"
            elif whole and target.supervisor.dead:
                self.state = "UNCONFIRMED"
        elif whole:
            self.state = "CONFIRMED" if found else "UNCONFIRMED"
