"""What could be put into a bench file here: VISA resources, serial ports, CAN interfaces. It opens none of them.

The network is asked only when told to: VXI-11 by a broadcast to port mappers, HiSLIP by mDNS where zeroconf is
installed. What could not be looked for is said, not left out.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import can
from serial.tools import list_ports

from rig.visa.backend import real_manager


@dataclass
class Discovered:
    """visa: resource names. serial: port -> what is plugged in. can: (interface, channel). notes: what could not be
    looked for, and why."""

    visa: list[str] = field(default_factory=list)
    serial: dict[str, str] = field(default_factory=dict)
    can: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def discover(network: bool = False) -> Discovered:
    """Look around. network: ask the network too."""
    found = Discovered()
    with _quiet():
        found.serial = {port.device: port.description or "" for port in list_ports.comports()}
        _look(found, "CAN interfaces", lambda: found.can.extend(_can_interfaces()))
        if network:
            _look(found, "VISA resources", lambda: found.visa.extend(_visa_resources()))
        else:
            found.notes.append("the network was not asked; --network asks it (VXI-11 broadcast, mDNS)")
    return found


def _look(found: Discovered, what: str, look: Callable[[], None]) -> None:
    """What one way of looking finds, or why it could not."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            look()
        except Exception as error:  # noqa: BLE001  (a backend's own trouble must not hide what the others find)
            found.notes.append(f"{what}: could not be looked for ({error})")
    found.notes += [f"{what}: {one.message}" for one in said if issubclass(one.category, UserWarning)]


def _can_interfaces() -> Iterator[tuple[str, str]]:
    for one in can.detect_available_configs():
        config: Any = one
        yield str(config["interface"]), str(config["channel"])


def _visa_resources() -> list[str]:
    manager = real_manager()
    try:
        return sorted(manager.list_resources("?*"))
    finally:
        manager.close()


@contextmanager
def _quiet() -> Iterator[None]:
    """python-can logs every interface whose own library is not installed."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
