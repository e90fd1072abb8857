"""HiSLIP messages (IVI-6.1): bytes to messages and back. Pure; who may say what when is rig.visa.hislip_server's.

A message is a header of 16 bytes in network order, "HS", type, control code, parameter (32 bits), payload length (64
bits), and the payload. A header without "HS" means that both ends are out of step for good (fatal error 1).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

PORT = 4880
"""The port of the standard."""
LONGEST = 1 << 20
"""Bytes of payload that are taken in one message (project choice, what VISA's clients offer)."""
VERSION = 0x0100
"""1.0: no encryption, no credentials."""
VENDOR = int.from_bytes(b"XX", "big")
"""Two letters of a vendor; none is registered for this rig."""
FIRST_ID = 0xFFFF_FF00
"""Of the messages of either side, after initialization and after a device clear (2 more each)."""
_HEADER = struct.Struct("!2sBBIQ")
HEADER = _HEADER.size
_ID_STEP, _ID_MASK = 2, 0xFFFF_FFFF


class Kind(IntEnum):
    """Message types of version 1."""

    INITIALIZE = 0
    INITIALIZE_RESPONSE = 1
    FATAL_ERROR = 2
    ERROR = 3
    ASYNC_LOCK = 4
    ASYNC_LOCK_RESPONSE = 5
    DATA = 6
    DATA_END = 7
    DEVICE_CLEAR_COMPLETE = 8
    DEVICE_CLEAR_ACKNOWLEDGE = 9
    ASYNC_REMOTE_LOCAL_CONTROL = 10
    ASYNC_REMOTE_LOCAL_RESPONSE = 11
    TRIGGER = 12
    INTERRUPTED = 13
    ASYNC_INTERRUPTED = 14
    ASYNC_MAX_MESSAGE_SIZE = 15
    ASYNC_MAX_MESSAGE_SIZE_RESPONSE = 16
    ASYNC_INITIALIZE = 17
    ASYNC_INITIALIZE_RESPONSE = 18
    ASYNC_DEVICE_CLEAR = 19
    ASYNC_SERVICE_REQUEST = 20
    ASYNC_STATUS_QUERY = 21
    ASYNC_STATUS_RESPONSE = 22
    ASYNC_DEVICE_CLEAR_ACKNOWLEDGE = 23
    ASYNC_LOCK_INFO = 24
    ASYNC_LOCK_INFO_RESPONSE = 25


KINDS = frozenset(Kind)
FIRST_VENDOR_KIND = 128

# fatal errors: the connection ends
UNIDENTIFIED, BAD_HEADER, NO_ASYNC_CHANNEL, BAD_INITIALIZATION, TOO_MANY_CLIENTS = range(5)
# errors: the message is ignored
UNKNOWN_KIND, UNKNOWN_CONTROL_CODE, UNKNOWN_VENDOR_KIND, TOO_LARGE = range(1, 5)


class OutOfStep(ValueError):
    """What came is no header: nothing after it can be understood."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message. kind: a Kind where the standard knows it. payload: None when it was too large and left out."""

    kind: int
    control: int = 0
    parameter: int = 0
    payload: bytes | None = b""


def encode(message: Message) -> bytes:
    """The bytes of a message."""
    payload = message.payload or b""
    return _HEADER.pack(b"HS", message.kind, message.control, message.parameter, len(payload)) + payload


def next_id(number: int) -> int:
    """The message id after this one."""
    return (number + _ID_STEP) & _ID_MASK


class Decoder:
    """Bytes as they come, messages as they end. A payload beyond LONGEST is left out, not kept."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._head: tuple[int, int, int] | None = None
        self._size = self._skip = 0

    def feed(self, data: bytes) -> list[Message]:
        """Every message that ended in these bytes. OutOfStep when they are none."""
        self._rest += data
        found: list[Message] = []
        while (message := self._one()) is not None:
            found.append(message)
        return found

    def _one(self) -> Message | None:
        if self._head is None:
            if len(self._rest) < _HEADER.size:
                if self._rest[:2] != b"HS"[: len(self._rest)]:
                    raise OutOfStep("no HiSLIP header")
                return None
            mark, kind, control, parameter, self._size = _HEADER.unpack_from(self._rest)
            if mark != b"HS":
                raise OutOfStep("no HiSLIP header")
            del self._rest[: _HEADER.size]
            self._head = kind, control, parameter
            self._skip = self._size if self._size > LONGEST else 0
        kind, control, parameter = self._head
        if self._size > LONGEST:
            gone = min(self._skip, len(self._rest))
            del self._rest[:gone]
            self._skip -= gone
            if self._skip:
                return None
            self._head = None
            return Message(kind, control, parameter, None)
        if len(self._rest) < self._size:
            return None
        payload = bytes(self._rest[: self._size])
        del self._rest[: self._size]
        self._head = None
        return Message(kind, control, parameter, payload)
