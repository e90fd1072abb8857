"""`python -m rig.can.carrier DESCRIPTOR`: a process that does nothing but keep a bus in time for another one.

Theory
  A rig computes between two frames: waves, uncertainty, journal. All of it holds Python's interpreter lock, and a
  periodic task in the same process waits for that lock, however high its priority (`make bench` prints by how much).
  What arrives is stamped late in the same way where the operating system does not stamp, and a charger would be blamed
  for it. So a bus whose cyclic frames no kernel keeps has a process of its own. It is to the rig what the broadcast
  manager of SocketCAN is: told a cycle and its bytes, it sends; each frame that left comes back with its stamp.

  The socket between the two is the rig's life. When it closes, and when the rig has not been heard for SILENCE, every
  cycle ends: a car that says "enabled" for ever because its process is gone would be worse than a silent one.

Records both ways are of one size (RECORD): kind, length of the data, id with EXTENDED, data, and a number. A text
follows the records of REFUSED and FAILED, whose number is its length in bytes. Before all of them goes a line of JSON:
arguments for can.Bus, and whether the interface echoes and stamps.
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import sys
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import BinaryIO

import can

from rig.can.frame import Frame
from rig.can.pacer import Pacer
from rig.can.python_can import data_frame, message_of
from rig.clock import FIRST, Stopwatch, take_precedence, wall

RECORD = struct.Struct("<BBxxI8sd")
SEND, BEGIN, SAY, END, BEAT = range(1, 6)
"""Of the rig: send this frame; begin a cycle (number: period, s); other bytes; end it; still here."""
OPENED, HEARD, LEFT, ENDED, REFUSED, FAILED = range(11, 17)
"""To the rig: it is open; a frame came (number: wall stamp, s since 1970); one of a cycle left (the same); a cycle was
ended here; sending failed; receiving, or opening, failed."""

POLL = 0.1
"""s after which the listening thread looks whether the rig is there (project choice)."""
SILENCE = 0.5
"""s without a word of the rig after which its cycles end (project choice: half of the 1 s after which a charger must
see a silence, chademo.md 2, CAN timeout)."""
FAILURES = 3
"""Receptions that fail one after another before no more is tried (project choice)."""
ECHO_WITHIN = 0.5
"""s in which an own frame may come back (project choice)."""
MOST_AWAITED = 256
"""Different frames that may still come back; on an interface that loses them, those too old are forgotten then."""
BUFFER = 1 << 20
"""Bytes of the socket: minutes of a busy bus."""


def record(kind: int, frame: Frame | None = None, number: float = 0.0) -> bytes:
    """One record."""
    if frame is None:
        return RECORD.pack(kind, 0, 0, b"", number)
    return RECORD.pack(kind, len(frame.data), frame.id, frame.data, number)


def told(kind: int, text: str) -> bytes:
    """A record and its text."""
    body = text.encode("utf-8", "replace")
    return record(kind, None, len(body)) + body


class Echoes:
    """Own frames that an interface brings back are no news: one copy of each that was sent is our own, a second one is
    somebody else's. Times in s."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sent: dict[Frame, deque[float]] = {}

    def expect(self, frame: Frame, now: float) -> None:
        """It is on its way."""
        with self._lock:
            self._sent.setdefault(frame, deque()).append(now)
            if len(self._sent) > MOST_AWAITED:
                self._sent = {one: at for one, at in self._sent.items() if now - at[-1] <= ECHO_WITHIN}

    def is_one(self, frame: Frame, now: float) -> bool:
        """Whether this is one of ours."""
        with self._lock:
            sent = self._sent.get(frame, deque())
            found = False
            while sent and not found:
                found = now - sent.popleft() <= ECHO_WITHIN
            if not sent:
                self._sent.pop(frame, None)
        return found


class Carrier:
    """One bus, and the socket to the rig. echoes, stamps: as in rig.can.interfaces."""

    def __init__(self, rig: socket.socket, bus: can.BusABC, echoes: bool, stamps: bool) -> None:
        self._rig, self._bus, self._stamps = rig, bus, stamps
        self._echoes = Echoes() if echoes else None
        self._watch = Stopwatch()
        self._beat = 0.0
        self._over = False
        self._sending, self._telling = threading.Lock(), threading.Lock()
        self._pacer = Pacer(self._leave, self._refused)

    def serve(self, read: Callable[[], tuple[int, Frame, float] | None]) -> None:
        """Until the rig is gone. read: its next record; None at its end."""
        listener = threading.Thread(target=self._listen, name="CAN reception", daemon=True)
        listener.start()
        try:
            while (order := read()) is not None:
                self._beat = self._watch.seconds()
                self._obey(*order)
        finally:
            self._over = True
            self._pacer.close()
            listener.join(timeout=5.0 * POLL)

    def _obey(self, kind: int, frame: Frame, number: float) -> None:
        if kind == SEND:
            try:
                self._send(frame)
            except (can.CanError, OSError) as error:
                self._refused(frame, error)
        elif kind == BEGIN:
            self._pacer.begin(frame, number)
        elif kind == SAY:
            self._pacer.say(frame)
        elif kind == END:
            self._pacer.end(frame.id)

    def _send(self, frame: Frame) -> None:
        if self._echoes is not None:
            self._echoes.expect(frame, self._watch.seconds())
        with self._sending:
            self._bus.send(message_of(frame))

    def _leave(self, frame: Frame) -> None:
        self._send(frame)
        self._tell(record(LEFT, frame, wall()))

    def _refused(self, frame: Frame, error: Exception) -> None:
        self._tell(told(REFUSED, f"{frame}: {error}"))

    def _listen(self) -> None:
        take_precedence(FIRST)
        failures = 0
        while not self._over and failures < FAILURES:
            try:
                message = self._bus.recv(POLL)
                failures = 0
            except (can.CanError, OSError, ValueError, TypeError) as error:  # TypeError: closed under its feet
                failures += 1
                self._tell(told(FAILED, str(error)))
                continue
            now = self._watch.seconds()
            if now - self._beat > SILENCE:
                for number in self._pacer.end_all():
                    self._tell(record(ENDED, Frame(number, b"")))
            if message is None or (frame := data_frame(message)) is None:
                continue
            if self._echoes is None or not self._echoes.is_one(frame, now):
                self._tell(record(HEARD, frame, message.timestamp if self._stamps else wall()))

    def _tell(self, data: bytes) -> None:
        with self._telling, contextlib.suppress(OSError):  # a rig that is gone is seen where it is read
            self._rig.sendall(data)


def next_record(stream: BinaryIO) -> tuple[int, Frame, float] | None:
    """Kind, frame, number; None at the end."""
    try:
        data = stream.read(RECORD.size)
    except OSError:
        return None
    if len(data) < RECORD.size:
        return None
    kind, length, number, body, value = RECORD.unpack(data)
    return kind, Frame(number, body[:length]), value


def carry(descriptor: int) -> int:
    """The process: open the bus it is told, and serve. Exit code 1 where it could not be opened."""
    take_precedence(FIRST)
    with socket.socket(fileno=descriptor) as rig, rig.makefile("rb") as stream:
        rig.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        asked = json.loads(stream.readline())
        try:
            bus = can.Bus(**asked["arguments"])
        except (can.CanError, OSError, ValueError, ImportError) as error:
            rig.sendall(told(FAILED, str(error)))
            return 1
        rig.sendall(record(OPENED))
        try:
            Carrier(rig, bus, asked["echoes"], asked["stamps"]).serve(partial(next_record, stream))
        finally:
            bus.shutdown()
    return 0


if __name__ == "__main__":
    raise SystemExit(carry(int(sys.argv[1])))
