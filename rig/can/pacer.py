"""Cyclic frames on one thread: each on its own pace, and those due at one moment in the order in which they began.

A thread for each frame would do for the pace, but threads that wake together run in any order, and a charger says 0x108
before 0x109 (chademo.md 0).
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable

from rig.can.frame import Frame
from rig.clock import FIRST, Stopwatch, take_precedence


class Pacer:
    """send: puts a frame on the wire, on the pacer's thread. failed: told why it could not; that cycle goes on."""

    def __init__(self, send: Callable[[Frame], None], failed: Callable[[Frame, Exception], None]) -> None:
        self._send, self._failed = send, failed
        self._watch = Stopwatch()
        self._cycles: dict[int, _Cycle] = {}
        self._due: list[tuple[float, int, _Cycle]] = []
        self._begun = 0
        self._over = False
        self._wake = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="CAN cycles", daemon=True)
        self._thread.start()

    def begin(self, frame: Frame, period: float) -> None:
        """Every period, s, from now on, in the place of an earlier cycle of that id."""
        with self._wake:
            self._begun += 1
            self._cycles[frame.id] = cycle = _Cycle(frame, period, self._begun)
            heapq.heappush(self._due, (self._watch.seconds(), cycle.number, cycle))
            self._wake.notify()

    def say(self, frame: Frame) -> None:
        """Other bytes from its next sending on; nothing where there is no such cycle."""
        with self._wake:
            if (cycle := self._cycles.get(frame.id)) is not None:
                cycle.frame = frame

    def end(self, number: int) -> bool:
        """No more of this id. Whether there was a cycle."""
        with self._wake:
            return self._cycles.pop(number, None) is not None

    def end_all(self) -> tuple[int, ...]:
        """No more of any. The ids there were."""
        with self._wake:
            ended = tuple(self._cycles)
            self._cycles.clear()
        return ended

    def close(self) -> None:
        """End the thread. No frame leaves afterwards."""
        with self._wake:
            self._over = True
            self._cycles.clear()
            self._wake.notify()
        self._thread.join()

    def _run(self) -> None:
        take_precedence(FIRST)
        while (cycle := self._next()) is not None:
            frame = cycle.frame
            try:
                self._send(frame)
            except Exception as error:  # noqa: BLE001 (whatever an adapter's library raises; the cycle must go on)
                self._failed(frame, error)

    def _next(self) -> _Cycle | None:
        """Wait for the next that is due, and set the time of its one after: on its pace, or from now on where that is
        over already, so that what was missed does not come in a burst. None at the end."""
        with self._wake:
            while not self._over:
                now = self._watch.seconds()
                if not self._due or self._due[0][0] > now:
                    self._wake.wait(self._due[0][0] - now if self._due else None)
                    continue
                due, number, cycle = heapq.heappop(self._due)
                if self._cycles.get(cycle.frame.id) is cycle:
                    heapq.heappush(self._due, (max(due + cycle.period, now), number, cycle))
                    return cycle
        return None


class _Cycle:
    """A frame and its period, s. number: of its beginning."""

    __slots__ = ("frame", "number", "period")

    def __init__(self, frame: Frame, period: float, number: int) -> None:
        self.frame, self.period, self.number = frame, period, number
