"""The bench's bus on real hardware, through python-can: socketcan, slcan, udp_multicast, vendor interfaces.

Frames arrive on a thread of the bus's own and are handed to the clock as events, so machines and watchers stay
single-threaded, and what one of them raises comes up in the foreground instead of ending the reception. A frame's time
is the clock's now at reception: python-can's stamps count on a clock of their own. An interface that fails while it
listens is a lost instrument, raised in the foreground too.
"""

from __future__ import annotations

import threading
from functools import partial

import can

from rig.can.bus import BusPort, Receive, Watch
from rig.can.frame import EXTENDED, Frame, refuse_bad_frame
from rig.clock import Cancel, Phase, RealClock
from rig.errors import InstrumentError, LostInstrument, UseError

POLL = 0.2
"""s after which the listening thread looks whether it shall end (project choice)."""


class HardwareBus:
    """A python-can bus shared by the rig's nodes (as a rule one: the car)."""

    def __init__(self, clock: RealClock, interface: str, channel: str, bitrate: int = 500_000) -> None:
        self._clock = clock
        self.resource = f"{interface}:{channel}"
        self._watchers: tuple[Watch, ...] = ()
        self._ports: dict[str, _HardwarePort] = {}
        try:
            self._bus = can.Bus(channel=channel, interface=interface, bitrate=bitrate, receive_own_messages=False)
        except (can.CanError, OSError, ValueError) as error:
            raise LostInstrument(self.resource, "open", str(error)) from error
        self._closed = False
        self._thread = threading.Thread(target=self._listen, name=f"CAN {self.resource}", daemon=True)
        self._thread.start()

    def attach(self, name: str, receive: Receive) -> BusPort:
        """Join as a node; nodes of this process also hear one another."""
        if name in self._ports:
            raise UseError(
                f"CAN bus {self.resource}: a node named {name!r} is attached already; give each its own name"
            )
        self._ports[name] = port = _HardwarePort(self, name, receive)
        return port

    def watch(self, call: Watch) -> Cancel:
        """Hear every frame; frames from the wire are named "bus". Ends when the answer is called."""
        self._watchers = (*self._watchers, call)

        def cancel() -> None:
            self._watchers = tuple(one for one in self._watchers if one is not call)

        return cancel

    def close(self) -> None:
        """Stop listening and let go of the interface. Idempotent."""
        if not self._closed:
            self._closed = True
            self._thread.join(timeout=5.0 * POLL)
            self._bus.shutdown()

    def send(self, port: _HardwarePort, frame: Frame) -> None:
        """Send, and let the nodes and watchers of this process hear it."""
        refuse_bad_frame(frame)
        if self._closed or self._ports.get(port.name) is not port:
            raise UseError(f"CAN bus {self.resource}: node {port.name!r} has left the bus and cannot send")
        with self._clock.lock:
            try:
                number, extended = frame.id & ~EXTENDED, bool(frame.id & EXTENDED)
                self._bus.send(can.Message(arbitration_id=number, data=frame.data, is_extended_id=extended))
            except (can.CanError, OSError) as error:
                raise InstrumentError(self.resource, f"send {frame}", str(error)) from error
            self._tell(port, port.name, self._clock.now(), frame)

    def detach(self, port: _HardwarePort) -> None:
        """Forget a node."""
        if self._ports.get(port.name) is port:
            del self._ports[port.name]

    def _listen(self) -> None:
        while not self._closed:
            try:
                message = self._bus.recv(POLL)
            except (can.CanError, OSError, ValueError) as error:
                if not self._closed:
                    self._clock.at(self._clock.now(), partial(self._lost, str(error)), Phase.DELIVER)
                return
            if message is None or message.is_remote_frame or message.is_error_frame:
                continue
            number = message.arbitration_id | (EXTENDED if message.is_extended_id else 0)
            now, frame = self._clock.now(), Frame(number, bytes(message.data))
            self._clock.at(now, partial(self._tell, None, "bus", now, frame), Phase.DELIVER)

    def _lost(self, error: str) -> None:
        raise LostInstrument(self.resource, "receive", f"the interface failed ({error}); check it and its cable")

    def _tell(self, sender: _HardwarePort | None, name: str, at: float, frame: Frame) -> None:
        for port in tuple(self._ports.values()):
            if port is not sender:
                port.receive(at, frame)
        for watch in self._watchers:
            watch(at, name, frame)


class _HardwarePort:
    """A node of this process on a real bus."""

    def __init__(self, bus: HardwareBus, name: str, receive: Receive) -> None:
        self._bus, self.name, self.receive = bus, name, receive

    def send(self, frame: Frame) -> None:
        """Put a frame on the wire."""
        self._bus.send(self, frame)

    def close(self) -> None:
        """Leave."""
        self._bus.detach(self)
