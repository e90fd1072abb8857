"""ECHONET Lite frames, Format 1. Pure: bytes in, values out. [ELS]: ECHONET Lite specification, part II, chapter 3.

    EHD1 0x10, EHD2 0x81 | TID 2 | SEOJ 3 | DEOJ 3 | ESV 1 | OPC 1 | (EPC 1, PDC 1, EDT PDC)... OPC times

A response repeats the request's TID and has its two objects the other way round. Who cannot do all that was asked
answers with the request's service, minus 0x10 (Get_SNA, SetC_SNA, SetI_SNA, INF_SNA): in a SetC_SNA the properties that
were taken have no EDT and the others keep theirs; in a Get_SNA those that could not be read have none.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Final, NamedTuple

HEAD: Final = bytes((0x10, 0x81))
SHORTEST: Final = 12
"""Bytes up to and including OPC."""
TIDS: Final = 0x10000


class Esv(IntEnum):
    """Service codes: [ELS] 3.2.5."""

    SET_I_SNA = 0x50
    SET_C_SNA = 0x51
    GET_SNA = 0x52
    INF_SNA = 0x53
    SET_I = 0x60
    SET_C = 0x61
    GET = 0x62
    INF_REQ = 0x63
    SET_RES = 0x71
    GET_RES = 0x72
    INF = 0x73


RESPONSE: Final = {Esv.SET_C: Esv.SET_RES, Esv.GET: Esv.GET_RES, Esv.INF_REQ: Esv.INF}
REFUSAL: Final = {
    Esv.SET_I: Esv.SET_I_SNA, Esv.SET_C: Esv.SET_C_SNA, Esv.GET: Esv.GET_SNA, Esv.INF_REQ: Esv.INF_SNA,
}  # fmt: skip


class Eoj(NamedTuple):
    """An object: class group, class, instance."""

    group: int
    kind: int
    instance: int


class Prop(NamedTuple):
    """A property of a frame. data: empty in a Get, and where there is no value."""

    epc: int
    data: bytes = b""


class Frame(NamedTuple):
    """One frame. props: in their order."""

    tid: int
    source: Eoj
    target: Eoj
    service: Esv
    props: tuple[Prop, ...]


def encode(frame: Frame) -> bytes:
    """The bytes of a frame. ValueError when it cannot be one."""
    if not 0 <= frame.tid < TIDS or not 0 < len(frame.props) < 256:
        raise ValueError(f"TID {frame.tid} or {len(frame.props)} properties: a frame has 1..255, and a TID of 16 bits")
    if any(len(one.data) > 255 for one in frame.props):
        raise ValueError("a property has at most 255 bytes")
    body = b"".join(bytes((one.epc, len(one.data))) + one.data for one in frame.props)
    ends = bytes((*frame.source, *frame.target, frame.service, len(frame.props)))
    return HEAD + frame.tid.to_bytes(2, "big") + ends + body


def decode(data: bytes) -> Frame:
    """A frame from a datagram. ValueError, in words, for anything that is not exactly one."""
    if len(data) < SHORTEST or data[:2] != HEAD:
        raise ValueError("is no ECHONET Lite frame of format 1")
    try:
        service = Esv(data[10])
    except ValueError:
        raise ValueError(f"has an unknown service 0x{data[10]:02X}") from None
    props, at = [], SHORTEST
    for _ in range(data[11]):
        end = at + 2 + (data[at + 1] if at + 1 < len(data) else 0)
        if at + 2 > len(data) or end > len(data):
            raise ValueError("ends in the middle of a property")
        props.append(Prop(data[at], data[at + 2 : end]))
        at = end
    if at != len(data) or not props:
        raise ValueError("has another length than its properties")
    return Frame(int.from_bytes(data[2:4], "big"), Eoj(*data[4:7]), Eoj(*data[7:10]), service, tuple(props))


def property_map(epcs: Sequence[int]) -> bytes:
    """A property map (EPC 0x9D..0x9F): a count, then the EPCs, or from 16 on a table of 16 bytes in which bit n of byte
    m stands for EPC 0x80 + 16 n + m. [APPENDIX] annex 1."""
    if len(epcs) < 16:
        return bytes((len(epcs), *sorted(epcs)))
    table = [0] * 16
    for epc in epcs:
        table[epc & 0x0F] |= 1 << ((epc >> 4) - 8)
    return bytes((len(epcs), *table))


def read_map(data: bytes) -> frozenset[int]:
    """The EPCs of a property map. ValueError when it is none."""
    if not data:
        raise ValueError("an empty property map")
    if data[0] < 16 and len(data) == 1 + data[0]:
        return frozenset(data[1:])
    if len(data) != 17:
        raise ValueError(f"a property map of {len(data)} bytes for {data[0]} properties")
    table = data[1:]
    return frozenset(0x80 + 16 * n + m for m in range(16) for n in range(8) if table[m] >> n & 1)
