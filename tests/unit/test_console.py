"""The console without a page and without a bench: runs are found and followed, an emergency stop is told to the right
ones in the right order, and its outcome is what stands on record."""

from __future__ import annotations

import ast
import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from console_run import TEST, ConsoleRun
from small_run import HEAD, procedure

from console import emergency, processes
from console.bench import BenchFacts
from console.emergency import Emergency
from console.hub import Hub, RunOrder
from console.processes import Handle
from console.record import Record
from console.tail import PIECE, Tail
from rig.clock import Stopwatch
from rig.errors import UseError
from rig.evidence.documents import (
    Document,
    Incident,
    NotRun,
    RuleFound,
    RunStop,
    SafeStateReached,
    Stimulus,
    TestStart,
    TestStop,
)
from rig.evidence.journal import Journal
from rig.live.messages import Answer, Asked, EmergencyStop, Moment, Pace, Pause, Standing
from rig.safety.lease import Claim, Lease, holder_of

LIMIT = 60.0
PRESSED = Incident(kind="emergency stop", what="emergency stop pressed: a person", fault="bench")
SAFE = SafeStateReached(confirmed=True, readings=("battery source: confirmed, 0 A",))
UNSAFE = SafeStateReached(confirmed=False)


# -- the record


def test_a_record_lists_tests_verdicts_and_what_happened(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "run", lambda: 2.0)
    record = Record(tmp_path / "run")
    assert record.turn() is False  # read before anything stands there: nothing is lost by it
    for one in (*HEAD, *procedure("suites/a.py::one", len(HEAD) + 1, "FAIL")):
        journal.append(one)
    journal.append(Stimulus(what="mains: supply", values={"voltage": 100.0}, units={"voltage": "V"}))
    journal.append(
        RuleFound(
            rule="R-1", title="k first", state="broken", duty="charger", source="s", confidence="high", message="m"
        )
    )
    journal.append(NotRun(subject="test", id="suites/a.py::two", reason="no grid"))
    journal.append(SAFE)
    journal.append(RunStop(status="completed"))
    assert record.turn()
    assert record.counts == {"FAIL": 1, "NOT RUN": 1}
    assert record.outcomes["suites/a.py::two"] == {"outcome": "NOT RUN", "reason": "no grid"}
    (verdict,) = record.verdicts
    assert (verdict["verdict"], verdict["value"], verdict["max"], verdict["min"]) == ("FAIL", 0.5, 1.0, None)
    words = [one["words"] for one in record.events]
    assert "mains: supply, voltage 100 V" in words
    assert "broken: k first: m" in words
    assert words[-2:] == ["safe state CONFIRMED", "run completed"]
    assert record.rested == [(True, SAFE.readings)]
    assert (record.kind, record.parts[0]["who"]) == ("hardware", "EA PSB")
    journal.close()


def test_a_tail_reads_what_is_whole_in_pieces_and_leaves_out_what_is_none(tmp_path: Path) -> None:
    path, tail = tmp_path / "j", Tail(tmp_path / "j")
    filler = json.dumps({"n": 0, "t": 0.0, "doc": {"type": "x", "pad": "y" * PIECE}})
    path.write_text(f'{filler}\nno line of ours\n[]\n{{"n":1,"t":0.5,"doc":{{"type":"z"}}}}\n{{"n":2,"t"')
    found = tail.read()
    assert found == []
    assert not tail.whole
    found += tail.read()
    assert [one.n for one in found] == [0, 1]
    with path.open("a") as file:
        file.write(':1.0,"doc":{}}\n')
    assert [one.n for one in tail.read()] == [2]
    assert tail.whole


# -- an emergency stop


class FakeHandle(Handle):
    """A process that notes what it is sent."""

    def __init__(self, sent: list[str], name: str) -> None:
        super().__init__(0)
        self._sent, self._name, self._dead = sent, name, False

    @property
    def dead(self) -> bool:
        return self._dead

    def end(self) -> None:
        self._dead = True

    def signal(self, number: signal.Signals) -> bool:
        self._sent.append(f"{self._name} {number.name}")
        return not self._dead


class FakeTarget:
    """A run that is stopped. supervised: has a supervisor. listens: hears what is told over its socket."""

    def __init__(self, folder: Path, supervised: bool = False, listens: bool = True) -> None:
        self.sent: list[str] = []
        self.journal = Journal(folder, lambda: 1.0)
        self.safety = Journal(folder, lambda: 1.0, file="safety.jsonl")
        self.record: Record | None = Record(folder)
        self.guard = FakeHandle(self.sent, "supervisor")
        self.supervisor: Handle | None = self.guard if supervised else None
        self.process: Handle | None = FakeHandle(self.sent, "run")
        self.ended, self._listens = False, listens

    def tell_emergency(self, by: str) -> bool:
        self.sent.append(f"told {by}")
        return self._listens

    def writes(self, *documents: Document, safety: bool = False) -> None:
        for one in documents:
            (self.safety if safety else self.journal).append(one)
        assert self.record is not None
        self.record.turn()

    def close(self) -> None:
        self.journal.close()
        self.safety.close()


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Callable[..., FakeTarget]]:
    made: list[FakeTarget] = []

    def make(**facts: bool) -> FakeTarget:
        made.append(FakeTarget(tmp_path / f"run{len(made)}", **facts))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_the_supervisor_is_told_before_the_run_and_nobody_twice(target: Callable[..., FakeTarget]) -> None:
    one = target(supervised=True)
    stop = Emergency(one, "a person")
    stop.turn()
    assert one.sent == ["supervisor SIGTERM", "told a person"]
    assert stop.state == "pressed"


def test_confirmed_is_what_the_record_says_after_the_press_and_the_run_has_ended(
    target: Callable[..., FakeTarget],
) -> None:
    one = target()
    one.writes(SAFE)  # before the press: says nothing of it
    stop = Emergency(one, "a person")
    assert stop.state == "pressed"
    one.writes(PRESSED, SAFE)
    stop.turn()
    assert stop.state == "coming to rest"
    one.writes(SAFE, RunStop(status="interrupted"))
    one.ended = True
    stop.turn()
    assert stop.state == "CONFIRMED"
    assert stop.readings[-1] == "battery source: confirmed, 0 A"


@pytest.mark.parametrize("last", [(), (UNSAFE,), (SAFE, UNSAFE), (UNSAFE, SAFE)])
def test_a_word_that_is_missing_or_bad_is_never_confirmed(
    target: Callable[..., FakeTarget], last: tuple[Document, ...]
) -> None:
    one = target()
    stop = Emergency(one, "a person")
    one.writes(PRESSED, *last)
    one.ended = True
    stop.turn()
    assert stop.state == "UNCONFIRMED"


def test_a_supervised_bench_is_confirmed_by_its_supervisor_alone(target: Callable[..., FakeTarget]) -> None:
    one, silent, late = target(supervised=True), target(supervised=True), target(supervised=True)
    stops = [Emergency(each, "a person") for each in (one, silent, late)]
    for each, stop in zip((one, silent, late), stops, strict=True):
        each.writes(SAFE)
        stop.turn()
        assert stop.state == "coming to rest"
    one.writes(SAFE, safety=True)
    silent.guard.end()
    silent.ended = True
    late.writes(UNSAFE, safety=True)
    for stop in stops:
        stop.turn()
    assert [stop.state for stop in stops] == ["CONFIRMED", "UNCONFIRMED", "UNCONFIRMED"]
    late.writes(SAFE, safety=True)  # its next attempt
    stops[-1].turn()
    assert stops[-1].state == "CONFIRMED"


def test_a_run_that_does_not_heed_is_signalled_and_one_that_does_is_left_to_come_down(
    target: Callable[..., FakeTarget], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]

    class Watch:
        def seconds(self) -> float:
            return now[0]

    monkeypatch.setattr(emergency, "Stopwatch", Watch)
    deaf, heeds, hangs = target(listens=False), target(), target()
    stops = [Emergency(one, "a person") for one in (deaf, heeds, hangs)]
    assert deaf.sent == ["told a person", "run SIGINT"]  # at once: its socket was not there
    stops[1].heard = True
    for now[0] in (emergency.ASKED - 0.1, emergency.ASKED, emergency.TOLD - 0.1):
        for stop in stops:
            stop.turn()
    assert heeds.sent == ["told a person"]
    assert hangs.sent == ["told a person", "run SIGINT"]
    heeds.writes(PRESSED, SAFE, RunStop(status="interrupted"))
    heeds.ended = True
    now[0] = emergency.TOLD
    for stop in stops:
        stop.turn()
    assert heeds.sent == ["told a person"]
    assert hangs.sent[-1] == deaf.sent[-1] == "run SIGTERM"
    assert [stop.state for stop in stops] == ["pressed", "CONFIRMED", "pressed"]


# -- the hub


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    facts = BenchFacts("desk", Path("/no/bench.toml"), "leaf", "LEAF", "emulated", "virtual", (("battery", "d", "r"),))
    one = Hub([facts], ["transfer_timing"], ["normal", "full"], tmp_path / "live", tmp_path / "evidence")
    yield one
    one.close()


def turned(hub: Hub, enough: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """The first bench once it is as wanted."""
    watch = Stopwatch()
    while True:
        hub.turn()
        bench: dict[str, Any] = json.loads(hub.shown()[1])["benches"][0]
        if enough(bench):
            return bench
        assert watch.seconds() < LIMIT, bench


def test_a_run_begun_elsewhere_is_found_followed_and_told(hub: Hub, tmp_path: Path) -> None:
    run = ConsoleRun(tmp_path / "live", tmp_path / "run")
    try:
        run.write(*HEAD, TestStart(test=TEST, title="one"))
        found = turned(hub, lambda b: b["run"] and b["run"]["events"])["run"]
        assert (found["state"], found["test"], found["begun_here"]) == ("running", TEST, False)
        revision = hub.revision
        hub.turn()
        assert hub.revision == revision  # nothing has happened: no page is drawn anew
        run.post.tell(Asked(number=7, words="<b>press</b>", verb="start", value="charge", within=60.0))
        assert turned(hub, lambda b: b["run"]["asked"])["run"]["asked"][0]["words"] == "<b>press</b>"
        hub.tell("desk", Answer(7, "done"))
        hub.pause("desk")
        hub.tell("desk", Pace(2.0))
        hub.emergency_stop("desk", "a person")
        hub.emergency_stop("desk", "a person")
        turned(hub, lambda _: len(run.orders) >= 4)
        assert run.orders == [Answer(7, "done"), Pause(), Pace(2.0), EmergencyStop("a person")]
        run.post.tell(Standing(state="stopping", halted="emergency stop pressed: a person"))
        run.write(TestStop(test=TEST, outcome="INVALID"), SAFE, RunStop(status="interrupted"))
        shown = turned(hub, lambda b: b["run"]["emergency"]["state"] == "coming to rest")["run"]
        assert shown["outcomes"][TEST]["outcome"] == "INVALID"
    finally:
        run.close()


def test_moments_are_given_once_from_where_a_page_left_off(hub: Hub, tmp_path: Path) -> None:
    run = ConsoleRun(tmp_path / "live", tmp_path / "run")
    try:
        turned(hub, lambda b: b["run"])
        for n in range(5):
            run.post.tell(Moment(t=float(n)))
        turned(hub, lambda _: hub.moments("desk", 0)[0] == 5)
        assert [one["t"] for one in hub.moments("desk", 3)[1]] == [3.0, 4.0]
        assert hub.moments("desk", 5) == (5, [])
        assert len(hub.moments("desk", 99)[1]) == 5  # another run began: from its beginning
        assert hub.moments("nowhere", 0) == (0, [])
    finally:
        run.close()


def test_what_cannot_be_done_is_refused_in_words(hub: Hub) -> None:
    wrong = {
        "no such bench": lambda: hub.stop("else"),
        "no run is on it": lambda: hub.emergency_stop("desk", "a person"),
        "no such suite": lambda: hub.start("desk", RunOrder(suites=("--out=/",))),
        "no such depth": lambda: hub.start("desk", RunOrder(depth="deep")),
        "characters that print": lambda: hub.start("desk", RunOrder(keyword="a\nb")),
        "a whole number": lambda: hub.start("desk", RunOrder(seed=-1)),
        "0 for as fast": lambda: hub.start("desk", RunOrder(pace=-1.0)),
    }
    for words, act in wrong.items():
        with pytest.raises(UseError, match=words):
            act()


def test_a_run_is_begun_as_from_a_shell_and_one_that_cannot_begin_says_why(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "PROGRAM", ("-c", "import sys; print(sys.argv[1:]); sys.exit(2)"))
    hub.start("desk", RunOrder(suites=("transfer_timing",), keyword="--seed 3 or $HOME", seed=3, pace=2.0))
    ended = turned(hub, lambda b: b["run"]["state"] == "ended")["run"]
    assert (ended["code"], ended["begun_here"]) == (2, True)
    arguments = ast.literal_eval(ended["output"])
    out = next(one for one in arguments if one.startswith("--out="))
    assert Path(out.removeprefix("--out=")).parent == tmp_path / "evidence"
    assert arguments == [
        "--bench=/no/bench.toml", out, f"--live-in={tmp_path / 'live'}", "--seed=3", "--depth=normal",
        "--suite=transfer_timing", "-k", "--seed 3 or $HOME", "--pace=2",
    ]  # fmt: skip
    with pytest.raises(UseError, match="no run is on it"):
        hub.emergency_stop("desk", "a person")


def test_who_has_a_bench_is_shown_while_he_has_it(tmp_path: Path) -> None:
    folder = tmp_path / "leases"
    folder.mkdir()
    assert holder_of(folder, "psb 5025") is None
    lease = Lease(folder, Claim.of_this_process("a night of testing")).take(["psb 5025"])
    facts = BenchFacts("desk", Path("/b"), "p", "t", "hardware", "real", (), ("psb 5025",), folder)
    hub = Hub([facts], [], ["normal"], tmp_path / "live", tmp_path / "evidence")
    hub.turn()
    (held,) = json.loads(hub.shown()[1])["benches"][0]["holders"]
    assert held["purpose"] == "a night of testing"
    lease.give_back()
    assert holder_of(folder, "psb 5025") is None
    hub.close()
