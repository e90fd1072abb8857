"""Work beside the clock: at once in virtual time; on a thread of its own, one at a time, on a real bench."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from rig.clock import Phase, RealClock, VirtualClock
from rig.errors import InstrumentError

PATIENCE = 20.0


@pytest.fixture
def clock() -> Iterator[RealClock]:
    clock = RealClock()
    yield clock
    clock.close()


def test_in_virtual_time_work_and_what_follows_are_one_event() -> None:
    clock, seen = VirtualClock(), []

    def look() -> None:
        assert clock.aside("meter", lambda: seen.append("work") or clock.now(), lambda at: seen.append(f"then {at}"))
        seen.append("after")

    clock.at(1.0, look, Phase.OBSERVE)
    clock.sleep(1.0)
    assert seen == ["work", "then 1.0", "after"]


def test_an_error_of_the_work_comes_up_at_once_in_virtual_time() -> None:
    clock = VirtualClock()

    def fail() -> None:
        raise InstrumentError("meter", "READ?", "no answer")

    clock.at(1.0, lambda: clock.aside("meter", fail, lambda _: None))
    with pytest.raises(InstrumentError, match="no answer"):
        clock.sleep(1.0)


def test_events_go_on_while_a_work_takes_its_time_and_a_busy_lane_takes_no_other(clock: RealClock) -> None:
    release, threads, taken = threading.Event(), {}, []

    def work() -> str:
        threads["work"] = threading.current_thread().name
        release.wait(PATIENCE)
        return "outcome"

    def then(outcome: str) -> None:
        threads[outcome] = threading.current_thread().name

    def look(lane: str) -> None:
        taken.append((lane, clock.aside(lane, work if lane == "slow" else lambda: "quick", then)))

    for lane in ("slow", "slow", "other"):
        clock.at(clock.now(), lambda lane=lane: look(lane))
    assert clock.wait_until(lambda: "quick" in threads, PATIENCE) <= PATIENCE
    assert "outcome" not in threads
    assert taken == [("slow", True), ("slow", False), ("other", True)]
    release.set()
    assert clock.wait_until(lambda: "outcome" in threads, PATIENCE) <= PATIENCE
    assert threads == {"work": "bench slow", "outcome": "bench clock", "quick": "bench clock"}


def test_an_error_of_the_work_comes_up_in_the_foreground_and_the_lane_goes_on(clock: RealClock) -> None:
    done = threading.Event()

    def fail() -> None:
        raise InstrumentError("meter", "READ?", "no answer")

    clock.at(clock.now(), lambda: clock.aside("meter", fail, lambda _: None))
    with pytest.raises(InstrumentError, match="no answer"):
        clock.wait_until(lambda: False, PATIENCE)
    cancel = clock.every(0.01, lambda: clock.aside("meter", lambda: None, lambda _: done.set()))
    assert done.wait(PATIENCE)
    cancel()


def test_what_is_overdue_runs_in_the_order_in_which_it_was_due(clock: RealClock) -> None:
    seen, go_on, done = [], threading.Event(), threading.Event()

    def hold_up() -> None:
        go_on.wait(PATIENCE)
        now = clock.now()
        clock.at(now, lambda: seen.append("now"))
        clock.at(now - 1e-3, lambda: seen.append("before"))
        clock.at(now + 1e-3, done.set)

    clock.at(clock.now(), hold_up)
    go_on.set()
    assert done.wait(PATIENCE)
    assert seen == ["before", "now"]


def test_a_stamp_of_the_operating_system_becomes_bench_time(clock: RealClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rig.clock.time.time", lambda: 1_000_000.0)
    before = clock.now()
    at = clock.of_wall(1_000_000.0 - 0.25)
    after = clock.now()
    assert before - 0.25 <= at <= after - 0.25
    for strange in (1_000_000.0 + 5.0, 1_000_000.0 - 3600.0):  # the wall clock was set meanwhile
        now = clock.now()
        assert now <= clock.of_wall(strange) <= clock.now()


def test_a_stamp_stays_where_it_is_though_its_thread_loses_its_turn_between_both_clocks(
    clock: RealClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = iter([20_000_000, 0, 20_000_000, 0])
    ns = clock.origin

    def monotonic() -> int:
        nonlocal ns
        ns += 1000
        return ns

    def wall() -> float:
        nonlocal ns
        read = 1_000_000.0 + (ns - clock.origin) / 1e9
        ns += next(lost, 0)
        return read

    monkeypatch.setattr("rig.clock.time.monotonic_ns", monotonic)
    monkeypatch.setattr("rig.clock.time.time", wall)
    for true in (0.0, -0.25):
        assert clock.of_wall(1_000_000.0 + true) == pytest.approx(true, abs=1e-3)
