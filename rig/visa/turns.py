"""One instrument and all who ask it, on whatever transport: a line at a time, in the order in which they came.

What a line costs (Device.latency) passes on the bench's clock before the instrument acts; then its reply goes to who
asked and to nobody else. A line of somebody whom a lock keeps out waits for it. Everything here happens under the
clock's lock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, Protocol

from rig.clock import RealClock
from rig.visa.device import Device, Disconnected, Dropped
from rig.visa.locks import Locks


class Asker(Protocol):
    """One client of an instrument."""

    def answered(self, tag: int, reply: bytes | None) -> None:
        """Its line was worked on. tag: what it asked with. reply: None when there is none."""
        ...

    def cut(self, part: bytes) -> None:
        """The line to it breaks in the middle of a reply. part: what still gets through."""
        ...


class _Turn(NamedTuple):
    asker: Asker
    tag: int
    line: str


class Turns:
    """The queue before one instrument."""

    def __init__(self, device: Device, clock: RealClock) -> None:
        self.device, self.clock = device, clock
        self.locks = Locks(clock, self._next)
        self.gone = False
        self._asked: deque[_Turn] = deque()
        self._busy = False
        self._gone: list[Callable[[], None]] = []

    def when_gone(self, call: Callable[[], None]) -> None:
        """Call when the instrument is unplugged."""
        self._gone.append(call)

    def ask(self, asker: Asker, tag: int, line: str) -> None:
        """Put a line behind those that wait."""
        self._asked.append(_Turn(asker, tag, line))
        self._next()

    def waits(self, asker: Asker) -> bool:
        """A line of this client is not worked on yet."""
        return any(turn.asker is asker for turn in self._asked)

    def forget(self, asker: Asker) -> None:
        """Drop its lines that wait."""
        self._asked = deque(turn for turn in self._asked if turn.asker is not asker)

    def leave(self, asker: Asker) -> None:
        """Its client is gone, and its locks with it. What the instrument has taken it still does, as one does with its
        input buffer; a line that a lock kept out was never taken."""
        if not self.locks.allowed(asker):
            self.forget(asker)
        self.locks.forget(asker)

    def close(self) -> None:
        """No further line is worked on."""
        self.gone = True
        self._asked.clear()

    def _next(self) -> None:
        """Begin with the next line, if none is being worked on."""
        while not self._busy and not self.gone and (turn := self._take()) is not None:
            self._busy = True
            latency = self.device.latency(turn.line)
            if latency > 0.0:
                self.clock.at(self.clock.now() + latency, partial(self._later, turn))
                return
            self._work(turn)

    def _take(self) -> _Turn | None:
        """The first that no lock keeps out."""
        for turn in self._asked:
            if self.locks.allowed(turn.asker):
                self._asked.remove(turn)
                return turn
        return None

    def _later(self, turn: _Turn) -> None:
        self._work(turn)
        self._next()

    def _work(self, turn: _Turn) -> None:
        if not self.gone:
            try:
                turn.asker.answered(turn.tag, self.device.process(turn.line))
            except Dropped as dropped:
                turn.asker.cut(dropped.part)
            except Disconnected:
                self.close()
                for call in self._gone:
                    call()
        self._busy = False
