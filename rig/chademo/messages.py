"""The CHAdeMO frames of a charge or V2H session as one table. What a byte means is said here and nowhere else.

All frames are CAN 2.0A, 500 kbit/s, 8 bytes, sent every 100 ms. Multi-byte values are little-endian, 1 V a bit
(recorded session: B3 01 = 435 V, 9A 01 = 410 V, F4 01 = 500 V). Byte n is "Dn", bit 0 the least; `start` = 8*n + bit.
Three currents stand inverted on the wire, ampere = 255 - raw: 200.0, 208.0 and 208.3 (recorded ramp FF, FD .. F0 of
200.0 = 0 .. 15 A). `codec.py` packs by hand what stands here; a test holds both against `chademo.dbc`.

Source keys
  LOG A    recorded session of a Nissan LEAF with a bidirectional 15 A charger
  BE       dalathegreat/Battery-Emulator        CLARA  osexpert/ccs32clara-chademo
  RS       rand12345/chademo-rs                 FURDOG furdog/chademo (matrix of IEEE 2030.1.1-2015)
  DBC2     hwthomas/ccs-chademo QC_CAN_messages MIEV   myimiev.com thread 5727
  BBV2H    rand12345/BeagleBone-V2H
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Side = Literal["vehicle", "charger"]
Confidence = Literal["measured", "seen", "second-hand", "memory", "project"]
"""How we know: measured in the recorded session; seen in a public text; second-hand, by public code or a quotation of
the standard; from memory of the standard; our own choice."""

PERIOD = 0.1
"""s, of every frame (recorded session: median 100.0-100.5 ms, longest 112 ms; CLARA: 100 ms +-10 ms)."""
USE_MINUTES = 2550.0
"""s, a ten-second time of FF: the time stands in the minutes byte."""
NEVER = 0xFF
"""Counts, 200.6 and 200.7 before the car knows them (recorded: FF FF until 0.73 s)."""


@dataclass(frozen=True, slots=True)
class FrameSpec:
    """A frame. decoded: the codec knows it; others are received and recorded raw."""

    id: int
    name: str
    sender: Side
    since: str
    decoded: bool = True


@dataclass(frozen=True, slots=True)
class Signal:
    """A signal. physical = raw*scale + offset, in `unit`; the message field holds physical*si, in SI units.

    field: the attribute of the message that carries it. since: CHAdeMO version that brought it.
    """

    frame: int
    name: str
    field: str
    start: int
    length: int
    source: str
    confidence: Confidence = "second-hand"
    since: str = "0.9"
    scale: float = 1.0
    offset: float = 0.0
    unit: str = ""
    si: float = 1.0


FRAMES: tuple[FrameSpec, ...] = (
    FrameSpec(0x100, "VehicleLimits", "vehicle", "0.9"),
    FrameSpec(0x101, "VehicleTimes", "vehicle", "0.9"),
    FrameSpec(0x102, "VehicleStatus", "vehicle", "0.9"),
    FrameSpec(0x108, "ChargerCapability", "charger", "0.9"),
    FrameSpec(0x109, "ChargerStatus", "charger", "0.9"),
    FrameSpec(0x110, "VehicleExtended", "vehicle", "1.2", decoded=False),
    FrameSpec(0x118, "ChargerExtended", "charger", "1.2", decoded=False),
    FrameSpec(0x200, "VehicleDischarge", "vehicle", "V2H 1.0"),
    FrameSpec(0x201, "VehicleDischargeEnergy", "vehicle", "V2H 1.1"),
    FrameSpec(0x202, "VehicleUnknown202", "vehicle", "2.0", decoded=False),
    FrameSpec(0x208, "ChargerDischarge", "charger", "V2H 1.0"),
    FrameSpec(0x209, "ChargerDischargeTime", "charger", "V2H 1.1"),
    FrameSpec(0x700, "VehicleMaker", "vehicle", "1.0", decoded=False),
    FrameSpec(0x708, "ChargerMaker", "charger", "1.0", decoded=False),
)

_MIN, _KWH = 60.0, 3.6e6


def _volts(frame: int, name: str, field: str, byte: int, source: str, **more: str) -> Signal:
    return Signal(frame, name, field, 8 * byte, 16, source, "measured", unit="V", since=more.get("since", "0.9"))


def _flag(frame: int, name: str, field: str, at: tuple[int, int], source: str, since: str = "0.9") -> Signal:
    return Signal(frame, name, field, 8 * at[0] + at[1], 1, source, since=since)


SIGNALS: tuple[Signal, ...] = (
    # 0x100 battery limits
    Signal(0x100, "MinimumChargeCurrent", "min_charge_current", 0, 8, "BE RS DBC2 CLARA", since="1.0", unit="A"),
    Signal(0x100, "MaximumChargeCurrent", "max_charge_current", 8, 8, "CLARA alone, uncertain", since="1.0", unit="A"),
    _volts(0x100, "MinimumBatteryVoltage", "min_voltage", 2, "BE RS DBC2", since="1.0"),
    _volts(0x100, "MaximumBatteryVoltage", "max_voltage", 4, "LOG A BE RS DBC2"),
    Signal(0x100, "ChargedRateReference", "charged_rate_reference", 48, 8, "LOG A CLARA BE", "measured", unit="%"),
    # 0x101 times and capacity
    Signal(0x101, "MaximumChargingTime10s", "max_charge_time_10s", 8, 8, "MIEV CLARA", scale=10.0, unit="s"),
    Signal(0x101, "MaximumChargingTimeMin", "max_charge_time_min", 16, 8, "MIEV CLARA", unit="min", si=_MIN),
    Signal(0x101, "EstimatedChargingTime", "estimated_charge_time", 24, 8, "MIEV", since="1.0.1", unit="min", si=_MIN),
    Signal(
        0x101,
        "RatedBatteryCapacity",
        "rated_capacity",
        40,
        16,
        "LOG A MIEV FURDOG CLARA DBC2",
        "measured",
        since="1.0.1",
        scale=0.1,
        unit="kWh",
        si=_KWH,
    ),
    # 0x102 request, faults, status
    Signal(0x102, "ControlProtocolNumberEV", "protocol", 0, 8, "LOG A FURDOG CLARA BE", "measured"),
    _volts(0x102, "TargetBatteryVoltage", "target_voltage", 1, "LOG A BE RS DBC2"),
    Signal(0x102, "ChargingCurrentRequest", "current_request", 24, 8, "LOG A BE RS DBC2", "measured", unit="A"),
    _flag(0x102, "FaultBatteryOvervoltage", "fault_overvoltage", (4, 0), "BE FURDOG CLARA"),
    _flag(0x102, "FaultBatteryUndervoltage", "fault_undervoltage", (4, 1), "BE FURDOG CLARA"),
    _flag(0x102, "FaultBatteryCurrentDeviation", "fault_current_deviation", (4, 2), "BE FURDOG CLARA"),
    _flag(0x102, "FaultHighBatteryTemperature", "fault_high_temperature", (4, 3), "BE FURDOG CLARA"),
    _flag(0x102, "FaultBatteryVoltageDeviation", "fault_voltage_deviation", (4, 4), "BE FURDOG CLARA"),
    _flag(0x102, "VehicleEnabled", "enabled", (5, 0), "LOG A BE FURDOG CLARA"),
    _flag(0x102, "NotInPark", "not_in_park", (5, 1), "BE FURDOG CLARA"),
    _flag(0x102, "ChargingSystemFault", "system_fault", (5, 2), "BE FURDOG CLARA"),
    _flag(0x102, "VehicleContactorOpen", "contactor_open", (5, 3), "LOG A BE FURDOG CLARA", "1.0"),
    _flag(0x102, "StopBeforeCharging", "stop_before_charging", (5, 4), "BE FURDOG CLARA", "1.0"),
    _flag(0x102, "Unknown102Bit5_6", "unknown_5_6", (5, 6), "LOG A (a LEAF ZE0 sets it)"),
    _flag(0x102, "DischargeCompatible", "discharge_compatible", (5, 7), "LOG A BE CLARA", "V2H 1.0"),
    Signal(0x102, "ChargedRate", "charged_rate", 48, 8, "LOG A BE CLARA", "measured", unit="%"),
    # 0x108 charger capability
    _flag(0x108, "WeldingDetectionSupport", "welding_detection", (0, 0), "LOG A BE RS", "1.0"),
    _volts(0x108, "AvailableOutputVoltage", "available_voltage", 1, "LOG A BE RS DBC2"),
    Signal(0x108, "AvailableOutputCurrent", "available_current", 24, 8, "LOG A BE RS DBC2", "measured", unit="A"),
    _volts(0x108, "ThresholdVoltage", "threshold_voltage", 4, "LOG A BE RS DBC2"),
    # 0x109 charger status
    Signal(0x109, "ControlProtocolNumberEVSE", "protocol", 0, 8, "LOG A FURDOG CLARA BE", "measured"),
    _volts(0x109, "PresentOutputVoltage", "output_voltage", 1, "LOG A BE RS DBC2"),
    Signal(0x109, "PresentOutputCurrent", "output_current", 24, 8, "LOG A BE BBV2H", "measured", unit="A"),
    _flag(0x109, "DischargeCompatible", "discharge_compatible", (4, 0), "LOG A BE CLARA", "V2H 1.0"),
    _flag(0x109, "StationStatus", "running", (5, 0), "LOG A BE RS"),
    _flag(0x109, "StationMalfunction", "malfunction", (5, 1), "BE RS"),
    _flag(0x109, "ConnectorLock", "locked", (5, 2), "LOG A BE RS CLARA"),
    _flag(0x109, "BatteryIncompatible", "battery_incompatible", (5, 3), "BE RS"),
    _flag(0x109, "ChargingSystemMalfunction", "system_malfunction", (5, 4), "BE RS"),
    _flag(0x109, "ChargingStopControl", "stopping", (5, 5), "LOG A BE RS"),
    Signal(0x109, "RemainingTime10s", "remaining_time_10s", 48, 8, "LOG A BE RS", "measured", scale=10.0, unit="s"),
    Signal(0x109, "RemainingTimeMin", "remaining_time_min", 56, 8, "LOG A BE RS", "measured", unit="min", si=_MIN),
    # 0x200 vehicle discharge limits
    Signal(
        0x200,
        "MaximumDischargeCurrent",
        "max_discharge_current",
        0,
        8,
        "LOG A RS CLARA",
        "measured",
        since="V2H 1.0",
        scale=-1.0,
        offset=255.0,
        unit="A",
    ),
    _volts(0x200, "MinimumDischargeVoltage", "min_discharge_voltage", 4, "LOG A RS BE CLARA", since="V2H 1.0"),
    Signal(0x200, "MinimumDischargeLevel", "min_discharge_level", 48, 8, "LOG A DBC2 BE", "measured", since="V2H 1.0"),
    Signal(0x200, "MaximumChargeLevel", "max_charge_level", 56, 8, "LOG A BE; DBC2 disagrees", since="V2H 1.0"),
    # 0x201 vehicle discharge energy; DBC2 places both values one byte later, no recording decides
    Signal(0x201, "SequenceNumberEV", "sequence", 0, 8, "BE CLARA", since="V2H 1.1"),
    Signal(
        0x201,
        "DischargeCompletionTime",
        "completion_time",
        8,
        16,
        "BE CLARA; DBC2 disagrees",
        since="V2H 1.1",
        unit="min",
        si=_MIN,
    ),
    Signal(
        0x201,
        "AvailableVehicleEnergy",
        "available_energy",
        24,
        16,
        "BE CLARA; DBC2 disagrees",
        since="V2H 1.1",
        scale=0.1,
        unit="kWh",
        si=_KWH,
    ),
    # 0x208 charger discharge
    Signal(
        0x208,
        "PresentDischargeCurrent",
        "discharge_current",
        0,
        8,
        "LOG A BE BBV2H",
        "measured",
        since="V2H 1.0",
        scale=-1.0,
        offset=255.0,
        unit="A",
    ),
    _volts(
        0x208, "AvailableInputVoltage", "available_input_voltage", 1, "LOG A RS BE, meaning uncertain", since="V2H 1.0"
    ),
    Signal(
        0x208,
        "AvailableInputCurrent",
        "available_input_current",
        24,
        8,
        "LOG A RS BE",
        "measured",
        since="V2H 1.0",
        scale=-1.0,
        offset=255.0,
        unit="A",
    ),
    _volts(0x208, "LowerThresholdVoltage", "lower_threshold_voltage", 6, "LOG A RS BE", since="V2H 1.0"),
    # 0x209 charger discharge time
    Signal(0x209, "SequenceNumberEVSE", "sequence", 0, 8, "LOG A BE CLARA", "measured", since="V2H 1.1"),
    Signal(
        0x209,
        "RemainingDischargeTime",
        "remaining_time",
        8,
        16,
        "LOG A BE CLARA",
        "measured",
        since="V2H 1.1",
        unit="min",
        si=_MIN,
    ),
)

SPECS: dict[int, FrameSpec] = {spec.id: spec for spec in FRAMES}
VEHICLE_IDS = frozenset(spec.id for spec in FRAMES if spec.sender == "vehicle")
CHARGER_IDS = frozenset(spec.id for spec in FRAMES if spec.sender == "charger")
DECODED_IDS = frozenset(spec.id for spec in FRAMES if spec.decoded)


def signals_of(frame: int) -> tuple[Signal, ...]:
    """The signals of a frame in the order of the table."""
    return tuple(signal for signal in SIGNALS if signal.frame == frame)
