"""Remote procedure calls as VXI-11 uses them: XDR (RFC 4506), ONC RPC version 2 (RFC 5531), record marking. Pure.

A call is answered in one of four ways: with the result of its procedure, with "no such program, version or procedure",
with "these arguments cannot be read", or (another RPC version) with a refusal. What is no call at all has no answer.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass

LONGEST = 1 << 21
"""Bytes of a record (project choice: above the largest write and its head)."""
CALL, REPLY = 0, 1
ACCEPTED, DENIED = 0, 1
SUCCESS, NO_PROGRAM, WRONG_VERSION, NO_PROCEDURE, GARBAGE = range(5)
RPC_MISMATCH = 0
RPC_VERSION = 2
LAST = 0x8000_0000
_WORD = struct.Struct(">I")
_SIGNED = struct.Struct(">i")


class Reader:
    """XDR values, one after another. ValueError when they are not there."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def word(self) -> int:
        """An unsigned number of 32 bits."""
        return int(_WORD.unpack(self._bytes(4))[0])

    def signed(self) -> int:
        """A signed number of 32 bits."""
        return int(_SIGNED.unpack(self._bytes(4))[0])

    def opaque(self) -> bytes:
        """Bytes of a stated length, filled up to four."""
        size = self.word()
        data = self._bytes(size)
        self._bytes(-size % 4)
        return data

    def _bytes(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._data):
            raise ValueError("the arguments stop before their end")
        data, self._at = self._data[self._at : end], end
        return data


def words(*numbers: int) -> bytes:
    """Numbers of 32 bits, negative ones as signed."""
    return b"".join(_WORD.pack(number & 0xFFFF_FFFF) for number in numbers)


def opaque(data: bytes) -> bytes:
    """Bytes with their length, filled up to four."""
    return words(len(data)) + data + bytes(-len(data) % 4)


@dataclass(frozen=True, slots=True)
class Call:
    """One call. arguments: not read yet."""

    number: int
    program: int
    version: int
    procedure: int
    arguments: Reader


def read_call(record: bytes) -> Call | bytes | None:
    """A call; or the refusal of one in another RPC version; None for what is no call."""
    reader = Reader(record)
    try:
        number, kind, version = reader.word(), reader.word(), reader.word()
        if kind != CALL:
            return None
        if version != RPC_VERSION:
            return words(number, REPLY, DENIED, RPC_MISMATCH, RPC_VERSION, RPC_VERSION)
        program, of_program, procedure = reader.word(), reader.word(), reader.word()
        for _ in ("credentials", "verifier"):
            reader.word()
            reader.opaque()
    except ValueError:
        return None
    return Call(number, program, of_program, procedure, reader)


def accepted(call: Call, state: int, body: bytes = b"") -> bytes:
    """An answer."""
    return words(call.number, REPLY, ACCEPTED, 0, 0, state) + body


Procedure = Callable[[Reader, Callable[[bytes], None]], None]
"""Reads its arguments (ValueError: they cannot be) and hands its result on, now or later."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program of one version, by procedure number. Procedure 0 does nothing, in every program."""

    number: int
    version: int
    procedures: Mapping[int, Procedure]


def answer(record: bytes, programs: Mapping[int, Program], reply: Callable[[bytes], None]) -> None:
    """Serve one record: reply(record) is called at most once, now or later."""
    call = read_call(record)
    if call is None:
        return
    if isinstance(call, bytes):
        reply(call)
        return
    program = programs.get(call.program)
    if program is None:
        reply(accepted(call, NO_PROGRAM))
    elif call.version != program.version:
        reply(accepted(call, WRONG_VERSION, words(program.version, program.version)))
    elif call.procedure == 0:
        reply(accepted(call, SUCCESS))
    elif call.procedure not in program.procedures:
        reply(accepted(call, NO_PROCEDURE))
    else:
        try:
            program.procedures[call.procedure](call.arguments, lambda body: reply(accepted(call, SUCCESS, body)))
        except ValueError:
            reply(accepted(call, GARBAGE))


def marked(record: bytes) -> bytes:
    """A record for a stream: one fragment, the last."""
    return words(LAST | len(record)) + record


class Records:
    """Bytes of a stream as they come, records as they end."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._record = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Every record that ended in these bytes. ValueError for one beyond LONGEST."""
        self._rest += data
        found: list[bytes] = []
        while len(self._rest) >= 4:
            mark = _WORD.unpack_from(self._rest)[0]
            size = mark & ~LAST
            if size + len(self._record) > LONGEST:
                raise ValueError(f"a record of more than {LONGEST} bytes")
            if len(self._rest) < 4 + size:
                break
            self._record += self._rest[4 : 4 + size]
            del self._rest[: 4 + size]
            if mark & LAST:
                found.append(bytes(self._record))
                self._record.clear()
        return found
