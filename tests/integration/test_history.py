"""The history: the same answers from sqlite and from a real PostgreSQL, made again from the evidence alone."""

from __future__ import annotations

import dataclasses
import importlib.util
import itertools
import math
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import postgres
import pytest
from synthetic_run import build, change
from typer.testing import CliRunner

from reports.history import questions
from reports.history.compare import ABSENT, compare
from reports.history.find import find_indexed, run_folders
from reports.history.rows import Indexed, read_run
from reports.history.store import open_store
from rig.cli.main import app
from rig.errors import UseError


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("evidence")
    build(top / "a" / "first", angles=(0, 315))
    build(top / "b" / "second", angles=(0, 315), stop=False)
    build(top / "c", kind="hardware", angles=(0,))
    return top


@pytest.fixture(scope="module")
def whole(evidence: Path) -> Indexed:
    return read_run(evidence / "a" / "first")


@pytest.fixture(scope="module")
def shared() -> Iterator[str]:
    """A PostgreSQL server."""
    if postgres.programs() is None:
        pytest.skip("no PostgreSQL server on this machine (Debian: apt-get install postgresql)")
    if importlib.util.find_spec("psycopg") is None:
        pytest.skip("psycopg is not installed (pip install 'v2hrig[history]')")
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        with postgres.server(folder) as address:
            yield address
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "h.sqlite") if request.param == "sqlite" else str(request.getfixturevalue("shared"))


def moved(indexed: Indexed, run: str, begun: str, by: float, outcome: str = "") -> Indexed:
    """The same run at another time, with values moved by so many U, and tests with another outcome."""
    head = dataclasses.replace(indexed.run, id=run, run=run, begun=begun)
    values = tuple(dataclasses.replace(one, id=run, value=one.value + by * one.expanded) for one in indexed.values)
    tests = tuple(dataclasses.replace(one, id=run, outcome=outcome or one.outcome) for one in indexed.tests)
    return Indexed(head, tests, values, tuple(dataclasses.replace(one, id=run) for one in indexed.asked))


def test_a_run_put_in_twice_stands_once_and_comes_back_as_it_was(db: str, whole: Indexed) -> None:
    with open_store(db) as store:
        store.put(whole)
        store.put(whole)
        assert [one.id for one in questions.runs(store)].count(whole.run.id) == 1
    back = find_indexed(whole.run.run, db)
    assert back.run == whole.run
    assert back.tests == whole.tests
    assert repr(back.values) == repr(tuple(sorted(whole.values, key=lambda one: one.n)))  # NaN is not itself
    assert sorted(back.asked, key=repr) == sorted(whole.asked, key=repr)
    with open_store(db) as store:
        store.drop(whole.run.id)
        assert whole.run.id not in [one.id for one in questions.runs(store)]


def test_trend_drift_and_wavering(db: str, whole: Indexed) -> None:
    runs = [moved(whole, f"r{k}", f"2026-11-0{k + 1}T00:00:00+00:00", 0.9 * k, "FAIL" if k == 1 else "PASS")
            for k in range(3)]  # fmt: skip
    with open_store(db) as store:
        for one in runs:
            store.put(one)
        points = questions.trend(store, "XFR-002", "t_transfer")
        drifts = questions.drift(store, whole.run.device)
        wavering = questions.flaky(store)
        for one in runs:
            store.drop(one.run.id)
    assert [one.run for one in points] == ["r0", "r1", "r2"]
    assert all(one.high == 0.020 and one.unit == "s" for one in points)
    steps = [b.value - a.value for a, b in itertools.pairwise(points)]
    assert steps == pytest.approx([0.9 * points[0].expanded] * 2)
    known = [one for one in drifts if one.first.expanded > 0 and math.isfinite(one.first.value)]
    assert known
    for one in known:
        assert one.en == pytest.approx(1.8 / math.sqrt(2))
        assert one.moved
        assert one.slope == pytest.approx(0.9 * one.first.expanded)
    assert {one.path for one in wavering} == {("PASS", "FAIL", "PASS")}
    assert {one.flips for one in wavering} == {2}


def test_the_index_of_the_evidence_can_be_made_again(db: str, evidence: Path) -> None:
    runner = CliRunner()
    for _ in range(2):
        done = runner.invoke(app, ["history", "rebuild", str(evidence), "--db", db])
        assert done.exit_code == 0, done.output
        assert "3 runs in" in done.output
    listed = runner.invoke(app, ["history", "list", "--db", db]).output
    for name in ("first", "second", "hardware", "emulated"):
        assert name in listed
    with open_store(db) as store:
        for one in questions.runs(store):
            store.drop(one.id)


def test_models_and_hardware_are_no_history_of_one_another(tmp_path: Path, evidence: Path) -> None:
    with open_store(str(tmp_path / "h.sqlite")) as store:
        store.put(read_run(evidence / "a" / "first"))
        store.put(read_run(evidence / "c"))
        with pytest.raises(UseError, match="no two runs of a device"):
            questions.drift(store, "")


def test_what_a_run_cut_off_lacks_is_told_beside_a_whole_one(evidence: Path) -> None:
    before, after = read_run(evidence / "a" / "first"), read_run(evidence / "b" / "second")
    found = compare(before, after)
    assert found.moved == ()
    assert found.same > 0
    assert compare(before, before).facts == ()
    less = dataclasses.replace(after, tests=after.tests[1:], values=after.values[5:])
    gone = compare(before, less).tests
    assert [(one.id, one.after) for one in gone] == [(before.tests[0].test, ABSENT)]


def test_a_value_that_moved_further_than_its_uncertainty_is_named_first(whole: Indexed) -> None:
    found = compare(whole, moved(whole, "x", "", 3.0)).moved
    assert found
    assert found[0].en == pytest.approx(3.0 / math.sqrt(2))
    assert compare(whole, moved(whole, "x", "", 1.0)).moved == ()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["list"], "no index there"),
        (["rebuild", "{empty}"], "no run in it"),
        (["add", "{empty}"], "name a folder with runs"),
        (["trend", "XXX-001", "--db", "{db}"], "no such value of XXX-001; judged were"),
        (["compare", "nobody", "first", "--db", "{db}"], "no run 'nobody'"),
        (["drift", "nobody", "--db", "{db}"], "no two runs of a device"),
    ],
)
def test_what_cannot_be_answered_says_why(tmp_path: Path, evidence: Path, words: list[str], said: str) -> None:
    db, empty = tmp_path / "h.sqlite", tmp_path / "empty"
    empty.mkdir()
    with open_store(str(db)) as store:
        store.put(read_run(evidence / "a" / "first"))
    told = [one.format(empty=empty, db=db) for one in words]
    if "--db" not in told:
        told += ["--db", str(tmp_path / "none.sqlite")]
    done = CliRunner().invoke(app, ["history", *told])
    assert isinstance(done.exception, UseError)
    assert said in str(done.exception)


def test_an_index_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "h.sqlite"
    with open_store(str(path)):
        pass
    connection = sqlite3.connect(path)
    connection.execute("UPDATE v2hrig_history SET version = 0")
    connection.commit()
    connection.close()
    with pytest.raises(UseError, match="rebuild"), open_store(str(path)):
        pass


def test_a_file_that_is_no_index_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "h.sqlite"
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(UseError, match="cannot be opened"), open_store(str(path)):
        pass


def test_a_journal_that_does_not_verify_is_listed_and_no_answer_rests_on_it(tmp_path: Path) -> None:
    folder = build(tmp_path / "a", angles=(0,))
    lines = (folder / "journal.jsonl").read_bytes().split(b"\n")
    number = next(k for k, line in enumerate(lines) if b'"type":"TestStop"' in line)
    change(folder, number, b"TestStop", b"TestStpp")
    with open_store(str(tmp_path / "h.sqlite")) as store:
        store.put(read_run(folder))
        (listed,) = questions.runs(store)
        assert listed.flaw
        with pytest.raises(UseError, match="judged were"):
            questions.trend(store, "XFR-002")
        assert questions.flaky(store) == []


def test_folders_of_runs_are_found_at_any_depth(evidence: Path) -> None:
    found = [one.relative_to(evidence).as_posix() for one in run_folders(evidence)]
    assert found == ["a/first", "b/second", "c"]
