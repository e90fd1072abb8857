"""Timed frames to text: the two formats that `reader` reads. Knows no session."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TextIO

from rig.can.frame import Frame

GVRET_HEAD = "Time Stamp,ID,Extended,Dir,Bus,LEN,D1,D2,D3,D4,D5,D6,D7,D8\n"


def gvret_line(at: float, frame: Frame, bus: str = "0") -> str:
    """A line of a GVRET CSV. at: s, written in whole microseconds."""
    data = "".join(f"{byte:02X}," for byte in frame.data)
    return f"{round(at * 1e6)},{frame.id:08X},false,Rx,{bus},{len(frame.data)},{data}\n"


def candump_line(at: float, frame: Frame, bus: str = "can0") -> str:
    """A line of `candump -L`. at: s, 0 or more."""
    micro = round(at * 1e6)
    return f"({micro // 1_000_000:010d}.{micro % 1_000_000:06d}) {bus} {frame.id:03X}#{frame.data.hex().upper()}\n"


def write_gvret(file: TextIO, frames: Iterable[tuple[float, Frame]]) -> int:
    """Write a GVRET CSV as SavvyCAN reads it. Number of frames."""
    file.write(GVRET_HEAD)
    return _write(file, frames, gvret_line)


def write_candump(file: TextIO, frames: Iterable[tuple[float, Frame]]) -> int:
    """Write a candump log as `canplayer` reads it. Number of frames."""
    return _write(file, frames, candump_line)


def _write(file: TextIO, frames: Iterable[tuple[float, Frame]], line: Callable[[float, Frame], str]) -> int:
    count = 0
    for at, frame in frames:
        file.write(line(at, frame))
        count += 1
    return count
