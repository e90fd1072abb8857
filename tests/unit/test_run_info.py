"""run.json: who ran what, where and with what; written in one piece."""

from __future__ import annotations

import subprocess
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import msgspec
import pytest

from rig.clock import Stopwatch
from rig.errors import BenchFault, TraceError
from rig.evidence import run_info as module
from rig.evidence.run_info import FILE, Laboratory, RunInfo, describe_run, ended, read_run_info, write_run_info

LABORATORY = Laboratory(name="Prüfstelle", place="Davos", operator="A. Ö.")


def test_what_was_written_is_read(tmp_path: Path) -> None:
    info = describe_run("night-1", Stopwatch(), "v2hrig certify", LABORATORY)
    path = write_run_info(tmp_path / "new" / "run", info)
    assert read_run_info(path.parent) == info
    assert list(path.parent.iterdir()) == [path]


def test_it_names_what_may_bear_on_a_number() -> None:
    info = describe_run("r", Stopwatch())
    assert info.packages["numpy"] == version("numpy")
    assert "no such package" not in info.packages
    for field in ("host", "user", "python", "system", "begun"):
        assert getattr(info, field)
    begun = datetime.fromisoformat(info.begun)
    assert begun.utcoffset() is not None
    assert not begun.utcoffset()  # UTC


def test_a_run_that_lasts_has_no_end_and_one_that_ended_keeps_the_rest(tmp_path: Path) -> None:
    watch = Stopwatch()
    info = describe_run("r", watch)
    write_run_info(tmp_path, info)
    running = read_run_info(tmp_path)
    assert running is not None
    assert (running.ended, running.wall_seconds) == ("", 0.0)
    done = ended(info, watch)
    write_run_info(tmp_path, done)
    assert read_run_info(tmp_path) == done
    assert datetime.fromisoformat(done.ended) >= datetime.fromisoformat(info.begun)
    assert done.wall_seconds >= 0.0
    assert msgspec.structs.replace(done, ended="", wall_seconds=0.0) == info


def test_a_folder_without_one_has_none(tmp_path: Path) -> None:
    assert read_run_info(tmp_path) is None


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"begun": "x"}', b'{"run": 1, "begun": "x"}', b"\xff"])
def test_one_that_cannot_be_read_is_told(tmp_path: Path, text: bytes) -> None:
    (tmp_path / FILE).write_bytes(text)
    with pytest.raises(TraceError, match=r"run.json: .*restore the file from its sealed copy"):
        read_run_info(tmp_path)


def test_a_full_disk_leaves_the_one_that_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = describe_run("r", Stopwatch())
    write_run_info(tmp_path, first)

    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(module.os, "fsync", full)
        with pytest.raises(BenchFault, match=r"run.json: cannot be written \(No space left on device\)"):
            write_run_info(tmp_path, msgspec.structs.replace(first, run="second"))
    assert read_run_info(tmp_path) == first


def git(folder: Path, *words: str) -> str:
    name = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *name, "-C", str(folder), *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_the_commit_is_that_of_the_rigs_own_checkout(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    own, other = tmp_path / "own.py", tmp_path / "installed.py"
    own.write_text("1")
    git(tmp_path, "add", "own.py")
    git(tmp_path, "commit", "-q", "-m", "x")
    other.write_text("not of this checkout")
    head = git(tmp_path, "rev-parse", "HEAD")
    assert module._commit(own) == head
    assert module._commit(other) == ""
    own.write_text("2")
    assert module._commit(own) == head + "+"


def test_a_rig_outside_any_checkout_has_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", str(Path(__file__).parents[2] / ".git"))
    (tmp_path / "file").write_text("x")
    assert module._commit(tmp_path / "file") == ""
    monkeypatch.setenv("PATH", "")
    assert module._commit(Path(module.__file__)) == ""


def test_a_user_without_a_name_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr(module.getpass, "getuser", nobody)
    assert describe_run("r", Stopwatch()).user == ""


def test_a_later_rigs_extra_fields_do_not_hide_the_rest(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b'{"run": "r", "begun": "b", "weather": "fine"}')
    assert read_run_info(tmp_path) == RunInfo(run="r", begun="b")
