"""Properties of the ECHONET Lite class electric vehicle charger/discharger (0x027E), once for driver and emulator.

[APPENDIX]: Detailed Requirements for ECHONET Device Objects, 3.3.15 (electric vehicle charger/discharger) and 2
(device object super class), as read in two public programs that use it: pychonet, ElectricVehicleChargerDischarger.py
(EPCs, sizes, units, words) and EL-WebAPI_DeviceDescription (fujita-kait), EVChargerDischarger. No maker's charger has
been asked. Big endian. A value beyond a property's range is its mark for none: over range, under range, not measured
(0x7FFFFFFF, 0x80000000, 0x7FFFFFFE of a signed long: [ELS] part II, from memory, M).

The class knows neither a reserve for discharge, nor who moves the house, nor an emergency stop, nor an acknowledgement
of a fault. A maker may have them as properties of its own, 0xF0..0xFF; the bench file then names them in `own`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from instruments.echonet_lite.frame import Eoj
from rig.quantity import Seconds, Watts
from rig.roles import ChargerMode

PORT: Final = 3610
"""UDP, of every node; answers are sent there too. [ELS] part II, 1.3."""
CHARGER: Final = (0x02, 0x7E)
CONTROLLER: Final = Eoj(0x05, 0xFF, 0x01)
"""A controller, which is what the rig is on this network. [APPENDIX] 3.6.1."""


@dataclass(frozen=True, slots=True)
class Property:
    """A row. size: bytes; 0: as many as there are. signed: two's complement. unit: of one step. access: g read, s set,
    i announced of itself when it changes. low, high: what a value may be where not all its bytes can hold is one."""

    epc: int
    name: str
    size: int
    unit: str
    access: str
    source: str
    confidence: Literal["S", "M"] = "S"
    signed: bool = False
    low: int | None = None
    high: int | None = None

    def pack(self, value: int) -> bytes:
        """Its bytes. ValueError when it does not fit."""
        try:
            return value.to_bytes(self.size, "big", signed=self.signed)
        except OverflowError:
            raise ValueError(f"{self.name} (0x{self.epc:02X}) cannot be {value}") from None

    def unpack(self, data: bytes) -> int:
        """Its value. ValueError when it has another size."""
        if len(data) != self.size:
            raise ValueError(f"{self.name} (0x{self.epc:02X}) has {len(data)} bytes instead of {self.size}")
        value = int.from_bytes(data, "big", signed=self.signed)
        if (self.low is not None and value < self.low) or (self.high is not None and value > self.high):
            raise ValueError(f"{self.name} (0x{self.epc:02X}) = 0x{data.hex().upper()} is the mark for no value")
        return value


_P, _SUPER = "[APPENDIX] class 0x027E", "[APPENDIX] device object super class"
OPERATION = Property(0x80, "operation status", 1, "", "gsi", _SUPER)
PLACE = Property(0x81, "installation location", 1, "", "gsi", _SUPER)
STANDARD = Property(0x82, "standard version information", 4, "", "g", _SUPER)
FAULT = Property(0x88, "fault status", 1, "", "gi", _SUPER)
FAULT_CODE = Property(0x89, "fault description", 2, "", "g", _SUPER, "M")
MAKER = Property(0x8A, "manufacturer code", 3, "", "g", _SUPER)
PRODUCT = Property(0x8C, "product code", 12, "", "g", _SUPER)
SERIAL = Property(0x8D, "production number", 12, "", "g", _SUPER)
ANNOUNCES = Property(0x9D, "status change announcement property map", 0, "", "g", _SUPER)
SETTABLE = Property(0x9E, "set property map", 0, "", "g", _SUPER)
READABLE = Property(0x9F, "get property map", 0, "", "g", _SUPER)
RATED_CHARGE = Property(0xC5, "rated charge capacity", 4, "W", "g", _P)
RATED_DISCHARGE = Property(0xC6, "rated discharge capacity", 4, "W", "g", _P)
POWER_NOW = Property(
    0xD3,
    "instantaneous charging/discharging electric power",
    4,
    "W",
    "g",
    _P,
    signed=True,
    low=-999_999_999,
    high=999_999_999,
)
MODE = Property(0xDA, "operation mode setting", 1, "", "gsi", _P)
INTERCONNECTED = Property(0xDB, "system interconnected type", 1, "", "g", _P)
CHARGING_METHOD = Property(0xDC, "charging method", 1, "", "gs", _P)
DISCHARGING_METHOD = Property(0xDD, "discharging method", 1, "", "gs", _P)
ACTUAL = Property(0xE1, "actual operation mode", 1, "", "g", _P)
REMAINING = Property(0xE4, "remaining stored electricity 3", 1, "%", "g", _P, low=0, high=100)
CHARGE_POWER = Property(0xEB, "charging electric power setting", 4, "W", "gs", _P)
DISCHARGE_POWER = Property(0xEC, "discharging electric power setting", 4, "W", "gs", _P)

TABLE: Final = {
    row.epc: row
    for row in (
        OPERATION, PLACE, STANDARD, FAULT, FAULT_CODE, MAKER, PRODUCT, SERIAL, ANNOUNCES, SETTABLE, READABLE,
        RATED_CHARGE, RATED_DISCHARGE, POWER_NOW, MODE, INTERCONNECTED, CHARGING_METHOD, DISCHARGING_METHOD, ACTUAL,
        REMAINING, CHARGE_POWER, DISCHARGE_POWER,
    )
}  # fmt: skip

ON, FAULTY, SOUND = 0x30, 0x41, 0x42
OTHER, CHARGING, DISCHARGING, STANDBY, IDLE, PREPARATION = 0x40, 0x42, 0x43, 0x44, 0x47, 0x48
"""Values of MODE (without PREPARATION) and ACTUAL."""
MODES: Final[dict[ChargerMode, int]] = {"charge": CHARGING, "discharge": DISCHARGING, "standby": STANDBY}
ACTUAL_WORDS: Final = {
    OTHER: "other", CHARGING: "running", DISCHARGING: "running", STANDBY: "standby", IDLE: "idle",
    PREPARATION: "preparation",
}  # fmt: skip
DESIGNATED_POWER: Final = 0x03
"""Of both methods: at the power that is set."""
INDEPENDENT: Final = 0x01
"""Of INTERCONNECTED: it feeds the house by itself."""
PARALLEL: Final = 0x00


class OwnProperties(BaseModel):
    """EPCs of the maker's own properties; 0 for none. reserve: per cent, one byte. transfer: 0x41 automatic, 0x42
    manual. emergency_stop, reset: 0x41 does it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reserve: int = Field(0, ge=0, le=0xFF)
    transfer: int = Field(0, ge=0, le=0xFF)
    emergency_stop: int = Field(0, ge=0, le=0xFF)
    reset: int = Field(0, ge=0, le=0xFF)


DO, AUTOMATIC, MANUAL = 0x41, 0x41, 0x42


class Options(BaseModel):
    """Keys of a bench part. instance: of the charger on its node. power: W of its plate. within: s for an answer.
    attempts: times it is asked before it counts as lost. own: of the maker. The others are of the emulated charger."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    instance: int = Field(1, ge=1, le=0x7F)
    power: Watts = Field(6000.0, gt=0)
    within: Seconds = Field(1.0, gt=0, le=20)
    attempts: int = Field(3, ge=1, le=10)
    own: OwnProperties = OwnProperties.model_validate({})
    transfers: bool = True
