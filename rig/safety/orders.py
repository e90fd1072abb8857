"""What the rig and its supervisor tell each other, as JSON lines on a socket pair.

The socket is more than its words: each side learns of the other's death, by any means, from its end.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping

import msgspec

from rig.safety.envelope import Level


class PartOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One output of the bench, or the charger's own panel. held: the supervisor has a session to it from the start;
    else it takes it once the rig is gone."""

    name: str
    driver: str
    resource: str
    options: Mapping[str, object]
    held: bool


class Orders(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The first line. origin: ns, of the rig's clock. pid: of the rig. lease: folder and held files, as (descriptor,
    path). first: bring the bench down before anybody is let at it."""

    bench: str
    origin: int
    pid: int
    parts: tuple[PartOrder, ...]
    levels: tuple[Level, ...]
    heartbeat: float
    clock: float
    conductor: float
    estop: str = ""
    lease: str = ""
    held: tuple[tuple[int, str], ...] = ()
    first: bool = False
    leg_voltage: float = 0.0


class Beat(msgspec.Struct, frozen=True, tag=True):
    """The rig lives. clock, conductor: s since they were last seen. facts: of the imitated pack, by quantity."""

    clock: float = 0.0
    conductor: float = 0.0
    facts: Mapping[str, float] = {}


class KeepLog(msgspec.Struct, frozen=True, tag=True):
    """Write what happens into this folder. part: of the run."""

    folder: str
    part: int = 1


class Rested(msgspec.Struct, frozen=True, tag=True):
    """The rig has closed its sessions. The bench is the supervisor's."""


class Armed(msgspec.Struct, frozen=True, tag=True):
    """Watching: outputs may go on."""


class Refused(msgspec.Struct, frozen=True, tag=True):
    """It cannot watch this bench."""

    words: str


class Acted(msgspec.Struct, frozen=True, tag=True):
    """It is bringing the bench down: the rig must come to rest and let go."""

    reason: str


class Ended(msgspec.Struct, frozen=True, tag=True):
    """How the bench is now."""

    confirmed: bool
    readings: tuple[str, ...]


Message = Orders | Beat | KeepLog | Rested | Armed | Refused | Acted | Ended


class Wire:
    """One end of the socket pair."""

    def __init__(self, end: socket.socket) -> None:
        self.end = end
        self._rest = b""
        self.over = False
        """The other side is gone."""
        end.setblocking(False)

    def send(self, message: Message) -> None:
        """Never waits and never fails: who does not read is dead or hangs, and is found out otherwise."""
        try:
            self.end.send(msgspec.json.encode(message) + b"\n")
        except BlockingIOError:
            return
        except OSError:
            self.over = True

    def receive(self) -> list[Message]:
        """What has come."""
        try:
            while data := self.end.recv(65_536):
                self._rest += data
            self.over = True
        except BlockingIOError:
            pass
        except OSError:
            self.over = True
        *lines, self._rest = self._rest.split(b"\n")
        return [msgspec.json.decode(line, type=Message) for line in lines]

    def close(self) -> None:
        """Idempotent."""
        self.end.close()
