"""The error numbers of SCPI-99, volume 2 chapter 21, with the words the standard gives them.

Classes: -1xx command errors (the parser did not understand), -2xx execution errors (understood, not possible),
-3xx and positive numbers device errors, -4xx query errors. Each class has its bit in the standard event register.
"""

from __future__ import annotations

from dataclasses import dataclass

WORDS: dict[int, str] = {
    0: "No error",
    -100: "Command error",
    -101: "Invalid character",
    -102: "Syntax error",
    -104: "Data type error",
    -108: "Parameter not allowed",
    -109: "Missing parameter",
    -113: "Undefined header",
    -114: "Header suffix out of range",
    -131: "Invalid suffix",
    -138: "Suffix not allowed",
    -151: "Invalid string data",
    -161: "Invalid block data",
    -200: "Execution error",
    -201: "Invalid while in local",
    -203: "Command protected",
    -211: "Trigger ignored",
    -213: "Init ignored",
    -220: "Parameter error",
    -221: "Settings conflict",
    -222: "Data out of range",
    -223: "Too much data",
    -224: "Illegal parameter value",
    -230: "Data corrupt or stale",
    -240: "Hardware error",
    -241: "Hardware missing",
    -300: "Device-specific error",
    -350: "Queue overflow",
    -410: "Query INTERRUPTED",
    -420: "Query UNTERMINATED",
}

# bits of the standard event status register (IEEE 488.2, 11.5.1)
OPERATION_COMPLETE, QUERY_ERROR, DEVICE_ERROR, EXECUTION_ERROR, COMMAND_ERROR, POWER_ON = 1, 4, 8, 16, 32, 128
# bits of the status byte (IEEE 488.2, 11.2; the error queue bit: SCPI-99, 1-9)
ERROR_AVAILABLE, MESSAGE_AVAILABLE, EVENT_SUMMARY, MASTER_SUMMARY = 4, 16, 32, 64


class ScpiError(Exception):
    """What an instrument's own side raises to refuse a command: it goes into the error queue, never to the rig."""

    def __init__(self, code: int, words: str | None = None) -> None:
        self.entry = Entry(code, WORDS.get(code, "Device-specific error") if words is None else words)
        super().__init__(str(self.entry))


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of an error queue."""

    code: int
    words: str

    def __str__(self) -> str:
        return f'{self.code},"{self.words}"'

    @property
    def event_bit(self) -> int:
        """Its bit in the standard event status register."""
        if -200 < self.code <= -100:
            return COMMAND_ERROR
        if -300 < self.code <= -200:
            return EXECUTION_ERROR
        if -500 < self.code <= -400:
            return QUERY_ERROR
        return DEVICE_ERROR


NO_ERROR = Entry(0, WORDS[0])
OVERFLOW = Entry(-350, WORDS[-350])
