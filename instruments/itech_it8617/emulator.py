"""Emulated ITECH IT8617: what the box does on its leg of the house.

It draws what it was set to, off by its own setting error; its meter reads the leg through its own errors. Without
remote control no set command is obeyed (-201). Protections are looked at every PERIOD while the input is closed; they
open it and stay until they are cleared. Coupling, function and priority do not change under load (-221).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from instruments.itech_it8617 import commands as c
from rig.clock import Cancel, Phase
from rig.metrology.accuracy import Specimen, read_accuracy
from rig.plant.ports import Operating, Port
from rig.plant.world import World
from rig.scpi.command import Command
from rig.scpi.errors import ScpiError
from rig.scpi.face import ScpiFace

ACCURACY = read_accuracy(Path(__file__).with_name("accuracy.toml"))
COMMAND_TIME, QUERY_TIME = 0.005, 0.010
"""s of an exchange over the raw socket (project choice)."""
PERIOD = 0.1
"""s between two looks of the protections (project choice; the device itself reacts in milliseconds)."""


class EmulatedItechIt8617:
    """State and physics. Knows its leg, its own errors; knows no text."""

    def __init__(self, world: World, leg: int) -> None:
        self._world, self._leg = world, leg
        self._port: Port = "house_l1" if leg == 0 else "house_l2"
        self._specimen = Specimen(ACCURACY, world.rng(f"itech_it8617 leg {leg}"))
        self._watch: Cancel | None = None
        self.remote = self.closed = self.tripped = False
        self.reset()

    def reset(self) -> None:
        """*RST: input open, constant current, nothing set."""
        self.value: dict[Command[Any], Any] = {
            c.COUPLING: c.Coupling.AC,
            c.FUNCTION: c.Function.CURRENT,
            c.PRIORITY: c.Priority.CREST,
            c.POWER: 0.0,
            c.POWER_FACTOR: 1.0,
            c.CURRENT_PROTECTION: 1.1 * c.RATING.current,
            c.POWER_PROTECTION: 1.1 * c.RATING.power,
        }
        self.tripped = False
        self._switch(False)

    # -- told

    def set_remote(self, remote: bool) -> None:
        self.remote = remote

    def keep(self, command: Command[Any], value: Any) -> None:
        self.value[command] = value
        self._apply()

    def keep_when_open(self, command: Command[Any], value: Any) -> None:
        if self.closed:
            raise ScpiError(-221)
        self.value[command] = value

    def set_input(self, closed: bool) -> None:
        if closed and self.tripped:
            raise ScpiError(-221)
        if closed and (self.value[c.FUNCTION] is not c.Function.POWER or self.value[c.COUPLING] is not c.Coupling.AC):
            raise ScpiError(-221, "Settings conflict; only constant power from AC is emulated")
        self._switch(closed)

    def clear_protection(self) -> None:
        self.tripped = False

    # -- asked

    def voltage(self) -> float:
        return self._specimen.read("voltage", self._true.u)

    def current(self) -> float:
        return self._specimen.read("current", self._true.i)

    def power(self) -> float:
        return self._specimen.read("power", self._true.p)

    def power_factor(self) -> float:
        apparent = self.voltage() * self.current()
        return self.power() / apparent if apparent > 1.0 else 0.0

    def crest(self) -> float:
        return math.sqrt(2.0) if self._true.i > 0.0 else 0.0

    def frequency(self) -> float:
        return self._specimen.read("frequency", self._true.f)

    # -- inside

    @property
    def _true(self) -> Operating:
        return self._world.plant.at(self._port)

    def _switch(self, closed: bool) -> None:
        self.closed = closed
        self._apply()
        if self._watch is not None:
            self._watch()
            self._watch = None
        if closed:
            self._watch = self._world.clock.every(PERIOD, self._look, Phase.ACT)

    def _apply(self) -> None:
        asked = self.value[c.POWER] if self.closed else 0.0
        power = self._specimen.read("power_set", asked) if asked > 0.0 else 0.0
        self._world.plant.set_house_load(self._leg, max(power, 0.0))

    def _look(self) -> None:
        now = self._true
        if now.i > self.value[c.CURRENT_PROTECTION] or now.p > self.value[c.POWER_PROTECTION]:
            self.tripped = True
            self._switch(False)


def latency(line: str) -> float:
    """s: the exchange, and the measuring interval where it measures."""
    asks = "?" in line
    measuring = ACCURACY["power"].update if asks and "MEAS" in line.upper() else 0.0
    return (QUERY_TIME if asks else COMMAND_TIME) + measuring


def build(world: World, options: c.Options) -> ScpiFace:
    """The instrument on a leg of a world."""
    load = EmulatedItechIt8617(world, options.leg)

    def pair(command: Command[Any], setter: Callable[[Command[Any], Any], None]) -> tuple[Any, Any]:
        return (lambda value: setter(command, value)), (lambda: load.value[command])

    def gate(command: Command[Any]) -> None:
        if not load.remote and command not in (c.REMOTE, c.LOCAL):
            raise ScpiError(-201)

    fixed = (c.COUPLING, c.FUNCTION, c.PRIORITY)
    return ScpiFace(
        f"ITECH Ltd.,IT8617,EMULATED{options.leg + 1},1.00",
        {
            c.REMOTE: (lambda: load.set_remote(True), None),
            c.LOCAL: (lambda: load.set_remote(False), None),
            **{command: pair(command, load.keep_when_open) for command in fixed},
            **{command: pair(command, load.keep) for command in load.value if command not in fixed},
            c.INPUT: (load.set_input, lambda: load.closed),
            c.CLEAR_PROTECTION: (load.clear_protection, None),
            c.MEASURED_VOLTAGE: (None, load.voltage),
            c.MEASURED_CURRENT: (None, load.current),
            c.MEASURED_POWER: (None, load.power),
            c.MEASURED_POWER_FACTOR: (None, load.power_factor),
            c.MEASURED_CREST: (None, load.crest),
            c.MEASURED_FREQUENCY: (None, load.frequency),
        },
        reset=load.reset,
        latency=latency,
        gate=gate,
    )
