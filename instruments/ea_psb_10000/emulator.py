"""Emulated EA PSB 10000: what the box does behind the vehicle's contactors.

It holds its voltage behind its internal resistance, within its current and power limits; its meter reads the DC port
through its own errors. Protections and interface monitoring are looked at PERIOD times while the output is on, and
switch it off. Alarms stay until their cause is gone and the error queue has been asked (guide 5.4.5.4).
Without remote control no set command is obeyed (-221), asking is always allowed (guide 5.3.2).
The internal resistance acts in both directions here; the guide only states it for source mode.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from instruments.ea_psb_10000.commands import (
    CURRENT,
    LOCK,
    MEASURED,
    MEASURED_CURRENT,
    MEASURED_POWER,
    MEASURED_VOLTAGE,
    MODE,
    NOMINAL_CURRENT,
    NOMINAL_POWER,
    NOMINAL_VOLTAGE,
    OCP,
    OPERATION,
    OPP,
    OUTPUT,
    OVP,
    OWNER,
    POWER,
    QUESTIONABLE,
    RESISTANCE,
    SINK_CURRENT,
    SINK_OCP,
    SINK_OPP,
    SINK_POWER,
    SINK_RESISTANCE,
    SMALLEST_RESISTANCE,
    VOLTAGE,
    WATCHDOG,
    WATCHDOG_TIME,
    Mode,
    Operation,
    Options,
    Owner,
    Questionable,
)
from rig.clock import Cancel, Phase
from rig.metrology.accuracy import Specimen, read_accuracy
from rig.plant.ports import DcSupply, Operating
from rig.plant.world import World
from rig.scpi.command import Command
from rig.scpi.errors import Entry, ScpiError
from rig.scpi.face import Getter, Handlers, ScpiFace, Setter, exchange_time

ACCURACY = read_accuracy(Path(__file__).with_name("accuracy.toml"))
NO_ALARM = Questionable(0)
PERIOD = 0.1
"""s between two looks of the protections (project choice; the device itself reacts in milliseconds)."""
COMMAND_TIME, QUERY_TIME = 0.005, 0.010
"""s of an exchange on the raw socket (project choice)."""

# the guide's own error list (5.2.5) has no -104, -109, -113, -114, -131, -138, -151
PARAMETER = Entry(-220, "Parameter error")
ERRORS = {
    -113: Entry(-100, "Command error"),
    -114: Entry(-100, "Command error"),
    **dict.fromkeys((-104, -109, -131, -138, -151), PARAMETER),
}


class EmulatedEaPsb10000:
    """State and physics. Knows the DC port, its own errors; knows no text."""

    def __init__(self, world: World, options: Options) -> None:
        self._world, self.nominal = world, options
        self._specimen = Specimen(ACCURACY, world.rng("ea_psb_10000"), options.misreads)
        self.smallest = 0.03 * options.voltage / options.current  # PSB 10080-60: 0.04 ohm at 80 V / 60 A
        self.largest = 60.0 * options.voltage / options.current  # the same: 80 ohm
        self._most = {
            VOLTAGE: 1.02 * options.voltage,
            OVP: 1.1 * options.voltage,
            **dict.fromkeys((CURRENT, SINK_CURRENT), 1.02 * options.current),
            **dict.fromkeys((OCP, SINK_OCP), 1.1 * options.current),
            **dict.fromkeys((POWER, SINK_POWER), 1.02 * options.power),
            **dict.fromkeys((OPP, SINK_OPP), 1.1 * options.power),
            **dict.fromkeys((RESISTANCE, SINK_RESISTANCE), self.largest),
        }
        self.level: dict[Command[float], float] = {
            command: self.smallest if command in (RESISTANCE, SINK_RESISTANCE) else most
            for command, most in self._most.items()
        }
        self.level[VOLTAGE] = self.level[CURRENT] = self.level[SINK_CURRENT] = 0.0
        self.owner, self.mode, self.on = Owner.NONE, Mode.POWER, False
        self.alarms = Questionable(0)
        self.watchdog, self.timeout, self.ran_out = False, 5, False
        self._heard = self._held = 0.0  # s when last spoken to; V it holds at no current
        self._watch: Cancel | None = None

    # -- told

    def set_lock(self, remote: bool) -> None:
        self.owner = Owner.REMOTE if remote else Owner.NONE

    def set_mode(self, mode: Mode) -> None:
        self.mode = mode
        self._apply()

    def set_level(self, command: Command[float], value: float) -> None:
        least = self.smallest if command in (RESISTANCE, SINK_RESISTANCE) else 0.0
        if not least <= value <= self._most[command]:
            raise ScpiError(-222)
        if command in (RESISTANCE, SINK_RESISTANCE) and self.mode is not Mode.RESISTANCE:
            raise ScpiError(-221)
        self.level[command] = value
        self._apply()

    def set_output(self, on: bool) -> None:
        if on and self.alarms:
            raise ScpiError(-221)
        if on:
            self.ran_out = False
        self._switch(on)

    def set_watchdog(self, on: bool) -> None:
        self.watchdog = on

    def set_timeout(self, seconds: int) -> None:
        self.timeout = seconds

    def reset(self) -> None:
        """*RST: remote, output off, alarms cleared (guide 5.4.1.3)."""
        self.owner, self.alarms, self.ran_out = Owner.REMOTE, Questionable(0), False
        self._switch(False)

    def acknowledge(self) -> None:
        """The error queue was asked: alarms whose cause is gone are cleared."""
        self.alarms &= self._exceeded()

    def heard(self) -> None:
        """A message came in: interface monitoring starts anew."""
        self._heard = self._world.clock.now()

    # -- asked

    def voltage(self) -> float:
        return self._specimen.read("voltage", self._true.u)

    def current(self) -> float:
        """A, positive out of the device: the guide's sign."""
        return self._specimen.read("current", -self._true.i if self.on else 0.0)

    def power(self) -> float:
        return self._specimen.read("power", -self._true.p if self.on else 0.0)

    def array(self) -> tuple[str, str, str]:
        return f"{self.voltage():.2f} V", f"{self.current():.2f} A", f"{self.power():.0f} W"

    def questionable(self) -> int:
        bits = self.alarms
        bits |= Questionable.REMOTE if self.owner is Owner.REMOTE else Questionable(0)
        bits |= Questionable.OUTPUT_ON if self.on else Questionable(0)
        return int(bits)

    def operation(self) -> int:
        bits = Operation.CTO if self.ran_out else Operation(0)
        if self.on:
            sinks = self._true.i > 0.0
            limit = self.level[SINK_CURRENT if sinks else CURRENT]
            bits |= Operation.SINK if sinks else Operation(0)
            bits |= Operation.CC if abs(self._true.i) >= 0.999 * limit > 0.0 else Operation.CV
        return int(bits)

    # -- inside

    @property
    def _true(self) -> Operating:
        """Its own terminals: those of the connector while the vehicle's contactors are closed, alone otherwise."""
        plant = self._world.plant
        return plant.at("dc") if plant.ev_contactor_closed else Operating(self._held, 0.0, 0.0, 0.0)

    def _switch(self, on: bool) -> None:
        if on == self.on:
            return
        self.on = on
        self._apply()
        if self._watch is not None:
            self._watch()
            self._watch = None
        if on:
            self._heard = self._world.clock.now()
            self._watch = self._world.clock.every(PERIOD, self._look, Phase.ACT)

    def _apply(self) -> None:
        voltage = self.level[VOLTAGE]
        self._held = max(self._specimen.read("voltage_set", voltage), 0.0) if self.on else 0.0
        self._world.plant.set_dc_supply(
            DcSupply(
                on=self.on,
                u_set=self._held,
                resistance=self.level[RESISTANCE] if self.mode is Mode.RESISTANCE else 0.0,
                i_source_max=self._limit(CURRENT, POWER, voltage),
                i_sink_max=self._limit(SINK_CURRENT, SINK_POWER, voltage),
            )
        )

    def _limit(self, current: Command[float], power: Command[float], voltage: float) -> float:
        """A: the current limit with its setting error, or what the power limit leaves of it."""
        amperes = self.level[current]
        if amperes == 0.0:
            return 0.0
        amperes = max(self._specimen.read("current_set", amperes), 0.0)
        return min(amperes, self.level[power] / voltage) if voltage > 0.0 else amperes

    def _exceeded(self) -> Questionable:
        """Which protections are exceeded at this moment."""
        now, bits = self._true, NO_ALARM
        if now.u > self.level[OVP]:
            bits |= Questionable.OVP
        if self.on:
            sinks = now.i > 0.0
            if abs(now.i) > self.level[SINK_OCP if sinks else OCP]:
                bits |= Questionable.OCP
            if abs(now.p) > self.level[SINK_OPP if sinks else OPP]:
                bits |= Questionable.OPP
        return bits

    def _look(self) -> None:
        exceeded = self._exceeded()
        silent = self.watchdog and self._world.clock.now() - self._heard > self.timeout
        if exceeded or silent:
            self.alarms |= exceeded
            self.ran_out = self.ran_out or silent
            self._switch(False)


class _Face(ScpiFace):
    """A face whose every message also feeds the interface monitoring."""

    def __init__(self, source: EmulatedEaPsb10000, identity: str, handlers: Handlers) -> None:
        super().__init__(
            identity,
            handlers,
            reset=source.reset,
            latency=exchange_time(COMMAND_TIME, QUERY_TIME),
            gate=lambda command: _refuse_without_remote(source, command),
            translate=ERRORS,
            error_read=source.acknowledge,
            most_units=5,
            depth=5,
        )
        self._source = source

    def process(self, line: str) -> bytes | None:
        self._source.heard()
        return super().process(line)


def _refuse_without_remote(source: EmulatedEaPsb10000, command: Command[Any]) -> None:
    if command is not LOCK and source.owner is not Owner.REMOTE:
        raise ScpiError(-221)


def _levels(source: EmulatedEaPsb10000) -> dict[Command[Any], tuple[Setter, Getter]]:
    def pair(command: Command[float]) -> tuple[Setter, Callable[[], float]]:
        return (lambda value: source.set_level(command, value)), (lambda: source.level[command])

    return {command: pair(command) for command in source.level}


def build(world: World, options: Options) -> ScpiFace:
    """The instrument behind the vehicle's contactors of a world."""
    source = EmulatedEaPsb10000(world, options)
    model = f"PSB 1{options.voltage:04.0f}-{options.current:.0f}"
    return _Face(
        source,
        f"EA Elektro-Automatik GmbH&Co.KG, {model}, EMULATED1, V3.10",
        {
            LOCK: (source.set_lock, None),
            OWNER: (None, lambda: source.owner),
            OUTPUT: (source.set_output, lambda: source.on),
            MODE: (source.set_mode, lambda: source.mode),
            **_levels(source),
            MEASURED: (None, source.array),
            MEASURED_VOLTAGE: (None, source.voltage),
            MEASURED_CURRENT: (None, source.current),
            MEASURED_POWER: (None, source.power),
            NOMINAL_VOLTAGE: (None, lambda: options.voltage),
            NOMINAL_CURRENT: (None, lambda: options.current),
            NOMINAL_POWER: (None, lambda: options.power),
            SMALLEST_RESISTANCE: (None, lambda: source.smallest),
            QUESTIONABLE: (None, source.questionable),
            OPERATION: (None, source.operation),
            WATCHDOG_TIME: (source.set_timeout, lambda: source.timeout),
            WATCHDOG: (source.set_watchdog, lambda: source.watchdog),
        },
    )
