"""Rules while power flows: the charging current, the discharging current and their limits. Kept, broken, unknown."""

from __future__ import annotations

from rule_case import Case, check_broken, check_kept, check_unknown, parameters
from scripted_session import (
    DISCHARGE,
    FOREVER,
    REVERSE,
    RUN,
    STOP,
    Story,
    charge_only,
    good,
    greeting,
    measured,
    ramp,
)

from rig.chademo.codec import (
    ChargerCapability,
    ChargerDischarge,
    ChargerDischargeTime,
    ChargerStatus,
    VehicleDischarge,
    VehicleStatus,
)
from rig.chademo.rules import current, discharge
from rig.chademo.rules.rule import Rule

RULES = (*current.RULES, *discharge.RULES)


def volts(start: float, end: float, value: float) -> Story:
    """The good session with another output voltage for a while."""
    return good().hold(ChargerStatus, start, end, output_voltage=value)


def charging(start: float, end: float, value: float) -> Story:
    """The good session with another charging current for a while."""
    return good().hold(ChargerStatus, start, end, output_current=value)


def discharging(start: float, end: float, value: float, stop: float = STOP) -> Story:
    """The good session with another discharge current for a while."""
    return good(stop).hold(ChargerDischarge, start, end, discharge_current=value)


def still() -> Story:
    """The good session in which nothing is discharged."""
    return discharging(0.0, FOREVER, 0.0)


def much(delivered: float) -> Story:
    """A charger without V2H that is asked for 60 A."""
    story = charge_only(25.0).hold(ChargerCapability, 0.0, available_current=60)
    ramp(story, VehicleStatus, "current_request", 8.0, 16, 60, 20)
    return story.hold(ChargerStatus, 10.5, 25.0, output_current=delivered)


def read(name: str, first: float, last: float, value: float) -> Story:
    """The good session with an instrument that reads one value for a while."""
    return good().sample(name, lambda at: value, first, last)


def vehicle_alone() -> Story:
    return greeting().mute((0x108, 0x109, 0x208, 0x209), 0.0)


CURRENT = {
    "R-CHARGE-LIMIT": Case(lambda: charging(9.0, 9.6, 20), 9.0653 + 0.15, 0x109),
    "R-CHARGE-EXCESS": Case(lambda: charging(8.5, 9.9, 30), 8.5653 + 1.0, 0x109),
    "R-CHARGE-ACCURACY": Case(
        lambda: charge_only(16.0).hold(ChargerStatus, 10.0, 16.0, output_current=8), 11.0653, 0x109,
        keeps=charge_only, unknown=good,
    ),
    # the request has come to 60 A at 10.22 s; 1.11 s and the ramp of its last step, then 5 s
    "R-CHARGE-SUPPLY": Case(lambda: much(30), 10.22 + 1.11 + 0.1 + 5.0, 0x109, keeps=lambda: much(45), unknown=good),
    "R-CHARGE-ARRIVES": Case(
        lambda: charge_only().hold(ChargerStatus, 0.0, output_current=0), RUN + 0.0653 + 4.11, 0x109,
        keeps=charge_only, unknown=good,
    ),
    "R-AVAILABLE-MAX": Case(
        lambda: good().hold(ChargerCapability, 9.0, available_current=20), 9.065, 0x108, unknown=vehicle_alone
    ),
    "R-AVAILABLE-FIXED": Case(
        lambda: charge_only().hold(ChargerCapability, 9.0, available_current=10), 9.065, 0x108,
        keeps=charge_only, unknown=good,
    ),
    "R-OVERVOLTAGE": Case(
        lambda: volts(8.5, 9.6, 435), 8.5653 + 0.61, 0x109, keeps=lambda: volts(8.5, 8.8, 435), unknown=good
    ),
    "R-TARGET-VOLTAGE": Case(lambda: volts(8.5, 9.6, 415), 8.5653 + 0.5, 0x109),
    "R-ONE-DIRECTION": Case(lambda: discharging(9.0, 9.3, 8), 9.0656 + 0.05, 0x109),
    "R-VOLTAGE-REPORT": Case(
        lambda: read("dc_voltage", 8.5, 9.9, 390.0), 9.5, 0x109, keeps=lambda: measured(good()), unknown=good
    ),
    "R-CURRENT-REPORT": Case(
        lambda: read("dc_current", 8.5, 9.9, 20.0), 9.5, 0x109, keeps=lambda: measured(good()), unknown=good
    ),
    "R-TIME-LEFT": Case(
        lambda: good().hold(ChargerStatus, 9.0, STOP, remaining_time_min=7200), 9.0653 + 1.0, 0x109
    ),
    "R-TIME-OUT": Case(
        lambda: good().hold(ChargerStatus, 8.5, FOREVER, remaining_time_10s=0, remaining_time_min=0),
        8.5653 + 0.61, 0x109,
        keeps=lambda: good().hold(ChargerStatus, REVERSE + 0.5, FOREVER, remaining_time_10s=0, remaining_time_min=0),
        unknown=good,
    ),
}  # fmt: skip
DISCHARGING = {
    "R-DISCHARGE-LIMIT": Case(lambda: discharging(12.0, 12.6, 18), 12.0656 + 0.15, 0x208),
    "R-DISCHARGE-EXCESS": Case(lambda: discharging(12.0, 18.0, 26, 20.0), 12.0656 + 5.0, 0x208),
    # 10 A over a limit that falls from 15 to 5: 0.21 s of lag, then 20 A/s from 15 to 9 (10 less a count), then 0.15 s
    "R-DISCHARGE-OWN": Case(
        lambda: good().hold(ChargerDischarge, 12.0, STOP, available_input_current=5), 12.0656 + 0.21 + 0.3 + 0.15, 0x208
    ),
    "R-MIN-VOLTAGE": Case(
        lambda: volts(12.0, STOP, 250), 12.0653 + 0.61, 0x208, keeps=lambda: volts(12.0, 12.4, 250), unknown=good
    ),
    "R-LOWER-THRESHOLD": Case(
        lambda: good().hold(ChargerDischarge, 12.0, STOP, lower_threshold_voltage=372), 12.0656 + 0.61, 0x208,
        keeps=lambda: good().hold(ChargerDischarge, 12.0, 12.4, lower_threshold_voltage=372), unknown=good,
    ),
    "R-MIN-LEVEL": Case(
        lambda: good(15.0).hold(VehicleStatus, 10.5, charged_rate=30), 12.52, 0x208,
        keeps=lambda: still().hold(VehicleStatus, 10.5, charged_rate=30), unknown=good,
    ),
    "R-MAX-LEVEL": Case(
        lambda: good().hold(VehicleStatus, 7.5, charged_rate=80), 9.52, 0x109,
        keeps=lambda: good().hold(VehicleStatus, REVERSE + 0.1, charged_rate=80), unknown=good,
    ),
    "R-WITHDRAWN": Case(
        lambda: good(15.0).hold(VehicleStatus, 10.5, discharge_compatible=False), 12.52, 0x208,
        keeps=lambda: still().hold(VehicleStatus, 10.5, discharge_compatible=False), unknown=good,
    ),
    "R-V2H-BOTH": Case(
        lambda: good().hold(ChargerStatus, 0.0, discharge_compatible=False), DISCHARGE + 0.0656, 0x208,
        keeps=charge_only, unknown=good,
    ),
    "R-DISCHARGE-START": Case(lambda: discharging(6.0, 6.5, 5), 6.0656 + 0.15, 0x208),
    "R-DISCHARGE-MASK": Case(
        lambda: good().hold(VehicleDischarge, 0.0, 12.5, max_discharge_current=20), DISCHARGE + 0.0656 + 0.15, 0x208,
        keeps=lambda: good().hold(VehicleDischarge, 0.0, 8.0, max_discharge_current=20), unknown=good,
    ),
    "R-DISCHARGE-REPORT": Case(
        lambda: still().sample("dc_current", lambda at: -10.2, 11.5, STOP), 12.5, 0x208,
        keeps=lambda: measured(good()), unknown=good,
    ),
    "R-SEQUENCE-CHARGER": Case(
        lambda: good().hold(ChargerDischargeTime, 9.0, sequence=1), 9.0659, 0x209, unknown=vehicle_alone
    ),
    "R-LEVEL-ORDER": Case(
        lambda: good().hold(VehicleDischarge, 9.0, min_discharge_level=0xC0), 10.03, 0x200
    ),
}  # fmt: skip
CASES = CURRENT | DISCHARGING


def test_the_table_is_complete() -> None:
    assert set(CASES) == {rule.id for rule in RULES}


@parameters(RULES, CASES)
def test_kept(rule: Rule, case: Case) -> None:
    check_kept(rule, case)


@parameters(RULES, CASES)
def test_broken(rule: Rule, case: Case) -> None:
    check_broken(rule, case)


@parameters(RULES, CASES)
def test_unknown(rule: Rule, case: Case) -> None:
    check_unknown(rule, case)
