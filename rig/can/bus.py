"""The CHAdeMO bus of a bench: in virtual time, or a real one through python-can (rig/can/hardware.py).

Theory
  Nodes attach by name and are told of every frame but their own. On the virtual bus a frame occupies the wire for
  its bit time, and frames sent at the same moment queue behind one another in the order of their sending; every
  receiver hears a frame at the same instant, in Phase.DELIVER, in the order of attaching. Watchers (recorder, rules)
  hear it after the nodes and are told who sent it; they only read.

  500 kbit/s, CAN 2.0A (facts: chademo.md section 0). Bit count: 47 bits of frame and interframe space plus 8 per data
  byte; stuff bits are taken as one in ten of the stuffed part, an average, so the five-bit worst case is not modelled.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from rig.can.frame import EXTENDED, Frame, refuse_bad_frame
from rig.clock import Cancel, Phase, VirtualClock
from rig.errors import UseError

KNOWN_MAX = 4096
"""Frames whose time on the wire is remembered (project choice: far above what a session says)."""

Receive = Callable[[float, Frame], None]
Watch = Callable[[float, str, Frame], None]


class BusPort(Protocol):
    """One node's place on the bus."""

    def send(self, frame: Frame) -> None:
        """Put a frame on the bus. Returns at once."""
        ...

    def cycle(self, frame: Frame, period: float) -> None:
        """Say a cyclic frame. To be called every period (s), for as long as it shall be sent; a real bus keeps the pace
        itself, sends what was said last, and stops when it is said no more. `send` of the same id ends it."""
        ...

    def close(self) -> None:
        """Leave the bus. Idempotent."""
        ...


class Bus(Protocol):
    """A CAN bus in bench time."""

    def attach(self, name: str, receive: Receive) -> BusPort:
        """Join as a node; receive(at, frame) for every frame of the others. A name is used once."""
        ...

    def watch(self, call: Watch) -> Cancel:
        """Hear every frame with its sender's name: call(at, sender, frame), until the answer is called. Watchers only
        read."""
        ...

    def close(self) -> None:
        """Let go of the wire. Idempotent."""
        ...


def bits_on_wire(length: int, extended: bool = False) -> int:
    """Bit times a data frame of `length` bytes takes, stuff bits averaged (see the head). extended: CAN 2.0B, with 18
    more bits of identifier, SRR and one more reserved bit."""
    more = 20 if extended else 0
    stuffed = 34 + more + 8 * length
    return 47 + more + 8 * length + stuffed // 10


class VirtualBus:
    """A bus on a VirtualClock."""

    def __init__(self, clock: VirtualClock, bitrate: int = 500_000) -> None:
        self._clock = clock
        self._wire_ns = [bits_on_wire(length) * 1_000_000_000 // bitrate for length in range(9)]
        self._wire_ns_extended = [bits_on_wire(length, True) * 1_000_000_000 // bitrate for length in range(9)]
        self._free_at = 0
        self._ports: dict[str, _VirtualPort] = {}
        self._watchers: tuple[Watch, ...] = ()
        self._queue: deque[tuple[_VirtualPort, Frame]] = deque()
        self._known: dict[Frame, int] = {}

    def attach(self, name: str, receive: Receive) -> BusPort:
        """Join as a node."""
        if name in self._ports:
            raise UseError(f"CAN bus: a node named {name!r} is attached already; give each node its own name")
        self._ports[name] = port = _VirtualPort(self, name, receive)
        self._rewire()
        return port

    def watch(self, call: Watch) -> Cancel:
        """Hear every frame with its sender's name, until the answer is called."""
        self._watchers = (*self._watchers, call)

        def cancel() -> None:
            self._watchers = tuple(one for one in self._watchers if one is not call)

        return cancel

    def close(self) -> None:
        """Detach everybody."""
        for port in tuple(self._ports.values()):
            port.close()
        self._watchers = ()

    def send(self, port: _VirtualPort, frame: Frame) -> None:
        """Queue a frame of a port behind what is on the wire."""
        takes = self._known.get(frame)
        if takes is None:
            takes = self._learn(frame)
        clock, free = self._clock, self._free_at
        now = clock.now_ns()
        self._free_at = done = (now if now > free else free) + takes
        self._queue.append((port, frame))
        clock.at_ns(done, self._deliver, Phase.DELIVER)

    def _learn(self, frame: Frame) -> int:
        """ns a new frame takes on the wire. Kept, as traffic repeats; UseError for what no wire can carry."""
        refuse_bad_frame(frame)
        wire_ns = self._wire_ns_extended if frame.id & EXTENDED else self._wire_ns
        if len(self._known) >= KNOWN_MAX:
            self._known.clear()
        self._known[frame] = takes = wire_ns[len(frame.data)]
        return takes

    def detach(self, port: _VirtualPort) -> None:
        """Forget a port."""
        self._ports.pop(port.name, None)
        self._rewire()

    def _deliver(self) -> None:
        port, frame = self._queue.popleft()
        now = self._clock.now()
        for other in port.others if port.open else tuple(self._ports.values()):
            if other.open:
                other.receive(now, frame)
        name = port.name
        for watch in self._watchers:
            watch(now, name, frame)

    def _rewire(self) -> None:
        for port in self._ports.values():
            port.others = tuple(other for other in self._ports.values() if other is not port)


class _VirtualPort:
    """A node's place on the virtual bus."""

    def __init__(self, bus: VirtualBus, name: str, receive: Receive) -> None:
        self._bus, self.name, self.receive = bus, name, receive
        self.open = True
        self.others: tuple[_VirtualPort, ...] = ()

    def send(self, frame: Frame) -> None:
        """Put a frame on the wire."""
        if not self.open:
            raise UseError(f"CAN bus: node {self.name!r} has left the bus and cannot send")
        self._bus.send(self, frame)

    def cycle(self, frame: Frame, period: float) -> None:
        """In virtual time whoever says it every period is never late: it is sent."""
        if not self.open:
            self.send(frame)  # which refuses
        self._bus.send(self, frame)

    def close(self) -> None:
        """Leave. Frames already on the wire still arrive."""
        if self.open:
            self.open = False
            self._bus.detach(self)
