"""Lanes of a CAN log beside a picture: what came, what did not, what changed, and what the cursor reads."""

from __future__ import annotations

import pyarrow as pa
import pytest

from reports.bus import COLUMNS, SAID, lanes

SIZE = 4000
"""Units of ten seconds: 400 a second."""
COLUMN = SIZE // COLUMNS


def log(*rows: tuple[float, str, int, bytes]) -> pa.Table:
    names = ("t", "sender", "id", "data")
    kinds = (pa.float64(), pa.string(), pa.uint32(), pa.binary())
    columns = zip(*sorted(rows), strict=True)
    return pa.table({n: pa.array(c, type=k) for n, k, c in zip(names, kinds, columns, strict=True)})


def every(
    period: float, start: float, end: float, id: int, data: bytes, who: str = "car"
) -> list[tuple[float, str, int, bytes]]:
    return [(start + period * k, who, id, data) for k in range(round((end - start) / period))]


def test_a_frame_that_comes_all_the_time_is_one_bar_without_a_mark() -> None:
    (lane,) = lanes(log(*every(0.1, 95, 115, 0x102, b"\x02\x9a")), 100, 110, SIZE)
    assert (lane.name, lane.sender, lane.bars, lane.marks) == ("0x102", "car", ((0, SIZE),), ())
    assert lane.said == ((0, "02 9A"),)


def test_a_silence_is_a_gap_in_which_nothing_is_said() -> None:
    rows = [*every(0.1, 95, 103, 0x102, b"\x01"), *every(0.1, 105, 115, 0x102, b"\x01")]
    (lane,) = lanes(log(*rows), 100, 110, SIZE)
    assert lane.bars == ((0, 1200), (2000, SIZE))
    assert lane.said == ((0, "01"), (1200, ""), (2000, "01"))
    assert lane.marks == ()


def test_one_frame_missed_is_seen_and_a_late_one_is_not() -> None:
    rows = every(0.1, 99, 101, 0x109, b"")
    missed = lanes(log(*rows[:14], *rows[15:]), 100, 101, SIZE)[0]
    late = lanes(log(*rows[:14], (rows[14][0] + 0.05, *rows[14][1:]), *rows[15:]), 100, 101, SIZE)[0]
    assert len(missed.bars) == 2
    assert late.bars == ((0, SIZE),)


def test_a_change_is_marked_in_its_column_and_read_from_there_on() -> None:
    rows = [*every(0.1, 95, 102, 0x200, b"\xe1"), *every(0.1, 102, 115, 0x200, b"\xff")]
    (lane,) = lanes(log(*rows), 100, 110, SIZE)
    assert lane.marks == ((800, 800 + COLUMN),)
    assert lane.said == ((0, "E1"), (800, "FF"))


def test_what_stood_before_the_stretch_is_no_change_in_it() -> None:
    rows = [*every(0.1, 95, 99.5, 0x200, b"\xe1"), *every(0.1, 99.5, 115, 0x200, b"\xff")]
    (lane,) = lanes(log(*rows), 100, 110, SIZE)
    assert lane.marks == ()
    assert lane.said == ((0, "FF"),)


@pytest.mark.parametrize(("changes", "kept"), [(SAID - 1, True), (SAID + 1, False)])
def test_bytes_that_change_too_often_are_not_kept_and_the_marks_are(changes: int, kept: bool) -> None:
    rows = [(100 + 0.1 * k, "evps", 0x109, bytes([min(k, changes)])) for k in range(100)]
    (lane,) = lanes(log(*rows), 100, 110, SIZE)
    assert (lane.said is not None) is kept
    assert len(lane.marks) == changes


def test_two_senders_of_one_identifier_are_two_lanes_and_what_is_not_there_is_none() -> None:
    rows = [*every(0.1, 100, 110, 0x102, b""), *every(0.1, 100, 110, 0x102, b"", "other"), (90.0, "car", 0x7DF, b"")]
    found = lanes(log(*rows, (105.0, "car", 0x80000102, b"")), 100, 110, SIZE)
    assert [(one.name, one.sender) for one in found] == [("0x102", "car"), ("0x102", "other"), ("0x102x", "car")]
    assert found[2].bars == ((2000, 2000 + COLUMN),)
    assert lanes(log((90.0, "car", 1, b"")), 100, 110, SIZE) == []
