"""From permission to a dead, tested, locked cable: steps 3 to 6 of chademo.md section 2.

The vehicle gives permission; the charger locks the connector, tests the insulation with its own voltage, discharges
the output and only then feeds the vehicle's contactor coil (d2). d2 is seen where the lines are wired; a recording
without lines shows the same from 102.5.3.
"""

from __future__ import annotations

from rig.chademo.rules.common import CYCLE, CYCLE_WHY, STOP_TIME, TOUCH_SAFE, ahead
from rig.chademo.rules.judges import Constant, Deadline, Edge, Invariant
from rig.chademo.rules.rule import Breach, Rule
from rig.chademo.session import DEAD, PERMITTED, RUNNING, STARTING, Phase, Session

D2_TIME = 20.0
"""s, C-time from k and 102.5.0 to d2 (chademo.md 2 step 6 [CLARA])."""
CLOSING_TIME = 4.0
"""s, from d2 to closed vehicle contactors (chademo.md 2 step 7 [CLARA])."""
HELD = frozenset({Phase.CLOSED, Phase.REQUESTED}) | RUNNING
"""Phases in which the battery stands at the connector; after a stop the voltage tells, and the welding check."""


def _answered(s: Session) -> Breach | bool | None:
    known = s.charger is not None and s.capability is not None
    return known or Breach(1, 0, "102.5.0 is 1 before the charger's 0x108 and 0x109 were seen")


def _target(s: Session) -> float | None:
    """None outside a session; a target of 0 is a stop, not another target."""
    if s.status is None or s.phase not in PERMITTED | RUNNING or s.status.target_voltage == 0:
        return None
    return s.status.target_voltage


def _energised_by_permission(s: Session) -> Breach | bool | None:
    if s.status is None or s.phase in RUNNING | {Phase.STOPPING, Phase.WELD_CHECK} or s.closed:
        return None
    volts = s.voltage or 0.0
    return s.permitted or Breach(volts, DEAD, f"{volts:g} V at the output, and the vehicle has not given permission")


def _locked(s: Session) -> bool | None:
    return None if s.charger is None else s.charger.locked


def _locked_while_live(s: Session) -> Breach | bool | None:
    volts = s.voltage
    if volts is None or s.charger is None or volts <= TOUCH_SAFE:
        return None
    return s.charger.locked or Breach(volts, TOUCH_SAFE, f"{volts:g} V at the output and 109.5.2 is 0")


def _dead_at_lock(s: Session) -> Breach | bool | None:
    if s.charger is None or s.phase not in STARTING:
        return None
    volts = s.charger.output_voltage
    return volts < DEAD or Breach(volts, DEAD, f"{volts:g} V at the output before the test began")


def _tested(s: Session) -> Breach | bool | None:
    if not s.whole or s.status is None or s.phase is not Phase.CLOSED:
        return None
    peak, target = s.voltage_peak, s.status.target_voltage
    return peak >= target or Breach(
        peak, target, f"the insulation was tested with {peak:g} V at most, the battery may have {target:g} V"
    )


def _d2(s: Session) -> bool:
    return s.wires.get("d2", False)


def _ready_for_d2(s: Session) -> Breach | bool | None:
    if s.charger is None or s.status is None:
        return None
    if not s.permitted:
        return Breach(1, 0, "d2 came without permission of the vehicle")
    return s.charger.locked or Breach(1, 0, "d2 came with the connector unlocked")


def _d1_at_d2(s: Session) -> Breach | bool | None:
    d1 = s.wires.get("d1")
    return None if d1 is None else d1 or Breach(1, 0, "d2 came without d1")


def _lock_held(s: Session) -> Breach | bool | None:
    if s.phase not in HELD or s.charger is None:
        return None
    return s.charger.locked or Breach(0, 1, f"109.5.2 is 0 in the phase {s.phase.value}")


def _bolt(s: Session) -> Breach | bool | None:
    lock = s.wires.get("lock")
    if lock is None or s.charger is None or not s.charger.locked:
        return None
    return lock or Breach(0, 1, "109.5.2 is 1 but the lock is open")


RULES: tuple[Rule, ...] = (
    Rule(
        "R-ENABLE-ANSWERED", "The vehicle gives permission only after it has heard the charger", "vehicle",
        "chademo.md 2 steps 2, 3: compatibility first; log A", "measured", "none", "1", (0x102,),
        lambda: Edge(lambda s: None if s.status is None else s.status.enabled, _answered),
    ),
    Rule(
        "R-TARGET-FINAL", "The target voltage does not change once permission is given", "vehicle",
        "chademo.md 1, 102.1-2: final before k on; log A constant", "measured", "none; 0 is a stop", "V",
        (0x102, "phase"), lambda: Constant(_target, "the target voltage 102.1-2"),
    ),
    Rule(
        "R-VOLTAGE-PERMITTED", "No output voltage and no insulation test without the vehicle's permission", "charger",
        "chademo.md 2 step 3: no insulation test while 102.5.0=0; log A", "measured",
        "20 V, an output counts as dead", "V", ("voltage", 0x102, "k", "phase", "contactor", "charger"),
        lambda: Edge(lambda s: None if s.voltage is None else s.voltage > DEAD, _energised_by_permission),
    ),
    Rule(
        "R-LOCK-VOLTAGE", "The connector is locked whenever more than 10 V stand at the output", "charger",
        "chademo.md 1, 109.5.2 [CLARA]; log A", "measured",
        "none where both are of one frame, else one cycle", "V", ("voltage", "charger"),
        lambda: Invariant(_locked_while_live, ahead), ("CHA-023",),
    ),
    Rule(
        "R-OUTPUT-CHECK", "The output is dead (below 20 V) when the connector is locked for a session", "charger",
        "chademo.md 2 step 5 [BE]; log A 0 V", "measured", "none", "V", ("charger", "phase"),
        lambda: Edge(_locked, _dead_at_lock),
    ),
    Rule(
        "R-INSULATION-TESTED", "Before the contactors close the insulation was tested with the target voltage or more",
        "charger", "chademo.md 2 step 5: tests at 505, 500 and 474 V, all above the target; log A", "measured",
        "none; a session not seen from its beginning is not judged", "V", (0x102, "contactor", "charger", "phase"),
        lambda: Edge(lambda s: s.closed, _tested), ("CHA-020",),
    ),
    Rule(
        "R-D2-DEAD", "The output is discharged to 20 V or less before d2", "charger",
        "chademo.md 2 step 5 [BE]", "second-hand", CYCLE_WHY, "s", ("voltage", "d2", "phase"),
        lambda: Deadline(
            lambda s: _d2(s) and s.phase in STARTING, lambda s: s.voltage is not None and s.voltage <= DEAD, CYCLE,
            "more than 20 V at the output {limit:g} s after d2",
        ),
    ),
    Rule(
        "R-D2-READY", "d2 comes only with permission and a locked connector", "charger",
        "chademo.md 2 steps 3 to 6", "second-hand", "none", "1", ("d2",),
        lambda: Edge(_d2, _ready_for_d2, start=False),
    ),
    Rule(
        "R-D2-AFTER-D1", "d2 comes after d1", "charger", "chademo.md 2 steps 1, 6", "second-hand", "none", "1", ("d2",),
        lambda: Edge(_d2, _d1_at_d2, start=False),
    ),
    Rule(
        "R-D2-TIME", "d2 comes within 20 s after permission", "charger",
        "chademo.md 2 step 6 [CLARA] C-time", "second-hand", CYCLE_WHY, "s", ("d2", "d1", 0x102, "phase"),
        lambda: Deadline(
            lambda s: s.phase in STARTING and s.wires.get("d1") is True, _d2, D2_TIME + CYCLE,
            "no d2 within {limit:g} s after permission",
        ), ("CHA-008",),
    ),
    Rule(
        "R-CLOSED-TIME", "The contactors are closed within 24 s after permission", "charger",
        "chademo.md 2 steps 6, 7 [CLARA]: 20 s of the charger and 4 s of the vehicle; log A 13.4 s", "measured",
        CYCLE_WHY, "s", (0x102, "contactor", "charger", "phase"),
        lambda: Deadline(
            lambda s: s.phase in STARTING, lambda s: s.closed is True or s.requested, D2_TIME + CLOSING_TIME + CYCLE,
            "contactors not closed within {limit:g} s after permission",
        ), ("CHA-008", "CHA-009"),
    ),
    Rule(
        "R-LOCK-HELD", "The connector stays locked while the battery stands at it", "charger",
        "chademo.md 1, 109.5.2; 2 step 4; log A", "measured", "none", "1", ("charger", "phase"),
        lambda: Invariant(_lock_held), ("CHA-023",),
    ),
    Rule(
        "R-LOCK-TRUE", "109.5.2 says locked only while the lock is locked", "charger",
        "chademo.md 1, 109.5.2: 1 = locked", "second-hand",
        "0.5 s, five cycles, for the bolt's way (project choice)", "1", ("charger", "lock"),
        lambda: Invariant(_bolt, STOP_TIME), ("CHA-023",),
    ),
)  # fmt: skip
