"""Two serial ports joined back to back: pseudo-terminals and a thread that carries bytes between them."""

from __future__ import annotations

import os
import selectors
import threading
import tty


class SerialCable:
    """ports: the names of its two ends. Runs until closed."""

    def __init__(self) -> None:
        pairs = [os.openpty() for _ in range(2)]
        for _, slave in pairs:
            tty.setraw(slave)
        self.ports = tuple(os.ttyname(slave) for _, slave in pairs)
        self._ends = tuple(master for master, _ in pairs)
        self._open = [fd for pair in pairs for fd in pair]
        self._stop_in, self._stop_out = os.pipe()
        self._thread = threading.Thread(target=self._carry, name="serial cable", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take it away."""
        os.write(self._stop_out, b"x")
        self._thread.join(timeout=5.0)
        for fd in (*self._open, self._stop_in, self._stop_out):
            os.close(fd)

    def _carry(self) -> None:
        with selectors.DefaultSelector() as selector:
            for fd in (*self._ends, self._stop_in):
                selector.register(fd, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.fd == self._stop_in:
                        return
                    other = self._ends[1 - self._ends.index(key.fd)]
                    os.write(other, os.read(key.fd, 4096))
