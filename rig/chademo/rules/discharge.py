"""Discharging: the vehicle's limits of 0x200, the charger's own of 0x208, and who may discharge at all.

200.0 is a hard upper limit that moves; the charger follows it with 20 A/s. A limit that is reached inhibits one
direction only, the session stays. The direction in which nothing is allowed carries no more than half a count of
noise (`FLOW`).
"""

from __future__ import annotations

import math
from collections.abc import Callable

from rig.chademo.rules.common import (
    COUNT,
    CYCLE,
    OUTPUT_LAG,
    RAMP,
    SAFE_CURRENT,
    STOP_TIME,
    discharge_current,
    stored_levels,
)
from rig.chademo.rules.contactors import INRUSH
from rig.chademo.rules.judges import After, Constant, Deadline, Envelope, Invariant
from rig.chademo.rules.rule import Breach, Rule
from rig.chademo.session import DEAD, FLOW, RUNNING, SILENCE, Phase, Session

DEVIATION, DEVIATION_TIME = 10.0, 5.0
"""A and s beyond the limit at which the vehicle faults (chademo.md 3, 102.4.2)."""
INHIBIT_TIME = 2.0
"""s from a reached limit to no current that way (project choice: 30 A, the cable's most, at 20 A/s, and 0.5 s)."""
MIN_VOLTAGE_TIME = STOP_TIME + CYCLE
"""s, "immediate" (chademo.md 3) as any stop, and one cycle of report: the rules know no shorter time."""
LIMITED = ("current", 0x200, "phase")
LIMIT_TOLERANCE = (
    "1 A, a count of the report; 0.15 s; where the limit falls: 0.21 s (a cycle of lag, a cycle of report), then 20 A/s"
)


def _flowing(s: Session) -> float | None:
    return discharge_current(s) if s.ran else None


def _vehicle_limit(s: Session) -> float | None:
    return None if s.discharge is None else s.discharge.max_discharge_current


def _charger_limit(s: Session) -> float | None:
    return None if s.charger_discharge is None else s.charger_discharge.available_input_current


def _follows(limit: Callable[[Session], float | None], say: str, tolerance: float, grace: float) -> Envelope:
    return Envelope(
        _flowing, limit, say, tolerance=lambda _: tolerance, slope=RAMP, lag=OUTPUT_LAG + CYCLE, grace=grace
    )


def no_discharge(s: Session) -> Breach | bool | None:
    """No current out of the battery."""
    out = discharge_current(s)
    return None if out is None else out <= FLOW or Breach(out, 0, f"{out:g} A of discharge where none is allowed")


def discharge_stopped(s: Session) -> Breach | bool | None:
    """A discharge that had to end has come down to the safe current."""
    out = discharge_current(s)
    if out is None:
        return None
    return out <= SAFE_CURRENT or Breach(out, SAFE_CURRENT, f"{out:g} A of discharge go on at {s.voltage:g} V")


def no_charge(s: Session) -> Breach | bool | None:
    """No current into the battery."""
    into = s.current
    return None if into is None else into <= FLOW or Breach(into, 0, f"{into:g} A of charge where none is allowed")


def _at_least(s: Session, volts: float | None) -> bool:
    on = s.phase in RUNNING | {Phase.STOPPING}
    return on and s.voltage is not None and volts is not None and DEAD < s.voltage <= volts


def _vehicle_minimum(s: Session) -> bool:
    return _at_least(s, None if s.discharge is None else s.discharge.min_discharge_voltage)


def _charger_minimum(s: Session) -> bool:
    return _at_least(s, None if s.charger_discharge is None else s.charger_discharge.lower_threshold_voltage)


def _level_low(s: Session) -> bool:
    levels = stored_levels(s) if s.ran else None
    return levels is not None and levels[1] > 0 and levels[0] <= levels[1]


def _level_high(s: Session) -> bool:
    levels = stored_levels(s) if s.ran else None
    return levels is not None and 0 < levels[2] <= levels[0]


def _levels_in_order(s: Session) -> Breach | bool | None:
    levels = stored_levels(s)
    if levels is None or not (levels[1] and levels[2]):
        return None
    return levels[1] < levels[2] or Breach(levels[1], levels[2], "the level 200.6 is not below the level 200.7")


def _not_both(s: Session) -> bool:
    return s.ran and s.status is not None and s.charger is not None and not s.v2h


def _withdrawn(s: Session) -> bool:
    return s.ran and s.status is not None and not s.status.discharge_compatible


def _none_before_start(s: Session) -> Breach | bool | None:
    if s.ran or s.phase not in (Phase.CLOSED, Phase.REQUESTED):
        return None
    return no_discharge(s)


class Masked:
    """A limit 200.0 that does not start at 0 A is not used before the vehicle has changed it."""

    __slots__ = ("_first", "_since", "_told", "due", "seen")

    def __init__(self) -> None:
        self.seen = False
        self.forget()

    def forget(self) -> None:
        """No 0x200 was seen."""
        self._first: float | None = None
        self._told = False
        self._since: float | None = None
        self.due = math.inf

    def look(self, now: float, s: Session) -> Breach | None:
        """See `Judge.look`."""
        limit = _vehicle_limit(s)
        if limit is None or not s.whole:
            self._idle()
            return None
        if self._first is None:
            self._first = limit
        if limit != self._first:
            self._first = 0.0
        if self._first == 0 or s.phase not in RUNNING:
            self._idle()
            return None
        found = no_discharge(s)
        if not isinstance(found, Breach):
            self.seen, self._since, self.due = True, None, math.inf
            return None
        if self._since is None:
            self._since = now
        if now < self._since + INRUSH or self._told:
            self.due = math.inf if self._told else self._since + INRUSH
            return None
        self.seen = self._told = True
        self.due = math.inf
        return Breach(found.value, 0, f"{found.value:g} A of discharge on the initial limit of {self._first:g} A")

    def _idle(self) -> None:
        """Nothing to judge now, and no moment to wait for."""
        self._since, self.due = None, math.inf


RULES: tuple[Rule, ...] = (
    Rule(
        "R-DISCHARGE-LIMIT", "The discharge current is at or below the vehicle's limit 200.0", "charger",
        "chademo.md 3: hard upper limit, follow 20 A/s", "second-hand", LIMIT_TOLERANCE, "A", LIMITED,
        lambda: _follows(_vehicle_limit, "{value:g} A of discharge, 200.0 allows {limit:.1f} A", COUNT, INRUSH),
        ("CHA-016",), 0x208,
    ),
    Rule(
        "R-DISCHARGE-EXCESS", "The discharge current never exceeds 200.0 by 10 A for 5 s", "charger",
        "chademo.md 3, 102.4.2 [CLARA]", "second-hand", "as R-DISCHARGE-LIMIT where the limit falls", "A", LIMITED,
        lambda: _follows(
            _vehicle_limit, "{value:g} A of discharge for 5 s, 200.0 allows {limit:.1f} A", DEVIATION, DEVIATION_TIME
        ), ("CHA-016",), 0x208,
    ),
    Rule(
        "R-DISCHARGE-OWN", "The discharge current is at or below the charger's own limit 208.3", "charger",
        "chademo.md 2 V2H run: min(200.0, own 208.3)", "second-hand", LIMIT_TOLERANCE, "A",
        ("current", 0x208, "phase"),
        lambda: _follows(_charger_limit, "{value:g} A of discharge, 208.3 says {limit:.1f} A", COUNT, INRUSH),
        shows=0x208,
    ),
    Rule(
        "R-MIN-VOLTAGE", "At the minimum discharge voltage 200.4-5 discharge ends at once", "charger",
        "chademo.md 3, 200.4-5: immediate", "second-hand", "0.5 s as any stop, and one cycle", "A",
        ("current", "voltage", 0x200, "phase"),
        lambda: After(_vehicle_minimum, MIN_VOLTAGE_TIME, discharge_stopped, relieved=True), ("CHA-017",), 0x208,
    ),
    Rule(
        "R-LOWER-THRESHOLD", "At its own lower threshold 208.6-7 the charger ends discharge by itself", "charger",
        "chademo.md 1, 208.6-7; 3: immediate", "second-hand", "0.5 s as any stop, and one cycle", "A",
        ("current", "voltage", 0x208, "phase"),
        lambda: After(_charger_minimum, MIN_VOLTAGE_TIME, discharge_stopped, relieved=True), ("CHA-017",), 0x208,
    ),
    Rule(
        "R-MIN-LEVEL", "At the minimum level 200.6 discharge is inhibited", "charger",
        "chademo.md 3, 200.6; unit rule of 1, 0x200", "second-hand", "2 s (project choice): the ramp from 30 A", "A",
        ("current", 0x200, 0x102, 0x100, 0x101, 0x201, "k", "phase"),
        lambda: After(_level_low, INHIBIT_TIME, no_discharge), ("BAT-001",), 0x208,
    ),
    Rule(
        "R-MAX-LEVEL", "At the maximum level 200.7 charge is inhibited", "charger",
        "chademo.md 3, 200.7; unit rule of 1, 0x200", "second-hand", "2 s (project choice): the ramp from 30 A", "A",
        ("current", 0x200, 0x102, 0x100, 0x101, 0x201, "k", "phase"),
        lambda: After(_level_high, INHIBIT_TIME, no_charge), ("BAT-002",),
    ),
    Rule(
        "R-WITHDRAWN", "After the vehicle has withdrawn 102.5.7 nothing is discharged", "charger",
        "chademo.md 3, 102.5.7 1->0", "second-hand", "2 s (project choice): the ramp from 30 A", "A",
        ("current", 0x102, "phase"), lambda: After(_withdrawn, INHIBIT_TIME, no_discharge),
        shows=0x208,
    ),
    Rule(
        "R-V2H-BOTH", "Nothing is discharged unless both sides say they can (109.4.0 and 102.5.7)", "charger",
        "chademo.md 2 step 2", "second-hand", "2 s (project choice): the ramp from 30 A", "A",
        ("current", 0x102, "charger", "phase"), lambda: After(_not_both, INHIBIT_TIME, no_discharge),
        shows=0x208,
    ),
    Rule(
        "R-DISCHARGE-START", "Nothing is discharged before power transfer has begun", "charger",
        "chademo.md 2 step 9; V2H run; log A", "measured", "1.5 A of noise, 0.15 s of inrush", "A",
        ("current", "phase"), lambda: Invariant(_none_before_start, INRUSH), shows=0x208,
    ),
    Rule(
        "R-DISCHARGE-MASK", "An initial limit 200.0 that is not 0 A is not used before the vehicle changes it",
        "charger", "chademo.md 1, 200.0: EVSE shall mask the initial value", "second-hand", "1.5 A of noise, 0.15 s",
        "A", ("current", 0x200, 0x102, "phase"), Masked, ("CHA-016",), 0x208,
    ),
    Rule(
        "R-DISCHARGE-REPORT", "A current out of the battery is shown in 208.0", "charger",
        "chademo.md 1, 208.0: measured", "second-hand", "1 s; 5 A, the safe current (project choice)", "s",
        ("current", 0x208, "phase"),
        lambda: Deadline(
            lambda s: s.phase in RUNNING and (s.sampled("dc_current") or 0.0) < -5.0,
            lambda s: s.charger_discharge is not None and s.charger_discharge.discharge_current > 0, SILENCE,
            "the measured discharge is not shown in 208.0 within {limit:g} s",
        ), shows=0x208,
    ),
    Rule(
        "R-SEQUENCE-CHARGER", "The discharge sequence number 209.0 does not change during a session", "charger",
        "chademo.md 1, 0x209; log A 2", "measured", "none", "1", (0x209,),
        lambda: Constant(
            lambda s: None if s.charger_time is None else s.charger_time.sequence, "the sequence number 209.0"
        ),
    ),
    Rule(
        "R-LEVEL-ORDER", "The minimum level 200.6 is below the maximum level 200.7", "vehicle",
        "chademo.md 1, 0x200; log A 30 and 80 %", "measured", "1 s: levels settle with permission", "%",
        (0x200, 0x102, 0x100, 0x101, 0x201, "k"), lambda: Invariant(_levels_in_order, SILENCE),
    ),
)  # fmt: skip
