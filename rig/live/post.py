"""The run's end of the socket: a thread that tells watchers what was posted and hands on what they order.

It never waits for a watcher. What one does not take in time is left out (moments) or ends his connection (words that
must not be missed). An order of a wrong form ends the connection too.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from rig.errors import UseError
from rig.live.messages import Asked, Hello, Lines, Moment, Order, Settled, Standing, Word, line
from rig.live.places import own_folder, socket_path

TURN = 0.05
"""s between two moments a watcher is shown at the least (project choice: twenty a second)."""
SLOW = 1 << 18
"""Bytes that may wait for a watcher before moments are left out."""
LOST = 1 << 22
"""Bytes that may wait for a watcher before he counts as gone."""
WATCHERS = 16


class _Watcher:
    def __init__(self, end: socket.socket) -> None:
        self.end, self.lines, self.out = end, Lines(), bytearray()


class Post:
    """Serves until it is closed. ordered: called with each order, from the post's own thread, once it is set."""

    def __init__(self, folder: Path) -> None:
        """UseError when no socket can be made there."""
        self.path = socket_path(own_folder(folder))
        self.ordered: Callable[[Order], None] = lambda _: None
        self.wanted = threading.Event()
        """Somebody watches and has room for a moment."""
        self._lock = threading.Lock()
        self._hello: Hello | None = None
        self._standing = Standing(state="opening")
        self._asked: dict[int, Asked] = {}
        self._posted: list[tuple[bytes, bool]] = []
        self._watchers: list[_Watcher] = []
        self._over = False
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        try:
            self.path.unlink(missing_ok=True)
            self._server.bind(os.fspath(self.path))
            self.path.chmod(0o600)
            self._server.listen(WATCHERS)
        except OSError as error:
            self._server.close()
            raise UseError(f"{self.path}: cannot be watched there ({error.strerror or error}); name another") from None
        self._server.setblocking(False)
        self._wake_in, self._wake_out = socket.socketpair()
        for one in (self._wake_in, self._wake_out):
            one.setblocking(False)
        self._thread = threading.Thread(target=self._run, name="live post", daemon=True)
        self._thread.start()

    # -- what a run posts, from any thread

    def tell(self, word: Word) -> None:
        """Tell every watcher; those to come as well, where it still holds then."""
        with self._lock:
            match word:
                case Hello():
                    self._hello = word
                case Standing():
                    self._standing = word
                case Asked():
                    self._asked[word.number] = word
                case Settled():
                    self._asked.pop(word.number, None)
                case _:
                    pass
            self._posted.append((line(word), isinstance(word, Moment)))
        self._wake()

    def close(self) -> None:
        """Tell what is left, then end. Idempotent."""
        self._over = True
        self._wake()
        self._thread.join(5.0)

    # -- its thread

    def _wake(self) -> None:
        with contextlib.suppress(OSError):  # full: it wakes anyway
            self._wake_out.send(b"x")

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._server, selectors.EVENT_READ)
            selector.register(self._wake_in, selectors.EVENT_READ)
            while not self._over:
                self._turn(selector)
            self._turn(selector, 0.0)
            for watcher in list(self._watchers):
                self._drop(selector, watcher)
        for one in (self._server, self._wake_in, self._wake_out):
            one.close()
        self.path.unlink(missing_ok=True)

    def _turn(self, selector: selectors.BaseSelector, within: float = TURN) -> None:
        for key, _ in selector.select(within):
            if key.fileobj is self._server:
                self._greet(selector)
            elif key.fileobj is self._wake_in:
                with contextlib.suppress(BlockingIOError):
                    self._wake_in.recv(65_536)
            else:
                self._hear(selector, key.data)
        with self._lock:
            posted, self._posted = self._posted, []
        for watcher in list(self._watchers):
            for raw, moment in posted:
                if not moment or len(watcher.out) < SLOW:
                    watcher.out += raw
            self._send(selector, watcher)
        if any(len(one.out) < SLOW for one in self._watchers):
            self.wanted.set()
        else:
            self.wanted.clear()

    def _greet(self, selector: selectors.BaseSelector) -> None:
        with contextlib.suppress(OSError):
            end, _ = self._server.accept()
            if len(self._watchers) >= WATCHERS:
                end.close()
                return
            end.setblocking(False)
            watcher = _Watcher(end)
            with self._lock:
                # What waits in _posted is told to all anyway: only what was told before is told here.
                waiting = {raw for raw, _ in self._posted}
                known: list[Word] = [] if self._hello is None else [self._hello]
                known += [self._standing, *self._asked.values()]
                watcher.out += b"".join(raw for word in known if (raw := line(word)) not in waiting)
            self._watchers.append(watcher)
            selector.register(end, selectors.EVENT_READ, watcher)

    def _hear(self, selector: selectors.BaseSelector, watcher: _Watcher) -> None:
        try:
            data = watcher.end.recv(65_536)
            if not data:
                self._drop(selector, watcher)
                return
            orders = [msgspec.json.decode(raw, type=Order) for raw in watcher.lines.take(data)]
        except BlockingIOError:
            return
        except (OSError, ValueError, msgspec.MsgspecError):
            self._drop(selector, watcher)
            return
        for order in orders:
            self.ordered(order)

    def _send(self, selector: selectors.BaseSelector, watcher: _Watcher) -> None:
        try:
            while watcher.out:
                del watcher.out[: watcher.end.send(watcher.out[:65_536])]
        except BlockingIOError:
            if len(watcher.out) > LOST:
                self._drop(selector, watcher)
        except OSError:
            self._drop(selector, watcher)

    def _drop(self, selector: selectors.BaseSelector, watcher: _Watcher) -> None:
        if watcher in self._watchers:
            self._watchers.remove(watcher)
            with contextlib.suppress(KeyError, ValueError):
                selector.unregister(watcher.end)
            watcher.end.close()
