"""Any frames written can be read again; any text at all is read without an exception, and never more than is there."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TextIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.can.frame import Frame
from rig.errors import TraceError
from rig.trace.judge import judge_trace
from rig.trace.lines import FORMATS, Format
from rig.trace.reader import open_trace
from rig.trace.writer import candump_line, gvret_line, write_candump, write_gvret

Write = Callable[[TextIO, Iterable[tuple[float, Frame]]], int]

FRAMES = st.builds(Frame, st.integers(0, 0x7FF), st.binary(max_size=8))
TIMED = st.lists(st.tuples(st.integers(0, 120_000), FRAMES), min_size=1, max_size=40)
"""(us since the one before, frame)."""
LINES = st.one_of(
    st.text(max_size=60),
    st.builds(lambda at, frame: gvret_line(at, frame), st.floats(-1e3, 5e3), FRAMES),
    st.builds(lambda at, frame: candump_line(abs(at), frame), st.floats(0, 5e3), FRAMES),
)


@st.composite
def garbled(draw: st.DrawFn) -> bytes:
    """A trace of lines of any kind, in which bytes were lost or turned."""
    data = bytearray("\n".join(draw(st.lists(LINES, max_size=20))).encode("utf-8", "replace"))
    for _ in range(draw(st.integers(0, 5))):
        if data:
            at = draw(st.integers(0, len(data) - 1))
            data[at : at + draw(st.integers(0, 4))] = draw(st.binary(max_size=3))
    return bytes(data)


def on_disk(data: bytes) -> Path:
    with tempfile.NamedTemporaryFile(delete=False) as file:
        file.write(data)
    return Path(file.name)


@pytest.mark.parametrize("write", [write_gvret, write_candump])
@given(steps=TIMED)
def test_what_is_written_is_read(write: Write, steps: list[tuple[int, Frame]]) -> None:
    micro, frames = 0, []
    for step, frame in steps:
        micro += step
        frames.append((micro, frame))
    file = io.StringIO()
    write(file, [(at / 1e6, frame) for at, frame in frames])
    path = on_disk(file.getvalue().encode())
    try:
        trace = open_trace(path, bus="0" if write is write_gvret else "can0")
        assert list(trace.frames()) == [((at - frames[0][0]) / 1e6, frame) for at, frame in frames]
        assert (trace.left_out, trace.late, trace.foreign) == (0, 0, 0)
    finally:
        path.unlink()


@given(garbled())
def test_garbage_is_noted_never_raised(data: bytes) -> None:
    path = on_disk(data)
    try:
        try:
            trace = open_trace(path)
        except TraceError:
            return
        report = judge_trace(trace.frames())
        assert report.frames == trace.frames_read
        lines = data.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n").split("\n")
        assert trace.frames_read + trace.foreign + trace.left_out <= len(lines) + 1
        assert all(1 <= note.line <= len(lines) and note.text.isprintable() for note in trace.notes)
    finally:
        path.unlink()


@given(st.sampled_from(FORMATS), st.one_of(st.text(max_size=200), LINES))
def test_any_line_is_a_frame_or_has_a_reason(form: Format, line: str) -> None:
    parsed = form.parse(line)
    if parsed is None:
        return
    at, entry = parsed
    assert not (entry.frame and entry.trouble)
    if at is None:
        assert entry.trouble
    if entry.frame is not None:
        assert 0 <= entry.frame.id <= 0x7FF
        assert len(entry.frame.data) <= 8
