"""What of a bench only one run may have: its real resources, named so that every bench file and host names them alike.

A resource on the network is the same from wherever it is reached; one that hangs on a machine is that machine's own. A
bench without a real part moves no energy and needs no lease, in whatever time it runs. A host is known by the name the
bench file gives it: two files that share an instrument must call it by one.
"""

from __future__ import annotations

import os
import re

from rig.bench_config import CONTACTS, BenchConfig
from rig.safety.estop import estop_board

_TCPIP = re.compile(r"(?:TCPIP|VICP)[0-9]*::([^:]+)(?:::(.+?))??(?:::INSTR)?", re.IGNORECASE)
_URL = re.compile(r"(?:socket|rfc2217|udp)://([^:/?]+):([0-9]+).*", re.IGNORECASE)
_SERIAL = re.compile(r"ASRL(/.+?)(?:::INSTR)?", re.IGNORECASE)


def real_resources(config: BenchConfig, host: str) -> list[str]:
    """Names of what a run on this bench must have for itself. host: the machine that asks."""
    parts = [part for part in config.parts.values() if not part.emulated and part.resource != CONTACTS]
    if not parts:
        return []
    can = f"{host} CAN {config.can.interface} {config.can.channel}".strip()
    names = [can, *(resource_name(part.resource, host) for part in parts)]
    board = estop_board(config.safety.estop)
    return names if board is None else [*names, resource_name(board.resource, host)]


def shared_estop(config: BenchConfig, host: str) -> str:
    """Why the emergency stop's board cannot be the supervisor's own; empty when it can."""
    board = estop_board(config.safety.estop)
    if board is None:
        return ""
    own = _line(board.resource, host)
    for part in config.parts.values():
        if not part.emulated and part.resource != CONTACTS and _line(part.resource, host) == own:
            return (
                f"{board.resource} is the line of [{part.name}], and a line has one owner; put the chain's board on a "
                "line of its own, or wire the chain to a file: or cts: input"
            )
    return ""


def resource_name(resource: str, host: str) -> str:
    """One name for all ways to spell a resource."""
    text = resource.strip()
    if found := _TCPIP.fullmatch(text):
        device = (found[2] or "inst0").upper().removesuffix("::SOCKET")
        return _reached(found[1], device, host)
    if found := _URL.fullmatch(text):
        return _reached(found[1], found[2], host)
    if found := _SERIAL.fullmatch(text):
        return f"{host} {found[1]}"
    return f"{host} {text if text.startswith('/') else text.upper().removesuffix('::INSTR')}"


def _reached(there: str, device: str, host: str) -> str:
    """At an address. The loopback of every machine is its own."""
    name = there.lower()
    own = name == "localhost" or name.startswith("127.")
    return f"{host} {name} {device}" if own else f"{name} {device}"


def _line(resource: str, host: str) -> str:
    """A resource by where it ends: /dev/serial/by-id has links."""
    port = local_port(resource)
    return os.path.realpath(port) if port else resource_name(resource, host)


def local_port(resource: str) -> str:
    """Path of a serial port of this machine; empty for anything else."""
    found = _SERIAL.fullmatch(resource.strip())
    path = found[1] if found else resource.strip()
    return path if path.startswith("/dev/") else ""


def lasting(name: str) -> bool:
    """Whether a resource (by the name that real_resources gives it) can be left energised, and is the same thing
    tomorrow. A bus moves no energy. A pseudo-terminal and a port of the loopback belong to a process; their name means
    another one later."""
    return not re.search(r"^\S* CAN | /dev/pts/| (localhost|127\.[0-9.]+) ", name)
