"""Trace files of other tools, read and written by python-can: ASC and BLF (Vector), TRC (PEAK), MF4 (ASAM MDF).

A kind is told by how a file begins, else by its suffix. python-can leaves lines that are no frame out in silence, and
where it cannot go on, reading ends; who reads is told of the second. MF4 needs the package asammdf.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import can

from rig.can.frame import EXTENDED, Frame
from rig.errors import TraceError
from rig.trace.lines import Entry

_QUIET = logging.getLogger("can.io")
_QUIET.propagate = False  # its readers would print lines of a spoilt file as they are, control characters too
_QUIET.addHandler(logging.NullHandler())

EXTRA = "pip install 'v2hrig[trace]'"
SNIFFED = 4096
"""Bytes of a file that are looked at for its kind."""
Record = tuple[int | None, Entry]
"""Stamp in us, None where reading cannot go on; what stands behind it."""


@dataclass(frozen=True, slots=True)
class Log:
    """A kind of file. begins: how such a file begins; else it is text, known by a line of its head."""

    name: str
    suffixes: tuple[str, ...]
    begins: bytes = b""
    heads: tuple[str, ...] = ()


ASC = Log("ASC (Vector)", (".asc",), heads=("date ", "base hex", "base dec"))
BLF = Log("BLF (Vector)", (".blf",), b"LOGG")
TRC = Log("TRC (PEAK)", (".trc",), heads=(";$fileversion",))
MF4 = Log("MF4 (ASAM MDF)", (".mf4", ".mdf"), b"MDF ")
LOGS = (ASC, BLF, TRC, MF4)


def kind_of(path: Path) -> Log | None:
    """The kind of a file, None for none of these. TraceError: its suffix promises a kind that it is not; OSError."""
    with path.open("rb") as file:
        head = file.read(SNIFFED)
    for log in LOGS:
        if log.begins and head.startswith(log.begins):
            return log
    lines = [line.strip().lower() for line in head.decode("utf-8", "replace").lstrip("\ufeff").splitlines()]
    for log in LOGS:
        if any(line.startswith(one) for line in lines[:20] for one in log.heads):
            return log
    promised = next((log for log in LOGS if path.suffix.lower() in log.suffixes), None)
    if promised is not None and promised.begins and head:
        raise TraceError(f"{path}: does not begin as a {promised.name} file does; give it the suffix of what it is")
    return promised if promised is not None and head else None


def records(path: Path, log: Log) -> Iterator[Record]:
    """Every record in its order. TraceError: what reading it needs is not there, its stamps cannot be used, or not even
    its first record can be read."""
    first = True
    try:
        with ExitStack() as stack:
            reader = _reader(path, log, stack)
            for message in reader:
                if log is ASC and reader.timestamps_format == "relative":  # type: ignore[attr-defined]
                    raise TraceError(
                        f"{path}: its time stamps count from the event before, also from events that are not in the "
                        "file; export it with absolute time stamps"
                    )
                first = False
                yield round(message.timestamp * 1e6), _entry(message)
    except (TraceError, OSError):
        raise
    except Exception as error:  # what a spoilt file makes the readers of others raise is one thing
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        if first:
            raise TraceError(f"{path}: no {log.name} file that can be read ({said}); export it again") from error
        yield None, Entry("", None, f"cannot be read from here on ({said})")


def _reader(path: Path, log: Log, stack: ExitStack) -> can.io.generic.MessageReader:
    """Opened here, so that it is closed whatever the reader makes of it."""
    if log is MF4:
        need_asammdf(path)
    if log is ASC or log is TRC:
        text = stack.enter_context(path.open(encoding="utf-8", errors="replace"))
        return can.ASCReader(text) if log is ASC else can.TRCReader(text)
    raw = stack.enter_context(path.open("rb"))
    return can.BLFReader(raw) if log is BLF else can.MF4Reader(raw)


def need_asammdf(path: Path) -> None:
    """TraceError where MF4 can be neither read nor written."""
    if importlib.util.find_spec("asammdf") is None:
        raise TraceError(f"{path}: MF4 needs the package asammdf, which is not installed; {EXTRA}")


def _entry(message: can.Message) -> Entry:
    bus = "" if message.channel is None else str(message.channel)
    other = message.is_extended_id or message.is_remote_frame or message.is_error_frame or message.is_fd
    if other:
        return Entry(bus, None)
    if not 0 <= message.arbitration_id <= 0x7FF or len(message.data) > 8 or message.dlc != len(message.data):
        said = f"ID {message.arbitration_id:X} with {len(message.data)} bytes and a length of {message.dlc}"
        return Entry(bus, None, f"{said} cannot be on a CAN 2.0A bus")
    return Entry(bus, Frame(message.arbitration_id, bytes(message.data)))


def write_log(path: Path, log: Log, frames: Iterable[tuple[float, Frame]]) -> int:
    """Write a file of such a kind, times (s) as they are, on channel 1. Number of frames. MF4 needs asammdf."""
    count = 0
    with _writer(path, log) as writer:
        for at, frame in frames:
            count += 1
            writer.on_message_received(
                can.Message(
                    timestamp=at,
                    arbitration_id=frame.id & ~EXTENDED,
                    is_extended_id=bool(frame.id & EXTENDED),
                    data=frame.data,
                    channel=0,
                    is_rx=True,
                )
            )
    return count


def _writer(path: Path, log: Log) -> can.io.generic.MessageWriter:
    if log is ASC:
        return can.ASCWriter(path)
    if log is BLF:
        return can.BLFWriter(path)
    if log is TRC:
        return can.TRCWriter(path)
    return can.MF4Writer(path)
