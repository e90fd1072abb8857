"""The sans-IO contract of every protocol machine, emulator, rule and monitor: a time and an event in, outputs out.

A machine never sleeps, has no clock and no thread. `run_on` is the only glue between a machine and a clock.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, NamedTuple, Protocol, TypeVar

from rig.clock import Cancel, Clock, Phase
from rig.units import NS_PER_S

In = TypeVar("In", contravariant=True)
Out = TypeVar("Out", covariant=True)

NS = 1.0 / NS_PER_S
"""s, what a clock counts in."""


class Step(NamedTuple, Generic[Out]):
    """What a machine says after an event. A machine with nothing new to say may give the same object again; an
    event then costs its runner one look."""

    out: tuple[Out, ...] = ()
    wake_at: float | None = None
    """s; ask me again then even if nothing happens. It replaces the wish of the step before."""


class Machine(Protocol[In, Out]):
    """A state machine in bench time."""

    def step(self, now: float, event: In | None) -> Step[Out]:
        """Take one event at `now` (s, never going back); None means woken by time (an early wake is harmless)."""
        ...


class Runner(Generic[In, Out]):
    """A machine living on a clock: `tell` it what happens; its outputs go to `emit`."""

    __slots__ = ("_cancel", "_clock", "_emit", "_last", "_machine", "_now", "_pending", "_phase", "_stopped", "_wanted")

    def __init__(
        self, clock: Clock, machine: Machine[In, Out], emit: Callable[[Out], None], phase: Phase = Phase.ACT
    ) -> None:
        self._clock, self._machine, self._emit, self._phase = clock, machine, emit, phase
        self._wanted: float | None = None
        self._pending: float | None = None
        self._cancel: Cancel | None = None
        self._last: Step[Out] | None = None
        self._stopped = False
        self._now = 0.0

    def tell(self, event: In | None, at: float | None = None) -> None:
        """Hand the machine an event at the clock's now. at: s of its stamp, where it comes with one; what was told
        before it is never after it."""
        if not self._stopped:
            self._tell(self._clock.now() if at is None else at, event)

    def _tell(self, now: float, event: In | None) -> None:
        if now < self._now:
            now = self._now
        self._now = now
        step = self._machine.step(now, event)
        if step is self._last and event is not None and not step.out:
            return  # nothing to hand on, and the wake it asks for is planned
        self._last = step
        out, wanted = step
        if event is None and wanted is not None and wanted < now + NS:
            # Woken a fraction of a nanosecond early it may ask for the same time again: that must not be this instant.
            wanted = now + NS
        self._wanted = wanted
        # A wake that is due earlier than wished costs one idle look; that is cheaper than cancelling at every frame.
        if wanted is not None and (self._pending is None or wanted < self._pending):
            self._schedule(wanted)
        for one in out:
            self._emit(one)

    def stop(self) -> None:
        """No more steps. Idempotent."""
        self._stopped = True
        if self._cancel is not None:
            self._cancel()

    def _schedule(self, when: float) -> None:
        if self._cancel is not None:
            self._cancel()
        self._pending = when
        self._cancel = self._clock.at(when, self._woken, self._phase)

    def _woken(self) -> None:
        self._pending = self._cancel = None
        wanted = self._wanted
        if wanted is None:
            return
        now = self._clock.now()
        if wanted > now + NS:  # the queue counts whole nanoseconds
            self._schedule(wanted)
        elif not self._stopped:
            self._tell(now, None)


def run_on(
    clock: Clock, machine: Machine[In, Out], emit: Callable[[Out], None], phase: Phase = Phase.ACT
) -> Runner[In, Out]:
    """Let a machine live on a clock. It is asked once at the start."""
    runner = Runner(clock, machine, emit, phase)
    runner.tell(None)
    return runner
