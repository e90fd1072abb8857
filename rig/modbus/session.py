"""The master's end of a Modbus RTU line. A driver sees ModbusSession and cannot tell what is behind it.

A request is repeated when its answer is lost, spoilt or of another unit; a board's refusal (an exception) is an answer,
and the driver's to understand. Requests must therefore be such as can be repeated without harm.
"""

from __future__ import annotations

import termios
import threading
from contextlib import AbstractContextManager
from typing import Any, Protocol

import serial

from rig.clock import Clock, RealClock, VirtualClock
from rig.errors import LostInstrument, UseError
from rig.modbus.frame import Reader, whole

BAUD = 9600
"""bit/s, 8-N-1, as such boards are delivered."""
BITS = 10
SILENCE = 3.5
"""Characters of silence around a frame: Modbus over serial line specification, V1.02, 2.5.1.1."""
REPLY_WITHIN = 0.3
"""s for an answer (project choice; the slowest line takes 0.1 s for the longest used frame)."""
ATTEMPTS = 3
"""Times a request is sent before the board counts as lost (project choice)."""


class ModbusSession(Protocol):
    """A line to one board. lock: held over exchanges that belong together; re-entrant."""

    resource: str
    lock: AbstractContextManager[Any]

    def request(self, frame: bytes) -> bytes:
        """Send unit and PDU; the PDU of the answer, exceptions included. LostInstrument when none comes."""
        ...

    def close(self) -> None:
        """End the session. Idempotent; outputs stay as they are."""
        ...


class ModbusDevice(Protocol):
    """What a transport may ask of an emulated board."""

    def latency(self, raw: bytes) -> float:
        """s it thinks about a frame."""
        ...

    def process(self, raw: bytes) -> bytes | None:
        """Take unit and PDU of a request; the bytes it answers with, CRC included, or None."""
        ...


class EmulatedModbus:
    """A line to an emulated board in this process, in bench time."""

    def __init__(self, device: ModbusDevice, resource: str, clock: Clock, baud: int = BAUD) -> None:
        self.resource = resource
        self.lock: AbstractContextManager[Any] = clock.lock if isinstance(clock, RealClock) else threading.RLock()
        self._device, self._clock, self._byte = device, clock, BITS / baud
        self._open = True

    def request(self, frame: bytes) -> bytes:
        with self.lock:
            if not self._open:
                raise _closed(self.resource, frame)
            heard = _Heard(frame)
            for _ in range(ATTEMPTS):
                self._clock.spend((len(frame) + 2 + SILENCE) * self._byte + self._device.latency(frame))
                reply = self._device.process(frame)
                if reply:
                    self._clock.spend((len(reply) + SILENCE) * self._byte)
                    if (answer := heard.feed(reply)) is not None:
                        return answer
                self._clock.spend(REPLY_WITHIN)
                heard.silence()
            raise heard.lost(self.resource)

    def close(self) -> None:
        self._open = False


class SerialModbus:
    """A line on a serial port, in real time."""

    def __init__(self, resource: str, clock: Clock, baud: int = BAUD) -> None:
        if isinstance(clock, VirtualClock):
            raise UseError(f'{resource}: virtual time cannot wait for a real port; write clock = "real" in the bench')
        self.resource = resource
        self.lock: AbstractContextManager[Any] = threading.RLock()
        self._clock = clock
        try:
            self._port = serial.serial_for_url(resource, baudrate=baud, timeout=0.01, write_timeout=1.0)
        except (serial.SerialException, ValueError, OSError) as error:
            raise LostInstrument(resource, "open", f"cannot be opened ({error}); check the port's name") from None
        self._open = True

    def request(self, frame: bytes) -> bytes:
        with self.lock:
            if not self._open:
                raise _closed(self.resource, frame)
            heard = _Heard(frame)
            try:
                for _ in range(ATTEMPTS):
                    self._port.reset_input_buffer()
                    self._port.write(whole(frame))
                    until = self._clock.now() + REPLY_WITHIN
                    while self._clock.now() < until:
                        answer = heard.feed(self._port.read(max(1, self._port.in_waiting)))
                        if answer is not None:
                            return answer
                    heard.silence()
            except (serial.SerialException, OSError, termios.error) as error:  # the last one: an adapter that is gone
                words = f"the port failed ({error}); check its cable"
                raise LostInstrument(self.resource, frame.hex(" "), words) from None
            raise heard.lost(self.resource)

    def close(self) -> None:
        if self._open:
            self._open = False
            self._port.close()


class _Heard:
    """What comes back after a request, in one attempt after another."""

    def __init__(self, frame: bytes) -> None:
        self._frame, self._reader, self._strangers = frame, Reader(server=False), 0

    def feed(self, data: bytes) -> bytes | None:
        """The PDU of the answer, once it is whole."""
        for found in self._reader.feed(data):
            if found[0] == self._frame[0]:
                return found[1:]
            self._strangers += 1
        return None

    def silence(self) -> None:
        """What is not whole by now never will be."""
        self._reader.spoilt += self._reader.half
        self._reader.clear()

    def lost(self, resource: str) -> LostInstrument:
        """Nothing that can be taken for an answer came, and what came instead."""
        spoilt, strangers = self._reader.spoilt, self._strangers
        seen = f"; {spoilt} spoilt or cut short: look at the wiring and its termination" if spoilt else ""
        seen += f"; {strangers} of another unit: look at the addresses on the line" if strangers else ""
        unit = self._frame[0]
        words = f"no answer to {ATTEMPTS} requests to unit {unit}; check power, port, baud rate and unit{seen}"
        return LostInstrument(resource, self._frame.hex(" "), words)


def _closed(resource: str, frame: bytes) -> LostInstrument:
    return LostInstrument(resource, frame.hex(" "), "the session is closed; open the bench again")
