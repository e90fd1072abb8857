"""The permission on an evidence folder is taken away in the middle of an energised run, for real: from a process that
is not root. The run ends in words, the bench at rest, and what was written before stands. Then the wall clock is set,
back a day and forward ten."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from rigs import LIMIT, TOP
from unprivileged import NOBODY

from rig.evidence.captures import check_capture
from rig.evidence.documents import CaptureStored, Incident, SafeStateReached, TestStop
from rig.evidence.journal import scan_journal

CHILD = Path(__file__).with_name("unprivileged.py")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Another user's. Not below pytest's own folder, which every session that begins closes to others."""
    with tempfile.TemporaryDirectory(prefix="v2hrig-lost-") as name:
        made = Path(name)
        (made / "locked").mkdir(mode=0o755)
        if os.geteuid() == 0:
            os.chown(made, NOBODY, NOBODY)
        else:
            (made / "locked").chmod(0o555)
        yield made


@pytest.fixture(scope="module")
def said(folder: Path) -> Iterator[list[str]]:
    """What the run said; its captures' folder was taken away when it was energised."""
    run = subprocess.Popen(
        [sys.executable, str(CHILD), str(folder)],
        cwd=TOP, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, "PYTHONPATH": str(TOP)},
    )  # fmt: skip
    try:
        assert run.stdin is not None
        assert run.stdout is not None
        lines: list[str] = []
        for line in run.stdout:
            lines.append(line.strip())
            if line.strip() == "energised":
                break
        else:
            pytest.fail("\n".join(lines))
        for one in (folder / "run", folder / "run" / "captures"):
            one.chmod(0o555)
            if os.geteuid() == 0:
                os.chown(one, 0, 0)
        rest, _ = run.communicate("go on\n", timeout=LIMIT)
        yield [*lines, *rest.splitlines()]
    finally:
        run.kill()
        run.communicate()
        for one in (folder / "run", folder / "run" / "captures", folder / "locked"):
            if one.exists():
                one.chmod(0o755)


def test_a_folder_without_permission_takes_no_run(said: list[str]) -> None:
    assert "no run can be written here (Permission denied); name another folder" in said[0]


def test_permission_lost_is_told_and_the_bench_comes_to_rest(said: list[str]) -> None:
    assert said[1] == "energised"
    assert "cannot be written (Permission denied)" in said[2]
    assert said[2].startswith("fault: ")
    assert said[3] == "True 3"


def test_what_was_written_before_stands_and_what_could_be_said_was(said: list[str], folder: Path) -> None:
    reading = scan_journal(folder / "run")
    assert (reading.flaw, reading.torn) == ("", "")
    stored = [doc for doc in reading.documents if isinstance(doc, CaptureStored)]
    assert stored
    assert all(doc.name.startswith("before") for doc in stored)
    assert [check_capture(folder / "run", doc) for doc in stored] == [""] * len(stored)
    assert any(isinstance(doc, SafeStateReached) and doc.confirmed for doc in reading.documents)
    assert any(isinstance(doc, TestStop) and doc.outcome == "INVALID" for doc in reading.documents)
    assert not [doc for doc in reading.documents if isinstance(doc, Incident) and doc.fault == "device"]


def test_a_wall_clock_that_is_set_back_and_forth_moves_no_journal_and_gives_the_bench_to_nobody(
    said: list[str], folder: Path
) -> None:
    reading = scan_journal(folder / "stepped")
    times = [line.t for line in reading.lines]
    assert len(times) == 3
    assert times == sorted(times)
    assert times[-1] < LIMIT
    own, others = said[4::2], said[5::2]
    assert own[:2] == ["held", "held"]
    assert "it was not renewed before" in own[2]  # another host's clock may say so too: told, and nothing is energised
    assert len(others) == 3
    assert all(one.startswith("refused: ") and "for: night 12" in one for one in others), others
