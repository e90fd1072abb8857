"""The loop: take an input of the corpus, change it, try it; keep it when something was seen for the first time.

Coverage is what a subject tells of each input: kinds of answers, error numbers, states, places of exceptions. That
costs next to nothing, where tracing every line of Python would make each input a hundred times dearer.

Inputs are tried in episodes: an episode begins with everything new, so that a finding can be told by its own few
inputs. Nothing depends on the time of day; only the bound for an input that never ends counts processor time.
"""

from __future__ import annotations

import signal
import traceback
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from types import FrameType
from typing import Generic, Protocol, TypeVar

I = TypeVar("I")  # noqa: E741  (an input)

ENDS_WITHIN = 20.0
"""s of processor time for an episode; they take well below one."""
KEPT = 20_000
"""Inputs a corpus holds."""
FRESH = 0.15
"""Share of inputs that are made anew instead of changed."""
TOLD = 20
"""Findings kept in words; more are counted."""
BEFORE = 30
"""Inputs shown with a finding: the last ones of its episode."""


class Wrong(AssertionError):
    """What must not come of an input has. kind: "crash" or "garbage"."""

    def __init__(self, words: str, kind: str = "garbage") -> None:
        self.kind = kind
        super().__init__(words)


class Endless(BaseException):
    """An input that does not end."""


class Subject(Protocol[I]):
    """What is tried. Every call may raise Wrong; any other exception is a crash."""

    name: str
    episode: int
    """Inputs after which everything is made anew."""
    garbage: str
    """What garbage must not do, in words."""

    def seeds(self) -> Sequence[I]:
        """The corpus to begin with."""
        ...

    def begin(self, rng: Random) -> None:
        """A new episode."""
        ...

    def make(self, rng: Random) -> I:
        """An input from nothing."""
        ...

    def change(self, rng: Random, one: I, other: I) -> I:
        """An input made from one of the corpus, and perhaps a part of another."""
        ...

    def take(self, one: I) -> Hashable:
        """Try it. What was seen."""
        ...

    def end(self) -> None:
        """The episode is over."""
        ...


@dataclass
class Tally:
    """What came of it."""

    subject: str
    garbage_is: str
    inputs: int = 0
    corpus: int = 0
    seen: int = 0
    crashes: int = 0
    garbage: int = 0
    endless: int = 0
    words: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Nothing was found."""
        return not (self.crashes or self.garbage or self.endless)

    def found(self, kind: str, words: str) -> None:
        """One more."""
        self.crashes += kind == "crash"
        self.garbage += kind == "garbage"
        self.endless += kind == "endless"
        if len(self.words) < TOLD:
            self.words.append(f"{kind}: {words}")

    def __str__(self) -> str:
        return (
            f"{self.subject}: inputs {self.inputs}, seen for the first time {self.seen} (corpus {self.corpus}), "
            f"crashes {self.crashes}, endless {self.endless}, {self.garbage_is} {self.garbage}"
        )


class Fuzz(Generic[I]):
    """One subject, one seed."""

    def __init__(self, subject: Subject[I], seed: int) -> None:
        self._subject = subject
        self._rng = Random(f"{subject.name} {seed}")
        self._corpus: list[I] = list(subject.seeds())
        self._seen: set[Hashable] = set()
        self.tally = Tally(subject.name, subject.garbage)

    def run(self, inputs: int) -> Tally:
        """Try so many."""
        tally = self.tally
        before = -1
        while before < tally.inputs < inputs:  # an episode that cannot even begin is told once
            before = tally.inputs
            with bounded(ENDS_WITHIN):
                self._episode(min(self._subject.episode, inputs - tally.inputs))
        tally.corpus, tally.seen = len(self._corpus), len(self._seen)
        return tally

    def _episode(self, count: int) -> None:
        subject, rng, tally, recent = self._subject, self._rng, self.tally, list[I]()
        try:
            subject.begin(rng)
            for _ in range(count):
                one = self._next()
                recent.append(one)
                tally.inputs += 1
                sight = subject.take(one)
                if sight not in self._seen:
                    self._seen.add(sight)
                    self._keep(one)
            subject.end()
        except Wrong as wrong:
            tally.found(wrong.kind, f"{wrong}\n{_shown(recent)}")
        except Endless as error:
            tally.found("endless", f"at {place(error)}\n{_shown(recent)}")
        except Exception as error:  # noqa: BLE001  (whatever it is, it is what is looked for)
            tally.found("crash", f"{type(error).__name__}: {error}, at {place(error)}\n{_shown(recent)}")

    def _next(self) -> I:
        rng, corpus = self._rng, self._corpus
        if not corpus or rng.random() < FRESH:
            return self._subject.make(rng)
        size = len(corpus)
        return self._subject.change(rng, corpus[int(rng.random() * size)], corpus[int(rng.random() * size)])

    def _keep(self, one: I) -> None:
        if len(self._corpus) < KEPT:
            self._corpus.append(one)
        else:
            self._corpus[int(self._rng.random() * KEPT)] = one


def place(error: BaseException) -> str:
    """Where an exception came from: file and line, innermost first."""
    frames = traceback.extract_tb(error.__traceback__)
    return " < ".join(f"{one.filename.rpartition('/')[2]}:{one.lineno}" for one in reversed(frames[-3:]))


@contextmanager
def bounded(seconds: float) -> Iterator[None]:
    """Endless, when the block takes more than s of processor time. On the main thread only."""

    def over(_: int, __: FrameType | None) -> None:
        raise Endless

    before = signal.signal(signal.SIGVTALRM, over)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
        signal.signal(signal.SIGVTALRM, before)


def _shown(recent: Sequence[object]) -> str:
    return "\n".join(f"    {one!r:.300}" for one in recent[-BEFORE:])
