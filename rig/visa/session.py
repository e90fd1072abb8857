"""A line to one instrument over pyvisa, with the rig's errors and one lock.

A reply counts only when it is whole: it ends with its terminator and is plain ASCII. After a time-out or a broken
reply the line is cleared (a socket: opened anew) before it is used again, so a late answer is never taken for the
answer to the next question.
Silence and a lost connection are LostInstrument, a reply that cannot be right is InstrumentError.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, cast

import pyvisa
from pyvisa.constants import Parity, StatusCode, StopBits
from pyvisa.resources import MessageBasedResource, SerialInstrument

from rig.errors import InstrumentError, LostInstrument
from rig.scpi.driver import Session as Session
from rig.visa.library import EmulatedVisaLibrary
from rig.visa.serial_line import SerialLine

TIMEOUT = 5.0
"""s an instrument may stay silent (project choice: well above the slowest reply of the listed instruments)."""
_PARITY = {"none": Parity.none, "odd": Parity.odd, "even": Parity.even}
_STOP = {1: StopBits.one, 2: StopBits.two}


class VisaSession:
    """A pyvisa resource behind the Session protocol. lock: re-entrant, held over every exchange. reopen: brings a line
    that fell out of step back into it, where there is no device clear."""

    def __init__(
        self,
        resource: MessageBasedResource,
        name: str,
        lock: AbstractContextManager[Any] | None = None,
        reopen: Callable[[], None] | None = None,
    ) -> None:
        self.resource = name
        self._reopen = reopen
        self.lock: AbstractContextManager[Any] = lock if lock is not None else threading.RLock()
        self._visa = resource
        self._visa.write_termination = "\n"
        self._out_of_step = False

    def write(self, line: str) -> None:
        """Send a line that asks for nothing."""
        with self.lock:
            try:
                self._into_step()
                self._visa.write(line)
            except (pyvisa.errors.Error, OSError) as error:
                raise self._lost(line, error) from None

    def query(self, line: str) -> str:
        """Send a line and bring its reply, terminator removed."""
        with self.lock:
            try:
                self._into_step()
                self._visa.write(line)
                raw = self._visa.read_raw()
            except (pyvisa.errors.Error, OSError) as error:
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
                return bytes(cast(bytes, self._visa.query_binary_values(line, datatype="s", container=bytes)))
            except (ValueError, pyvisa.errors.InvalidBinaryFormat) as error:
                raise self._broken(line, f"its reply is no data block ({error})") from None
            except (pyvisa.errors.Error, OSError) as error:
                raise self._lost(line, error) from None

    def close(self) -> None:
        """End the session. Idempotent."""
        self._reopen, self._out_of_step = None, False
        try:
            self._visa.close()
        except (pyvisa.errors.Error, OSError):
            return  # gone already; closing changes nothing on the instrument

    def _into_step(self) -> None:
        if self._out_of_step:
            if self._reopen is None:
                self._visa.clear()
            else:
                self._reopen()
            self._out_of_step = False

    def _broken(self, line: str, words: str) -> InstrumentError:
        self._out_of_step = True
        return InstrumentError(self.resource, line, words)

    def _lost(self, line: str, error: pyvisa.errors.Error | OSError) -> LostInstrument:
        """What pyvisa found, in the rig's words, or what the operating system did, which pyvisa-py hands on as it is.
        What is neither silence nor a lost line is raised as it is."""
        if isinstance(error, OSError):
            self._out_of_step = True
            return LostInstrument(self.resource, line, f"the line failed ({error}); check its cable and address")
        if isinstance(error, pyvisa.errors.InvalidSession):
            return LostInstrument(self.resource, line, "the session is closed; open the bench again")
        if not isinstance(error, pyvisa.errors.VisaIOError):
            raise error
        self._out_of_step = True
        if error.error_code == StatusCode.error_timeout:
            words = "no answer in time; check that it is on, and its cable and address"
        else:
            words = f"the line failed ({error.abbreviation}); check its cable and address"
        return LostInstrument(self.resource, line, words)


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
    except (ValueError, OSError, pyvisa.errors.Error) as error:
        raise LostInstrument(resource, "open", f"cannot be opened ({error}); check the resource name") from None
    if not isinstance(visa, MessageBasedResource):
        visa.close()
        raise InstrumentError(resource, "open", "this kind of resource takes no text messages; name an INSTR or SOCKET")
    _set_up(visa, resource, serial, timeout)
    library = manager.visalib
    if isinstance(library, EmulatedVisaLibrary):
        return VisaSession(visa, resource, library.world_lock)

    def reopen() -> None:
        """A socket knows no device clear: what is late on the old connection goes down with it."""
        visa.close()
        visa.open()
        _set_up(visa, resource, serial, timeout)

    return VisaSession(visa, resource, reopen=reopen if _is_socket(resource) else None)


def _is_socket(resource: str) -> bool:
    return resource.upper().endswith("::SOCKET")


def _set_up(visa: MessageBasedResource, resource: str, serial: SerialLine | None, timeout: float) -> None:
    visa.timeout = timeout * 1000.0
    if isinstance(visa, SerialInstrument):
        line = serial or SerialLine()
        visa.baud_rate, visa.parity, visa.stop_bits = line.baud, _PARITY[line.parity], _STOP[line.stop_bits]
    if isinstance(visa, SerialInstrument) or _is_socket(resource):
        visa.read_termination = "\n"  # a stream has no other end of a message
