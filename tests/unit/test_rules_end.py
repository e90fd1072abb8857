"""Rules of the end of a session: every trigger, the stop, the welding check, the lines, the blackout, and the
vehicle's duties. Kept, broken, unknown."""

from __future__ import annotations

from typing import Any

from rule_case import Case, check_broken, check_kept, check_unknown, parameters
from scripted_session import (
    CHARGER_FRAMES,
    CHECKED,
    FOREVER,
    OFF,
    OPEN,
    REQUEST,
    STOP,
    UNLOCK,
    Story,
    good,
    greeting,
    measured,
)

from rig.chademo.codec import (
    ChargerCapability,
    ChargerDischarge,
    ChargerStatus,
    VehicleDischarge,
    VehicleDischargeEnergy,
    VehicleLimits,
    VehicleStatus,
)
from rig.chademo.events import ContactorMoved, WireChanged
from rig.chademo.rules import blackout, stop, vehicle
from rig.chademo.rules.rule import Rule

RULES = (*stop.RULES, *blackout.RULES, *vehicle.RULES)
FLOWING, JUST_BEFORE = 8.5, 12.9
"""s, 14 A flow for more than a second; the charger stops in a tenth of a second."""


def car(start: float, end: float = FOREVER, **fields: Any) -> Story:
    return good().hold(VehicleStatus, start, end, **fields)


def charger(start: float, end: float = FOREVER, **fields: Any) -> Story:
    return good().hold(ChargerStatus, start, end, **fields)


def trigger(**fields: Any) -> Case:
    """A flag of 0x102 that is ignored, and one that is obeyed."""
    at = FLOWING + 0.02 + 0.61
    return Case(lambda: car(FLOWING, **fields), at, 0x102, keeps=lambda: car(JUST_BEFORE, **fields), unknown=good)


def no_wires() -> Story:
    return good().without(WireChanged, ContactorMoved)


def never_checked() -> Story:
    """The welding check does not end, and the charger waits for it."""
    story = car(CHECKED, contactor_open=False).retime(WireChanged("d2", False), FOREVER)
    return story.retime(WireChanged("d1", False), FOREVER)


def charger_alone() -> Story:
    return greeting().mute((0x100, 0x101, 0x102, 0x200), 0.0).without(ContactorMoved)


def unplugged(at: float) -> Story:
    return good().wire(at, "proximity", False)


def never_ran() -> Story:
    """102.5.4 before the first request, and the charger obeys."""
    story = car(6.5, stop_before_charging=True).hold(VehicleStatus, 0.0, current_request=0)
    return story.hold(ChargerStatus, 0.0, running=False, stopping=True)


def ran_anyway() -> Story:
    return car(6.5, stop_before_charging=True).hold(VehicleStatus, 0.0, current_request=0)


def silent_car(flow: float) -> Story:
    """0x102 stays away from 12.6 s on; flow: A of discharge that go on."""
    story = good().mute({0x102}, 12.6, 14.4)
    return story.hold(ChargerDischarge, STOP, 14.5, discharge_current=flow) if flow else story


def old_car() -> Story:
    return good().hold(VehicleStatus, 0.0, protocol=1)


def old_car_held() -> Story:
    return old_car().retime(WireChanged("d2", False), 17.2).retime(WireChanged("d1", False), FOREVER)


def guideline_1_1() -> Story:
    return good().begin(VehicleDischargeEnergy(2))


TRIGGERS = {
    "R-STOP-OVERVOLTAGE": trigger(fault_overvoltage=True),
    "R-STOP-UNDERVOLTAGE": trigger(fault_undervoltage=True),
    "R-STOP-DEVIATION": trigger(fault_current_deviation=True),
    "R-STOP-HOT": trigger(fault_high_temperature=True),
    "R-STOP-VOLTAGE": trigger(fault_voltage_deviation=True),
    "R-STOP-ENABLE": Case(lambda: car(FLOWING, enabled=False), FLOWING + 0.63, 0x102),
    "R-STOP-SHIFT": trigger(not_in_park=True),
    "R-STOP-SYSTEM": trigger(system_fault=True),
    "R-STOP-TARGET": trigger(target_voltage=0),
    "R-STOP-K": Case(lambda: good().wire(FLOWING, "k", False), FLOWING + 0.61, 0x102, unknown=no_wires),
    "R-STOP-FAULT": Case(
        lambda: charger(FLOWING, malfunction=True), FLOWING + 0.0653 + 0.61, 0x109,
        keeps=lambda: charger(JUST_BEFORE, malfunction=True), unknown=good,
    ),
    "R-STOP-UNPLUGGED": Case(
        lambda: unplugged(FLOWING), FLOWING + 0.61, 0x109, keeps=lambda: unplugged(JUST_BEFORE), unknown=good
    ),
}  # fmt: skip
STOPS = {
    "R-STOP-EARLY": Case(ran_anyway, 7.3653, 0x109, keeps=never_ran, unknown=good),
    "R-STOP-SILENCE": Case(lambda: silent_car(10), 12.52 + 1.61, 0x102, keeps=lambda: silent_car(0), unknown=good),
    "R-STOP-OWN": Case(lambda: charger(OFF, running=True), STOP + 0.0653 + 2.61, 0x109),
    "R-STOP-ANSWER": Case(lambda: car(9.0, enabled=False), 9.02 + 2.61, 0x102),
    "R-OFF-CURRENT": Case(
        lambda: good().hold(ChargerDischarge, STOP, 13.6, discharge_current=10), OFF + 0.0653 + 0.05, 0x109
    ),
    "R-OFF-FLAG": Case(lambda: charger(STOP, 13.3, stopping=False), OFF + 0.0653, 0x109),
    "R-STOP-FINAL": Case(lambda: charger(14.0, 14.2, stopping=False), 14.0653, 0x109),
    "R-FAULT-FLAGS": Case(
        lambda: charger(9.0, 9.4, malfunction=True), 9.0653 + 0.11, 0x109,
        keeps=lambda: charger(STOP, system_malfunction=True), unknown=good,
    ),
    "R-FAULT-LATCHED": Case(
        lambda: charger(STOP, 14.0, malfunction=True), 14.0653, 0x109,
        keeps=lambda: charger(STOP, malfunction=True), unknown=good,
    ),
    "R-WELD-TIME": Case(never_checked, OFF + 0.0653 + 4.11, 0x102),
    "R-DECAY-QUARTER": Case(lambda: charger(OPEN, 16.4, output_voltage=120), OPEN + 1.11, 0x109, unknown=greeting),
    "R-DECAY-60": Case(lambda: charger(OPEN, 16.4, output_voltage=61), OPEN + 1.11, 0x109),
    "R-DECAY-10": Case(lambda: charger(OPEN + 0.4, 17.4, output_voltage=11), OPEN + 2.11, 0x109),
    "R-DEAD-AFTER": Case(lambda: charger(16.1, 16.4, output_voltage=50), 16.1653, 0x109),
    "R-UNLOCK-DEAD": Case(lambda: charger(16.2, 16.6, output_voltage=11), UNLOCK + 0.0653, 0x109),
    "R-UNLOCK-CHECKED": Case(
        lambda: no_wires().hold(ChargerStatus, 15.7, locked=False), 15.7653, 0x109
    ),
    "R-D2-D1": Case(lambda: good().retime(WireChanged("d1", False), 16.4), 16.4, None, unknown=no_wires),
    "R-D2-CHECKED": Case(
        lambda: good().retime(WireChanged("d2", False), 15.2), 15.22, 0x102, unknown=no_wires
    ),
    "R-D2-OLD": Case(old_car, 16.0, None, keeps=old_car_held, unknown=good),
}  # fmt: skip
BLACKOUT = {
    "R-CUT-LOAD": Case(lambda: good().wire(9.0, "d2", False), 9.0, None, unknown=no_wires),
    "R-CUT-OPENING": Case(
        lambda: good().wire(9.0, "d1", False).aux(9.03, False), 9.03, 0x102,
        keeps=lambda: good().retime(WireChanged("d2", False), 14.97), unknown=good,
    ),
    "R-CUT-ANNOUNCED": Case(lambda: good().wire(11.9, "d1", False), 11.9, None, unknown=no_wires),
    "R-SILENT-LOAD": Case(
        lambda: good().mute(CHARGER_FRAMES, 9.0), 8.9653 + 1.11, 0x109,
        keeps=lambda: good().mute(CHARGER_FRAMES, 13.5), unknown=good,
    ),
    "R-SILENT-CURRENT": Case(
        lambda: good().mute(CHARGER_FRAMES, 9.0).sample("dc_current", lambda at: 14.0, 9.01, 12.0), 8.9653 + 1.61,
        0x109, keeps=lambda: measured(good().mute(CHARGER_FRAMES, 13.5)), unknown=good,
    ),
    "R-CUT-DEAD": Case(lambda: charger(16.0, 17.4, output_voltage=80), 16.0 + 1.11, 0x109, unknown=no_wires),
    "R-UNPLUGGED-DEAD": Case(
        lambda: unplugged(9.0), 9.0 + 1.11, 0x109,
        keeps=lambda: unplugged(JUST_BEFORE).hold(ChargerStatus, 13.6, output_voltage=0), unknown=good,
    ),
}  # fmt: skip
VEHICLE = {
    "R-REQUEST-OPEN": Case(lambda: car(4.0, 4.2, current_request=5), 4.02, 0x102, unknown=charger_alone),
    "R-REQUEST-RAMP": Case(lambda: car(REQUEST, 8.0, current_request=14), 7.02, 0x102),
    "R-REQUEST-AVAILABLE": Case(
        lambda: good().hold(ChargerCapability, 9.0, 9.9, available_current=5), 9.065 + 0.5, 0x102
    ),
    "R-REQUEST-END": Case(lambda: car(OFF, current_request=5), OFF + 0.02 + 0.11, 0x102),
    "R-LIMIT-RAMP": Case(
        lambda: good().hold(VehicleDischarge, 7.4, 8.5, max_discharge_current=15), 7.43, 0x200
    ),
    "R-LIMIT-START": Case(
        lambda: guideline_1_1().hold(VehicleDischarge, 0.0, 8.0, max_discharge_current=10), 1.04, 0x201,
        keeps=guideline_1_1, unknown=good,
    ),
    "R-LIMIT-END": Case(
        lambda: good().hold(VehicleDischarge, OFF, max_discharge_current=15), OFF + 0.02 + 0.5, 0x102
    ),
    "R-STOP-FOLLOWED": Case(lambda: car(OFF, 15.0, enabled=True), STOP + 0.0653 + 0.5, 0x102),
    "R-STOP-CHARGER-LOST": Case(
        lambda: good().mute(CHARGER_FRAMES, 9.0), 8.9653 + 1.5, 0x109,
        keeps=lambda: car(10.2, enabled=False).mute(CHARGER_FRAMES, 9.0), unknown=good,
    ),
    "R-STOP-UNPLUGGED-VEHICLE": Case(
        lambda: unplugged(9.0), 9.5, 0x102, keeps=lambda: unplugged(JUST_BEFORE), unknown=good
    ),
    "R-K-ENABLE": Case(
        lambda: good().retime(WireChanged("k", False), 15.0), OFF + 0.02 + 0.5, 0x102, unknown=no_wires
    ),
    "R-DEVIATION-ENDS": Case(
        lambda: car(9.0, fault_current_deviation=True), 9.52, 0x102,
        keeps=lambda: car(JUST_BEFORE, fault_current_deviation=True), unknown=good,
    ),
    "R-SYSTEM-LATCHED": Case(
        lambda: car(STOP, 14.0, system_fault=True), 14.02, 0x102,
        keeps=lambda: car(STOP, system_fault=True), unknown=good,
    ),
    "R-EARLY-STOP-FLAG": Case(
        lambda: car(9.0, stop_before_charging=True), 9.02, 0x102, keeps=never_ran, unknown=good
    ),
    "R-TARGET-MOST": Case(lambda: good().hold(VehicleLimits, 9.0, max_voltage=405), 9.0, 0x100),
    "R-REFERENCE": Case(lambda: good().hold(VehicleLimits, 9.0, charged_rate_reference=90), 9.0, 0x100),
    "R-CHARGED-RATE": Case(lambda: car(9.0, charged_rate=101), 9.02, 0x102),
    "R-FLAG-STEADY": Case(lambda: car(9.0, 9.1, contactor_open=True), 9.02, 0x102),
}  # fmt: skip
CASES = TRIGGERS | STOPS | BLACKOUT | VEHICLE


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
