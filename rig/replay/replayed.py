"""Replaying: sessions that answer from a record, in virtual time, and a node that says what the charger said.

An exchange takes the bench to the moment at which the recorded one ended; inside an event of the clock it takes no
time, as every exchange (rig.clock). The first divergence ends the replay: every part refuses from then on, so that no
number is made of answers to other questions.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from rig.can.bus import Bus, VirtualBus, bits_on_wire
from rig.can.frame import EXTENDED, Frame
from rig.clock import Clock, Phase
from rig.datagrams.session import Answers
from rig.errors import Diverged, InstrumentError, LostInstrument, UseError
from rig.lines.session import Listener
from rig.prompts import Prompt
from rig.replay.record import CAN, Event, Exchange, Head, Kind, Said, lines, read_head
from rig.replay.tape import Divergence, Tape

_FAULTS = {one.__name__: one for one in (InstrumentError, LostInstrument)}


class Replay:
    """A record in place of the instruments. diverged: the first divergence, one line; empty while there is none."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.folder, self._clock = folder, clock
        self.head: Head = read_head(folder)
        self.diverged = ""

    def session(self, part: str, transport: str) -> Any:
        """The session of a part. UseError where the record has none, or one of another kind."""
        known = self.head.parts.get(part)
        if known is None:
            raise UseError(f"{self.folder}: holds no part [{part}]; there are {', '.join(self.head.parts)}")
        if known.transport != transport:
            raise UseError(f"{self.folder}: [{part}] was recorded with {known.driver!r}; name that driver")
        place = Place(self, part, known.resource, self._clock)
        if transport == "lines":
            return ReplayedLines(place, lines(self.folder / f"{part}.events.jsonl", Event), self._clock)
        if transport == "modbus":
            return ReplayedModbus(place)
        if transport == "datagrams":
            return ReplayedDatagrams(place)
        return ReplayedPrompter(place) if transport == "prompts" else ReplayedSession(place)

    def speak(self, bus: Bus, bitrate: int) -> None:
        """Say on the bus what the charger said, when it said it."""
        assert isinstance(bus, VirtualBus)  # read_bench allows nothing else
        port = bus.attach("record", _deaf)

        def moments() -> Iterator[tuple[float, Callable[[], None]]]:
            for one in lines(self.folder / f"{CAN}.jsonl", Said):
                frame = Frame(one.id, bytes.fromhex(one.data))
                takes = bits_on_wire(len(frame.data), bool(frame.id & EXTENDED)) / bitrate
                yield (one.at if one.how == "sent" else one.at - takes), lambda frame=frame: port.send(frame)  # type: ignore[misc]

        _follow(self._clock, moments(), Phase.ACT)


class Place:
    """Where one part was, and its tape."""

    def __init__(self, replay: Replay, part: str, resource: str, clock: Clock) -> None:
        self.resource = resource
        self._replay, self._part, self._clock = replay, part, clock
        self._tape = Tape(lines(replay.folder / f"{part}.jsonl", Exchange))

    def answer(self, do: Kind, said: str) -> Exchange:
        """The recorded exchange, at its moment. Diverged, InstrumentError or LostInstrument as it was recorded."""
        if self._replay.diverged:
            raise self._gone(said)
        try:
            found = self._tape.answer(do, said, self._clock.now())
        except Divergence as error:
            self._replay.diverged = f"replay of {self._replay.folder}: [{self._part}] {self.resource}: {error}"
            raise self._gone(said) from None
        if (left := found.ended - self._clock.now()) > 0.0:
            self._clock.spend(left)
        if found.error:
            raise _FAULTS.get(found.error, InstrumentError)(self.resource, found.command, found.words)
        return found

    def _gone(self, said: str) -> Diverged:
        return Diverged(self.resource, said, self._replay.diverged)


class ReplayedSession:
    """A VISA session answered from a record."""

    def __init__(self, place: Place) -> None:
        self.resource, self._place = place.resource, place
        self.lock: AbstractContextManager[Any] = threading.RLock()

    def write(self, line: str) -> None:
        self._place.answer("write", line)

    def query(self, line: str) -> str:
        return self._place.answer("query", line).reply or ""

    def query_block(self, line: str) -> bytes:
        return self._place.answer("block", line).block or b""

    def close(self) -> None:
        """Nothing is open."""


class ReplayedLines:
    """A serial box answered from a record."""

    def __init__(self, place: Place, events: Iterator[Event], clock: Clock) -> None:
        self.resource, self._place = place.resource, place
        self.lock: AbstractContextManager[Any] = threading.RLock()
        self._listeners: list[Listener] = []
        _follow(clock, ((one.at, lambda one=one: self._tell(one)) for one in events), Phase.DELIVER)  # type: ignore[misc]

    def request(self, body: str) -> str:
        return self._place.answer("request", body).reply or ""

    def subscribe(self, call: Listener) -> None:
        self._listeners.append(call)

    def close(self) -> None:
        """Nobody is told any more."""
        self._listeners.clear()

    def _tell(self, event: Event) -> None:
        for call in tuple(self._listeners):
            call(event.tag, event.body)


class ReplayedDatagrams:
    """A node on UDP answered from a record. Its requests are numbered, so none may be left out or repeated."""

    def __init__(self, place: Place) -> None:
        self.resource, self._place = place.resource, place
        self.lock: AbstractContextManager[Any] = threading.RLock()

    def exchange(self, request: bytes, answers: Answers, within: float) -> bytes | None:
        reply = self._place.answer("datagram", request.hex()).reply
        return None if reply is None else bytes.fromhex(reply)

    def close(self) -> None:
        """Nothing is open."""


class ReplayedModbus:
    """A board on a Modbus line answered from a record."""

    def __init__(self, place: Place) -> None:
        self.resource, self._place = place.resource, place
        self.lock: AbstractContextManager[Any] = threading.RLock()

    def request(self, frame: bytes) -> bytes:
        return bytes.fromhex(self._place.answer("modbus", frame.hex()).reply or "")

    def close(self) -> None:
        """Nothing is open."""


class ReplayedPrompter:
    """A person's answers from a record."""

    def __init__(self, place: Place) -> None:
        self.resource, self._place = place.resource, place

    def ask(self, prompt: Prompt, within: float) -> str:
        return self._place.answer("ask", f"{prompt.verb} {prompt.value}".strip()).reply or ""

    def close(self) -> None:
        """Nobody is asked any more."""


def _deaf(at: float, frame: Frame) -> None:
    """What the car says now changes nothing of a record."""


def _follow(clock: Clock, moments: Iterator[tuple[float, Callable[[], None]]], phase: Phase) -> None:
    """Do each at its moment; only the next one is kept."""

    def arm() -> None:
        if (coming := next(moments, None)) is not None:
            when, do = coming

            def act() -> None:
                arm()
                do()

            clock.at(when, act, phase)

    arm()
