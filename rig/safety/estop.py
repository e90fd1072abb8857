"""An input that follows the emergency stop's chain. The chain itself is hardware and needs nobody to look at it.

estop of [safety]
  file:/sys/class/gpio/gpio17/value   a file: "1" while the chain is closed
  cts:/dev/ttyS0                      a modem line (cts, dsr, cd, ri) of a serial port: on while the chain is closed
A board with digital inputs can follow it too (role DigitalIo, input "estop"): that one is the rig's own to look at.
Anything else, an unreadable input included, counts as pressed: a broken wire must stop the bench.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import serial

from rig.clock import Cancel, Clock
from rig.errors import BenchFault, LostInstrument
from rig.roles import DigitalIo

LINES = ("cts", "dsr", "cd", "ri")


def open_estop(where: str) -> Callable[[], str]:
    """A look at the input: why it counts as pressed, empty while the chain is closed. LostInstrument when a port cannot
    be opened. where: as in the bench file; empty: never pressed."""
    kind, _, place = where.partition(":")
    if not where:
        return lambda: ""
    if kind == "file":
        return lambda: _file(Path(place))
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
