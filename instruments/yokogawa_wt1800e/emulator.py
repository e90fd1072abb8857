"""Emulated WT1806E: what the box shows of the ports its elements are wired to.

Updates run freely from a phase of their own; the bench does not know it. At the end of each one the six ports are
sampled: one clock event, which only reads (OBSERVE), and nothing else happens until somebody asks. What a reading is
made from is the mean of the two samples that bound its update, so it belongs to the update and never to the moment of
the question, whatever has happened since. A true mean over the interval would need the circuit to be integrated for
every port; this one is exact for what is steady or moves in a straight line, and puts a step inside an update half in.
Two plain samples cost less than one event of any other kind, so a night with the analyzer on costs seconds.

Errors, noise and rounding are drawn when a value is first asked for, once for each update: asking twice gives the same
figure. Each element is a specimen of its own. THD is rendered from the waves of the very interval, which the plant
keeps. U and I below 0.3 % of the range are shown as zero, above 140 % as over range (INF); after a change of range
there is no value (NAN) until a whole update has gone by.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np

from instruments.yokogawa_wt1800e import commands as c
from rig.clock import Cancel, Phase
from rig.errors import UseError
from rig.metrology.accuracy import Specimen, read_accuracy
from rig.plant.ports import Operating, Port, WavePort
from rig.plant.world import World
from rig.scpi.command import Command
from rig.scpi.errors import WORDS, Entry, ScpiError
from rig.scpi.face import Handlers, ScpiFace

ACCURACY = read_accuracy(Path(__file__).with_name("accuracy.toml"))
COMMAND_TIME, QUERY_TIME = 0.002, 0.004
"""s of an exchange over VXI-11 (project choice)."""
ORDERS = 40
"""Highest harmonic of THD (IEC 61000-4-7; the WT's default is 100)."""
PER_CYCLE = 128
"""Samples a cycle for THD: order 40 stays well below half of it (project choice)."""
LIVE = 0.03
"""Fraction of the voltage range below which there is no frequency to find (project choice)."""
DEAD = Operating(0.0, 0.0, 0.0, 0.0)
# the WT's own numbers are those of SCPI without the sign (IM WT3001E-17EN, appendix; "113, Undefined header" p. 6-103)
ERRORS = {code: Entry(-code, words) for code, words in WORDS.items() if code < 0}

Item = tuple[str, int]


class _Update:
    """One update: the samples at its two ends by element, and what has been shown of it."""

    __slots__ = ("after", "before", "points", "shown", "since", "until")

    def __init__(self, since: float, until: float, before: Sequence[Operating], after: Sequence[Operating]) -> None:
        self.since, self.until, self.before, self.after = since, until, before, after
        self.points: dict[int, _Point] = {}
        self.shown: dict[Item, float] = {}


class _Point(NamedTuple):
    """An element's basic figures as shown, and what is true. inf: over range."""

    u: float
    i: float
    p: float
    true: Operating


NOTHING = _Point(math.nan, math.nan, math.nan, DEAD)
"""An element whose range has changed inside the update."""


class _Input:
    """One element: its wiring, its ranges and its own errors."""

    def __init__(self, number: int, port: Port | None, world: World, misreads: Mapping[str, float]) -> None:
        self.port, self.dc = port, port == "dc"
        self.specimen = Specimen(ACCURACY, world.rng(f"yokogawa_wt1800e element {number}"), misreads)
        kind = "_dc" if self.dc else ""
        self._row = self.specimen.row((f"voltage{kind}", f"current{kind}", f"power{kind}"), 1.0)
        self.since = -math.inf  # s of the last change of range
        self.reset()

    def reset(self) -> None:
        self.volts, self.amperes = c.VOLTAGE_RANGES[-1], c.CURRENT_RANGES[-1]
        self.auto = {"u": True, "i": True}

    def full(self, kind: str, value: float) -> float:
        """Full scale in use for a value: fixed, or the smallest that holds it."""
        if not self.auto[kind]:
            return self.volts if kind == "u" else self.amperes
        ranges = c.VOLTAGE_RANGES if kind == "u" else c.CURRENT_RANGES
        return next((full for full in ranges if abs(value) <= 1.1 * full), ranges[-1])

    def point(self, before: Operating, after: Operating) -> _Point:
        """What it shows for an update between two samples: U, I and P are always read together."""
        true = after if before == after else _between(before, after, self.dc)
        volts, amperes = self.full("u", true.u), self.full("i", true.i)
        u, i, p = self._row((true.u / volts, true.i / amperes, true.p / (volts * amperes)))
        over_u, over_i = abs(true.u) > c.OVER_RANGE * volts, abs(true.i) > c.OVER_RANGE * amperes
        return _Point(
            math.inf if over_u else u * volts if abs(u) >= c.ZERO else 0.0,
            math.inf if over_i else i * amperes if abs(i) >= c.ZERO else 0.0,
            math.inf if over_u or over_i else p * volts * amperes,
            true,
        )


class EmulatedYokogawaWt1800e:
    """State and physics. Knows the ports it is wired to, its own errors; knows no text."""

    def __init__(self, world: World, options: c.Options) -> None:
        self._world = world
        self.inputs = {
            n: _Input(n, options.elements[n].port if n in options.elements else None, world, options.misreads)
            for n in range(1, c.ELEMENTS + 1)
        }
        self._ports = [self.inputs[n].port for n in sorted(self.inputs)]
        self._rng = world.rng("yokogawa_wt1800e")
        self._stop: Cancel = lambda: None
        self._samples: Sequence[Operating] = ()
        self._begun = 0.0
        self._latest: _Update | None = None
        self.event = 0
        self.value: dict[Command[Any], Any] = {c.HEADER: True, c.VERBOSE: True, c.REMOTE: False, c.LOCKOUT: False}
        self.reset()

    def reset(self) -> None:
        """*RST: half a second, auto range, no items, nothing held. How it communicates stays."""
        self.value |= {
            c.RATE: 0.5,
            c.WIRING: ("P1W2",) * c.ELEMENTS,
            c.FORMAT: c.Format.ASCII,
            c.NUMBER: 15,
            c.EVENT_ENABLE: 0,
        }
        self.edges = dict.fromkeys(range(1, 17), c.Edge.NEVER)
        self._items: dict[int, Item | None] = {}
        self._held: _Update | None = None
        self.hold = False
        for element in self.inputs.values():
            element.reset()
        self._restart()

    # -- updates

    def _restart(self) -> None:
        """Updates begin anew, at a phase nobody chose."""
        self._stop()
        period = self.value[c.RATE]
        when = self._world.clock.now() + period * float(self._rng.random())
        self._stop = self._world.clock.at(when, self._run, Phase.OBSERVE)

    def _run(self) -> None:
        self._samples, self._begun = self._sample(), self._world.clock.now()
        self._stop = self._world.clock.every(self.value[c.RATE], self._end, Phase.OBSERVE)

    def _end(self) -> None:
        now, samples = self._world.clock.now(), self._sample()
        self._latest = _Update(self._begun, now, self._samples, samples)
        self._samples, self._begun = samples, now
        if self.edges[1] is not c.Edge.NEVER:
            self.event |= c.UPDATED

    def _sample(self) -> Sequence[Operating]:
        at = self._world.plant.at
        return [DEAD if port is None else at(port) for port in self._ports]

    def until_update(self) -> float:
        """s until the update under way ends."""
        period: float = self.value[c.RATE]
        return max(self._begun + period - self._world.clock.now(), 0.0)

    # -- told

    def keep(self, command: Command[Any], value: Any) -> None:
        self.value[command] = value

    def set_rate(self, seconds: float) -> None:
        rate = next((rate for rate in c.UPDATES if math.isclose(rate, seconds, rel_tol=1e-6)), None)
        if rate is None:
            raise ScpiError(-222)
        if rate != self.value[c.RATE]:
            self.value[c.RATE] = rate
            self._restart()

    def set_wiring(self, patterns: Sequence[str]) -> None:
        if any(pattern != "P1W2" for pattern in patterns) or len(patterns) != c.ELEMENTS:
            raise ScpiError(-221, "Settings conflict; only six single-phase elements are emulated")
        self.value[c.WIRING] = tuple(patterns)

    def set_range(self, kind: str, full: float, number: int) -> None:
        element = self.inputs[number]
        ranges = c.VOLTAGE_RANGES if kind == "u" else c.CURRENT_RANGES
        found = next((r for r in ranges if math.isclose(r, full)), None)
        if found is None:
            raise ScpiError(-222)
        now = element.volts if kind == "u" else element.amperes
        if found == now and not element.auto[kind]:
            return
        element.auto[kind] = False
        element.since = self._world.clock.now()
        if kind == "u":
            element.volts = found
        else:
            element.amperes = found

    def set_auto(self, kind: str, on: bool, number: int) -> None:
        element = self.inputs[number]
        if element.auto[kind] != on:
            element.auto[kind], element.since = on, self._world.clock.now()

    def set_hold(self, on: bool) -> None:
        """Once more on while it is on: the newest is held instead (IM WT3001E-17EN, p. 6-92)."""
        self.hold, self._held = on, self._latest if on else None

    def set_edge(self, edge: c.Edge, bit: int) -> None:
        self.edges[bit] = edge

    def set_item(self, words: Sequence[str], number: int) -> None:
        if words == ("NONE",):
            self._items[number] = None
            return
        element = words[1] if len(words) > 1 else "1"
        if words[0] not in _FUNCTIONS or element not in map(str, self.inputs):
            raise ScpiError(-224)
        if len(words) > 2 and words[2] not in ("TOT", "TOTAL"):
            raise ScpiError(-224)
        self._items[number] = (_FUNCTIONS[words[0]], int(element))

    # -- asked

    def read_event(self) -> int:
        event, self.event = self.event, 0
        return event

    def item(self, number: int) -> Sequence[str]:
        item = self._items.get(number)
        return ("NONE",) if item is None else (item[0], str(item[1]))

    def values(self, number: int | None) -> tuple[Sequence[float], c.Format]:
        """Values of one item, or of items 1 to NUMBER, with the format they are sent in."""
        numbers = range(1, self.value[c.NUMBER] + 1) if number is None else (number,)
        update = self._held if self.hold else self._latest
        return [self._shown(update, self._items.get(n)) for n in numbers], self.value[c.FORMAT]

    def _shown(self, update: _Update | None, item: Item | None) -> float:
        """What this box shows of an update. nan: nothing to show. inf: over range or undefined."""
        if update is None or item is None:
            return math.nan
        function, number = item
        point = update.points.get(number)
        if point is None:
            element = self.inputs[number]
            late = update.since < element.since
            point = NOTHING if late else element.point(update.before[number - 1], update.after[number - 1])
            update.points[number] = point
        if function == "P":
            return point.p
        kind = function[0] if function[1:] in ("RMS", "DC") else ""
        if kind:
            value = point.u if kind == "U" else point.i
            dc = self.inputs[number].dc
            if dc is (function[1:] == "DC") or not math.isfinite(value):
                return value
            return abs(value) if dc else 0.0  # the DC part of a pure sine
        if point is NOTHING:
            return math.nan
        value = update.shown.get(item, math.nan)
        if math.isnan(value):
            value = update.shown[item] = self._derived(self.inputs[number], update, function, point)
        return value

    def _derived(self, element: _Input, update: _Update, function: str, point: _Point) -> float:
        """What is made from U, I and P, and frequency and distortion: undefined on DC and on a bus all but dead."""
        apparent, true = abs(point.u * point.i), point.true
        if function == "S":
            return apparent
        if function == "LAMBDA":
            return point.p / apparent if 0.0 < apparent < math.inf else math.inf
        if element.dc or true.f <= 0.0 or true.u <= LIVE * element.full("u", true.u):
            return math.inf
        if function == "FU":
            return element.specimen.read("frequency", true.f)
        distortion = self._distortion(element, update, true)
        return math.inf if distortion is None else max(element.specimen.read("thd", distortion), 0.0) * 100.0

    def _distortion(self, element: _Input, update: _Update, true: Operating) -> float | None:
        """THD of the voltage over the whole cycles of an update, fraction; None where there is nothing to analyze."""
        port = element.port
        wave = None if port is None else port.replace("evps", "house")
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


_FUNCTIONS = {
    spelt: long
    for long, short in (
        ("URMS", "URM"),
        ("IRMS", "IRM"),
        ("UDC", "UDC"),
        ("IDC", "IDC"),
        ("P", "P"),
        ("S", "S"),
        ("LAMBDA", "LAMB"),
        ("FU", "FU"),
        ("UTHD", "UTHD"),
    )
    for spelt in (long, short)
}


def _between(a: Operating, b: Operating, dc: bool) -> Operating:
    """The mean of two samples; of AC voltage and current the root of the mean square."""
    p = (a.p + b.p) / 2.0
    if dc:
        return Operating((a.u + b.u) / 2.0, (a.i + b.i) / 2.0, p, 0.0)
    f = (a.f + b.f) / 2.0 if a.f > 0.0 and b.f > 0.0 else 0.0
    return Operating(math.sqrt((a.u**2 + b.u**2) / 2.0), math.sqrt((a.i**2 + b.i**2) / 2.0), p, f)


def _handlers(meter: EmulatedYokogawaWt1800e) -> Handlers:
    def kept(command: Command[Any]) -> tuple[Any, Any]:
        return (lambda value: meter.keep(command, value)), (lambda: meter.value[command])

    def ranged(kind: str) -> tuple[Any, Any]:
        return (
            lambda full, number: meter.set_range(kind, full, number),
            lambda number: meter.inputs[number].volts if kind == "u" else meter.inputs[number].amperes,
        )

    def auto(kind: str) -> tuple[Any, Any]:
        return (lambda on, n: meter.set_auto(kind, on, n)), (lambda n: meter.inputs[n].auto[kind])

    plain = (c.HEADER, c.VERBOSE, c.REMOTE, c.LOCKOUT, c.EVENT_ENABLE, c.FORMAT, c.NUMBER)
    return {
        **{command: kept(command) for command in plain},
        c.WAIT: (lambda _: None, None),
        c.CONDITION: (None, lambda: 0),
        c.EVENT: (None, meter.read_event),
        c.FILTER: (meter.set_edge, lambda bit: meter.edges[bit]),
        c.RATE: (meter.set_rate, lambda: meter.value[c.RATE]),
        c.WIRING: (meter.set_wiring, lambda: meter.value[c.WIRING]),
        c.VOLTAGE_RANGE: ranged("u"),
        c.CURRENT_RANGE: ranged("i"),
        c.VOLTAGE_AUTO: auto("u"),
        c.CURRENT_AUTO: auto("i"),
        c.HOLD: (meter.set_hold, lambda: meter.hold),
        c.ITEM: (meter.set_item, meter.item),
        c.VALUES: (None, meter.values),
    }


def build(world: World, options: c.Options) -> ScpiFace:
    """The instrument on the ports of a world."""
    meter = EmulatedYokogawaWt1800e(world, options)

    def header(command: Command[Any], suffixes: tuple[int, ...]) -> str:
        """What stands before a reply: the setting's own header, long or short; never before values and status."""
        if not meter.value[c.HEADER] or command.access != "both" or command.header.startswith("*"):
            return ""
        long = command.header.replace("[", "").replace("]", "").lstrip(":").upper()
        for number in suffixes:
            long = long.replace("<N>", str(number), 1)
        return f":{long if meter.value[c.VERBOSE] else command.spelt(*suffixes).lstrip(':')} "

    def latency(line: str) -> float:
        """An exchange; COMMunicate:WAIT holds the interface until the update ends."""
        waits = "COMM" in line.upper() and ":WAIT" in line.upper() and not meter.event
        return (QUERY_TIME if "?" in line else COMMAND_TIME) + (meter.until_update() if waits else 0.0)

    return ScpiFace(
        "YOKOGAWA,WT1806E,EMULATED1,F1.00",
        _handlers(meter),
        errors=c.ERROR,
        reset=meter.reset,
        latency=latency,
        prefix=header,
        translate=ERRORS,
    )
