"""Emulated DSOX4024A: what the box samples at the probes it is wired to.

A single acquisition fills what lies before the trigger, and is armed then until it is forced (its trigger source has no
signal; a trigger forced sooner is taken when it is armed, project choice); then it fills the screen and stops. The
moment it stops, the waves of the channels that are on are rendered from what the plant has recorded, once, at the
points that will be sent: the raw record in between is never made. Points chosen later are rendered anew as long as the
plant remembers (its horizon), else the data are gone (-230).

Each channel is a specimen with a gain and an offset of its own, noise and converter steps, and stops at its rails; the
time base is off by a few parts in a million. Code 0 means a hole and is never a sample, so the low rail is code 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from instruments.keysight_dsox import commands as c
from rig.clock import Cancel, Phase
from rig.errors import UseError
from rig.metrology.accuracy import Specimen, read_accuracy
from rig.plant.plant import Plant
from rig.plant.ports import WavePort
from rig.plant.world import World
from rig.scpi.command import Command
from rig.scpi.errors import ScpiError
from rig.scpi.face import Handlers, ScpiFace

ACCURACY = read_accuracy(Path(__file__).with_name("accuracy.toml"))
COMMAND_TIME, QUERY_TIME = 0.001, 0.002
"""s of an exchange over USB (project choice)."""
TRANSFER = 20e6
"""bytes/s of a block over USB 2.0 (project choice)."""
RATE = 2.5e9
"""S/s at most with all channels on (data sheet, M)."""
STALE = "Data corrupt or stale"


LANE = "keysight_dsox"
"""Where a record is rendered in real time, so that nothing else of the world waits for it."""
AGAIN = 0.05
"""s until a record that found the lane busy is tried again (project choice)."""
_Codes = dict[tuple[int, int], npt.NDArray[np.uint16]]
"""By channel and number of points."""


@dataclass(frozen=True, slots=True)
class _Record:
    """One acquisition. start: s, bench time of the left edge. length: s on the screen. raw: points in memory."""

    start: float
    length: float
    origin: float
    raw: int
    high: bool


class _Input:
    """One channel: its wiring and settings, and the errors of this specimen."""

    def __init__(self, number: int, port: WavePort | None, world: World, misreads: Mapping[str, float]) -> None:
        self.port = port
        self.rng = world.rng(f"keysight_dsox channel {number}")
        self.gain, self.offset = Specimen(ACCURACY, self.rng, misreads).errors("voltage", 1.0)
        self.reset()

    def reset(self) -> None:
        self.on, self.probe, self.range, self.centre = False, 1.0, 40.0, 0.0


class EmulatedKeysightDsox:
    """State and physics. Knows its probes, its own errors; knows no text."""

    def __init__(self, world: World, options: c.Options) -> None:
        self._world = world
        self.inputs = {
            n: _Input(n, options.channels[n].port if n in options.channels else None, world, options.misreads)
            for n in c.CHANNELS
        }
        self._slow = Specimen(ACCURACY, world.rng("keysight_dsox"), options.misreads).errors("time", 1.0)[0]
        self._ending: Cancel = lambda: None
        self.value: dict[Command[Any], Any] = {}
        self.reset()

    def reset(self) -> None:
        """*RST."""
        self.value = {
            c.ACQUIRE: c.Acquire.NORMAL,
            c.REFERENCE: c.Reference.CENTER,
            c.TIME_RANGE: 1e-3,
            c.POSITION: 0.0,
            c.SWEEP: c.Sweep.AUTO,
            c.TRIGGER_SOURCE: c.Source.CHANNEL1,
            c.WAVE_SOURCE: c.Source.CHANNEL1,
            c.WAVE_FORM: c.Form.BYTE,
            c.WAVE_ORDER: c.Order.MSB_FIRST,
            c.WAVE_UNSIGNED: True,
            c.WAVE_RECORD: c.Points.NORMAL,
            c.WAVE_POINTS: 1000,
        }
        for channel in self.inputs.values():
            channel.reset()
        self.inputs[1].on = True
        self._waits = self._arms = self._was_triggered = self._running = False
        self._begun = 0.0
        self._record: _Record | None = None
        self._taking: _Record | None = None
        self._codes: _Codes = {}
        self.stop()

    # -- told

    def keep(self, command: Command[Any], value: Any) -> None:
        self.value[command] = value

    def set_on(self, on: bool, number: int) -> None:
        self.inputs[number].on = on

    def set_probe(self, attenuation: float, number: int) -> None:
        """The range at the input stays, so the range at the tip follows."""
        channel = self.inputs[number]
        channel.range *= attenuation / channel.probe
        channel.probe = attenuation

    def set_range(self, full: float, number: int) -> None:
        channel = self.inputs[number]
        if not c.SMALLEST * channel.probe * 0.9999 <= full <= c.LARGEST * channel.probe * 1.0001:
            raise ScpiError(-222)
        channel.range = full

    def set_offset(self, volts: float, number: int) -> None:
        self.inputs[number].centre = volts

    def set_coupling(self, coupling: c.Coupling, number: int) -> None:
        if coupling is not c.Coupling.DC:
            raise ScpiError(-221, "Settings conflict; only DC coupling is emulated")

    def single(self) -> None:
        self.stop()
        self._record, self._codes = None, {}
        self._begun = self._world.clock.now()
        self._waits = self._arms = self._running = True

    def stop(self) -> None:
        self._ending()
        self._ending = lambda: None
        self._waits = self._arms = self._running = False
        self._taking = None

    def force(self) -> None:
        """The trigger, now or as soon as it is armed; ignored unless it waits for one."""
        if not self._waits:
            return
        now, length, edge = self._world.clock.now(), self.value[c.TIME_RANGE], self._edge()
        if not self._armed():
            self._ending()
            self._ending = self._world.clock.at(self._begun - edge, self.force, Phase.OBSERVE)
            return
        self._waits, self._was_triggered = False, True
        pairs = ((1, 2), (3, 4))
        both = any(self.inputs[a].on and self.inputs[b].on for a, b in pairs)
        raw = min(c.MEMORY // 2 if both else c.MEMORY, max(int(length * RATE), 100))
        record = _Record(now + edge, length, edge, raw, self.value[c.ACQUIRE] is c.Acquire.HIGH_RESOLUTION)
        self._taking = record
        end = max(record.start + length / (1.0 + self._slow), now)
        self._ending = self._world.clock.at(end, lambda: self._end(record), Phase.OBSERVE)

    def _end(self, record: _Record) -> None:
        """The screen is full: what is on it is taken now, before the plant forgets it. Aside: it takes its time."""
        plant = self._world.plant
        took = self._world.clock.aside(LANE, lambda: self._all(plant, record), lambda codes: self._show(record, codes))
        if not took:  # still at a record that was given up
            self._ending = self._world.clock.at(self._world.clock.now() + AGAIN, lambda: self._end(record))

    def _all(self, plant: Plant, record: _Record) -> _Codes:
        """Every channel that is on, as many points as would be sent now."""
        found: _Codes = {}
        count, step = self._spread(record)
        for number, channel in self.inputs.items():
            if channel.on:
                try:
                    found[number, count] = self._sampled(plant, record, channel, count, step)
                except ScpiError:
                    break  # longer than the plant remembers: whoever asks is told
        return found

    def _show(self, record: _Record, codes: _Codes) -> None:
        if self._taking is record:  # else it was given up meanwhile
            self._record, self._codes, self._running, self._taking = record, codes, False, None

    # -- asked

    def armed(self) -> int:
        """Whether it has been since this was last read."""
        if not self._arms or (self._waits and not self._armed()):
            return 0
        self._arms = False
        return 1

    def triggered(self) -> int:
        was, self._was_triggered = self._was_triggered, False
        return int(was)

    def condition(self) -> int:
        return (c.RUN if self._running else 0) | (1 << 5 if self._armed() else 0)

    def points(self) -> int:
        return 0 if self._record is None else self._spread(self._record)[0]

    def preamble(self) -> c.Preamble:
        record, channel = self._finished(), self._selected()
        count, step = self._spread(record)
        word = self.value[c.WAVE_FORM] is c.Form.WORD
        steps = 65536 if word else 256
        return c.Preamble(
            form=int(word),
            kind=3 if record.high else 0,
            points=count,
            count=1,
            x_increment=step * record.length / record.raw,
            x_origin=record.origin,
            x_reference=0.0,
            y_increment=channel.range / steps,
            y_origin=channel.centre,
            y_reference=steps / 2 if self.value[c.WAVE_UNSIGNED] else 0.0,
        )

    def data(self) -> bytes:
        self._finished()
        codes: npt.NDArray[Any] = self._taken(c.ANALOG.index(self.value[c.WAVE_SOURCE]) + 1)
        signed = not self.value[c.WAVE_UNSIGNED]
        if self.value[c.WAVE_FORM] is c.Form.BYTE:
            codes = (codes >> 8).astype(np.uint8)
            return (codes.astype(np.int16) - 128).astype(np.int8).tobytes() if signed else codes.tobytes()
        order = "<" if self.value[c.WAVE_ORDER] is c.Order.LSB_FIRST else ">"
        if signed:
            return (codes.astype(np.int32) - 32768).astype(f"{order}i2").tobytes()
        return codes.astype(f"{order}u2").tobytes()

    def transfer_time(self) -> float:
        """s the block that would be sent now takes."""
        width = 2 if self.value[c.WAVE_FORM] is c.Form.WORD else 1
        return self.points() * width / TRANSFER

    # -- inside

    def _edge(self) -> float:
        """s from the trigger to the left edge of the screen."""
        division = {c.Reference.LEFT: 1.0, c.Reference.CENTER: 5.0, c.Reference.RIGHT: 9.0}[self.value[c.REFERENCE]]
        return float(self.value[c.POSITION] - division * self.value[c.TIME_RANGE] / c.DIVISIONS)

    def _armed(self) -> bool:
        """It waits for a trigger, and what lies before it is full."""
        return self._waits and self._world.clock.now() >= self._begun - self._edge()

    def _finished(self) -> _Record:
        if self._record is None or not self._selected().on:
            raise ScpiError(-230, STALE)
        return self._record

    def _selected(self) -> _Input:
        source = self.value[c.WAVE_SOURCE]
        if source not in c.ANALOG:
            raise ScpiError(-221)
        return self.inputs[c.ANALOG.index(source) + 1]

    def _spread(self, record: _Record) -> tuple[int, int]:
        """Points that are sent, and how many points in memory lie from one to the next."""
        most = c.MEASUREMENT_RECORD if self.value[c.WAVE_RECORD] is c.Points.NORMAL else record.raw
        step = max(record.raw // min(most, self.value[c.WAVE_POINTS], record.raw), 1)
        if record.raw // step > most:
            step += 1
        return record.raw // step, step

    def _taken(self, number: int) -> npt.NDArray[np.uint16]:
        """Codes of one channel, 16 bit with the converter's bits in front."""
        record, channel = self._record, self.inputs[number]
        if record is None:
            raise ScpiError(-230, STALE)
        count, step = self._spread(record)
        known = self._codes.get((number, count))
        if known is None:
            known = self._codes[number, count] = self._sampled(self._world.plant, record, channel, count, step)
        return known

    def _sampled(self, plant: Plant, record: _Record, channel: _Input, count: int, step: int) -> npt.NDArray[np.uint16]:
        interval = step * record.length / record.raw / (1.0 + self._slow)
        high = record.high and self.value[c.WAVE_RECORD] is c.Points.NORMAL
        spec = ACCURACY["voltage_high_resolution" if high else "voltage"].ranges[0]
        bits = 12 if high else 8
        if channel.port is None:
            volts = np.zeros(count, dtype=np.float32)
        else:
            try:
                volts = plant.waves(channel.port, record.start, count * interval, 1.0 / interval)
            except UseError as error:
                raise ScpiError(-230, f"{STALE}; {error}") from None
        share = volts * np.float32((1.0 + channel.gain) / channel.range)
        share += np.float32(channel.offset - channel.centre / channel.range)
        share += channel.rng.standard_normal(count, dtype=np.float32) * np.float32(spec.noise / 100.0)
        codes = np.clip(np.rint((share + np.float32(0.5)) * np.float32(1 << bits)), 1, (1 << bits) - 1)
        words: npt.NDArray[np.uint16] = codes.astype(np.uint16) << np.uint16(16 - bits)
        return words


def _handlers(scope: EmulatedKeysightDsox) -> Handlers:
    def kept(command: Command[Any]) -> tuple[Any, Any]:
        return (lambda value: scope.keep(command, value)), (lambda: scope.value[command])

    return {
        **{command: kept(command) for command in scope.value if command is not c.WAVE_POINTS},
        c.WAVE_POINTS: (lambda n: scope.keep(c.WAVE_POINTS, n), lambda: scope.points()),
        c.DISPLAY: (scope.set_on, lambda n: scope.inputs[n].on),
        c.PROBE: (scope.set_probe, lambda n: scope.inputs[n].probe),
        c.RANGE: (scope.set_range, lambda n: scope.inputs[n].range),
        c.OFFSET: (scope.set_offset, lambda n: scope.inputs[n].centre),
        c.COUPLING: (scope.set_coupling, lambda _: c.Coupling.DC),
        c.SINGLE: (scope.single, None),
        c.STOP: (scope.stop, None),
        c.FORCE: (scope.force, None),
        c.ARMED: (None, scope.armed),
        c.TRIGGERED: (None, scope.triggered),
        c.CONDITION: (None, scope.condition),
        c.PREAMBLE: (None, scope.preamble),
        c.DATA: (None, scope.data),
    }


def build(world: World, options: c.Options) -> ScpiFace:
    """The instrument at the probes of a world."""
    scope = EmulatedKeysightDsox(world, options)

    def latency(line: str) -> float:
        """An exchange, and the block where it asks for one."""
        asks = "?" in line
        block = scope.transfer_time() if asks and ":DATA" in line.upper() else 0.0
        return (QUERY_TIME if asks else COMMAND_TIME) + block

    return ScpiFace(
        "KEYSIGHT TECHNOLOGIES,DSO-X 4024A,EMULATED1,07.30.2019051434",
        _handlers(scope),
        reset=scope.reset,
        latency=latency,
    )
