"""What a transport may ask of an emulated instrument, whatever its dialect: bytes of one message in, bytes out."""

from __future__ import annotations

from typing import Protocol


class Disconnected(Exception):
    """The far end is gone: unplugged or switched off. The transport reports a lost connection from then on."""


class Dropped(Exception):
    """The connection breaks in the middle of a reply; the instrument lives, and takes a new one. part: what got
    through."""

    def __init__(self, part: bytes) -> None:
        self.part = part
        super().__init__("the connection was dropped")


class Device(Protocol):
    """An instrument behind any transport. rig.scpi.face.ScpiFace is one."""

    def latency(self, line: str) -> float:
        """s that the exchange of this line takes."""
        ...

    def process(self, line: str) -> bytes | None:
        """Take one message without its terminator; the whole reply with terminator, or None when there is none."""
        ...

    def status_byte(self, pending: bool = False) -> int:
        """The status byte (0 where there is no such thing). pending: a reply waits in the transport."""
        ...

    def query_error(self, code: int) -> None:
        """The transport saw a broken exchange: -410 a reply was not fetched, -420 a read without a question."""
        ...

    def clear(self) -> None:
        """Device clear."""
        ...
