"""The bench's time. Nothing outside RealClock in this file calls the operating system's clock.

Theory
  A virtual clock is a queue of events ordered by (nanosecond, phase, sequence). The foreground (a test) runs
  between events: its `sleep` is what runs the queue. Time moves only there, so a night of testing costs no waiting,
  nothing races, and the same seed gives the same bytes.

  Inside one instant the phases follow each other:
    PLANT    the world moves            (physics, contacts, source steps)
    DELIVER  it is told                 (frames and lines arrive)
    ACT      it answers                 (controllers, vehicle, instruments)
    OBSERVE  it is watched, read-only   (monitors, recorders)
  An OBSERVE event may schedule for later, never for its own instant. A sleep inside an event raises: an event that
  waits would let the world run inside itself. What an instrument exchange costs is `spend`, which waits in the
  foreground only; what must exchange with an instrument from an event does so by `aside`, which on a real bench is
  another thread, so that nobody is held up.
"""

from __future__ import annotations

import heapq
import math
import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from enum import IntEnum
from queue import SimpleQueue
from typing import Any, Protocol, TypeVar

from rig.errors import UseError
from rig.units import NS_PER_S, to_ns


class Phase(IntEnum):
    """Order inside one instant."""

    PLANT = 0
    DELIVER = 1
    ACT = 2
    OBSERVE = 3


PRECEDENCE = 1
"""Real-time priority of threads that must not be late: the lowest, above every ordinary program (project choice)."""
FIRST = 2
"""That of a process which only keeps time: before the clock's threads, which may be busy for milliseconds."""

Call = Callable[[], None]
T = TypeVar("T")


class Cancel(Protocol):
    """What `at` and `every` give back: call it and the event will not happen (again). Idempotent."""

    def __call__(self) -> None: ...


class Clock(Protocol):
    """All time of a bench. Seconds since the bench was opened."""

    def now(self) -> float:
        """s since the bench was opened."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let the bench run for seconds (0 or more). Raises UseError inside an event."""
        ...

    def spend(self, seconds: float) -> None:
        """What an exchange costs: a sleep in the foreground, nothing inside an event."""
        ...

    def at(self, when: float, call: Call, phase: Phase = Phase.ACT) -> Cancel:
        """Call once at `when` (s; the past means now)."""
        ...

    def every(self, period: float, call: Call, phase: Phase = Phase.ACT) -> Cancel:
        """Call at now + k*period, k = 1, 2, ...: no drift."""
        ...

    def aside(self, lane: str, work: Callable[[], T], then: Callable[[T], None]) -> bool:
        """From an event: do work that may take its time, as an exchange with an instrument, then call then(its outcome)
        as an event. In virtual time both are done at once. False, and nothing is done, while the lane (a name) is still
        at the work before."""
        ...

    def wait_until(self, true: Callable[[], bool], within: float) -> float:
        """Run the bench until true() holds, looked at after each instant. s waited; inf when it never held."""
        ...


class VirtualClock:
    """A discrete-event queue in whole nanoseconds. Single-threaded, deterministic."""

    def __init__(self) -> None:
        self._ns = 0
        self._queue: list[_Event] = []
        self._sequence = 0
        self._running: Phase | None = None
        self._followers: list[Callable[[float], None]] = []

    def now(self) -> float:
        """s since the bench was opened."""
        return self._ns / NS_PER_S

    def follow(self, call: Callable[[float], None]) -> None:
        """Have call(s of the next event) called before each instant, outside every event: it may take its time, and
        must change nothing of the bench."""
        self._followers.append(call)

    @property
    def within_event(self) -> bool:
        """An event is being run at this moment."""
        return self._running is not None

    def now_ns(self) -> int:
        """ns since the bench was opened, exact."""
        return self._ns

    def sleep(self, seconds: float) -> None:
        """Run the queue up to and including now + seconds."""
        self._refuse_inside_event("sleep")
        if not seconds >= 0 or math.isinf(seconds):
            raise UseError(f"sleep({seconds}): seconds must be 0 or more and finite")
        end = self._ns + to_ns(seconds)
        self._run_through(end)
        self._ns = end

    def spend(self, seconds: float) -> None:
        """A sleep in the foreground; nothing inside an event."""
        if self._running is None:
            self.sleep(seconds)

    def at(self, when: float, call: Call, phase: Phase = Phase.ACT) -> Cancel:
        """Call once at `when` (s; the past means now)."""
        if not -math.inf < when < math.inf:
            raise _no_moment(when)
        return self.at_ns(round(when * NS_PER_S), call, phase)

    def at_ns(self, when: int, call: Call, phase: Phase = Phase.ACT) -> Cancel:
        """As `at`, in nanoseconds."""
        if when <= self._ns:
            when = self._ns
            if self._running is Phase.OBSERVE:
                raise UseError("an OBSERVE event only reads: it cannot schedule for its own instant")
        self._sequence = number = self._sequence + 1
        event = _Event((when << 2 | phase, number, call))
        heapq.heappush(self._queue, event)
        return event

    def every(self, period: float, call: Call, phase: Phase = Phase.ACT) -> Cancel:
        """Call at now + k*period, k = 1, 2, ...: no drift."""
        _refuse_bad_period(period)
        start, step, count = self._ns, period * NS_PER_S, 1
        following: Cancel = _nothing

        def tick() -> None:
            nonlocal count, following
            count += 1
            following = self.at_ns(start + round(count * step), tick, phase)
            call()

        following = self.at_ns(start + round(step), tick, phase)
        return lambda: following()

    def aside(self, lane: str, work: Callable[[], T], then: Callable[[T], None]) -> bool:
        """Done at once: inside an event an exchange costs nothing."""
        then(work())
        return True

    def wait_until(self, true: Callable[[], bool], within: float) -> float:
        """Run the queue until true() holds, looked at after each instant. s waited; inf when it never held."""
        self._refuse_inside_event("wait_until")
        _refuse_bad_wait(within)
        start = self._ns
        end = start + to_ns(within)
        while not true():
            if not self._queue or self._queue[0][0] >> 2 > end:
                self._ns = end
                return math.inf
            self._run_through(self._queue[0][0] >> 2)
        return (self._ns - start) / NS_PER_S

    def _run_through(self, end: int) -> None:
        """Run every event up to and including `end` (ns), those that come up meanwhile too."""
        while self._followers and self._queue and self._queue[0][0] >> 2 <= end:
            at = self._queue[0][0] >> 2
            for call in self._followers:
                call(at / NS_PER_S)
            self._run_events(at)
        self._run_events(end)

    def _run_events(self, end: int) -> None:
        queue, pop, beyond = self._queue, heapq.heappop, (end + 1) << 2
        try:
            while queue and queue[0][0] < beyond:
                key, _, call = pop(queue)
                if call is not None:
                    self._ns = key >> 2
                    self._running = _PHASES[key & 3]
                    call()
        finally:
            self._running = None

    def _refuse_inside_event(self, verb: str) -> None:
        if self._running is not None:
            raise UseError(f"{verb} inside a {self._running.name} event: schedule with at() or every() instead")


def _no_moment(when: float) -> UseError:
    return UseError(f"at({when}): the time must be finite; say None where nothing shall happen")


def _refuse_bad_period(period: float) -> None:
    if not 1.0 / NS_PER_S <= period < math.inf:
        raise UseError(f"every({period}): the period must be above 0, from a nanosecond on, and finite")


def _refuse_bad_wait(within: float) -> None:
    if not 0.0 <= within < math.inf:
        raise UseError(f"wait_until(within={within}): seconds must be 0 or more and finite")


_PHASES = tuple(Phase)


def _nothing() -> None:
    """In the place of an event that is not planned yet."""


class _Event(list[Any]):
    """One queued call, as a heap compares it: [ns << 2 | phase, sequence, call]. Called itself, it forgets its call."""

    __slots__ = ()

    def __call__(self) -> None:
        self[2] = None


class RealClock:
    """The monotonic clock of this machine. Events run one at a time on a thread of the clock's own.

    `lock` is held while an event runs: whoever brings input from another thread (a bus, a serial line) takes it, so
    the state machines stay single-threaded on a real bench too. An error in an event is raised in the foreground at
    its next sleep, spend or wait_until. Each lane of `aside` has a thread, which holds no lock while it works. The
    clock's own thread takes precedence where it may.
    """

    POLL = 0.001
    """s between two looks of wait_until."""
    TURN = 1.0
    """s the clock's thread waits at most, so that it can be seen to live."""
    RECENT = 1.0
    """s; a wall stamp older than that, or of the future, is none of this moment: the wall clock was set meanwhile."""

    TIGHT, TRIES = 100_000, 8
    """ns within which both clocks are to be read for a stamp, and how often that is tried again."""

    def __init__(self, origin: int | None = None) -> None:
        """origin: another process's, so that both tell the same time; None: now."""
        self.origin = self._start = time.monotonic_ns() if origin is None else origin
        self.lock = threading.RLock()
        self._own: set[int] = set()  # threads that are not the foreground
        self._turned = self._shown = self.now()
        self._wake = threading.Condition()
        self._queue: list[_Event] = []
        self._sequence = 0
        self._failure: BaseException | None = None
        self._closed = False
        self._lanes: dict[str, _Lane] = {}
        self.lateness = 0.0
        """s by which the most belated event so far began after its time; may be set back to 0."""
        self._thread = threading.Thread(target=self._run, name="bench clock", daemon=True)
        self._thread.start()

    def now(self) -> float:
        """s since the bench was opened."""
        return (time.monotonic_ns() - self._start) / NS_PER_S

    def of_wall(self, stamp: float) -> float:
        """Bench time of a stamp (s since 1970) that the operating system made a moment ago."""
        began, wall_then, read = _both()
        # A thread that loses its turn between both clocks would move the stamp by as much, and blame whoever sent it.
        for _ in range(self.TRIES):
            if read - began <= self.TIGHT:
                break
            began, wall_then, read = min(_both(), (began, wall_then, read), key=lambda both: both[2] - both[0])
        age, now = wall_then - stamp, (read - self._start) / NS_PER_S
        return now - (age if 0.0 <= age <= self.RECENT else 0.0)

    def sleep(self, seconds: float) -> None:
        """Wait for seconds; events run meanwhile on the clock's thread."""
        if threading.current_thread() is self._thread:
            raise UseError("sleep inside an event: schedule with at() or every() instead")
        if not seconds >= 0 or math.isinf(seconds):
            raise UseError(f"sleep({seconds}): seconds must be 0 or more and finite")
        self._raise_failure(seconds)
        time.sleep(seconds)
        self._raise_failure()

    def spend(self, seconds: float) -> None:
        """Nothing: a real exchange takes its own time."""
        if threading.current_thread() is not self._thread:
            self._raise_failure()

    def at(self, when: float, call: Call, phase: Phase = Phase.ACT) -> Cancel:
        """Call once at `when` (s; the past means now) on the clock's thread."""
        if not math.isfinite(when):
            raise _no_moment(when)
        return self._push(round(when * NS_PER_S), call, phase)  # what is overdue runs in the order in which it was due

    def every(self, period: float, call: Call, phase: Phase = Phase.ACT) -> Cancel:
        """Call at now + k*period on the clock's thread; late calls are not made up for."""
        _refuse_bad_period(period)
        start, step, count = to_ns(self.now()), period * NS_PER_S, 0
        over = False
        following: Cancel = _nothing

        def tick() -> None:
            nonlocal count, following
            if over:
                return
            count = max(count + 1, int((to_ns(self.now()) - start) / step))
            following = self._push(start + round((count + 1) * step), tick, phase)
            call()

        def cancel() -> None:
            nonlocal over
            over = True
            following()

        following = self._push(start + round(step), tick, phase)
        return cancel

    def aside(self, lane: str, work: Callable[[], T], then: Callable[[T], None]) -> bool:
        """Work on the lane's own thread; its outcome comes back as an event, its error in the foreground."""
        if lane not in self._lanes:
            self._lanes[lane] = _Lane(lane, self._fail, self._own.add)

        def do() -> None:
            outcome = work()
            self.at(self.now(), lambda: then(outcome))

        return self._lanes[lane].take(do)

    def wait_until(self, true: Callable[[], bool], within: float) -> float:
        """Wait until true() holds. s waited; inf when it did not hold within the time."""
        _refuse_bad_wait(within)
        start = self.now()
        while True:
            with self.lock:
                if true():
                    return self.now() - start
            if self.now() - start >= within:
                return math.inf
            self.sleep(self.POLL)

    def interrupt(self, failure: BaseException) -> None:
        """Have an error raised in the foreground at its next sleep, spend or wait_until. From any thread."""
        self._fail(failure)

    def leave(self) -> None:
        """The foreground goes away, with the bench at rest: it is not missed until it sleeps, spends or waits again."""
        self._shown = math.inf

    def idle(self) -> tuple[float, float]:
        """s since the clock's thread last turned (0 while it has nothing due), and since the foreground last showed
        itself; what it sleeps does not count."""
        now = self.now()
        return max(now - self._turned, 0.0), max(now - self._shown, 0.0)

    def close(self) -> None:
        """Stop the threads. No event runs afterwards."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._thread.join(timeout=5.0)
        for lane in self._lanes.values():
            lane.close()

    def _push(self, when: int, call: Call, phase: Phase) -> _Event:
        with self._wake:
            self._sequence += 1
            event = _Event((when << 2 | phase, self._sequence, call))
            heapq.heappush(self._queue, event)
            self._wake.notify()
        return event

    def _run(self) -> None:
        take_precedence()
        self._own.add(threading.get_ident())
        while True:
            self._turned = self.now()
            with self._wake:
                if self._closed:
                    return
                ahead = (self._queue[0][0] >> 2) - to_ns(self.now()) if self._queue else NS_PER_S
                if ahead > 0:
                    self._wake.wait(min(ahead / NS_PER_S, self.TURN))
                    continue
                call = heapq.heappop(self._queue)[2]
            if call is None:
                continue
            try:
                with self.lock:
                    self.lateness = max(self.lateness, -ahead / NS_PER_S)
                    call()
            except BaseException as failure:  # noqa: BLE001  (handed to the foreground, never swallowed)
                self._fail(failure)

    def _fail(self, failure: BaseException) -> None:
        self._failure = self._failure or failure

    def _raise_failure(self, asleep: float = 0.0) -> None:
        if threading.get_ident() in self._own:
            return  # it is the foreground's to hear
        self._shown = self.now() + asleep
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure


def take_precedence(level: int = PRECEDENCE) -> bool:
    """Let the calling thread run before those of other programs; False where the system does not know that or this user
    has no right to it (Linux: the limit rtprio). For threads that do little and must not be late; what they start does
    not inherit it."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(level))
    except (AttributeError, OSError):
        return False
    return True


class _Lane:
    """A thread that does one work at a time, beside the clock. failed: told what a work raises; begun: its identity."""

    def __init__(self, name: str, failed: Callable[[BaseException], None], begun: Callable[[int], None]) -> None:
        self._failed, self._begun = failed, begun
        self._queue: SimpleQueue[Call | None] = SimpleQueue()
        self._busy = False
        self._thread = threading.Thread(target=self._run, name=f"bench {name}", daemon=True)
        self._thread.start()

    def take(self, do: Call) -> bool:
        """Do it, unless the work before is not done yet."""
        if self._busy:
            return False
        self._busy = True
        self._queue.put(do)
        return True

    def close(self) -> None:
        """No more work; the one under way is waited for."""
        self._queue.put(None)
        self._thread.join(timeout=5.0)

    def _run(self) -> None:
        self._begun(threading.get_ident())
        while (do := self._queue.get()) is not None:
            try:
                do()
            except BaseException as failure:  # noqa: BLE001  (handed to the foreground, never swallowed)
                self._failed(failure)
            finally:
                self._busy = False


class Pacer:
    """Holds a virtual clock back, so that a person can follow: `factor` bench s a wall s, 0 for as fast as it goes.
    What the bench does stays what it was, and when. UseError for a factor that is none."""

    LONGEST = 1.0
    """s by which a bench that was busy may be behind; more is not made up for."""

    def __init__(self, clock: VirtualClock, factor: float) -> None:
        self._clock, self._factor = clock, _good_factor(factor)
        self._changed = threading.Event()
        self._anchor()
        clock.follow(self._wait)

    @property
    def factor(self) -> float:
        """bench s a wall s; it may be set from any thread, and takes effect at once."""
        return self._factor

    @factor.setter
    def factor(self, factor: float) -> None:
        self._factor = _good_factor(factor)
        self._changed.set()

    def _anchor(self) -> None:
        self._wall, self._bench = time.perf_counter(), self._clock.now()

    def _wait(self, until: float) -> None:
        while True:
            if self._changed.is_set():
                self._changed.clear()
                self._anchor()
            if not self._factor:
                return
            ahead = (until - self._bench) / self._factor - (time.perf_counter() - self._wall)
            if ahead < -self.LONGEST:
                self._anchor()
            if ahead <= 0.0:
                return
            self._changed.wait(ahead)


def _good_factor(factor: float) -> float:
    if not 0.0 <= factor < math.inf or 0.0 < factor < 0.05:
        raise UseError(f"pace {factor:g}: must be 0 (as fast as it goes) or 0.05 bench s a wall s and more")
    return factor


def _both() -> tuple[int, float, int]:
    """The wall clock (s since 1970) between two looks at the other one (ns)."""
    began = time.monotonic_ns()
    wall_then = time.time()
    return began, wall_then, time.monotonic_ns()


def wall() -> float:
    """s since 1970, for what several hosts must agree on, as a lease, or several processes, as a stamp for
    RealClock.of_wall. Never for the bench: it may be set any time."""
    return time.time()


class Stopwatch:
    """Wall time for progress and run.json. Never for the bench: no verdict may depend on it."""

    def __init__(self) -> None:
        self.begun = datetime.now(UTC)
        self._start = time.perf_counter()

    def seconds(self) -> float:
        """Wall seconds since it was made."""
        return time.perf_counter() - self._start
