"""Trace files of other tools: each written and read back, and what is no such file told in one line."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import can
import pytest
from typer.testing import CliRunner

from rig.can.frame import Frame
from rig.cli.trace import app
from rig.errors import TraceError, UseError
from rig.trace.reader import TimedFrame, TraceFile, open_trace
from rig.trace.writer import SUFFIXES, format_of, write_trace

MF4 = pytest.param(
    ".mf4",
    marks=pytest.mark.skipif(importlib.util.find_spec("asammdf") is None, reason="asammdf (extra trace) is not here"),
)
STATUS = Frame(0x102, bytes.fromhex("029A010000C90300"))
FRAMES = [(0.0, STATUS), (0.010123, Frame(0x700, b"\x01")), (0.1, STATUS), (0.2, Frame(0x108, bytes(8))), (9.5, STATUS)]


def read(path: Path) -> tuple[TraceFile, list[TimedFrame]]:
    trace = open_trace(path)
    return trace, list(trace.frames())


def written(path: Path, *messages: can.Message) -> Path:
    with can.Logger(str(path)) as log:
        for message in messages:
            log.on_message_received(message)
    return path


def message(at: float, frame: Frame = STATUS, **more: object) -> can.Message:
    known = {"timestamp": at, "arbitration_id": frame.id, "data": frame.data, "is_extended_id": False, "channel": 0}
    return can.Message(**{**known, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize("suffix", [".csv", ".log", ".asc", ".blf", ".trc", MF4])
def test_what_is_written_is_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"session{suffix}"
    assert write_trace(path, FRAMES) == len(FRAMES)
    trace, frames = read(path)
    assert [frame for _, frame in frames] == [frame for _, frame in FRAMES]
    assert [at for at, _ in frames] == pytest.approx([at for at, _ in FRAMES], abs=1e-6)
    assert (trace.format.name, trace.left_out, trace.late, trace.foreign) == (format_of(path), 0, 0, 0)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", [".asc", ".blf", ".trc"])
def test_the_kind_is_known_by_the_content_whatever_the_name(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"session{suffix}"
    write_trace(path, FRAMES)
    renamed = path.rename(tmp_path / "session.txt")
    assert len(read(renamed)[1]) == len(FRAMES)


@pytest.mark.parametrize("suffix", [".asc", ".blf", ".trc"])
def test_frames_of_other_kinds_and_buses_are_counted(tmp_path: Path, suffix: str) -> None:
    path = written(
        tmp_path / f"mixed{suffix}",
        message(1.0),
        message(1.01, is_extended_id=True, arbitration_id=0x18FF0102),
        message(1.02, channel=1),
        message(1.03, is_remote_frame=True, data=b""),
        message(1.1),
    )
    trace, frames = read(path)
    assert [at for at, _ in frames] == pytest.approx([0.0, 0.1], abs=1e-6)
    assert trace.foreign == (2 if suffix == ".trc" else 3)  # the writer of TRC knows no remote frames


def test_a_second_recording_behind_the_first_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "two.asc"
    write_trace(path, [(at / 10, STATUS) for at in range(40)])
    lines = path.read_text().splitlines(keepends=True)
    frames = [n for n, line in enumerate(lines) if " 102 " in line]
    path.write_text("".join([*lines[: frames[-1] + 1], *lines[frames[0] : frames[-1] + 1]]))
    trace, read_ = read(path)
    assert len(read_) == 40
    assert "another recording follows" in trace.notes[-1].why
    assert str(trace.notes[-1]).startswith("record 41: ")


def test_a_file_cut_off_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "cut.asc"
    write_trace(path, FRAMES)
    text = path.read_text()
    path.write_text(text[: text.rindex("C9 03") + 1])
    trace, frames = read(path)
    assert [frame for _, frame in frames] == [frame for _, frame in FRAMES[:-1]]
    assert trace.left_out == 1


def test_a_spoilt_file_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "spoilt.blf"
    path.write_bytes(b"LOGG" + bytes(200))
    with pytest.raises(TraceError, match=r"no BLF \(Vector\) file that can be read .*; export it again") as error:
        read(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("suffix", [".blf", ".mf4"])
def test_a_suffix_that_promises_what_is_not_there(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"wrong{suffix}"
    path.write_text("hello")
    with pytest.raises(TraceError, match="does not begin as"):
        open_trace(path)


def test_stamps_relative_to_the_event_before_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "relative.asc"
    write_trace(path, FRAMES)
    path.write_text(path.read_text().replace("timestamps absolute", "timestamps relative"))
    with pytest.raises(TraceError, match="export it with absolute time stamps"):
        read(path)


def test_without_asammdf_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    path = tmp_path / "session.mf4"
    with pytest.raises(TraceError, match=r"session\.mf4: MF4 needs .*pip install 'v2hrig\[trace\]'"):
        write_trace(path, FRAMES)
    path.write_bytes(b"MDF     4.10    ")
    with pytest.raises(TraceError, match=r"v2hrig\[trace\]"):
        read(path)


def test_convert(tmp_path: Path) -> None:
    source, out = tmp_path / "in.csv", tmp_path / "out.blf"
    write_trace(source, FRAMES)
    with source.open("a") as file:
        file.write("garbage\n9600000,00000102,false,Rx,0,8,02,9A,01,00,00,C9,03,00,\n")
    done = CliRunner().invoke(app, ["convert", str(source), str(out)])
    assert done.exit_code == 0, done.output
    assert "BLF (Vector), 6 frames written" in done.output
    assert "1 holes" in done.output
    assert len(read(out)[1]) == 6


@pytest.mark.parametrize(("name", "why"), [("out.xyz", " ".join(SUFFIXES[:1])), ("in.csv", "is the trace itself")])
def test_convert_refuses_what_it_cannot_write(tmp_path: Path, name: str, why: str) -> None:
    source = tmp_path / "in.csv"
    write_trace(source, FRAMES)
    done = CliRunner().invoke(app, ["convert", str(source), str(tmp_path / name)])
    assert isinstance(done.exception, UseError)
    assert why in str(done.exception)
