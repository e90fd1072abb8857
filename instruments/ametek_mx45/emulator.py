"""Emulated AMETEK MX45: what the box puts on the mains terminals.

The output lives while its state is on; OUTPut OFF lets the voltage fall and opens the relay at once, at no angle. An
armed transient that is triggered waits for its angle, which the box finds from the angle it had at its last change and
its frequency; a step stays, a pulse comes back after its width. A slope is a staircase of STEP seconds.

The plant knows one service: leg L2 in antiphase. Any other angle of the second phase leaves the second leg dead, so
that a wrong set-up is seen. Range and phases change only with the output off (-221).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from instruments.ametek_mx45 import commands as c
from instruments.program import Program, Step
from rig.metrology.accuracy import Specimen, read_accuracy
from rig.plant.ports import Mains, MainsChanged, Operating
from rig.plant.world import World
from rig.scpi.command import Command
from rig.scpi.errors import ScpiError
from rig.scpi.face import Handlers, ScpiFace, exchange_time

ACCURACY = read_accuracy(Path(__file__).with_name("accuracy.toml"))
COMMAND_TIME, QUERY_TIME = 0.003, 0.006
"""s of an exchange over TCP (project choice)."""
STEP = 0.002
"""s of one stair of a slope (project choice; the box itself updates faster)."""
SLOWEST = 1e-6
"""V/s or Hz/s below which a slew is taken for standing still (project choice)."""


class _Output(NamedTuple):
    """What the output should be doing: V rms and Hz."""

    voltage: float
    frequency: float


class EmulatedAmetekMx45:
    """State and physics. Knows the mains terminals, its own errors; knows no text."""

    def __init__(self, world: World, legs: int) -> None:
        self._world, self._legs = world, legs
        self._specimen = Specimen(ACCURACY, world.rng("ametek_mx45"))
        self._start = (world.clock.now(), 0.0, 60.0)  # when, angle then (degrees), Hz since
        self._program: Program | None = None
        self._now = _Output(0.0, 60.0)
        self.value: dict[Command[Any], Any] = {}
        self.phase = {1: 0.0, 2: 240.0, 3: 120.0}
        self.on, self.transient = False, c.Transient.IDLE
        world.plant.subscribe(self._changed)
        self.reset()

    def reset(self) -> None:
        """*RST: output off, defaults."""
        self.value = {
            c.COUPLING: c.Coupling.ALL,
            c.SELECT: 1,
            c.VOLTAGE: 0.0,
            c.RANGE: 150.0,
            c.VOLTAGE_MODE: c.Mode.FIXED,
            c.VOLTAGE_TRIGGERED: 0.0,
            c.VOLTAGE_SLEW: math.inf,
            c.FREQUENCY: 60.0,
            c.FREQUENCY_SLEW: math.inf,
            c.CURRENT: 100.0,
            c.CURRENT_TRIPS: False,
            c.SHAPE: c.Shape.SINE,
            c.REGENERATE: False,
            c.PULSE_WIDTH: 0.01667,
            c.PULSE_COUNT: 1,
            c.TRIGGER_SOURCE: c.Trigger.BUS,
            c.SYNC_SOURCE: c.Sync.AT_ONCE,
            c.SYNC_PHASE: 0.0,
        }
        self.phase = {1: 0.0, 2: 240.0, 3: 120.0}
        self.on, self.transient = False, c.Transient.IDLE
        self._drop()
        self._put(_Output(0.0, self.value[c.FREQUENCY]))

    # -- told

    def keep(self, command: Command[Any], value: Any) -> None:
        """A setting that acts later."""
        self.value[command] = value

    def keep_when_off(self, command: Command[Any], value: Any) -> None:
        """A setting that is refused while the output is on."""
        if self.on and value != self.value[command]:
            raise ScpiError(-221)
        self.value[command] = value

    def set_range(self, volts: float) -> None:
        if volts not in (150.0, 300.0):
            raise ScpiError(-222)
        self.keep_when_off(c.RANGE, volts)

    def set_phase(self, degrees: float) -> None:
        if self.on:
            raise ScpiError(-221)
        self.phase[self.value[c.SELECT]] = degrees

    def set_volts(self, command: Command[Any], volts: float) -> None:
        if volts > self.value[c.RANGE]:
            raise ScpiError(-222)
        self.value[command] = volts
        if command is c.VOLTAGE:
            self._follow()

    def set_frequency(self, hertz: float) -> None:
        self.value[c.FREQUENCY] = hertz
        self._follow()

    def set_mode(self, mode: c.Mode) -> None:
        if mode is c.Mode.LIST:
            raise ScpiError(-221, "Settings conflict; lists are not emulated")
        self.value[c.VOLTAGE_MODE] = mode

    def set_output(self, on: bool) -> None:
        if on == self.on:
            return
        self.on = on
        self._drop()
        self._put(_Output(self.value[c.VOLTAGE], self.value[c.FREQUENCY]), 0.0 if on else None)

    def abort(self) -> None:
        """End a transient: the immediate values are back."""
        stepped = self._now.voltage != self.value[c.VOLTAGE] and self.transient is not c.Transient.IDLE
        self.transient = c.Transient.IDLE
        if stepped:
            self._follow()

    def initiate(self) -> None:
        if self.transient is not c.Transient.IDLE:
            raise ScpiError(-213)
        self.transient = c.Transient.ARMED

    def trigger(self) -> None:
        if self.transient is not c.Transient.ARMED or not self.on:
            raise ScpiError(-211)
        self.transient = c.Transient.BUSY
        self._drop()
        mode = self.value[c.VOLTAGE_MODE]
        if mode is c.Mode.FIXED:
            self.transient = c.Transient.IDLE
            return
        if mode is c.Mode.PULSE and not self.value[c.PULSE_WIDTH] > 0.0:
            self.transient = c.Transient.IDLE
            raise ScpiError(-221)
        begin = self._world.clock.now()
        if self.value[c.SYNC_SOURCE] is c.Sync.PHASE:
            begin = self._reached(self.value[c.SYNC_PHASE])
        self._begin(self._step(begin) if mode is c.Mode.STEP else self._pulses(begin))

    # -- asked

    def voltage(self) -> float:
        return max(self._specimen.read("voltage", self._true.u, self.value[c.RANGE]), 0.0)

    def current(self) -> float:
        return max(self._specimen.read("current", self._true.i), 0.0)

    def power(self) -> float:
        return self._specimen.read("power", self._true.p)

    def frequency(self) -> float:
        return self._specimen.read("frequency", self._true.f)

    # -- inside

    @property
    def _true(self) -> Operating:
        """The selected phase. Its meter sits at the terminals; the third phase is unwired."""
        phase, plant = self.value[c.SELECT], self._world.plant
        if phase == 3 or not self.on:
            return Operating(0.0, 0.0, 0.0, 0.0)
        return plant.at("grid_l1" if phase == 1 else "grid_l2")

    def _step(self, begin: float) -> Iterator[Step]:
        yield begin, self._go_there
        yield begin, self._end

    def _pulses(self, begin: float) -> Iterator[Step]:
        width, count = self.value[c.PULSE_WIDTH], self.value[c.PULSE_COUNT]
        for n in range(count):
            yield begin + 2 * n * width, self._go_there
            yield begin + (2 * n + 1) * width, self._come_back
        yield begin + (2 * count - 1) * width, self._end

    def _go_there(self) -> None:
        self._put(_Output(self.value[c.VOLTAGE_TRIGGERED], self._now.frequency))

    def _come_back(self) -> None:
        self._put(_Output(self.value[c.VOLTAGE], self._now.frequency))

    def _end(self) -> None:
        """A step that is done is the new immediate value."""
        self.transient = c.Transient.IDLE
        if self.value[c.VOLTAGE_MODE] is c.Mode.STEP:
            self.value[c.VOLTAGE] = self.value[c.VOLTAGE_TRIGGERED]

    def _follow(self) -> None:
        """Go to the immediate values at the slews, unless a transient has the output."""
        if not self.on or self.transient is c.Transient.BUSY:
            return
        self._drop()
        start, end = self._now, _Output(self.value[c.VOLTAGE], self.value[c.FREQUENCY])
        volts = self._seconds(end.voltage - start.voltage, c.VOLTAGE_SLEW)
        hertz = self._seconds(end.frequency - start.frequency, c.FREQUENCY_SLEW)
        if max(volts, hertz) < STEP:
            self._put(end)
        else:
            self._begin(self._stairs(start, end, volts, hertz))

    def _stairs(self, start: _Output, end: _Output, volts: float, hertz: float) -> Iterator[Step]:
        """volts, hertz: s that each of the two is under way."""
        now = self._world.clock.now()
        for k in range(1, int(max(volts, hertz) / STEP) + 1):
            passed = k * STEP
            stair = _Output(
                start.voltage + min(passed / volts if volts else 1.0, 1.0) * (end.voltage - start.voltage),
                start.frequency + min(passed / hertz if hertz else 1.0, 1.0) * (end.frequency - start.frequency),
            )
            yield now + passed, self._putting(stair)
        yield now + max(volts, hertz), self._putting(end)

    def _putting(self, output: _Output) -> Callable[[], None]:
        return lambda: self._put(output)

    def _seconds(self, way: float, slew: Command[float]) -> float:
        rate: float = self.value[slew]
        return abs(way) / max(rate, SLOWEST)

    def _begin(self, steps: Iterator[Step]) -> None:
        self._program = Program(self._world.clock, steps)

    def _drop(self) -> None:
        """Forget every change that was still to come."""
        if self._program is not None:
            self._program.stop()
            self._program = None

    def _put(self, output: _Output, jump_to: float | None = None) -> None:
        """The output takes these values now. jump_to: degrees of leg L1 from which it starts."""
        self._now = output
        two = self._legs == 2 and abs(abs(self.phase[2]) - 180.0) < 1.0
        u = self._specimen.read("voltage_set", output.voltage, self.value[c.RANGE]) if output.voltage > 0.0 else 0.0
        f = self._specimen.read("frequency_set", output.frequency)
        jump = 0.0 if jump_to is None else jump_to - self._angle()
        self._world.plant.set_mains(Mains(self.on, (max(u, 0.0), max(u, 0.0) if two else 0.0), f, jump))

    def _changed(self, when: float, event: object) -> None:
        """The plant tells at which angle a change of the mains found the wave."""
        if isinstance(event, MainsChanged):
            self._start = (when, (event.angle + event.mains.phase) % 360.0, event.mains.f)

    def _angle(self) -> float:
        """degrees of leg L1's wave now."""
        when, angle, frequency = self._start
        return (angle + 360.0 * frequency * (self._world.clock.now() - when)) % 360.0

    def _reached(self, angle: float) -> float:
        """s, when leg L1's wave next passes an angle."""
        return self._world.clock.now() + ((angle - self._angle()) % 360.0) / (360.0 * self._start[2])


def _handlers(grid: EmulatedAmetekMx45) -> Handlers:
    def pair(command: Command[Any], setter: Any) -> tuple[Any, Any]:
        return (lambda value: setter(command, value)), (lambda: grid.value[command])

    return {
        **{command: pair(command, grid.keep) for command in grid.value},
        c.SHAPE: pair(c.SHAPE, grid.keep_when_off),
        c.RANGE: (grid.set_range, lambda: grid.value[c.RANGE]),
        c.VOLTAGE: pair(c.VOLTAGE, grid.set_volts),
        c.VOLTAGE_TRIGGERED: pair(c.VOLTAGE_TRIGGERED, grid.set_volts),
        c.FREQUENCY: (grid.set_frequency, lambda: grid.value[c.FREQUENCY]),
        c.VOLTAGE_MODE: (grid.set_mode, lambda: grid.value[c.VOLTAGE_MODE]),
        c.PHASE: (grid.set_phase, lambda: grid.phase[grid.value[c.SELECT]]),
        c.OUTPUT: (grid.set_output, lambda: grid.on),
        c.CLEAR_PROTECTION: (lambda: None, None),
        c.ABORT: (grid.abort, None),
        c.INITIATE: (grid.initiate, None),
        c.TRIGGER: (grid.trigger, None),
        c.TRIGGER_STATE: (None, lambda: grid.transient),
        c.MEASURED_VOLTAGE: (None, grid.voltage),
        c.MEASURED_CURRENT: (None, grid.current),
        c.MEASURED_POWER: (None, grid.power),
        c.MEASURED_FREQUENCY: (None, grid.frequency),
    }


def build(world: World, options: c.Options) -> ScpiFace:
    """The instrument on the mains terminals of a world."""
    grid = EmulatedAmetekMx45(world, options.legs)
    return ScpiFace(
        "California Instruments,MX45-3Pi,EMULATED1,Rev 5.53",
        _handlers(grid),
        reset=grid.reset,
        latency=exchange_time(COMMAND_TIME, QUERY_TIME),
    )
