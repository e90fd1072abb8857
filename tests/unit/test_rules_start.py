"""Rules up to the first ampere: frames, handshake, permission, lock, insulation, contactors. Kept, broken, unknown."""

from __future__ import annotations

from rule_case import Case, check_broken, check_kept, check_unknown, parameters
from scripted_session import (
    CHARGER_FRAMES,
    CLOSE,
    D2,
    ENABLE,
    FOREVER,
    LOCK,
    REQUEST,
    RUN,
    VEHICLE_FRAMES,
    Story,
    good,
    greeting,
)

from rig.chademo.codec import (
    ChargerCapability,
    ChargerStatus,
    VehicleStatus,
)
from rig.chademo.events import ContactorMoved, WireChanged
from rig.chademo.rules import contactors, handshake, permission, traffic
from rig.chademo.rules.rule import Rule

RULES = (*traffic.RULES, *handshake.RULES, *permission.RULES, *contactors.RULES)


def only(frames: tuple[int, ...]) -> Story:
    """One side alone."""
    return greeting().mute({*VEHICLE_FRAMES, *CHARGER_FRAMES} - set(frames), 0.0)


def vehicle_alone() -> Story:
    return only(VEHICLE_FRAMES)


def charger_alone() -> Story:
    return only(CHARGER_FRAMES)


def no_wires() -> Story:
    return good().without(WireChanged, ContactorMoved)


def too_high(start: float = 0.0) -> Story:
    """A target the charger cannot reach."""
    return good().hold(VehicleStatus, start, target_voltage=520)


def refused() -> Story:
    """The charger says that it does not fit, the vehicle stays away."""
    story = greeting(4.0).hold(VehicleStatus, 0.0, target_voltage=520)
    return story.hold(ChargerStatus, 1.3, battery_incompatible=True)


def stuck() -> Story:
    """Permission and lock, and no d2."""
    story = greeting(29.0).wire(ENABLE, "k", True).say(ENABLE, VehicleStatus, enabled=True)
    return story.say(LOCK, ChargerStatus, locked=True)


def never_closing() -> Story:
    """d2 as well, and no contactor."""
    return stuck().wire(D2, "d2", True)


def bare_charger() -> Story:
    """A charger alone, and no auxiliary contact."""
    return charger_alone().without(ContactorMoved)


def never_asked() -> Story:
    """The vehicle closes its contactors and asks for nothing."""
    story = good().hold(VehicleStatus, 0.0, current_request=0)
    return story.hold(ChargerStatus, 0.0, running=False, stopping=True)


TRAFFIC = {
    "R-PERIOD-VEHICLE": Case(lambda: good().shift(0x102, 9.0, 0.02), 9.04, 0x102),
    "R-PERIOD-CHARGER": Case(lambda: good().shift(0x208, 9.0, 0.02), 9.0856, 0x208),
    "R-SILENCE-VEHICLE": Case(lambda: good().mute(VEHICLE_FRAMES, 8.0, 9.5), 8.90, 0x102),
    "R-SILENCE-CHARGER": Case(lambda: good().mute({0x208}, 8.0, 9.5), 8.9656, 0x109),
    "R-DLC-VEHICLE": Case(lambda: good().cut(0x101, 9.0), 9.01, 0x101),
    "R-DLC-CHARGER": Case(lambda: good().cut(0x109, 9.0), 9.0653, 0x109),
    "R-ORDER": Case(lambda: good().mute({0x108}, 9.0, 9.1), 9.0653, 0x109),
    "R-ANSWER": Case(lambda: good().mute(CHARGER_FRAMES, 0.0, 2.5), 2.0, 0x100, unknown=charger_alone),
    "R-V2H-FRAMES": Case(lambda: good().mute({0x209}, 0.0), 2.0653, 0x109, unknown=vehicle_alone),
}
HANDSHAKE = {
    "R-PROTOCOL-VEHICLE": Case(lambda: good().hold(VehicleStatus, 9.0, protocol=3), 9.02, 0x102, unknown=charger_alone),
    "R-PROTOCOL-CHARGER": Case(
        lambda: good().hold(ChargerStatus, 9.0, protocol=1), 9.0653, 0x109, unknown=vehicle_alone
    ),
    "R-AVAILABLE-VOLTAGE": Case(
        lambda: good().hold(ChargerCapability, 9.0, available_voltage=450), 9.065, 0x108, unknown=vehicle_alone
    ),
    "R-THRESHOLD": Case(
        lambda: good().hold(ChargerCapability, 9.0, threshold_voltage=440), 9.565, 0x108, unknown=vehicle_alone
    ),
    "R-INCOMPATIBLE": Case(too_high, 1.565, 0x109, keeps=refused, unknown=good),
    "R-INCOMPATIBLE-STOP": Case(too_high, LOCK + 0.0653, 0x109, keeps=refused, unknown=good),
    "R-STOP-FLAG-INIT": Case(
        lambda: good().hold(ChargerStatus, 1.5, 1.6, stopping=False), 1.5653, 0x109, unknown=vehicle_alone
    ),
    "R-START-FLAGS": Case(lambda: good().hold(ChargerStatus, RUN, RUN + 0.3, stopping=True), RUN + 0.0653, 0x109),
    "R-ENABLE-K": Case(lambda: good().wire(9.0, "k", False), 9.5, 0x102, unknown=no_wires),
    "R-K-AFTER-CAN": Case(lambda: good().retime(WireChanged("k", True), 0.7), 0.7, None, unknown=no_wires),
    "R-D1-ENABLE": Case(lambda: greeting(10.0), 1.02 + 8.11, 0x102, unknown=no_wires),
    "R-V2H-FLAG": Case(
        lambda: good().hold(VehicleStatus, 8.0, 9.0, discharge_compatible=False), 9.02, 0x102, unknown=charger_alone
    ),
}
PERMISSION = {
    "R-ENABLE-ANSWERED": Case(lambda: good().mute(CHARGER_FRAMES, 0.0, 2.5), 2.02, 0x102),
    "R-TARGET-FINAL": Case(lambda: good().hold(VehicleStatus, 9.0, target_voltage=400), 9.02, 0x102),
    "R-VOLTAGE-PERMITTED": Case(lambda: good().hold(ChargerStatus, 1.5, 1.7, output_voltage=100), 1.5653, 0x109),
    "R-LOCK-VOLTAGE": Case(lambda: good().hold(ChargerStatus, 3.6, 3.7, locked=False), 3.6653, 0x109),
    "R-OUTPUT-CHECK": Case(lambda: good().hold(ChargerStatus, 2.5, 3.2, output_voltage=30), LOCK + 0.0653, 0x109),
    "R-INSULATION-TESTED": Case(
        lambda: good().hold(ChargerStatus, 3.6, 4.1, output_voltage=300), CLOSE, 0x102
    ),
    "R-D2-DEAD": Case(lambda: good().retime(WireChanged("d2", True), 3.8), 3.91, 0x109, unknown=no_wires),
    "R-D2-READY": Case(lambda: good().retime(WireChanged("d2", True), 2.5), 2.5, None, unknown=no_wires),
    "R-D2-AFTER-D1": Case(
        lambda: good().retime(WireChanged("d1", True), 5.0).wire(0.3, "d1", False), D2, None, unknown=no_wires
    ),
    "R-D2-TIME": Case(stuck, ENABLE + 0.02 + 20.11, 0x102, unknown=no_wires),
    "R-CLOSED-TIME": Case(never_closing, ENABLE + 0.02 + 24.11, 0x102),
    "R-LOCK-HELD": Case(lambda: good().hold(ChargerStatus, 9.0, 9.1, locked=False), 9.0653, 0x109),
    "R-LOCK-TRUE": Case(lambda: good().wire(9.0, "lock", False), 9.5, 0x109, unknown=no_wires),
}  # fmt: skip
CONTACTORS = {
    "R-CLOSE-PERMITTED": Case(lambda: good().hold(ChargerStatus, 5.0, 5.8, locked=False), CLOSE, 0x102),
    "R-CLOSE-FED": Case(lambda: good().retime(WireChanged("d2", True), 6.5), CLOSE, 0x102, unknown=no_wires),
    "R-CLOSE-DEAD": Case(lambda: good().hold(ChargerStatus, 4.1, CLOSE, output_voltage=100), CLOSE, 0x102),
    "R-CLOSE-LOAD": Case(lambda: good().hold(ChargerStatus, 5.4, 5.8, output_current=10), CLOSE, 0x102),
    "R-OPEN-LOAD": Case(lambda: good().aux(9.0, False), 9.0, 0x102),
    "R-OPEN-WAIT": Case(lambda: good().aux(9.0, False), 9.0, 0x102),
    "R-OPEN-CURRENT": Case(lambda: good().aux(9.0, False), 9.22, 0x109, unknown=bare_charger),
    "R-CLOSE-TIME": Case(never_closing, D2 + 4.11, 0x102, unknown=no_wires),
    "R-REQUEST-TIME": Case(never_asked, CLOSE + 4.11, 0x102),
    "R-RUN-TIME": Case(
        lambda: good().hold(ChargerStatus, 0.0, running=False, stopping=True), REQUEST + 0.02 + 0.61, 0x109
    ),
    "R-RUN-READY": Case(
        lambda: good().hold(ChargerStatus, 6.5, 6.7, running=True, stopping=False), 6.5653, 0x109
    ),
    "R-RUN-CURRENT": Case(lambda: good().hold(ChargerStatus, 6.0, 6.5, output_current=10), 6.0653 + 0.15, 0x109),
    "R-RUN-VOLTAGE": Case(lambda: good().hold(ChargerStatus, 6.5, RUN, output_voltage=340), RUN + 0.0653, 0x109),
    "R-FLAG-TRUE": Case(
        lambda: good().retime(ContactorMoved(True), FOREVER), CLOSE + 0.02 + 0.5, 0x102, unknown=no_wires
    ),
    "R-WELDED": Case(lambda: good().retime(ContactorMoved(False), FOREVER), 16.5, 0x102, unknown=no_wires),
}  # fmt: skip
CASES = TRAFFIC | HANDSHAKE | PERMISSION | CONTACTORS


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
