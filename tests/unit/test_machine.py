"""The glue between a machine and a clock."""

from __future__ import annotations

from rig.clock import VirtualClock
from rig.machine import Step, run_on


class Blinker:
    """Says its time every second; an event shifts its wish."""

    def __init__(self) -> None:
        self.next = 1.0

    def step(self, now: float, event: str | None) -> Step[str]:
        if event is not None:
            self.next = now + 0.25
            return Step((f"{event} {now}",), self.next)
        if now >= self.next - 1e-9:
            self.next = now + 1.0
            return Step((f"blink {now}",), self.next)
        return Step((), self.next)


def test_a_machine_is_woken_when_it_asked() -> None:
    clock, seen = VirtualClock(), []
    run_on(clock, Blinker(), seen.append)
    clock.sleep(3.5)
    assert seen == ["blink 1.0", "blink 2.0", "blink 3.0"]


def test_an_event_moves_the_wake_forward_and_back() -> None:
    clock, seen = VirtualClock(), []
    runner = run_on(clock, Blinker(), seen.append)
    clock.sleep(0.5)
    runner.tell("hello")
    clock.sleep(1.0)
    assert seen == ["hello 0.5", "blink 0.75"]
    clock.sleep(0.25)
    assert seen[-1] == "blink 1.75"


def test_a_stopped_machine_says_nothing() -> None:
    clock, seen = VirtualClock(), []
    runner = run_on(clock, Blinker(), seen.append)
    runner.stop()
    runner.tell("hello")
    clock.sleep(5.0)
    assert seen == []


def test_a_wake_between_two_nanoseconds_is_reached() -> None:
    class Third:
        def __init__(self) -> None:
            self.wakes: list[float] = []

        def step(self, now: float, event: None) -> Step[str]:
            self.wakes.append(now)
            return Step((), (len(self.wakes)) / 3 + 1e-10)

    clock, machine = VirtualClock(), Third()
    run_on(clock, machine, lambda out: None)
    clock.sleep(10.0)
    assert len(machine.wakes) == 31  # once at the start


def test_a_machine_that_insists_on_its_exact_time_does_not_stop_the_bench() -> None:
    """0.1 + 0.2 lies a fraction of a nanosecond after 0.3, where the queue wakes it: it asks for that time again."""

    class Strict:
        def __init__(self) -> None:
            self.due, self.calls, self.done = 0.1 + 0.2, 0, list[float]()

        def step(self, now: float, event: None) -> Step[str]:
            self.calls += 1
            assert self.calls < 100, "asked again and again in one instant"
            if now >= self.due:
                self.done.append(now)
                self.due += 1.0
            return Step((), self.due)

    clock, machine = VirtualClock(), Strict()
    run_on(clock, machine, lambda out: None)
    clock.sleep(2.0)
    assert machine.done == [0.300000001, 1.3]
