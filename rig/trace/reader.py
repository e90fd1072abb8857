"""A trace file as a stream of timed frames: tolerant, in bounded memory, and honest about what it left out.

Theory
  The first line that is a frame in one of the formats decides the format. A line that cannot be read is noted with its
  number and left out, and the stream says that there is a hole (a None in place of a frame), so that nobody is blamed
  for a frame that may have stood there. Frames of other buses in the file are counted and left out; CHAdeMO is taken
  to be on the bus that shows the first of its identifiers.

  Time runs from 0 s at the first frame and never goes back:
    up to BACK behind          two receivers' buffers: the frame is put at the time of the one before, and counted;
                               beyond DISORDER its true time is not known, so there is a hole
    one stamp out of line      a garbled digit: left out and noted; the frame after it decides
    beyond 2^31 us back        a GVRET counter of 32 bits has wrapped: time goes on
    back for good              another recording follows: reading ends there, with a note
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from rig.can.frame import Frame
from rig.chademo.messages import SPECS
from rig.errors import TraceError
from rig.trace.lines import FORMATS, Format, lines

BACK = 1_000_000
"""us a stamp may be behind the one before."""
DISORDER = 5_000
"""us behind that tell nothing of a frame's pace (recorded sessions: bursts of 0.2 to 5 ms)."""
AHEAD = 150_000
"""us a stamp may be ahead of the one before, before a second one must confirm it: a cycle and a half."""
WRAP = 1 << 32
"""us, a counter of 32 bits (GVRET hardware)."""
KEPT = 1 << 16
"""Payload texts remembered; a day of a session shows some thousands."""
NOTED = 100
"""Notes kept; more are counted."""
OUT_OF_LINE = "time stamp out of line"
EMPTY = "it is empty"
SHOWN = 60
"""Characters of a line shown in a note."""

TimedFrame = tuple[float, Frame | None]
"""s since the first frame; None: something could not be read before this moment."""


@dataclass(frozen=True, slots=True)
class Note:
    """A line that was left out. text: its beginning."""

    line: int
    why: str
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.why}: {self.text}"


@dataclass(slots=True)
class TraceFile:
    """A trace file. Iterate `frames` once; the counts grow with it.

    frames_read: frames of the chosen bus. foreign: frames of other buses, extended, remote or FD frames.
    left_out: lines that could not be read; `notes` holds the first of them. late: frames whose stamp was behind.
    """

    path: Path
    format: Format
    bus: str | None = None
    frames_read: int = 0
    foreign: int = 0
    left_out: int = 0
    late: int = 0
    notes: list[Note] = field(default_factory=list)
    span: float = 0.0
    """s from the first to the last frame read."""

    def frames(self) -> Iterator[TimedFrame]:
        """Every frame in order of time. TraceError where the file cannot be read any more."""
        try:
            with _open(self.path) as file:
                yield from self._timed(file)
        except OSError as error:
            what = error.strerror or error
            raise TraceError(f"{self.path}: {what}; reading ended at frame {self.frames_read}") from error

    def _note(self, line: int, why: str, text: str) -> None:
        self.left_out += 1
        if len(self.notes) < NOTED:
            self.notes.append(Note(line, why, printable(text)))

    def _timed(self, file: TextIO) -> Iterator[TimedFrame]:
        """The fast path is a known text behind a plain stamp; everything else goes by `_slow`."""
        clock, hole = _Time(), False
        known: dict[str, Frame] = {}
        separator, stamp = self.format.separator, self.format.stamp
        for number, text in lines(file):
            head, _, rest = text.partition(separator)
            frame = known.get(rest)
            if frame is not None and not hole:
                at = stamp(head)
                if at is not None and clock.plain(at):
                    self.frames_read += 1
                    self.span = now = clock.now
                    yield now, frame
                    continue
            for now, got in self._slow(clock, number, text, rest, known):
                if got is None:
                    hole = True
                    continue
                if hole:
                    hole = False
                    yield now, None
                self.frames_read += 1
                self.span = now
                yield now, got
            if clock.ended is not None:
                self._another(*clock.ended, text)
                return
        for line, us, got, text in clock.end():
            if us is None:
                self._note(line, OUT_OF_LINE, text)
            else:
                self.frames_read += 1
                self.span = us / 1e6
                yield self.span, got

    def _slow(self, clock: _Time, number: int, text: str, rest: str, known: dict[str, Frame]) -> list[TimedFrame]:
        """A line in full: what can be told now; None: there is a hole."""
        found = self.format.parse(text)
        if found is None:
            return []
        at, (bus, frame, trouble) = found
        if at is None or trouble:
            self._note(number, trouble, text)
            return [(0.0, None)]
        if frame is None or not self._ours(bus, frame):
            self.foreign += 1
            return []
        if len(known) >= KEPT:
            known.clear()
        known[rest] = frame
        out: list[TimedFrame] = []
        for line, us, got, seen in clock.take(number, at, frame, text):
            if us is None:
                self._note(line, OUT_OF_LINE, seen)
                out.append((0.0, None))
                continue
            self.late = clock.late
            if clock.uncertain:
                out.append((0.0, None))
            out.append((us / 1e6, got))
        return out

    def _ours(self, bus: str, frame: Frame) -> bool:
        if self.bus is None and frame.id in SPECS:
            self.bus = bus
        return self.bus == bus

    def _another(self, line: int, back: int, text: str) -> None:
        self._note(line, f"the clock was set back by {back / 1e6:.3f} s, another recording follows that was not read; "
                   "cut the file here", text)  # fmt: skip


Held = tuple[int, int, Frame | None, str]
"""Line, us, frame, text of a frame whose stamp waits for the next one to confirm it."""
Told = tuple[int, int | None, Frame | None, str]
"""The same in time since the first frame; us None: the stamp was out of line."""


class _Time:
    """Stamps in, microseconds since the first out (None for a stamp that is out of line)."""

    def __init__(self) -> None:
        self._first: int | None = None
        self._last = 0
        self._held: Held | None = None
        self.late = 0
        self.uncertain = False
        """The time of the frame told last is not known."""
        self.ended: tuple[int, int] | None = None
        """Line at which, and us by which, the clock went back for good."""

    @property
    def now(self) -> float:
        """s since the first frame."""
        return (self._last - (self._first or 0)) / 1e6

    def plain(self, at: int) -> bool:
        """A stamp like most: take it. False: ask `take`."""
        if self._held is not None or self._first is None or not 0 <= at - self._last <= AHEAD:
            return False
        self._last = at
        return True

    def take(self, line: int, at: int, frame: Frame | None, text: str) -> list[Told]:
        """What can be told now."""
        self.uncertain = False
        if self._first is None:
            self._first = self._last = at
        step = at - self._last
        if -BACK <= step <= AHEAD:
            out = self._drop()
            self.late += step < 0
            self.uncertain = step < -DISORDER
            return [*out, self._tell((line, at, frame, text))]
        held = self._held
        if held is not None and -BACK <= at - held[1] <= AHEAD:
            return self._confirmed(held, (line, at, frame, text))
        out = self._drop()
        self._held = (line, at, frame, text)
        return out

    def _confirmed(self, held: Held, now: Held) -> list[Told]:
        """Two stamps agree that time has jumped."""
        self._held = None
        assert self._first is not None
        back = self._last - held[1]
        if back > WRAP // 2 and self._last <= WRAP:
            self._first -= WRAP
            self._last -= WRAP
        elif back > 0:
            self.ended = held[0], back
            return []
        return [self._tell(held), self._tell(now)]

    def _tell(self, held: Held) -> Told:
        assert self._first is not None
        self._last = max(self._last, held[1])
        return held[0], self._last - self._first, held[2], held[3]

    def _drop(self) -> list[Told]:
        held, self._held = self._held, None
        return [] if held is None else [(held[0], None, None, held[3])]

    def end(self) -> list[Told]:
        """The last stamp of a file cannot be confirmed: it stands if it is ahead."""
        if self._held is None or self._held[1] < self._last:
            return self._drop()
        held, self._held = self._held, None
        return [self._tell(held)]


def printable(text: str) -> str:
    """The beginning of a line, without what would upset a terminal."""
    kept = "".join(sign if sign.isprintable() else "." for sign in text.strip()[:SHOWN])
    return kept + ("..." if len(text.strip()) > SHOWN else "")


def _open(path: Path) -> TextIO:
    return path.open(encoding="utf-8-sig", errors="replace", newline=None)


def open_trace(path: Path, bus: str | None = None) -> TraceFile:
    """Recognise a trace file. bus: its name in the file; None for the one that shows CHAdeMO.

    TraceError: it cannot be opened, or no line of it is a frame of a known format.
    """
    if path.is_dir():
        raise TraceError(f"{path}: is a folder; give a trace file")
    try:
        with _open(path) as file:
            found = _recognise(file)
    except OSError as error:
        raise TraceError(f"{path}: {error.strerror or error}; give a readable trace file") from error
    if isinstance(found, Format):
        return TraceFile(path, found, bus)
    raise TraceError(
        f"{path}: no line is a CAN frame ({found}); give a GVRET CSV of SavvyCAN or a candump text with time stamps"
    )


def _recognise(file: TextIO) -> Format | str:
    """The format of the first line that is a frame, or what is wrong with the first line that nearly was."""
    complaint = EMPTY
    for number, text in lines(file):
        parsed = [(one, one.parse(text)) for one in FORMATS]
        for one, found in parsed:
            if found is not None and found[0] is not None and not found[1].trouble:
                return one
        troubles = [found[1].trouble for _, found in parsed if found is not None]
        if len(troubles) < len(parsed):  # idle in one format: no fault
            continue
        untimed = next((why for why in troubles if why.startswith("no time stamp")), None)
        if complaint == EMPTY or (untimed and "no time stamp" not in complaint):
            complaint = f"line {number}: {untimed or troubles[0]}"
    return complaint
