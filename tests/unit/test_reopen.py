"""A run that was cut off, looked at again: what stands, what is set aside or refused; gone on with, it reads as one."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import msgspec
import pytest
from small_run import BENCH, END, FINISHED, HEAD, START, TESTS, procedure, write

from reports.gather import gather
from rig.errors import TraceError, UseError
from rig.evidence.captures import Captures
from rig.evidence.documents import RunStop, TestStart
from rig.evidence.journal import FILE, Journal, journal_files, read_journal, scan_journal
from rig.evidence.reopen import CutOff, reopen
from rig.evidence.run_info import RunInfo, read_run_info, write_run_info
from rig.evidence.verify import verify_run

CUT = (*FINISHED[:-4], TestStart(test=TESTS[3], title="four", requirements=("A-1",), suite="a"), *FINISHED[-3:-1])
"""Cut off in the fourth test, after its judgement and before its outcome."""


@pytest.fixture
def cut(tmp_path: Path) -> Path:
    return write(tmp_path / "run", CUT)


def go_on(folder: Path, cut_off: CutOff, stop: RunStop | None = END) -> Path:
    """What a resumed run writes: the rest, in the next part."""
    journal = Journal(folder, lambda: 3.0, after=cut_off.reading)
    captures = Captures(journal)
    journal.append(cut_off.resumed())
    captures.series("again", [0.0], {"u": [1.0]}, {"u": "V"})
    for doc in (*procedure(TESTS[3], journal.count + 1, "PASS"), *((stop,) if stop else ())):
        journal.append(doc)
    journal.close()
    return folder


def test_what_has_an_outcome_stands_and_the_rest_is_left(cut: Path) -> None:
    found = reopen(cut)
    assert found.start == START
    assert found.kept == TESTS[:3]
    assert (found.part, found.torn, found.aside) == (2, 0, "")
    assert [type(doc).__name__ for doc in found.standing()].count("TestStop") == 2
    assert not any(isinstance(doc, TestStart) and doc.test == TESTS[3] for doc in found.standing())


@pytest.mark.parametrize("torn", [b'{"n":', b"{", b'{"n":17,"t":1.5,"prev":"00'])
def test_an_unfinished_last_line_is_set_aside_and_every_whole_one_stays(cut: Path, torn: bytes) -> None:
    whole = (cut / FILE).read_bytes()
    (cut / FILE).write_bytes(whole + torn)
    found = reopen(cut)
    assert (found.torn, found.aside) == (len(torn), "journal.jsonl.torn")
    assert (cut / FILE).read_bytes() == whole
    assert (cut / "journal.jsonl.torn").read_bytes() == torn
    resumed = found.resumed()
    assert (resumed.torn, resumed.aside, resumed.lines) == (len(torn), "journal.jsonl.torn", whole.count(b"\n"))
    go_on(cut, found)
    assert verify_run(cut).problems == ()


def test_a_capture_that_has_its_name_but_no_line_yet_was_being_stored(cut: Path) -> None:
    """Killed between the two, whichever file it was: a bus's log is begun first and stored last."""
    early = cut / "captures" / "0000-can.arrows"
    early.write_bytes(b"frames")
    found = verify_run(cut)
    assert found.problems == ()
    assert any("still being written" in note and early.name in note for note in found.notes)
    go_on(cut, reopen(cut))
    assert not early.exists()
    assert early.with_name("0000-can.arrows.part").read_bytes() == b"frames"
    assert verify_run(cut).problems == ()
    early.write_bytes(b"slipped in")  # the run has ended now
    assert verify_run(cut).problems == ("captures/0000-can.arrows: is not in the journal",)


def test_two_captures_without_a_line_are_not_of_one_kill(cut: Path) -> None:
    for number in (7, 8):
        (cut / "captures" / f"000{number}-can.arrows").write_bytes(b"frames")
    with pytest.raises(TraceError, match=r"0007-can\.arrows: is not in the journal; captures/0008-can\.arrows: is not"):
        reopen(cut)


def test_both_parts_are_one_chain_and_the_first_stays_untouched(cut: Path) -> None:
    before = (cut / FILE).read_bytes()
    go_on(cut, reopen(cut))
    assert (cut / FILE).read_bytes() == before
    assert [path.name for path in journal_files(cut)] == [FILE, "journal-2.jsonl"]
    reading = read_journal(cut)
    assert [line.n for line in reading.lines] == list(range(len(reading.lines)))
    assert (reading.flaw, reading.torn) == ("", "")
    assert verify_run(cut).problems == ()
    assert {path.name for path in (cut / "captures").iterdir()} == {"0001-slow.arrow", "0002-again.arrow"}


def test_a_report_shows_both_as_one(cut: Path, tmp_path: Path) -> None:
    whole = gather(read_journal(write(tmp_path / "whole", (*FINISHED, END))))
    resumed = gather(read_journal(go_on(cut, reopen(cut))))
    assert [(t.start.test, t.outcome) for t in resumed.tests] == [(t.start.test, t.outcome) for t in whole.tests]
    assert resumed.verdict == whole.verdict == "FAIL"
    for id, asked in whole.requirements.items():
        assert resumed.requirements[id].verdict == asked.verdict
        assert len(resumed.requirements[id].judged) == len(asked.judged)
    assert resumed.stop == END
    assert [doc.part for doc in resumed.resumed] == [2]
    assert resumed.seconds == 12.5 + 3.0


def test_a_run_may_be_cut_off_and_gone_on_with_again(cut: Path) -> None:
    go_on(cut, reopen(cut), stop=None)
    again = reopen(cut)
    assert (again.part, again.kept) == (3, TESTS)
    journal = Journal(cut, lambda: 1.0, after=again.reading)
    journal.append(again.resumed())
    journal.append(END)
    journal.close()
    assert verify_run(cut).problems == ()
    run = gather(read_journal(cut))
    assert sorted(test.start.test for test in run.tests) == sorted(TESTS)
    assert run.stop == END


@pytest.mark.parametrize("part", [FILE, "journal-2.jsonl"])
def test_a_flaw_is_named_in_its_part_and_nothing_is_built_on_it(cut: Path, part: str) -> None:
    go_on(cut, reopen(cut), stop=None)
    path = cut / part
    lines = path.read_bytes().split(b"\n")
    lines[1] = lines[1].replace(b'"type"', b'"tYpe"')
    path.write_bytes(b"\n".join(lines))
    assert scan_journal(cut).flaw.startswith(f"line 2 of {part}: ")
    with pytest.raises(TraceError, match=f"line 2 of {part}"):
        reopen(cut)


def test_parts_that_do_not_follow_each_other_are_found(cut: Path, tmp_path: Path) -> None:
    go_on(cut, reopen(cut))
    other = go_on(write(tmp_path / "other", CUT[:-1]), reopen(tmp_path / "other"))
    (cut / "journal-2.jsonl").write_bytes((other / "journal-2.jsonl").read_bytes())
    assert scan_journal(cut).flaw.startswith("line 1 of journal-2.jsonl: ")
    raw = (cut / FILE).read_bytes()
    (cut / FILE).write_bytes(raw + b'{"n":')
    assert scan_journal(cut).flaw.endswith("is no unfinished line")


def test_a_part_that_does_not_say_what_it_goes_on_from_is_found(cut: Path) -> None:
    """Its chain is whole; but nobody wrote down which tests stand."""
    journal = Journal(cut, lambda: 0.0, after=reopen(cut).reading)
    journal.append(END)
    journal.close()
    assert scan_journal(cut).flaw == "line 1 of journal-2.jsonl: does not say that it goes on as part 2"


def test_a_line_set_aside_is_told_even_if_the_run_was_not_gone_on_with_at_once(cut: Path) -> None:
    with (cut / FILE).open("ab") as file:
        file.write(b'{"n":')
    reopen(cut)
    found = reopen(cut)
    assert (found.torn, found.aside) == (5, "journal.jsonl.torn")


def test_what_cannot_be_gone_on_with_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(UseError, match="is complete"):
        reopen(write(tmp_path / "complete", (*FINISHED, END)))
    with pytest.raises(UseError, match="before its journal said which tests"):
        reopen(write(tmp_path / "none", ()))
    with pytest.raises(TraceError, match="no journal here"):
        reopen(tmp_path)
    spoiled = write(tmp_path / "spoiled", CUT)
    (spoiled / "captures" / "0001-slow.arrow").write_bytes(b"x")
    with pytest.raises(TraceError, match="its evidence is not whole"):
        reopen(spoiled)


def test_an_interrupted_run_may_be_gone_on_with(tmp_path: Path) -> None:
    stopped = write(tmp_path / "run", (*FINISHED[:-4], RunStop(status="interrupted", reason="Ctrl-C")))
    assert reopen(stopped).kept == TESTS[:3]
    assert gather(read_journal(go_on(stopped, reopen(stopped)))).stop == END


def test_a_run_that_still_writes_is_left_alone(cut: Path) -> None:
    file = os.open(cut / FILE, os.O_RDWR)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(UseError, match="still writing"):
            reopen(cut)
    finally:
        os.close(file)
    assert reopen(cut).part == 2


def test_a_journal_locks_itself_while_it_writes(cut: Path) -> None:
    cut_off = reopen(cut)
    journal = Journal(cut, lambda: 0.0, after=cut_off.reading)
    with pytest.raises(UseError, match="still writing"):
        reopen(cut)
    journal.close()
    assert reopen(cut).part == 3


def test_another_item_bench_or_catalogue_is_another_run(cut: Path) -> None:
    found = reopen(cut)
    assert found.still_to_say(HEAD) == ()
    others = {
        "RunStart.item": msgspec.structs.replace(START, item=msgspec.structs.replace(START.item, serial="S2")),
        "RunStart.catalogue": msgspec.structs.replace(START, catalogue="d" * 64),
        "RunStart.tests": msgspec.structs.replace(START, tests=TESTS[:2]),
    }
    for what, start in others.items():
        with pytest.raises(UseError, match=f"cannot go on as the same run: {what} was"):
            found.still_to_say((start, *HEAD[1:]))
    bench = msgspec.structs.replace(BENCH, digest="e" * 64)
    with pytest.raises(UseError, match=r"BenchDescribed\.digest was"):
        found.still_to_say((START, bench, *HEAD[2:]))


def test_a_head_that_was_cut_off_is_said_to_its_end(tmp_path: Path) -> None:
    found = reopen(write(tmp_path / "run", HEAD[:3]))
    assert found.still_to_say(HEAD) == HEAD[3:]


def test_run_info_of_several_parts_is_one(tmp_path: Path) -> None:
    write_run_info(tmp_path, RunInfo(run="r", begun="b", commit="1a", command="certify"))
    write_run_info(tmp_path, RunInfo(run="r", begun="c", ended="d", wall_seconds=4.0, commit="2b", command="resume"), 2)
    found = read_run_info(tmp_path)
    assert found is not None
    assert (found.begun, found.ended, found.wall_seconds, found.command) == ("b", "d", 4.0, "certify")
    assert found.commit == "1a then 2b"
