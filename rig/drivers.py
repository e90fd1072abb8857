"""What a folder of instruments/ offers to a bench: its role, its options, and how to make its two halves.

The table of all of them is data that a bench is given (instruments/registry.py holds it), so that rig knows no maker.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from rig.metrology.accuracy import FitSpec
from rig.visa.serial_line import SerialLine

Role = Literal["load", "grid", "dc_source", "analyzer", "digitizer", "vehicle", "charger", "thermometer", "digital_io"]
Transport = Literal["visa", "lines", "prompts", "datagrams", "modbus", "contacts"]
"""How the driver reaches its instrument: pyvisa messages, request and reply lines on a serial port, prompts to a person
at a terminal, datagrams (UDP), Modbus RTU on a serial port, or the relay contacts of
the bench's own digital I/O board."""


@dataclass(frozen=True, slots=True)
class Driver:
    """One model of instrument.

    options: the keys of its part in a bench file. open: (session, options, clock) -> driver. emulate: (world, options)
    -> the emulated device behind the same transport; None where there is no emulator. serial: port settings where the
    resource is a serial port. baud: of a line, from its options. port: of datagrams, where the far end listens
    and sends its answers. met_hardware: the driver has been run against the real
    instrument. accuracy: where its uncertainty figures come from. model: pattern of the models it is for, as they name
    themselves; empty: the driver sees to it. fit: the conditions these figures hold for.
    """

    role: Role
    options: type[BaseModel]
    open: Callable[[Any, Any, Any], Any]
    emulate: Callable[[Any, Any], Any] | None
    transport: Transport = "visa"
    serial: SerialLine | None = None
    baud: Callable[[Any], int] | None = None
    port: int = 0
    met_hardware: bool = False
    accuracy: str = ""
    model: str = ""
    fit: FitSpec | None = None


Registry = Mapping[str, Driver]
"""Driver name, as in a bench file -> driver."""
