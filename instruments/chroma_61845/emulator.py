"""Emulated Chroma 61845: what the box puts on the mains terminals.

The output lives while its state is on and its relay closed. State off takes effect at the stop angle (PHASe:OFF),
which the box finds from the angle it had at its last change and its frequency. A list runs from the angle of its first
point; after the last point the immediate values are back. A slope (slew, or a list point whose start and end differ)
is a staircase of STEP seconds.

The plant knows one service: leg L2 in antiphase. Any other P12 leaves the second leg dead, so that a wrong set-up is
seen. Ranges, phases and mode change only with the output off (-221).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, repeat
from pathlib import Path
from typing import Any

from instruments.chroma_61845 import commands as c
from instruments.program import Program, Step
from rig.metrology.accuracy import Specimen, read_accuracy
from rig.plant.ports import Mains, MainsChanged, Operating
from rig.plant.world import World
from rig.scpi.command import Command
from rig.scpi.errors import ScpiError
from rig.scpi.face import Handlers, ScpiFace, exchange_time

ACCURACY = read_accuracy(Path(__file__).with_name("accuracy.toml"))
COMMAND_TIME, QUERY_TIME = 0.004, 0.008
"""s of an exchange over USB or GPIB (project choice)."""
STEP = 0.002
"""s of one stair of a slope (project choice; the box itself updates faster)."""
SHORTEST = 0.1
"""ms or cycles, the resolution of a dwell (M)."""
AT_ONCE = 360.0
"""degrees; PHASe:OFF at 360 waits for no angle [MANUAL]."""


@dataclass(frozen=True, slots=True)
class _Output:
    """What the output should be doing: V rms and Hz."""

    voltage: float
    frequency: float


class EmulatedChroma61845:
    """State and physics. Knows the mains terminals, its own errors; knows no text."""

    def __init__(self, world: World, options: c.Options) -> None:
        self._world, self._legs, self._third = world, options.legs, options.third_harmonic
        self._specimen = Specimen(ACCURACY, world.rng("chroma_61845"), options.misreads)
        self._start = (world.clock.now(), 0.0, 50.0)  # when, angle then (degrees), Hz since
        self._program: Program | None = None
        self._in_list = False
        self.value: dict[Command[Any], Any] = {}
        self.state = self.relay = False
        self._now = _Output(0.0, 50.0)
        world.plant.subscribe(self._changed)
        self.reset()

    def reset(self) -> None:
        """*RST: output off, relay open, defaults."""
        self.value = {
            c.PHASES: c.Phases.THREE,
            c.EDIT: c.Edit.ALL,
            c.SELECT: 1,
            c.PHASE_12: 120.0,
            c.PHASE_13: 240.0,
            c.START_ANGLE: 0.0,
            c.STOP_ANGLE: AT_ONCE,
            c.SHAPE: c.Shape.A,
            c.SHAPE_A: c.Wave.SINE,
            c.RANGE: c.VoltageRange.LOW,
            c.VOLTAGE: 0.0,
            c.VOLTAGE_LIMIT: 300.0,
            c.FREQUENCY: 60.0,
            c.CURRENT_LIMIT: c.PHASE_CURRENT,
            c.SLEW: 0.0,
            c.OUTPUT_MODE: c.Mode.FIXED,
            c.LIST_COUNT: 1,
            c.LIST_BASE: c.Base.TIME,
            c.LIST_DWELL: (),
            c.LIST_SHAPE: (),
            c.LIST_VOLTAGE_START: (),
            c.LIST_VOLTAGE_END: (),
            c.LIST_FREQUENCY_START: (),
            c.LIST_FREQUENCY_END: (),
            c.LIST_ANGLE: (),
        }
        self.state = self.relay = False
        self._drop()
        self._put(_Output(0.0, self.value[c.FREQUENCY]))

    # -- told

    def keep(self, command: Command[Any], value: Any) -> None:
        """A setting that acts later, or only when the output comes on."""
        self.value[command] = value

    def keep_when_off(self, command: Command[Any], value: Any) -> None:
        """A setting that is refused while the output is on."""
        if self.state and value != self.value[command]:
            raise ScpiError(-221)
        self.value[command] = value

    def set_voltage(self, voltage: float) -> None:
        full = 150.0 if self.value[c.RANGE] is c.VoltageRange.LOW else 300.0
        if voltage > min(full, self.value[c.VOLTAGE_LIMIT]):
            raise ScpiError(-222)
        self.value[c.VOLTAGE] = voltage
        self._follow()

    def set_frequency(self, frequency: float) -> None:
        self.value[c.FREQUENCY] = frequency
        self._follow()

    def set_mode(self, mode: c.Mode) -> None:
        self.value[c.OUTPUT_MODE] = mode
        if mode is c.Mode.FIXED:
            self.set_trigger(c.Trigger.OFF)

    def set_relay(self, closed: bool) -> None:
        if not closed:
            self.state = False
        self.relay = closed
        if not closed:
            self._drop()
            self._put(self._now)

    def set_state(self, on: bool) -> None:
        if on and not self.relay:
            raise ScpiError(-221)
        if on == self.state:
            return
        self.state = on
        self._drop()
        if on:
            self._put(_Output(self.value[c.VOLTAGE], self.value[c.FREQUENCY]), self.value[c.START_ANGLE])
        else:
            self._at_angle(self.value[c.STOP_ANGLE], lambda: self._put(self._now))

    def set_trigger(self, trigger: c.Trigger) -> None:
        if trigger is c.Trigger.ON:
            self._start_list()
        elif self._in_list:
            self._drop()
            self._follow()

    # -- asked

    def trigger(self) -> c.Trigger:
        return c.Trigger.RUNNING if self._in_list else c.Trigger.OFF

    def voltage(self) -> float:
        full = 150.0 if self.value[c.RANGE] is c.VoltageRange.LOW else 300.0
        return max(self._specimen.read("voltage", self._true.u, full), 0.0)

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
        if phase == 3 or not (self.state and self.relay):
            return Operating(0.0, 0.0, 0.0, 0.0)
        return plant.at("grid_l1" if phase == 1 else "grid_l2")

    def _follow(self) -> None:
        """Go to the immediate values, at the slew rate, unless a list has the output."""
        if not self.state or self._in_list:
            return
        self._drop()
        target = _Output(self.value[c.VOLTAGE], self.value[c.FREQUENCY])
        slew = self.value[c.SLEW] * 1000.0
        seconds = abs(target.voltage - self._now.voltage) / slew if slew > 0.0 else 0.0
        start = _Output(self._now.voltage, target.frequency)
        self._put(start if _climbs(start, target, seconds) else target)
        self._begin(self._stairs(start, target, self._world.clock.now(), seconds))

    def _stairs(self, start: _Output, end: _Output, at: float, seconds: float) -> Iterator[Step]:
        """From start to end; none when there is nothing to climb."""
        stairs = int(seconds / STEP) if _climbs(start, end, seconds) else 0
        for k in range(1, stairs + 1):
            share = k / stairs
            stair = _Output(
                start.voltage + share * (end.voltage - start.voltage),
                start.frequency + share * (end.frequency - start.frequency),
            )
            yield at + share * seconds, partial(self._put, stair)

    def _begin(self, steps: Iterator[Step]) -> None:
        self._program = Program(self._world.clock, steps)

    def _drop(self) -> None:
        """Forget every change that was still to come."""
        if self._program is not None:
            self._program.stop()
            self._program = None
        self._in_list = False

    def _put(self, output: _Output, jump_to: float | None = None) -> None:
        """The output takes these values now. jump_to: degrees of leg L1 from which it starts."""
        self._now = output
        on = self.state and self.relay
        antiphase = abs(self.value[c.PHASE_12] - 180.0) < 1.0
        two = self._legs == 2 and self.value[c.PHASES] is c.Phases.THREE and antiphase
        full = 150.0 if self.value[c.RANGE] is c.VoltageRange.LOW else 300.0
        u = max(self._specimen.read("voltage_set", output.voltage, full), 0.0) if output.voltage > 0.0 else 0.0
        f = self._specimen.read("frequency_set", output.frequency)
        jump = 0.0 if jump_to is None else jump_to - self._angle()
        self._world.plant.set_mains(Mains(on, (u, u if two else 0.0), f, jump, self._third))

    def _changed(self, when: float, event: object) -> None:
        """The plant tells at which angle a change of the mains found the wave."""
        if isinstance(event, MainsChanged):
            self._start = (when, (event.angle + event.mains.phase) % 360.0, event.mains.f)

    def _angle(self) -> float:
        """degrees of leg L1's wave now."""
        when, angle, frequency = self._start
        return (angle + 360.0 * frequency * (self._world.clock.now() - when)) % 360.0

    def _at_angle(self, angle: float, call: Any) -> None:
        """Do it when leg L1's wave next reaches an angle."""
        if angle >= AT_ONCE:
            call()
            return
        self._begin(iter([(self._reached(angle), call)]))

    def _reached(self, angle: float) -> float:
        """s, when leg L1's wave next passes an angle."""
        return self._world.clock.now() + ((angle - self._angle()) % 360.0) / (360.0 * self._start[2])

    # -- lists

    def _start_list(self) -> None:
        columns: Sequence[Sequence[Any]] = [
            self.value[k]
            for k in (
                c.LIST_DWELL,
                c.LIST_VOLTAGE_START,
                c.LIST_VOLTAGE_END,
                c.LIST_FREQUENCY_START,
                c.LIST_FREQUENCY_END,
                c.LIST_ANGLE,
            )
        ]
        if self.value[c.OUTPUT_MODE] is not c.Mode.LIST or not self.state:
            raise ScpiError(-211)
        if not columns[0] or len({len(column) for column in columns}) != 1:
            raise ScpiError(-221)
        if not any(dwell >= SHORTEST for dwell in columns[0]):
            raise ScpiError(-221)
        self._drop()
        self._in_list = True
        self._begin(self._points(list(zip(*columns, strict=True)), max(self.value[c.LIST_COUNT], 1)))

    def _points(self, points: Sequence[Sequence[Any]], times: int) -> Iterator[Step]:
        when = self._reached(points[0][5])
        timed = self.value[c.LIST_BASE] is c.Base.TIME
        for dwell, u0, u1, f0, f1, _ in chain.from_iterable(repeat(points, times)):
            dwell = round(dwell, 1)
            seconds = dwell / 1000.0 if timed else dwell / f0
            start, end = _Output(u0, f0), _Output(u1, f1)
            yield when, partial(self._put, start if _climbs(start, end, seconds) else end)
            yield from self._stairs(start, end, when, seconds)
            when += seconds
        yield when, self._end_list

    def _end_list(self) -> None:
        self._drop()
        self._put(_Output(self.value[c.VOLTAGE], self.value[c.FREQUENCY]))


def _climbs(start: _Output, end: _Output, seconds: float) -> bool:
    """Whether it goes by stairs, or at once."""
    return start != end and seconds >= STEP


def _handlers(grid: EmulatedChroma61845) -> Handlers:
    def pair(command: Command[Any], setter: Any) -> tuple[Any, Any]:
        return (lambda value: setter(command, value)), (lambda: grid.value[command])

    fixed = (c.PHASES, c.PHASE_12, c.PHASE_13, c.RANGE)
    own = (c.VOLTAGE, c.FREQUENCY, c.OUTPUT_MODE)
    return {
        **{command: pair(command, grid.keep_when_off) for command in fixed},
        **{command: pair(command, grid.keep) for command in grid.value if command not in (*fixed, *own)},
        c.VOLTAGE: (grid.set_voltage, lambda: grid.value[c.VOLTAGE]),
        c.FREQUENCY: (grid.set_frequency, lambda: grid.value[c.FREQUENCY]),
        c.OUTPUT_MODE: (grid.set_mode, lambda: grid.value[c.OUTPUT_MODE]),
        c.STATE: (grid.set_state, lambda: grid.state),
        c.RELAY: (grid.set_relay, lambda: grid.relay),
        c.TRIGGER: (grid.set_trigger, grid.trigger),
        c.CLEAR_PROTECTION: (lambda: None, None),
        c.LIST_COUPLING: (lambda _: None, None),
        c.MEASURED_VOLTAGE: (None, grid.voltage),
        c.MEASURED_CURRENT: (None, grid.current),
        c.MEASURED_POWER: (None, grid.power),
        c.MEASURED_FREQUENCY: (None, grid.frequency),
    }


def build(world: World, options: c.Options) -> ScpiFace:
    """The instrument on the mains terminals of a world."""
    grid = EmulatedChroma61845(world, options)
    return ScpiFace(
        "Chroma ATE,61845,EMULATED1,1.00",
        _handlers(grid),
        reset=grid.reset,
        latency=exchange_time(COMMAND_TIME, QUERY_TIME),
    )
