"""Byte streams to whoever connects: TCP connections, pseudo-terminals and datagrams, looked after by one thread.

It knows no protocol. Each stream gets a service: bytes that come are fed to it, and it answers through its peer, from
whatever thread. What is sent goes out at once as far as the far end takes it; the rest waits. A far end that sends what
its service cannot take, or fetches nothing, is hung up on; nobody else notices.
"""

from __future__ import annotations

import os
import selectors
import socket
import threading
import tty
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Protocol

from rig.errors import UseError

LOOPBACK = "127.0.0.1"
LONGEST = 1 << 20
"""Bytes of a message without its end, and of replies nobody fetches, at which a client is hung up on (project choice:
far above every command of the listed instruments)."""
CHUNK = 65_536


class Service(Protocol):
    """What is behind one stream."""

    def feed(self, data: bytes) -> None:
        """Bytes came. ValueError: they cannot be understood, hang up."""
        ...

    def lost(self) -> None:
        """The stream is over."""
        ...


class Peer:
    """The near end of one stream. patient: what is not fetched is dropped, instead of the stream."""

    def __init__(
        self,
        number: int,
        write: Callable[[bytes], int],
        close: Callable[[], None],
        wake: Callable[[], None],
        patient: bool = False,
    ) -> None:
        self.number = number
        self._write, self._close, self._wake, self._patient = write, close, wake, patient
        self._lock = threading.Lock()
        self._out = b""
        self._closed = False
        self.open = True

    @property
    def waiting(self) -> bool:
        """Something waits to go out."""
        return bool(self._out)

    def send(self, data: bytes) -> None:
        """Send, now or as soon as the far end takes it."""
        with self._lock:
            if not self.open or self._closed:
                return
            if self._out:
                if len(self._out) > LONGEST:
                    self.open = self._patient
                else:
                    self._out += data
            else:
                self._out = data
                self._push()
            wanting = bool(self._out) or not self.open
        if wanting:
            self._wake()

    def flush(self) -> None:
        """The far end takes bytes again."""
        with self._lock:
            self._push()

    def hang_up(self) -> None:
        """End it, once what was sent so far has been offered."""
        self.open = False
        self._wake()

    def close(self) -> None:
        """On the thread of the streams only. Idempotent."""
        with self._lock:
            if not self._closed:
                self._closed, self.open = True, False
                self._close()

    def _push(self) -> None:
        try:
            while self._out:
                self._out = self._out[self._write(self._out) :]
        except BlockingIOError:
            return
        except OSError:
            self.open, self._out = False, b""


class Listener:
    """One TCP port. close: it answers no more, and everybody who came through it is hung up on."""

    def __init__(self, host: str, port: int, close: Callable[[], None]) -> None:
        self.host, self.port, self.close = host, port, close


class _Stream:
    """One stream in the loop."""

    def __init__(self, peer: Peer, service: Service, read: Callable[[], bytes], door: object) -> None:
        self.peer, self.service, self.read, self.door = peer, service, read, door
        self.events = 0


class Streams:
    """The thread and its streams. failed: told of an error in a service, which is a fault of ours."""

    def __init__(self, failed: Callable[[BaseException], None], name: str = "instruments") -> None:
        self._failed = failed
        self._selector = selectors.DefaultSelector()
        self._todo: deque[Callable[[], None]] = deque()
        self._streams: dict[int, _Stream] = {}
        self._over = False
        self._wake_in, self._wake_out = socket.socketpair()
        for one in (self._wake_in, self._wake_out):
            one.setblocking(False)
        self._selector.register(self._wake_in, selectors.EVENT_READ, self._woken)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def listen(self, host: str, port: int, connect: Callable[[Peer], Service]) -> Listener:
        """Serve a TCP port, 0 for any. UseError when it cannot be had."""
        try:
            door = socket.create_server((host, port), backlog=8)
        except (OSError, OverflowError) as error:
            raise UseError(f"{host}:{port} cannot be listened on ({error}); choose another port") from None
        door.setblocking(False)
        at, number = door.getsockname()[:2]
        self._do(lambda: self._watch(door, lambda: self._accept(door, connect)))
        return Listener(at, number, partial(self._do, partial(self._shut, door)))

    def datagrams(self, host: str, port: int, answer: Callable[[bytes], bytes | None]) -> Listener:
        """Answer each datagram by itself. UseError when the port cannot be had."""
        door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            door.bind((host, port))
        except (OSError, OverflowError) as error:
            door.close()
            raise UseError(f"{host}:{port} (UDP) cannot be listened on ({error}); choose another port") from None
        door.setblocking(False)
        at, number = door.getsockname()[:2]
        self._do(lambda: self._watch(door, lambda: _answer(door, answer)))
        return Listener(at, number, partial(self._do, partial(self._shut, door)))

    def terminal(self, connect: Callable[[Peer], Service]) -> Listener:
        """Serve a pseudo-terminal: its `host` is the name a client opens. UseError when none can be made."""
        try:
            ours, theirs = os.openpty()
        except OSError as error:
            raise UseError(f"no pseudo-terminal can be made ({error}); check that /dev/pts is mounted") from None
        tty.setraw(theirs)  # no echo, no change of line ends; kept open, so that clients may come and go
        os.set_blocking(ours, False)
        name, door = os.ttyname(theirs), object()

        def close() -> None:
            os.close(ours)
            os.close(theirs)

        peer = Peer(ours, partial(os.write, ours), close, self._wake, patient=True)
        service = connect(peer)
        self._do(lambda: self._begin(_Stream(peer, service, partial(os.read, ours, CHUNK), door)))
        return Listener(name, 0, partial(self._do, partial(self._shut, door)))

    def close(self) -> None:
        """Hang up on everybody. Idempotent."""
        self._over = True
        self._wake()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout=5.0)

    # -- on any thread

    def _do(self, call: Callable[[], None]) -> None:
        self._todo.append(call)
        self._wake()

    def _wake(self) -> None:
        with suppress(OSError):  # full: it wakes anyway; closed: nobody is left to be woken
            self._wake_out.send(b"x")

    # -- on the thread of the streams

    def _run(self) -> None:
        try:
            while not self._over:
                for key, mask in self._selector.select():
                    if isinstance(key.data, _Stream):
                        self._serve(key.data, mask)
                    else:
                        key.data()
        except BaseException as failure:  # noqa: BLE001  (handed to the foreground, never swallowed)
            self._failed(failure)
        finally:
            for stream in tuple(self._streams.values()):
                self._end(stream)
            doors = [key.fileobj for key in self._selector.get_map().values()]
            self._selector.close()
            for door in (*doors, self._wake_out):
                if isinstance(door, socket.socket):
                    door.close()

    def _woken(self) -> None:
        self._wake_in.recv(CHUNK)
        while self._todo:
            self._todo.popleft()()
        for stream in tuple(self._streams.values()):
            self._look_after(stream)

    def _watch(self, door: socket.socket, ready: Callable[[], None]) -> None:
        self._selector.register(door, selectors.EVENT_READ, ready)

    def _accept(self, door: socket.socket, connect: Callable[[Peer], Service]) -> None:
        try:
            connection = door.accept()[0]
        except OSError:
            return  # gone again before it was taken
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer = Peer(connection.fileno(), connection.send, connection.close, self._wake)
        self._begin(_Stream(peer, connect(peer), partial(_receive, connection), door))

    def _begin(self, stream: _Stream) -> None:
        self._streams[stream.peer.number] = stream
        stream.events = selectors.EVENT_READ
        self._selector.register(stream.peer.number, stream.events, stream)

    def _serve(self, stream: _Stream, mask: int) -> None:
        if mask & selectors.EVENT_WRITE:
            stream.peer.flush()
        if mask & selectors.EVENT_READ and stream.peer.open:
            try:
                data = stream.read()
                if data:
                    stream.service.feed(data)
            except BlockingIOError:
                pass
            except (OSError, ValueError):
                stream.peer.open = False
        if stream.events != selectors.EVENT_READ or stream.peer.waiting or not stream.peer.open:
            self._look_after(stream)

    def _look_after(self, stream: _Stream) -> None:
        """Over, or waited for, and for what."""
        if not stream.peer.open:
            self._end(stream)
            return
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if stream.peer.waiting else 0)
        if events != stream.events:
            stream.events = events
            self._selector.modify(stream.peer.number, events, stream)

    def _end(self, stream: _Stream) -> None:
        if self._streams.pop(stream.peer.number, None) is not None:
            self._selector.unregister(stream.peer.number)
            stream.peer.close()
            stream.service.lost()

    def _shut(self, door: object) -> None:
        if isinstance(door, socket.socket) and door.fileno() >= 0:
            self._selector.unregister(door)
            door.close()
        for stream in [one for one in self._streams.values() if one.door is door]:
            self._end(stream)


def _receive(connection: socket.socket) -> bytes:
    data = connection.recv(CHUNK)
    if not data:
        raise ConnectionError("hung up")
    return data


def _answer(door: socket.socket, answer: Callable[[bytes], bytes | None]) -> None:
    with suppress(OSError):  # whoever asked is gone
        data, there = door.recvfrom(CHUNK)
        reply = answer(data)
        if reply is not None:
            door.sendto(reply, there)
