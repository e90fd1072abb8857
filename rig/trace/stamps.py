"""Time stamps as a recorder wrote them to time that runs from 0 and never goes back. Knows no file.

up to BACK behind          two receivers' buffers: the frame is put at the time of the one before, and counted;
                           beyond DISORDER its true time is not known
one stamp out of line      a garbled digit: left out; the frame after it decides
beyond 2^31 us back        a GVRET counter of 32 bits has wrapped: time goes on
back for good              another recording follows
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from operator import sub

from rig.can.frame import Frame

BACK = 1_000_000
"""us a stamp may be behind the one before."""
DISORDER = 5_000
"""us behind that tell nothing of a frame's pace (recorded sessions: bursts of 0.2 to 5 ms)."""
AHEAD = 150_000
"""us a stamp may be ahead of the one before, before a second one must confirm it: a cycle and a half."""
WRAP = 1 << 32
"""us, a counter of 32 bits (GVRET hardware)."""

DIFFERENCES = 0.9
"""Share of the way forward that stamps have gone back again, from which on they are no times but differences."""
FEWEST = 40
"""Stamps that tell it."""

Held = tuple[int, int, Frame | None, str]
"""Line, us, frame, text of a frame whose stamp waits for the next one to confirm it."""
Told = tuple[int, int | None, Frame | None, str]
"""The same in time since the first frame; us None: the stamp was out of line."""


def are_differences(stamps: Sequence[int]) -> bool:
    """Whether stamps (us) count from the frame before (candump -t d): they come to nothing, however many they are."""
    steps = [now - before for before, now in pairwise(stamps)]
    forward, back = sum(step for step in steps if step > 0), -sum(step for step in steps if step < 0)
    return len(stamps) >= FEWEST and back > DIFFERENCES * forward


class Stamps:
    """Stamps in, microseconds since the first out (None for a stamp that is out of line)."""

    def __init__(self) -> None:
        self._first: int | None = None
        self._last = 0
        self._held: Held | None = None
        self.late = 0
        self.uncertain = False
        """The time of the frame told last is not known."""
        self.ended: tuple[int, int] | None = None
        """Line at which, and us by which, the clock went back for good."""

    @property
    def now(self) -> float:
        """s since the first frame."""
        return (self._last - (self._first or 0)) / 1e6

    def plain(self, at: int) -> bool:
        """A stamp like most: take it. False: ask `take`."""
        if self._held is not None or self._first is None or not 0 <= at - self._last <= AHEAD:
            return False
        self._last = at
        return True

    def plain_run(self, stamps: list[int]) -> list[float] | None:
        """Many stamps like most: take them all, their times in s. None: at least one is not; none was taken."""
        if self._held is not None or self._first is None or not stamps:
            return None
        steps = list(map(sub, stamps, [self._last, *stamps]))
        if min(steps) < 0 or max(steps) > AHEAD:
            return None
        self._last, first = stamps[-1], self._first
        return [(at - first) / 1e6 for at in stamps]

    def take(self, line: int, at: int, frame: Frame | None, text: str) -> list[Told]:
        """What can be told now."""
        self.uncertain = False
        if self._first is None:
            self._first = self._last = at
        step = at - self._last
        if -BACK <= step <= AHEAD:
            out = self._drop()
            self.late += step < 0
            self.uncertain = step < -DISORDER
            return [*out, self._tell((line, at, frame, text))]
        held = self._held
        if held is not None and -BACK <= at - held[1] <= AHEAD:
            return self._confirmed(held, (line, at, frame, text))
        out = self._drop()
        self._held = (line, at, frame, text)
        return out

    def _confirmed(self, held: Held, now: Held) -> list[Told]:
        """Two stamps agree that time has jumped."""
        self._held = None
        assert self._first is not None
        back = self._last - held[1]
        if back > WRAP // 2 and self._last <= WRAP:
            self._first -= WRAP
            self._last -= WRAP
        elif back > 0:
            self.ended = held[0], back
            return []
        return [self._tell(held), self._tell(now)]

    def _tell(self, held: Held) -> Told:
        assert self._first is not None
        self._last = max(self._last, held[1])
        return held[0], self._last - self._first, held[2], held[3]

    def _drop(self) -> list[Told]:
        held, self._held = self._held, None
        return [] if held is None else [(held[0], None, None, held[3])]

    def end(self) -> list[Told]:
        """The last stamp of a file cannot be confirmed: it stands if it is ahead."""
        if self._held is None or self._held[1] < self._last:
            return self._drop()
        held, self._held = self._held, None
        return [self._tell(held)]
