"""An emulated box on a pseudo-terminal: other programs open its name as they would a serial port. POSIX only."""

from __future__ import annotations

import os
import selectors
import threading
import tty
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

from rig.clock import Clock, RealClock
from rig.errors import UseError
from rig.lines.face import LineDevice
from rig.lines.frame import Splitter


class Split(Protocol):
    """Bytes as they come, requests as they are whole."""

    def feed(self, data: bytes) -> list[bytes]: ...


class PtyServer:
    """Serves one box until closed. port: what a client opens, e.g. /dev/pts/5. splitter: of its protocol, if another
    than that of lines."""

    def __init__(self, device: LineDevice, clock: Clock, splitter: Split | None = None) -> None:
        self._device = device
        self._splitter = Splitter() if splitter is None else splitter
        self._world: AbstractContextManager[Any] = clock.lock if isinstance(clock, RealClock) else nullcontext()
        try:
            self._ours, self._theirs = os.openpty()
        except OSError as error:
            raise UseError(f"no pseudo-terminal can be made ({error}); check that /dev/pts is mounted") from None
        tty.setraw(self._theirs)  # no echo, no change of line ends
        os.set_blocking(self._ours, False)
        self.port = os.ttyname(self._theirs)
        self._wake_in, self._wake_out = os.pipe()
        self._writing = threading.Lock()
        self._closed = False
        device.listen(self._send)
        self._thread = threading.Thread(target=self._run, name=f"box on {self.port}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Hang up. Idempotent."""
        if self._closed:
            return
        self._closed = True
        self._device.listen(None)
        os.write(self._wake_out, b"x")
        self._thread.join(timeout=5.0)
        with self._writing:
            for fd in (self._ours, self._theirs, self._wake_in, self._wake_out):
                os.close(fd)

    def _send(self, raw: bytes) -> None:
        with self._writing:
            if not self._closed:
                _write(self._ours, raw)

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._ours, selectors.EVENT_READ)
            selector.register(self._wake_in, selectors.EVENT_READ)
            while not self._closed:
                selector.select()
                for raw in self._splitter.feed(_read(self._ours)):
                    with self._world:
                        reply = self._device.process(raw)
                    if reply:
                        self._send(reply)


def _read(fd: int) -> bytes:
    try:
        return os.read(fd, 4096)
    except BlockingIOError:
        return b""


def _write(fd: int, raw: bytes) -> None:
    """A full buffer drops the line, as an unread serial line does."""
    try:
        os.write(fd, raw)
    except BlockingIOError:
        return


def serve(device: LineDevice, clock: Clock) -> tuple[str, Callable[[], None]]:
    """Put a box on a pseudo-terminal: its port's name, and the call that ends it."""
    server = PtyServer(device, clock)
    return server.port, server.close
