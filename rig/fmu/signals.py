"""Frames to and from physical values, by the table of rig.chademo.messages and in its units. Pure.

The codec holds frames as values in SI units for the rig's own code; here every signal is a number by its DBC name.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from rig.can.frame import Frame
from rig.chademo.messages import FrameSpec, signals_of
from rig.errors import BenchFault

LENGTH = 8
"""Bytes of every frame."""


def unpack(spec: FrameSpec, data: bytes) -> dict[str, float]:
    """Each signal of a frame of 8 bytes, by `<Frame>.<Signal>`."""
    raw = int.from_bytes(data, "little")
    return {
        f"{spec.name}.{one.name}": (raw >> one.start & (1 << one.length) - 1) * one.scale + one.offset
        for one in signals_of(spec.id)
    }


def pack(spec: FrameSpec, value: Callable[[str], float]) -> Frame:
    """The frame, every signal rounded to the nearest count. BenchFault for a value no count can hold."""
    raw = 0
    for one in signals_of(spec.id):
        name, top = f"{spec.name}.{one.name}", (1 << one.length) - 1
        physical = value(name)
        count = round((physical - one.offset) / one.scale) if math.isfinite(physical) else -1
        if not 0 <= count <= top:
            ends = sorted((one.offset, top * one.scale + one.offset))
            span = f"{ends[0]:g} to {ends[1]:g} {one.unit}".strip()
            raise BenchFault(f"FMU: {name} = {physical:g} cannot be sent; give {span}")
        raw |= count << one.start
    return Frame(spec.id, raw.to_bytes(LENGTH, "little"))
