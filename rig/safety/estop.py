"""An input that follows the emergency stop's chain. The chain itself is hardware and needs nobody to look at it.

estop of [safety]
  file:/sys/class/gpio/gpio17/value   a file: "1" while the chain is closed
  cts:/dev/ttyS0                      a modem line (cts, dsr, cd, ri) of a serial port: on while the chain is closed
  modbus:/dev/ttyUSB2?input=1         a discrete input, from 1, of a Modbus RTU board: on while the chain is closed;
                                      with &unit=1 and &baud=9600, if others
A serial line has one owner, so that board is the supervisor's own, on a line no part of the bench is on. The bench's
own board of digital inputs can follow the chain too (role DigitalIo, input "estop"): that is the rig's to look at.
Anything else, an unreadable input included, counts as pressed: a broken wire must stop the bench.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs

import serial

from rig.clock import Cancel, Clock, RealClock
from rig.errors import BenchFault, InstrumentError, LostInstrument
from rig.modbus.session import BAUD, SerialModbus
from rig.roles import DigitalIo

LINES = ("cts", "dsr", "cd", "ri")
READ_INPUTS = 0x02
"""Function code; one discrete input, addressed from 0: Modbus application protocol V1.1b3, 6.2."""
LOOK = 0.1
"""s between two questions to a board (project choice: one cycle of the bus)."""
UNREAD_FOR = 2.0
"""s without an answer after which nobody is looking at the chain (project choice: two boards that are lost)."""


@dataclass(frozen=True, slots=True)
class EstopBoard:
    """Where the chain's input is. resource: of the line. input: from 1. baud: bit/s."""

    resource: str
    input: int
    unit: int = 1
    baud: int = BAUD


def estop_board(where: str) -> EstopBoard | None:
    """The board that an `estop` of the bench file names; None for one that names none. ValueError for a wrong one."""
    if not where.startswith("modbus:"):
        return None
    resource, _, query = where.removeprefix("modbus:").partition("?")
    keys = {key: values[-1] for key, values in parse_qs(query, keep_blank_values=True).items()}
    bounds = {"input": (1, 65_536), "unit": (1, 247), "baud": (300, 1_000_000)}
    for key, value in keys.items():
        low, high = bounds.get(key, (1, 0))
        if not (value.isascii() and value.isdecimal() and low <= int(value) <= high):
            known = "input from 1, unit 1..247, baud"
            raise ValueError(f"{key}={value} is no key or no value of a board; there are {known}")
    if not resource or "input" not in keys:
        raise ValueError("names no line and input; write modbus:/dev/ttyUSB2?input=1")
    return EstopBoard(resource, **{key: int(value) for key, value in keys.items()})


def open_estop(where: str, clock: RealClock) -> Callable[[], str]:
    """A look at the input: why it counts as pressed, empty while the chain is closed. LostInstrument when a port cannot
    be opened, InstrumentError when what answers has no such input. where: as in the bench file; empty: never pressed.
    """
    kind, _, place = where.partition(":")
    if not where:
        return lambda: ""
    if kind == "file":
        return lambda: _file(Path(place))
    if (board := estop_board(where)) is not None:
        return _BoardLook(board, clock)
    try:
        port = serial.serial_for_url(place, timeout=0)
    except (serial.SerialException, ValueError, OSError) as error:
        raise LostInstrument(where, "open", f"cannot be opened ({error}); check [safety] estop") from None
    return lambda: _line(port, kind, where)


CHAIN = "estop"
"""The input's name."""
LOOKED_AT_EVERY = 0.5
"""s (project choice: the chain itself has acted by then; this only ends the test)."""


def refuse_open_chain(board: DigitalIo) -> None:
    """BenchFault while the chain is open; nothing where no input follows it."""
    if not board.inputs().get(CHAIN, True):
        raise BenchFault(f"{board.resource}: the emergency stop's chain is open; close it and acknowledge it")


def watch_chain(clock: Clock, board: DigitalIo) -> Cancel:
    """Look at it from now on: BenchFault in the foreground when it opens, and when the board cannot be read, once."""
    if CHAIN not in board.inputs():
        return lambda: None

    def read() -> BenchFault | None:
        try:
            refuse_open_chain(board)
        except BenchFault as fault:
            return fault
        return None

    def judge(fault: BenchFault | None) -> None:
        if fault is not None:
            cancel()
            raise fault

    def look() -> None:
        clock.aside("digital I/O", read, judge)

    cancel = clock.every(LOOKED_AT_EVERY, look)
    return cancel


def _file(path: Path) -> str:
    try:
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        return f"E-stop input {path} cannot be read ({error})"
    return "" if text == "1" else f"E-stop input {path} shows {text[:20]!r}"


def _line(port: serial.SerialBase, line: str, where: str) -> str:
    try:
        on = {"cts": lambda: port.cts, "dsr": lambda: port.dsr, "cd": lambda: port.cd, "ri": lambda: port.ri}[line]()
    except (serial.SerialException, OSError) as error:
        return f"E-stop input {where} cannot be read ({error})"
    return "" if on else f"E-stop input {where} is off"


class _BoardLook:
    """A board's input, asked for over and over on a lane of the clock: a board that is slow or lost holds nobody up."""

    def __init__(self, board: EstopBoard, clock: RealClock) -> None:
        self._board, self._clock = board, clock
        self._session = SerialModbus(board.resource, clock, board.baud)
        try:
            self._why = self._read()
        except BaseException:
            self._session.close()
            raise
        self._seen = clock.now()
        clock.every(LOOK, self._look)

    def __call__(self) -> str:
        unread = self._clock.now() - self._seen
        if unread > UNREAD_FOR:
            return f"E-stop input of {self._board.resource} has not been read for {unread:.1f} s"
        return self._why

    def _look(self) -> None:
        self._clock.aside("E-stop", self._try_to_read, self._heard)

    def _try_to_read(self) -> str:
        try:
            return self._read()
        except BenchFault as fault:
            return f"E-stop input cannot be read ({fault})"

    def _heard(self, why: str) -> None:
        self._why, self._seen = why, self._clock.now()

    def _read(self) -> str:
        board = self._board
        pdu = bytes((READ_INPUTS,)) + (board.input - 1).to_bytes(2, "big") + (1).to_bytes(2, "big")
        answer = self._session.request(bytes((board.unit,)) + pdu)
        if len(answer) != 3 or answer[:2] != bytes((READ_INPUTS, 1)):
            words = f"answers {answer.hex(' ')}, which is no input; check [safety] estop"
            raise InstrumentError(board.resource, f"input {board.input} of unit {board.unit}", words)
        return "" if answer[2] & 1 else f"E-stop input {board.input} of {board.resource} is off"
