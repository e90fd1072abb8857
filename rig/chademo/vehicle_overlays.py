"""Vehicles that misbehave: each a small machine between what the car says and what comes out of it. Data first.

An overlay names one fault of a car, says in words what it does and on which sentence of the facts a charger's answer
rests, carries one figure (how bad), and makes a machine: frames, k and contactor commands of a good car go in, what the
bus and the wires really get comes out. So overlays can be put over one another and over any profile, and the car below
knows nothing of it: it goes on as if nothing were, and the charger alone has to see what is wrong.

Only figures and bytes of the car's own frames are touched; the codec of messages.py says what they mean. A machine is
handed every output in the order of its making and keeps no clock. Times in s.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rig.can.frame import EXTENDED, Frame
from rig.chademo.events import ContactorMoved, VehicleOut, WireChanged
from rig.chademo.messages import PERIOD
from rig.errors import UseError
from rig.machine import Machine, Step

SPACING = 0.01
"""s between two frames of a cycle (chademo.md 0 [LOG A])."""
GONE = 0.25
"""s after which a frame the car has stopped sending is repeated no more (project choice: two cycles and a half)."""
DOUBLE_AFTER = 0.005
"""s between a frame and its double (project choice: half the spacing)."""
SEED = 20
"""Of the jitter: the same car jitters the same way every time."""
FOREIGN = (
    Frame(0x103, bytes((0x9A, 0x01, 0, 0, 0, 0, 0, 0))),
    Frame(0x5BC, bytes(range(8))),
    Frame(0x7DF, b"\x02\x01\x0d"),
)
"""What else may be on the wire: a private extension (chademo.md 1 0x103 [CLARA]), a frame of the car's own bus
(chademo.md 4 0x5BC), a diagnostic request of two data bytes (project choice)."""

Body = Callable[[bytes], bytes]
Overlaid = Machine[VehicleOut, VehicleOut]


class Map:
    """Each output becomes none, one or several, at once. `first`: what is put out when the overlay is laid on."""

    def __init__(self, of: Callable[[VehicleOut], tuple[VehicleOut, ...]], *first: VehicleOut) -> None:
        self._of, self._first = of, first

    def step(self, now: float, event: VehicleOut | None) -> Step[VehicleOut]:
        """See Machine.step."""
        if event is None:
            first, self._first = self._first, ()
            return Step(first)
        return Step(self._of(event))


class Later:
    """Each output at once, and each of `again` so many s after it."""

    def __init__(self, again: Callable[[VehicleOut], tuple[VehicleOut, ...]], after: float) -> None:
        self._again, self._after = again, after
        self._due: list[tuple[float, VehicleOut]] = []

    def step(self, now: float, event: VehicleOut | None) -> Step[VehicleOut]:
        """See Machine.step."""
        out = [one for at, one in self._due if at <= now + 1e-9]
        self._due = [(at, one) for at, one in self._due if at > now + 1e-9]
        if event is not None:
            out.append(event)
            self._due += [(now + self._after, one) for one in self._again(event)]
        return Step(tuple(out), min((at for at, _ in self._due), default=None))


class Retimed:
    """The car's frames on a time table of another's: cycle n begins at start + n * period + offset(n).

    What is sent is what the car said last; a frame it stops sending stays away after GONE. Everything else passes.
    """

    def __init__(self, period: float, offset: Callable[[int], float]) -> None:
        self._period, self._offset = period, offset
        self._said: dict[int, tuple[float, Frame]] = {}
        self._start = math.nan
        self._cycle = self._place = 0

    def step(self, now: float, event: VehicleOut | None) -> Step[VehicleOut]:
        """See Machine.step."""
        out: list[VehicleOut] = []
        if isinstance(event, Frame):
            if not self._said:
                self._start, self._cycle, self._place = now + PERIOD, 0, 0
            self._said[event.id] = (now, event)
        elif event is not None:
            out.append(event)
        while self._said and self._due() <= now + 1e-9:
            out += self._next(now)
        return Step(tuple(out), self._due() if self._said else None)

    def _due(self) -> float:
        begin = self._start + self._cycle * self._period + self._offset(self._cycle)
        return begin + self._place * SPACING

    def _next(self, now: float) -> tuple[VehicleOut, ...]:
        at, frame = tuple(self._said.values())[self._place]
        fresh = now - at <= GONE
        self._place += 1
        if self._place >= len(self._said):
            self._cycle, self._place = self._cycle + 1, 0
            if all(now - heard > GONE for heard, _ in self._said.values()):
                self._said.clear()
        return (frame,) if fresh else ()


class Chain:
    """Overlays that act at once, one after another."""

    def __init__(self, machines: tuple[Overlaid, ...]) -> None:
        self._machines = machines

    def step(self, now: float, event: VehicleOut | None) -> Step[VehicleOut]:
        """See Machine.step."""
        if event is None:
            return Step()
        out: tuple[VehicleOut, ...] = (event,)
        for machine in self._machines:
            out = tuple(one for before in out for one in machine.step(now, before).out)
        return Step(out)


class Initial:
    """200.0 at a figure of its own until the car has asked for current."""

    def __init__(self, amperes: int) -> None:
        self._raw, self._asked = 255 - amperes, False

    def step(self, now: float, event: VehicleOut | None) -> Step[VehicleOut]:
        """See Machine.step."""
        if not isinstance(event, Frame):
            return Step(() if event is None else (event,))
        if event.id == 0x102 and len(event.data) == 8:
            self._asked |= event.data[3] > 0
        if event.id == 0x200 and not self._asked:
            return Step((Frame(0x200, _bytes(0, self._raw)(event.data)),))
        return Step((event,))


@dataclass(frozen=True, slots=True)
class Overlay:
    """One kind of misbehaviour. severity: its figure when none is given, in `unit`, within least..most.

    source: the sentence of the facts a charger's answer rests on.
    """

    name: str
    description: str
    source: str
    make: Callable[[float], Overlaid]
    severity: float = 1.0
    unit: str = "1"
    least: float = 0.0
    most: float = 1e3


def lay(name: str, severity: float | None = None) -> Overlaid:
    """The machine of an overlay. UseError for a name or figure there is none of."""
    overlay = OVERLAYS.get(name)
    if overlay is None:
        raise UseError(f"car: no misbehaviour is named {name!r}; there are {', '.join(sorted(OVERLAYS))}")
    figure = overlay.severity if severity is None else severity
    if not overlay.least <= figure <= overlay.most:
        raise UseError(
            f"car: misbehaviour {name}={figure:g} {overlay.unit} must lie in {overlay.least:g}..{overlay.most:g}"
        )
    return overlay.make(figure)


# -- shapes


def _body(id: int, change: Body) -> Callable[[float], Overlaid]:
    """One of the car's frames with its bytes changed."""

    def of(out: VehicleOut) -> tuple[VehicleOut, ...]:
        if isinstance(out, Frame) and out.id == id and len(out.data) == 8:
            return (Frame(id, change(out.data)),)
        return (out,)

    return lambda _: Map(of)


def _bit(byte: int, bit: int, on: bool) -> Body:
    """A bit of a payload set or cleared."""

    def change(data: bytes) -> bytes:
        value = data[byte] | 1 << bit if on else data[byte] & ~(1 << bit)
        return data[:byte] + bytes((value,)) + data[byte + 1 :]

    return change


def _bytes(at: int, *values: int) -> Body:
    """Bytes of a payload replaced."""
    return lambda data: data[:at] + bytes(values) + data[at + len(values) :]


def _chain(*makes: Callable[[float], Overlaid]) -> Overlaid:
    return Chain(tuple(make(0.0) for make in makes))


def _asks_open(data: bytes) -> bytes:
    """Asks for 10 A while it says that its contactors are open and that it is enabled (102.5.3, 102.5.0)."""
    return _bytes(3, 10)(data) if data[5] & 0x09 == 0x09 else data


def _frames(id: int, of: Callable[[Frame, float], tuple[Frame, ...]]) -> Callable[[float], Overlaid]:
    """One of the car's frames (0: all of them) replaced, given the figure."""

    def make(figure: float) -> Overlaid:
        def each(out: VehicleOut) -> tuple[VehicleOut, ...]:
            return of(out, figure) if isinstance(out, Frame) and id in (0, out.id) else (out,)

        return Map(each)

    return make


def _wire(on: bool) -> Callable[[float], Overlaid]:
    """k held on or off from now on, whatever the car wants."""

    def of(out: VehicleOut) -> tuple[VehicleOut, ...]:
        return () if isinstance(out, WireChanged) and out.wire == "k" else (out,)

    return lambda _: Map(of, WireChanged("k", on))


def _stuck_open(out: VehicleOut) -> tuple[VehicleOut, ...]:
    return () if isinstance(out, ContactorMoved) and out.closed else (out,)


def _again(out: VehicleOut) -> tuple[VehicleOut, ...]:
    return (out,) if isinstance(out, Frame) else ()


def _foreign(out: VehicleOut) -> tuple[VehicleOut, ...]:
    return (out, *FOREIGN) if isinstance(out, Frame) and out.id == 0x100 else (out,)


def _jitter(most: float) -> Overlaid:
    noise = random.Random(SEED)
    offsets: list[float] = []

    def offset(cycle: int) -> float:
        while len(offsets) <= cycle:
            offsets.append(noise.uniform(-most, most))
        return offsets[cycle]

    return Retimed(PERIOD, offset)


def _every_tenth(sign: float) -> Callable[[float], Overlaid]:
    return lambda figure: Retimed(PERIOD, lambda cycle: sign * figure if cycle % 10 == 9 else 0.0)


_STOP = "chademo.md 3: 102.4/102.5 row of {}; 2 safety times: stop signals are redundant"


def _flag(name: str, byte: int, bit: int, on: bool, what: str) -> Overlay:
    return Overlay(name, f"{what}, and goes on otherwise", _STOP.format(f"102.{byte}.{bit}"),
                   _body(0x102, _bit(byte, bit, on)))  # fmt: skip


ALL: tuple[Overlay, ...] = (
    # Stop signals, each alone and for good
    _flag("shows-overvoltage", 4, 0, True, "sets 102.4.0"),
    _flag("shows-undervoltage", 4, 1, True, "sets 102.4.1"),
    _flag("shows-current-deviation", 4, 2, True, "sets 102.4.2"),
    _flag("shows-high-temperature", 4, 3, True, "sets 102.4.3"),
    _flag("shows-voltage-deviation", 4, 4, True, "sets 102.4.4"),
    _flag("withholds-enable", 5, 0, False, "clears 102.5.0"),
    _flag("shows-shifted", 5, 1, True, "sets 102.5.1"),
    _flag("shows-system-fault", 5, 2, True, "sets 102.5.2"),
    _flag("shows-stop-before", 5, 4, True, "sets 102.5.4"),
    Overlay("withholds-k", "k off, and 102.5.0 goes on", "chademo.md 2 step 3 [BE]: enable with k off = inconsistency",
            _wire(False)),
    Overlay("target-zero", "target voltage 102.1-2 is 0 V", "chademo.md 3: target V drops to 0, stop [BE]",
            _body(0x102, _bytes(1, 0, 0))),
    # Pace
    Overlay("period", "every frame so many s after the one before", "chademo.md 0: 100 ms +-10 ms [CLARA]; 6: EVSE "
            "rejecting an EV with 225 ms period (log F)", lambda s: Retimed(s, lambda _: 0.0), 0.225, "s", 0.08, 10.0),
    Overlay("jitter", "every cycle up to so many s early or late", "chademo.md 0: 100 ms +-10 ms [CLARA]",
            _jitter, 0.010, "s", 0.0, 0.045),
    Overlay("late", "every tenth cycle so many s late", "chademo.md 0 [CLARA]; 2 CAN timeout 1 s [JLD][CLARA]",
            _every_tenth(1.0), 0.060, "s", 0.0, 5.0),
    Overlay("early", "every tenth cycle so many s early", "chademo.md 0 [CLARA]; 2 CAN timeout 1 s [JLD][CLARA]",
            _every_tenth(-1.0), 0.060, "s", 0.0, 0.065),
    # Frames as such
    Overlay("doubled", "every frame comes twice, 5 ms apart", "chademo.md 0: every frame cyclic, 100 ms",
            lambda _: Later(_again, DOUBLE_AFTER)),
    Overlay("short-0x102", "0x102 has so many bytes", "chademo.md 0: DLC 8 [BOCAR]",
            _frames(0x102, lambda f, n: (Frame(f.id, f.data[: int(n)]),)), 7.0, "1", 0.0, 8.0),
    Overlay("short-all", "every frame has so many bytes", "chademo.md 0: DLC 8 [BOCAR]",
            _frames(0, lambda f, n: (Frame(f.id, f.data[: int(n)]),)), 7.0, "1", 0.0, 8.0),
    Overlay("extended-0x102", "0x102 comes with a 29-bit identifier", "chademo.md 0: CAN 2.0A 11-bit [BOCAR]",
            _frames(0x102, lambda f, _: (Frame(EXTENDED | f.id, f.data),))),
    Overlay("extended-all", "every frame comes with a 29-bit identifier", "chademo.md 0: CAN 2.0A 11-bit [BOCAR]",
            _frames(0, lambda f, _: (Frame(EXTENDED | f.id, f.data),))),
    Overlay("extended-shadow", "a 29-bit 0x102 with every fault bit set stands beside the good one",
            "chademo.md 0: CAN 2.0A 11-bit [BOCAR]", _frames(0x102, lambda f, _: (
                f, Frame(EXTENDED | f.id, _bytes(4, 0x1F)(f.data))))),
    Overlay("foreign-frames", "frames of other buses stand between its own", "chademo.md 1 0x103, 4: seen on some cars",
            lambda _: Map(_foreign)),
    # Order of things
    Overlay("k-at-once", "k is on from the first moment", "chademo.md 2 step 3: k must not be on before first EV CAN",
            _wire(True)),
    Overlay("contactors-stuck", "its contactors never close", "chademo.md 2 step 7 [CLARA]: limit 4 s",
            lambda _: Map(_stuck_open)),
    Overlay("says-closed", "102.5.3 says closed from the first frame", "chademo.md 1 102.5.3; 2 step 7",
            _body(0x102, _bit(5, 3, False))),
    Overlay("says-open", "102.5.3 says open for good", "chademo.md 1 102.5.3; 2 step 7: 4 s",
            _body(0x102, _bit(5, 3, True))),
    Overlay("asks-while-open", "asks for 10 A with its contactors open", "chademo.md 2 step 8; 6 [CLARA] issue 11",
            _body(0x102, _asks_open)),
    Overlay("never-asks", "102.3 stays 0 and 200.0 stays 0 A", "chademo.md 2 step 8: limit 4 s",
            lambda _: _chain(_body(0x102, _bytes(3, 0)), _body(0x200, _bytes(0, 255)))),
    # What it says of itself
    Overlay("target", "target voltage 102.1-2 is so many V", "chademo.md 2 step 2: 102.1-2 <= 108.1-2, else 109.5.3=1 "
            "and stop", lambda volts: _body(0x102, _bytes(1, *int(volts).to_bytes(2, "little")))(1.0), 500.0, "V", 0.0,
            65535.0),
    Overlay("most-voltage", "maximum battery voltage 100.4-5 is so many V", "chademo.md 1 0x108: 108.4-5 = "
            "min(100.4-5, 108.1-2)", lambda volts: _body(0x100, _bytes(4, *int(volts).to_bytes(2, "little")))(1.0),
            400.0, "V", 0.0, 65535.0),
    Overlay("initial-limit", "200.0 stands at so many A until the first current request", "chademo.md 1 0x200: some "
            "pre-1.1 cars do not start at 0, the EVSE shall mask the initial value",
            lambda amperes: Initial(int(amperes)), 200.0, "A", 0.0, 255.0),
    Overlay("cannot-discharge", "102.5.7 is 0 from the first frame", "chademo.md 2 step 2: V2H only if 109.4.0=1 AND "
            "102.5.7=1", _body(0x102, _bit(5, 7, False))),
    Overlay("no-levels", "200.6 and 200.7 are 0: not used", "chademo.md 1 0x200 unit rule: 0 = not used [RS]",
            _body(0x200, _bytes(6, 0, 0))),
    Overlay("zero-reference", "100.6 is 0 instead of 100", "chademo.md 1 0x100: fixed 0x64, divisor of 102.6",
            _body(0x100, _bytes(6, 0))),
    Overlay("unknown-bits", "102.5.5 and 102.5.6, which mean nothing, are set",
            "chademo.md 1 0x102: 5.5 never seen, 5.6 unknown",
            lambda _: _chain(_body(0x102, _bit(5, 5, True)), _body(0x102, _bit(5, 6, True)))),
)  # fmt: skip


OVERLAYS: Mapping[str, Overlay] = {overlay.name: overlay for overlay in ALL}
"""By name."""
