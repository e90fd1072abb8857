"""What a person is asked to do, and how the answers are read. Prompts are ours; there is no maker.

A verb is done when the answer is one of DONE; any other answer is what the person saw instead, and is reported in their
words. What the display shows is answered as

    <phase> [backup] [fault <name>]        running          fault insulation
"""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from rig.quantity import Seconds, Watts
from rig.roles import ChargerMode, ChargerState

DONE: Final = ("done", "ok", "y", "yes")

WORDS: Final = {
    "start": "Press START on the charger, direction {value}.",
    "mode": "Set the charger to {value}; do not end the session.",
    "power": "Set the charger's AC power to {value}.",
    "transfer": "Set the transfer of the house to {value}.",
    "house": "Move the house by hand to: {value}.",
    "meter": "Set the least and the most power to be taken from the mains: {value}.",
    "reserve": "Set the reserve (floor for discharge) to {value}.",
    "stop": "Press STOP on the charger.",
    "emergency stop": "Press the charger's EMERGENCY STOP.",
    "reset": "Acknowledge the charger's fault (release the emergency stop; power cycle it if that is its way).",
}
HOW: Final = " Then type: done. If it cannot be done, type what you see instead."
DISPLAY: Final = (
    "What does the charger's display show? Type its phase in one word; then 'backup' if the house is fed from the car;"
    " then 'fault' and its name if it shows one."
)


class Options(BaseModel):
    """Keys of a bench part. maker, model, serial: of the charger's plate, since no *IDN? tells them. power: W of its
    plate. within: s a person has for an answer. fresh: s for which an answer about the display holds, so that a test
    which waits for something does not ask ten times a second. delay: s the emulated person takes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    maker: str = Field("unknown", min_length=1)
    model: str = Field("unknown", min_length=1)
    serial: str = Field("unknown", min_length=1)
    power: Watts = Field(6000.0, gt=0)
    within: Seconds = Field(120.0, gt=0)
    fresh: Seconds = Field(5.0, ge=0)
    delay: Seconds = Field(0.5, ge=0)


def read_display(text: str, mode: ChargerMode) -> ChargerState:
    """What a person says the display shows. mode: pressed last. ValueError when it cannot be understood."""
    words = text.split()
    fault = ""
    if "fault" in (lower := [word.lower() for word in words]):
        at = lower.index("fault")
        fault = "_".join(words[at + 1 :])
        words = words[:at]
        if not fault:
            raise ValueError("names no fault after 'fault'")
    backup = len(words) > 1 and words[-1].lower() == "backup"
    words = words[:-1] if backup else words
    if len(words) > 1 or not (words or fault):
        raise ValueError("is no phase in one word, then 'backup' or 'fault' and its name")
    return ChargerState(words[0].lower() if words else "fault", mode, fault, backup)
