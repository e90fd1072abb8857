"""One bench on the page: what its file says, who has it, and the run that is on it or was on it last."""

from __future__ import annotations

import signal
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from console.emergency import Emergency
from console.processes import Handle, Started
from console.record import Record
from rig.live.link import Link
from rig.live.messages import (
    Answer,
    Asked,
    EmergencyStop,
    Hello,
    Moment,
    Order,
    Settled,
    Standing,
    Stop,
)

MOMENTS = 4096
"""Moments that are kept for a page that comes later."""


@dataclass(frozen=True)
class BenchFacts:
    """What a bench file says. resources: what a run must have for itself, by name, none of an emulated bench. lease:
    folder that tells who has them. parts: name, driver and resource of each."""

    name: str
    file: Path
    profile: str
    title: str
    kind: str
    clock: str
    parts: tuple[tuple[str, str, str], ...]
    resources: tuple[str, ...] = ()
    lease: Path | None = None


class BenchRun:
    """A run on a bench, begun here or elsewhere."""

    def __init__(self, started: Started | None = None) -> None:
        self.started = started
        self.link: Link | None = None
        self.hello: Hello | None = None
        self.standing = Standing(state="opening")
        self.record: Record | None = None
        self.process = None if started is None else Handle(started.pid)
        self.supervisor: Handle | None = None
        self.asked: dict[int, Asked] = {}
        self.moments: deque[Moment] = deque(maxlen=MOMENTS)
        self.seen = 0
        """Moments that ever came."""
        self.emergency: Emergency | None = None
        self.ended = False
        self.code: int | None = None
        self._gone = False
        """Nobody was left to write at the turn before."""

    def attach(self, link: Link, hello: Hello) -> None:
        """Its socket was found."""
        self.link, self.hello = link, hello
        if self.process is None:
            self.process = Handle(hello.pid)
        if hello.supervisor:
            self.supervisor = Handle(hello.supervisor)
        self.record = Record(Path(hello.folder), _part(Path(hello.folder)))

    def turn(self) -> bool:
        """Take what has come; whether the page would look different."""
        changed = False
        if self.link is not None and not self.link.over:
            for word in self.link.words():
                changed |= not isinstance(word, Moment)
                self.take(word)
        read = self.record is not None and self.record.turn()
        changed |= read
        if self.started is not None:
            self.code = self.started.code()
        if not self.ended and self._over(read):
            self.ended = changed = True
            self.asked.clear()
        if self.emergency is not None:
            before = self.emergency.shown()
            self.emergency.heard = self.emergency.heard or bool(self.standing.halted)
            self.emergency.turn()
            changed |= self.emergency.shown() != before
        return changed

    def take(self, word: object) -> None:
        """What the run said."""
        match word:
            case Moment():
                self.moments.append(word)
                self.seen += 1
            case Standing():
                self.standing = word
            case Asked():
                self.asked[word.number] = word
            case Settled():
                self.asked.pop(word.number, None)
            case _:
                pass

    def order(self, order: Order) -> bool:
        """Whether it could be told."""
        if isinstance(order, Answer):
            self.asked.pop(order.number, None)
        return self.link is not None and not self.link.over and self.link.order(order)

    def tell_emergency(self, by: str) -> bool:
        """As Target."""
        return self.order(EmergencyStop(by))

    def stop(self) -> bool:
        """End it as Ctrl-C does."""
        if self.order(Stop()):
            return True
        return self.process is not None and self.process.signal(signal.SIGINT)

    def press(self, by: str) -> None:
        """An emergency stop. A second press while the first is on its way is the same one."""
        if self.emergency is None:
            self.emergency = Emergency(self, by)

    def close(self) -> None:
        """Let go of it; it goes on."""
        for one in (self.link, self.process, self.supervisor):
            if one is not None:
                one.close()

    def _over(self, read: bool) -> bool:
        """Its process and its supervisor have ended, and everything they wrote has been read. read: something was read
        just now."""
        if self.process is None or not self.process.dead or (self.supervisor is not None and not self.supervisor.dead):
            return False
        was, self._gone = self._gone, True
        return was and not read

    def shown(self) -> dict[str, Any]:
        """For the page: everything but the moments."""
        record, hello, standing = self.record, self.hello, self.standing
        state = "ended" if self.ended else "stopping" if standing.state == "ended" else standing.state
        return {
            "state": state,
            "begun_here": self.started is not None,
            "test": "" if self.ended else standing.test,
            "halted": standing.halted,
            "pace": standing.pace,
            "paced": hello is not None and hello.paced,
            "supervised": self.supervisor is not None,
            "folder": "" if hello is None else hello.folder,
            "power": 0.0 if hello is None else hello.power,
            "voltage": 0.0 if hello is None else hello.voltage,
            "legs": 2 if hello is None else hello.legs,
            "wired": hello is None or hello.wired,
            "tests": [] if hello is None else list(hello.tests),
            "outcomes": {} if record is None else record.outcomes,
            "counts": {} if record is None else record.counts,
            "verdicts": [] if record is None else list(record.verdicts)[-120:],
            "events": [] if record is None else list(record.events)[-160:],
            "parts": [] if record is None else record.parts,
            "rested": None if record is None or not record.rested else record.rested[-1][0],
            "asked": [msgspec.to_builtins(one) for one in self.asked.values()],
            "emergency": None if self.emergency is None else self.emergency.shown(),
            "code": self.code,
            "output": self.started.output() if self.ended and self.started and self.code not in (0, 1) else "",
        }


def _part(folder: Path) -> int:
    """The part of a run that is being written."""
    return 1 + sum(1 for _ in folder.glob("journal-*.jsonl")) if folder.is_dir() else 1
