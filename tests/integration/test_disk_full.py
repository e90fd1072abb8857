"""A disk that takes no more, a folder that is gone, a wall clock that is set: the run ends in words, the bench at rest,
and what was written before stands."""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from rigs import LIMIT, TOP

from fixtures.library import REQUIREMENTS, find_bench, find_profile
from instruments.registry import REGISTRY
from reports.formats import write_reports
from reports.place import put
from rig.bench import Bench
from rig.chademo.rules import ALL
from rig.chademo.vehicle_state import VehiclePhase
from rig.clock import RealClock
from rig.errors import BenchFault, UseError
from rig.evidence import journal as journals
from rig.evidence.captures import read_can_part, unfinished
from rig.evidence.documents import SafeStateReached, TestStop
from rig.evidence.journal import scan_journal
from rig.evidence.verify import verify_run
from rig.open_bench import open_bench, read_bench_file
from rig.profile import read_profile
from rig.requirements import read_catalogue
from rig.run import Run

LARGEST = 190_000
"""Bytes a file may grow to: a run of some tests does not fit."""


def test_a_run_on_a_disk_that_fills_says_so_and_leaves_what_it_has(tmp_path: Path) -> None:
    """Files that cannot grow beyond a size stand for the disk: the same refusal, of every file."""
    folder = tmp_path / "run"
    command = [sys.executable, "-m", "rig.cli", "certify", "--suite", "discharge_limits", "-k", "charge_request"]
    ran = subprocess.run(
        [*command, "--out", str(folder)],
        cwd=TOP,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST, LARGEST)),
    )
    said = ran.stdout + ran.stderr
    assert ran.returncode == 3, said
    assert "Traceback" not in said
    assert "INTERNALERROR" not in said
    assert "FAIL 0" in said
    assert said.count("make room on the disk") == 2  # at the test, and at the end
    assert "report     not written" in said
    reading = scan_journal(folder)
    assert reading.flaw == ""
    assert reading.torn == ""
    assert any(isinstance(doc, TestStop) and doc.outcome == "PASS" for doc in reading.documents)
    assert verify_run(folder).problems == ()
    (part,) = unfinished(folder)
    assert len(list(read_can_part(part))) > 1000
    assert not list(folder.glob("*.json.part"))
    assert write_reports(folder, ["html"], tmp_path / "elsewhere.html")[0].stat().st_size > LARGEST


@pytest.fixture
def bench() -> Iterator[Bench]:
    config = read_bench_file(find_bench("emulated"), REGISTRY)
    with open_bench(config, REGISTRY, read_profile(find_profile(config.bench.profile))) as opened:
        yield opened


def begun(bench: Bench, folder: Path) -> Run:
    """A run in the middle of a session."""
    run = Run(bench, read_catalogue(REQUIREMENTS).for_profile(bench.profile), folder, ALL)
    run.begin((), ("a",), "")
    run.start_test("a", "A session")
    bench.prepare()
    bench.car.plug_in(0.5)
    bench.charger.start("charge")
    bench.car.wait_for(VehiclePhase.RUNNING, 60.0)
    return run


def is_dead(bench: Bench) -> bool:
    assert bench.world is not None
    plant = bench.world.plant
    return not plant.ev_contactor_closed and not plant._supply.on and not plant._mains.now.on


def test_what_cannot_be_written_keeps_no_bench_from_its_safe_state(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begun(bench, tmp_path / "run")

    def full(file: int, line: bytes) -> None:
        raise OSError(28, "No space left on device")

    before = scan_journal(tmp_path / "run").lines
    monkeypatch.setattr(journals, "_write_all", full)
    with run.keeping.at_rest():
        outcome = bench.make_safe()
        run.rested(outcome)
        test = run.conclude()
        run.stop_test("INVALID", "\n".join(test.reasons()))
    assert outcome.confirmed, outcome.readings
    assert is_dead(bench)
    assert "No space left" in run.keeping.lost
    assert any("No space left" in reason for reason in test.reasons())
    run.end("aborted", run.keeping.lost)
    assert run.exit_code() == 3
    found = scan_journal(tmp_path / "run")
    assert (found.flaw, found.torn) == ("", "")
    assert len(found.lines) >= len(before)


def test_the_first_loss_is_an_error_in_the_test_and_no_verdict_is_shown_after_it(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begun(bench, tmp_path / "run")
    write = journals._write_all
    monkeypatch.setattr(journals, "_write_all", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left")))
    with pytest.raises(BenchFault, match="make room"):
        run.step("what is lost")
    run.step("what comes after it is no error any more")
    monkeypatch.setattr(journals, "_write_all", write)  # somebody makes room: the record has a gap all the same
    with run.keeping.at_rest():
        run.rested(bench.make_safe())
        test = run.conclude()
    assert test.verdict.name == "INVALID"
    run.stop_test("INVALID")
    run.end("aborted")
    assert run.exit_code() == 3
    documents = scan_journal(tmp_path / "run").documents
    assert any(isinstance(doc, SafeStateReached) for doc in documents)  # what could be said was said


def test_a_folder_that_is_gone_is_told_and_the_bench_comes_to_rest(bench: Bench, tmp_path: Path) -> None:
    run = begun(bench, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "captures")
    with pytest.raises(BenchFault, match="cannot be written"), run.record("ramp"):
        bench.clock.sleep(1.0)
    with run.keeping.at_rest():
        outcome = bench.make_safe()
        run.rested(outcome)
        run.conclude()
        run.stop_test("INVALID")
    run.end("aborted")
    assert outcome.confirmed
    assert is_dead(bench)
    assert run.exit_code() == 3
    assert scan_journal(tmp_path / "run").flaw == ""


def test_a_report_that_cannot_be_written_leaves_nothing_half(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("no folder")
    with pytest.raises(UseError, match="cannot be written"):
        put(place / "report.html", b"text")
    folder = tmp_path / "report.html"
    (folder / "in the way").mkdir(parents=True)
    with pytest.raises(UseError, match="cannot be written"):
        put(folder, b"text")
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("step", [-86_400.0, 3600.0])
def test_a_wall_clock_that_is_set_moves_no_time_of_the_bench(step: float, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = RealClock()
    try:
        stamp, before = time.time(), clock.now()
        real = time.time
        monkeypatch.setattr(time, "time", lambda: real() + step)
        at, after = clock.of_wall(stamp), clock.now()
        assert before <= after < before + 60.0
        assert before <= at <= after + 1e-3  # a stamp of before the step is none of this moment: it counts as now
    finally:
        clock.close()
