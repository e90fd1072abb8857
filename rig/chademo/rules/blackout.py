"""Contactor protection in the order that holds even when the charger's own supply fails.

chademo.md 2, FURDOG RTM A.4.4h: stop the current, cut the control supply (d1, d2), then the vehicle's contactor opens;
this must hold during an AC blackout or brown-out as well, so the charger needs hold-up energy. On the vehicle's side a
blackout looks like any of: d1 or d2 going away, the charger's frames ending, the contactors opening by themselves.
None of it may happen under load, whatever the cause.
"""

from __future__ import annotations

from rig.chademo.rules.common import CYCLE, CYCLE_WHY, MOMENT_WHY, SAFE_CURRENT, STOP_TIME, pulled, safe_by_now
from rig.chademo.rules.contactors import coil_cut
from rig.chademo.rules.judges import After, Edge
from rig.chademo.rules.rule import Breach, Rule
from rig.chademo.rules.stop import Lost
from rig.chademo.session import RUNNING, Phase, Session

SOURCE = "chademo.md 2, contactor protection [FURDOG RTM A.4.4h]; 3"
RELEASE = 60.0
"""V, at the connector one second after the coil supply went (chademo.md 2 safety times: 60 V within 1 s)."""
RELEASE_TIME = 1.0
"""s, the same source."""
LAST_WORDS = CYCLE
"""s, a charger that goes silent may have been seen at most one cycle before it did."""


def _safe_cut(s: Session) -> Breach | bool | None:
    return safe_by_now(s) if s.ran else None


def _safe_opening(s: Session) -> Breach | bool | None:
    return safe_by_now(s) if s.ran and coil_cut(s) else None


def _announced(s: Session) -> Breach | bool | None:
    """The coil supply is taken only after the charger had left power transfer or announced its stop."""
    if not s.ran or s.charger is None:
        return None
    stopped = not s.charger.running or s.charger.stopping or s.phase not in RUNNING
    return stopped or Breach(1, 0, "d1 or d2 went off while 109.5.0 was 1 and 109.5.5 was 0")


def _last_said(s: Session) -> Breach | bool | None:
    current = s.reported_current
    if current is None or s.charger is None or pulled(s):
        return None
    flow = abs(current)
    return flow <= SAFE_CURRENT or Breach(flow, SAFE_CURRENT, f"0x109 ended with {flow:g} A flowing")


def _measured_silence(s: Session) -> Breach | bool | None:
    current = s.fresh("dc_current")
    if current is None:
        return None
    return abs(current) <= SAFE_CURRENT or Breach(
        abs(current), SAFE_CURRENT, f"{abs(current):.1f} A measured, the charger silent"
    )


def _released(s: Session) -> bool:
    return s.ran and coil_cut(s) and s.closed is not True and s.phase is not Phase.WELD_CHECK


def _dead(s: Session) -> Breach | bool | None:
    volts = s.voltage
    if volts is None:
        return None
    return volts <= RELEASE or Breach(volts, RELEASE, f"{volts:g} V at the connector, the coil supply gone")


def _unplugged(s: Session) -> bool:
    return s.wires.get("proximity") is False and (s.ran or s.closed is True)


RULES: tuple[Rule, ...] = (
    Rule(
        "R-CUT-LOAD", "d1 and d2 go off only when 5 A or less flow", "charger", SOURCE, "second-hand",
        MOMENT_WHY, "A", ("d1", "d2"),
        lambda: Edge(coil_cut, _safe_cut, start=False),
    ),
    Rule(
        "R-CUT-OPENING", "Contactors that open because d1 or d2 is off open at 5 A or less", "charger", SOURCE,
        "second-hand", MOMENT_WHY, "A",
        (0x102, "contactor", "charger"),
        lambda: Edge(lambda s: None if s.closed is None else not s.closed, _safe_opening),
    ),
    Rule(
        "R-CUT-ANNOUNCED", "d1 and d2 go off only after power transfer was ended or a stop shown", "charger", SOURCE,
        "second-hand", "none", "1", ("d1", "d2"), lambda: Edge(coil_cut, _announced, start=False),
    ),
    Rule(
        "R-SILENT-LOAD", "The charger's frames end only when 5 A or less flow", "charger", SOURCE, "second-hand",
        "the last report counts; told once 0x109 was away for 1 s", "A", ("traffic", "current", "phase", "proximity"),
        lambda: Lost(0x109, LAST_WORDS, _last_said), shows=0x109,
    ),
    Rule(
        "R-SILENT-CURRENT", "With the charger silent for 1 s 5 A or less flow within 0.5 s", "charger", SOURCE,
        "second-hand", CYCLE_WHY, "A", ("traffic", "current", "phase"),
        lambda: Lost(0x109, STOP_TIME + CYCLE, _measured_silence), shows=0x109,
    ),
    Rule(
        "R-CUT-DEAD", "One second after d1 or d2 went off 60 V or less stand at the open connector", "charger",
        "chademo.md 2 safety times: 60 V within 1 s; CHA-018", "second-hand", CYCLE_WHY, "V",
        ("voltage", "d1", "d2", "contactor", "charger", 0x102, "phase"),
        lambda: After(_released, RELEASE_TIME + CYCLE, _dead), ("CHA-018",),
    ),
    Rule(
        "R-UNPLUGGED-DEAD", "One second after the plug was pulled 60 V or less stand at the connector", "charger",
        "chademo.md 2 safety times: 60 V within 1 s after removal", "second-hand", CYCLE_WHY, "V",
        ("voltage", "proximity", "contactor", "charger", 0x102, "phase"),
        lambda: After(_unplugged, RELEASE_TIME + CYCLE, _dead), ("CHA-018",),
    ),
)  # fmt: skip
