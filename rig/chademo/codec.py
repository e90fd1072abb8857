"""Messages of the CHAdeMO bus as values, and the way from and to frames.

One frozen value a frame, in SI units: V, A, s, J; discharge currents are positive numbers (the wire holds 255 - A).
Charged rates and the discharge levels of 0x200 stay counts as on the wire: their unit depends on the car
(`VehicleStatus.charged_rate` of `VehicleLimits.charged_rate_reference`; levels per cent or 0.1 kWh, see the fields).
Values are rounded to the nearest count on encode; who needs the safe side rounds before.

`decode` keeps the payloads it has seen: bus traffic repeats, so a known payload costs one dict lookup and gives the
very same object back, and "unchanged" is an `is`. It gives None for what it does not decode: other ids, the raw
frames 0x110 0x118 0x202 0x700 0x708, and frames that do not have 8 bytes (a monitor sees their length itself).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from struct import Struct, error
from typing import TypeVar

from rig.can.frame import Frame
from rig.chademo.messages import SPECS, USE_MINUTES, signals_of
from rig.errors import UseError

_KWH10 = 360_000.0
"""J in 0.1 kWh."""


@dataclass(frozen=True, slots=True)
class VehicleLimits:
    """0x100. Currents A, voltages V; max_voltage: at the inlet, above it the charger must stop."""

    min_charge_current: float = 0
    max_charge_current: float = 0
    min_voltage: float = 0
    max_voltage: float = 0
    charged_rate_reference: int = 100

    def encode(self) -> Frame:
        """The frame on the wire."""
        return _encode(0x100, self, _pack_100)


@dataclass(frozen=True, slots=True)
class VehicleTimes:
    """0x101. Times s (max_charge_time_10s 2550: see the minutes), capacity J (0: not given)."""

    max_charge_time_10s: float = 0
    max_charge_time_min: float = 0
    estimated_charge_time: float = 0
    rated_capacity: float = 0

    def encode(self) -> Frame:
        """The frame on the wire."""
        return _encode(0x101, self, _pack_101)

    @property
    def max_charge_time(self) -> float:
        """s, whichever byte holds it."""
        return self.max_charge_time_min if self.max_charge_time_10s == USE_MINUTES else self.max_charge_time_10s


@dataclass(frozen=True, slots=True)
class VehicleStatus:
    """0x102. target_voltage V, current_request A; charged_rate in counts of charged_rate_reference.

    contactor_open: False is closed, or the welding test still runs. stop_before_charging: valid until the first
    current request. protocol: 0 before 0.9, 1 for 0.9, 2 for 1.x, 3 for 2.0.
    """

    protocol: int = 2
    target_voltage: float = 0
    current_request: float = 0
    fault_overvoltage: bool = False
    fault_undervoltage: bool = False
    fault_current_deviation: bool = False
    fault_high_temperature: bool = False
    fault_voltage_deviation: bool = False
    enabled: bool = False
    not_in_park: bool = False
    system_fault: bool = False
    contactor_open: bool = True
    stop_before_charging: bool = False
    unknown_5_6: bool = False
    discharge_compatible: bool = False
    charged_rate: int = 0

    def encode(self) -> Frame:
        """The frame on the wire."""
        return _encode(0x102, self, _pack_102)

    @property
    def fault(self) -> bool:
        """Any of the five battery fault bits 102.4.0-4."""
        return (
            self.fault_overvoltage
            or self.fault_undervoltage
            or self.fault_current_deviation
            or self.fault_high_temperature
            or self.fault_voltage_deviation
        )


@dataclass(frozen=True, slots=True)
class ChargerCapability:
    """0x108. V and A; threshold_voltage 0 until the vehicle's limits are known."""

    welding_detection: bool = True
    available_voltage: float = 0
    available_current: float = 0
    threshold_voltage: float = 0

    def encode(self) -> Frame:
        """The frame on the wire."""
        return _encode(0x108, self, _pack_108)


@dataclass(frozen=True, slots=True)
class ChargerStatus:
    """0x109. Measured output V; output_current A while charging, 0 while discharging; times s (10 s byte 2550: see
    the minutes). running: 109.5.0, power transfer. locked: 109.5.2. stopping: 109.5.5, stopped or stopping.
    """

    protocol: int = 2
    output_voltage: float = 0
    output_current: float = 0
    discharge_compatible: bool = False
    running: bool = False
    malfunction: bool = False
    locked: bool = False
    battery_incompatible: bool = False
    system_malfunction: bool = False
    stopping: bool = True
    remaining_time_10s: float = USE_MINUTES
    remaining_time_min: float = 0

    def encode(self) -> Frame:
        """The frame on the wire."""
        return _encode(0x109, self, _pack_109)

    @property
    def remaining_time(self) -> float:
        """s, whichever byte holds it."""
        return self.remaining_time_min if self.remaining_time_10s == USE_MINUTES else self.remaining_time_10s


@dataclass(frozen=True, slots=True)
class VehicleDischarge:
    """0x200. max_discharge_current A, positive; min_discharge_voltage V. Levels are counts: per cent when the car
    also sends 0x201, else 0.1 kWh; 0 not used; placeholders (FF) before charge permission.
    """

    max_discharge_current: float = 0
    min_discharge_voltage: float = 0
    min_discharge_level: int = 0
    max_charge_level: int = 0

    def encode(self) -> Frame:
        """The frame on the wire."""
        return _encode(0x200, self, _pack_200)


@dataclass(frozen=True, slots=True)
class VehicleDischargeEnergy:
    """0x201. sequence: discharge sequence number; completion_time s and available_energy J, 0: not given."""

    sequence: int = 0
    completion_time: float = 0
    available_energy: float = 0

    def encode(self) -> Frame:
        """The frame on the wire."""
        return _encode(0x201, self, _pack_201)


@dataclass(frozen=True, slots=True)
class ChargerDischarge:
    """0x208. Currents A, positive while discharging; lower_threshold_voltage V: discharge ends here by itself."""

    discharge_current: float = 0
    available_input_voltage: float = 0
    available_input_current: float = 0
    lower_threshold_voltage: float = 0

    def encode(self) -> Frame:
        """The frame on the wire."""
        return _encode(0x208, self, _pack_208)


@dataclass(frozen=True, slots=True)
class ChargerDischargeTime:
    """0x209. sequence: discharge sequence number; remaining_time s, 0: not given."""

    sequence: int = 0
    remaining_time: float = 0

    def encode(self) -> Frame:
        """The frame on the wire."""
        return _encode(0x209, self, _pack_209)


Message = (
    VehicleLimits
    | VehicleTimes
    | VehicleStatus
    | ChargerCapability
    | ChargerStatus
    | VehicleDischarge
    | VehicleDischargeEnergy
    | ChargerDischarge
    | ChargerDischargeTime
)

_S100 = Struct("<BBHHBx")
_S101 = Struct("<xBBBxHx")
_S102 = Struct("<BHBBBBx")
_S108 = Struct("<BHBHxx")
_S109 = Struct("<BHBBBBB")
_S200 = Struct("<BxxxHBB")
_S201 = Struct("<BHHxxx")
_S208 = Struct("<BHBxxH")
_S209 = Struct("<BHxxxxx")


def _pack_100(m: VehicleLimits) -> bytes:
    return _S100.pack(
        round(m.min_charge_current),
        round(m.max_charge_current),
        round(m.min_voltage),
        round(m.max_voltage),
        m.charged_rate_reference,
    )


def _pack_101(m: VehicleTimes) -> bytes:
    return _S101.pack(
        round(m.max_charge_time_10s / 10),
        round(m.max_charge_time_min / 60),
        round(m.estimated_charge_time / 60),
        round(m.rated_capacity / _KWH10),
    )


def _pack_102(m: VehicleStatus) -> bytes:
    faults = (
        m.fault_overvoltage
        | m.fault_undervoltage << 1
        | m.fault_current_deviation << 2
        | m.fault_high_temperature << 3
        | m.fault_voltage_deviation << 4
    )
    status = (
        m.enabled
        | m.not_in_park << 1
        | m.system_fault << 2
        | m.contactor_open << 3
        | m.stop_before_charging << 4
        | m.unknown_5_6 << 6
        | m.discharge_compatible << 7
    )
    return _S102.pack(m.protocol, round(m.target_voltage), round(m.current_request), faults, status, m.charged_rate)


def _pack_108(m: ChargerCapability) -> bytes:
    return _S108.pack(
        m.welding_detection, round(m.available_voltage), round(m.available_current), round(m.threshold_voltage)
    )


def _pack_109(m: ChargerStatus) -> bytes:
    status = (
        m.running
        | m.malfunction << 1
        | m.locked << 2
        | m.battery_incompatible << 3
        | m.system_malfunction << 4
        | m.stopping << 5
    )
    return _S109.pack(
        m.protocol,
        round(m.output_voltage),
        round(m.output_current),
        m.discharge_compatible,
        status,
        round(m.remaining_time_10s / 10),
        round(m.remaining_time_min / 60),
    )


def _pack_200(m: VehicleDischarge) -> bytes:
    return _S200.pack(
        255 - round(m.max_discharge_current),
        round(m.min_discharge_voltage),
        m.min_discharge_level,
        m.max_charge_level,
    )


def _pack_201(m: VehicleDischargeEnergy) -> bytes:
    return _S201.pack(m.sequence, round(m.completion_time / 60), round(m.available_energy / _KWH10))


def _pack_208(m: ChargerDischarge) -> bytes:
    return _S208.pack(
        255 - round(m.discharge_current),
        round(m.available_input_voltage),
        255 - round(m.available_input_current),
        round(m.lower_threshold_voltage),
    )


def _pack_209(m: ChargerDischargeTime) -> bytes:
    return _S209.pack(m.sequence, round(m.remaining_time / 60))


def _bits(byte: int) -> list[bool]:
    return [bool(byte >> n & 1) for n in range(8)]


def _unpack_100(data: bytes) -> VehicleLimits:
    return VehicleLimits(*_S100.unpack(data))


def _unpack_101(data: bytes) -> VehicleTimes:
    tens, minutes, estimated, capacity = _S101.unpack(data)
    return VehicleTimes(tens * 10.0, minutes * 60.0, estimated * 60.0, capacity * _KWH10)


def _unpack_102(data: bytes) -> VehicleStatus:
    protocol, target, request, faults, status, rate = _S102.unpack(data)
    over, under, current, hot, deviation, *_ = _bits(faults)
    enabled, shift, system, contactor, stop, _, unknown, v2h = _bits(status)
    faulty = (over, under, current, hot, deviation)
    return VehicleStatus(
        protocol, target, request, *faulty, enabled, shift, system, contactor, stop, unknown, v2h, rate
    )


def _unpack_108(data: bytes) -> ChargerCapability:
    welding, voltage, current, threshold = _S108.unpack(data)
    return ChargerCapability(bool(welding & 1), voltage, current, threshold)


def _unpack_109(data: bytes) -> ChargerStatus:
    protocol, voltage, current, compatible, status, tens, minutes = _S109.unpack(data)
    running, malfunction, locked, incompatible, system, stopping, *_ = _bits(status)
    faults_and_flags = (running, malfunction, locked, incompatible, system, stopping)
    v2h = bool(compatible & 1)
    return ChargerStatus(protocol, voltage, current, v2h, *faults_and_flags, tens * 10.0, minutes * 60.0)


def _unpack_200(data: bytes) -> VehicleDischarge:
    current, voltage, least, most = _S200.unpack(data)
    return VehicleDischarge(255 - current, voltage, least, most)


def _unpack_201(data: bytes) -> VehicleDischargeEnergy:
    sequence, minutes, energy = _S201.unpack(data)
    return VehicleDischargeEnergy(sequence, minutes * 60.0, energy * _KWH10)


def _unpack_208(data: bytes) -> ChargerDischarge:
    present, voltage, available, threshold = _S208.unpack(data)
    return ChargerDischarge(255 - present, voltage, 255 - available, threshold)


def _unpack_209(data: bytes) -> ChargerDischargeTime:
    sequence, minutes = _S209.unpack(data)
    return ChargerDischargeTime(sequence, minutes * 60.0)


_UNPACK: dict[int, Callable[[bytes], Message]] = {
    0x100: _unpack_100,
    0x101: _unpack_101,
    0x102: _unpack_102,
    0x108: _unpack_108,
    0x109: _unpack_109,
    0x200: _unpack_200,
    0x201: _unpack_201,
    0x208: _unpack_208,
    0x209: _unpack_209,
}

_KNOWN: dict[Frame, Message | None] = {}
_KNOWN_MAX = 4096
"""Payloads kept: those of some hours; a run of days shows any number (project choice)."""


def decode(frame: Frame) -> Message | None:
    """The message of a frame; None where the module docstring says so. A repeated payload gives the same object."""
    try:
        return _KNOWN[frame]
    except KeyError:
        return _decode_new(frame)


def _decode_new(frame: Frame) -> Message | None:
    unpack = _UNPACK.get(frame.id)
    message = None if unpack is None or len(frame.data) != 8 else unpack(frame.data)
    if len(_KNOWN) >= _KNOWN_MAX:
        _KNOWN.clear()
    _KNOWN[frame] = message
    return message


_M = TypeVar("_M", bound=Message)


def _encode(frame: int, message: _M, pack: Callable[[_M], bytes]) -> Frame:
    try:
        return Frame(frame, pack(message))
    except (error, ValueError, OverflowError, TypeError):
        raise UseError(_what_does_not_fit(frame, message)) from None


def _what_does_not_fit(frame: int, message: Message) -> str:
    """The field, its value and what the wire can hold."""
    values = asdict(message)
    for signal in signals_of(frame):
        value, top = values[signal.field], (1 << signal.length) - 1
        ends = sorted((raw * signal.scale + signal.offset) * signal.si for raw in (0, top))
        whole = signal.length == 1 or signal.si != 1 or signal.unit in ("V", "A", "s") or isinstance(value, int)
        step = abs(signal.scale * signal.si)
        if not whole or not isinstance(value, int | float) or not ends[0] - step / 2 <= value <= ends[1] + step / 2:
            return (
                f"{SPECS[frame].name} 0x{frame:03X}: {signal.field}={value!r} cannot be sent, "
                f"give {ends[0]:g} to {ends[1]:g}{'' if whole else ' as a whole number'}"
            )
    return f"{SPECS[frame].name} 0x{frame:03X}: {values} cannot be sent"
