"""A watcher's end of the socket. Never waits; a run that is gone shows as `over`."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from pathlib import Path

import msgspec

from rig.live.messages import Hello, Lines, Order, Word, line


class Link:
    """Connected to one run. OSError when there is none at that socket: it has died, or is another user's."""

    def __init__(self, path: Path) -> None:
        self.path, self.over = path, False
        self._lines = Lines()
        self.end = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        try:
            self.end.setblocking(False)
            self.end.connect(os.fspath(path))
            raw = self.end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        except OSError:
            self.end.close()
            raise
        self.pid, uid, _ = struct.unpack("3i", raw)
        """The process that serves, as the system says."""
        if uid != os.getuid():
            self.end.close()
            raise PermissionError(f"{path}: another user's")

    def words(self) -> list[Word]:
        """What has come. A run that does not speak as it should counts as gone."""
        found: list[Word] = []
        try:
            while data := self.end.recv(1 << 18):
                found += [msgspec.json.decode(raw, type=Word) for raw in self._lines.take(data)]
            self.over = True
        except BlockingIOError:
            pass
        except (OSError, ValueError, msgspec.MsgspecError):
            self.over = True
        if any(isinstance(one, Hello) and one.pid != self.pid for one in found):
            self.over = True
        return found

    def order(self, order: Order) -> bool:
        """Whether it is on its way."""
        with contextlib.suppress(OSError):
            self.end.sendall(line(order))
            return True
        self.over = True
        return False

    def close(self) -> None:
        """Idempotent."""
        self.end.close()
