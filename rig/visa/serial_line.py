"""Settings of a serial port, as an instrument's table states them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class SerialLine:
    """8 data bits always. stop_bits: 1 or 2."""

    baud: int = 9600
    parity: Literal["none", "odd", "even"] = "none"
    stop_bits: Literal[1, 2] = 1
