"""The python-can interfaces a bench may name, and what each needs and does. Data; opens nothing.

keys: what [can] may hold beside interface, channel and bitrate; None: python-can's own arguments, handed on as the
bench file says them (vendor adapters, which count as neither echoing nor stamping).
Source of what each does: python-can 4.6, the modules can.interfaces.<name>.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import can
from pydantic import BaseModel, ConfigDict, Field

from rig.quantity import Seconds


class Keys(BaseModel):
    """No keys of its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SlcanKeys(Keys):
    """tty_baudrate: bit/s of the serial port. rtscts: hardware handshake. sleep_after_open: s an adapter needs until it
    listens (many restart when their port is opened)."""

    tty_baudrate: int = Field(115_200, ge=9600, le=12_000_000)
    rtscts: bool = False
    sleep_after_open: Seconds = Field(2.0, ge=0.0, le=30.0)


class UdpKeys(Keys):
    """port: UDP. hop_limit: routers a frame may pass; 0 keeps it on this machine, which is what a bench wants."""

    port: int = Field(43_113, ge=1, le=65_535)
    hop_limit: int = Field(0, ge=0, le=255)


@dataclass(frozen=True, slots=True)
class Interface:
    """channel: what it has to name, in words; empty where it need not be named. echoes: own frames come back. stamps:
    frames carry the wall time at which the operating system had them. kernel_cycle: the kernel's broadcast manager
    sends cyclic frames, and they come back as frames of this machine. fixed: arguments always given."""

    keys: type[BaseModel] | None = Keys
    channel: str = ""
    echoes: bool = False
    stamps: bool = False
    kernel_cycle: bool = False
    fixed: tuple[tuple[str, object], ...] = ()


INTERFACES: Mapping[str, Interface] = {
    "virtual": Interface(),
    "socketcan": Interface(channel="a network interface, as can0", stamps=True, kernel_cycle=True),
    "slcan": Interface(SlcanKeys, channel="a serial port, as /dev/ttyACM0"),
    "udp_multicast": Interface(UdpKeys, echoes=True, stamps=True, fixed=(("fd", False),)),
}
UNLISTED = Interface(keys=None)
NAMES: frozenset[str] = can.VALID_INTERFACES
"""Every interface this python-can knows."""


def interface(name: str) -> Interface:
    """What is known of an interface."""
    return INTERFACES.get(name, UNLISTED)
