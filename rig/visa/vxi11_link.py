"""One client's link to one instrument over VXI-11: messages collected, replies kept until they are read. No socket.

A message that comes while a reply is unread discards it (-410); a read for which nothing was asked times out and notes
-420. A read ends with as many bytes as asked for, at the termination character, or at the end of the reply, and says
which.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from rig.clock import Cancel
from rig.visa.rpc import marked, opaque, words
from rig.visa.streams import LONGEST, Peer
from rig.visa.turns import Turns

NO_ERROR, NOT_ACCESSIBLE, BAD_LINK, NOT_SUPPORTED, NO_RESOURCES = 0, 3, 4, 8, 9
LOCKED_OUT, NO_LOCK, TIMED_OUT, FAILED, ABORTED = 11, 12, 15, 17, 23
"""Errors of VXI-11 (table B.2)."""
BY_COUNT, BY_CHARACTER, BY_END = 1, 2, 4
"""Why a read ended."""

Reply = Callable[[bytes], None]


class Connected(Protocol):
    """The connection a link was made on."""

    peer: Peer


class Link:
    """One client's way to one instrument."""

    def __init__(self, number: int, turns: Turns, connection: Connected) -> None:
        self.number, self.turns, self.connection = number, turns, connection
        self._message, self._out = bytearray(), b""
        self._tag = self._valid = 0
        self._asking = 0  # lines that are not worked on yet
        self._read: Callable[[int], None] | None = None  # ends the read that waits, with its error
        self._cancel: Cancel = lambda: None

    def write(self, data: bytes, end: bool) -> int:
        """Part of a message; its error."""
        if len(self._message) + len(data) > LONGEST:
            self._message.clear()
            return NO_RESOURCES
        self._message += data
        if end:
            text, self._message = self._message.decode("latin-1"), bytearray()
            for line in text.split("\n"):
                if line.strip():
                    self.ask(line.rstrip("\r"))
        return NO_ERROR

    def ask(self, line: str) -> None:
        """A line for the instrument."""
        if self._out:
            self._out = b""
            self.turns.device.query_error(-410)
        self._tag += 1
        self._asking += 1
        self.turns.ask(self, self._tag, line)

    def answered(self, tag: int, reply: bytes | None) -> None:
        """Its line was worked on."""
        if tag <= self._valid:
            return  # cleared meanwhile
        self._asking -= 1
        if not reply:
            return
        if tag != self._tag:
            self.turns.device.query_error(-410)  # the next message came before this reply was read
            return
        self._out = reply
        if self._read is not None:
            self._read(NO_ERROR)

    def cut(self, part: bytes) -> None:
        """The line breaks in the middle of a record."""
        self.connection.peer.send(marked(part + part)[: 4 + len(part)])
        self.connection.peer.hang_up()

    def read(self, count: int, within: float, stop: int | None, reply: Reply) -> None:
        """Hand on what there is, or wait for it."""
        if self._read is not None:
            reply(words(FAILED, 0) + opaque(b""))  # one read at a time
            return

        def finish(error: int) -> None:
            self._read = None
            self._cancel()
            if error:
                reply(words(error, 0) + opaque(b""))
            else:
                reply(self._taken(count, stop))

        def too_late() -> None:
            if self._read is finish:
                if not self._asking:
                    self.turns.device.query_error(-420)
                finish(TIMED_OUT)

        if self._out:
            finish(NO_ERROR)
        else:
            self._read = finish
            clock = self.turns.clock
            self._cancel = clock.at(clock.now() + within, too_late)

    def abort(self) -> None:
        """End a read that waits."""
        if self._read is not None:
            self._read(ABORTED)

    def clear(self) -> None:
        """Device clear."""
        self.turns.forget(self)
        self._message.clear()
        self._out, self._valid, self._asking = b"", self._tag, 0
        self.turns.device.clear()

    def status(self) -> int:
        """The status byte."""
        return self.turns.device.status_byte(bool(self._out))

    def end(self) -> None:
        """Nobody reads it any more."""
        self.abort()
        self._valid = self._tag
        self.turns.leave(self)

    def _taken(self, count: int, stop: int | None) -> bytes:
        data, reason = self._out[:count], 0
        if stop is not None and (at := data.find(stop)) >= 0:
            data, reason = data[: at + 1], BY_CHARACTER
        if len(data) == count:
            reason |= BY_COUNT
        self._out = self._out[len(data) :]
        return words(NO_ERROR, reason | (0 if self._out else BY_END)) + opaque(data)
