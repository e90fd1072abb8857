"""A run as its watchers have it: shown to them while it goes on, and their orders carried out.

Theory
  The bench is single-threaded; the post is a thread of its own. So a moment is put together by the bench's own thread,
  between two instants, when the post has said that somebody would look at it, and an order only sets something that
  the bench's thread finds, or sends the process the signal that Ctrl-C sends, whose ways are known
  (fixtures.interrupts). An emergency stop is put on record first, then everything is brought to no energy and the run
  ends. It takes effect where a signal does: at once in the foreground, after the event that is being run in virtual
  time. The way down itself is not interrupted.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Sequence
from pathlib import Path

from rig.clock import Cancel, Pacer, Phase, VirtualClock
from rig.errors import RigError
from rig.live.messages import (
    Answer,
    Asked,
    EmergencyStop,
    Hello,
    Order,
    Pace,
    Pause,
    Resume,
    Settled,
    Standing,
    Stop,
)
from rig.live.post import Post
from rig.live.view import View
from rig.prompts import Prompt
from rig.run import Run

SHOWN_EVERY = 0.1
"""s of bench time between two moments at the least (project choice: one cycle of the bus)."""
LOOKS = 0.2
"""s between two looks of a run that is paused."""
NOBODY = 80
"""Characters of a name that are kept."""


class Watched:
    """One run, from before its bench is opened to its end. folder: of the socket."""

    def __init__(self, folder: Path) -> None:
        self.post = Post(folder)
        self.post.ordered = self._ordered
        self._run: Run | None = None
        self._pacer: Pacer | None = None
        self._view: View | None = None
        self._cancel: Cancel = lambda: None
        self._go_on = threading.Event()
        self._go_on.set()
        self._state, self._test = "opening", ""
        self._said = Standing(state="opening")
        self._answers: dict[int, str] = {}
        self._number = 0
        self._asking = threading.Lock()

    def begin(self, run: Run, tests: Sequence[str], file: Path, pacer: Pacer | None) -> None:
        """The bench is open and its run begins. pacer: of a bench in virtual time."""
        self._run, bench = run, run.bench
        clock, profile = bench.clock, bench.profile
        self._view, self._pacer = View(bench, run.watch), pacer
        if isinstance(clock, VirtualClock):
            clock.follow(lambda _: self._show())
        else:
            self._cancel = clock.every(SHOWN_EVERY, self._show, Phase.OBSERVE)
        self.post.tell(
            Hello(
                pid=os.getpid(),
                bench=bench.config.bench.name,
                file=str(file.resolve()),
                profile=profile.name,
                folder=str(run.folder.resolve()),
                clock=bench.config.bench.clock,
                tests=tuple(tests),
                legs=profile.legs,
                power=profile.ratings.power,
                voltage=profile.ratings.leg_voltage,
                wired=profile.wired,
                supervisor=0 if bench.guard is None else bench.guard.pid,
                paced=self._pacer is not None,
            )
        )
        self._say("running")

    def between_tests(self, next_one: str) -> None:
        """A test is about to begin: here a paused run stands still. In virtual time the bench stands still too."""
        self._test = ""
        while not self._go_on.is_set():
            self._say("paused")
            assert self._run is not None
            clock = self._run.bench.clock
            if isinstance(clock, VirtualClock):
                self._go_on.wait(LOOKS)
            else:
                try:
                    clock.sleep(LOOKS)  # events go on, and the supervisor sees a living test
                except RigError:
                    break  # the test that begins now will meet it, and be told of it
        self._test = next_one
        self._say("running")

    def resting(self) -> None:
        """The run comes to its end."""
        self._say("stopping")

    def close(self) -> None:
        """The run has ended. Idempotent."""
        self._cancel()
        if self._view is not None:
            self._view.close()
            self.post.tell(self._view.moment())  # how it was left
        self._test = ""
        self._say("ended")
        self.post.close()

    # -- a person is asked

    def ask(self, prompt: Prompt, within: float) -> int:
        """Show a question; its number, for `answer_to` and `settle`. within: s it will be waited for."""
        with self._asking:
            self._number += 1
            number = self._number
        asked = Asked(number=number, words=prompt.words, verb=prompt.verb, value=prompt.value, within=within)
        self.post.tell(asked)
        return number

    def answer_to(self, number: int) -> str | None:
        """What was answered; None while nothing was."""
        return self._answers.get(number)

    def settle(self, number: int) -> None:
        """It is open no longer."""
        self._answers.pop(number, None)
        self.post.tell(Settled(number=number))

    # -- inside

    def _show(self) -> None:
        if self.post.wanted.is_set() and self._view is not None:
            self.post.wanted.clear()
            self.post.tell(self._view.moment())

    def _say(self, state: str = "") -> None:
        self._state = state or self._state
        words = "pausing" if self._state == "running" and not self._go_on.is_set() else self._state
        pace = 0.0 if self._pacer is None else self._pacer.factor
        halted = "" if self._run is None else self._run.halted
        said = Standing(state=words, test=self._test, halted=halted, pace=pace)
        if said != self._said:
            self._said = said
            self.post.tell(said)

    def _ordered(self, order: Order) -> None:
        """From the post's thread."""
        match order:
            case Pause():
                self._go_on.clear()
            case Resume():
                self._go_on.set()
            case Pace(factor):
                if self._pacer is not None:
                    self._pacer.factor = factor
            case Answer(number, text):
                self._answers[number] = text
            case Stop():
                self._end()
            case EmergencyStop(by):
                if self._run is not None:
                    with contextlib.suppress(RigError):  # a record that is lost keeps no bench energised
                        self._run.emergency_stop(f"emergency stop pressed: {by[:NOBODY]}")
                self._end()
        self._say()

    def _end(self) -> None:
        self._go_on.set()
        if self._pacer is not None:
            self._pacer.factor = 0.0
        os.kill(os.getpid(), signal.SIGINT)
