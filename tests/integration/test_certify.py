"""`v2hrig certify` as a user runs it: same seed same bytes, a report at the end, exit codes that mean it."""

from __future__ import annotations

from pathlib import Path

import pytest
from rigs import Ran, bench_with, certify, v2hrig

from rig.evidence.documents import (
    BenchDescribed,
    ChargerCard,
    Incident,
    Picture,
    RunStart,
    RunStop,
    SafeStateReached,
    SessionsSeen,
    Stimulus,
)

SOME = ("--suite", "transfer_timing", "-k", "test_charging_turns_into_discharging or nominal-half-turn")


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    ran = certify(tmp_path_factory.mktemp("certify") / "first", "--seed", "1", *SOME)
    assert ran.code in (0, 3)
    return ran


@pytest.fixture(scope="module")
def ran(first: Ran) -> Path:
    return first.folder


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(ran: Path, tmp_path: Path) -> None:
    certify(tmp_path / "again", "--seed", "1", *SOME)
    certify(tmp_path / "other", "--seed", "2", *SOME)
    first, again, other = ((f / "journal.jsonl").read_text() for f in (ran, tmp_path / "again", tmp_path / "other"))
    assert again == first
    differing = [a for a, b in zip(first.splitlines(), other.splitlines(), strict=False) if '"Measured"' in a]
    assert differing
    assert other.splitlines()[1:] != first.splitlines()[1:]  # more than the seed's own line
    captures = sorted((ran / "captures").iterdir())
    assert captures
    for path in captures:
        assert (tmp_path / "again" / "captures" / path.name).read_bytes() == path.read_bytes()


def test_it_says_how_far_it_is_and_where_the_report_is(first: Ran) -> None:
    assert "[1/2] PASS" in first.out
    assert "[2/2] PASS" in first.out
    assert "PASS 2   FAIL 0" in first.out
    assert "bench time" in first.out
    assert "wall time" in first.out
    assert f"report     {first.folder / 'report.html'}" in first.out
    assert (first.folder / "report.html").stat().st_size > 50_000


def test_the_journal_tells_the_whole_run(ran: Path) -> None:
    documents = v2hrig_documents(ran)
    assert isinstance(documents[0], RunStart)
    assert isinstance(documents[1], BenchDescribed)
    assert documents[1].kind == "emulated"
    assert isinstance(documents[-1], RunStop)
    assert documents[-1].status == "completed"
    told = {d.what for d in documents if isinstance(d, Stimulus)}
    assert {"mains: supply", "car: plug in", "charger: start"} <= told
    assert any(isinstance(d, Picture) for d in documents)
    (card,) = (d for d in documents if isinstance(d, ChargerCard))
    seen = [d for d in documents if isinstance(d, SessionsSeen)]
    assert card.sessions + card.spoiled == sum(d.sessions + d.spoiled for d in seen) >= 2
    assert {row.key for row in card.course} >= {"answer_time", "lock_time", "run_time"}
    assert all(d.confirmed for d in documents if isinstance(d, SafeStateReached))


def v2hrig_documents(folder: Path) -> tuple[object, ...]:
    from rig.evidence.journal import read_journal

    return read_journal(folder).documents


def test_a_report_can_be_made_again_from_the_folder_alone(ran: Path, tmp_path: Path) -> None:
    made = v2hrig("report", str(ran), "--out", str(tmp_path / "again.html"))
    assert made.code == 0, made.err
    assert (tmp_path / "again.html").stat().st_size > 50_000


def test_required_work_that_was_not_done_is_no_pass(tmp_path: Path) -> None:
    """XFR-006 has two quantities; one procedure alone leaves the other without a verdict."""
    ran = certify(tmp_path / "run", "--suite", "transfer_timing", "-k", "test_mains_must_be_good_for_the_delay")
    assert set(ran.outcomes.values()) == {"PASS"}
    assert ran.code == 3


@pytest.mark.parametrize(
    ("part", "keys", "words"),
    [
        ("house_l1", 'colour = "red"', "[house_l1] colour: unknown key"),
        ("charger", 'retransfer_delay = "5 V"', "[charger] retransfer_delay: '5 V' is no quantity in s"),
        ("charger", 'defects = ["ignors-k"]', "ignors-k"),
        ("bench", "check_calibration = 3.5", "[bench] check_calibration"),
        ("vehicle", 'faults = [{ fault = "mute" }]', "[vehicle] faults: 'vehicle_interface' is no message instrument"),
    ],
)
def test_a_wrong_bench_file_is_one_line_with_file_key_and_mend(
    tmp_path: Path, part: str, keys: str, words: str
) -> None:
    ran = certify(tmp_path / "run", "--bench", str(bench_with(tmp_path, part, keys)), *SOME)
    assert ran.code == 2
    (line,) = ran.err.splitlines()
    assert "bench.toml" in line
    assert words in line
    assert "Traceback" not in ran.out + ran.err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--bench", "nowhere"), "nowhere: no such bench file"),
        (("--profile", "nowhere"), "nowhere: no such profile file"),
        (("--suite", "nowhere"), "--suite nowhere: no such suite; there are battery_protection"),
        (("--suite", "transfer_timing", "-k", "nowhere"), "no test was run"),
        (("--profile", "europe-6kw-230v", *SOME), "2 load(s) for the device europe-6kw-230v of 1 leg(s)"),
    ],
)
def test_a_wrong_option_is_one_line(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    ran = certify(tmp_path / "run", *arguments)
    assert ran.code == 2
    assert words in ran.err
    assert len(ran.err.splitlines()) == 1


def test_a_folder_that_holds_a_run_is_refused(ran: Path) -> None:
    again = certify(ran, "--seed", "1", *SOME)
    assert again.code == 2
    assert "holds a run already" in again.err


@pytest.mark.parametrize("fault", ["garbage", "silence", "nan", "unplugged"])
def test_an_instrument_that_fails_makes_its_test_invalid_and_the_run_goes_on(tmp_path: Path, fault: str) -> None:
    """The analyzer spoils four answers: no procedure fails for that, and what comes after has its analyzer again."""
    keys = f'faults = [{{ fault = "{fault}", at = "25 s", when = "NUM", times = 4 }}]'
    bench = bench_with(tmp_path, "analyzer", keys)
    ran = certify(
        tmp_path / "run", "--bench", str(bench), "--suite", "power_handling", "--suite", "transfer_timing",
        "-k", "only-L1 or (test_closes_in_step and nominal)",
    )  # fmt: skip
    assert ran.code == 3
    outcomes = list(ran.outcomes.values())
    assert outcomes[0] == "INVALID"
    assert len(outcomes) == 5
    assert set(outcomes) <= {"INVALID", "PASS"}
    assert outcomes[-1] == ("INVALID" if fault == "unplugged" else "PASS")
    documents = ran.documents
    (incident, *_) = [d for d in documents if isinstance(d, Incident)]
    assert incident.fault == "bench"
    assert "EMU::analyzer::INSTR" in incident.what
    assert all(d.confirmed for d in documents if isinstance(d, SafeStateReached))
    assert isinstance(documents[-1], RunStop)
    assert documents[-1].status == "completed"


def test_another_instrument_in_a_place_makes_every_test_invalid(tmp_path: Path) -> None:
    bench = bench_with(tmp_path, "grid", 'faults = [{ fault = "stranger", times = 1000 }]')
    ran = certify(tmp_path / "run", "--bench", str(bench), "--suite", "power_handling", "-k", "only-L1")
    assert ran.code == 3
    assert set(ran.outcomes.values()) == {"INVALID"}
    (incident, *_) = [d for d in ran.documents if isinstance(d, Incident)]
    assert incident.fault == "bench"
    assert "[grid] emulated: ANOTHER MAKER answers: model 'BOX 1'" in incident.what
    assert [d.confirmed for d in ran.documents if isinstance(d, SafeStateReached)]
    assert all(d.confirmed for d in ran.documents if isinstance(d, SafeStateReached))
