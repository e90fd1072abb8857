"""An emulated person in front of the emulated charger: reads a prompt, takes a while, presses the button, answers.

The charger is the rig's own; its buttons are reached the way its service port reaches them.
"""

from __future__ import annotations

from instruments.evps.commands import NONE
from instruments.evps.commands import Options as EvpsOptions
from instruments.evps.emulator import build as build_charger
from instruments.operator.commands import DONE, Options
from rig.lines.frame import Line, decode, encode
from rig.plant.world import World
from rig.prompts import Prompt

BUTTONS = {
    "start": "START {}",
    "mode": "MODE {}",
    "power": "POWER {}",
    "transfer": "TRANSFER {}",
    "house": "HOUSE {}",
    "meter": "METER {}",
    "reserve": "RESERVE {}",
    "stop": "STOP",
    "emergency stop": "ESTOP",
    "reset": "RESET",
}


class EmulatedOperator:
    """A person who does what is asked, and says what the charger says when it will not."""

    def __init__(self, world: World, options: Options) -> None:
        self.seconds = options.delay
        self._port = build_charger(world, EvpsOptions.model_validate({"power": options.power}))

    def answer(self, prompt: Prompt) -> str:
        if prompt.verb == "display":
            return self._display()
        reply = self._press(BUTTONS[prompt.verb].format(_figure(prompt.value)))
        return DONE[0] if reply.kind == "<" else f"it says {reply.body!r}"

    def _display(self) -> str:
        phase, _, backup, fault = self._press("STATE?").body.split(" ")
        if fault != NONE:
            return f"fault {fault}" if phase == "fault" else f"{phase} fault {fault}"
        return f"{phase} backup" if backup == "1" else phase

    def _press(self, body: str) -> Line:
        raw = self._port.process(encode(Line(">", 0, body)))
        assert raw is not None  # a good line is always answered
        return decode(raw)


def _figure(value: str) -> str:
    """The service port's word for what a person was told."""
    if " to " in value:
        bounds = (bound.removesuffix(" W") for bound in value.split(" to "))
        return " ".join(NONE if bound == "none" else bound for bound in bounds)
    number, _, unit = value.partition(" ")
    if unit == "%":
        return f"{float(number) / 100.0:g}"
    return {"automatic": "auto"}.get(number, number)


def build(world: World, options: Options) -> EmulatedOperator:
    """The person and the charger in a world."""
    return EmulatedOperator(world, options)
