"""A line to one instrument over pyvisa, with the rig's errors and one lock.

A reply counts only when it is whole: it ends with its terminator and is plain ASCII. After a time-out or a broken
reply the line is cleared before it is used again, so a late answer is never taken for the answer to the next question.
A line on the network is opened anew for that: a socket knows no device clear, pyvisa-py's HiSLIP cannot clear past a
late reply, and a connection that broke must be made again before an output can be switched off. A serial line has
neither: there the instrument is asked who it is, and what comes up to that answer and silence is thrown away.
Silence and a lost connection are LostInstrument, a reply that cannot be right is InstrumentError.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import Any

import pyvisa
from pyvisa.constants import Parity, StatusCode, StopBits
from pyvisa.resources import MessageBasedResource, SerialInstrument

from rig.errors import InstrumentError, LostInstrument
from rig.scpi.driver import Session as Session
from rig.visa.library import EmulatedVisaLibrary
from rig.visa.serial_line import SerialLine

TIMEOUT = 5.0
"""s an instrument may stay silent (project choice: well above the slowest reply of the listed instruments)."""
MOST_LATE = 64
"""Lines that may be late on a serial line (project choice)."""
OURS: tuple[type[Exception], ...] = (pyvisa.errors.Error, OSError)
"""What the library of emulated instruments raises where an instrument is at fault."""
_PARITY = {"none": Parity.none, "odd": Parity.odd, "even": Parity.even}
_STOP = {1: StopBits.one, 2: StopBits.two}


class VisaSession:
    """A pyvisa resource behind the Session protocol. lock: re-entrant, held over every exchange. reopen: makes the
    connection anew; None where that means nothing (USB, GPIB). cleared: a device clear does unless the line is gone.
    failures: what the library raises where the far end is at fault."""

    def __init__(
        self,
        resource: MessageBasedResource,
        name: str,
        lock: AbstractContextManager[Any] | None = None,
        reopen: Callable[[], None] | None = None,
        cleared: bool = True,
        failures: tuple[type[Exception], ...] = OURS,
    ) -> None:
        self.resource = name
        self._reopen, self._cleared, self._failures = reopen, cleared, failures
        self.lock: AbstractContextManager[Any] = lock if lock is not None else threading.RLock()
        self._visa = resource
        self._visa.write_termination = "\n"
        self._out_of_step = self._gone = False

    def write(self, line: str) -> None:
        """Send a line that asks for nothing."""
        with self.lock:
            try:
                self._into_step()
                self._visa.write(line)
            except self._failures as error:
                raise self._lost(line, error) from None

    def query(self, line: str) -> str:
        """Send a line and bring its reply, terminator removed."""
        with self.lock:
            try:
                self._into_step()
                self._visa.write(line)
                raw = self._visa.read_raw()
            except self._failures as error:
                raise self._lost(line, error) from None
            if not raw.endswith(b"\n"):
                raise self._broken(line, f"its reply {raw[:80]!r} stops before its end")
            if not raw.isascii():
                raise self._broken(line, f"its reply {raw[:80]!r} is no text")
            return raw.decode("ascii").rstrip("\r\n")

    def query_block(self, line: str) -> bytes:
        """Send a line and bring its definite length block, header removed."""
        with self.lock:
            try:
                self._into_step()
                self._visa.write(line)
                return self._block()
            except ValueError as error:
                raise self._broken(line, f"its reply is no data block ({error})") from None
            except self._failures as error:
                raise self._lost(line, error) from None

    def close(self) -> None:
        """End the session. Idempotent."""
        self._reopen, self._out_of_step = None, False
        try:
            self._visa.close()
        except self._failures:
            return  # gone already; closing changes nothing on the instrument

    def _block(self) -> bytes:
        """A definite length block, `#<digits><count><bytes>`, whole (ValueError). Not by pyvisa, which waits for ever
        for the rest of a HiSLIP message that is too short."""
        raw = bytearray(self._visa.read_raw())
        start = 2 + int(chr(raw[1])) if len(raw) > 1 and raw[:1] == b"#" and raw[1:2].isdigit() else 0
        while len(raw) < start:
            raw += self._more(len(raw), start)
        if start < 3 or not raw[2:start].isdigit():
            raise ValueError(f"it begins with {bytes(raw[:20])!r}")
        end = start + int(raw[2:start])
        whole = end + (self._visa.read_termination is not None)  # a stream's terminator is not the next reply's
        while len(raw) < whole:
            raw += self._more(len(raw), whole)
        return bytes(raw[start:end])

    def _more(self, got: int, wanted: int) -> bytes:
        more = bytes(self._visa.read_raw())
        if not more:
            raise ValueError(f"it stops after {got} of {wanted} bytes")
        return more

    def _into_step(self) -> None:
        if self._out_of_step:
            if self._reopen is not None and (self._gone or not self._cleared):
                self._reopen()
            else:
                self._visa.clear()
            self._out_of_step = self._gone = False

    def _broken(self, line: str, words: str) -> InstrumentError:
        self._out_of_step = True
        return InstrumentError(self.resource, line, words)

    def _lost(self, line: str, error: Exception) -> LostInstrument:
        """What the library found, in the rig's words. pyvisa-py hands on what the operating system said, and what its
        protocols stumbled over."""
        if isinstance(error, pyvisa.errors.InvalidSession) and self._reopen is None:
            return LostInstrument(self.resource, line, "the session is closed; open the bench again")
        self._out_of_step = True
        if isinstance(error, pyvisa.errors.VisaIOError):
            if error.error_code == StatusCode.error_timeout:
                return LostInstrument(
                    self.resource, line, "no answer in time; check that it is on, and its cable and address"
                )
            self._gone = True
            found = error.abbreviation
        else:
            self._gone = True
            found = str(error) or type(error).__name__
        return LostInstrument(self.resource, line, f"the line failed ({found}); check its cable and address")


def open_session(
    resource: str, manager: pyvisa.ResourceManager, serial: SerialLine | None = None, timeout: float = TIMEOUT
) -> VisaSession:
    """Open a resource. serial: used where the resource is a serial port. timeout: s."""
    try:
        visa = manager.open_resource(resource)
    except pyvisa.errors.VisaIOError as error:
        raise LostInstrument(
            resource, "open", f"cannot be opened ({error.abbreviation}); check that it is on, and its address"
        ) from None
    except Exception as error:  # noqa: BLE001  (a backend raises bare ones; whatever it is, this instrument is not open)
        raise LostInstrument(
            resource, "open", f"cannot be opened ({error}); check that it is on, and the resource name"
        ) from None
    if not isinstance(visa, MessageBasedResource):
        visa.close()
        raise InstrumentError(resource, "open", "this kind of resource takes no text messages; name an INSTR or SOCKET")
    _set_up(visa, resource, serial, timeout)
    library = manager.visalib
    ours = isinstance(library, EmulatedVisaLibrary)

    def reopen() -> None:
        """What is late on the old connection goes down with it."""
        try:
            if not ours:
                _hang_up(visa)
            with suppress(*failures):
                visa.close()
            visa.open()
            _set_up(visa, resource, serial, timeout)
            if isinstance(visa, SerialInstrument) and not ours:
                _catch_up(visa)
            elif not _is_socket(resource):
                visa.clear()
        except Exception as error:  # noqa: BLE001  (as above)
            raise ConnectionError(f"cannot be opened again: {error}") from None

    failures = OURS if isinstance(library, EmulatedVisaLibrary) else _failures()
    stream = _is_socket(resource) or isinstance(visa, SerialInstrument)
    again = reopen if ours or stream or resource.upper().startswith("TCPIP") else None
    cleared = ours or not (stream or "::HISLIP" in resource.upper())
    lock = library.world_lock if isinstance(library, EmulatedVisaLibrary) else None
    return VisaSession(visa, resource, lock, again, cleared, failures)


def _catch_up(visa: SerialInstrument) -> None:
    """A serial line keeps what is late: ask who is there, and wait until after that answer nothing more comes."""
    visa.write("*IDN?")
    known = False
    for _ in range(MOST_LATE):
        try:
            known = visa.read_raw().count(b",") >= 3 or known
        except pyvisa.VisaIOError as error:
            if error.error_code != StatusCode.error_timeout or not known:
                raise
            return
    raise ConnectionError(f"more than {MOST_LATE} lines came unasked")


def _hang_up(visa: MessageBasedResource) -> None:
    from rig.visa.backend import hang_up  # a bench of emulators does without its import

    hang_up(visa)


def _failures() -> tuple[type[Exception], ...]:
    from rig.visa.backend import FAILURES  # a bench of emulators does without its import

    return FAILURES


def _is_socket(resource: str) -> bool:
    return resource.upper().endswith("::SOCKET")


def _set_up(visa: MessageBasedResource, resource: str, serial: SerialLine | None, timeout: float) -> None:
    visa.timeout = timeout * 1000.0
    if isinstance(visa, SerialInstrument):
        line = serial or SerialLine()
        visa.baud_rate, visa.parity, visa.stop_bits = line.baud, _PARITY[line.parity], _STOP[line.stop_bits]
    if isinstance(visa, SerialInstrument) or _is_socket(resource):
        visa.read_termination = "\n"  # a stream has no other end of a message
