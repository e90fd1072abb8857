"""One CAN frame as every part of the rig hands it on. Time travels beside it, never in it."""

from __future__ import annotations

from typing import NamedTuple

from rig.errors import UseError


class Frame(NamedTuple):
    """A CAN 2.0A data frame. id: 11 bit. data: 0..8 bytes."""

    id: int
    data: bytes

    def __str__(self) -> str:
        return f"{self.id:03X} {self.data.hex(' ').upper()}"


def refuse_bad_frame(frame: Frame) -> None:
    """UseError for what no CAN 2.0A wire can carry."""
    if not 0 <= frame.id < 0x800 or len(frame.data) > 8:
        raise UseError(f"CAN frame {frame}: an id has 11 bits, and a frame at most 8 bytes; mend who sends it")
