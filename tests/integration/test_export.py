"""Exports read back with somebody else's reader: the same numbers, units and frames, and nothing but evidence."""

from __future__ import annotations

import csv
import importlib.util
import json
import math
import zipfile
from pathlib import Path

import can
import numpy as np
import pyarrow.parquet as pq
import pytest
from synthetic_run import Teller, build
from typer.testing import CliRunner

from reports.export.export import export, export_formats
from reports.history.rows import ValueRow, read_run
from rig.can.frame import EXTENDED
from rig.cli.main import app
from rig.errors import UseError
from rig.evidence.captures import read_series, read_waveform
from rig.evidence.documents import CaptureStored
from rig.evidence.journal import scan_journal


def needs(package: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(importlib.util.find_spec(package) is None, reason=f"{package} is not installed")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("run") / "a", angles=(0, 315))


def stored(folder: Path, kind: str) -> list[CaptureStored]:
    docs = [one.doc for one in scan_journal(folder).lines]
    return [one for one in docs if isinstance(one, CaptureStored) and one.kind == kind]


def judged(folder: Path) -> list[ValueRow]:
    return list(read_run(folder).values)


def test_csv_has_every_measurement_in_full(folder: Path, tmp_path: Path) -> None:
    export(folder, ["csv"], tmp_path)
    with (tmp_path / "measurements.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    wanted = judged(folder)
    assert [(one["requirement"], one["quantity"], one["verdict"]) for one in rows] == [
        (one.requirement, one.quantity, one.verdict) for one in wanted
    ]
    assert [float(one["value"]) for one in rows] == pytest.approx([one.value for one in wanted], rel=0, nan_ok=True)


def test_parquet_has_the_same_and_keeps_what_is_no_number(folder: Path, tmp_path: Path) -> None:
    export(folder, ["parquet"], tmp_path)
    table = pq.read_table(tmp_path / "measurements.parquet")
    values, wanted = table.column("value").to_pylist(), [one.value for one in judged(folder)]
    assert len(values) == len(wanted)
    assert all(a == b or (math.isnan(a) and math.isnan(b)) for a, b in zip(values, wanted, strict=True))
    assert pq.read_table(tmp_path / "runs.parquet").column("verdict").to_pylist() == ["FAIL"]


def test_waveforms_are_sample_for_sample_those_of_the_capture(folder: Path, tmp_path: Path) -> None:
    export(folder, ["csv", "parquet"], tmp_path)
    one = stored(folder, "waveform")[0]
    wave, name = read_waveform(folder, one), Path(one.file).stem
    table = pq.read_table(tmp_path / "captures" / f"{name}.parquet")
    assert np.array_equal(table.column("t").to_numpy(), wave.t)
    for channel, row in zip(wave.channels, wave.samples, strict=True):
        assert np.array_equal(table.column(channel.name).to_numpy(), row)
        assert table.schema.field(channel.name).metadata[b"unit"].decode() == channel.unit
    with (tmp_path / "captures" / f"{name}.csv").open(newline="") as file:
        head, *rows = csv.reader(file)
    assert head[0] == "t (s)"
    assert head[1] == f"{wave.channels[0].name} ({wave.channels[0].unit})"
    assert len(rows) == wave.t.size
    assert np.array_equal(np.array([row[1] for row in rows], dtype=np.float32), wave.samples[0])


@needs("nptdms")
def test_tdms_is_a_waveform_with_its_start_and_rate(folder: Path, tmp_path: Path) -> None:
    from nptdms import TdmsFile

    export(folder, ["tdms"], tmp_path)
    one = stored(folder, "waveform")[0]
    wave = read_waveform(folder, one)
    with TdmsFile.open(tmp_path / "captures" / (Path(one.file).stem + ".tdms")) as file:
        (group,) = file.groups()
        for told, row, channel in zip(group.channels(), wave.samples, wave.channels, strict=True):
            assert np.array_equal(told[:], row)
            assert told.properties["unit_string"] == channel.unit
            assert told.time_track() == pytest.approx(wave.t, abs=1e-9)
            assert told.properties["wf_start_offset"] == wave.start
    series = stored(folder, "series")[0]
    table = read_series(folder, series)
    with TdmsFile.open(tmp_path / "captures" / (Path(series.file).stem + ".tdms")) as file:
        names = [channel.name for channel in file.groups()[0].channels()]
        assert names == ["t", *(channel.name for channel in table.channels)]


@needs("xlsxwriter")
def test_no_text_of_a_run_acts_in_a_workbook(tmp_path: Path) -> None:
    teller = Teller(tmp_path / "a")
    teller.begin()
    teller.start('=HYPERLINK("http://x.invalid")', "=1+1", (), "=1+1", "=1+1")
    teller.stop('=HYPERLINK("http://x.invalid")', "INVALID", 1.0, "=cmd|'/c calc'!A0")
    folder = teller.end()
    export(folder, ["xlsx"], tmp_path / "out")
    with zipfile.ZipFile(tmp_path / "out" / "run.xlsx") as book:
        sheets = [book.read(name).decode() for name in book.namelist() if "worksheets/sheet" in name]
    assert len(sheets) == 4
    assert not any("<f>" in one or "hyperlink" in one.replace("HYPERLINK", "") for one in sheets)
    assert any("=1+1" in one for one in sheets)


@pytest.mark.parametrize("kind", ["blf", pytest.param("mf4", marks=needs("asammdf"))])
def test_the_bus_is_frame_for_frame_in_other_tools_logs(tmp_path: Path, kind: str) -> None:
    frames = [(0.1 * k, "car" if k % 2 else "charger", 0x100 + k, bytes([k, 255 - k])) for k in range(20)]
    frames.append((2.5, "car", EXTENDED | 0x102, b"\x01"))
    teller = Teller(tmp_path / "a")
    teller.begin()
    log = teller.captures.can_log()
    for one in frames:
        log.append(*one)
    log.close()
    folder = teller.end()
    export(folder, [kind], tmp_path / "out")
    (path,) = (tmp_path / "out" / "captures").iterdir()
    with can.BLFReader(path) if kind == "blf" else can.MF4Reader(path) as reader:
        read = [(one.timestamp, one.arbitration_id | EXTENDED * one.is_extended_id, bytes(one.data)) for one in reader]
    assert [(id, data) for _, id, data in read] == [(id, data) for _, _, id, data in frames]
    assert [t for t, _, _ in read] == pytest.approx([t for t, _, _, _ in frames], abs=1e-6)


def test_needs_of_a_requirement_lead_to_its_results(folder: Path, tmp_path: Path) -> None:
    export(folder, ["needs"], tmp_path)
    told = json.loads((tmp_path / "needs.json").read_text())
    found = told["versions"][told["current_version"]]["needs"]
    assert found["XFR_002"]["status"] == "INCONCLUSIVE"
    results = [one for one in found.values() if one["type"] == "result" and one["links"] == ["XFR_002"]]
    assert {one["status"] for one in results} == {"PASS", "INCONCLUSIVE"}
    assert all(link in found for one in found.values() for link in one["links"])


def test_a_capture_that_was_changed_is_left_out_and_named(tmp_path: Path) -> None:
    folder = build(tmp_path / "a", angles=(0,))
    one = stored(folder, "waveform")[0]
    path = folder / one.file
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    done = CliRunner().invoke(app, ["export", str(folder), "--to", "parquet", "--out", str(tmp_path / "out")])
    assert done.exit_code == 3
    assert f"{one.file}: its SHA-256 is" in done.output
    assert not (tmp_path / "out" / "captures" / (path.stem + ".parquet")).exists()


@needs("duckdb")
def test_sql_over_the_parquet_of_two_runs(folder: Path, tmp_path: Path) -> None:
    other = build(tmp_path / "other" / "b", kind="hardware", angles=(0,))
    for one in (folder, other):
        export(one, ["parquet"], tmp_path / "all" / one.name)
    sql = "SELECT kind, count(*) AS n FROM measurements JOIN runs USING (id) GROUP BY kind ORDER BY kind"
    done = CliRunner().invoke(app, ["history", "ask", sql, str(tmp_path / "all")])
    assert done.exit_code == 0, done.output
    rows = [line.split() for line in done.output.splitlines()]
    counts = [["emulated", str(len(judged(folder)))], ["hardware", str(len(judged(other)))]]
    assert rows == [["kind", "n"], *counts]


@needs("duckdb")
def test_a_question_reads_no_other_file(folder: Path, tmp_path: Path) -> None:
    export(folder, ["parquet"], tmp_path)
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    done = CliRunner().invoke(app, ["history", "ask", f"SELECT * FROM '{secret}'", str(tmp_path)])
    assert isinstance(done.exception, UseError)


@pytest.mark.parametrize(("text", "said"), [("csv,pdf", "--to pdf: no such format"), ("", "no such format")])
def test_a_format_there_is_not_is_named_with_those_there_are(text: str, said: str) -> None:
    with pytest.raises(UseError, match=said):
        export_formats(text)
