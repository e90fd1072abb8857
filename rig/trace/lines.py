"""Trace files line by line: what a line says, what is wrong with it, and how formats are told apart.

Two text formats: the GVRET CSV of SavvyCAN, and candump of can-utils (`candump -L` log lines and the console form with
time stamps). A format is a small value: where the time stamp ends, and how each part is read. What stands behind the
stamp repeats on a CHAdeMO bus, so whoever reads many lines keeps what it was parsed to.

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
BLOCK = 1 << 14
"""Characters read at a time: some hundred lines, so that one odd line makes few others slow."""
MOST_MICROSECONDS = 1 << 62
"""A stamp beyond is no time."""
TOP_ID = 0x7FF


class Entry(NamedTuple):
    """What stands behind a time stamp. frame None: not a classic 11-bit data frame, or `trouble` says why."""

    bus: str
    frame: Frame | None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file. A line is a stamp, `separator`, and an entry.

    stamp: microseconds, or None if it is none. quick: the same for most stamps, ValueError or None for others. entry:
    what stands behind the separator. idle: whether a line that is no frame is no fault either (header, comment, empty).
    missing: what is wrong with a line without a readable stamp.
    """

    name: str
    separator: str
    stamp: Callable[[str], int | None]
    quick: Callable[[str], int | None]
    entry: Callable[[str], Entry]
    idle: Callable[[str], bool]
    missing: Callable[[str], str]

    def parse(self, line: str) -> tuple[int | None, Entry] | None:
        """Stamp and entry of one line; None for an idle one."""
        head, _, rest = line.partition(self.separator)
        at = self.stamp(head)
        if at is not None:
            return at, self.entry(rest)
        return None if self.idle(line) else (None, Entry("", None, self.missing(line)))


def lines(file: TextIO) -> Iterator[tuple[int, str]]:
    """(number from 1, text) of every line; of an endless one only its beginning, so memory stays bounded."""
    number, swallow = 0, False
    for piece in iter(partial(file.readline, LONGEST), ""):
        if not swallow:
            number += 1
            yield number, piece
        swallow = len(piece) == LONGEST and not piece.endswith("\n")


def blocks(file: TextIO) -> Iterator[list[str]]:
    """All lines without their ends, some hundred at a time; of an endless one only its beginning."""
    rest = ""
    while piece := file.read(BLOCK):
        found = (rest + piece).split("\n")
        rest = found.pop()[: LONGEST + 1]
        if found:
            yield found
    if rest:
        yield [rest]


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


def _gvret_idle(line: str) -> bool:
    head = line.partition(",")[0].strip().lower()
    return not line.strip() or head in ("time stamp", "timestamp")


def _gvret_missing(line: str) -> str:
    head, comma, _ = line.partition(",")
    if not comma:
        return "not a line of a GVRET CSV"
    return f"time stamp {head[:40]!r} is no whole number of microseconds"


# -- candump (can-utils): "(1612345678.123456) can0 102#029A" and " (000.123456)  can0  102   [2]  02 9A"

SWAPPED = "`"
"""Stands between the bytes of a frame that candump -S has printed from the last to the first (can-utils, its help)."""
_SECONDS = re.compile(r"(-?)(\d{1,12})\.(\d{1,9})")
_LOG = re.compile(r"(\S+)\s+([0-9A-Fa-f]{3}|[0-9A-Fa-f]{8})#(#?)([0-9A-Fa-fR.]*)(?:\s+[RT])?\s*")
_CONSOLE = re.compile(
    r"(\S+)\s+(?:(?:RX|TX)\s+\S+\s+\S+\s+)?([0-9A-Fa-f]{3}|[0-9A-Fa-f]{8})\s+\[(\d+)\](.*)", re.DOTALL
)
_TAIL = re.compile(r"\s+'.*'\s*$", re.DOTALL)


def _candump_seconds(text: str) -> int | None:
    """Microseconds of "(12.345678" or of "(2024-05-01 12:00:00.345678"."""
    if not text.startswith("("):
        text = text.lstrip()
        if not text.startswith("("):
            return None
    whole, _, part = text[1:].partition(".")
    if len(part) == 6 and len(whole) <= 12 and whole.isdecimal() and part.isdecimal():
        return int(whole) * 1_000_000 + int(part)
    text = text[1:].strip()
    match = _SECONDS.fullmatch(text)
    if match:
        micro = int(match[2]) * 1_000_000 + int(match[3].ljust(6, "0")[:6])
        return -micro if match[1] else micro
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _candump_entry(text: str) -> Entry:
    text = text.strip()
    log = _LOG.fullmatch(text)
    if log:
        bus, number, fd, data = log.groups()
        return _candump_frame(bus, number, data.replace(".", ""), bool(fd) or data.startswith("R"))
    console = _CONSOLE.fullmatch(text)
    if console is None:
        return Entry("", None, "not a line of candump")
    bus, number, length, rest = console.groups()
    data = "".join(_TAIL.sub("", rest).split())
    if SWAPPED in data:
        data = "".join(reversed(data.split(SWAPPED)))
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


def _candump_idle(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def _candump_missing(line: str) -> str:
    """A line of candump without -L or -t is a frame without a time."""
    if line.lstrip().startswith("("):
        return f"time stamp {line.strip().partition(')')[0][1:41]!r} cannot be read"
    entry = _candump_entry(line)
    return entry.trouble or "no time stamp; record with candump -L or candump -ta"


GVRET = Format("GVRET CSV (SavvyCAN)", ",", _microseconds, int, _gvret_entry, _gvret_idle, _gvret_missing)
CANDUMP = Format("candump", ")", _candump_seconds, _candump_seconds, _candump_entry, _candump_idle, _candump_missing)
FORMATS = (GVRET, CANDUMP)
