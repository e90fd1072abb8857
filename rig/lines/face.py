"""The box's side of the line protocol: lines in, lines out. Pure: no port, no clock.

The box gives `answer`, which takes the body of a request and returns the body of the reply, or raises Refusal. A line
with a wrong checksum is not answered, since neither its tag nor its meaning can be trusted: the host asks again. Events
are numbered and kept, so that a host that missed one can ask for it (`EVENT <number>`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from rig.lines.frame import HEX, TAGS, Line, decode, encode

KEPT = 64
"""Events a box keeps for hosts that missed one (project choice; fewer than 128, half of the numbers there are)."""


class Refusal(Exception):
    """The box will not. code: from the table of the box. words: for a person."""

    def __init__(self, code: int, words: str) -> None:
        self.code = code
        super().__init__(f"{code} {words}")


class LineDevice(Protocol):
    """What a transport may ask of a box, emulated or wrapped."""

    def latency(self, raw: bytes) -> float:
        """s the box thinks about a line."""
        ...

    def process(self, raw: bytes) -> bytes | None:
        """Take one line without its end; the line it answers with, or None."""
        ...

    def listen(self, send: Callable[[bytes], None] | None) -> None:
        """Where lines go that the box sends by itself; None: nowhere."""
        ...


class LineFace:
    """A box's text interface. answer: body in, body out. thinking: s for a request."""

    def __init__(self, answer: Callable[[str], str], thinking: float = 0.0) -> None:
        self._answer, self._thinking = answer, thinking
        self._send: Callable[[bytes], None] | None = None
        self._kept: deque[str] = deque(maxlen=KEPT)
        self.events = 0
        """Events since the box was switched on."""
        self.spoilt = 0
        """Lines that came with a wrong checksum."""

    def latency(self, raw: bytes) -> float:
        return self._thinking

    def listen(self, send: Callable[[bytes], None] | None) -> None:
        self._send = send

    def process(self, raw: bytes) -> bytes | None:
        try:
            line = decode(raw)
        except ValueError:
            self.spoilt += 1
            return None
        if line.kind != ">":
            return None
        try:
            body = self._again(line.body) if line.body.startswith("EVENT ") else self._answer(line.body)
        except Refusal as refusal:
            return encode(Line("-", line.tag, str(refusal)))
        return encode(Line("<", line.tag, body))

    def tell(self, body: str) -> None:
        """Send an event line by the box's own wish."""
        number = self.events % TAGS
        self.events += 1
        self._kept.append(body)
        if self._send is not None:
            self._send(encode(Line("!", number, body)))

    def _again(self, body: str) -> str:
        word = body.removeprefix("EVENT ")
        if len(word) != 2 or not HEX.issuperset(word):
            raise Refusal(3, f"no event number: {word}")
        back = (self.events - int(word, 16)) % TAGS
        if not 1 <= back <= len(self._kept):
            raise Refusal(6, f"event {word} is not kept")
        return self._kept[-back]
