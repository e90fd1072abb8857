"""All emulated instruments of a bench on every transport at once, and the VISA resource of each.

A raw socket each, on ports that follow each other; one HiSLIP port with sub-addresses hislip0, hislip1, ...; one VXI-11
core channel with devices inst0, inst1, ..., as a gateway has them; a serial line each. Whatever a client uses, it meets
the same instrument, which works on one line at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

from rig.clock import RealClock
from rig.errors import UseError
from rig.visa import portmap
from rig.visa.device import Device
from rig.visa.servers import (
    SocketServer,
    serve_hislip,
    serve_port_mapper,
    serve_terminal,
    serve_vxi11,
    streams_on,
)
from rig.visa.streams import LOOPBACK, Listener
from rig.visa.turns import Turns

Transport = Literal["socket", "hislip", "vxi11", "serial"]
Name = TypeVar("Name", bound=str)


@dataclass(frozen=True, slots=True)
class Ports:
    """Where to listen; 0: any free port. socket: of the first instrument, the others follow. port_mapper: "try" notes
    why there is none, "yes" raises."""

    socket: int = 0
    hislip: int = 0
    vxi11: int = 0
    port_mapper: Literal["no", "try", "yes"] = "no"


class Places:
    """Serves instruments, by name, until closed. resources: of each, by transport. notes: what could not be offered."""

    def __init__(
        self, devices: Mapping[Name, Device], clock: RealClock, ports: Ports = Ports(), host: str = LOOPBACK
    ) -> None:
        self.resources: dict[str, dict[Transport, str]] = {name: {} for name in devices}
        self.notes: list[str] = []
        self._turns: dict[str, Turns] = {name: Turns(device, clock) for name, device in devices.items()}
        self._clock, self._ports, self._host = clock, ports, host
        self._streams = streams_on(clock)
        try:
            if devices:
                self._serve()
        except UseError:
            self.close()
            raise

    def close(self) -> None:
        """Hang up on everybody; no instrument works on another line. Idempotent."""
        self._streams.close()
        with self._clock.lock:
            for turns in self._turns.values():
                turns.close()

    def _serve(self) -> None:
        streams, ports, host = self._streams, self._ports, self._host
        all_turns = list(self._turns.values())
        for number, (name, turns) in enumerate(self._turns.items()):
            port = ports.socket + number if ports.socket else 0
            self.resources[name]["socket"] = SocketServer(turns, self._clock, port, host, streams).resource
        hislip = serve_hislip({f"hislip{n}": turns for n, turns in enumerate(all_turns)}, streams, ports.hislip, host)
        core = serve_vxi11({f"inst{n}": turns for n, turns in enumerate(all_turns)}, streams, ports.vxi11, host)
        mapped = self._map(core)
        for number, (name, turns) in enumerate(self._turns.items()):
            there = core.host if mapped else f"{core.host},{core.port}"
            self.resources[name]["hislip"] = f"TCPIP::{hislip.host}::hislip{number},{hislip.port}::INSTR"
            self.resources[name]["vxi11"] = f"TCPIP::{there}::inst{number}::INSTR"
            self.resources[name]["serial"] = f"ASRL{serve_terminal(turns, streams).host}::INSTR"

    def _map(self, core: Listener) -> bool:
        """The port mapper, where it is wanted: whether there is one."""
        if self._ports.port_mapper == "no":
            return False
        try:
            serve_port_mapper(core, self._streams, portmap.PORT)
        except UseError as error:
            if self._ports.port_mapper == "yes":
                raise
            self.notes.append(
                f"{error}. Until then a client names the port: TCPIP::{core.host},{core.port}::inst0::INSTR"
            )
            return False
        return True
