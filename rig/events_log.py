"""What happened on wires, contacts and bus during a test, each with its moment: for the timing duties of a session.

Wires and contacts carry the stamp of the vehicle interface, frames the time the bus heard them. A question for
something that never happened has an answer as well: NEVER, whose time is inf, so that a duration to it is inf too.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from rig.bench import Bench
from rig.can.frame import Frame
from rig.chademo.codec import Message, decode
from rig.chademo.events import ContactorMoved, WireChanged
from rig.metrology.measurement import Measurement
from rig.metrology.timing import duration

FRAME_U = 0.5e-3
"""s, standard uncertainty of a frame's time (project choice: an adapter that stamps, and a frame's own 0.23 ms)."""

Change = WireChanged | ContactorMoved
M = TypeVar("M", bound=Message)


@dataclass(frozen=True, slots=True)
class Instant:
    """at: s of the bench, inf for what did not happen. u: s, its standard uncertainty. what: in words."""

    at: float
    u: float
    what: str

    @property
    def happened(self) -> bool:
        """Whether it did."""
        return math.isfinite(self.at)

    def until(self, end: Instant, name: str) -> Measurement:
        """s from here to another instant; inf when that never came."""
        return duration(name, self.at, end.at, self.u, end.u, f"{self.what} to {end.what}")


class EventsLog:
    """Hears a bench between `begin` and `end`."""

    def __init__(self, bench: Bench) -> None:
        self._vehicle = bench.vehicle
        self._changes: list[tuple[Change, Instant]] = []
        self._frames: dict[int, list[tuple[float, bytes]]] = {}
        self._open = False
        bench.vehicle.subscribe(self._felt)
        bench.bus.watch(self._heard)

    def begin(self) -> None:
        """Listen, with everything before forgotten."""
        self._changes.clear()
        self._frames.clear()
        self._open = True

    def end(self) -> None:
        """Listen no more."""
        self._open = False

    # -- what is asked

    def change(self, change: Change, since: float = 0.0) -> Instant:
        """The first time at or after `since` (s) that a wire or contact took this state."""
        found = (instant for seen, instant in self._changes if seen == change and instant.at >= since)
        return next(found, Instant(math.inf, 0.0, f"{_words(change)} (never)"))

    def said(self, kind: type[M], so: Callable[[M], bool], what: str, since: float = 0.0) -> Instant:
        """The first frame at or after `since` (s) whose message is of that kind and is so. what: its words."""
        found = (at for at, message in self.messages(kind) if at >= since and so(message))
        at = next(found, math.inf)
        return Instant(at, FRAME_U, what if math.isfinite(at) else f"{what} (never)")

    def messages(self, kind: type[M]) -> list[tuple[float, M]]:
        """(s, message) of every frame of a kind, in order."""
        found: list[tuple[float, M]] = []
        for id in sorted(self._frames):
            for at, data in self._frames[id]:
                message = decode(Frame(id, data))
                if not isinstance(message, kind):
                    break  # an id carries one kind
                found.append((at, message))
        return found

    def times(self, id: int, since: float = 0.0, until: float = math.inf) -> list[float]:
        """s of every frame of an identifier in a window."""
        return [at for at, _ in self._frames.get(id, []) if since <= at <= until]

    # -- what comes in

    def _felt(self, at: float, change: Change) -> None:
        if self._open:
            self._changes.append((change, Instant(at, self._vehicle.stamp_u / math.sqrt(3), _words(change))))

    def _heard(self, at: float, sender: str, frame: Frame) -> None:
        if self._open:
            self._frames.setdefault(frame.id, []).append((at, frame.data))


def _words(change: Change) -> str:
    if isinstance(change, ContactorMoved):
        return f"vehicle contactors {'closed' if change.closed else 'open'}"
    return f"{change.wire} {'on' if change.on else 'off'}"
