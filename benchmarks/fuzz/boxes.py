"""Lines to the vehicle interface and to the charger's service port; and replies and event lines to their drivers.

The line protocol is read here a second time (docs/vehicle-interface.md): kind, tag, blank, body, '*', CRC-16 of
polynomial 0x1021 from 0xFFFF, bit by bit. A line that is not exactly that may change nothing.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Hashable
from random import Random
from typing import Any

from benchmarks.fuzz.engine import Wrong, place
from benchmarks.fuzz.mutate import below, bytes_of, pick
from instruments.evps.emulator import ServicePort
from instruments.registry import REGISTRY
from rig.can.bus import VirtualBus
from rig.clock import VirtualClock
from rig.errors import RigError
from rig.lines.face import LineFace
from rig.lines.frame import Line, Splitter, decode, encode
from rig.lines.session import Listener
from rig.plant.plant import Plant
from rig.plant.ports import Mains
from rig.plant.world import World

BODIES = (
    *(b"ID?", b"TIME?", b"STATE?", b"VOLT?", b"WIRE k 1", b"WIRE k 0", b"WIRE proximity 1", b"CONTACTOR 1"),
    *(b"CONTACTOR 0", b"WATCHDOG 4", b"WATCHDOG nan", b"RESET", b"EVENT 00", b"EVENT FF", b"START charge", b"STOP"),
    *(b"START discharge", b"MODE standby", b"POWER 3000", b"POWER inf", b"RESERVE 0.2", b"TRANSFER auto", b"ESTOP"),
    *(b"HOUSE backup", b"HOUSE mains", b"LAST?", b"SETTINGS?", b"WIRE d1 1", b"WIRE k", b"WIRE  k 1", b"WIRE k 1 "),
)
BOXES = ("vehicle_interface", "evps")


def crc(data: bytes) -> int:
    """CRC-16/CCITT-FALSE."""
    value = 0xFFFF
    for byte in data:
        value ^= byte << 8
        for _ in range(8):
            value = (value << 1 ^ 0x1021 if value & 0x8000 else value << 1) & 0xFFFF
    return value


def framed(body: bytes, tag: int = 0x2A, kind: bytes = b">") -> bytes:
    """A whole line."""
    text = kind + b"%02X " % tag + body
    return b"\n" + text + b"*%04X\n" % crc(text)


def request(raw: bytes) -> bytes | None:
    """The body of a line that is a request, exactly."""
    line = raw[:-1] if raw.endswith(b"\r") else raw
    digits = b"0123456789ABCDEF"
    if not 10 <= len(line) <= 128 or line[:1] != b">" or line[3:4] != b" " or line[-5:-4] != b"*":
        return None
    if any(byte not in digits for byte in line[1:3] + line[-4:]) or any(not 32 <= byte < 127 for byte in line):
        return None
    return line[4:-5] if int(line[-4:], 16) == crc(line[:-5]) else None


class BoxFuzz:
    """Bytes to a box. An input: bytes."""

    name = "box lines"
    episode = 200
    garbage = "energised by garbage"

    def seeds(self) -> list[bytes]:
        return [framed(body, tag) for tag, body in enumerate(BODIES)]

    def begin(self, rng: Random) -> None:
        self._rng = rng
        self._box = BOXES[below(rng, 2)]
        self._clock = VirtualClock()
        self._world = World(self._clock, Plant(), 1, VirtualBus(self._clock))
        self._world.plant.set_mains(Mains(True, (100.0, 100.0), 50.0))
        self._face, self._on = _box(self._box, self._world)
        self._face.listen(lambda raw: None if decode(raw).kind == "!" else _wrong(raw))
        self._splitter = Splitter()
        self._was = self._on()
        self._clock.sleep(1.5)

    def make(self, rng: Random) -> bytes:
        return framed(pick(rng, BODIES), below(rng, 256)) if rng.random() < 0.6 else rng.randbytes(below(rng, 150))

    def change(self, rng: Random, one: bytes, other: bytes) -> bytes:
        if rng.random() < 0.5:  # the body is changed before its checksum is made
            body = bytes_of(rng, one[5:-6], other[5:-6])
            return framed(body, below(rng, 256), pick(rng, (b">", b">", b">", b"<", b"!", b"-")))
        return bytes_of(rng, one, other)

    def take(self, one: bytes) -> Hashable:
        sights = []
        for raw in self._splitter.feed(one):
            body = request(raw)
            reply = self._face.process(raw)
            sights.append((body is None, reply and reply[1:2], reply and reply[4:8]))
            if body is None and reply is not None:
                raise Wrong(f"{self._box} answers {raw!r} with {reply!r}, though it is no request")
            self._look(body, raw)
        self._clock.sleep((0.0, 0.001, 0.05, 0.3)[below(self._rng, 4)])
        self._look(None, b"", by_itself=True)
        return self._box, tuple(sights[-1:]), tuple(self._was.values())

    def end(self) -> None:
        return

    def _look(self, body: bytes | None, raw: bytes, by_itself: bool = False) -> None:
        now = self._on()
        for name, on in now.items():
            if on and not self._was[name] and (by_itself or body not in SWITCHES_ON[name]):
                raise Wrong(f"{self._box}: {name} came on by {raw!r}")
        self._was = now


SWITCHES_ON = {
    "k": (b"WIRE k 1",),
    "proximity": (b"WIRE proximity 1",),
    "contactor": (b"CONTACTOR 1",),
    "started": (b"START charge", b"START discharge", b"START standby"),
}


def _box(name: str, world: World) -> tuple[LineFace, Callable[[], dict[str, bool]]]:
    """The box, and what is on, as the circuit and the charger's controller have it."""
    options = REGISTRY[name].options.model_validate({})
    if name == "evps":
        port = ServicePort(world, options)  # type: ignore[arg-type]
        return port.face, lambda: {"started": port.evps.controller._core.wanted}
    emulate, plant = REGISTRY[name].emulate, world.plant
    assert emulate is not None
    return emulate(world, options), lambda: {
        "k": plant.wire("k"),
        "proximity": plant.wire("proximity"),
        "contactor": plant._ev_asked,
    }


def _wrong(raw: bytes) -> None:
    raise Wrong(f"a box says {raw!r} by itself", "crash")


class BoxDriverFuzz:
    """Replies and event lines to the drivers of both boxes. An input: bytes that change replies."""

    name = "box drivers"
    episode = 60
    garbage = "numbers made of garbage"

    def seeds(self) -> list[bytes]:
        return [bytes((k,)) * 3 for k in range(8)]

    def begin(self, rng: Random) -> None:
        self._rng = rng
        self._box = BOXES[below(rng, 2)]
        self._clock = VirtualClock()
        world = World(self._clock, Plant(), 1, VirtualBus(self._clock))
        world.plant.set_mains(Mains(True, (100.0, 100.0), 50.0))
        face, _ = _box(self._box, world)
        self._session = GarblingLines(face)
        self._driver: Any = REGISTRY[self._box].open(
            self._session, REGISTRY[self._box].options.model_validate({}), self._clock
        )
        self._clock.sleep(1.5)
        if self._box == "vehicle_interface":
            self._driver.subscribe(lambda *_: None)

    def make(self, rng: Random) -> bytes:
        return rng.randbytes(1 + below(rng, 6))

    def change(self, rng: Random, one: bytes, other: bytes) -> bytes:
        return bytes_of(rng, one, other)[:64] or b"\0"

    def take(self, one: bytes) -> Hashable:
        rng = self._session.rng = Random(one)
        verbs = self._verbs()
        verb = verbs[below(self._rng, len(verbs))]
        try:
            value = getattr(self._driver, verb[0])(*verb[1:])
            if rng.random() < 0.3:
                body = bytes_of(rng, b"1234567 contactor 1", one).decode("latin-1")
                self._session.tell(below(rng, 256), body)
            self._clock.sleep(0.05)
        except RigError as error:
            return self._box, verb[0], type(error).__name__, place(error)
        finally:
            self._session.rng = None
        if isinstance(value, float) and not math.isfinite(value):
            raise Wrong(f"{self._box}.{verb[0]} says {value}")
        return self._box, verb[0], type(value).__name__

    def end(self) -> None:
        return

    def _verbs(self) -> tuple[tuple[Any, ...], ...]:
        if self._box == "evps":
            return (("state",), ("start", "charge"), ("set_power", 3000.0), ("stop",), ("identity",), ("last_stop",))
        return (
            *(("wires",), ("contactor_closed",), ("inlet_voltage",), ("identity",), ("set_wire", "k", True)),
            *(("set_wire", "k", False), ("move_contactor", False), ("make_safe",)),
        )


class GarblingLines:
    """A session of lines to an emulated box; bodies of replies are changed while it has a source of chance."""

    def __init__(self, face: LineFace) -> None:
        self.resource, self.lock = "FUZZ", threading.RLock()
        self.rng: Random | None = None
        self._face, self._listeners = face, list[Listener]()
        face.listen(lambda raw: self.tell(*decode(raw)[1:]))

    def request(self, body: str) -> str:
        """The body of its reply; a refusal is an InstrumentError, as from any session."""
        raw = self._face.process(encode_request(body))
        assert raw is not None
        line = decode(raw)
        reply = line.body.encode()
        if self.rng is not None and self.rng.random() < 0.6:
            reply = bytes_of(self.rng, reply, reply[::-1])
        text = reply.decode("latin-1")
        if line.kind == "-" or not text or not text.isascii() or not text.isprintable():
            raise RigError(f"refused: {text!r}")  # as rig/lines/frame.py would have it never come here
        return text

    def subscribe(self, call: Listener) -> None:
        """Be told of event lines."""
        self._listeners.append(call)

    def tell(self, number: int, body: str) -> None:
        """An event line has come."""
        if body and body.isascii() and body.isprintable():
            for call in self._listeners:
                call(number, body)

    def close(self) -> None:
        """Nothing."""


def encode_request(body: str) -> bytes:
    """As the rig sends it, its ends removed."""
    return encode(Line(">", 1, body)).strip(b"\n")
