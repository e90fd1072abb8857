"""The outside of an emulated SCPI instrument: text in, text out. Pure: no socket, no clock, no thread.

Theory (IEEE 488.2 chapters 6, 7 and 11; SCPI-99 volume 1 chapters 6 and 7, volume 2 chapter 21)
  A program message is a line of units separated by ';'. A unit is a header, a '?' when it asks, and parameters. A unit
  without a leading colon continues at the node of the unit before it; common commands (*XYZ) do not move that node.
  Units act in order; at the first one that is refused its error goes into the queue and the rest of the line is
  dropped. The replies of one line come back as one message, separated by ';', ended by the terminator.

  What a line means does not change while the instrument lives, so each line's parse is kept; only handlers run again.

Handlers are a plain dict: Command -> (setter, getter). A setter takes the decoded value and then the numeric suffixes
of the header; of a Nothing command it takes the suffixes only. A getter takes the suffixes, and then the argument (or
None) where the command has one. Either may raise ScpiError to refuse in the instrument's own words. A handler that is
missing is found when the face is built.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rig.scpi.codec import ErrorEntry, Integer, Nothing, Text
from rig.scpi.command import Command
from rig.scpi.errors import (
    ERROR_AVAILABLE,
    EVENT_SUMMARY,
    MASTER_SUMMARY,
    MESSAGE_AVAILABLE,
    NO_ERROR,
    OPERATION_COMPLETE,
    OVERFLOW,
    POWER_ON,
    Entry,
    ScpiError,
)

Setter = Callable[..., None]
Getter = Callable[..., Any]
Handlers = Mapping[Command[Any], tuple[Setter | None, Getter | None]]

STANDARD = "IEEE 488.2, chapter 10"
IDN = Command[str]("*IDN", Text(), STANDARD, "S", "query")
RST = Command[None]("*RST", Nothing(), STANDARD, "S", "set")
CLS = Command[None]("*CLS", Nothing(), STANDARD, "S", "set")
ESE = Command[int]("*ESE", Integer(0, 255), STANDARD, "S")
ESR = Command[int]("*ESR", Integer(), STANDARD, "S", "query")
SRE = Command[int]("*SRE", Integer(0, 255), STANDARD, "S")
STB = Command[int]("*STB", Integer(), STANDARD, "S", "query")
OPC = Command[None]("*OPC", Nothing(), STANDARD, "S", "set")
OPC_QUERY = Command[int]("*OPC", Integer(), STANDARD, "S", "query")
TST = Command[int]("*TST", Integer(), STANDARD, "S", "query")
WAI = Command[None]("*WAI", Nothing(), STANDARD, "S", "set")
SYSTEM_ERROR = Command[Entry]("SYSTem:ERRor[:NEXT]", ErrorEntry(), "SCPI-99, volume 2, 21.8", "S", "query")

_KEPT_LINES = 256
"""Lines kept understood: more than a model is asked over and over; a source that imitates a pack is told a new voltage
every second, and what is kept of those holds on to the memory around it (project choice)."""
_UNIT = re.compile(r"""((?:[^;"']|"[^"]*"|'[^']*')*)(?:;|\Z)""")
_FIELD = re.compile(r"""((?:[^,"']|"[^"]*"|'[^']*')*)(?:,|\Z)""")


@dataclass(frozen=True, slots=True)
class _Unit:
    """One unit of a line, understood. call: its handler, with nothing left to look up. error: refused instead."""

    command: Command[Any] | None
    asks: bool
    call: Callable[[], Any] | None
    error: ScpiError | None = None


class ScpiFace:
    """An instrument's text interface.

    identity: the whole answer to *IDN?. errors: how this model's queue is asked. reset: *RST. self_test: *TST?.
    latency: s that an exchange of a line takes (see exchange_time). gate: called with the command before each setter,
    raises ScpiError when commands are not obeyed now (remote not taken). prefix: what the model prints before a
    reply (the header, where it repeats it). translate: SCPI-99 error number -> what this model puts there instead.
    error_read: called when the error queue is asked (some models take that for an acknowledgement). most_units: units
    a line may hold. depth: entries its error queue holds.
    """

    def __init__(
        self,
        identity: str,
        handlers: Handlers,
        *,
        errors: Command[Entry] = SYSTEM_ERROR,
        reset: Callable[[], None] = lambda: None,
        self_test: Callable[[], int] = lambda: 0,
        latency: Callable[[str], float] = lambda _: 0.0,
        gate: Callable[[Command[Any]], None] | None = None,
        prefix: Callable[[Command[Any], tuple[int, ...]], str] | None = None,
        translate: Mapping[int, Entry] | None = None,
        error_read: Callable[[], None] = lambda: None,
        most_units: int = 1000,
        depth: int = 16,
        terminator: bytes = b"\n",
    ) -> None:
        self.latency = latency
        self._gate, self._prefix, self._depth, self._terminator = gate, prefix, depth, terminator
        self._translate, self._error_read, self._most_units = translate or {}, error_read, most_units
        self._queue: deque[Entry] = deque()
        self._esr, self._ese, self._sre = POWER_ON, 0, 0
        self._answering: list[bytes] = []
        self._handlers: Handlers = {
            **handlers,
            errors: (None, self._next_error),
            **self._common(identity, reset, self_test),
        }
        for command, (setter, getter) in self._handlers.items():
            if (setter is None) != (command.access == "query") or (getter is None) != (command.access == "set"):
                raise ValueError(f"{command.header}: its handlers do not fit its access {command.access!r}")
        self._parsed: dict[str, tuple[_Unit, ...]] = {}
        self._found: dict[tuple[str, bool], tuple[Command[Any], tuple[int, ...]]] = {}

    def process(self, line: str) -> bytes | None:
        """Take one program message (its terminator already gone); the response message with terminator, or None."""
        units = self._parsed.get(line)
        if units is None:
            units = self._parse(line)
        answers = self._answering = []
        for unit in units:
            try:
                if unit.error is not None:
                    raise unit.error
                if unit.call is not None:
                    if unit.asks:
                        answers.append(unit.call())
                    else:
                        unit.call()
            except ScpiError as error:
                self.fail(error.entry)
                break
        self._answering = []  # from here on the transport knows what is unread
        if not answers:
            return None
        return b";".join(answers) + self._terminator

    def fail(self, entry: Entry) -> None:
        """Put an error into the queue; also for what happens to the device between commands."""
        self._esr |= entry.event_bit  # by SCPI's own number: a model's number need not tell its class
        if len(self._queue) < self._depth:
            self._queue.append(self._translate.get(entry.code, entry))
        else:
            self._queue[-1] = self._translate.get(OVERFLOW.code, OVERFLOW)

    def query_error(self, code: int) -> None:
        """The transport saw a broken exchange: -410 a reply was not fetched, -420 a read without a question."""
        self.fail(ScpiError(code).entry)

    def status_byte(self, pending: bool = False) -> int:
        """The status byte. pending: whether a reply waits in the transport."""
        byte = 0
        if self._queue:
            byte |= ERROR_AVAILABLE
        if pending or self._answering:
            byte |= MESSAGE_AVAILABLE
        if self._esr & self._ese:
            byte |= EVENT_SUMMARY
        return byte | MASTER_SUMMARY if byte & self._sre else byte

    def clear(self) -> None:
        """Device clear: forget a half-read message. Settings, queue and status stay (IEEE 488.2, 5.8)."""
        self._answering = []

    def _common(self, identity: str, reset: Callable[[], None], self_test: Callable[[], int]) -> Handlers:
        return {
            IDN: (None, lambda: identity),
            RST: (reset, None),
            CLS: (self._clear_status, None),
            ESE: (self._set_ese, lambda: self._ese),
            ESR: (None, self._read_esr),
            SRE: (self._set_sre, lambda: self._sre),
            STB: (None, self._read_stb),
            OPC: (self._operation_complete, None),
            OPC_QUERY: (None, lambda: 1),
            TST: (None, self_test),
            WAI: (lambda: None, None),
        }

    def _next_error(self) -> Entry:
        self._error_read()
        return self._queue.popleft() if self._queue else NO_ERROR

    def _clear_status(self) -> None:
        self._queue.clear()
        self._esr = 0

    def _set_ese(self, mask: int) -> None:
        self._ese = mask

    def _set_sre(self, mask: int) -> None:
        self._sre = mask & ~MASTER_SUMMARY

    def _read_esr(self) -> int:
        value, self._esr = self._esr, 0
        return value

    def _read_stb(self) -> int:
        return self.status_byte()

    def _operation_complete(self) -> None:
        self._esr |= OPERATION_COMPLETE

    # -- the parser

    def _parse(self, line: str) -> tuple[_Unit, ...]:
        units: list[_Unit] = []
        node = ""
        for text in self._units_of(line):
            if isinstance(text, ScpiError):
                units.append(_Unit(None, False, None, text))
                break
            header, _, rest = text.strip().replace("\t", " ", 1).partition(" ")
            if not header:
                continue
            try:
                path = header if header[0] in ":*" else node + header
                units.append(self._understand(path.upper(), rest.strip()))
            except ScpiError as error:
                units.append(_Unit(None, False, None, error))
                break
            if header[0] != "*":
                node = path[: path.rfind(":") + 1]
        if len(self._parsed) >= _KEPT_LINES:
            self._parsed.clear()
        self._parsed[line] = parsed = tuple(units)
        return parsed

    def _units_of(self, line: str) -> list[str] | list[ScpiError]:
        if not line.isascii():
            return [ScpiError(-101)]  # str.upper() would make letters of the standard of others (sharp s: SS)
        try:
            texts = _split(_UNIT, line, ";")
        except ScpiError as error:
            return [error]
        return texts if len(texts) <= self._most_units else [ScpiError(-223)]

    def _understand(self, header: str, rest: str) -> _Unit:
        asks = header.endswith("?")
        command, suffixes = self._find(header.removesuffix("?"), asks)
        fields = tuple(f.strip() for f in _split(_FIELD, rest, ",")) if rest else ()
        setter, getter = self._handlers[command]
        if asks:
            assert getter is not None
            return _Unit(command, True, self._asking(command, getter, suffixes, fields))
        assert setter is not None
        return _Unit(command, False, self._setting(command, setter, suffixes, fields))

    def _find(self, header: str, asks: bool) -> tuple[Command[Any], tuple[int, ...]]:
        known = self._found.get((header, asks))
        if known is None:
            known = self._found[header, asks] = self._search(header, asks)
        return known

    def _search(self, header: str, asks: bool) -> tuple[Command[Any], tuple[int, ...]]:
        unfit = "set" if asks else "query"
        for command in self._handlers:
            if command.access != unfit and (match := command.pattern.match(header)):
                suffixes = tuple(int(number or 1) for number in match.groups())
                if any(number not in command.suffix for number in suffixes):
                    raise ScpiError(-114)
                return command, suffixes
        raise ScpiError(-113)

    def _asking(
        self, command: Command[Any], getter: Getter, suffixes: tuple[int, ...], fields: Sequence[str]
    ) -> Callable[[], bytes]:
        if command.argument is not None:
            arguments = (*suffixes, command.argument.decode(fields) if fields else None)
        elif fields:
            raise ScpiError(-108)
        else:
            arguments = suffixes
        reply, prefix = command.value.reply, self._prefix

        def ask() -> bytes:
            answer = reply(getter(*arguments))
            raw = answer.encode("latin-1") if isinstance(answer, str) else answer
            return raw if prefix is None else prefix(command, suffixes).encode() + raw

        return ask

    def _setting(
        self, command: Command[Any], setter: Setter, suffixes: tuple[int, ...], fields: Sequence[str]
    ) -> Callable[[], None]:
        value = command.value.decode(fields)
        arguments = suffixes if isinstance(command.value, Nothing) else (value, *suffixes)
        gate = self._gate

        def act() -> None:
            if gate is not None and not command.header.startswith("*"):
                gate(command)
            setter(*arguments)

        return act


def exchange_time(command: float, query: float) -> Callable[[str], float]:
    """Latency of a line: s for one that only tells, s for one that asks."""
    return lambda line: query if "?" in line else command


def _split(pattern: re.Pattern[str], text: str, mark: str) -> list[str]:
    """Split at a mark, but not inside quotes; a quote that is never closed is a syntax of its own (-151)."""
    if '"' not in text and "'" not in text:
        return text.split(mark)
    parts, at = [], 0
    while at <= len(text):
        match = pattern.match(text, at)
        if match is None:
            raise ScpiError(-151)
        parts.append(match[1])
        if match.end() == len(text) and not match[0].endswith(mark):
            break
        at = match.end()
    return parts
