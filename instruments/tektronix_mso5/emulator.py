"""Emulated MSO58: what the box samples at the probes it is wired to.

A single sequence is ready until its trigger is forced (no edge comes by itself); then it fills its record and stops.
The moment it stops, the waves of the channels that are on are rendered from what the plant has recorded, once. A record
longer than the plant remembers (its horizon) is gone: its source is not active (2244). Whoever stops a sequence before
its end has nothing to read either.

Each channel is a specimen with a gain and an offset of its own, and so is the probe before it; noise, converter steps,
rails. The time base is off by a part in a million. What happens is readable (EVMsg?) only once *ESR? was read.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from instruments.tektronix_mso5 import commands as c
from rig.clock import Cancel, Phase
from rig.errors import UseError
from rig.metrology.accuracy import Specimen, read_accuracy
from rig.plant.plant import Plant
from rig.plant.world import World
from rig.scpi.command import Command
from rig.scpi.errors import WORDS, Entry, ScpiError
from rig.scpi.face import Handlers, ScpiFace

ACCURACY = read_accuracy(Path(__file__).with_name("accuracy.toml"))
NOISE = ACCURACY["channel"].ranges[0].noise / 100.0
COMMAND_TIME, QUERY_TIME = 0.001, 0.002
"""s of an exchange over LAN (project choice)."""
TRANSFER = 20e6
"""bytes/s of a block over LAN (project choice)."""
FASTEST = 6.25e9
STEPS = (1.25, 3.125, 6.25)
"""Sample rates there are, times powers of ten (data sheet, M)."""
TOP, BOTTOM = 32767, -32768
INACTIVE = (2244, "Source waveform is not active")
EVENTS = {code: Entry(-code, words) for code, words in WORDS.items() if code < 0}
"""The family's own numbers of what SCPI-99 counts below 0 ([PM] messages)."""
EMPTY = Entry(0, "No events to report - queue empty")
PENDING = Entry(1, "No events to report - new events pending *ESR?")
SWITCHED_ON = Entry(401, "Power on; ")


LANE = "tektronix_mso5"
"""Where a record is rendered in real time, so that nothing else of the world waits for it."""
AGAIN = 0.05
"""s until a record that found the lane busy is tried again (project choice)."""


@dataclass(frozen=True, slots=True)
class _Record:
    """One acquisition. trigger: s, bench time. before: points before it. interval: s, true time between two points."""

    trigger: float
    before: int
    points: int
    rate: float
    interval: float
    high: bool

    @property
    def start(self) -> float:
        return self.trigger - self.before * self.interval

    @property
    def end(self) -> float:
        return self.start + self.points * self.interval


class _Input:
    """One channel: its wiring and settings, and the errors of this specimen and of its probe."""

    def __init__(self, number: int, channel: c.Channel | None, world: World) -> None:
        self.port = None if channel is None else channel.port
        self.unit = "V" if channel is None else channel.unit
        self.rng = world.rng(f"tektronix_mso5 channel {number}")
        self._gain, self._balance = Specimen(ACCURACY, self.rng).errors("channel", 1.0)
        function = "current_probe" if self.unit == "A" else "voltage_probe"
        probe = ACCURACY[function].ranges[0].full
        self._probe_gain, self._probe_zero = Specimen(ACCURACY, self.rng).errors(function, probe)
        self.reset()

    def reset(self) -> None:
        self.on, self.scale, self.position, self.offset = False, 1.0, 0.0, 0.0

    @property
    def zero(self) -> float:
        """V or A at code 0."""
        return self.offset - self.position * self.scale

    def codes(self, true: npt.NDArray[np.float32], high: bool) -> npt.NDArray[np.int16]:
        """What the converter makes of the values at the probe's tip."""
        full = self.scale * c.DIVISIONS
        shown = true * np.float32((1.0 + self._gain) * (1.0 + self._probe_gain))
        shown += np.float32(self._probe_zero + self._balance * full - self.zero)
        shown += self.rng.standard_normal(len(true), dtype=np.float32) * np.float32(NOISE * full)
        step = 1 if high else 16
        codes = np.rint(shown * np.float32(c.LEVELS / self.scale / step)) * step
        whole: npt.NDArray[np.int16] = np.clip(codes, BOTTOM, TOP).astype(np.int16)
        return whole


class EmulatedTektronixMso5:
    """State and physics. Knows its probes, its own errors; knows no text."""

    def __init__(self, world: World, options: c.Options) -> None:
        self._world = world
        self.inputs = {n: _Input(n, options.channels.get(n), world) for n in c.CHANNELS}
        self._slow = Specimen(ACCURACY, world.rng("tektronix_mso5")).errors("time", 1.0)[0]
        self._ending: Cancel = lambda: None
        self.value: dict[Command[Any], Any] = {c.HEADER: True}
        self.reset()

    def reset(self) -> None:
        """*RST: all but how it talks."""
        self.value |= {
            c.ACQUIRE: c.Acquire.SAMPLE,
            c.STOP_AFTER: c.StopAfter.RUN_STOP,
            c.HORIZONTAL: c.Horizontal.AUTO,
            c.DELAY: True,
            c.TRIGGER_AT: 50.0,
            c.RATE: 3.125e9,
            c.POINTS: 1000,
            c.TRIGGER_TYPE: c.TriggerType.EDGE,
            c.TRIGGER_MODE: c.TriggerMode.AUTO,
            c.TRIGGER_SOURCE: c.Source.CH1,
            c.DATA_SOURCE: c.Source.CH1,
            c.DATA_ENCODING: c.Encoding.SIGNED_MSB,
            c.DATA_WIDTH: 1,
            c.DATA_START: 1,
            c.DATA_STOP: 1000,
        }
        self.levels = dict.fromkeys(c.CHANNELS, 0.0)
        for channel in self.inputs.values():
            channel.reset()
        self.inputs[1].on = True
        self.running = False
        self._record: _Record | None = None
        self._codes: dict[int, npt.NDArray[np.int16]] = {}
        self._begun = self._ready_at = 0.0
        self._taking: _Record | None = None
        self.run(False)

    # -- told

    def keep(self, command: Command[Any], value: Any) -> None:
        self.value[command] = value

    def set_scale(self, scale: float, number: int) -> None:
        """V or A to a division, within what the probe can do."""
        channel = self.inputs[number]
        low, high = c.SMALLEST[channel.unit] / c.DIVISIONS, c.LARGEST[channel.unit] / c.DIVISIONS
        if channel.port is not None and not low * 0.9999 <= scale <= high * 1.0001:
            raise ScpiError(-222)
        channel.scale = scale

    def set_on(self, on: bool, number: int) -> None:
        self.inputs[number].on = on

    def set_position(self, divisions: float, number: int) -> None:
        self.inputs[number].position = divisions

    def set_offset(self, offset: float, number: int) -> None:
        self.inputs[number].offset = offset

    def set_coupling(self, coupling: c.Coupling, number: int) -> None:
        if coupling is not c.Coupling.DC:
            raise ScpiError(-221, "Settings conflict; only DC coupling is emulated")

    def set_level(self, level: float, number: int) -> None:
        self.levels[number] = level

    def set_rate(self, rate: float) -> None:
        """The next rate it has; by hand only."""
        self._by_hand()
        ten = 10.0 ** math.floor(math.log10(rate / STEPS[0]))
        steps = [step * ten for step in STEPS] + [STEPS[0] * ten * 10.0]
        self.value[c.RATE] = min(next(step for step in steps if step >= rate * (1.0 - 1e-9)), FASTEST)

    def set_points(self, points: int) -> None:
        """By hand only."""
        self._by_hand()
        self.value[c.POINTS] = points

    def _by_hand(self) -> None:
        if self.value[c.HORIZONTAL] is not c.Horizontal.MANUAL:
            raise ScpiError(-221, "Settings conflict; horizontal mode is not manual")

    def run(self, on: bool) -> None:
        """Begin a single sequence, or stop whatever goes on. What a sequence had not finished is gone."""
        self._ending()
        self._ending = lambda: None
        if self._taking is not None or on:
            self._record, self._codes = None, {}
        self.running, self._taking = on, None
        if not on:
            return
        if self.value[c.STOP_AFTER] is not c.StopAfter.SEQUENCE:
            self.running = False
            raise ScpiError(-221, "Settings conflict; only a single sequence is emulated")
        share = 0.5 if self.value[c.DELAY] else self.value[c.TRIGGER_AT] / 100.0
        self._begun = self._world.clock.now()
        self._ready_at = self._begun + share * self.value[c.POINTS] / self.value[c.RATE]
        if self.value[c.TRIGGER_MODE] is c.TriggerMode.AUTO:
            self._ending = self._world.clock.at(self._ready_at, self._trigger, Phase.OBSERVE)

    def force(self, _: c.Force) -> None:
        """The trigger, now; ignored unless it waits for one."""
        if self.state() is c.TriggerState.READY:
            self._trigger()

    def _trigger(self) -> None:
        rate, points = self.value[c.RATE], self.value[c.POINTS]
        share = 0.5 if self.value[c.DELAY] else self.value[c.TRIGGER_AT] / 100.0
        self._taking = record = _Record(
            trigger=self._world.clock.now(),
            before=round(share * points),
            points=points,
            rate=rate,
            interval=1.0 / rate / (1.0 + self._slow),
            high=self.value[c.ACQUIRE] is c.Acquire.HIGH_RESOLUTION,
        )
        end = max(record.end, self._world.clock.now())
        self._ending = self._world.clock.at(end, lambda: self._end(record), Phase.OBSERVE)

    def _end(self, record: _Record) -> None:
        """The record is full: what is in it is taken now, before the plant forgets it. Aside: it takes its time."""
        plant = self._world.plant
        took = self._world.clock.aside(LANE, lambda: self._all(plant, record), lambda codes: self._show(record, codes))
        if not took:  # still at a record that was given up
            self._ending = self._world.clock.at(self._world.clock.now() + AGAIN, lambda: self._end(record))

    def _all(self, plant: Plant, record: _Record) -> dict[int, npt.NDArray[np.int16]] | None:
        try:
            return {n: self._sampled(plant, record, one) for n, one in self.inputs.items() if one.on}
        except UseError:
            return None  # longer than the plant remembers: whoever asks is told

    def _show(self, record: _Record, codes: dict[int, npt.NDArray[np.int16]] | None) -> None:
        if self._taking is not record:
            return  # given up meanwhile
        self.running, self._taking = False, None
        if codes is not None:
            self._record, self._codes = record, codes

    # -- asked

    def state(self) -> c.TriggerState:
        """Where the acquisition stands."""
        if not self.running:
            return c.TriggerState.SAVE
        if self._taking is not None:
            return c.TriggerState.TRIGGERED
        if self.value[c.TRIGGER_MODE] is c.TriggerMode.AUTO:
            return c.TriggerState.AUTO
        return c.TriggerState.READY if self._world.clock.now() >= self._ready_at else c.TriggerState.ARMED

    def span(self) -> tuple[int, int]:
        """First and last point that are sent, counted from 1."""
        record, _ = self._selected()
        low, high = sorted((self.value[c.DATA_START], self.value[c.DATA_STOP]))
        return min(low, record.points), min(high, record.points)

    def points(self) -> int:
        low, high = self.span()
        return high - low + 1

    def before(self) -> int:
        return self._selected()[0].before - self.span()[0] + 1

    def step(self) -> float:
        return 1.0 / self._selected()[0].rate

    def rest(self) -> float:
        self._selected()
        return 0.0

    def scale(self) -> float:
        one = self._selected()[1].scale / c.LEVELS
        return one if self.value[c.DATA_WIDTH] == 2 else one * 256.0

    def centre(self) -> float:
        self._selected()
        return 0.0

    def zero(self) -> float:
        return self._selected()[1].zero

    def unit(self) -> str:
        return self._selected()[1].unit

    def curve(self) -> bytes:
        low, high = self.span()
        codes = self._codes[c.ANALOG.index(self.value[c.DATA_SOURCE]) + 1][low - 1 : high]
        encoding, wide = self.value[c.DATA_ENCODING], self.value[c.DATA_WIDTH] == 2
        narrow = codes if wide else codes >> 8
        if encoding in (c.Encoding.POSITIVE_LSB, c.Encoding.POSITIVE_MSB):
            half = 32768 if wide else 128
            narrow, kind = narrow.astype(np.int32) + half, "u"
        else:
            kind = "i"
        order = "<" if encoding in (c.Encoding.SIGNED_LSB, c.Encoding.POSITIVE_LSB) else ">"
        return bytes(narrow.astype(f"{order}{kind}{2 if wide else 1}").tobytes())

    def transfer_time(self) -> float:
        """s the block that would be sent now takes."""
        try:
            return self.points() * int(self.value[c.DATA_WIDTH]) / TRANSFER
        except ScpiError:
            return 0.0

    # -- inside

    def _selected(self) -> tuple[_Record, _Input]:
        number = c.ANALOG.index(self.value[c.DATA_SOURCE]) + 1
        if self._record is None or number not in self._codes:
            raise ScpiError(*INACTIVE)
        return self._record, self.inputs[number]

    def _sampled(self, plant: Plant, record: _Record, channel: _Input) -> npt.NDArray[np.int16]:
        if channel.port is None:
            true = np.zeros(record.points, dtype=np.float32)
        else:
            seconds = record.points * record.interval
            true = plant.waves(channel.port, record.start, seconds, 1.0 / record.interval)
        return channel.codes(true, record.high)


class _Face(ScpiFace):
    """Its event queue: what has happened becomes readable by reading *ESR?. Built with the power-on event in it."""

    _readable = 0

    def _read_esr(self) -> int:
        self._readable = len(self._queue)
        return super()._read_esr()

    def _next_error(self) -> Entry:
        if not self._queue:
            return EMPTY
        if self._readable <= 0:
            return PENDING
        self._readable -= 1
        return super()._next_error()


def _handlers(scope: EmulatedTektronixMso5) -> Handlers:
    def kept(command: Command[Any]) -> tuple[Any, Any]:
        return (lambda value: scope.keep(command, value)), (lambda: scope.value[command])

    return {
        **{command: kept(command) for command in scope.value},
        c.RATE: (scope.set_rate, lambda: scope.value[c.RATE]),
        c.POINTS: (scope.set_points, lambda: scope.value[c.POINTS]),
        c.SCALE: (scope.set_scale, lambda n: scope.inputs[n].scale),
        c.POSITION: (scope.set_position, lambda n: scope.inputs[n].position),
        c.OFFSET: (scope.set_offset, lambda n: scope.inputs[n].offset),
        c.COUPLING: (scope.set_coupling, lambda _: c.Coupling.DC),
        c.PROBE_UNITS: (None, lambda n: scope.inputs[n].unit),
        c.DISPLAY: (scope.set_on, lambda n: scope.inputs[n].on),
        c.RUN: (scope.run, lambda: scope.running),
        c.TRIGGER_LEVEL: (scope.set_level, lambda n: scope.levels[n]),
        c.FORCE: (scope.force, None),
        c.TRIGGER_STATE: (None, scope.state),
        c.OUT_POINTS: (None, scope.points),
        c.OUT_BEFORE: (None, scope.before),
        c.OUT_STEP: (None, scope.step),
        c.OUT_REST: (None, scope.rest),
        c.OUT_SCALE: (None, scope.scale),
        c.OUT_CENTRE: (None, scope.centre),
        c.OUT_ZERO: (None, scope.zero),
        c.OUT_UNIT: (None, scope.unit),
        c.CURVE: (None, scope.curve),
    }


def build(world: World, options: c.Options) -> ScpiFace:
    """The instrument at the probes of a world."""
    scope = EmulatedTektronixMso5(world, options)

    def header(command: Command[Any], suffixes: tuple[int, ...]) -> str:
        """What stands before a reply while HEADer is on, never before a common command's."""
        if not scope.value[c.HEADER] or command.header.startswith("*"):
            return ""
        long = command.header.upper()
        for number in suffixes:
            long = long.replace("<N>", str(number), 1)
        return f":{long} "

    def latency(line: str) -> float:
        """An exchange, and the block where it asks for one."""
        if "?" not in line:
            return COMMAND_TIME
        return QUERY_TIME + (scope.transfer_time() if "CURV" in line.upper() else 0.0)

    face = _Face(
        "TEKTRONIX,MSO58,EMULATED1,CF:91.1CT FV:1.20.2.6674",
        _handlers(scope),
        errors=c.EVENT,
        reset=scope.reset,
        latency=latency,
        prefix=header,
        translate=EVENTS,
        depth=32,
    )
    face.fail(SWITCHED_ON)
    return face
