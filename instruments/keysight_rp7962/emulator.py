"""Emulated Keysight RP7962A: what the box does behind the vehicle's contactors.

It holds its voltage behind its output resistance, within its two current limits and its rated power; its meter reads
the DC port through its own errors. A protection or the watchdog latches the output off: OUTPut? then still says what
was programmed, and clearing the latch brings the output back when it was programmed on.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from instruments.keysight_rp7962 import commands as c
from rig.clock import Cancel, Phase
from rig.metrology.accuracy import Specimen, read_accuracy
from rig.plant.ports import DcSupply, Operating
from rig.plant.world import World
from rig.scpi.command import Command
from rig.scpi.errors import ScpiError
from rig.scpi.face import Handlers, ScpiFace, exchange_time

ACCURACY = read_accuracy(Path(__file__).with_name("accuracy.toml"))
PERIOD = 0.1
"""s between two looks of the protections (project choice; the device itself reacts in microseconds)."""
COMMAND_TIME, QUERY_TIME = 0.004, 0.008
"""s of an exchange on the raw socket (project choice)."""
NONE = c.Questionable(0)


class EmulatedKeysightRp7962:
    """State and physics. Knows the DC port, its own errors; knows no text."""

    def __init__(self, world: World, options: c.Options) -> None:
        self._world, self._nominal = world, options
        self._specimen = Specimen(ACCURACY, world.rng("keysight_rp7962"))
        self._watch: Cancel | None = None
        self._heard = self._held = self._fetched = 0.0
        self.on, self.latched = False, NONE
        self.reset()

    def reset(self) -> None:
        """*RST: output off, voltage priority, everything at its least, protections at their most."""
        self.value: dict[Command[Any], Any] = {
            c.FUNCTION: c.Function.VOLTAGE,
            c.VOLTAGE: 0.0,
            c.LIMIT_POSITIVE: 1.02 * self._nominal.current,
            c.LIMIT_NEGATIVE: -1.02 * self._nominal.current,
            c.RESISTANCE: 0.0,
            c.OVP: 1.2 * self._nominal.voltage,
            c.OCP_STATE: False,
            c.WATCHDOG: False,
            c.WATCHDOG_TIME: 60,
        }
        self.latched = NONE
        self.set_output(False)

    # -- told

    def keep(self, command: Command[Any], value: Any) -> None:
        n = self._nominal
        most = {
            c.VOLTAGE: 1.02 * n.voltage,
            c.LIMIT_POSITIVE: 1.02 * n.current,
            c.RESISTANCE: n.voltage / n.current,
            c.OVP: 1.2 * n.voltage,
        }.get(command)
        if most is not None and not value <= most * (1.0 + 1e-9):
            raise ScpiError(-222)
        if command is c.LIMIT_NEGATIVE and not -1.02 * n.current * (1.0 + 1e-9) <= value <= 0.0:
            raise ScpiError(-222)
        if command is c.FUNCTION and self.on:
            raise ScpiError(-221)
        self.value[command] = value
        self._apply()

    def set_output(self, on: bool) -> None:
        self.on = on
        self._run()

    def clear_protection(self) -> None:
        """The latch is gone when its cause is; the output returns to what was programmed."""
        self.latched = self._exceeded()
        self._heard = self._world.clock.now()
        self._run()

    def heard(self) -> None:
        """A message came in: the watchdog starts anew."""
        self._heard = self._world.clock.now()

    # -- asked

    def voltage(self) -> float:
        true = self._true
        self._fetched = self._specimen.read("current", -true.i if self._lives else 0.0)
        return self._specimen.read("voltage", true.u)

    def current(self) -> float:
        """A of the measurement made last, positive out of the device."""
        return self._fetched

    def questionable(self) -> int:
        bits = self.latched
        if self._lives:
            i = -self._true.i
            bits |= c.Questionable.LIMIT_POSITIVE if i >= 0.999 * self.value[c.LIMIT_POSITIVE] > 0.0 else NONE
            bits |= c.Questionable.LIMIT_NEGATIVE if i <= 0.999 * self.value[c.LIMIT_NEGATIVE] < 0.0 else NONE
        return int(bits)

    # -- inside

    @property
    def _lives(self) -> bool:
        return self.on and not self.latched

    @property
    def _true(self) -> Operating:
        """Its own terminals: those of the connector while the vehicle's contactors are closed, alone otherwise."""
        plant = self._world.plant
        return plant.at("dc") if plant.ev_contactor_closed else Operating(self._held, 0.0, 0.0, 0.0)

    def _run(self) -> None:
        self._apply()
        if self._watch is not None:
            self._watch()
            self._watch = None
        if self._lives:
            self._heard = self._world.clock.now()
            self._watch = self._world.clock.every(PERIOD, self._look, Phase.ACT)

    def _apply(self) -> None:
        voltage = self.value[c.VOLTAGE]
        self._held = max(self._specimen.read("voltage_set", voltage), 0.0) if self._lives else 0.0
        self._world.plant.set_dc_supply(
            DcSupply(
                on=self._lives,
                u_set=self._held,
                resistance=self.value[c.RESISTANCE],
                i_source_max=self._limit(self.value[c.LIMIT_POSITIVE], voltage),
                i_sink_max=self._limit(-self.value[c.LIMIT_NEGATIVE], voltage),
            )
        )

    def _limit(self, amperes: float, voltage: float) -> float:
        """A: a limit with its setting error, or what the rated power leaves of it."""
        if amperes == 0.0:
            return 0.0
        amperes = max(self._specimen.read("current_set", amperes), 0.0)
        return min(amperes, self._nominal.power / voltage) if voltage > 0.0 else amperes

    def _exceeded(self) -> c.Questionable:
        return c.Questionable.OVP if self._true.u > self.value[c.OVP] else NONE

    def _look(self) -> None:
        found = self._exceeded()
        i = self._true.i
        at_limit = not self.value[c.LIMIT_NEGATIVE] * 0.999 < -i < 0.999 * self.value[c.LIMIT_POSITIVE]
        if self.value[c.OCP_STATE] and at_limit and i != 0.0:
            found |= c.Questionable.OCP
        if self.value[c.WATCHDOG] and self._world.clock.now() - self._heard > self.value[c.WATCHDOG_TIME]:
            found |= c.Questionable.WATCHDOG
        if found:
            self.latched |= found
            self._run()


class _Face(ScpiFace):
    """A face whose every message also feeds the watchdog."""

    def __init__(self, source: EmulatedKeysightRp7962, identity: str, handlers: Handlers) -> None:
        super().__init__(identity, handlers, reset=source.reset, latency=exchange_time(COMMAND_TIME, QUERY_TIME))
        self._source = source

    def process(self, line: str) -> bytes | None:
        self._source.heard()
        return super().process(line)


def build(world: World, options: c.Options) -> ScpiFace:
    """The instrument behind the vehicle's contactors of a world."""
    source = EmulatedKeysightRp7962(world, options)

    def pair(command: Command[Any]) -> tuple[Callable[[Any], None], Callable[[], Any]]:
        return (lambda value: source.keep(command, value)), (lambda: source.value[command])

    return _Face(
        source,
        "Keysight Technologies,RP7962A,EMULATED1,B.04.00",
        {
            **{command: pair(command) for command in source.value},
            c.OUTPUT: (source.set_output, lambda: source.on),
            c.CLEAR_PROTECTION: (source.clear_protection, None),
            c.MEASURED_VOLTAGE: (None, source.voltage),
            c.FETCHED_CURRENT: (None, source.current),
            c.QUESTIONABLE: (None, source.questionable),
        },
    )
