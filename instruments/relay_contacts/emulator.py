"""The emulated charger with its buttons wired to a board's contacts, and its signal contacts to a board's inputs.

A button counts once it has been closed for BOUNCE; a press it refuses does nothing, as on a real panel.
"""

from __future__ import annotations

from functools import partial

from instruments.evps.commands import NONE
from instruments.evps.commands import Options as EvpsOptions
from instruments.evps.emulator import build as build_charger
from instruments.relay_contacts.commands import BACKUP, BOUNCE, FAULT, RUNNING, Button, Options
from rig.clock import Cancel
from rig.lines.frame import Line, decode, encode
from rig.plant.world import World

OVER = ("off", "idle", "ended", "fault", "stopping", "opening", "releasing")
OTHERS: dict[Button, str] = {"stop": "STOP", "emergency_stop": "ESTOP", "reset": "RESET"}


class ContactedPanel:
    """Buttons and signal contacts."""

    def __init__(self, world: World, options: Options) -> None:
        self._world = world
        self._charger = build_charger(
            world, EvpsOptions.model_validate({"power": options.power, "transfers": options.transfers})
        )
        self._ask(f"POWER {options.power:g}")  # as delivered: no button sets these
        self._ask("TRANSFER auto")
        self._across = {number: button for button, number in options.outputs.items() if number}
        self._closing: dict[int, Cancel] = {}
        world.strip.watch(self._moved)
        world.strip.signals.update(
            {
                RUNNING: lambda: self._display()[0] == "running",
                FAULT: lambda: self._display()[3] != NONE,
                BACKUP: lambda: self._display()[2] == "1",
            }
        )

    def _moved(self, output: int, closed: bool) -> None:
        if (cancel := self._closing.pop(output, None)) is not None:
            cancel()
        if closed and (button := self._across.get(output)) is not None:
            clock = self._world.clock
            self._closing[output] = clock.at(clock.now() + BOUNCE, partial(self._pressed, button))

    def _pressed(self, button: Button) -> None:
        if button in OTHERS:
            self._ask(OTHERS[button])
        else:
            self._ask(f"{'START' if self._display()[0] in OVER else 'MODE'} {button}")

    def _display(self) -> list[str]:
        """phase, mode, backup, fault."""
        return self._ask("STATE?").split(" ")

    def _ask(self, body: str) -> str:
        raw = self._charger.process(encode(Line(">", 0, body)))
        assert raw is not None  # a good line is always answered
        return decode(raw).body


def build(world: World, options: Options) -> ContactedPanel:
    """The charger in a world."""
    return ContactedPanel(world, options)
