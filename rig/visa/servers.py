"""Emulated instruments on real sockets: the raw SCPI socket that most of the listed ones offer (facts: instruments.md).

Bytes to lines to the device and back, nothing else. What a line costs (Device.latency) passes on the bench's real
clock: a line is worked on by an event of the clock, one after another however many clients there are, as one
instrument does, and its reply goes to who asked. A connection is a plain stream of bytes: no device clear, no status
query; a client that goes takes its half line and its unread replies with it. Loopback unless told otherwise.
"""

from __future__ import annotations

import selectors
import socket
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from rig.clock import RealClock
from rig.errors import UseError
from rig.visa.device import Device, Disconnected

LOOPBACK = "127.0.0.1"
LONGEST = 1 << 20
"""Bytes of a message without its end, and of replies nobody fetches, at which a client is hung up on (project choice:
far above every command of the listed instruments)."""
CHUNK = 65_536


class Lines:
    """A stream of bytes, cut into messages at LF. Pure."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        """Every message that ended in these bytes, without its end. ValueError for one that grows beyond LONGEST."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LONGEST:
            raise ValueError(f"more than {LONGEST} bytes without an end")
        return [line.rstrip(b"\r").decode("latin-1") for line in lines]


class _Client:
    """One connection: what came in halves, what waits to go out."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection, self.lines = connection, Lines()
        self.out = b""
        self.open = True


class SocketServer:
    """One instrument on one TCP port until closed. port: 0 lets the system choose; `port` says which it is."""

    def __init__(self, device: Device, clock: RealClock, port: int = 0, host: str = LOOPBACK) -> None:
        self._device, self._clock = device, clock
        try:
            self._listener = socket.create_server((host, port), backlog=8)
        except (OSError, OverflowError) as error:
            raise UseError(f"{host}:{port} cannot be listened on ({error}); choose another port") from None
        self._listener.setblocking(False)
        self.host, self.port = self._listener.getsockname()[:2]
        self._asked: deque[tuple[_Client, str]] = deque()
        self._busy = self._over = False
        self._clients: set[_Client] = set()
        self._replying = threading.Lock()
        self._wake_in, self._wake_out = socket.socketpair()
        for one in (self._wake_in, self._wake_out):
            one.setblocking(False)
        self._thread = threading.Thread(target=self._run, name=f"instrument on {self.port}", daemon=True)
        self._thread.start()

    @property
    def resource(self) -> str:
        """The VISA resource a client opens."""
        return f"TCPIP::{self.host}::{self.port}::SOCKET"

    def close(self) -> None:
        """Hang up on everybody. Idempotent."""
        self._end()
        self._thread.join(timeout=5.0)

    # -- the sockets, on the server's own thread

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ, self._accept)
            selector.register(self._wake_in, selectors.EVENT_READ, self._drain)
            while not self._over:
                self._look_after(selector)
                for key, mask in selector.select():
                    call: Callable[[int], None] = key.data
                    call(mask)
        for client in tuple(self._clients):
            self._hang_up(client)
        for one in (self._listener, self._wake_in, self._wake_out):
            one.close()

    def _look_after(self, selector: selectors.BaseSelector) -> None:
        """Which sockets are waited for, and for what."""
        known = {key.fileobj for key in selector.get_map().values()}
        for client in tuple(self._clients):
            if not client.open:
                if client.connection in known:
                    selector.unregister(client.connection)
                self._hang_up(client)
                continue
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.out else 0)
            change = selector.modify if client.connection in known else selector.register
            change(client.connection, events, partial(self._serve, client))

    def _accept(self, mask: int) -> None:
        try:
            connection = self._listener.accept()[0]
        except OSError:
            return  # gone again before it was taken
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._clients.add(_Client(connection))

    def _drain(self, mask: int) -> None:
        self._wake_in.recv(CHUNK)

    def _serve(self, client: _Client, mask: int) -> None:
        try:
            if mask & selectors.EVENT_WRITE:
                self._send(client)
            if mask & selectors.EVENT_READ:
                self._receive(client)
        except BlockingIOError:
            return
        except (OSError, ValueError):
            client.open = False

    def _send(self, client: _Client) -> None:
        with self._replying:
            client.out = client.out[client.connection.send(client.out) :]

    def _receive(self, client: _Client) -> None:
        data = client.connection.recv(CHUNK)
        if not data:
            client.open = False
            return
        lines = client.lines.feed(data)
        with self._clock.lock:
            self._asked.extend((client, line) for line in lines)
            self._next()

    def _hang_up(self, client: _Client) -> None:
        client.open = False
        self._clients.discard(client)
        client.connection.close()

    def _wake(self) -> None:
        with suppress(OSError):  # full: it wakes anyway; closed: nobody is left to be woken
            self._wake_out.send(b"x")

    def _end(self) -> None:
        self._over = True
        self._wake()

    # -- the instrument, as events of the clock

    def _next(self) -> None:
        """Begin with the next line, if none is being worked on."""
        if self._busy or not self._asked or self._over:
            return
        self._busy = True
        client, line = self._asked.popleft()
        self._clock.at(self._clock.now() + self._device.latency(line), partial(self._work, client, line))

    def _work(self, client: _Client, line: str) -> None:
        self._busy = False
        if self._over:
            return
        try:
            reply = self._device.process(line)
        except Disconnected:
            self._end()  # unplugged: whoever is connected is hung up on, and its port answers no more
            return
        if reply:
            with self._replying:
                client.open = client.open and len(client.out) <= LONGEST
                client.out += reply
            self._wake()
        self._next()
