"""Registers of the Waveshare Modbus RTU Relay (D), once for driver and emulator.

[DEV]: docs.waveshare.com, Modbus POE ETH IO 8CH, Development Protocol, "Register Address Description": the maker's own
table of this family's protocol V2 (S). [WIKI]: www.waveshare.com/wiki/Modbus_RTU_Relay_(D): 8 relays, 8 inputs, 9600
8-N-1, unit 1 as delivered (S). That the (D) board has the same map is confirmed by one public register list for it only
(etm-powersync-plugins-modbus, waveshare-relay-d8: coils 0..7, discrete inputs 0..7); check before it is relied on.

The board has no communication watchdog and no safe value: a relay that was switched stays so when its master is gone.
A momentary closure is timed by the board itself, so a button is let go though the master died: buttons are pressed so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from rig.quantity import Seconds

CHANNELS: Final = 8
READ_COILS, READ_INPUTS, READ_REGISTERS, WRITE_COIL = 0x01, 0x02, 0x03, 0x05
"""Function codes."""
RELAYS: Final = 0x0000
"""Coils 0..7. [DEV] 0x0000-0x0007: 0xFF00 on, 0x0000 off; 01 reads, 05 writes."""
ALL: Final = 0x00FF
"""[DEV] operate all relays; written only."""
MOMENTARY: Final = 0x0200
"""[DEV] 0x0200-0x0207, relay momentary on, function 05: its value is the time in steps of 100 ms."""
INPUTS: Final = 0x0000
"""Discrete inputs 0..7, function 02. [DEV] 0x10000-0x10007 in its own notation."""
VERSION: Final = 0x8000
"""[DEV] 0x48000: software version in hundredths, function 03."""


@dataclass(frozen=True, slots=True)
class Register:
    """A row. function: code. first, count: addresses."""

    name: str
    function: int
    first: int
    count: int
    source: str
    confidence: Literal["S", "M"] = "S"


TABLE: Final = (
    Register("relays", READ_COILS, RELAYS, CHANNELS, "[DEV] 0x0000-0x0007"),
    Register("relay", WRITE_COIL, RELAYS, CHANNELS, "[DEV] 0x0000-0x0007"),
    Register("all relays", WRITE_COIL, ALL, 1, "[DEV] 0x00FF"),
    Register("momentary", WRITE_COIL, MOMENTARY, CHANNELS, "[DEV] 0x0200-0x0207"),
    Register("inputs", READ_INPUTS, INPUTS, CHANNELS, "[DEV] 0x10000-0x10007"),
    Register("version", READ_REGISTERS, VERSION, 1, "[DEV] 0x48000"),
)

ON, OFF = 0xFF00, 0x0000
STEP: Final = 0.1
"""s of a momentary closure's time. [DEV]"""
LONGEST_PULSE: Final = 0x7FFF * STEP
"""s (M: the largest value the wiki's examples name)."""

EXCEPTIONS: Final = {
    1: "illegal function", 2: "illegal data address", 3: "illegal data value", 4: "device failure", 6: "busy",
}  # fmt: skip
"""Modbus application protocol V1.1b3, 7."""

Wired = Literal["estop", "ev_contactor", "pcs", "charger_running", "charger_fault", "charger_backup"]
"""What an input may follow: the emergency stop's chain (on while it is closed), the auxiliary contact of the EV
contactors, that of the PCS main contact, and signal contacts of the charger."""


class Options(BaseModel):
    """Keys of a bench part. baud: bit/s. unit: address on the line. inputs: what is wired to input 1..8, as
    inputs = { 1 = "estop" }. estop_opens: s of bench time at which the chain of an emulated bench opens, for drills."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    baud: Literal[4800, 9600, 19200, 38400, 57600, 115200] = 9600
    unit: int = Field(1, ge=1, le=247)
    inputs: Mapping[int, Wired] = {}
    estop_opens: Seconds | None = Field(None, ge=0)

    @field_validator("inputs")
    @classmethod
    def _channels(cls, inputs: Mapping[int, Wired]) -> Mapping[int, Wired]:
        for channel in inputs:
            if not 1 <= channel <= CHANNELS:
                raise ValueError(f"input {channel} is none of 1..{CHANNELS}")
        if len(set(inputs.values())) < len(inputs):
            raise ValueError("one thing is wired to two inputs; name it once")
        return inputs
