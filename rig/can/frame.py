"""One CAN frame as every part of the rig hands it on. Time travels beside it, never in it."""

from __future__ import annotations

from typing import NamedTuple

from rig.errors import UseError

EXTENDED = 0x8000_0000
"""Set in the id of a frame with a 29-bit identifier (SocketCAN's CAN_EFF_FLAG): no 11-bit id is ever equal to it, so
whoever looks for one never takes a CAN 2.0B frame for it."""


class Frame(NamedTuple):
    """A CAN data frame. id: 11 bit, or EXTENDED | 29 bit. data: 0..8 bytes."""

    id: int
    data: bytes

    def __str__(self) -> str:
        number = f"{self.id & ~EXTENDED:08X}" if self.id & EXTENDED else f"{self.id:03X}"
        return f"{number} {self.data.hex(' ').upper()}"


def refuse_bad_frame(frame: Frame) -> None:
    """UseError for what no CAN wire can carry."""
    fits = 0 <= frame.id < 0x800 or EXTENDED <= frame.id < EXTENDED + 0x2000_0000
    if not fits or len(frame.data) > 8:
        raise UseError(
            f"CAN frame {frame}: an id has 11 bits, and a frame at most 8 bytes (29 bits with EXTENDED);"
            " mend who sends it"
        )
