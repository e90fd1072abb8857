"""Before permission: what both sides tell each other, and what may not change any more."""

from __future__ import annotations

from collections.abc import Callable

from rig.chademo.messages import Confidence, Side
from rig.chademo.rules.common import CYCLE, CYCLE_WHY
from rig.chademo.rules.judges import After, Constant, Deadline, Edge, Invariant, Latch
from rig.chademo.rules.rule import Breach, Rule
from rig.chademo.session import PERMITTED, RUNNING, Kind, Phase, Session

THRESHOLD_TIME = 0.5
"""s, for the charger to work out 108.4-5 and 109.5.3 (project choice: five cycles; log A: at once)."""


def _threshold(s: Session) -> Breach | bool | None:
    if s.limits is None or s.capability is None or s.limits.max_voltage == 0:
        return None
    due = min(s.limits.max_voltage, s.capability.available_voltage)
    stated = s.capability.threshold_voltage
    return stated == due or Breach(
        stated, due, f"threshold 108.4-5 is {stated:g} V, min(100.4-5, 108.1-2) is {due:g} V"
    )


def _unreachable(s: Session) -> bool:
    return (
        s.status is not None and s.capability is not None
        and s.status.target_voltage > s.capability.available_voltage > 0
    )  # fmt: skip


def _refuses(s: Session) -> Breach | bool | None:
    if s.status is None or s.capability is None or s.charger is None:
        return None
    target, most = s.status.target_voltage, s.capability.available_voltage
    return s.charger.battery_incompatible or Breach(
        target, most, f"target {target:g} V is above the available {most:g} V but 109.5.3 is 0"
    )


def _stop_flag_at_rest(s: Session) -> Breach | bool | None:
    if s.charger is None or s.phase in RUNNING or s.running or s.requested:
        return None
    return s.charger.stopping or Breach(0, 1, "109.5.5 is 0 before power transfer began")


def _start_flags(s: Session) -> Breach | bool | None:
    assert s.charger is not None
    return not s.charger.stopping or Breach(1, 0, "109.5.0 went to 1 while 109.5.5 stayed 1")


def _enable_with_k(s: Session) -> Breach | bool | None:
    k = s.wires.get("k")
    if k is None or s.status is None or s.wires.get("d1") is False or not s.heard(0x102):
        return None
    return k or not s.status.enabled or Breach(1, 0, "102.5.0 is 1 while charge permission k is off")


def _k_after_can(s: Session) -> Breach | bool | None:
    return s.status is not None or Breach(1, 0, "charge permission k came before the vehicle's first 0x102")


def _withdrawn(s: Session) -> bool | None:
    return None if s.status is None else not s.status.discharge_compatible


def _goes_on(s: Session) -> Breach | bool:
    locked = s.running or (s.phase in PERMITTED and s.phase is not Phase.ENABLED)
    return not locked or Breach(1, 0, "the session goes on with an unreachable target voltage")


def _constant(
    id: str, what: str, duty: Side, heard: Kind, of: Callable[[Session], float | None], source: str, how: Confidence
) -> Rule:
    unit = "V" if "oltage" in what else "1"
    return Rule(
        id, f"{what} does not change during a session", duty, source, how, "none", unit, (heard,),
        lambda: Constant(of, what),
    )  # fmt: skip


RULES: tuple[Rule, ...] = (
    _constant(
        "R-PROTOCOL-VEHICLE", "Protocol number 102.0", "vehicle", 0x102,
        lambda s: None if s.status is None else s.status.protocol, "chademo.md 1; log A constant", "measured",
    ),
    _constant(
        "R-PROTOCOL-CHARGER", "Protocol number 109.0", "charger", "charger",
        lambda s: None if s.charger is None else s.charger.protocol, "chademo.md 1; log A constant", "measured",
    ),
    _constant(
        "R-AVAILABLE-VOLTAGE", "Available voltage 108.1-2", "charger", 0x108,
        lambda s: None if s.capability is None else s.capability.available_voltage,
        "chademo.md 1, 108.1-2: fixed from the first frame; log A", "measured",
    ),
    Rule(
        "R-THRESHOLD", "Threshold voltage 108.4-5 is the lower of the vehicle's and the charger's maximum", "charger",
        "chademo.md 1, 108.4-5; log A 435 = min(435, 500)", "measured",
        "0.5 s after a change, five cycles", "V", (0x108, 0x100),
        lambda: Invariant(_threshold, THRESHOLD_TIME),
    ),
    Rule(
        "R-INCOMPATIBLE", "A target above the available voltage is answered with 109.5.3", "charger",
        "chademo.md 2 step 2", "second-hand", "0.5 s, five cycles (project choice)", "V", ("charger", 0x102, 0x108),
        lambda: After(lambda s: _unreachable(s) and s.charger is not None, THRESHOLD_TIME, _refuses),
    ),
    Rule(
        "R-INCOMPATIBLE-STOP", "With a target above the available voltage the connector is not locked for a session",
        "charger", "chademo.md 2 step 2: else 109.5.3=1 and stop", "second-hand", "0.5 s, five cycles", "1",
        ("charger", 0x102, 0x108, "phase"),
        lambda: After(lambda s: _unreachable(s) and s.charger is not None, THRESHOLD_TIME, _goes_on),
    ),
    Rule(
        "R-STOP-FLAG-INIT", "109.5.5 is 1 until power transfer begins", "charger",
        "chademo.md 1, 109.5.5: init 1, 1->0 with 5.0 0->1; log A", "measured", "none", "1",
        ("charger", 0x102, "phase"),
        lambda: Invariant(_stop_flag_at_rest),
    ),
    Rule(
        "R-START-FLAGS", "109.5.5 goes to 0 together with 109.5.0 going to 1", "charger",
        "chademo.md 1, 109.5.5; log A 20 -> 05 in one frame", "measured", "none, both are in one frame", "1",
        ("charger",),
        lambda: Edge(lambda s: None if s.charger is None else s.charger.running, _start_flags),
    ),
    Rule(
        "R-ENABLE-K", "102.5.0 is 1 only while charge permission k is on", "vehicle",
        "chademo.md 2 step 3 [BE]", "second-hand", "0.5 s: k and 102.5.0 go together, the frame is up to a cycle "
        "behind, and a lone signal is part of a test", "1", ("k", 0x102, "d1", "traffic"),
        lambda: Invariant(_enable_with_k, 0.5),
    ),
    Rule(
        "R-K-AFTER-CAN", "k is not on before the vehicle's first frame", "vehicle",
        "chademo.md 2 step 3 [BE]", "second-hand", "none", "1", ("k", 0x102),
        lambda: Edge(lambda s: s.wires.get("k", False), _k_after_can, start=False),
    ),
    Rule(
        "R-D1-ENABLE", "k and 102.5.0 come within 8 s after d1", "vehicle",
        "chademo.md 2 step 3 [CLARA] T-time 8 s", "second-hand", CYCLE_WHY, "s", (0x102, "d1", "k", "charger"),
        lambda: Deadline(
            lambda s: s.wires.get("d1") is True and s.status is not None and not s.charger_fault,
            lambda s: s.permitted or (s.vehicle_stops and s.requested), 8.0 + CYCLE,
            "d1 and the vehicle's frames are there, but no k and 102.5.0 within {limit:g} s",
        ), ("CHA-007",),
    ),
    Rule(
        "R-V2H-FLAG", "102.5.7 may fall, and does not rise again in a session", "vehicle",
        "chademo.md 1, 102.5.7: set from the first frame, only 1->0; log A", "measured", "none", "1", (0x102,),
        lambda: Latch(_withdrawn, "102.5.7 rose from 0 to 1 within the session", watched=True),
    ),
)  # fmt: skip
