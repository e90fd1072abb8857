"""The bench's bus on real hardware, through python-can: socketcan, slcan, udp_multicast, vendor interfaces.

Frames arrive on python-can's receive thread; the clock's lock is taken there, so machines and watchers stay
single-threaded. A frame's time is the clock's now at reception: python-can's stamps count on a clock of their own.
"""

from __future__ import annotations

import can

from rig.can.bus import BusPort, Receive, Watch
from rig.can.frame import Frame
from rig.clock import Cancel, RealClock
from rig.errors import InstrumentError, LostInstrument, UseError


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
        self._notifier = can.Notifier(self._bus, [self._received], timeout=0.2)

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
        """Stop listening and let go of the interface."""
        self._notifier.stop(timeout=1.0)
        self._bus.shutdown()

    def send(self, port: _HardwarePort, frame: Frame) -> None:
        """Send, and let the nodes and watchers of this process hear it."""
        try:
            self._bus.send(can.Message(arbitration_id=frame.id, data=frame.data, is_extended_id=False))
        except can.CanError as error:
            raise InstrumentError(self.resource, f"send {frame}", str(error)) from error
        self._tell(port, port.name, frame)

    def detach(self, port: _HardwarePort) -> None:
        """Forget a node."""
        self._ports.pop(port.name, None)

    def _received(self, message: can.Message) -> None:
        if message.is_extended_id or message.is_remote_frame or message.is_error_frame:
            return
        with self._clock.lock:
            self._tell(None, "bus", Frame(message.arbitration_id, bytes(message.data)))

    def _tell(self, sender: _HardwarePort | None, name: str, frame: Frame) -> None:
        now = self._clock.now()
        for port in tuple(self._ports.values()):
            if port is not sender:
                port.receive(now, frame)
        for watch in self._watchers:
            watch(now, name, frame)


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
