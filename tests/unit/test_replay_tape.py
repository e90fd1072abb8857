"""What answers from a record, and when it has diverged."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.errors import UseError
from rig.replay.record import Exchange, Head, Kind, Log, lines, new_record, read_head
from rig.replay.tape import EARLY, LATE, POLLS, Divergence, Tape


def at(t: float, do: Kind, said: str, reply: str | None = None) -> Exchange:
    return Exchange(t, t + 0.01, do, said, reply)


ON = at(1.0, "write", "OUTP ON")
OFF = at(9.0, "write", "OUTP OFF")
POLL = [at(2.0 + 0.1 * n, "query", "MEAS?", str(n)) for n in range(5)]


def test_what_is_asked_as_recorded_is_answered_as_recorded() -> None:
    tape = Tape(iter([ON, *POLL, OFF]))
    assert tape.answer("write", "OUTP ON", 1.0) is ON
    assert [tape.answer("query", "MEAS?", one.began).reply for one in POLL] == ["0", "1", "2", "3", "4"]
    assert tape.answer("write", "OUTP OFF", 9.0) is OFF
    assert tape.tolerated == 0


def test_questions_may_be_left_out_and_repeated_and_are_counted() -> None:
    tape = Tape(iter([ON, *POLL, OFF]))
    tape.answer("write", "OUTP ON", 1.0)
    tape.answer("query", "MEAS?", 2.0)
    assert tape.answer("write", "OUTP OFF", 9.0) is OFF
    assert tape.answer("query", "MEAS?", 9.1).reply == "4"
    assert tape.tolerated == len(POLL) - 1 + 1


def test_no_more_than_so_many_in_a_row() -> None:
    many = [at(2.0, "query", "MEAS?", "0") for _ in range(POLLS + 1)]
    tape = Tape(iter([*many, OFF]))
    with pytest.raises(Divergence):
        tape.answer("write", "OUTP OFF", 9.0)
    tape = Tape(iter([many[0], OFF]))
    for _ in range(POLLS + 1):
        tape.answer("query", "MEAS?", 2.0)
    with pytest.raises(Divergence):
        tape.answer("query", "MEAS?", 2.0)


@pytest.mark.parametrize(
    ("do", "said", "words"),
    [
        ("write", "OUTP OFF", "exchange 1: expected write 'OUTP ON', came write 'OUTP OFF' (at 1.000 s)"),
        ("write", "OUTP ON;*CLS", "expected write 'OUTP ON', came write 'OUTP ON;*CLS'"),
        ("query", "VOLT?", "expected write 'OUTP ON', came query 'VOLT?'"),
        ("block", "OUTP ON", "came block 'OUTP ON'"),
    ],
)
def test_a_command_is_never_passed_over_and_never_invented(do: Kind, said: str, words: str) -> None:
    tape = Tape(iter([ON, *POLL, OFF]))
    with pytest.raises(Divergence) as found:
        tape.answer(do, said, 1.0)
    assert words in str(found.value)


def test_a_command_is_never_answered_twice() -> None:
    tape = Tape(iter([ON, OFF]))
    tape.answer("write", "OUTP ON", 1.0)
    with pytest.raises(Divergence, match="exchange 2: expected write 'OUTP OFF', came write 'OUTP ON'"):
        tape.answer("write", "OUTP ON", 1.1)


def test_beyond_its_end_it_says_that_the_record_has_ended() -> None:
    tape = Tape(iter([ON]))
    tape.answer("write", "OUTP ON", 1.0)
    with pytest.raises(Divergence, match="exchange 2: the record has ended, came query 'MEAS\\?'"):
        tape.answer("query", "MEAS?", 2.0)


@pytest.mark.parametrize(("now", "words"), [(9.0 + LATE + 0.1, "later"), (9.0 - EARLY - 0.1, "earlier")])
def test_the_same_words_at_another_time_have_diverged(now: float, words: str) -> None:
    with pytest.raises(Divergence, match=rf"exchange 1: write 'OUTP OFF' came .* s {words} than recorded"):
        Tape(iter([OFF])).answer("write", "OUTP OFF", now)


def test_a_person_is_never_taken_to_have_answered_twice() -> None:
    tape = Tape(iter([at(1.0, "ask", "state?", "standby")]))
    tape.answer("ask", "state?", 1.0)
    with pytest.raises(Divergence):
        tape.answer("ask", "state?", 1.1)


def test_a_block_and_an_odd_line_come_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "part.jsonl"
    log = Log(path)
    kept = [
        Exchange(0.1, 0.30000000000000004, "block", "CURV?", block=bytes(range(256))),
        Exchange(1e-9, 2e-9, "query", 'SYST:ERR? "\t\\"', '-222,"Data\r out of range"'),
        Exchange(1.0, 6.0, "query", "*IDN?", error="LostInstrument", words="no answer in time", command="*IDN?"),
    ]
    for one in kept:
        log.add(one)
    log.close()
    assert list(lines(path, Exchange)) == kept


def test_a_line_that_was_cut_off_ends_the_record_and_a_spoilt_one_is_told(tmp_path: Path) -> None:
    path = tmp_path / "part.jsonl"
    log = Log(path)
    log.add(ON)
    log.add(OFF)
    log.close()
    path.write_bytes(path.read_bytes()[:-10])
    assert list(lines(path, Exchange)) == [ON]
    path.write_text("{}\n" + path.read_text())
    with pytest.raises(UseError, match=r"part.jsonl:1: is no line of a record"):
        list(lines(path, Exchange))


def test_a_full_disk_ends_the_record_and_not_the_run() -> None:
    log = Log(Path("/dev/full"))
    log.add(ON)
    log.add(OFF)
    assert log.problem.startswith("/dev/full: the record ends here (No space left on device)")


def test_a_record_has_a_folder_of_its_own_and_a_head(tmp_path: Path) -> None:
    head = Head(1, "desk", "leaf-to-home-6kw", 3, "pytest", {})
    new_record(tmp_path / "rec", head)
    assert read_head(tmp_path / "rec") == head
    with pytest.raises(UseError, match="is there already and not empty; name a new folder"):
        new_record(tmp_path / "rec", head)
    with pytest.raises(UseError, match="name the folder of a record"):
        read_head(tmp_path)
    new_record(tmp_path / "newer", Head(2, "desk", "", 0, "", {}))
    with pytest.raises(UseError, match="use the rig that recorded it"):
        read_head(tmp_path / "newer")
