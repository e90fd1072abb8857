"""An emulated Modbus board on a pseudo-terminal: other programs open its name as a serial port. POSIX only."""

from __future__ import annotations

from collections.abc import Callable

from rig.clock import Clock
from rig.lines.serve import PtyServer
from rig.modbus.frame import Reader
from rig.modbus.session import ModbusDevice


class _Board:
    """A board as the pseudo-terminal's server wants it: one that says nothing of itself."""

    def __init__(self, device: ModbusDevice) -> None:
        self._device = device

    def latency(self, raw: bytes) -> float:
        return self._device.latency(raw)

    def process(self, raw: bytes) -> bytes | None:
        return self._device.process(raw)

    def listen(self, send: Callable[[bytes], None] | None) -> None:
        """Nothing is told unasked."""


def serve(device: ModbusDevice, clock: Clock) -> tuple[str, Callable[[], None]]:
    """Put a board on a pseudo-terminal: its port's name, and the call that ends it."""
    server = PtyServer(_Board(device), clock, Reader(server=True))
    return server.port, server.close
