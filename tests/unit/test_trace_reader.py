"""Trace files: both formats, what is wrong with a line and where, time that is not what it should be."""

from __future__ import annotations

import importlib
import io
from pathlib import Path

import pytest

from rig.can.frame import Frame
from rig.errors import TraceError
from rig.trace import reader
from rig.trace.lines import CANDUMP, GVRET, LONGEST
from rig.trace.reader import TimedFrame, TraceFile, open_trace
from rig.trace.writer import candump_line, gvret_line, write_candump, write_gvret

HEAD = "Time Stamp,ID,Extended,Dir,Bus,LEN,D1,D2,D3,D4,D5,D6,D7,D8\n"
STATUS = Frame(0x102, bytes.fromhex("029A010000C90300"))
LIMITS = Frame(0x100, bytes.fromhex("00000000B3016400"))


def gvret(at: int, frame: Frame = STATUS, bus: str = "0") -> str:
    return gvret_line(at / 1e6, frame, bus)


def written(tmp_path: Path, text: str, name: str = "trace") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def read(tmp_path: Path, text: str, bus: str | None = None) -> tuple[TraceFile, list[TimedFrame]]:
    trace = open_trace(written(tmp_path, text), bus)
    return trace, list(trace.frames())


# -- formats


@pytest.mark.parametrize(
    "line",
    [
        "3036499,00000102,false,Rx,0,8,02,9A,01,00,00,C9,03,00,",
        "3036499,00000102,false,Rx,0,8,02,9A,01,00,00,C9,03,00",
        "3036499,102,False,Tx,0,8,2,9a,1,0,0,c9,3,0,",
        "3036499,00000102,false,0,8,02,9A,01,00,00,C9,03,00,",
        " 3036499 , 00000102 , false , Rx , 0 , 8 , 02,9A,01,00,00,C9,03,00,\r",
    ],
)
def test_a_gvret_line(line: str) -> None:
    parsed = GVRET.parse(line + "\n")
    assert parsed is not None
    at, entry = parsed
    assert (at, entry.frame, entry.bus, entry.trouble) == (3_036_499, STATUS, "0", "")


@pytest.mark.parametrize(
    ("line", "at"),
    [
        ("(1612345678.123456) can0 102#029A010000C90300", 1_612_345_678_123_456),
        ("(1612345678.123456) can0 102#029A010000C90300 R", 1_612_345_678_123_456),
        ("(1612345678.123456) can0 102#02.9A.01.00.00.C9.03.00", 1_612_345_678_123_456),
        (" (000.010203)  can0  102   [8]  02 9A 01 00 00 C9 03 00", 10_203),
        (" (000.010203)  can0  RX - -  102   [8]  02 9A 01 00 00 C9 03 00", 10_203),
        (" (000.010203)  can0  102   [8]  02 9A 01 00 00 C9 03 00   '........'", 10_203),
        (" (2021-02-03 09:47:58.123456)  can0  102   [8]  02 9A 01 00 00 C9 03 00", 1_612_345_678_123_456),
        (" (000.010203)  can0  102   [8]  00`03`C9`00`00`01`9A`02", 10_203),
        ("(1.5) can0 102#029A010000C90300", 1_500_000),
    ],
)
def test_a_candump_line(line: str, at: int) -> None:
    parsed = CANDUMP.parse(line + "\n")
    assert parsed is not None
    assert (parsed[0], parsed[1].frame, parsed[1].bus, parsed[1].trouble) == (at, STATUS, "can0", "")


@pytest.mark.parametrize(
    ("line", "trouble"),
    [
        ("3036499,00000102,false,Rx,0,8,02,9A,01", "cut off: LEN is 8, 3 bytes are there"),
        ("3036499,00000102", "cut off: a frame has at least"),
        ("3036499,00000102,false,Rx,0,8,02,9A,01,00,00,C9,03,0G,", "a data byte is no hex number"),
        ("3036499,00000102,false,Rx,0,8,02,9A,01,00,00,C9,03,100,", "a data byte is no hex number"),
        ("3036499,0000010Z,false,Rx,0,8,02,9A,01,00,00,C9,03,00,", "ID '0000010Z' or LEN '8' is no number"),
        ("3036499,00000802,false,Rx,0,8,02,9A,01,00,00,C9,03,00,", "cannot be on a CAN 2.0A bus"),
        ("3036499,00000102,false,Rx,0,9,02,9A,01,00,00,C9,03,00,00", "cannot be on a CAN 2.0A bus"),
        ("3036499,00000102,maybe,Rx,0,8,02,9A,01,00,00,C9,03,00,", "Extended is 'maybe'"),
        ("30x6499,00000102,false,Rx,0,8,02,9A,01,00,00,C9,03,00,", "time stamp '30x6499' is no whole number"),
        ("hello", "not a line of a GVRET CSV"),
    ],
)
def test_what_is_wrong_with_a_gvret_line(line: str, trouble: str) -> None:
    parsed = GVRET.parse(line + "\n")
    assert parsed is not None
    assert parsed[1].frame is None
    assert trouble in parsed[1].trouble


@pytest.mark.parametrize(
    ("line", "trouble"),
    [
        ("(1.000000) can0 102#029A0", "no whole hex bytes"),
        ("(1.000000) can0 102#029A010000C9030000", "ID 102 with 9 bytes"),
        ("(1.000000) can0 102", "not a line of candump"),
        (" (000.010203)  can0  102   [8]  02 9A 01", "cut off: [8] is said, 3 bytes are there"),
        ("(1.x) can0 102#029A010000C90300", "time stamp '1.x' cannot be read"),
        ("  can0  102   [8]  02 9A 01 00 00 C9 03 00", "no time stamp; record with candump -L or candump -ta"),
        ("hello", "not a line of candump"),
    ],
)
def test_what_is_wrong_with_a_candump_line(line: str, trouble: str) -> None:
    parsed = CANDUMP.parse(line + "\n")
    assert parsed is not None
    assert parsed[0] is None or parsed[1].frame is None
    assert trouble in parsed[1].trouble


@pytest.mark.parametrize(
    "line",
    [
        "3036499,18FF0102,true,Rx,0,8,02,9A,01,00,00,C9,03,00,",
        "(1.000000) can0 18FF0102#029A010000C90300",
        "(1.000000) can0 102##1029A",
        "(1.000000) can0 102#R8",
        " (1.000000)  can0  102   [8]  remote request",
    ],
)
def test_other_kinds_of_frames_are_foreign_not_wrong(line: str) -> None:
    parsed = (GVRET if line[0] == "3" else CANDUMP).parse(line)
    assert parsed is not None
    assert parsed[1].frame is None
    assert not parsed[1].trouble


@pytest.mark.parametrize("line", [HEAD, "\n", "Time Stamp,ID,Extended,Bus,LEN,D1\n"])
def test_idle_lines_of_gvret(line: str) -> None:
    assert GVRET.parse(line) is None


# -- a file


def test_lines_that_cannot_be_read_are_noted_and_leave_a_hole(tmp_path: Path) -> None:
    text = HEAD + gvret(0) + "garbage\x00\n" + gvret(100_000)[:30] + "\n" + gvret(200_000) + gvret(300_000)
    trace, frames = read(tmp_path, text)
    assert frames == [(0.0, STATUS), (0.2, None), (0.2, STATUS), (0.3, STATUS)]
    assert [(note.line, note.text) for note in trace.notes] == [(3, "garbage."), (4, gvret(100_000)[:30])]
    assert str(trace.notes[0]) == "line 3: not a line of a GVRET CSV: garbage."
    assert (trace.frames_read, trace.left_out, trace.span, trace.format) == (3, 2, 0.3, GVRET)


def test_a_whole_line_is_needed_at_the_end_as_well(tmp_path: Path) -> None:
    trace, frames = read(tmp_path, HEAD + gvret(0) + gvret(100_000)[:-9])
    assert frames == [(0.0, STATUS)]
    assert [note.line for note in trace.notes] == [3]


def test_the_notes_are_bounded_and_the_rest_is_counted(tmp_path: Path) -> None:
    trace, _ = read(tmp_path, gvret(0) + "x\n" * 500 + gvret(100_000))
    assert trace.left_out == 500
    assert len(trace.notes) == reader.NOTED


def test_a_line_without_end_is_one_line(tmp_path: Path) -> None:
    trace, frames = read(tmp_path, gvret(0) + "y" * (20 * LONGEST) + "\n" + gvret(100_000))
    assert [at for at, _ in frames] == [0.0, 0.1, 0.1]
    assert [(note.line, len(note.text)) for note in trace.notes] == [(2, reader.SHOWN + 3)]


def test_the_bus_of_chademo_is_found_and_others_are_left_out(tmp_path: Path) -> None:
    battery = Frame(0x1DB, bytes(8))
    text = gvret(0, battery, "1") + gvret(10_000, STATUS, "0") + gvret(20_000, STATUS, "1") + gvret(30_000, LIMITS, "0")
    trace, frames = read(tmp_path, text)
    assert frames == [(0.0, STATUS), (0.02, LIMITS)]
    assert (trace.bus, trace.foreign) == ("0", 2)
    trace, frames = read(tmp_path, text, bus="1")
    assert frames == [(0.0, battery), (0.02, STATUS)]
    assert (trace.bus, trace.foreign) == ("1", 2)


def test_a_car_bus_with_some_of_the_identifiers_is_not_taken_for_chademo(tmp_path: Path) -> None:
    """The car's own bus speaks first, with 0x101, 0x108, 0x200 and 0x208; the session is on the other."""
    own = [gvret(1000 * n, Frame(id, bytes(8)), "1") for n, id in enumerate((0x101, 0x108, 0x200, 0x208))]
    session = [gvret(10_000 + 1000 * n, Frame(id, bytes(8)), "0") for n, id in enumerate((0x100, 0x101, 0x102))]
    trace, frames = read(tmp_path, "".join(own + session))
    assert trace.bus == "0"
    assert [frame.id for _, frame in frames if frame] == [0x100, 0x101, 0x102]
    assert trace.foreign == 4
    trace, frames = read(tmp_path, "".join(own))
    assert trace.bus == "1"


def test_a_byte_order_mark_and_dos_lines(tmp_path: Path) -> None:
    path = tmp_path / "trace.csv"
    path.write_bytes(b"\xef\xbb\xbf" + (HEAD + gvret(0) + gvret(100_000)).replace("\n", "\r\n").encode())
    assert list(open_trace(path).frames()) == [(0.0, STATUS), (0.1, STATUS)]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_text_of_sixteen_bits(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "trace.csv"
    mark = "" if encoding == "utf-16" else "\ufeff"
    path.write_bytes((mark + HEAD + gvret(0) + gvret(100_000)).encode(encoding))
    assert list(open_trace(path).frames()) == [(0.0, STATUS), (0.1, STATUS)]


@pytest.mark.parametrize("module", ["gzip", "bz2", "lzma"])
def test_a_packed_file_is_named_as_such(tmp_path: Path, module: str) -> None:
    path = tmp_path / "trace.csv"
    path.write_bytes(importlib.import_module(module).compress((HEAD + gvret(0)).encode()))
    with pytest.raises(TraceError, match=r"packed \(\w+\); unpack it"):
        open_trace(path)


# -- time


@pytest.mark.parametrize(
    ("stamps", "times"),
    [
        pytest.param([-50_000, 50_000, 150_000], [0.0, 0.1, 0.2], id="negative"),
        pytest.param([0, 100_000, 98_000, 200_000], [0.0, 0.1, 0.1, 0.2], id="a little disorder"),
        pytest.param([0, 500_000, 600_000], [0.0, 0.5, 0.6], id="a pause"),
        pytest.param([0, 100_000, 900_000], [0.0, 0.1, 0.9], id="a pause before the last"),
        pytest.param([(1 << 32) - 50_000, 50_000, 150_000], [0.0, 0.1, 0.2], id="a counter of 32 bits wraps"),
        pytest.param([(1 << 31) - 50_000, 50_000 - (1 << 31), 150_000 - (1 << 31)], [0.0, 0.1, 0.2], id="signed"),
    ],
)  # fmt: skip
def test_time(tmp_path: Path, stamps: list[int], times: list[float]) -> None:
    trace, frames = read(tmp_path, "".join(map(gvret, stamps)))
    assert [at for at, _ in frames] == pytest.approx(times, abs=1e-9)
    assert all(frame == STATUS for _, frame in frames)
    assert trace.left_out == 0


def test_a_stamp_far_behind_has_no_certain_time(tmp_path: Path) -> None:
    trace, frames = read(tmp_path, "".join(map(gvret, [0, 100_000, 40_000, 200_000])))
    assert [at for at, _ in frames] == [0.0, 0.1, 0.1, 0.1, 0.2]
    assert frames[2][1] is None
    assert trace.late == 1


@pytest.mark.parametrize("wild", [90_000_000, -90_000_000, 1_000_000_000_000])
def test_one_wild_stamp_is_left_out(tmp_path: Path, wild: int) -> None:
    trace, frames = read(tmp_path, "".join(map(gvret, [0, 100_000, wild, 300_000, 400_000])))
    assert frames == [(0.0, STATUS), (0.1, STATUS), (0.3, None), (0.3, STATUS), (0.4, STATUS)]
    assert [(note.line, note.why) for note in trace.notes] == [(3, "time stamp out of line")]


def test_a_wild_last_stamp_is_left_out(tmp_path: Path) -> None:
    trace, frames = read(tmp_path, "".join(map(gvret, [0, 100_000, -90_000_000])))
    assert frames == [(0.0, STATUS), (0.1, STATUS)]
    assert trace.left_out == 1


def test_stamps_that_are_differences_are_refused(tmp_path: Path) -> None:
    """candump -t d: each counts from the line before, also from lines that were filtered out."""
    steps = [0.0, *(0.000_200, 0.010_000, 0.050_000, 0.039_800) * 10]
    with pytest.raises(TraceError, match=r"count from the frame before.*record with candump -L or -t a"):
        open_trace(written(tmp_path, "".join(f" ({step:010.6f})  can0  102   [1]  02\n" for step in steps)))


def test_two_receivers_that_disagree_by_milliseconds_are_no_differences(tmp_path: Path) -> None:
    stamps = [1_000_000 + 2_000 * n - (5_000 if n % 2 else 0) for n in range(200)]
    text = "".join(f" ({at / 1e6:010.6f})  can{n % 2}  102   [1]  02\n" for n, at in enumerate(stamps))
    trace = open_trace(written(tmp_path, text))
    assert len(list(trace.frames())) == 100


def test_another_recording_in_the_same_file_is_not_read(tmp_path: Path) -> None:
    trace, frames = read(tmp_path, "".join(map(gvret, [90_000_000, 90_100_000, 0, 100_000, 200_000])))
    assert frames == [(0.0, STATUS), (0.1, STATUS)]
    (note,) = trace.notes
    assert note.line == 3
    assert "set back by 90.100 s" in note.why


# -- what is no trace


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty"),
        (HEAD, "it is empty"),
        ("hello\nworld\n", "line 1: not a line of a GVRET CSV"),
        ("\x00\xff\x01" * 1000, "line 1: not a line of a GVRET CSV"),
        ("  can0  102   [8]  02 9A 01 00 00 C9 03 00\n" * 3, "no time stamp; record with candump -L"),
        (gvret(0)[:25], "cut off"),
    ],
)
def test_a_file_without_a_single_frame(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(TraceError) as error:
        open_trace(written(tmp_path, text))
    assert why in str(error.value)
    assert "\n" not in str(error.value)
    assert "give a GVRET CSV of SavvyCAN or a candump text" in str(error.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="No such file"):
        open_trace(tmp_path / "nothing.csv")
    with pytest.raises(TraceError, match="is a folder"):
        open_trace(tmp_path)


# -- writing


def test_what_is_written() -> None:
    frames = [(0.0, LIMITS), (1.25, Frame(0x7, b"\x01\xff"))]
    file = io.StringIO()
    assert write_gvret(file, frames) == 2
    assert file.getvalue() == (
        HEAD + "0,00000100,false,Rx,0,8,00,00,00,00,B3,01,64,00,\n1250000,00000007,false,Rx,0,2,01,FF,\n"
    )
    file = io.StringIO()
    assert write_candump(file, frames) == 2
    assert file.getvalue() == "(0000000000.000000) can0 100#00000000B3016400\n(0000000001.250000) can0 007#01FF\n"


def test_a_candump_line_carries_its_bus() -> None:
    assert candump_line(1612345678.5, STATUS, "vcan3") == "(1612345678.500000) vcan3 102#029A010000C90300\n"
