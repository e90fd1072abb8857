"""What every SCPI driver is made of: set, get, do, and the instrument's own words when it refuses.

After each action the error queue is read to its end, under the session's lock, so an error is told of the command that
caused it. A number the instrument did not clearly say is never handed on: empty, cut, garbage, NaN and over-range
replies raise InstrumentError; silence raises LostInstrument (from the session).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeVar

from rig.clock import Clock
from rig.errors import EnvelopeError, InstrumentError, LostInstrument, UnsafeState
from rig.roles import Identity
from rig.scpi.codec import Real
from rig.scpi.command import Command
from rig.scpi.errors import Entry
from rig.scpi.face import IDN, SYSTEM_ERROR, TST

T = TypeVar("T")


class Session(Protocol):
    """A line to one instrument. lock: held over exchanges that belong together; re-entrant."""

    resource: str
    lock: AbstractContextManager[Any]

    def write(self, line: str) -> None:
        """Send a line that asks for nothing."""
        ...

    def query(self, line: str) -> str:
        """Send a line and bring its reply, terminator removed."""
        ...

    def query_block(self, line: str) -> bytes:
        """Send a line and bring its definite length block, header removed."""
        ...

    def close(self) -> None:
        """End the session. Idempotent."""
        ...


@dataclass(frozen=True)
class ErrorQueue:
    """How a model is asked for its errors. depth: give up after so many (a queue that never empties is a fault)."""

    query: Command[Entry] = SYSTEM_ERROR
    depth: int = 64


class ScpiDriver:
    """A SCPI instrument behind a session. A model's driver adds the verbs of its role and nothing else.

    met_hardware: whether this driver has ever spoken to the real instrument; shown wherever the bench is described.
    """

    met_hardware: ClassVar[bool] = False
    self_tests: ClassVar[bool] = True
    """Whether *TST? ends within an exchange."""

    def __init__(self, session: Session, clock: Clock, errors: ErrorQueue | None = None) -> None:
        self.resource = session.resource
        self._session, self._clock, self._errors = session, clock, errors or ErrorQueue()
        self._stale = False  # an exchange broke: whatever the queue holds belongs to it

    def identity(self) -> Identity:
        """The four fields of *IDN?."""
        words = self._get(IDN)
        fields = [field.strip() for field in words.split(",")]
        if len(fields) < 4:
            raise InstrumentError(self.resource, "*IDN?", f"{words!r} is no identity of four fields")
        return Identity(fields[0], fields[1], fields[2], ",".join(fields[3:]))

    def self_test(self) -> int | None:
        """Have it test itself: 0 passed, else its own number; None where it has no test that answers. Outputs must be
        off: what a model does to them meanwhile is its own affair. InstrumentError for an answer that is none."""
        if not self.self_tests:
            return None
        try:
            return self._get(TST)
        except LostInstrument:
            return None  # it has said who it is: it does not know the question, or its test takes longer than a reply

    def close(self) -> None:
        """End the session. Outputs stay as they are."""
        self._session.close()

    def _set(self, command: Command[T], value: T, *suffixes: int, check: bool = False) -> None:
        """Send a set-point. check: read it back and insist. EnvelopeError before sending when out of range."""
        try:
            text = command.value.encode(value)
        except ValueError as error:
            raise EnvelopeError(f"{self.resource}: {command.header}: {error}; not sent") from None
        with self._session.lock:
            self._act(f"{command.spelt(*suffixes)} {text}".rstrip())
            if check:
                self._insist(command, value, suffixes)

    def _do(self, command: Command[None], *suffixes: int) -> None:
        """Send a command that takes no value."""
        self._set(command, None, *suffixes)

    def _get(self, command: Command[T], *suffixes: int, argument: object = None) -> T:
        """Ask. argument: what the query form takes, where it takes something."""
        line = self._question(command, suffixes, argument)
        return self._understood(command, line, self._ask(line))

    def _get_block(self, command: Command[bytes], *suffixes: int, argument: object = None) -> bytes:
        """Ask for a block of bytes."""
        try:
            return self._session.query_block(self._question(command, suffixes, argument))
        except InstrumentError:
            self._stale = True
            raise

    def _drain_errors(self) -> list[Entry]:
        """Everything in the error queue, oldest first."""
        line = self._errors.query.spelt() + "?"
        found: list[Entry] = []
        for _ in range(self._errors.depth):
            entry = self._understood(self._errors.query, line, self._ask(line))
            if entry.code == 0:
                return found
            found.append(entry)
        raise InstrumentError(self.resource, line, f"the error queue does not empty; last entry {found[-1]}")

    def _act(self, line: str) -> None:
        with self._session.lock:
            if self._stale:
                self._drain_errors()
                self._stale = False
            try:
                self._session.write(line)
            except InstrumentError:
                self._stale = True
                raise
            errors = self._drain_errors()
        if errors:
            raise InstrumentError(self.resource, line, "; ".join(map(str, errors)))

    def _ask(self, line: str) -> str:
        try:
            return self._session.query(line)
        except InstrumentError:
            self._stale = True
            raise

    def _bring_down(self, actions: Sequence[Callable[[], object]]) -> list[str]:
        """Take each step towards no energy whatever became of the one before. What was refused, in the instrument's
        words; a step that got no answer is tried once more, then UnsafeState."""
        refused: list[str] = []
        for action in (self._drain_errors, *actions):
            for attempt in (1, 2):
                try:
                    action()
                except LostInstrument as error:
                    if attempt == 2:
                        raise UnsafeState(f"{error}; its output is unknown: open the emergency stop") from None
                    continue
                except InstrumentError as error:
                    refused.append(f"refused {error.command}: {error.words}")
                break
        return refused

    def _insist(self, command: Command[T], asked: T, suffixes: tuple[int, ...]) -> None:
        read = self._get(command, *suffixes)
        if isinstance(read, float) and isinstance(asked, float | int) and isinstance(command.value, Real):
            agrees = abs(read - asked) <= command.value.step * 0.5001 + 1e-6 * abs(asked)
        else:
            agrees = read == asked
        if not agrees:
            raise InstrumentError(self.resource, command.spelt(*suffixes), f"asked for {asked!r}, reads back {read!r}")

    def _question(self, command: Command[Any], suffixes: tuple[int, ...], argument: object) -> str:
        line = command.spelt(*suffixes) + "?"
        if argument is None:
            return line
        if command.argument is None:
            raise ValueError(f"{command.header}? takes no argument")
        return f"{line} {command.argument.encode(argument)}"

    def _understood(self, command: Command[T], line: str, reply: str) -> T:
        try:
            return command.value.parse(reply)
        except ValueError as error:
            raise InstrumentError(self.resource, line, f"its reply {reply[:80]!r} {error}") from None
