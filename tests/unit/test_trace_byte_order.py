"""A recording whose payloads were turned round is refused; a charger that says one foolish number is judged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from scripted_session import good

from rig.can.frame import Frame
from rig.errors import TraceError
from rig.trace.byte_order import turned_round
from rig.trace.lines import Entry
from rig.trace.reader import open_trace
from rig.trace.writer import write_candump

FRAMES = [(at, event) for at, event in good().stream() if isinstance(event, Frame)]


def in_pairs(_: int, data: bytes) -> bytes:
    """Words of 16 bits, stored the other way."""
    return bytes(data[at ^ 1] for at in range(len(data)))


def voltage_first(id: int, data: bytes) -> bytes:
    """The voltages alone high byte first, as an old description of the frames has it."""
    start = {0x100: 4, 0x102: 1, 0x108: 1}.get(id)
    if start is None:
        return data
    return data[:start] + data[start : start + 2][::-1] + data[start + 2 :]


@pytest.mark.parametrize("how", [in_pairs, voltage_first], ids=["pairs", "voltages"])
def test_bytes_turned_round_are_refused(tmp_path: Path, how: Callable[[int, bytes], bytes]) -> None:
    path = tmp_path / "turned.log"
    with path.open("w") as file:
        write_candump(file, [(at, Frame(frame.id, how(frame.id, frame.data))) for at, frame in FRAMES])
    with pytest.raises(TraceError, match="order of transmission"):
        open_trace(path)


def test_a_good_recording_is_not() -> None:
    assert not turned_round([Entry("0", frame) for _, frame in FRAMES], "0")


def test_one_identifier_out_of_range_is_a_charger_to_be_judged() -> None:
    foolish = [Frame(f.id, voltage_first(f.id, f.data)) if f.id == 0x108 else f for _, f in FRAMES]
    assert not turned_round([Entry("0", frame) for frame in foolish], "0")


def test_a_few_spoilt_frames_tell_nothing() -> None:
    spoilt = [Frame(f.id, voltage_first(f.id, f.data)) for _, f in FRAMES[:30]]
    whole = [f for _, f in FRAMES[30:]]
    assert not turned_round([Entry("0", frame) for frame in [*spoilt, *whole]], "0")
