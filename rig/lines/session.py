"""The host's end of a line: ask and be answered, and be told of what happens by itself.

A driver sees LineSession and cannot tell what is behind it. A request is repeated when its answer is lost or spoilt
(every request of such a box can be repeated without harm); each attempt has a new tag, so a late answer is never taken
for another one's. Silence is LostInstrument, a refusal InstrumentError with the box's own words.

SerialLines stands on a real port: a thread reads it, and hands what the box tells by itself to the clock, so that
listeners run as events of the bench like everything else.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, Protocol

import serial

from rig.clock import Clock, Phase, VirtualClock
from rig.errors import InstrumentError, LostInstrument, UseError
from rig.lines.frame import TAGS, Line, Splitter, decode, encode

BAUD = 115_200
"""bit/s, 8-N-1 (project choice; every usual controller does it)."""
REPLY_WITHIN = 0.25
"""s a box has for its answer (project choice: the longest line takes 11 ms each way)."""
ATTEMPTS = 3
"""Times a request is sent before the box counts as lost (project choice)."""

Listener = Callable[[int, str], None]
"""Called with the number and the body of an event line."""


class LineSession(Protocol):
    """A line to one box. lock: held over exchanges that belong together; re-entrant."""

    resource: str
    lock: AbstractContextManager[Any]

    def request(self, body: str) -> str:
        """Send a request; the body of its reply. InstrumentError when refused, LostInstrument when not answered."""
        ...

    def subscribe(self, call: Listener) -> None:
        """Be told of every event line, from an event of the clock."""
        ...

    def close(self) -> None:
        """End the session. Idempotent; the box notices by its own watchdog."""
        ...


class Exchange:
    """Both sessions' core, without any input or output: numbers requests, sorts what comes back."""

    def __init__(self, resource: str) -> None:
        self.resource = resource
        self._tag = 0
        self._splitter = Splitter()
        self._answers: dict[int, Line | None] = {}
        self.events: list[Line] = []
        """Event lines that came and were not handed on yet."""
        self.spoilt = 0
        """Lines that came with a wrong checksum or none, since the start."""

    def begin(self, body: str) -> tuple[int, bytes]:
        """Tag and bytes of a new request. UseError when it cannot be a line."""
        self._tag = (self._tag + 1) % TAGS
        try:
            raw = encode(Line(">", self._tag, body))
        except ValueError as error:
            raise UseError(f"{self.resource}: {error}; shorten the request") from None
        self._answers[self._tag] = None
        return self._tag, raw

    def feed(self, data: bytes) -> None:
        """Bytes from the box."""
        for raw in self._splitter.feed(data):
            try:
                line = decode(raw)
            except ValueError:
                self.spoilt += 1
                continue
            if line.kind == "!":
                self.events.append(line)
            elif line.kind in "<-" and line.tag in self._answers:
                self._answers[line.tag] = line

    def answer(self, tag: int) -> Line | None:
        """The answer to a request, if it has come."""
        return self._answers.get(tag)

    def end(self, tag: int) -> None:
        """Wait for this answer no longer; if it still comes it is dropped."""
        self._answers.pop(tag, None)

    def understood(self, body: str, line: Line) -> str:
        """The body of a reply; a refusal raises in the box's own words."""
        if line.kind == "-":
            raise InstrumentError(self.resource, body, f"refused: {line.body}")
        return line.body

    def lost(self, body: str, words: str = "") -> LostInstrument:
        """Nothing came back, however often it was asked."""
        seen = f"; {self.spoilt} spoilt lines came, look at the wiring" if self.spoilt else ""
        words = words or f"no answer to {ATTEMPTS} requests; check that the box is on, its port and its baud rate"
        return LostInstrument(self.resource, body, words + seen)


class SerialLines:
    """LineSession over a pyserial port, on a real clock. A thread of its own reads."""

    POLL = 0.1
    """s after which the reading thread looks whether it shall end."""

    def __init__(self, port: serial.SerialBase, resource: str, clock: Clock) -> None:
        if isinstance(clock, VirtualClock):
            raise UseError(f'{resource}: virtual time cannot wait for a real port; write clock = "real" in the bench')
        self.resource = resource
        self.lock: AbstractContextManager[Any] = threading.RLock()
        self._port, self._clock = port, clock
        self._core = Exchange(resource)
        self._came = threading.Condition()
        self._listeners: list[Listener] = []
        self._failure, self._closed = "", False
        port.timeout = self.POLL
        self._thread = threading.Thread(target=self._read, name=f"lines of {resource}", daemon=True)
        self._thread.start()

    def request(self, body: str) -> str:
        """Send a request; the body of its reply."""
        with self.lock:
            for _ in range(ATTEMPTS):
                with self._came:
                    tag, raw = self._core.begin(body)
                self._send(body, raw)
                with self._came:
                    self._came.wait_for(lambda tag=tag: self._core.answer(tag) or self._failure, REPLY_WITHIN)  # type: ignore[misc]
                    line = self._core.answer(tag)
                    self._core.end(tag)
                if line is not None:
                    return self._core.understood(body, line)
                if self._failure:
                    break
            raise self._core.lost(body, self._failure)

    def subscribe(self, call: Listener) -> None:
        """Be told of every event line, from an event of the clock."""
        self._listeners.append(call)

    def close(self) -> None:
        """End the session. Idempotent."""
        if not self._closed:
            self._closed = True
            self._thread.join(timeout=10 * self.POLL)
            self._port.close()

    def _send(self, body: str, raw: bytes) -> None:
        if self._closed:
            raise LostInstrument(self.resource, body, "the session is closed; open the bench again")
        try:
            self._port.write(raw)
        except (serial.SerialException, OSError) as error:
            raise LostInstrument(self.resource, body, f"the port failed ({error}); check its cable") from None

    def _read(self) -> None:
        while not self._closed:
            try:
                data = self._port.read(max(1, self._port.in_waiting))
            except (serial.SerialException, OSError, TypeError) as error:  # TypeError: closed under its feet
                with self._came:
                    self._failure = f"the port failed ({error}); check its cable"
                    self._came.notify_all()
                return
            if not data:
                continue
            with self._came:
                self._core.feed(data)
                events, self._core.events = self._core.events, []
                self._came.notify_all()
            for line in events:
                self._clock.at(self._clock.now(), partial(self._tell, line), Phase.DELIVER)

    def _tell(self, line: Line) -> None:
        for call in tuple(self._listeners):
            call(line.tag, line.body)


def open_lines(resource: str, clock: Clock, baud: int = BAUD) -> SerialLines:
    """Open a serial port by its name or pyserial URL ("/dev/ttyUSB0", "socket://10.0.0.7:4001")."""
    try:
        port = serial.serial_for_url(resource, baudrate=baud, timeout=SerialLines.POLL, write_timeout=1.0)
    except (serial.SerialException, ValueError, OSError) as error:
        raise LostInstrument(resource, "open", f"cannot be opened ({error}); check the port's name") from None
    return SerialLines(port, resource, clock)
