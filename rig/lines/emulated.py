"""A serial line whose far end is an emulated box in this process, in bench time.

EmulatedSerial has the shape of a pyserial port, and one thing more: whoever listens is called when bytes come, so that
nobody polls. What a request costs (its bytes, the box's thinking, the bytes back) is spent on the bench's clock, which
inside a clock event is nothing, as with every exchange (rig.clock). What the box sends by itself arrives as an event
of the clock after the time its bytes take, one line behind the other.

On a real clock the emulated world is moved by the clock's thread: every exchange then holds the clock's lock.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from rig.clock import Clock, Phase, RealClock
from rig.errors import LostInstrument
from rig.lines.face import LineDevice
from rig.lines.frame import Splitter
from rig.lines.session import ATTEMPTS, BAUD, REPLY_WITHIN, Exchange, Listener

BITS_PER_BYTE = 10
"""8-N-1: start bit, eight bits, stop bit."""


class EmulatedSerial:
    """A port to an emulated box. timeout: s that read waits. baud: bit/s."""

    def __init__(self, device: LineDevice, clock: Clock, baud: int = BAUD) -> None:
        self.timeout = REPLY_WITHIN
        self.is_open = True
        self._device, self._clock = device, clock
        self._byte = BITS_PER_BYTE / baud
        self._out = bytearray()
        self._splitter = Splitter()
        self._free_at = 0.0  # s when the wire towards the host is free again
        self._listener: Callable[[bytes], None] | None = None
        device.listen(self._from_box)

    @property
    def in_waiting(self) -> int:
        """Bytes that wait to be read."""
        return len(self._out)

    def listen(self, call: Callable[[bytes], None]) -> None:
        """Hand bytes to this call when they come, instead of keeping them for read."""
        self._listener = call

    def write(self, data: bytes) -> int:
        """Send bytes to the box; its answers are there when this returns."""
        self._clock.spend(len(data) * self._byte)
        for raw in self._splitter.feed(data):
            self._clock.spend(self._device.latency(raw))
            reply = self._device.process(raw)
            if reply:
                self._clock.spend(len(reply) * self._byte)
                self._arrive(reply)
        return len(data)

    def read(self, size: int = 1) -> bytes:
        """At most size bytes; fewer after the time-out."""
        if len(self._out) < size:
            self._clock.spend(self.timeout)
        data = bytes(self._out[:size])
        del self._out[:size]
        return data

    def close(self) -> None:
        """The box sends into nothing from now on. Idempotent."""
        if self.is_open:
            self.is_open = False
            self._device.listen(None)

    def _from_box(self, raw: bytes) -> None:
        self._free_at = max(self._free_at, self._clock.now()) + len(raw) * self._byte
        self._clock.at(self._free_at, lambda: self._arrive(raw), Phase.DELIVER)

    def _arrive(self, data: bytes) -> None:
        if not self.is_open:
            return
        if self._listener is not None:
            self._listener(data)
        else:
            self._out += data


class EmulatedLines:
    """LineSession on an emulated port: no thread, no waiting but in bench time."""

    def __init__(self, port: EmulatedSerial, resource: str, clock: Clock) -> None:
        self.resource = resource
        self.lock: AbstractContextManager[Any] = clock.lock if isinstance(clock, RealClock) else threading.RLock()
        self._port, self._clock = port, clock
        self._core = Exchange(resource)
        self._listeners: list[Listener] = []
        port.listen(self._arrived)

    def request(self, body: str) -> str:
        """Send a request; the body of its reply."""
        with self.lock:
            if not self._port.is_open:
                raise LostInstrument(self.resource, body, "the session is closed; open the bench again")
            for _ in range(ATTEMPTS):
                tag, raw = self._core.begin(body)
                self._port.write(raw)
                if self._core.answer(tag) is None:
                    self._clock.spend(REPLY_WITHIN)
                line = self._core.answer(tag)
                self._core.end(tag)
                if line is not None:
                    return self._core.understood(body, line)
            raise self._core.lost(body)

    def subscribe(self, call: Listener) -> None:
        """Be told of every event line, from an event of the clock."""
        self._listeners.append(call)

    def close(self) -> None:
        """End the session. Idempotent."""
        self._port.close()

    def _arrived(self, data: bytes) -> None:
        self._core.feed(data)
        events, self._core.events = self._core.events, []
        for line in events:
            for call in tuple(self._listeners):
                call(line.tag, line.body)


def emulated_lines(device: LineDevice, resource: str, clock: Clock, baud: int = BAUD) -> EmulatedLines:
    """A session to an emulated box."""
    return EmulatedLines(EmulatedSerial(device, clock, baud), resource, clock)
