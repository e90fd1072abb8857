"""Modbus RTU frames: unit, PDU, CRC. Framed and checked by pymodbus; pure.

A frame has no mark of its end, so its length is worked out from its function, as pymodbus does; bytes before one are
passed over. Whatever cannot be one is dropped up to the next silence, and the master asks again.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pymodbus.framer import FramerRTU

LONGEST = 256
"""Bytes of a frame: Modbus over serial line specification, V1.02, 2.5.1."""


def framer(server: bool) -> FramerRTU:
    """pymodbus's, for one side. server: it reads requests."""
    from pymodbus.framer import FramerRTU  # benches without such a board do without its import
    from pymodbus.pdu import DecodePDU

    return FramerRTU(DecodePDU(server))


class Reader:
    """Bytes as they come, frames as they are whole. server: they are requests."""

    def __init__(self, server: bool) -> None:
        self._framer = framer(server)
        self._rest = b""
        self.spoilt = 0
        """Frames that came with a wrong CRC, or were none at all."""

    def feed(self, data: bytes) -> list[bytes]:
        """Whole frames: unit and PDU, without CRC."""
        self._rest += data
        try:
            used, unit, _, pdu = self._framer.decode(self._rest)
        except (IndexError, struct.error, ValueError):
            used, unit, pdu = 0, 0, b""
        if used:
            self._rest = b""
            if pdu:
                return [bytes((unit,)) + pdu]
            self.spoilt += 1
        elif len(self._rest) > LONGEST:
            self._rest = b""
            self.spoilt += 1
        return []

    @property
    def half(self) -> bool:
        """Something came that is not whole."""
        return bool(self._rest)

    def clear(self) -> None:
        """Forget what is not whole: after a silence."""
        self._rest = b""


def whole(frame: bytes, server: bool = False) -> bytes:
    """Unit and PDU with their CRC."""
    made: bytes = framer(server).encode(frame[1:], frame[0], 0)
    return made
