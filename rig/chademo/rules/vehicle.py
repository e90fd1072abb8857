"""What the vehicle owes: a recording may show a vehicle at fault as well as a charger.

The duties at its contactors stand in contactors.py, those before permission in handshake.py and permission.py, the
welding check in stop.py.
"""

from __future__ import annotations

from rig.chademo.rules.common import CYCLE, CYCLE_WHY, RAMP
from rig.chademo.rules.judges import After, Edge, Envelope, Invariant, Latch, Slope
from rig.chademo.rules.rule import Breach, Rule
from rig.chademo.rules.stop import Lost
from rig.chademo.session import RUNNING, Session

SLACK = 0.02
"""s a frame may be early against the vehicle's own cycle (chademo.md 0: +-10 ms at each end)."""
FOLLOW = 0.5
"""s for the vehicle to follow (project choice: five cycles; log A: 0.08 s to 108.3 = 0, 0.21 s to 109.5.5 = 1)."""
FINAL_REFERENCE = (100, 255)
"""Counts, 100.6: 64, or FF with a charger of protocol 0.9 (chademo.md 1, 0x100 [CLARA])."""


def _no_request_open(s: Session) -> Breach | bool | None:
    if s.status is None or not s.heard(0x102):
        return None
    asked = s.status.current_request
    return asked == 0 or Breach(asked, 0, f"{asked:g} A are asked for with open contactors")


def _request(s: Session) -> float | None:
    """None where 102.3 = FF hands over to 0x110 (chademo.md 1, 102.3 [BE])."""
    if s.status is None or (s.status.protocol >= 3 and s.status.current_request == 255):
        return None
    return s.status.current_request


def _request_running(s: Session) -> float | None:
    return _request(s) if s.permitted and s.requested else None


def _limit(s: Session) -> float | None:
    return None if s.discharge is None else s.discharge.max_discharge_current


def _ended(s: Session) -> bool:
    return s.status is not None and not s.status.enabled and s.ran


def _request_gone(s: Session) -> Breach | bool | None:
    asked = _request(s) if s.heard(0x102) else None
    return None if asked is None else asked == 0 or Breach(asked, 0, f"{asked:g} A are asked for with 102.5.0 = 0")


def _limit_gone(s: Session) -> Breach | bool | None:
    limit = _limit(s) if s.heard(0x200) else None
    return None if limit is None else limit == 0 or Breach(limit, 0, f"200.0 allows {limit:g} A with 102.5.0 = 0")


def _limit_before_request(s: Session) -> Breach | bool | None:
    limit = _limit(s)
    if limit is None or s.energy is None or s.requested or not s.whole:
        return None
    return limit == 0 or Breach(limit, 0, f"200.0 is {limit:g} A before the first current request")


def _charger_stopped(s: Session) -> bool:
    c = s.charger
    return s.ran and c is not None and (c.stopping or not c.running or s.charger_fault)


def _gave_up(s: Session) -> Breach | bool | None:
    if not s.heard(0x102):
        return None
    return not s.enabled or Breach(1, 0, "102.5.0 is still 1")


def _k_with_enable(s: Session) -> Breach | bool | None:
    k = s.wires.get("k")
    return None if k is None else not k or Breach(1, 0, "k is still on with 102.5.0 = 0")


def _fault_ends_permission(s: Session) -> bool:
    return s.status is not None and s.status.fault_current_deviation


def _early_stop_flag(s: Session) -> Breach | bool | None:
    if s.status is None:
        return None
    return not s.requested or Breach(1, 0, "102.5.4 went to 1 after the first current request")


def _target_below_most(s: Session) -> Breach | bool | None:
    if s.status is None or s.limits is None or not s.permitted or s.limits.max_voltage == 0:
        return None
    target, most = s.status.target_voltage, s.limits.max_voltage
    return target <= most or Breach(target, most, f"the target {target:g} V is above 100.4-5, {most:g} V")


def _reference(s: Session) -> Breach | bool | None:
    if s.limits is None or not s.permitted:
        return None
    counts = s.limits.charged_rate_reference
    return counts in FINAL_REFERENCE or Breach(counts, 100, f"100.6 is {counts}, it is fixed at 100")


def _charged_rate(s: Session) -> Breach | bool | None:
    if s.limits is None or s.status is None or not s.permitted:
        return None
    rate, most = s.status.charged_rate, s.limits.charged_rate_reference
    return rate <= most or Breach(rate, most, f"102.6 is {rate} of {most}")


def _steady(s: Session) -> Breach | bool | None:
    if s.phase not in RUNNING or s.status is None:
        return None
    return s.status.contactor_open is False or s.flag_closed is None or Breach(
        1, 0, "102.5.3 is 1 while power is transferred"
    )  # fmt: skip


RULES: tuple[Rule, ...] = (
    Rule(
        "R-REQUEST-OPEN", "No current is asked for while the contactors are open", "vehicle",
        "chademo.md 2 step 8; log A", "measured", CYCLE_WHY, "A", (0x102, "contactor", "charger", "traffic"),
        lambda: After(lambda s: s.closed is False, CYCLE, _no_request_open),
    ),
    Rule(
        "R-REQUEST-RAMP", "The current request rises by no more than 20 A/s", "vehicle",
        "chademo.md 2 step 10: logs A and B exactly", "measured", "20 ms: a frame may come early", "A", (0x102,),
        lambda: Slope(_request, 0x102, RAMP, SLACK, "the request rose by {value:g} A, {limit:.1f} A allowed"),
    ),
    Rule(
        "R-REQUEST-AVAILABLE", "The current request is at or below the available current 108.3", "vehicle",
        "chademo.md 2 V2H run: log A, 0 A within 80 ms after 108.3 = 0", "measured",
        "0.5 s, five cycles (project choice)", "A", (0x102, 0x108, "k", "phase"),
        lambda: Envelope(
            _request_running, lambda s: None if s.capability is None else s.capability.available_current,
            "{value:g} A are asked for, 108.3 offers {limit:g} A",
            tolerance=lambda _: 0.0, slope=1e6, lag=0.0, grace=FOLLOW,
        ),
    ),
    Rule(
        "R-REQUEST-END", "With 102.5.0 = 0 the request is 0", "vehicle", "chademo.md 2 stop; log A", "measured",
        CYCLE_WHY, "A", (0x102, "phase", "traffic"), lambda: After(_ended, CYCLE, _request_gone),
    ),
    Rule(
        "R-LIMIT-RAMP", "The discharge limit 200.0 rises by no more than 20 A/s", "vehicle",
        "chademo.md 2 V2H run: log A 2 A per 100 ms", "measured", "20 ms: a frame may come early", "A", (0x200,),
        lambda: Slope(_limit, 0x200, RAMP, SLACK, "200.0 rose by {value:g} A, {limit:.1f} A allowed"),
    ),
    Rule(
        "R-LIMIT-START", "A vehicle of guideline 1.1 or later starts 200.0 at 0 A", "vehicle",
        "chademo.md 1, 200.0: initial 0 A, some cars before 1.1 do not; 0x201 tells them apart", "second-hand",
        "none", "A", (0x200, 0x201, 0x102, "phase"), lambda: Invariant(_limit_before_request),
    ),
    Rule(
        "R-LIMIT-END", "With 102.5.0 = 0 the discharge limit 200.0 is 0 A", "vehicle",
        "chademo.md 2 stop; log A 11 ms", "measured", "0.5 s, five cycles (project choice)", "A",
        (0x102, 0x200, "phase", "traffic"), lambda: After(_ended, FOLLOW, _limit_gone),
    ),
    Rule(
        "R-STOP-FOLLOWED", "After the charger's stop the vehicle withdraws 102.5.0", "vehicle",
        "chademo.md 2 stop: log A 0.21 s, log B 0.28 s", "measured", "0.5 s, five cycles (project choice)", "1",
        (0x102, "charger", "phase", "traffic"), lambda: After(_charger_stopped, FOLLOW, _gave_up),
    ),
    Rule(
        "R-STOP-CHARGER-LOST", "After 1 s without 0x109 the vehicle withdraws 102.5.0", "vehicle",
        "chademo.md 2, CAN timeout [JLD] 1 s", "second-hand", "0.5 s, five cycles (project choice)", "1",
        ("traffic", 0x102, "phase"), lambda: Lost(0x109, FOLLOW, _gave_up), ("CHA-012",), 0x109,
    ),
    Rule(
        "R-STOP-UNPLUGGED-VEHICLE", "After the proximity line is lost the vehicle withdraws 102.5.0", "vehicle",
        "chademo.md 2 safety times: stop at once on loss of a control line", "second-hand",
        "0.5 s, five cycles (project choice)", "1", (0x102, "proximity", "phase", "traffic"),
        lambda: After(lambda s: s.ran and s.wires.get("proximity") is False, FOLLOW, _gave_up),
    ),
    Rule(
        "R-K-ENABLE", "k goes off with 102.5.0", "vehicle", "chademo.md 2 step 3, stop; 3, 102.4.2: off together",
        "second-hand", "0.5 s: the frame is up to a cycle behind, and a lone signal is part of a test", "1",
        (0x102, "k", "phase"), lambda: After(_ended, FOLLOW, _k_with_enable),
    ),
    Rule(
        "R-DEVIATION-ENDS", "A current deviation fault 102.4.2 withdraws 102.5.0", "vehicle",
        "chademo.md 3, 102.4.2: k and 102.5.0 go off together", "second-hand",
        "0.5 s, five cycles (project choice)", "1", (0x102, "traffic"),
        lambda: After(_fault_ends_permission, FOLLOW, _gave_up),
    ),
    Rule(
        "R-SYSTEM-LATCHED", "A charging system fault 102.5.2 stays for the session", "vehicle",
        "chademo.md 1, 102.5.2: latched", "second-hand", "none", "1", (0x102,),
        lambda: Latch(lambda s: None if s.status is None else s.status.system_fault, "102.5.2 fell back to 0"),
    ),
    Rule(
        "R-EARLY-STOP-FLAG", "102.5.4 (stop before charging) comes only before the first current request", "vehicle",
        "chademo.md 1, 102.5.4", "second-hand", "none", "1", (0x102,),
        lambda: Edge(lambda s: None if s.status is None else s.status.stop_before_charging, _early_stop_flag),
    ),
    Rule(
        "R-TARGET-MOST", "The target voltage is at or below the vehicle's maximum 100.4-5", "vehicle",
        "chademo.md 1; log A 410 of 435 V", "measured", "none", "V", (0x100, 0x102, "k"),
        lambda: Invariant(_target_below_most),
    ),
    Rule(
        "R-REFERENCE", "The charged-rate reference 100.6 is 100 once permission is given", "vehicle",
        "chademo.md 1, 100.6: fixed 64, first frame F0; log A", "measured", "FF with a charger of 0.9", "1",
        (0x100, 0x102, "k"), lambda: Invariant(_reference),
    ),
    Rule(
        "R-CHARGED-RATE", "The charged rate 102.6 is no more than its reference once permission is given", "vehicle",
        "chademo.md 1, 102.6; log A 73 of 100", "measured", "none", "1", (0x100, 0x102, "k"),
        lambda: Invariant(_charged_rate),
    ),
    Rule(
        "R-FLAG-STEADY", "102.5.3 stays 0 while power is transferred", "vehicle",
        "chademo.md 1, 102.5.3; log A", "measured", "none", "1", (0x102, "charger", "phase"),
        lambda: Invariant(_steady),
    ),
)  # fmt: skip
