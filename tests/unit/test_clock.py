"""The bench's time: order inside an instant, no drift, no running inside itself."""

from __future__ import annotations

import math
import threading

import pytest

from rig.clock import Phase, RealClock, VirtualClock
from rig.errors import UseError


def test_phases_and_then_sequence_order_one_instant() -> None:
    clock, seen = VirtualClock(), []
    for phase in (Phase.OBSERVE, Phase.ACT, Phase.PLANT, Phase.DELIVER, Phase.PLANT):
        clock.at(1.0, lambda p=phase: seen.append(p.name), phase)
    clock.sleep(1.0)
    assert seen == ["PLANT", "PLANT", "DELIVER", "ACT", "OBSERVE"]


def test_equal_phase_keeps_the_order_of_scheduling() -> None:
    clock, seen = VirtualClock(), []
    for number in range(50):
        clock.at(0.5, lambda n=number: seen.append(n))
    clock.sleep(0.5)
    assert seen == list(range(50))


def test_an_event_at_the_end_of_a_sleep_runs_in_it() -> None:
    clock, seen = VirtualClock(), []
    clock.at(0.3, lambda: seen.append(clock.now()))
    clock.sleep(0.1)
    clock.sleep(0.1)
    assert seen == []
    clock.sleep(0.1)
    assert seen == [0.3]


def test_a_periodic_task_does_not_drift() -> None:
    clock, times = VirtualClock(), []
    clock.every(0.1, lambda: times.append(clock.now_ns()))
    clock.sleep(3600.0)
    assert len(times) == 36_000
    assert times[-1] == 3600 * 10**9
    assert times[6] == 700_000_000


def test_a_period_that_is_no_whole_number_of_ns_does_not_drift() -> None:
    clock, times = VirtualClock(), []
    clock.every(1 / 3, lambda: times.append(clock.now_ns()))
    clock.sleep(1000.0)
    assert times[-1] == 1000 * 10**9
    assert len(times) == 3000


def test_cancel_stops_a_periodic_task_from_inside_itself() -> None:
    clock, seen = VirtualClock(), []

    def tick() -> None:
        seen.append(clock.now())
        if len(seen) == 3:
            cancel()

    cancel = clock.every(1.0, tick)
    clock.sleep(10.0)
    assert seen == [1.0, 2.0, 3.0]


def test_sleep_inside_an_event_raises_and_spend_costs_nothing() -> None:
    clock = VirtualClock()
    clock.at(1.0, lambda: clock.sleep(0.1))
    with pytest.raises(UseError, match="inside a ACT event"):
        clock.sleep(2.0)
    clock.at(1.5, lambda: clock.spend(5.0))
    clock.sleep(1.0)
    assert clock.now() == 2.0
    clock.spend(0.25)
    assert clock.now() == 2.25


def test_the_clock_goes_on_after_an_event_failed() -> None:
    clock, seen = VirtualClock(), []

    def fail() -> None:
        raise ValueError("boom")

    clock.at(1.0, fail)
    clock.at(2.0, lambda: seen.append(2))
    with pytest.raises(ValueError, match="boom"):
        clock.sleep(3.0)
    assert clock.now() == 1.0
    clock.sleep(2.0)
    assert seen == [2]


def test_observers_may_schedule_later_but_not_for_their_own_instant() -> None:
    clock, seen = VirtualClock(), []
    clock.at(1.0, lambda: clock.at(1.5, lambda: seen.append(clock.now())), Phase.OBSERVE)
    clock.at(3.0, lambda: clock.at(3.0, lambda: None), Phase.OBSERVE)
    clock.sleep(2.0)
    assert seen == [1.5]
    with pytest.raises(UseError, match="only reads"):
        clock.sleep(2.0)


def test_wait_until_looks_after_whole_instants() -> None:
    clock, state = VirtualClock(), {"a": 0, "b": 0}
    clock.at(1.0, lambda: state.update(a=1), Phase.PLANT)
    clock.at(1.0, lambda: state.update(b=state["a"]), Phase.ACT)
    assert clock.wait_until(lambda: state["a"] == 1, within=5.0) == 1.0
    assert state["b"] == 1


def test_wait_until_is_inf_when_it_never_holds_and_time_has_passed() -> None:
    clock = VirtualClock()
    clock.every(0.5, lambda: None)
    assert math.isinf(clock.wait_until(lambda: False, within=2.2))
    assert clock.now() == 2.2


def test_wait_until_costs_nothing_when_true_already() -> None:
    clock = VirtualClock()
    assert clock.wait_until(lambda: True, within=5.0) == 0.0
    assert clock.now() == 0.0


@pytest.mark.parametrize("seconds", [-1.0, math.inf, math.nan])
def test_a_sleep_must_be_finite_and_forward(seconds: float) -> None:
    with pytest.raises(UseError):
        VirtualClock().sleep(seconds)


def test_the_past_means_now() -> None:
    clock, seen = VirtualClock(), []
    clock.sleep(5.0)
    clock.at(1.0, lambda: seen.append(clock.now()))
    clock.sleep(0.0)
    assert seen == [5.0]


def test_the_real_clock_runs_events_on_one_thread_and_hands_failures_over() -> None:
    clock = RealClock()
    try:
        threads: set[int] = set()
        done = threading.Event()
        clock.every(0.002, lambda: threads.add(threading.get_ident()))
        clock.at(clock.now() + 0.02, done.set)
        assert done.wait(10.0)
        assert len(threads) == 1
        assert threading.get_ident() not in threads

        def fail() -> None:
            raise ValueError("boom")

        clock.at(0.0, fail)
        with pytest.raises(ValueError, match="boom"):
            clock.wait_until(lambda: False, within=10.0)
    finally:
        clock.close()


def test_the_real_clock_refuses_a_sleep_inside_an_event() -> None:
    clock = RealClock()
    try:
        clock.at(0.0, lambda: clock.sleep(0.001))
        with pytest.raises(UseError, match="inside an event"):
            clock.wait_until(lambda: False, within=10.0)
    finally:
        clock.close()


@pytest.mark.parametrize("make", [VirtualClock, RealClock])
def test_times_that_are_none_are_refused(make: type[VirtualClock] | type[RealClock]) -> None:
    clock = make()
    try:
        for bad in (math.nan, math.inf, -math.inf):
            with pytest.raises(UseError, match="the time must be finite"):
                clock.at(bad, lambda: None)
        for bad in (0.0, -1.0, math.nan, math.inf, 1e-12):
            with pytest.raises(UseError, match="the period must be above 0"):
                clock.every(bad, lambda: None)
        for bad in (-1.0, math.nan, math.inf):
            with pytest.raises(UseError, match="0 or more and finite"):
                clock.wait_until(lambda: False, bad)
    finally:
        if isinstance(clock, RealClock):
            clock.close()


def test_one_failing_event_of_a_real_clock_does_not_fail_another_that_spends() -> None:
    clock, spent = RealClock(), threading.Event()

    def fail() -> None:
        raise ValueError("first")

    def spend() -> None:
        clock.spend(0.0)
        spent.set()

    try:
        clock.at(0.0, fail)
        clock.at(0.0, spend)
        assert spent.wait(10.0)
        with pytest.raises(ValueError, match="first"):
            clock.sleep(0.0)
    finally:
        clock.close()
