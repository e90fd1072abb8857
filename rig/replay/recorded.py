"""Recording: sessions and a bus that write down what passes through them, and change nothing of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from rig.can.bus import Bus, BusPort, Receive, VirtualBus, Watch
from rig.can.frame import Frame
from rig.clock import Cancel, Clock
from rig.datagrams.session import Answers, DatagramSession
from rig.errors import InstrumentError
from rig.lines.session import LineSession, Listener
from rig.modbus.session import ModbusSession
from rig.prompts import Prompt, Prompter
from rig.replay.record import CAN, Event, Exchange, Head, Kind, Log, Said, new_record
from rig.scpi.driver import Session

CAR = "car"
"""The rig's own node: what it says follows from what it hears, and is said anew at a replay."""


class Recorder:
    """Writes the record of one bench into a new folder. UseError where it cannot begin."""

    def __init__(self, folder: Path, head: Head, clock: Clock) -> None:
        new_record(folder, head)
        self.folder, self._clock = folder, clock
        self._logs: list[Log] = []

    @property
    def problem(self) -> str:
        """Why the record is not whole; empty while it is."""
        return next((log.problem for log in self._logs if log.problem), "")

    def session(self, part: str, transport: str, session: Any) -> Any:
        """The session of a part, recorded."""
        log = self._log(part)
        if transport == "lines":
            return RecordedLines(session, self._clock, log, self._log(f"{part}.events"))
        if transport == "prompts":
            return RecordedPrompter(session, self._clock, log)
        if transport == "modbus":
            return RecordedModbus(session, self._clock, log)
        if transport == "datagrams":
            return RecordedDatagrams(session, self._clock, log)
        return RecordedSession(session, self._clock, log)

    def bus(self, bus: Bus) -> Bus:
        """What the emulated world is to speak on. Of a virtual bus it is written when a frame is given to it, so that
        frames that wait for one another do so again; of a real one when a frame has arrived."""
        log = self._log(CAN)
        if isinstance(bus, VirtualBus):
            return RecordedBus(bus, self._clock, log)

        def hear(at: float, sender: str, frame: Frame) -> None:
            if sender != CAR:
                log.add(Said(at, "heard", sender, frame.id, frame.data.hex()))

        bus.watch(hear)
        return bus

    def close(self) -> None:
        """The record is whole. Idempotent."""
        for log in self._logs:
            log.close()

    def _log(self, name: str) -> Log:
        log = Log(self.folder / f"{name}.jsonl")
        self._logs.append(log)
        return log


class _Writer:
    """Times an exchange and writes it, whatever became of it."""

    def __init__(self, clock: Clock, log: Log) -> None:
        self._clock, self._log = clock, log

    def _wrote(self, do: Kind, said: str, exchange: Callable[[], Any]) -> Any:
        began = self._clock.now()
        try:
            reply = exchange()
        except InstrumentError as error:
            kind, ended = type(error).__name__, self._clock.now()
            self._log.add(Exchange(began, ended, do, said, error=kind, words=error.words, command=error.command))
            raise
        ended = self._clock.now()
        if isinstance(reply, bytes):
            self._log.add(Exchange(began, ended, do, said, block=reply))
        else:
            self._log.add(Exchange(began, ended, do, said, reply))
        return reply


class RecordedSession(_Writer):
    """A VISA session."""

    def __init__(self, session: Session, clock: Clock, log: Log) -> None:
        super().__init__(clock, log)
        self.resource = session.resource
        self.lock: AbstractContextManager[Any] = session.lock
        self._session = session

    def write(self, line: str) -> None:
        with self.lock:
            self._wrote("write", line, lambda: self._session.write(line))

    def query(self, line: str) -> str:
        with self.lock:
            return str(self._wrote("query", line, lambda: self._session.query(line)))

    def query_block(self, line: str) -> bytes:
        with self.lock:
            return bytes(self._wrote("block", line, lambda: self._session.query_block(line)))

    def close(self) -> None:
        self._session.close()


class RecordedLines(_Writer):
    """A serial line to a box, and what the box tells by itself."""

    def __init__(self, session: LineSession, clock: Clock, log: Log, events: Log) -> None:
        super().__init__(clock, log)
        self.resource = session.resource
        self.lock: AbstractContextManager[Any] = session.lock
        self._session = session
        session.subscribe(lambda tag, body: events.add(Event(clock.now(), tag, body)))

    def request(self, body: str) -> str:
        with self.lock:
            return str(self._wrote("request", body, lambda: self._session.request(body)))

    def subscribe(self, call: Listener) -> None:
        self._session.subscribe(call)

    def close(self) -> None:
        self._session.close()


class RecordedPrompter(_Writer):
    """A person at a terminal."""

    def __init__(self, prompter: Prompter, clock: Clock, log: Log) -> None:
        super().__init__(clock, log)
        self.resource = prompter.resource
        self._prompter = prompter

    def ask(self, prompt: Prompt, within: float) -> str:
        said = f"{prompt.verb} {prompt.value}".strip()
        return str(self._wrote("ask", said, lambda: self._prompter.ask(prompt, within)))

    def close(self) -> None:
        self._prompter.close()


class RecordedDatagrams(_Writer):
    """A node on UDP. A request without an answer is written as one."""

    def __init__(self, session: DatagramSession, clock: Clock, log: Log) -> None:
        super().__init__(clock, log)
        self.resource = session.resource
        self.lock: AbstractContextManager[Any] = session.lock
        self._session = session

    def exchange(self, request: bytes, answers: Answers, within: float) -> bytes | None:
        def ask() -> str | None:
            reply = self._session.exchange(request, answers, within)
            return None if reply is None else reply.hex()

        with self.lock:
            reply = self._wrote("datagram", request.hex(), ask)
        return None if reply is None else bytes.fromhex(reply)

    def close(self) -> None:
        self._session.close()


class RecordedModbus(_Writer):
    """A board on a Modbus line."""

    def __init__(self, session: ModbusSession, clock: Clock, log: Log) -> None:
        super().__init__(clock, log)
        self.resource = session.resource
        self.lock: AbstractContextManager[Any] = session.lock
        self._session = session

    def request(self, frame: bytes) -> bytes:
        with self.lock:
            return bytes.fromhex(self._wrote("modbus", frame.hex(), lambda: self._session.request(frame).hex()))

    def close(self) -> None:
        self._session.close()


class RecordedBus:
    """A virtual bus as the emulated world sees it."""

    def __init__(self, bus: VirtualBus, clock: Clock, log: Log) -> None:
        self._bus, self._clock, self._log = bus, clock, log

    def attach(self, name: str, receive: Receive) -> BusPort:
        return _RecordedPort(self._bus.attach(name, receive), name, self._clock, self._log)

    def watch(self, call: Watch) -> Cancel:
        return self._bus.watch(call)

    def close(self) -> None:
        self._bus.close()


class _RecordedPort:
    def __init__(self, port: BusPort, name: str, clock: Clock, log: Log) -> None:
        self._port, self._name, self._clock, self._log = port, name, clock, log

    def send(self, frame: Frame) -> None:
        self._port.send(frame)
        self._log.add(Said(self._clock.now(), "sent", self._name, frame.id, frame.data.hex()))

    def cycle(self, frame: Frame, period: float) -> None:
        self._port.cycle(frame, period)
        self._log.add(Said(self._clock.now(), "sent", self._name, frame.id, frame.data.hex()))

    def close(self) -> None:
        self._port.close()
