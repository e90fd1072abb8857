"""The supervisor's own hands on a bench: a driver on a session of its own to every output.

Theory
  What serves several sessions at once (a socket) is held from the start: nothing has to be opened when it matters. What
  has one owner (a serial port, an instrument that serves one client) is the rig's while it lives; the kernel closes it
  with the rig, and then it is taken. A serial port is kept open meanwhile without being read: so the port is never
  closed for good, and DTR does not fall, which would reset many a small controller with its outputs on.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pyvisa

from rig.clock import RealClock
from rig.datagrams.session import UdpSession
from rig.drivers import Registry
from rig.errors import BenchFault, RigError
from rig.lines.session import BAUD, open_lines
from rig.modbus.session import BAUD as MODBUS_BAUD
from rig.modbus.session import SerialModbus
from rig.safety.orders import PartOrder
from rig.safety.resources import local_port
from rig.visa.session import open_session

TIMEOUT = 1.0
"""s an output may stay silent on the way down (project choice: above the slowest reply of any output's driver)."""


class Outputs:
    """Drivers by part, as far as they could be opened."""

    def __init__(self, parts: tuple[PartOrder, ...], registry: Registry, clock: RealClock) -> None:
        self._parts, self._registry, self._clock = parts, registry, clock
        self._manager: pyvisa.ResourceManager | None = None
        self._ports: list[int] = []
        self.drivers: dict[str, Any] = {}
        self.missing: dict[str, str] = {}
        """Parts that could not be opened, and why."""

    def hold(self) -> None:
        """Open what can be held from the start, and keep serial ports up. BenchFault for what cannot be reached."""
        for part in self._parts:
            if part.held:
                self.drivers[part.name] = self._open(part)
            elif port := local_port(part.resource):
                with suppress(OSError):  # the rig will say why
                    self._ports.append(os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK))

    def take(self) -> Mapping[str, Any]:
        """Open what is left; once the rig is gone. What cannot be opened stands in `missing`."""
        for part in self._parts:
            if part.name not in self.drivers:
                self.missing.pop(part.name, None)
                try:
                    self.drivers[part.name] = self._open(part)
                except RigError as error:
                    self.missing[part.name] = str(error)
        return self.drivers

    def give(self) -> None:
        """Let go of what has one owner: the rig is to open it."""
        for part in self._parts:
            if not part.held and part.name in self.drivers:
                with suppress(RigError, OSError):
                    self.drivers.pop(part.name).close()

    @property
    def names(self) -> tuple[str, ...]:
        """Every part there should be."""
        return tuple(part.name for part in self._parts)

    def close(self) -> None:
        """End every session; outputs stay as they are."""
        for driver in self.drivers.values():
            with suppress(RigError, OSError):
                driver.close()
        for port in self._ports:
            with suppress(OSError):
                os.close(port)

    def _open(self, part: PartOrder) -> Any:
        known = self._registry.get(part.driver)
        if known is None:
            raise BenchFault(f"[{part.name}]: no driver {part.driver!r}; mend the bench file")
        options = known.options.model_validate(part.options)
        if known.transport == "lines":
            baud = BAUD if known.baud is None else known.baud(options)
            return known.open(open_lines(part.resource, self._clock, baud), options, self._clock)
        if known.transport == "modbus":
            baud = MODBUS_BAUD if known.baud is None else known.baud(options)
            return known.open(SerialModbus(part.resource, self._clock, baud), options, self._clock)
        if known.transport == "datagrams":
            session = UdpSession(part.resource, self._clock, known.port)
            return known.open(session, options, self._clock)
        if self._manager is None:
            self._manager = pyvisa.ResourceManager("@py")
        return known.open(open_session(part.resource, self._manager, known.serial, TIMEOUT), options, self._clock)
