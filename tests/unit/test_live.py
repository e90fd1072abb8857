"""A run that is watched: what is told to whom, what a bad watcher costs, and that watching changes nothing."""

from __future__ import annotations

import os
import select
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from rig.clock import Pacer, RealClock, Stopwatch, VirtualClock
from rig.errors import InstrumentError, LostInstrument, UseError
from rig.live.link import Link
from rig.live.messages import (
    Answer,
    Asked,
    EmergencyStop,
    Hello,
    Moment,
    Order,
    Pause,
    Resume,
    Settled,
    Standing,
    Stop,
    Word,
    line,
)  # fmt: skip
from rig.live.places import own_folder, sockets
from rig.live.post import LOST, SLOW, Post
from rig.live.watched import Watched
from rig.prompts import DeskPrompter, Prompt

LIMIT = 60.0
HELLO = Hello(
    pid=os.getpid(), bench="b", file="/b.toml", profile="p", folder="/e", clock="virtual", tests=("t",), legs=2,
    power=6000.0, voltage=100.0, wired=True,
)  # fmt: skip


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    one = Post(tmp_path / "live")
    yield one
    one.close()


@pytest.fixture
def watch(post: Post) -> Iterator[Callable[[], Link]]:
    """A new watcher of the post."""
    made: list[Link] = []

    def connect() -> Link:
        made.append(Link(post.path))
        return made[-1]

    yield connect
    for one in made:
        one.close()


def heard(link: Link, enough: Callable[[list[Word]], bool]) -> list[Word]:
    """What comes until it is enough, or the run is gone."""
    found: list[Word] = []
    stopwatch = Stopwatch()
    while not enough(found) and not link.over and stopwatch.seconds() < LIMIT:
        select.select([link.end], [], [], 0.1)
        found += link.words()
    return found


def test_a_watcher_is_told_what_stands_and_what_comes(post: Post, watch: Callable[[], Link]) -> None:
    post.tell(HELLO)
    post.tell(Standing(state="running", test="t"))
    post.tell(Asked(number=1, words="press start", verb="start", value="", within=60.0))
    post.tell(Asked(number=2, words="look", verb="display", value="", within=60.0))
    post.tell(Settled(number=1))
    heard(watch(), lambda found: any(isinstance(one, Asked) and one.number == 2 for one in found))  # all is told by now
    late = watch()
    asked = [one for one in heard(late, lambda found: len(found) >= 3) if isinstance(one, Asked)]
    assert [one.number for one in asked] == [2]
    assert post.wanted.wait(LIMIT)
    post.tell(Moment(t=1.5, values={"dc_u": 380.0}, on={"contactor": True}))
    (moment,) = heard(late, lambda found: any(isinstance(one, Moment) for one in found))
    assert moment == Moment(t=1.5, values={"dc_u": 380.0}, on={"contactor": True})
    post.close()
    assert heard(late, lambda _: late.over) == []
    assert sockets(post.path.parent) == []


def test_orders_arrive_in_order_and_an_odd_one_ends_the_connection(post: Post, watch: Callable[[], Link]) -> None:
    got: list[Order] = []
    done = threading.Event()

    def ordered(order: Order) -> None:
        got.append(order)
        if len(got) == 2:
            done.set()

    post.ordered = ordered
    good, odd = watch(), watch()
    assert good.order(Answer(3, "done"))
    assert good.order(EmergencyStop("a person"))
    assert done.wait(LIMIT)
    assert got == [Answer(3, "done"), EmergencyStop("a person")]
    odd.end.sendall(b'{"type":"Melt"}\n')
    heard(odd, lambda _: odd.over)
    assert odd.over
    assert not good.over
    assert len(got) == 2


def test_one_who_does_not_read_is_left_out_and_then_dropped(post: Post, watch: Callable[[], Link]) -> None:
    idle, busy = watch(), watch()
    idle.end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    many = Standing(state="running", test="x" * 50_000)
    for _ in range(4 + (LOST + SLOW) // 50_000):
        post.tell(many)
        heard(busy, lambda found: bool(found))
    assert not busy.over
    assert post.wanted.wait(LIMIT)
    post.tell(Moment(t=1.0))
    assert any(isinstance(one, Moment) for one in heard(busy, lambda found: Moment(t=1.0) in found))
    heard(idle, lambda _: idle.over)
    assert idle.over


def test_a_folder_that_others_can_write_is_refused(tmp_path: Path) -> None:
    loose = tmp_path / "loose"
    loose.mkdir(mode=0o777)
    loose.chmod(0o777)
    (tmp_path / "link").symlink_to(own_folder(tmp_path / "own"))
    for bad in (loose, tmp_path / "link"):
        with pytest.raises(UseError, match="others can write or read there"):
            own_folder(bad)


def test_a_run_that_gives_another_process_for_its_own_is_not_believed(post: Post, watch: Callable[[], Link]) -> None:
    post.tell(Hello(**{name: getattr(HELLO, name) for name in HELLO.__struct_fields__} | {"pid": os.getpid() + 1}))
    link = watch()
    heard(link, lambda _: link.over)
    assert link.over


# -- pace


def happenings(follow: Callable[[VirtualClock], object]) -> list[float]:
    """When things happened on a bench that sleeps, waits and looks."""
    clock, seen = VirtualClock(), list[float]()
    follow(clock)
    clock.every(0.03, lambda: seen.append(clock.now()))
    clock.at(0.5, lambda: seen.append(-clock.now()))
    looks = list[float]()

    def look() -> bool:
        looks.append(clock.now())
        clock.spend(0.004)
        return clock.now() > 0.4

    clock.sleep(0.1)
    waited = clock.wait_until(look, 1.0)
    clock.sleep(0.3)
    return [*seen, waited, *looks]


def test_a_paced_bench_does_the_same_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    told = list[float]()
    plain = happenings(lambda clock: None)
    assert happenings(lambda clock: Pacer(clock, 10.0)) == plain
    assert happenings(lambda clock: clock.follow(told.append)) == plain
    assert told == sorted(told)
    assert set(told) >= {abs(t) for t in plain[:10]}


def test_a_pace_holds_a_bench_back_until_it_is_set_free() -> None:
    clock = VirtualClock()
    clock.every(0.5, lambda: None)
    pacer = Pacer(clock, 0.05)  # a bench second takes 20 s
    free = threading.Timer(0.3, lambda: setattr(pacer, "factor", 0.0))
    watch = Stopwatch()
    free.start()
    clock.sleep(1000.0)
    free.join()
    assert watch.seconds() >= 0.3  # it stood still until it was set free, and not for the 20,000 s that were asked
    assert clock.now() == 1000.0
    for bad in (-1.0, 0.01, float("inf"), float("nan")):
        with pytest.raises(UseError, match="pace"):
            Pacer(clock, bad)


# -- orders


class StubRun:
    """A run with nothing but a clock, that notes an emergency stop."""

    def __init__(self) -> None:
        self.bench = SimpleNamespace(clock=VirtualClock())
        self.halted = ""

    def emergency_stop(self, why: str) -> None:
        self.halted = why


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    one = Watched(tmp_path / "watched")
    one._run = StubRun()  # type: ignore[assignment]
    yield one
    one.close()


@pytest.fixture
def interruptible() -> Iterator[None]:
    """As a process at a terminal, whatever started this one."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def soon(watched: Watched, order: Order) -> threading.Timer:
    """The order, from another thread as orders come, in a moment."""
    timer = threading.Timer(0.1, watched.post.ordered, (order,))
    timer.start()
    return timer


def test_a_paused_run_stands_still_before_the_next_test_until_it_is_told_to_go_on(watched: Watched) -> None:
    link = Link(watched.post.path)
    watched.between_tests("one")
    watched.post.ordered(Pause())
    timer = soon(watched, Resume())
    watched.between_tests("two")
    timer.join()
    said = [one for one in heard(link, lambda found: bool(found) and getattr(found[-1], "test", "") == "two")
            if isinstance(one, Standing)]  # fmt: skip
    link.close()
    assert [(one.state, one.test) for one in said][-3:] == [("pausing", "one"), ("paused", ""), ("running", "two")]


@pytest.mark.parametrize("order", [Stop(), EmergencyStop("a person")])
def test_a_stop_ends_a_paused_run_as_an_interrupt_does(watched: Watched, order: Order, interruptible: None) -> None:
    watched.post.ordered(Pause())
    timer = soon(watched, order)
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012  (it may come after the wait has been given up)
        watched.between_tests("two")
        threading.Event().wait(LIMIT)
    timer.join()
    assert watched._run is not None
    assert watched._run.halted == ("" if isinstance(order, Stop) else "emergency stop pressed: a person")


# -- a person at the page


class FakeDesk:
    """A person who answers what is asked for, if anything. answers: by verb."""

    def __init__(self, **answers: str) -> None:
        self.answers, self.asked, self.settled = answers, list[Prompt](), list[int]()

    def ask(self, prompt: Prompt, within: float) -> int:
        self.asked.append(prompt)
        return len(self.asked)

    def answer_to(self, number: int) -> str | None:
        return self.answers.get(self.asked[number - 1].verb)

    def settle(self, number: int) -> None:
        self.settled.append(number)


def test_a_person_at_the_page_answers_and_silence_is_an_error() -> None:
    clock = RealClock()
    try:
        desk = FakeDesk(start=" done ")
        prompter = DeskPrompter(desk, "console", clock)
        assert prompter.ask(Prompt("start", "charge", "press start"), 5.0) == "done"
        with pytest.raises(InstrumentError, match=r"no answer within 0\.2 s"):
            prompter.ask(Prompt("stop", "", "press stop"), 0.2)
        assert desk.settled == [1, 2]
        prompter.close()
        with pytest.raises(LostInstrument, match="nobody is asked any more"):
            prompter.ask(Prompt("start", "", "press"), 1.0)
        with pytest.raises(LostInstrument, match="v2hrig console, or with --live"):
            DeskPrompter(None, "console", clock)
    finally:
        clock.close()
    with pytest.raises(UseError, match='clock = "real"'):
        DeskPrompter(FakeDesk(), "console", VirtualClock())


def test_every_word_reads_back() -> None:
    words: list[Word] = [HELLO, Standing(state="paused"), Settled(number=4), Moment(t=0.0)]
    assert all(line(one).endswith(b"\n") and line(one).count(b"\n") == 1 for one in words)
