"""What goes wrong on a line, on purpose: wrap a device and order its next faults, for tests and drills."""

from __future__ import annotations

from collections import deque
from enum import Enum

from rig.visa.device import Device, Disconnected


class Fault(Enum):
    """One spoiled exchange."""

    SILENCE = "silence"
    """The command is lost: the instrument does nothing and answers nothing."""
    MUTE = "mute"
    """The instrument acts, but its answer is lost."""
    LATE = "late"
    """The answer comes after the time-out, when the next question is already asked."""
    GARBAGE = "garbage"
    """Bytes that are no text, well terminated."""
    NONSENSE = "nonsense"
    """Text that is no answer to the question, well terminated."""
    EMPTY = "empty"
    """Only the terminator."""
    HALF = "half"
    """The answer stops in the middle, without its terminator."""
    NAN = "nan"
    """The instrument's mark for no value."""
    UNPLUGGED = "unplugged"
    """The connection is gone, now and for good."""


class FaultyDevice:
    """A device that spoils the exchanges it was told to. Everything else passes through untouched."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self._orders: deque[tuple[Fault, str]] = deque()
        self._late: bytes | None = None
        self.lines: list[str] = []
        """Every line that reached the instrument's door, oldest first."""

    def order(self, fault: Fault, times: int = 1, when: str = "") -> None:
        """Spoil the next `times` exchanges whose line holds `when` (any line when empty)."""
        self._orders.extend([(fault, when.upper())] * times)

    def process(self, line: str) -> bytes | None:
        self.lines.append(line)
        if not (self._orders and self._orders[0][1] in line.upper()):
            reply = self.device.process(line)
            late, self._late = self._late, None
            return reply if late is None else late + (reply or b"")
        fault = self._orders[0][0]
        if fault is Fault.UNPLUGGED:
            raise Disconnected
        self._orders.popleft()
        if fault is Fault.SILENCE:
            return None
        return self._spoilt(fault, self.device.process(line))

    def _spoilt(self, fault: Fault, reply: bytes | None) -> bytes | None:
        if reply is None or fault is Fault.MUTE:
            return None
        if fault is Fault.LATE:
            self._late = reply
            return None
        if fault is Fault.HALF:
            return reply[: max(1, len(reply) // 2)]
        return {Fault.GARBAGE: b"\x00\xfe\xff7\n", Fault.NONSENSE: b"%&?7,\n", Fault.EMPTY: b"\n", Fault.NAN: b"NAN\n"}[
            fault
        ]

    def latency(self, line: str) -> float:
        return self.device.latency(line)

    def status_byte(self, pending: bool = False) -> int:
        return self.device.status_byte(pending)

    def query_error(self, code: int) -> None:
        self.device.query_error(code)

    def clear(self) -> None:
        self._late = None
        self.device.clear()
