"""Trace files line by line: what a line says, what is wrong with it, and how formats are told apart.

Two text formats: the GVRET CSV of SavvyCAN, and candump of can-utils (`candump -L` log lines and the console form with
time stamps). A format is a small value: a name and a function that takes a line apart. Everything behind the time
stamp repeats on a CHAdeMO bus, so it is parsed once and kept.

A line that cannot be read is an `Entry` with `trouble`, never an exception.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple, TextIO

from rig.can.frame import Frame

LONGEST = 512
"""Characters of a line that are looked at; the longest right line has about 120."""
KEPT = 1 << 16
"""Payload texts remembered; a day of a session shows some thousands."""
MOST_MICROSECONDS = 1 << 62
"""A stamp beyond is no time."""
TOP_ID = 0x7FF


class Entry(NamedTuple):
    """What stands behind a time stamp. frame None: not a classic 11-bit data frame, or `trouble` says why."""

    bus: str
    frame: Frame | None
    trouble: str = ""


class Stamped(NamedTuple):
    """A line: microseconds, or None without a readable stamp."""

    at: int | None
    entry: Entry


Parse = Callable[[str], Stamped | None]
"""One line; None for a line that is no frame and no fault (header, comment, empty)."""


@dataclass(frozen=True, slots=True)
class Format:
    """How a kind of file is read. parser: makes the parser of one file."""

    name: str
    parser: Callable[[], Parse]


def lines(file: TextIO) -> Iterator[tuple[int, str]]:
    """(number from 1, text) of every line; of an endless one only its beginning, so memory stays bounded."""
    number, swallow = 0, False
    for piece in iter(partial(file.readline, LONGEST), ""):
        whole = piece.endswith("\n")
        if not swallow:
            number += 1
            yield number, piece
        swallow = not whole and len(piece) == LONGEST


class _Memory:
    """Remembers what a text was parsed to."""

    def __init__(self, parse: Callable[[str], Entry]) -> None:
        self._parse = parse
        self._known: dict[str, Entry] = {}

    def __call__(self, text: str) -> Entry:
        found = self._known.get(text)
        if found is None:
            if len(self._known) >= KEPT:
                self._known.clear()
            found = self._known[text] = self._parse(text)
        return found


def _microseconds(text: str) -> int | None:
    try:
        at = int(text)
    except ValueError:
        return None
    return at if abs(at) < MOST_MICROSECONDS else None


def _hex_bytes(texts: list[str]) -> bytes | None:
    try:
        values = [int(text, 16) for text in texts]
    except ValueError:
        return None
    return bytes(values) if all(0 <= value <= 255 for value in values) else None


# -- GVRET CSV (SavvyCAN): Time Stamp,ID,Extended,[Dir,]Bus,LEN,D1..D8 ; microseconds, hex without 0x


def _gvret_entry(text: str) -> Entry:
    """What follows the time stamp."""
    fields = [field.strip() for field in text.strip().rstrip(",").split(",")]
    if len(fields) > 2 and fields[2].lower() in ("rx", "tx"):  # older files have no direction
        del fields[2]
    if len(fields) < 4:
        return Entry("", None, "cut off: a frame has at least a time stamp, ID, Extended, Bus and LEN")
    number, extended, bus, length, *data = fields
    try:
        frame, count = int(number, 16), int(length)
    except ValueError:
        return Entry(bus, None, f"ID {number!r} or LEN {length!r} is no number")
    if extended.lower() not in ("true", "false", "0", "1"):
        return Entry(bus, None, f"Extended is {extended!r}, not true or false")
    if extended.lower() in ("true", "1"):
        return Entry(bus, None)
    if not 0 <= frame <= TOP_ID or not 0 <= count <= 8:
        return Entry(bus, None, f"ID {number} or LEN {length} cannot be on a CAN 2.0A bus")
    if len(data) < count:
        return Entry(bus, None, f"cut off: LEN is {count}, {len(data)} bytes are there")
    payload = _hex_bytes(data[:count])
    if payload is None:
        return Entry(bus, None, "a data byte is no hex number 00 to FF")
    return Entry(bus, Frame(frame, payload))


def _gvret() -> Parse:
    memory = _Memory(_gvret_entry)

    def parse(line: str) -> Stamped | None:
        stamp, comma, rest = line.partition(",")
        if not comma:
            return None if not line.strip() else Stamped(None, Entry("", None, "not a line of a GVRET CSV"))
        at = _microseconds(stamp)
        if at is None:
            if stamp.strip().lower() in ("time stamp", "timestamp"):
                return None
            return Stamped(None, Entry("", None, f"time stamp {stamp[:40]!r} is no whole number of microseconds"))
        return Stamped(at, memory(rest))

    return parse


# -- candump (can-utils): "(1612345678.123456) can0 102#029A" and " (000.123456)  can0  102   [2]  02 9A"

_STAMP = re.compile(r"\s*\(([^()]*)\)\s+(\S.*)", re.DOTALL)
_SECONDS = re.compile(r"(-?)(\d{1,12})\.(\d{1,9})")
_LOG = re.compile(r"(\S+)\s+([0-9A-Fa-f]{3}|[0-9A-Fa-f]{8})#(#?)([0-9A-Fa-fR.]*)(?:\s+[RT])?\s*")
_CONSOLE = re.compile(
    r"(\S+)\s+(?:(?:RX|TX)\s+\S+\s+\S+\s+)?([0-9A-Fa-f]{3}|[0-9A-Fa-f]{8})\s+\[(\d+)\](.*)", re.DOTALL
)
_TAIL = re.compile(r"\s+'.*'\s*$", re.DOTALL)


def _candump_seconds(text: str) -> int | None:
    """Microseconds of "12.345678" or of "2024-05-01 12:00:00.345678"."""
    match = _SECONDS.fullmatch(text.strip())
    if match:
        micro = int(match[2]) * 1_000_000 + int(match[3].ljust(6, "0")[:6])
        return -micro if match[1] else micro
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _candump_entry(text: str) -> Entry:
    log = _LOG.fullmatch(text)
    if log:
        bus, number, fd, data = log.groups()
        return _candump_frame(bus, number, data.replace(".", ""), bool(fd) or data.startswith("R"))
    console = _CONSOLE.fullmatch(text.rstrip())
    if console is None:
        return Entry("", None, "not a line of candump")
    bus, number, length, rest = console.groups()
    data = "".join(_TAIL.sub("", rest).split())
    if data.lower() == "remoterequest":
        return Entry(bus, None)
    if int(length) * 2 != len(data):
        return Entry(bus, None, f"cut off: [{length}] is said, {len(data) / 2:g} bytes are there")
    return _candump_frame(bus, number, data, False)


def _candump_frame(bus: str, number: str, data: str, other: bool) -> Entry:
    if other or len(number) == 8:
        return Entry(bus, None)
    try:
        payload = bytes.fromhex(data)
    except ValueError:
        return Entry(bus, None, f"data {data[:40]!r} are no whole hex bytes")
    if int(number, 16) > TOP_ID or len(payload) > 8:
        return Entry(bus, None, f"ID {number} with {len(payload)} bytes cannot be on a CAN 2.0A bus")
    return Entry(bus, Frame(int(number, 16), payload))


def _candump() -> Parse:
    memory = _Memory(_candump_entry)

    def parse(line: str) -> Stamped | None:
        if not line.strip() or line.startswith("#"):
            return None
        match = _STAMP.match(line)
        if match is None:
            entry = memory(line.strip())
            trouble = entry.trouble or "no time stamp; record with candump -L or candump -ta"
            return Stamped(None, Entry(entry.bus, None, trouble))
        at = _candump_seconds(match[1])
        if at is None:
            return Stamped(None, Entry("", None, f"time stamp {match[1][:40]!r} cannot be read"))
        return Stamped(at, memory(match[2]))

    return parse


GVRET = Format("GVRET CSV (SavvyCAN)", _gvret)
CANDUMP = Format("candump", _candump)
FORMATS = (GVRET, CANDUMP)
