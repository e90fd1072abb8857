"""What goes wrong on a line, on purpose: wrap a device and order its next faults, for tests and drills."""

from __future__ import annotations

from collections import deque
from enum import Enum

from rig.visa.device import Device, Disconnected, Dropped


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
    OVERLOAD = "overload"
    """The instrument's mark for a value over its range."""
    STRANGER = "stranger"
    """Another box stands there: the next identification is somebody else's."""
    FULL = "full"
    """The error queue is full: more went wrong than it can hold."""
    SLOW = "slow"
    """The answer takes SLOWNESS longer, and is right."""
    DROPPED = "dropped"
    """The connection breaks in the middle of the answer; the instrument lives, and takes a new connection."""
    UNPLUGGED = "unplugged"
    """The connection is gone, now and for good."""


SLOWNESS = 0.5
"""s (project choice: far above every latency of the listed instruments, below a session's time-out)."""
FLOOD = 200
"""Commands nobody knows, which fill every error queue (project choice)."""
_IDENTIFIES = "*IDN?"
_REPLIES = {
    Fault.GARBAGE: b"\x00\xfe\xff7\n",
    Fault.NONSENSE: b"%&?7,\n",
    Fault.EMPTY: b"\n",
    Fault.NAN: b"NAN\n",
    Fault.OVERLOAD: b"9.91E+37\n",
    Fault.STRANGER: b"ANOTHER MAKER,BOX 1,0,0\n",
}


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
        if fault is Fault.STRANGER:
            when = _IDENTIFIES
        self._orders.extend([(fault, when.upper())] * times)

    def process(self, line: str) -> bytes | None:
        self.lines.append(line)
        if not self._spoils(line):
            reply = self.device.process(line)
            late, self._late = self._late, None
            return reply if late is None else late + (reply or b"")
        fault = self._orders[0][0]
        if fault is Fault.UNPLUGGED:
            raise Disconnected
        self._orders.popleft()
        if fault is Fault.SILENCE:
            return None
        if fault is Fault.FULL:
            for _ in range(FLOOD):
                self.device.process("NO:SUCH:COMMAND 1")
        return self._spoilt(fault, self.device.process(line))

    def _spoilt(self, fault: Fault, reply: bytes | None) -> bytes | None:
        if fault in (Fault.FULL, Fault.SLOW):
            return reply
        if fault is Fault.DROPPED:
            raise Dropped((reply or b"")[: len(reply or b"") // 2])
        if reply is None or fault is Fault.MUTE:
            return None
        if fault is Fault.LATE:
            self._late = reply
            return None
        if fault is Fault.HALF:
            return reply[: max(1, len(reply) // 2)]
        return _REPLIES[fault]

    def _spoils(self, line: str) -> bool:
        return bool(self._orders) and self._orders[0][1] in line.upper()

    def latency(self, line: str) -> float:
        slow = self._spoils(line) and self._orders[0][0] is Fault.SLOW
        return self.device.latency(line) + (SLOWNESS if slow else 0.0)

    def status_byte(self, pending: bool = False) -> int:
        return self.device.status_byte(pending)

    def query_error(self, code: int) -> None:
        self.device.query_error(code)

    def clear(self) -> None:
        self._late = None
        self.device.clear()
