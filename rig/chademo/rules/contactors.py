"""The vehicle's contactors: closed onto a dead cable, never moved under load; and the start of power, steps 7 to 9.

Opening under load must never happen (chademo.md 3); welded contacts after it are a known failure. The auxiliary
contact shows the moment where it is wired, else 102.5.3, which stays 0 until the welding check is over. When d1 or d2
is taken away the coil has no supply: an opening then is the charger's doing, and judged in blackout.py.
"""

from __future__ import annotations

import math

from rig.chademo.rules.common import CYCLE, CYCLE_WHY, MOMENT_WHY, PATIENCE, SAFE_CURRENT, STOP_TIME, safe_by_now
from rig.chademo.rules.judges import Deadline, Edge, Invariant
from rig.chademo.rules.permission import CLOSING_TIME
from rig.chademo.rules.rule import Breach, Rule
from rig.chademo.session import DEAD, PERMITTED, RUNNING, STARTING, Phase, Session

REQUEST_TIME = 4.0
"""s, from closed contactors to the first request (chademo.md 2 step 8)."""
INRUSH = 0.15
"""s, one frame of inrush is no flow (chademo.md 2 step 10: log B, a single frame of 19 A)."""
STEP = 20.0
"""V, the output may jump by when power transfer begins (project choice: what counts as dead; log A 1 V)."""
FOLLOW = 0.5
"""s, for a contact to follow its coil and be told in 102.5.3 (project choice: five cycles)."""


def _closed(s: Session) -> bool | None:
    return s.closed


def _opened(s: Session) -> bool | None:
    return None if s.closed is None else not s.closed


def coil_cut(s: Session) -> bool:
    """d1 or d2 is off where it is wired: the coil has no supply."""
    return s.wires.get("d1") is False or s.wires.get("d2") is False


def _may_close(s: Session) -> Breach | bool | None:
    if s.status is None or s.charger is None:
        return None
    if not s.permitted:
        return Breach(1, 0, "the contactors closed without permission")
    return s.charger.locked or Breach(1, 0, "the contactors closed with the connector unlocked")


def _fed(s: Session) -> Breach | bool | None:
    d1, d2 = s.wires.get("d1"), s.wires.get("d2")
    if d1 is not True and d2 is None:  # a d2 that was not seen since d1 came has not come
        return None
    return bool(d1 is not False and d2) or Breach(1, 0, "the contactors closed without d1 and d2")


def _onto_dead_inlet(s: Session) -> Breach | bool | None:
    """Dead by its last phase: after the closing itself the battery stands at the inlet, for a frame or two unsaid."""
    if s.phase is not Phase.CLOSED or not s.whole:
        return None
    live, dead = s.entered.get(Phase.INSULATION, -math.inf), s.entered.get(Phase.TESTED, -math.inf)
    volts = s.voltage or 0.0
    live_for = s.now - live
    return live <= dead or live_for <= 2 * CYCLE or Breach(
        volts, DEAD, f"the contactors closed onto an inlet live for {live_for:.1f} s, {volts:g} V"
    )  # fmt: skip


def _open_decision(s: Session) -> Breach | bool | None:
    return None if coil_cut(s) else safe_by_now(s)


def _open_after_power(s: Session) -> Breach | bool | None:
    if not s.ran or coil_cut(s):
        return None
    if s.phase is Phase.STOPPING and s.now - s.entered[Phase.STOPPING] >= PATIENCE:
        return True
    return not s.running or Breach(1, 0, "the contactors opened while 109.5.0 was 1")


def _no_current_when_open(s: Session) -> Breach | bool | None:
    current = s.current
    if s.closed is not False or current is None:
        return None
    return abs(current) <= SAFE_CURRENT or Breach(
        abs(current), SAFE_CURRENT, f"{abs(current):g} A flow while the contactors are open"
    )


def _quiet_before_start(s: Session) -> Breach | bool | None:
    current = s.current
    if s.phase not in (Phase.CLOSED, Phase.REQUESTED) or current is None:
        return None
    return abs(current) <= SAFE_CURRENT or Breach(
        abs(current), SAFE_CURRENT, f"{abs(current):g} A flow before power transfer began (109.5.0)"
    )


def _asked_in_time(s: Session) -> bool:
    """A request that came too late may find a charger that has given up; one that stood before the contactors closed,
    or with 102.5.3 still open, a charger that cannot have matched the battery yet."""
    if s.phase is not Phase.REQUESTED or s.flag_closed is False:
        return False
    at, closed = s.entered[Phase.REQUESTED], s.entered.get(Phase.CLOSED)
    return closed is None or 0 < at - closed <= REQUEST_TIME


def _may_run(s: Session) -> Breach | bool | None:
    if s.closed is False:
        return Breach(1, 0, "109.5.0 went to 1 with the vehicle contactors open")
    if s.status is None:  # a recording of the charger's side alone: nobody knows what the vehicle asked for
        return None
    return s.requested or Breach(1, 0, "109.5.0 went to 1 before the vehicle asked for current")


def _running(s: Session) -> bool | None:
    return None if s.charger is None else s.charger.running


def _flag_tells(s: Session) -> Breach | bool | None:
    aux, flag = s.aux, s.flag_closed
    if aux is None or flag is None:
        return None
    if aux and not flag:
        return Breach(1, 0, "102.5.3 says open, the auxiliary contact is closed")
    if flag and s.phase in RUNNING | PERMITTED:
        return aux or Breach(0, 1, "102.5.3 says closed, the auxiliary contact is open")
    return None


class VoltageStep:
    """The output does not jump when power transfer begins: the charger has matched the battery before."""

    __slots__ = ("_before", "_running", "due", "seen")

    def __init__(self) -> None:
        self.due = math.inf
        self.seen = False
        self.forget()

    def forget(self) -> None:
        """No voltage before."""
        self._before: float | None = None
        self._running = True

    def look(self, now: float, s: Session) -> Breach | None:
        """See `Judge.look`."""
        volts, before, started = s.voltage, self._before, s.running and not self._running
        self._before, self._running = volts, s.running
        if not started or volts is None or before is None:
            return None
        self.seen = True
        step = abs(volts - before)
        return Breach(step, STEP, f"the output went from {before:g} to {volts:g} V") if step > STEP else None


RULES: tuple[Rule, ...] = (
    Rule(
        "R-CLOSE-PERMITTED", "The contactors close only with permission given and the connector locked", "vehicle",
        "chademo.md 2 steps 3 to 7; log A", "measured", "none", "1", (0x102, "contactor", "charger"),
        lambda: Edge(_closed, _may_close),
    ),
    Rule(
        "R-CLOSE-FED", "The contactors close only with d1 and d2 on", "vehicle",
        "chademo.md 2 lines: the coil is fed through d1 and d2 [CHRSKLY][BE]", "second-hand", "none", "1",
        (0x102, "contactor", "charger"), lambda: Edge(_closed, _fed),
    ),
    Rule(
        "R-CLOSE-DEAD", "The contactors close onto a dead inlet", "vehicle",
        "chademo.md 2 step 7: the vehicle checks about 0 V; 20 V by step 5 [BE]; log A 0 V", "measured",
        "two cycles: the battery is seen in 109.1-2 before 102.5.3 tells of the closing", "V",
        (0x102, "contactor", "charger", "phase"), lambda: Edge(_closed, _onto_dead_inlet),
    ),
    Rule(
        "R-CLOSE-LOAD", "The contactors never close at more than 5 A", "vehicle",
        "chademo.md 3: contactors only at 5 A or less [BE][RS]; log A 0 A", "measured",
        MOMENT_WHY, "A", (0x102, "contactor", "charger"), lambda: Edge(_closed, safe_by_now),
    ),
    Rule(
        "R-OPEN-LOAD", "The vehicle never opens its contactors at more than 5 A", "vehicle",
        "chademo.md 3: contactors only at 5 A or less [BE][RS]; log A 0 A", "measured",
        MOMENT_WHY, "A",
        (0x102, "contactor", "charger"), lambda: Edge(_opened, _open_decision),
    ),
    Rule(
        "R-OPEN-WAIT", "The vehicle opens its contactors after 109.5.0 went to 0, or after 2.5 s of waiting", "vehicle",
        "chademo.md 2 stop: EV waits up to 2.5 s; log A opened 2 s after 109.5.0=0", "measured", "none", "1",
        (0x102, "contactor", "charger"), lambda: Edge(_opened, _open_after_power),
    ),
    Rule(
        "R-OPEN-CURRENT", "No current flows while the contactors are open", "charger",
        "chademo.md 3; log A", "measured", "5 A, and two cycles for a report behind the contact", "A",
        ("current", 0x102, "contactor", "charger"), lambda: Invariant(_no_current_when_open, 2 * CYCLE),
    ),
    Rule(
        "R-CLOSE-TIME", "The contactors close within 4 s after d2", "vehicle",
        "chademo.md 2 step 7 [CLARA]", "second-hand", CYCLE_WHY, "s", (0x102, "d2", "contactor", "charger", "phase"),
        lambda: Deadline(
            lambda s: s.wires.get("d2") is True and s.phase in STARTING, lambda s: s.closed is True or s.requested,
            CLOSING_TIME + CYCLE, "contactors not closed within {limit:g} s after d2",
        ), ("CHA-009",),
    ),
    Rule(
        "R-REQUEST-TIME", "The first current request comes within 4 s after the contactors closed", "vehicle",
        "chademo.md 2 step 8; logs A and B 1.70 s", "measured", CYCLE_WHY, "s",
        (0x102, "contactor", "charger", "phase"),
        lambda: Deadline(
            lambda s: s.phase is Phase.CLOSED, lambda s: s.requested, REQUEST_TIME + CYCLE,
            "no current request within {limit:g} s after the contactors closed",
        ), ("CHA-010",),
    ),
    Rule(
        "R-RUN-TIME", "Power transfer begins (109.5.0=1, 109.5.5=0) within 0.5 s after the first request", "charger",
        "chademo.md 2 step 9 [CLARA]; log A 0.52 s, log B 0.09 s", "measured", CYCLE_WHY, "s",
        ("charger", 0x102, "phase"),
        lambda: Deadline(
            _asked_in_time,
            lambda s: s.charger is not None and s.charger.running and not s.charger.stopping, STOP_TIME + CYCLE,
            "109.5.0 not 1 within {limit:g} s after the first request",
        ), ("CHA-010",),
    ),
    Rule(
        "R-RUN-READY", "Power transfer begins only with closed contactors and a request", "charger",
        "chademo.md 2 steps 7 to 9; log A", "measured", "none", "1", ("charger",),
        lambda: Edge(_running, _may_run),
    ),
    Rule(
        "R-RUN-CURRENT", "No current above 5 A flows before power transfer begins", "charger",
        "chademo.md 2 steps 8, 9; 6 [CLARA] issue 11: current before the request; log A 1 A", "measured",
        "0.15 s: one frame of inrush, as log B shows", "A", ("current", "phase"),
        lambda: Invariant(_quiet_before_start, INRUSH),
    ),
    Rule(
        "R-RUN-VOLTAGE", "The output has matched the battery when power transfer begins", "charger",
        "chademo.md 2 step 8; log A 1 V", "measured", "20 V (project choice)", "V", ("voltage", "charger"),
        VoltageStep,
    ),
    Rule(
        "R-FLAG-TRUE", "102.5.3 tells what the contactors do", "vehicle", "chademo.md 1, 102.5.3", "second-hand",
        "0.5 s, five cycles (project choice); 0 is also right while the welding check runs", "1",
        (0x102, "contactor", "charger", "phase"), lambda: Invariant(_flag_tells, FOLLOW),
    ),
    Rule(
        "R-WELDED", "Without d1 or d2 the contactors are open", "vehicle",
        "chademo.md 2 lines: the coil is fed through d1 and d2 [CHRSKLY][BE]", "second-hand",
        "0.5 s for the contact to fall (project choice)", "s", ("contactor", "d1", "d2"),
        lambda: Deadline(
            lambda s: s.aux is not None and coil_cut(s), lambda s: s.aux is False, FOLLOW,
            "the auxiliary contact is still closed {limit:g} s after d1 or d2 went off",
        ),
    ),
)  # fmt: skip
