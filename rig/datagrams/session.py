"""A session of datagrams: one request, and the first answer that is one. Knows no protocol.

A driver sees DatagramSession and cannot tell what is behind it. Datagrams are lost, doubled and forged, so whoever asks
says which datagram answers; every other one is dropped. Time comes from the bench's clock; how often a request is
repeated is the driver's to say.

    udp://192.168.1.20:3610     address and port
"""

from __future__ import annotations

import re
import select
import socket
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

from rig.clock import Clock, RealClock, VirtualClock
from rig.errors import LostInstrument, UseError

LONGEST = 65_535
"""Bytes of a datagram."""
CROWD = 1000
"""Datagrams that are looked at for one answer (project choice): a flood must not keep a driver from giving up."""
_URL = re.compile(r"udp://([^:/?#\s]+):([0-9]{1,5})/?")

Answers = Callable[[bytes], bool]


class DatagramSession(Protocol):
    """To one address. lock: held over exchanges that belong together; re-entrant."""

    resource: str
    lock: AbstractContextManager[Any]

    def exchange(self, request: bytes, answers: Answers, within: float) -> bytes | None:
        """Send, and wait for what answers. None when nothing does within so many s. LostInstrument when the session is
        closed or the network refuses."""
        ...

    def close(self) -> None:
        """End the session. Idempotent."""
        ...


class DatagramDevice(Protocol):
    """What a transport may ask of an emulated node. thinking: s it needs for an answer."""

    thinking: float

    def process(self, datagram: bytes) -> bytes | None:
        """Take one datagram; what it answers, or None."""
        ...


class EmulatedDatagrams:
    """A session to an emulated node in this process, in bench time."""

    def __init__(self, device: DatagramDevice, resource: str, clock: Clock) -> None:
        self.resource = resource
        self.lock: AbstractContextManager[Any] = clock.lock if isinstance(clock, RealClock) else threading.RLock()
        self._device, self._clock, self._open = device, clock, True

    def exchange(self, request: bytes, answers: Answers, within: float) -> bytes | None:
        with self.lock:
            if not self._open:
                raise _closed(self.resource)
            self._clock.spend(min(self._device.thinking, within))
            reply = self._device.process(request)
            if reply is not None and self._device.thinking <= within and answers(reply):
                return reply
            self._clock.spend(max(0.0, within - self._device.thinking))
            return None

    def close(self) -> None:
        self._open = False


class UdpSession:
    """A session over UDP, in real time. at_home: where the protocol sends answers, when the far end is on that port;
    one on another port (an emulated one) answers to wherever a request came from."""

    def __init__(self, resource: str, clock: Clock, at_home: int) -> None:
        if isinstance(clock, VirtualClock):
            raise UseError(f'{resource}: virtual time cannot wait for a network; write clock = "real" in the bench')
        self.resource = resource
        self.lock: AbstractContextManager[Any] = threading.RLock()
        self._clock = clock
        host, there = read_address(resource)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._there = (socket.gethostbyname(host), there)
            self._socket.setblocking(False)
            self._socket.bind((_own_address(self._there), at_home if there == at_home else 0))
        except OSError as error:
            self._socket.close()
            words = f"cannot be opened ({error}); check the address, and that nothing else here uses UDP port {at_home}"
            raise LostInstrument(resource, "open", words) from None
        self._open = True

    def exchange(self, request: bytes, answers: Answers, within: float) -> bytes | None:
        with self.lock:
            if not self._open:
                raise _closed(self.resource)
            try:
                self._clear()
                self._socket.sendto(request, self._there)
                return self._answer(answers, self._clock.now() + within)
            except OSError as error:
                raise LostInstrument(self.resource, "send", f"the network failed ({error}); check it") from None

    def close(self) -> None:
        if self._open:
            self._open = False
            self._socket.close()

    def _clear(self) -> None:
        """What came while nobody asked."""
        for _ in range(CROWD):
            if not select.select([self._socket], [], [], 0.0)[0]:
                return
            self._socket.recvfrom(LONGEST)

    def _answer(self, answers: Answers, until: float) -> bytes | None:
        for _ in range(CROWD):
            left = until - self._clock.now()
            if left <= 0.0 or not select.select([self._socket], [], [], left)[0]:
                return None
            data, sender = self._socket.recvfrom(LONGEST)
            if sender[0] == self._there[0] and answers(data):
                return data
        return None


def read_address(resource: str) -> tuple[str, int]:
    """Host and port of a resource. UseError when it is none."""
    found = _URL.fullmatch(resource.strip())
    if found is None or not 0 < int(found[2]) < 65_536:
        raise UseError(f'{resource}: is no address; write it as "udp://192.168.1.20:3610"')
    return found[1], int(found[2])


def _own_address(there: tuple[str, int]) -> str:
    """The address of this machine from which that one is reached: nobody on another network needs to be heard."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(there)  # sends nothing
        return str(probe.getsockname()[0])


def _closed(resource: str) -> LostInstrument:
    return LostInstrument(resource, "send", "the session is closed; open the bench again")
