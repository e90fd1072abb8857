"""The facts of a session: what each side said of itself, and how long each step took. Data for people and machines."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from rig.chademo.messages import Side
from rig.chademo.session import Phase
from rig.trace.observer import Record

J_PER_KWH = 3.6e6
P = Phase


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing. key: for machines. side: who said it; None: of the session. where: the bytes, or how it was found."""

    key: str
    name: str
    side: Side | None
    value: float | bool
    unit: str
    where: str


Found = tuple[str, str, float | bool | None, str, str]


def facts(record: Record) -> tuple[Fact, ...]:
    """Everything that is known of a session; what was not seen is left out."""
    return tuple(
        Fact(key, name, side, value, unit, where)
        for side, (key, name, value, unit, where) in _found(record)
        if value is not None
    )


def known_facts() -> dict[str, Fact]:
    """Every fact there may be, by its key, in order; their values say nothing."""
    return {
        key: Fact(key, name, side, math.nan, unit, where) for side, (key, name, _, unit, where) in _found(Record(0))
    }


def _found(record: Record) -> Iterator[tuple[Side | None, Found]]:
    rows: list[tuple[Side | None, list[Found]]] = [
        ("vehicle", _vehicle(record)),
        ("charger", _charger(record)),
        (None, _peaks(record) + _times(record)),
    ]
    for side, found in rows:
        for one in found:
            yield side, one


def _vehicle(r: Record) -> list[Found]:
    limits, times, discharge = r.limits, r.times, r.discharge
    least, most = r.levels or (None, None)
    capacity = None if times is None else times.rated_capacity / J_PER_KWH
    minutes = None if times is None else times.max_charge_time / 60
    return [
        ("vehicle_protocol", "protocol number", r.protocols[0], "", "102.0"),
        ("vehicle_v2h", "can discharge", None if r.protocols[0] is None else r.vehicle_v2h, "", "102.5.7"),
        ("target_voltage", "target voltage", r.target or None, "V", "102.1-2"),
        ("max_battery_voltage", "maximum voltage", None if limits is None else limits.max_voltage, "V", "100.4-5"),
        ("min_charge_current", "minimum charge current", None if limits is None else limits.min_charge_current, "A",
         "100.0"),
        ("capacity", "rated capacity", capacity or None, "kWh", "101.5-6"),
        ("max_charge_time", "maximum charging time", minutes or None, "min", "101.1-2"),
        ("charged_rate", "charged rate when enabled", r.rate, "%", "102.6"),
        ("min_discharge_voltage", "minimum discharge voltage",
         None if discharge is None else discharge.min_discharge_voltage, "V", "200.4-5"),
        ("min_discharge_level", "minimum discharge level", least, "%", "200.6"),
        ("max_charge_level", "maximum charge level", most, "%", "200.7"),
        ("request_peak", "highest current request", r.peaks.request, "A", "102.3"),
        ("discharge_limit_peak", "highest discharge limit", r.peaks.discharge_limit, "A", "200.0"),
    ]  # fmt: skip


def _charger(r: Record) -> list[Found]:
    capability, discharge, time = r.capability, r.charger_discharge, r.charger_time
    return [
        ("charger_protocol", "protocol number", r.protocols[1], "", "109.0"),
        ("charger_v2h", "can discharge", None if r.protocols[1] is None else r.charger_v2h, "", "109.4.0"),
        ("welding_detection", "supports the welding check",
         None if capability is None else capability.welding_detection, "", "108.0"),
        ("available_voltage", "available voltage", None if capability is None else capability.available_voltage, "V",
         "108.1-2"),
        ("offered_current", "offered current", r.offered, "A", "108.3, first"),
        ("threshold_voltage", "threshold voltage", None if capability is None else capability.threshold_voltage, "V",
         "108.4-5"),
        ("input_current", "discharge current it takes",
         None if discharge is None else discharge.available_input_current, "A", "208.3"),
        ("lower_threshold", "lower threshold voltage",
         None if discharge is None else discharge.lower_threshold_voltage, "V", "208.6-7"),
        ("sequence", "discharge sequence number", None if time is None else time.sequence, "", "209.0"),
    ]  # fmt: skip


def _peaks(r: Record) -> list[Found]:
    return [
        ("insulation_voltage", "insulation test, highest output", r.insulation or None, "V", "109.1-2"),
        ("charge_peak", "charge current, highest", r.peaks.charge, "A", "109.3"),
        ("discharge_peak", "discharge current, highest", r.peaks.discharge, "A", "208.0"),
        ("request_ramp", "ramp of the request", r.request_ramp.slope, "A/s", "102.3, largest rise"),
        ("limit_ramp", "ramp of the discharge limit", r.limit_ramp.slope, "A/s", "200.0, largest rise"),
        ("charge_ramp", "ramp of the charge current", r.charge_ramp.slope, "A/s", "109.3, largest rise"),
        ("discharge_ramp", "ramp of the discharge current", r.discharge_ramp.slope, "A/s", "208.0, largest rise"),
    ]


def _times(r: Record) -> list[Found]:
    def seconds(key: str, name: str, first: str, then: str, where: str) -> Found:
        return key, name, r.between(first, then), "s", where

    enabled, closed, requested = P.ENABLED.value, P.CLOSED.value, P.REQUESTED.value
    tested = P.INSULATION.value
    return [
        seconds("answer_time", "vehicle's first frame to the charger's 0x109", "vehicle", "charger", "frames"),
        seconds("enable_time", "vehicle's first frame to enabled", "vehicle", enabled, "102.5.0"),
        seconds("lock_time", "enabled to locked", enabled, P.LOCKED.value, "109.5.2"),
        seconds("insulation_time", "locked to insulation test", P.LOCKED.value, tested, "109.1-2"),
        seconds("discharged_time", "insulation test to output discharged", tested, P.TESTED.value, "109.1-2"),
        seconds("close_time", "enabled to contactors closed", enabled, closed, "102.5.3"),
        seconds("request_time", "contactors closed to current request", closed, requested, "102.3"),
        seconds("run_time", "request to power transfer", requested, P.STANDBY.value, "109.5.0"),
        seconds("off_time", "stop to end of power transfer", P.STOPPING.value, "off", "109.5.0"),
        seconds("weld_check_time", "end of power transfer to end of the welding check", "off", P.OPEN.value, "102.5.3"),
        seconds("unlock_time", "end of the welding check to unlocked", P.OPEN.value, P.UNLOCKED.value, "109.5.2"),
    ]
