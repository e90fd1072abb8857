"""What a person at the car is asked to do, and what the emulated car is made of. There is no port; prompts are ours.

The display is answered as instruments.operator.commands has it; its phases here are

    idle       the outlets are off              outlets    they are live, from the pack
    engine     they are live, the engine's generator runs      fault overload, fault empty
"""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from instruments.operator.commands import Options as PersonOptions
from rig.quantity import Volts, Watts

WORDS: Final = {
    "start": "Switch the car on and its household outlets on.",
    "stop": "Switch the car's household outlets off.",
    "emergency stop": "Switch the car off.",
    "reset": "Switch the car off and on again, so that its warning goes out; leave the outlets off.",
}
DISPLAY: Final = (
    "What does the car show? Type 'idle' with the outlets off, 'outlets backup' with them live, 'engine backup' with"
    " them live and the engine running, 'fault' and its name if it shows one."
)

Wrong = Literal["drops-at-engine-start", "engine-never-starts"]


class Options(PersonOptions):
    """Keys of a bench part: those of a person, and of the emulated car. voltage: V of its outlets. soc: of its pack
    when the bench opens, 0..1. wrong: what is to be wrong with it."""

    power: Watts = Field(1500.0, gt=0)
    voltage: Volts = Field(100.0, gt=0)
    soc: float = Field(0.25, gt=0, le=1)
    wrong: Wrong | None = None
