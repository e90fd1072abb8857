"""The journal: what was written is read, what was changed is found, what failed is told, what was committed stays."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from rig.errors import BenchFault, TraceError, UseError
from rig.evidence import journal as module
from rig.evidence.documents import (
    COMMITTED,
    BenchDescribed,
    Bounds,
    Document,
    Incident,
    Item,
    Judged,
    Measured,
    Resumed,
    RunStart,
    RunStop,
    SafeStateReached,
    Stimulus,
    TestStop,
)
from rig.evidence.journal import FILE, FIRST, Journal, read_journal, scan_journal

START = RunStart(seed=1, bench="emulated", profile="leaf", catalogue="c", suites=("transfer",), item=Item(name="EVPS"))
JUDGED = Judged(
    requirement="XFR-001", quantity="t", verdict="PASS", measurement=1, limit=Bounds(max=0.5, unit="s"),
    acceptance=Bounds(max=0.49, unit="s"), expanded=0.01, k=2.0, rule="guarded", claim="c", margin=0.1,
    probability=0.99, reason="",
)  # fmt: skip
STOP = RunStop(status="completed")


def note(k: int) -> Stimulus:
    return Stimulus(what=f"step {k}", values={"power": 100.0 * k})


def opened(folder: Path, now: Callable[[], float] = lambda: 1.5, **more: object) -> Journal:
    return Journal(folder / "run", now, **more)  # type: ignore[arg-type]


def test_what_was_written_is_read_in_its_order(tmp_path: Path) -> None:
    times = iter((0.0, 0.25, 7.0))
    journal = opened(tmp_path, lambda: next(times))
    docs: list[Document] = [START, JUDGED, STOP]
    assert [journal.append(doc) for doc in docs] == [0, 1, 2]
    assert journal.count == 3
    reading = read_journal(journal.folder)
    assert list(reading.documents) == docs
    assert [(line.n, line.t) for line in reading.lines] == [(0, 0.0), (1, 0.25), (2, 7.0)]
    assert (reading.head, reading.flaw, reading.torn) == (journal.head, "", "")


def test_anybody_can_check_the_chain_without_this_rig(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    for k in range(5):
        journal.append(note(k))
    journal.close()
    before = FIRST
    for number, raw in enumerate((journal.folder / FILE).read_bytes().splitlines()):
        body, sha = raw.rsplit(b',"sha":"', 1)
        assert hashlib.sha256(body).hexdigest() == sha.decode().removesuffix('"}')
        line = json.loads(raw)
        assert (line["n"], line["prev"], line["t"]) == (number, before, 1.5)
        assert list(line) == ["n", "t", "prev", "doc", "sha"]
        before = line["sha"]


def test_a_line_may_tell_of_an_earlier_moment(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.append(note(0), at=0.125)
    assert read_journal(journal.folder).lines[0].t == 0.125


@pytest.mark.parametrize("at", [math.nan, math.inf])
def test_a_moment_must_be_a_time(tmp_path: Path, at: float) -> None:
    journal = opened(tmp_path)
    with pytest.raises(UseError, match="must be finite"):
        journal.append(note(0), at=at)
    assert journal.append(note(1)) == 0


def test_the_same_documents_give_the_same_bytes(tmp_path: Path) -> None:
    numpy = {"n": np.float64(0.1), "k": np.int32(3)}, 5
    plain = {"n": 0.1, "k": 3}, 5.0
    for name, (values, value) in (("a", numpy), ("b", plain)):
        journal = Journal(tmp_path / name, lambda: 0.1 + 0.2)
        journal.append(Stimulus(what="x", values=values))  # type: ignore[arg-type]
        journal.append(Measured(name="t", value=value, unit="s", u=0.1))
        journal.close()
    assert (tmp_path / "a" / FILE).read_bytes() == (tmp_path / "b" / FILE).read_bytes()


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (np.float64(1.5), 1.5),
        (np.float32(0.1), float(np.float32(0.1))),
        (np.int64(-3), -3),
        (np.bool_(True), True),
        (np.array(2.5), 2.5),
        (2**80, 2**80),
        (5e-324, 5e-324),
        (0.1 + 0.2, 0.1 + 0.2),
        (math.inf, math.inf),
        (-math.inf, -math.inf),
        ('Ω µ 車 🚗 \u2028 \x00 \n \r "sha":"', 'Ω µ 車 🚗 \u2028 \x00 \n \r "sha":"'),
        ("half \ud83d", "half \\ud83d"),
    ],
)
def test_a_value_comes_back_as_it_went(tmp_path: Path, given: object, read: object) -> None:
    journal = opened(tmp_path)
    journal.append(Stimulus(what="x", values={"v": given}))  # type: ignore[dict-item]
    journal.append(STOP)
    (stimulus, stop) = read_journal(journal.folder).documents
    assert isinstance(stimulus, Stimulus)
    assert stop == STOP
    value = stimulus.values["v"]
    assert value == read
    assert type(value) is type(read)


def test_a_value_that_is_no_number_comes_back_as_one(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.append(Measured(name="t", value=math.nan, unit="s", u=math.inf))
    (back,) = read_journal(journal.folder).documents
    assert isinstance(back, Measured)
    assert math.isnan(back.value)
    assert back.u == math.inf
    assert b"NaN" not in (journal.folder / FILE).read_bytes()


@pytest.mark.parametrize("values", [{"~float": "inf"}, {"~float": 1.0, "~": 2}, {"~~float": math.inf}])
def test_no_value_is_taken_for_the_mark_of_another(tmp_path: Path, values: dict[str, float | str]) -> None:
    journal = opened(tmp_path)
    journal.append(Stimulus(what="x", values=values))  # type: ignore[arg-type]
    (back,) = read_journal(journal.folder).documents
    assert back == Stimulus(what="x", values=values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value", [None, [1], b"bytes", np.array([1.0, 2.0]), {1}, object(), datetime(2026, 1, 1, tzinfo=UTC), 1j]
)
def test_what_could_not_be_read_back_is_refused_and_leaves_no_trace(tmp_path: Path, value: object) -> None:
    journal = opened(tmp_path)
    with pytest.raises(UseError, match=r"Stimulus for the journal: .*mend the value"):
        journal.append(Stimulus(what="x", values={"v": value}))  # type: ignore[dict-item]
    with pytest.raises(UseError, match="Judged for the journal"):
        journal.append(Judged(**{**{f: getattr(JUDGED, f) for f in JUDGED.__struct_fields__}, "verdict": "GOOD"}))  # type: ignore[arg-type]
    assert journal.append(STOP) == 0
    assert read_journal(journal.folder).documents == (STOP,)


# -- on the disk before it is told

EVERY: tuple[Document, ...] = (
    START, BenchDescribed(kind="emulated", clock="virtual", parts=()), JUDGED,
    Incident(kind="k", what="w", fault="bench"), SafeStateReached(confirmed=True),
    TestStop(test="t", outcome="PASS"), STOP, Resumed(part=2, head=FIRST, lines=0, kept=()),
)  # fmt: skip


@pytest.mark.parametrize("doc", EVERY, ids=lambda doc: type(doc).__name__)
def test_a_committed_document_is_on_the_disk_before_its_append_returns(tmp_path: Path, doc: Document) -> None:
    seen: list[bytes] = []
    path = tmp_path / "run" / FILE
    journal = opened(tmp_path, sync=lambda fd: seen.append(path.read_bytes()))
    journal.append(note(0))
    assert seen == []
    journal.append(doc)
    assert seen == [path.read_bytes()]
    assert seen[0].count(b"\n") == 2


def test_nobody_waits_for_the_disk_who_only_writes_a_line(tmp_path: Path) -> None:
    began, go_on = threading.Event(), threading.Event()

    def slow(file: int) -> None:
        began.set()
        assert go_on.wait(10.0)

    journal = opened(tmp_path, sync=slow)
    verdict = threading.Thread(target=journal.append, args=(JUDGED,))
    verdict.start()
    assert began.wait(10.0)
    finding = threading.Thread(target=journal.append, args=(note(1),))
    finding.start()
    finding.join(10.0)
    written, waits = not finding.is_alive(), verdict.is_alive()
    go_on.set()
    verdict.join()
    journal.close()
    assert written
    assert waits
    assert read_journal(journal.folder).documents == (JUDGED, note(1))


def test_every_committed_kind_is_tried_above_and_a_measurement_is_none() -> None:
    assert {type(doc) for doc in EVERY} == set(COMMITTED)
    assert set(COMMITTED) < set(get_args(Document))
    assert Measured not in COMMITTED


def test_a_verdict_whose_sync_fails_is_never_announced_and_nothing_is_written_after_it(tmp_path: Path) -> None:
    def sync(fd: int) -> None:
        raise OSError(5, "Input/output error")

    journal = opened(tmp_path, sync=sync)
    journal.append(note(0))
    with pytest.raises(BenchFault, match=r"journal.jsonl: the disk failed \(Input/output error\).*new run"):
        journal.append(JUDGED)
    for attempt in (lambda: journal.append(note(1)), journal.commit):
        with pytest.raises(BenchFault, match="the disk failed"):
            attempt()
    journal.close()
    assert len(scan_journal(journal.folder).lines) == 2


# -- writes that fail


def test_a_full_disk_is_told_and_the_lines_before_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, full = os.write, [False]

    def write(fd: int, data: bytes) -> int:
        if not full[0]:
            return real(fd, data)
        if len(data) > 20:
            return real(fd, bytes(data[:20]))  # what still fits
        raise OSError(28, "No space left on device")

    journal = opened(tmp_path)
    journal.append(note(0))
    monkeypatch.setattr(module.os, "write", write)
    full[0] = True
    for _ in range(2):
        with pytest.raises(BenchFault, match=r"No space left on device\), the 1 before it stand; make room"):
            journal.append(note(1))
        assert scan_journal(journal.folder).documents == (note(0),)
        assert scan_journal(journal.folder).torn == ""
    full[0] = False
    assert journal.append(note(2)) == 1
    journal.close()
    assert read_journal(journal.folder).documents == (note(0), note(2))


class Interrupted(BaseException):
    pass


@pytest.mark.parametrize("written", [0, 10, 10_000])
@pytest.mark.parametrize("then", ["append", "close"])
def test_an_interrupt_in_the_middle_of_a_write_breaks_no_chain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: int, then: str
) -> None:
    """An operator's Ctrl-C lands inside the write, which has done some, none or all of its work."""
    real = os.write

    def write(fd: int, data: bytes) -> int:
        real(fd, bytes(data[:written]))
        raise Interrupted

    journal = opened(tmp_path)
    journal.append(note(0))
    with monkeypatch.context() as patch:
        patch.setattr(module.os, "write", write)
        with pytest.raises(Interrupted):
            journal.append(note(1))
    if then == "append":
        assert journal.append(STOP) == 1
    journal.close()
    assert read_journal(journal.folder).documents == ((note(0), STOP) if then == "append" else (note(0),))
    assert scan_journal(journal.folder).torn == ""


def test_a_closed_journal_says_so(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.append(STOP)
    journal.close()
    journal.close()
    for attempt in (lambda: journal.append(note(1)), journal.commit):
        with pytest.raises(BenchFault, match="it is closed, the run has ended"):
            attempt()


def test_an_end_that_cannot_be_brought_to_the_disk_is_told(tmp_path: Path) -> None:
    def sync(fd: int) -> None:
        raise OSError("broken")

    journal = opened(tmp_path, sync=sync)
    journal.append(note(0))
    with pytest.raises(BenchFault, match=r"its end may be lost \(broken\)"):
        journal.close()
    journal.close()


def test_a_run_is_never_continued(tmp_path: Path) -> None:
    opened(tmp_path).close()
    with pytest.raises(UseError, match="holds a run already; give this one a new folder"):
        opened(tmp_path)


def test_a_folder_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(UseError, match=r"no run can be written here .*name another folder"):
            Journal(folder, lambda: 0.0)


def child(code: str, folder: Path, **more: object) -> subprocess.CompletedProcess[str]:
    """Run code in a Python of its own; `folder` and the names below are there."""
    head = (
        "import os, sys, signal, resource\nfrom pathlib import Path\n"
        "from rig.errors import *\nfrom rig.evidence.journal import *\nfrom rig.evidence.documents import *\n"
        f"folder = Path({str(folder)!r})\n"
        "note = lambda k: Stimulus(what=f'step {k}', values={'power': 100.0 * k})\n"
    )
    return subprocess.run(
        [sys.executable, "-c", head + code], capture_output=True, text=True, timeout=60, cwd=Path(__file__).parents[2],
        check=False, **more,  # type: ignore[call-overload]
    )  # fmt: skip


def test_a_read_only_folder_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    for parent in tmp_path.parents:  # so that another user can look
        if parent.stat().st_uid == os.getuid():
            parent.chmod(parent.stat().st_mode | 0o111)
    code = """
if os.getuid() == 0:
    os.setgid(65534); os.setuid(65534)
try:
    Journal(folder / "run", lambda: 0.0)
except UseError as error:
    print(error)
"""
    done = child(code, tmp_path)
    tmp_path.chmod(0o755)
    assert re.search(r"run: no run can be written here \(Permission denied\); name another folder", done.stdout), done
    assert not (tmp_path / "run").exists()


def test_a_file_that_may_not_grow_is_told_by_the_real_system(tmp_path: Path) -> None:
    """RLIMIT_FSIZE is the nearest a test comes to a full disk without one."""
    code = """
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
journal = Journal(folder / "run", lambda: 0.0)
try:
    for k in range(1000):
        journal.append(note(k))
except BenchFault as error:
    print(k, error)
"""
    done = child(code, tmp_path)
    assert re.search(r"^\d+ .*journal.jsonl: the line cannot be written \(File too large\)", done.stdout), done
    reading = scan_journal(tmp_path / "run")
    assert (reading.flaw, reading.torn) == ("", "")
    assert len(reading.lines) == int(done.stdout.split()[0]) > 5


def test_a_killed_process_loses_no_committed_line(tmp_path: Path) -> None:
    """SIGKILL in the middle of writing: every line whose append returned is there, and the chain holds."""
    code = """
import threading, time
journal = Journal(folder / "run", lambda: 0.0)
def killer():
    while journal.count < 200: time.sleep(0)
    os.kill(os.getpid(), signal.SIGKILL)
threading.Thread(target=killer).start()
for k in range(10**6):
    journal.append(Incident(kind='k', what='x' * (k % 2000), fault='bench') if k % 5 == 0 else note(k))
    os.write(1, b"%d\\n" % k)
"""
    done = child(code, tmp_path)
    assert done.returncode == -signal.SIGKILL, done
    returned = int(done.stdout.split("\n")[-2])
    reading = read_journal(tmp_path / "run")
    assert len(reading.lines) >= returned + 1 >= 200
    assert [line.n for line in reading.lines] == list(range(len(reading.lines)))
    with pytest.raises(UseError, match="holds a run already"):
        Journal(tmp_path / "run", lambda: 0.0)


def test_folders_made_for_a_run_are_on_the_disk_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(module, "sync_folder", synced.append)
    Journal(tmp_path / "a" / "b" / "run", lambda: 0.0).close()
    assert synced == [tmp_path, tmp_path / "a", tmp_path / "a" / "b", tmp_path / "a" / "b" / "run"]


# -- reading what is not whole


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    journal = opened(tmp_path)
    for k in range(4):
        journal.append(note(k))
    journal.append(STOP)
    journal.close()
    return journal.folder


def test_no_journal_is_told(tmp_path: Path) -> None:
    for read in (scan_journal, read_journal):
        with pytest.raises(TraceError, match="no journal here; name the folder of a run"):
            read(tmp_path)


def test_an_empty_journal_is_a_run_that_never_began(tmp_path: Path) -> None:
    opened(tmp_path).close()
    reading = read_journal(tmp_path / "run")
    assert (reading.lines, reading.head) == ((), FIRST)


@pytest.mark.parametrize("cut", [1, 2, 40, 75, 150])
def test_a_torn_last_line_is_set_aside_and_told(whole: Path, cut: int) -> None:
    path = whole / FILE
    raw = path.read_bytes()
    path.write_bytes(raw[:-cut])
    reading = read_journal(whole)
    assert reading.documents == tuple(note(k) for k in range(4))
    assert reading.torn == raw.splitlines(keepends=True)[-1][:-cut].decode()


def swap(lines: list[bytes]) -> list[bytes]:
    return [lines[0], lines[2], lines[1], *lines[3:]]


@pytest.mark.parametrize(
    ("change", "line", "words"),
    [
        (swap, 2, "says it is number 2"),
        (lambda lines: lines[:1] + lines[2:], 2, "says it is number 2"),
        (lambda lines: lines[1:], 1, "says it is number 1"),
        (lambda lines: [*lines[:2], lines[1], *lines[2:]], 3, "says it is number 1"),
        (lambda lines: [*lines[:2], b"\n", *lines[2:]], 3, "does not end with its digest"),
        (lambda lines: [*lines[:-1], b"all is well"], 5, "is no unfinished line"),
    ],
)
def test_lines_that_were_moved_dropped_or_added_are_found(
    whole: Path, change: Callable[[list[bytes]], list[bytes]], line: int, words: str
) -> None:
    path = whole / FILE
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))
    reading = scan_journal(whole)
    assert reading.flaw.startswith(f"line {line} of journal.jsonl: {words}")
    assert len(reading.lines) == line - 1
    with pytest.raises(TraceError, match=f"line {line} of journal.jsonl"):
        read_journal(whole)


def test_a_forged_line_with_a_right_digest_breaks_the_one_after_it(whole: Path) -> None:
    path = whole / FILE
    lines = path.read_bytes().splitlines(keepends=True)
    body = lines[1].replace(b"100.0", b"900.0").rsplit(b',"sha":"', 1)[0]
    lines[1] = body + f',"sha":"{hashlib.sha256(body).hexdigest()}"}}\n'.encode()
    path.write_bytes(b"".join(lines))
    assert scan_journal(whole).flaw.startswith("line 3 of journal.jsonl: says it is number 2 after")


def test_a_document_of_another_version_is_told_by_its_line(whole: Path) -> None:
    path = whole / FILE
    lines = path.read_bytes().splitlines(keepends=True)
    body = lines[4].replace(b'"RunStop"', b'"RunEnd"').rsplit(b',"sha":"', 1)[0]
    path.write_bytes(b"".join(lines[:4]) + body + f',"sha":"{hashlib.sha256(body).hexdigest()}"}}\n'.encode())
    assert scan_journal(whole).flaw.startswith("line 5 of journal.jsonl: is no document of this version")
