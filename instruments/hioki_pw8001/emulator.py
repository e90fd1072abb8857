"""Emulated Hioki PW8001: what the box shows of the ports its channels are wired to.

Data updates run freely from a phase of their own; the bench does not know it. At the end of each one all channels are
sampled in one clock event which only reads (OBSERVE). What a reading is made from is the mean of the two samples that
bound its update, exact for what is steady or moves in a straight line. Errors, noise and rounding are drawn when a
value is first asked for, once for each update. THD is rendered from the waves of the very interval.

U and I below 0.5 % of the range are shown as zero, above 150 % as over range; after a change of range there is no value
until a whole update has gone by. What its panel is set to (the data update rate) is the emulator's own option.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np

from instruments.hioki_pw8001 import commands as c
from rig.clock import Phase
from rig.errors import UseError
from rig.metrology.accuracy import Specimen, read_accuracy
from rig.plant.ports import Operating, Port, WavePort
from rig.plant.world import World
from rig.scpi.errors import COMMAND_ERROR, DEVICE_ERROR, EXECUTION_ERROR, QUERY_ERROR, Entry, ScpiError
from rig.scpi.face import ScpiFace, exchange_time

ACCURACY = read_accuracy(Path(__file__).with_name("accuracy.toml"))
COMMAND_TIME, QUERY_TIME = 0.003, 0.005
"""s of an exchange over TCP (project choice)."""
ORDERS = 40
"""Highest harmonic of THD (IEC 61000-4-7)."""
PER_CYCLE = 128
"""Samples a cycle for THD: order 40 stays well below half of it (project choice)."""
LIVE = 0.03
"""Fraction of the voltage range below which there is no frequency to find (project choice)."""
DEAD = Operating(0.0, 0.0, 0.0, 0.0)
FAULTS = COMMAND_ERROR | EXECUTION_ERROR | DEVICE_ERROR | QUERY_ERROR


class _Point(NamedTuple):
    """A channel's basic figures as shown, and what is true. inf: over range."""

    u: float
    i: float
    p: float
    true: Operating


@dataclass
class _Update:
    """One update: the samples at its two ends by channel, and what has been shown of it."""

    since: float
    until: float
    before: Sequence[Operating]
    after: Sequence[Operating]
    points: dict[int, _Point] = field(default_factory=dict)
    shown: dict[str, float] = field(default_factory=dict)


class _Input:
    """One channel: its wiring, its ranges and its own errors."""

    def __init__(self, number: int, port: Port | None, world: World) -> None:
        self.port, self.dc = port, port == "dc"
        self.specimen = Specimen(ACCURACY, world.rng(f"hioki_pw8001 channel {number}"))
        kind = "_dc" if self.dc else ""
        self._row = self.specimen.row((f"voltage{kind}", f"current{kind}", f"power{kind}"), 1.0)
        self.since = -math.inf  # s of the last change of range
        self.reset()

    def reset(self) -> None:
        self.full = {"u": c.VOLTAGE_RANGES[-1], "i": c.CURRENT_RANGES[-1]}
        self.auto = {"u": True, "i": True}

    def range(self, kind: str, value: float) -> float:
        """Full scale in use for a value: fixed, or the smallest that holds it."""
        if not self.auto[kind]:
            return self.full[kind]
        ranges = c.VOLTAGE_RANGES if kind == "u" else c.CURRENT_RANGES
        return next((full for full in ranges if abs(value) <= 1.1 * full), ranges[-1])

    def point(self, before: Operating, after: Operating) -> _Point:
        """What it shows for an update between two samples: U, I and P are always read together."""
        true = _between(before, after, self.dc)
        volts, amperes = self.range("u", true.u), self.range("i", true.i)
        u, i, p = self._row((true.u / volts, true.i / amperes, true.p / (volts * amperes)))
        over_u, over_i = abs(true.u) > c.OVER_RANGE * volts, abs(true.i) > c.OVER_RANGE * amperes
        return _Point(
            math.inf if over_u else u * volts if abs(u) >= c.ZERO else 0.0,
            math.inf if over_i else i * amperes if abs(i) >= c.ZERO else 0.0,
            math.inf if over_u or over_i else p * volts * amperes,
            true,
        )


class EmulatedHiokiPw8001:
    """State and physics. Knows the ports it is wired to, its own errors; knows no text."""

    def __init__(self, world: World, options: c.Options) -> None:
        self._world, self._period = world, options.update
        wired = {n: channel.port for n, channel in options.channels.items()}
        self.inputs = {n: _Input(n, wired.get(n), world) for n in range(1, c.CHANNELS + 1)}
        self._ports = [self.inputs[n].port for n in sorted(self.inputs)]
        self._samples: Sequence[Operating] = ()
        self._begun = 0.0
        self._latest: _Update | None = None
        self._held: _Update | None = None
        self.event, self.header, self.hold = 0, True, False
        start = world.clock.now() + self._period * float(world.rng("hioki_pw8001").random())
        world.clock.at(start, self._run, Phase.OBSERVE)

    def reset(self) -> None:
        """*RST: auto range, nothing held. How it communicates and updates stays."""
        self.hold, self._held = False, None
        for channel in self.inputs.values():
            channel.reset()
            channel.since = self._world.clock.now()

    # -- updates

    def _run(self) -> None:
        self._samples, self._begun = self._sample(), self._world.clock.now()
        self._world.clock.every(self._period, self._end, Phase.OBSERVE)

    def _end(self) -> None:
        now, samples = self._world.clock.now(), self._sample()
        self._latest = _Update(self._begun, now, self._samples, samples)
        self._samples, self._begun = samples, now
        if not self.hold:
            self.event |= c.UPDATED

    def _sample(self) -> Sequence[Operating]:
        at = self._world.plant.at
        return [DEAD if port is None else at(port) for port in self._ports]

    # -- told

    def set_header(self, on: bool) -> None:
        self.header = on

    def set_hold(self, on: bool) -> None:
        self.hold, self._held = on, self._latest if on else None

    def set_range(self, kind: str, full: float, number: int) -> None:
        channel = self.inputs[number]
        ranges = c.VOLTAGE_RANGES if kind == "u" else c.CURRENT_RANGES
        found = next((r for r in ranges if math.isclose(r, full)), None)
        if found is None:
            raise ScpiError(-222)
        if found != channel.full[kind] or channel.auto[kind]:
            channel.full[kind], channel.auto[kind] = found, False
            channel.since = self._world.clock.now()

    def set_auto(self, kind: str, on: bool, number: int) -> None:
        channel = self.inputs[number]
        if channel.auto[kind] != on:
            channel.auto[kind], channel.since = on, self._world.clock.now()

    # -- asked

    def read_event(self) -> int:
        event, self.event = self.event, 0
        return event

    def values(self, items: Sequence[str] | None) -> Sequence[float]:
        """Figures of the items named. nan: nothing to show. inf: over range or undefined."""
        if not items:
            raise ScpiError(-109)
        found = [_item(name) for name in items]
        update = self._held if self.hold else self._latest
        return [
            self._shown(update, name, function, number) for name, (function, number) in zip(items, found, strict=True)
        ]

    def _shown(self, update: _Update | None, name: str, function: str, number: int) -> float:
        channel = self.inputs[number]
        if update is None or update.since < channel.since:
            return math.nan
        point = update.points.get(number)
        if point is None:
            point = update.points[number] = channel.point(update.before[number - 1], update.after[number - 1])
        if function == "P":
            return point.p
        if function in ("URMS", "IRMS", "UDC", "IDC"):
            value = point.u if function[0] == "U" else point.i
            if channel.dc is (function[1:] == "DC") or not math.isfinite(value):
                return value
            return abs(value) if channel.dc else 0.0  # the DC part of a pure sine
        key = name.upper()
        value = update.shown.get(key, math.nan)
        if math.isnan(value):
            value = update.shown[key] = self._derived(channel, update, function, point)
        return value

    def _derived(self, channel: _Input, update: _Update, function: str, point: _Point) -> float:
        """What is made from U, I and P, and frequency and distortion: undefined on DC and on a bus all but dead."""
        apparent, true = abs(point.u * point.i), point.true
        if function == "S":
            return apparent
        if function == "PF":
            return point.p / apparent if 0.0 < apparent < math.inf else math.inf
        if channel.dc or true.f <= 0.0 or true.u <= LIVE * channel.range("u", true.u):
            return math.inf
        if function == "FREQ":
            return channel.specimen.read("frequency", true.f)
        distortion = self._distortion(channel, update, true)
        return math.inf if distortion is None else max(channel.specimen.read("thd", distortion), 0.0) * 100.0

    def _distortion(self, channel: _Input, update: _Update, true: Operating) -> float | None:
        """THD of the voltage over the whole cycles of an update, fraction; None where there is nothing to analyze."""
        wave = None if channel.port is None else channel.port.replace("evps", "house")
        cycles = int((update.until - update.since) * true.f + 1e-6)
        if wave is None or cycles < 1:
            return None
        count, rate = cycles * PER_CYCLE, true.f * PER_CYCLE
        try:
            samples = self._world.plant.waves(cast(WavePort, wave), update.since, count / rate, rate)
        except UseError:
            return None  # held for longer than the plant remembers its waves
        lines = np.abs(np.fft.rfft(samples))[cycles::cycles][:ORDERS]
        return float(np.sqrt(np.sum(lines[1:] ** 2)) / lines[0])


_FUNCTIONS = ("URMS", "IRMS", "UDC", "IDC", "FREQ", "UTHD", "PF", "P", "S")


def _item(name: str) -> tuple[str, int]:
    word = name.upper()
    function = next((f for f in _FUNCTIONS if word.startswith(f) and word[len(f) :].isdigit()), None)
    if function is None or not 1 <= int(word[len(function) :]) <= c.CHANNELS:
        raise ScpiError(-224)
    return function, int(word[len(function) :])


def _between(a: Operating, b: Operating, dc: bool) -> Operating:
    """The mean of two samples; of AC voltage and current the root of the mean square."""
    if a == b:
        return b
    p = (a.p + b.p) / 2.0
    if dc:
        return Operating((a.u + b.u) / 2.0, (a.i + b.i) / 2.0, p, 0.0)
    f = (a.f + b.f) / 2.0 if a.f > 0.0 and b.f > 0.0 else 0.0
    return Operating(math.sqrt((a.u**2 + b.u**2) / 2.0), math.sqrt((a.i**2 + b.i**2) / 2.0), p, f)


class _Face(ScpiFace):
    """No error queue: what went wrong is told by the classes in the standard event register, and forgotten then."""

    def _next_error(self) -> Entry:
        bits = self._read_esr() & FAULTS
        self._queue.clear()
        return Entry(bits, "")


def build(world: World, options: c.Options) -> ScpiFace:
    """The instrument on the ports of a world."""
    meter = EmulatedHiokiPw8001(world, options)

    def ranged(kind: str) -> tuple[Any, Any]:
        return (lambda full, n: meter.set_range(kind, full, n)), (lambda n: meter.inputs[n].full[kind])

    def auto(kind: str) -> tuple[Any, Any]:
        return (lambda on, n: meter.set_auto(kind, on, n)), (lambda n: meter.inputs[n].auto[kind])

    def header(command: Any, suffixes: tuple[int, ...]) -> str:
        """What stands before a reply while headers are on: its own header, in full."""
        if not meter.header or command.header.startswith("*") or command is c.VALUES:
            return ""
        long = command.header.replace("[", "").replace("]", "").upper()
        for number in suffixes:
            long = long.replace("<N>", str(number), 1)
        return f"{long} "

    return _Face(
        "HIOKI,PW8001,EMULATED1,V1.60",
        {
            c.HEADER: (meter.set_header, lambda: meter.header),
            c.HOLD: (meter.set_hold, lambda: meter.hold),
            c.VOLTAGE_RANGE: ranged("u"),
            c.VOLTAGE_AUTO: auto("u"),
            c.CURRENT_RANGE: ranged("i"),
            c.CURRENT_AUTO: auto("i"),
            c.EVENT: (None, meter.read_event),
            c.VALUES: (None, meter.values),
        },
        errors=c.ERROR,
        reset=meter.reset,
        latency=exchange_time(COMMAND_TIME, QUERY_TIME),
        prefix=header,
    )
