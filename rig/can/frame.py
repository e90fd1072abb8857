"""One CAN frame as every part of the rig hands it on. Time travels beside it, never in it."""

from __future__ import annotations

from typing import NamedTuple


class Frame(NamedTuple):
    """A CAN 2.0A data frame. id: 11 bit. data: 0..8 bytes."""

    id: int
    data: bytes

    def __str__(self) -> str:
        return f"{self.id:03X} {self.data.hex(' ').upper()}"
