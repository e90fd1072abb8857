"""One line on the wire: kind, tag, body, checksum. Pure; both ends use it.

    >2A WIRE k 1*5C9D\\n

  kind   '>' request, '<' reply, '-' refusal, '!' event
  tag    two hexadecimal digits. A reply or a refusal carries the tag of its request; an event carries its own number,
         counted from 00 and starting anew after FF, so that a lost one is noticed and can be asked for again.
  body   printable ASCII after one blank
  *      CRC-16/CCITT-FALSE (polynomial 0x1021, start 0xFFFF, not reflected) of everything before the '*', four
         hexadecimal digits in capitals
  ends   LF, before the line too, so that a line which lost its end spoils itself only; a CR before the last one is
         allowed, an empty line is none. At most LONGEST bytes, so a small controller needs no more memory than that.

A CRC-16 finds every error burst of up to 16 bits, which is what a noisy contactor coil does to a line; eight bits of
XOR, as some instruments have, lets two equal errors in one column pass.
"""

from __future__ import annotations

from binascii import crc_hqx
from typing import Literal, NamedTuple, cast

Kind = Literal[">", "<", "-", "!"]

KINDS = frozenset("><-!")
TAGS = 256
LONGEST = 128
"""Bytes of a line with its end (project choice: two fit the serial buffer of a small controller)."""

HEX = frozenset("0123456789ABCDEF")
"""Digits of tags, checksums and event numbers."""


class Line(NamedTuple):
    """A line, understood. tag: 0..255. body: printable ASCII, not empty."""

    kind: Kind
    tag: int
    body: str


def encode(line: Line) -> bytes:
    """The bytes of a line, both its ends included. ValueError when it cannot be one."""
    if not 0 <= line.tag < TAGS:
        raise ValueError(f"tag {line.tag} is outside 0..{TAGS - 1}")
    if not line.body or not line.body.isascii() or not line.body.isprintable():
        raise ValueError(f"{line.body!r} must be printable ASCII and not empty")
    text = f"{line.kind}{line.tag:02X} {line.body}".encode()
    raw = b"\n%b*%04X\n" % (text, crc_hqx(text, 0xFFFF))
    if len(raw) > LONGEST:
        raise ValueError(f"a line of {len(raw)} bytes; at most {LONGEST}")
    return raw


def decode(raw: bytes) -> Line:
    """A line from its bytes, with or without its ends. ValueError, in words, for anything that is not exactly one."""
    text = raw.removeprefix(b"\n").removesuffix(b"\n").removesuffix(b"\r")
    if len(text) < 10 or len(text) > LONGEST:
        raise ValueError("is too short" if len(text) < 10 else "is too long")
    head = text[:-5]
    if text[-5:] != b"*%04X" % crc_hqx(head, 0xFFFF) or not text.isascii():
        summed = text.isascii() and text[-5:-4] == b"*" and HEX.issuperset(text[-4:].decode())
        raise ValueError("has a wrong checksum" if summed else "has no checksum")
    word = head.decode()
    body = word[4:]
    if word[0] not in KINDS or not HEX.issuperset(word[1:3]) or word[3] != " " or not body.isprintable():
        raise ValueError("has a right checksum but no right form")
    return Line(cast(Kind, word[0]), int(word[1:3], 16), body)


class Splitter:
    """Bytes as they come, lines as they end. What grows too long without an end is dropped up to the next one."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Every line that ended in these bytes, without its ends."""
        *lines, rest = (self._rest + data).split(b"\n")
        # One byte over the limit is kept, so that the line is still too long when its end comes.
        self._rest = rest[: LONGEST + 1]
        return [line for line in lines if line and len(line) <= LONGEST]

    def clear(self) -> None:
        """Forget a half-read line."""
        self._rest = b""
