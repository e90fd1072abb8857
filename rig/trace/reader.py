"""A trace file as a stream of timed frames: tolerant, in bounded memory, and honest about what it left out.

Theory
  A file of another tool (rig.trace.logs) is known by how it begins. Else the first line that is a frame in one of the
  text formats decides. A line that cannot be read is noted with its number and left out, and the stream says that
  there is a hole (a None in place of a frame), so that nobody is blamed for a frame that may have stood there. Frames
  of other buses are counted and left out. CHAdeMO is taken to be on the first bus that shows all frames of one side
  (rig.trace.bus), or else on the one that shows the first of its identifiers.

  Time runs from 0 s at the first frame and never goes back (rig.trace.stamps); behind a stamp whose time is not known,
  and one that is out of line, there is a hole; where another recording follows, reading ends with a note.
"""

from __future__ import annotations

from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, islice
from operator import itemgetter
from pathlib import Path
from typing import TextIO

from rig.can.frame import Frame
from rig.chademo.messages import SPECS
from rig.errors import TraceError
from rig.trace.bus import chademo_bus
from rig.trace.byte_order import turned_round
from rig.trace.lines import FORMATS, LONGEST, Entry, Format, blocks, lines
from rig.trace.logs import Log, kind_of, records
from rig.trace.stamps import Stamps, Told, are_differences

KEPT = 1 << 16
"""Payload texts remembered; a day of a session shows some thousands."""
NOTED = 100
"""Notes kept; more are counted."""
LOOKED_AT = 400
"""Stamps of a file looked at before it is read: enough to tell times from differences."""
STAMP = 64
"""Characters of a line that a stamp may take."""
ANOTHER = "the clock was set back by {:.3f} s, another recording follows that was not read; cut the file here"
OUT_OF_LINE = "time stamp out of line"
EMPTY = "it is empty"
PACKED = ((b"\x1f\x8b", "gzip"), (b"PK\x03\x04", "zip"), (b"BZh", "bzip2"), (b"\xfd7zX", "xz"), (b"7z\xbc\xaf", "7z"))
"""How archives begin."""
SHOWN = 60
"""Characters of a line shown in a note."""

TimedFrame = tuple[float, Frame | None]
"""s since the first frame; None: something could not be read before this moment."""


@dataclass(frozen=True, slots=True)
class Note:
    """A line, or a record of a file that has no lines, that was left out. line: its number. text: its beginning."""

    line: int
    why: str
    text: str
    unit: str = "line"

    def __str__(self) -> str:
        return f"{self.unit} {self.line}: {self.why}" + (f": {self.text}" if self.text else "")


@dataclass(slots=True)
class TraceFile:
    """A trace file. Iterate `frames` once; the counts grow with it.

    frames_read: frames of the chosen bus. foreign: frames of other buses, extended, remote or FD frames.
    left_out: lines that could not be read; `notes` holds the first of them. late: frames whose stamp was behind.
    """

    path: Path
    format: Format | Log
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
        return chain.from_iterable(self._pieces())

    def note(self, line: int, why: str, text: str) -> None:
        """Something was left out."""
        self.left_out += 1
        if len(self.notes) < NOTED:
            self.notes.append(Note(line, why, printable(text), "record" if isinstance(self.format, Log) else "line"))

    def _pieces(self) -> Iterator[Iterable[TimedFrame]]:
        """Records one by one; text block by block, and a block in which anything is odd line by line."""
        if isinstance(self.format, Log):
            yield self._records(self.format)
            return
        taking, number = _TakingLines(self, self.format), 0
        with self._readable(), _open(self.path) as file:
            for block in blocks(file):
                frames = taking.at_once(block)
                yield taking.one_by_one(number, block) if frames is None else frames
                if taking.stamps.ended is not None:
                    return
                number += len(block)
        yield taking.end()

    def _records(self, log: Log) -> Iterator[TimedFrame]:
        taking = _Taking(self)
        with self._readable():
            for number, (at, entry) in enumerate(records(self.path, log), 1):
                yield from taking.take(number, at, entry, "")
                if taking.stamps.ended is not None:
                    return
        yield from taking.end()

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            what = error.strerror or error
            raise TraceError(f"{self.path}: {what}; reading ended at frame {self.frames_read}") from error

    def ours(self, bus: str, frame: Frame) -> bool:
        """Whether a frame is of the chosen bus; the first of CHAdeMO's chooses it."""
        if self.bus is None and frame.id in SPECS:
            self.bus = bus
        return self.bus == bus


class _Known(dict[str, Frame | None]):
    """What stands behind the stamps of a file, parsed once; None: foreign. ValueError where it cannot be read, or
    where it is not known yet whose it is."""

    def __init__(self, trace: TraceFile, form: Format) -> None:
        super().__init__()
        self._trace, self._form = trace, form

    def __missing__(self, text: str) -> Frame | None:
        bus, frame, trouble = self._form.entry(text)
        if trouble or self._trace.bus is None or len(text) > LONGEST - STAMP:
            raise ValueError(text)
        found = frame if frame is not None and self._trace.ours(bus, frame) else None
        if len(self) >= KEPT:
            self.clear()
        self[text] = found
        return found


class _Taking:
    """Stamped entries of one file to timed frames."""

    def __init__(self, trace: TraceFile) -> None:
        self._trace = trace
        self.stamps = Stamps()
        self._hole = False

    def take(self, number: int, at: int | None, entry: Entry, text: str) -> Iterator[TimedFrame]:
        """One line or record: what can be told now, with holes."""
        trace = self._trace
        bus, frame, trouble = entry
        if at is None or trouble:
            trace.note(number, trouble, text)
            self._hole = True
        elif frame is None or not trace.ours(bus, frame):
            trace.foreign += 1
        else:
            yield from self._told(self.stamps.take(number, at, frame, text))
            trace.late = self.stamps.late
            if self.stamps.ended is not None:
                line, back = self.stamps.ended
                trace.note(line, ANOTHER.format(back / 1e6), text)

    def end(self) -> Iterator[TimedFrame]:
        """The file is over."""
        yield from self._told(self.stamps.end())

    def _told(self, told: Iterable[Told]) -> Iterator[TimedFrame]:
        trace = self._trace
        for line, us, frame, text in told:
            if us is None:
                trace.note(line, OUT_OF_LINE, text)
                self._hole = True
                continue
            trace.span = us / 1e6
            if self._hole or self.stamps.uncertain:
                self._hole = False
                yield trace.span, None
            trace.frames_read += 1
            yield trace.span, frame


class _TakingLines(_Taking):
    """The same of lines, by two ways that give the same."""

    def __init__(self, trace: TraceFile, form: Format) -> None:
        super().__init__(trace)
        self._form = form
        self._known = _Known(trace, form)

    def at_once(self, block: list[str]) -> Iterable[TimedFrame] | None:
        """A block of nothing but frames with plain stamps, in a few steps over the whole of it; else None."""
        if self._hole:
            return None
        quick, parts = self._form.quick, [line.partition(self._form.separator) for line in block]
        try:
            frames = list(map(self._known.__getitem__, map(itemgetter(2), parts)))
            stamps = list(map(quick, map(itemgetter(0), parts)))
        except ValueError:
            return None
        foreign = frames.count(None)
        if foreign:
            stamps = [at for at, frame in zip(stamps, frames, strict=True) if frame is not None]
            frames = [frame for frame in frames if frame is not None]
        if None in stamps:
            return None
        times = self.stamps.plain_run(stamps)  # type: ignore[arg-type]  # looked for above
        if times is None:
            return None
        trace = self._trace
        trace.foreign += foreign
        trace.frames_read += len(times)
        trace.span = times[-1]
        return zip(times, frames, strict=True)

    def one_by_one(self, before: int, block: list[str]) -> Iterator[TimedFrame]:
        """The lines of a block, the first of which is line before + 1."""
        form = self._form
        for number, line in enumerate(block, before + 1):
            text = line[:LONGEST]
            found = form.parse(text)
            if found is not None:
                yield from self.take(number, *found, text)
            if self.stamps.ended is not None:
                return


def printable(text: str) -> str:
    """The beginning of a line, without what would upset a terminal."""
    kept = "".join(sign if sign.isprintable() else "." for sign in text.strip()[:SHOWN])
    return kept + ("..." if len(text.strip()) > SHOWN else "")


def _open(path: Path) -> TextIO:
    with path.open("rb") as file:
        wide = file.read(2) in (BOM_UTF16_LE, BOM_UTF16_BE)  # what a shell of Windows writes where output is redirected
    return path.open(encoding="utf-16" if wide else "utf-8-sig", errors="replace", newline=None)


def _packed(path: Path) -> str:
    """What to do with a file that is an archive; nothing where it is none."""
    with path.open("rb") as file:
        begins = file.read(4)
    return next((f"it is packed ({name}); unpack it first" for magic, name in PACKED if begins.startswith(magic)), "")


def open_trace(path: Path, bus: str | None = None) -> TraceFile:
    """Recognise a trace file. bus: its name in the file; None for the one that shows CHAdeMO.

    TraceError: it cannot be opened, no line of it is a frame of a known format, or its bytes are turned round.
    """
    if path.is_dir():
        raise TraceError(f"{path}: is a folder; give a trace file")
    try:
        log = kind_of(path)
        if log is not None:
            bus = bus or chademo_bus(entry for _, entry in records(path, log))
            _in_order(path, (entry for _, entry in records(path, log)), bus)
            return TraceFile(path, log, bus)
        if packed := _packed(path):
            raise TraceError(f"{path}: {packed}")
        with _open(path) as file:
            found = _recognise(file)
    except OSError as error:
        raise TraceError(f"{path}: {error.strerror or error}; give a readable trace file") from error
    if isinstance(found, Format):
        if are_differences([at for at, _ in islice(_parsed(path, found), LOOKED_AT) if at is not None]):
            raise TraceError(
                f"{path}: its time stamps count from the frame before, also from frames that are not in the file; "
                "record with candump -L or -t a"
            )
        bus = bus or chademo_bus(entry for _, entry in _parsed(path, found))
        _in_order(path, (entry for _, entry in _parsed(path, found)), bus)
        return TraceFile(path, found, bus)
    raise TraceError(
        f"{path}: no line is a CAN frame ({found}); give a GVRET CSV of SavvyCAN or a candump text with time stamps, "
        "or an ASC, BLF, TRC or MF4 file"
    )


def _in_order(path: Path, entries: Iterable[Entry], bus: str | None) -> None:
    if turned_round(entries, bus):
        raise TraceError(
            f"{path}: the voltages of its frames make sense only with the high byte first, CHAdeMO sends the low byte "
            "first; export it with the bytes in the order of transmission"
        )


def _parsed(path: Path, form: Format) -> Iterator[tuple[int | None, Entry]]:
    with _open(path) as file:
        for _, text in lines(file):
            if (found := form.parse(text)) is not None:
                yield found


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
