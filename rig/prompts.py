"""A person as an instrument: a prompt on a terminal or a page, an answer within a time.

TerminalPrompter asks on a terminal of its own (pytest keeps standard input to itself, so /dev/tty by default). What was
typed before a prompt was shown is no answer to it. DeskPrompter asks whoever watches the run (v2hrig console).
EmulatedPrompter asks an emulated person, who takes bench time.
"""

from __future__ import annotations

import os
import select
import termios
from dataclasses import dataclass
from typing import Protocol

from rig.clock import Clock, VirtualClock
from rig.errors import InstrumentError, LostInstrument, UseError

TERMINAL = "terminal"
"""The resource that means the terminal the command was started on."""
CONSOLE = "console"
"""The resource that means the page of those who watch the run."""
POLL = 0.2
"""s between two looks at the time while nothing is typed (project choice)."""
LONGEST = 4096
"""Bytes of an answer; more is no answer of a person."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """verb, value: what is asked for, in the role's words. words: the same for a person."""

    verb: str
    value: str
    words: str


class Prompter(Protocol):
    """Where prompts go."""

    resource: str

    def ask(self, prompt: Prompt, within: float) -> str:
        """Show a prompt; the line that is answered, stripped, never empty. within: s. InstrumentError when nobody
        answers, LostInstrument when there is nobody to ask."""
        ...

    def close(self) -> None:
        """No more prompts. Idempotent."""
        ...


class EmulatedPerson(Protocol):
    """Who answers on an emulated bench."""

    seconds: float
    """s from a prompt to its answer."""

    def answer(self, prompt: Prompt) -> str:
        """Do it, and say what a person would."""
        ...


class EmulatedPrompter:
    """An emulated person, in bench time."""

    def __init__(self, person: EmulatedPerson, resource: str, clock: Clock) -> None:
        self.resource = resource
        self._person, self._clock, self._open = person, clock, True

    def ask(self, prompt: Prompt, within: float) -> str:
        if not self._open:
            raise LostInstrument(self.resource, prompt.verb, "nobody is asked any more; open the bench again")
        self._clock.spend(min(self._person.seconds, within))
        if self._person.seconds > within:
            raise _unanswered(self.resource, prompt, within)
        return self._person.answer(prompt)

    def close(self) -> None:
        self._open = False


class TerminalPrompter:
    """A person at a terminal, in real time. path: of the terminal's device."""

    def __init__(self, resource: str, clock: Clock) -> None:
        if isinstance(clock, VirtualClock):
            raise UseError(f'{resource}: virtual time cannot wait for a person; write clock = "real" in the bench')
        self.resource = resource
        self._clock = clock
        path = "/dev/tty" if resource == TERMINAL else resource
        try:
            self._file: int | None = os.open(path, os.O_RDWR | os.O_NOCTTY)
        except OSError as error:
            words = f"{path} cannot be opened ({error.strerror}); start the run from a terminal, or name one"
            raise LostInstrument(resource, "open", words) from None

    def ask(self, prompt: Prompt, within: float) -> str:
        if self._file is None:
            raise LostInstrument(self.resource, prompt.verb, "the terminal is closed; open the bench again")
        try:
            if os.isatty(self._file):
                termios.tcflush(self._file, termios.TCIFLUSH)
            os.write(self._file, f"\n>>> {prompt.words}\n    (within {within:g} s) ".encode())
            return self._answered(self._file, prompt, within)
        except OSError as error:
            raise LostInstrument(self.resource, prompt.verb, f"the terminal failed ({error.strerror})") from None

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _answered(self, file: int, prompt: Prompt, within: float) -> str:
        until, came = self._clock.now() + within, b""
        while (left := until - self._clock.now()) > 0.0:
            if not select.select([file], [], [], min(left, POLL))[0]:
                continue
            data = os.read(file, LONGEST)
            if not data:
                raise LostInstrument(self.resource, prompt.verb, "the terminal was closed while an answer was awaited")
            came += data
            if len(came) > LONGEST:
                raise InstrumentError(self.resource, prompt.verb, "the answer is longer than any person's")
            *lines, came = came.split(b"\n")
            for line in lines:
                if text := line.decode(errors="replace").strip():
                    return text
        raise _unanswered(self.resource, prompt, within)


class Desk(Protocol):
    """Who watches a run and can be asked. From any thread."""

    def ask(self, prompt: Prompt, within: float) -> int:
        """Show a question; its number. within: s it will be waited for."""
        ...

    def answer_to(self, number: int) -> str | None:
        """What was answered; None while nothing was."""
        ...

    def settle(self, number: int) -> None:
        """It is open no longer."""
        ...


class DeskPrompter:
    """A person at the page of a watched run, in real time."""

    def __init__(self, desk: Desk | None, resource: str, clock: Clock) -> None:
        if isinstance(clock, VirtualClock):
            raise UseError(f'{resource}: virtual time cannot wait for a person; write clock = "real" in the bench')
        if desk is None:
            words = "this run cannot be watched; start it from v2hrig console, or with --live"
            raise LostInstrument(resource, "open", words)
        self.resource = resource
        self._desk: Desk | None = desk
        self._clock = clock

    def ask(self, prompt: Prompt, within: float) -> str:
        if self._desk is None:
            raise LostInstrument(self.resource, prompt.verb, "nobody is asked any more; open the bench again")
        number, until = self._desk.ask(prompt, within), self._clock.now() + within
        try:
            while self._clock.now() < until:
                if text := (self._desk.answer_to(number) or "").strip()[:LONGEST]:
                    return text
                self._clock.sleep(POLL / 2)
        finally:
            self._desk.settle(number)
        raise _unanswered(self.resource, prompt, within)

    def close(self) -> None:
        self._desk = None


def _unanswered(resource: str, prompt: Prompt, within: float) -> InstrumentError:
    return InstrumentError(resource, prompt.verb, f"no answer within {within:g} s; somebody must be there")
