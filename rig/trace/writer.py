"""Timed frames to files: the formats that `reader` reads, chosen by the suffix of the file. Knows no session."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TextIO

from rig.can.frame import EXTENDED, Frame
from rig.errors import TraceError
from rig.trace.logs import LOGS, MF4, need_asammdf, write_log

GVRET_HEAD = "Time Stamp,ID,Extended,Dir,Bus,LEN,D1,D2,D3,D4,D5,D6,D7,D8\n"
Timed = Iterable[tuple[float, Frame]]


def gvret_line(at: float, frame: Frame, bus: str = "0") -> str:
    """A line of a GVRET CSV. at: s, written in whole microseconds."""
    data = "".join(f"{byte:02X}," for byte in frame.data)
    extended = "true" if frame.id & EXTENDED else "false"
    return f"{round(at * 1e6)},{frame.id & ~EXTENDED:08X},{extended},Rx,{bus},{len(frame.data)},{data}\n"


def candump_line(at: float, frame: Frame, bus: str = "can0") -> str:
    """A line of `candump -L`. at: s, 0 or more."""
    micro = round(at * 1e6)
    number = f"{frame.id & ~EXTENDED:08X}" if frame.id & EXTENDED else f"{frame.id:03X}"
    return f"({micro // 1_000_000:010d}.{micro % 1_000_000:06d}) {bus} {number}#{frame.data.hex().upper()}\n"


def write_gvret(file: TextIO, frames: Timed) -> int:
    """Write a GVRET CSV as SavvyCAN reads it. Number of frames."""
    file.write(GVRET_HEAD)
    return _write(file, frames, gvret_line)


def write_candump(file: TextIO, frames: Timed) -> int:
    """Write a candump log as `canplayer` reads it. Number of frames."""
    return _write(file, frames, candump_line)


def _write(file: TextIO, frames: Timed, line: Callable[[float, Frame], str]) -> int:
    count = 0
    for at, frame in frames:
        file.write(line(at, frame))
        count += 1
    return count


TEXTS: dict[str, tuple[str, Callable[[TextIO, Timed], int]]] = {
    ".csv": ("GVRET CSV (SavvyCAN)", write_gvret),
    ".log": ("candump", write_candump),
}
"""Suffix -> the text format it stands for."""
SUFFIXES = (*TEXTS, *(log.suffixes[0] for log in LOGS))
"""What a file that is written may be called."""


def format_of(path: Path) -> str:
    """The name of the format that a file of that suffix gets. TraceError: it stands for none, or for MF4 where that
    cannot be written."""
    suffix = path.suffix.lower()
    names = {one: name for one, (name, _) in TEXTS.items()} | {log.suffixes[0]: log.name for log in LOGS}
    if suffix not in names:
        raise TraceError(f"{path}: {suffix or 'no suffix'} stands for no format; use one of {', '.join(SUFFIXES)}")
    if suffix in MF4.suffixes:
        need_asammdf(path)
    return names[suffix]


def write_trace(path: Path, frames: Timed) -> int:
    """Write frames in the format of the file's suffix, whole or not at all. Number of frames. TraceError: no such
    format, what it needs is not there, or it cannot be written."""
    format_of(path)
    part = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        count = _write_part(part, frames)
        part.replace(path)
    except OSError as error:
        raise TraceError(f"{path}: cannot be written ({error.strerror or error}); name a file in a folder") from error
    finally:
        part.unlink(missing_ok=True)
    return count


def _write_part(path: Path, frames: Timed) -> int:
    suffix = path.suffix.lower()
    if suffix in TEXTS:
        with path.open("w", encoding="utf-8", newline="") as file:
            return TEXTS[suffix][1](file, frames)
    return write_log(path, next(log for log in LOGS if suffix == log.suffixes[0]), frames)
