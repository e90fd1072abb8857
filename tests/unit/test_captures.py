"""Captures: what was stored is read, digests hold, a killed run's CAN log is readable, nonsense is refused."""

from __future__ import annotations

import hashlib
import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from rig.errors import BenchFault, TraceError, UseError
from rig.evidence import captures as module
from rig.evidence.captures import (
    BATCH,
    FOLDER,
    Captures,
    check_capture,
    read_can,
    read_can_part,
    read_series,
    read_waveform,
    unfinished,
)
from rig.evidence.documents import CaptureStored
from rig.evidence.journal import Journal, read_journal

NOISE = np.random.default_rng(3).normal(size=(3, 5000)).astype(np.float32)


@pytest.fixture
def captures(tmp_path: Path) -> Captures:
    return Captures(Journal(tmp_path / "run", lambda: 2.0))


def folder_of(captures: Captures) -> Path:
    return captures._journal.folder


def test_a_waveform_comes_back_to_the_bit(captures: Captures) -> None:
    stored = captures.waveform("Transfer at 90°!", ("grid", "house", "aux"), NOISE, start=12.25, rate=50e3, note="n")
    assert stored.file == "captures/0001-transfer-at-90.arrow"
    assert (stored.kind, stored.rows, stored.start, stored.rate, stored.note) == ("waveform", 5000, 12.25, 50e3, "n")
    back = read_waveform(folder_of(captures), stored)
    assert back.samples.dtype == np.float32
    assert back.samples.flags.c_contiguous
    assert np.array_equal(back.samples, NOISE)
    assert (back.start, back.rate, [c.name for c in back.channels]) == (12.25, 50e3, ["grid", "house", "aux"])
    assert back.t[:2] == pytest.approx([12.25, 12.25 + 2e-5])


@pytest.mark.parametrize("samples", [NOISE[::-1], NOISE[:, ::2], NOISE.astype(np.float64), np.asfortranarray(NOISE)])
def test_any_layout_in_memory_is_stored_as_it_reads(captures: Captures, samples: np.ndarray) -> None:
    stored = captures.waveform("w", ("a", "b", "c"), samples, start=0.0, rate=1e3)
    assert np.array_equal(read_waveform(folder_of(captures), stored).samples, samples.astype(np.float32))


def test_an_empty_record_and_values_that_are_no_number_are_kept(captures: Captures) -> None:
    for samples in (np.empty((2, 0), np.float32), np.array([[np.nan, np.inf], [-np.inf, -0.0]], np.float32)):
        stored = captures.waveform("w", ("a", "b"), samples, start=0.0, rate=1e3)
        assert read_waveform(folder_of(captures), stored).samples.tobytes() == samples.tobytes()


def test_a_series_comes_back_to_the_bit(captures: Captures) -> None:
    t = np.array([0.0, 0.1, 0.1, 7.0])
    columns = {"soc": [0.5, math.nan, 0.49, 0.48], "current": np.array([1, 2, 3, 4])}
    stored = captures.series("session", t, columns, {"current": "A"})
    back = read_series(folder_of(captures), stored)
    assert np.array_equal(back.t, t)
    assert np.array_equal(back.values, np.array([columns["soc"], columns["current"]], float), equal_nan=True)
    assert [(c.name, c.unit) for c in back.channels] == [("soc", ""), ("current", "A")]
    empty = captures.series("none", [], {}, {})
    assert read_series(folder_of(captures), empty).values.shape == (0, 0)


def test_a_can_log_comes_back_frame_by_frame(captures: Captures) -> None:
    log, rows = captures.can_log(), []
    for k in range(2 * BATCH + 17):
        row = (k * 0.01, "vehicle" if k % 2 else "charger", k % 0x800, bytes(range(k % 9)))
        log.append(*row) if k % 3 else log.hear(row[0], row[1], (row[2], row[3]))
        rows.append(row)
    stored = log.close()
    assert log.close() is stored
    assert (stored.rows, stored.kind, stored.start) == (len(rows), "can", 0.0)
    assert list(read_can(folder_of(captures), stored)) == rows


def test_a_bus_that_lives_longer_than_its_log_does_no_harm(captures: Captures) -> None:
    log = captures.can_log()
    log.append(0.0, "a", 1, b"")
    stored = log.close()
    for _ in range(2 * BATCH):
        log.append(1.0, "a", 2, b"")
    assert log.close() is stored
    assert check_capture(folder_of(captures), stored) == ""


def test_an_empty_can_log_is_a_log(captures: Captures) -> None:
    stored = captures.can_log("aux bus").close()
    assert stored.file == "captures/0001-aux-bus.arrows"
    assert list(read_can(folder_of(captures), stored)) == []


def test_a_unit_a_channel_or_none(captures: Captures) -> None:
    with pytest.raises(UseError, match="2 units for 3 channels"):
        captures.waveform("w", ("a", "b", "c"), NOISE, start=0.0, rate=1.0, units=("V", "A"))
    stored = captures.waveform("w", ("a", "b", "c"), NOISE, start=0.0, rate=1.0)
    assert {one.unit for one in stored.channels} == {"V"}


def test_any_arrow_reader_opens_them(captures: Captures) -> None:
    wave = captures.waveform("w", ("a", "b", "c"), NOISE, start=1.0, rate=10.0, units=("V", "A", "V"))
    with pa.ipc.open_file(folder_of(captures) / wave.file) as reader:
        schema = reader.schema
    assert schema.field("b").metadata == {b"unit": b"A"}
    assert schema.field("a").metadata == {b"unit": b"V"}
    assert [one.unit for one in wave.channels] == ["V", "A", "V"]
    assert schema.metadata == {b"start": b"1.0", b"rate": b"10.0"}


def test_the_journal_knows_each_file_by_its_digest_once_it_is_there(captures: Captures) -> None:
    captures.waveform("w", ("a", "b", "c"), NOISE, start=0.0, rate=1.0)
    captures.series("s", [0.0], {"x": [1.0]}, {})
    captures.can_log().close()
    docs = read_journal(folder_of(captures)).documents
    assert [doc.kind for doc in docs if isinstance(doc, CaptureStored)] == ["waveform", "series", "can"]
    for doc in docs:
        assert isinstance(doc, CaptureStored)
        raw = (folder_of(captures) / doc.file).read_bytes()
        assert hashlib.sha256(raw).hexdigest() == doc.sha256
        assert check_capture(folder_of(captures), doc) == ""
    assert unfinished(folder_of(captures)) == []


def test_the_same_values_give_the_same_bytes(tmp_path: Path) -> None:
    shas = []
    for name in ("a", "b"):
        captures = Captures(Journal(tmp_path / name, lambda: 0.0))
        layout = NOISE if name == "a" else np.asfortranarray(NOISE.astype(np.float64))
        log = captures.can_log()
        for k in range(BATCH + 5):
            log.append(k / 100, "x", 0x100, bytes([k % 256]))
        one = captures.waveform("w", ("a", "b", "c"), layout, start=0.0, rate=1.0)
        two = captures.series("s", [0, 1], {"x": [1, 2]} if name == "a" else {"x": np.array([1.0, 2.0])}, {"x": "V"})
        shas.append((one.sha256, two.sha256, log.close().sha256))
    assert shas[0] == shas[1]


# -- what is not what the journal says


@pytest.fixture
def stored(captures: Captures) -> CaptureStored:
    return captures.waveform("w", ("a", "b", "c"), NOISE, start=0.0, rate=1.0)


@pytest.mark.parametrize("place", [0, 100, -1])
def test_a_changed_byte_is_found(captures: Captures, stored: CaptureStored, place: int) -> None:
    path = folder_of(captures) / stored.file
    raw = bytearray(path.read_bytes())
    raw[place] ^= 1
    path.write_bytes(bytes(raw))
    assert check_capture(folder_of(captures), stored).startswith(f"{stored.file}: its SHA-256 is ")
    with pytest.raises(TraceError, match=r"the journal says .*restore the file from its sealed copy"):
        read_waveform(folder_of(captures), stored)


def test_a_missing_file_is_told(captures: Captures, stored: CaptureStored) -> None:
    (folder_of(captures) / stored.file).unlink()
    with pytest.raises(TraceError, match="is missing"):
        read_waveform(folder_of(captures), stored)


@pytest.mark.parametrize("file", ["../secret", "/etc/passwd", "captures/../../x", "captures/", "journal.jsonl", ""])
def test_a_journal_cannot_name_a_file_outside(captures: Captures, stored: CaptureStored, file: str) -> None:
    other = msgspec.structs.replace(stored, file=file)
    assert check_capture(folder_of(captures), other) == f"{file}: is no file of the run's own captures"


def test_a_capture_is_read_as_what_it_is(captures: Captures, stored: CaptureStored) -> None:
    for read in (read_series, read_can):
        with pytest.raises(UseError, match="holds a waveform, not a"):
            read(folder_of(captures), stored)


# -- what is refused


@pytest.mark.parametrize(
    ("channels", "samples", "start", "rate", "words"),
    [
        (("a",), NOISE, 0.0, 1.0, r"shape \(3, 5000\) for 1 channels"),
        (("a",), NOISE[0], 0.0, 1.0, r"give \(channels, n\)"),
        ((), NOISE[:0], 0.0, 1.0, r"for 0 channels"),
        (("a", "b", "a"), NOISE, 0.0, 1.0, "name each its own"),
        (("a", "b", "c"), NOISE, math.nan, 1.0, "the rate above 0"),
        (("a", "b", "c"), NOISE, 0.0, 0.0, "the rate above 0"),
        (("a", "b", "c"), NOISE, 0.0, math.inf, "the rate above 0"),
    ],
)
def test_a_record_that_makes_no_sense_is_refused(
    captures: Captures, channels: tuple[str, ...], samples: np.ndarray, start: float, rate: float, words: str
) -> None:
    with pytest.raises(UseError, match=words):
        captures.waveform("w", channels, samples, start=start, rate=rate)
    assert list((folder_of(captures) / FOLDER).iterdir()) == []
    assert read_journal(folder_of(captures)).documents == ()


@pytest.mark.parametrize(
    ("t", "columns", "units", "words"),
    [
        ([0.0, 1.0], {"x": [1.0]}, {}, "x: give one value a time"),
        ([1.0, 0.0], {"x": [1.0, 2.0]}, {}, "never falling"),
        ([0.0, math.nan], {"x": [1.0, 2.0]}, {}, "t finite"),
        ([[0.0]], {"x": [[1.0]]}, {}, "t: give one value"),
        ([0.0], {"t": [1.0]}, {}, "t: give one value"),
        ([0.0], {"x": ["many"]}, {}, "give numbers"),
        ([0.0], {"x": [1.0]}, {"y": "V"}, "y: a unit for no column"),
    ],
)
def test_a_series_that_makes_no_sense_is_refused(
    captures: Captures, t: list[float], columns: dict[str, list[float]], units: dict[str, str], words: str
) -> None:
    with pytest.raises(UseError, match=words):
        captures.series("s", t, columns, units)
    assert list((folder_of(captures) / FOLDER).iterdir()) == []


@pytest.mark.parametrize("row", [(0.0, "a", 0x1_0000_0000, b""), (0.0, "a", -1, b""), (0.0, 1, 1, b"")])
def test_what_is_no_frame_is_refused_and_the_log_goes_on(captures: Captures, row: tuple[object, ...]) -> None:
    log = captures.can_log()
    log.append(*row)  # type: ignore[arg-type]
    with pytest.raises(UseError, match="no CAN frame among the last 1"):
        log.flush()
    log.append(1.0, "a", 0x100, b"\x01")
    assert list(read_can(folder_of(captures), log.close())) == [(1.0, "a", 0x100, b"\x01")]


def test_two_writers_of_one_run_are_refused(captures: Captures) -> None:
    with pytest.raises(UseError, match="holds captures already"):
        Captures(captures._journal)


def test_a_full_disk_is_told_and_what_was_stored_stands(captures: Captures, monkeypatch: pytest.MonkeyPatch) -> None:
    first = captures.waveform("w", ("a", "b", "c"), NOISE, start=0.0, rate=1.0)
    log = captures.can_log()

    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(module.os, "fsync", full)
        for attempt in (
            lambda: captures.waveform("w", ("a", "b", "c"), NOISE, start=0.0, rate=1.0),
            lambda: captures.series("s", [0.0], {"x": [1.0]}, {}),
            log.close,
        ):
            with pytest.raises(BenchFault, match=r"\.part: cannot be written \(No space left on device\)"):
                attempt()
    assert check_capture(folder_of(captures), first) == ""
    assert read_journal(folder_of(captures)).documents == (first,)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "run", lambda: 0.0)
    (tmp_path / "run" / FOLDER).write_text("in the way")
    with pytest.raises(UseError, match="holds captures already"):
        Captures(journal)


# -- a run that was cut off

KILLED = """
import os, signal, sys
from pathlib import Path
from rig.evidence.captures import Captures
from rig.evidence.journal import Journal
captures = Captures(Journal(Path(sys.argv[1]) / "run", lambda: 0.0))
log = captures.can_log()
for k in range(int(sys.argv[2])):
    log.append(k / 100, "vehicle", 0x102, k.to_bytes(8, "little"))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("count", [0, 10, BATCH, 3 * BATCH + 100])
def test_the_can_log_of_a_killed_run_is_readable_up_to_its_last_batch(tmp_path: Path, count: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), str(count)],
        cwd=Path(__file__).parents[2], timeout=60, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done
    (part,) = unfinished(tmp_path / "run")
    assert part.name == "0001-can.arrows.part"
    rows = list(read_can_part(part))
    assert len(rows) == count // BATCH * BATCH
    assert all(row == (k / 100, "vehicle", 0x102, k.to_bytes(8, "little")) for k, row in enumerate(rows))


def test_a_part_cut_anywhere_gives_its_whole_batches(captures: Captures) -> None:
    log = captures.can_log()
    for batch in range(4):
        for k in range(50):
            log.append(batch + k / 100, "a", 0x100, os.urandom(8))
        log.flush()
    (part,) = unfinished(folder_of(captures))
    raw, rows = part.read_bytes(), list(read_can_part(part))
    log.close()
    assert len(rows) == 200
    seen = set()
    for length in (*range(0, len(raw), 7), len(raw)):
        part.write_bytes(raw[:length])
        some = list(read_can_part(part))
        assert some == rows[: len(some)]
        seen.add(len(some))
    assert seen == {0, 50, 100, 150, 200}
