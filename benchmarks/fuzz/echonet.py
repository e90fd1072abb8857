"""Datagrams to the emulated ECHONET Lite charger, and answers to its driver.

A frame is read here a second time (ECHONET Lite specification, part II, chapter 3): 10 81, a transaction, two objects,
a service, a count, and as many properties as it says, to the last byte.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Hashable
from random import Random
from typing import Any

from benchmarks.fuzz.engine import Wrong, place
from benchmarks.fuzz.mutate import below, bytes_of
from instruments.echonet_lite.commands import Options
from instruments.echonet_lite.driver import open_driver
from instruments.echonet_lite.emulator import EmulatedNode
from rig.can.bus import VirtualBus
from rig.clock import VirtualClock
from rig.errors import RigError
from rig.plant.plant import Plant
from rig.plant.ports import Mains
from rig.plant.world import World

CONTROLLER, CHARGER = b"\x05\xff\x01", b"\x02\x7e\x01"
SETS, GETS = (0x60, 0x61), (0x62, 0x63)
MODE, STARTS = 0xDA, (0x42, 0x43, 0x44)
"""Operation mode setting; charge, discharge, standby (Appendix, class 0x027E)."""
EPCS = (0x80, 0x88, 0x8A, 0x8D, 0x9E, 0x9F, 0xC5, 0xD3, 0xDA, 0xDB, 0xDC, 0xDD, 0xE1, 0xE4, 0xEB, 0xEC, 0xF0)


def frame(service: int, *props: tuple[int, bytes]) -> bytes:
    """A whole one to the charger."""
    body = b"".join(bytes((epc, len(data))) + data for epc, data in props)
    return b"\x10\x81\x00\x01" + CONTROLLER + CHARGER + bytes((service, len(props))) + body


def may_start(data: bytes) -> bool:
    """Whether a datagram is a whole command to the charger that sets a mode with power."""
    if len(data) < 14 or data[:2] != b"\x10\x81" or data[7:9] != b"\x02\x7e" or data[9] not in (0, 1):
        return False
    if data[10] not in SETS:
        return False
    at, found = 12, False
    for _ in range(data[11]):
        if at + 2 > len(data):
            return False
        size = data[at + 1]
        found |= data[at] == MODE and size == 1 and at + 2 < len(data) and data[at + 2] in STARTS
        at += 2 + size
    return found and at == len(data)


class NodeFuzz:
    """Datagrams to the node. An input: bytes."""

    name = "echonet datagrams"
    episode = 200
    garbage = "started by garbage"

    def seeds(self) -> list[bytes]:
        gets = [frame(0x62, (epc, b"")) for epc in EPCS]
        sets = [frame(0x61, (MODE, bytes((mode,)))) for mode in (*STARTS, 0x47)]
        return [*gets, *sets, frame(0x61, (0xEB, b"\x00\x00\x0b\xb8")), frame(0x62, *((epc, b"") for epc in EPCS))]

    def begin(self, rng: Random) -> None:
        self._rng, self._clock = rng, VirtualClock()
        world = World(self._clock, Plant(), 1, VirtualBus(self._clock))
        world.plant.set_mains(Mains(True, (100.0, 100.0), 50.0))
        self._node = EmulatedNode(world, Options())
        self._clock.sleep(1.5)
        self._on = self._wanted()

    def make(self, rng: Random) -> bytes:
        if rng.random() < 0.2:
            return rng.randbytes(below(rng, 60))
        props = [(EPCS[below(rng, len(EPCS))], rng.randbytes(below(rng, 6))) for _ in range(below(rng, 4))]
        return frame((*SETS, *GETS)[below(rng, 4)], *props)

    def change(self, rng: Random, one: bytes, other: bytes) -> bytes:
        return bytes_of(rng, one, other)

    def take(self, one: bytes) -> Hashable:
        answer = self._node.process(one)
        if answer is not None and (answer[:4] != b"\x10\x81" + one[2:4] or answer[7:10] != one[4:7]):
            raise Wrong(f"{one.hex()} is answered with {answer.hex()}", "crash")
        on = self._wanted()
        if on and not self._on and not may_start(one):
            raise Wrong(f"{one.hex()} starts a session")
        self._on = on
        self._clock.sleep((0.0, 0.01, 0.2)[below(self._rng, 3)])
        return answer and (answer[10:14], len(answer)), on

    def end(self) -> None:
        return

    def _wanted(self) -> bool:
        panel: Any = self._node._charger
        return bool(panel._answer.__self__.evps.controller._core.wanted)


class NodeDriverFuzz:
    """Answers to the driver, changed on their way. An input: bytes that change them."""

    name = "echonet driver"
    episode = 60
    garbage = "numbers made of garbage"

    def seeds(self) -> list[bytes]:
        return [bytes((k,)) * 3 for k in range(8)]

    def begin(self, rng: Random) -> None:
        self._rng, self._clock = rng, VirtualClock()
        world = World(self._clock, Plant(), 1, VirtualBus(self._clock))
        world.plant.set_mains(Mains(True, (100.0, 100.0), 50.0))
        self._session = Changing(EmulatedNode(world, Options()))
        self._driver: Any = open_driver(self._session, Options(), self._clock)
        self._clock.sleep(1.5)

    def make(self, rng: Random) -> bytes:
        return rng.randbytes(1 + below(rng, 6))

    def change(self, rng: Random, one: bytes, other: bytes) -> bytes:
        return bytes_of(rng, one, other)[:64] or b"\0"

    def take(self, one: bytes) -> Hashable:
        self._session.rng, self._session.other = Random(one), one
        verbs: tuple[tuple[Any, ...], ...] = (
            *(("state",), ("power",), ("remaining",), ("identity",), ("stop",)),
            *(("start", "charge"), ("set_power", 3000.0)),
        )
        verb = verbs[below(self._rng, len(verbs))]
        try:
            value = getattr(self._driver, verb[0])(*verb[1:])
        except RigError as error:
            return verb[0], type(error).__name__, place(error)
        if isinstance(value, float) and not math.isfinite(value):
            raise Wrong(f"{verb[0]} says {value}")
        return verb[0], type(value).__name__

    def end(self) -> None:
        return


class Changing:
    """A session of datagrams whose answers are changed: bytes, or the values of properties only."""

    def __init__(self, node: EmulatedNode) -> None:
        self.resource, self.lock = "FUZZ", threading.RLock()
        self._node, self.rng, self.other = node, Random(0), b""

    def exchange(self, request: bytes, answers: Callable[[bytes], bool], within: float) -> bytes | None:
        """What the driver takes for the answer; None for nothing."""
        answer, rng = self._node.process(request), self.rng
        if answer is None:
            return None
        changed = bytearray(answer if rng.random() < 0.5 else bytes_of(rng, answer, self.other))
        for _ in range(below(rng, 3) if len(changed) > 14 else 0):
            changed[14 + below(rng, len(changed) - 14)] = below(rng, 256)
        return bytes(changed) if answers(bytes(changed)) else None

    def close(self) -> None:
        """Nothing."""
