"""Charging: what the vehicle asks for, what the charger may give, and what it says about it.

The charging current follows min(102.3, 108.3). A charger that can discharge is free in its direction, so only the
upper side binds it; a charger that only charges owes the current as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from rig.chademo.rules.common import (
    COUNT,
    CYCLE,
    CYCLE_WHY,
    OUTPUT_LAG,
    RAMP,
    SAFE_CURRENT,
    STOP_TIME,
    charge_current,
    charge_target,
)
from rig.chademo.rules.contactors import INRUSH
from rig.chademo.rules.judges import After, Ceiling, Constant, Envelope, Invariant, Settled
from rig.chademo.rules.rule import Breach, Judge, Rule
from rig.chademo.session import FLOW, RUNNING, SAME_BURST, Phase, Session

EXCESS = 12.0
"""A above the request, for more than a second, at which a vehicle faults (CHA-014: public vehicle code)."""
EXCESS_TIME = 1.0
"""s, the same source."""
RESPONSE = 1.0
"""s until the current has begun to follow (CHA-003)."""
ARRIVAL = 4.0
"""s without any current, and the vehicle faults (chademo.md 2 step 9 [CLARA readme])."""
GAP, GAP_SHARE = 20.0, 0.1
"""A and share of the request that may be missing (CHA-015; chademo.md 3, 102.4.2 [CLARA] issue 33)."""
REPORT_VOLTAGE = 10.0
"""V, 109.1-2 may be off (CHA-013)."""
REPORT_TIME = 1.0
"""s a report may be off (CHA-013: vehicles fault after 1 to 5 s)."""
CLOCKS = 60.0
"""s, charger and vehicle count whole minutes."""
LIMITED = ("current", 0x102, 0x108, "phase")


def accuracy(target: float) -> float:
    """A, CHA-001: 2.5 A below 50 A, 5 % from there; and half a count of the report."""
    return max(2.5, 0.05 * target) + COUNT / 2


def _flowing_charge(s: Session) -> float | None:
    return charge_current(s) if s.ran or s.requested else None


def _only_charges(s: Session) -> bool:
    return not (s.v2h or s.began_v2h) and s.phase in RUNNING


def _owed(s: Session) -> float | None:
    return charge_target(s) if _only_charges(s) else None


def _delivered(s: Session) -> Breach | bool | None:
    given, target = charge_current(s), charge_target(s)
    if given is None or target is None or given <= FLOW:
        return None
    off = given - target
    return abs(off) <= accuracy(target) or Breach(given, target, f"{given:g} A where {target:g} A are asked for")


def _supplied(s: Session) -> Breach | bool | None:
    given, target = charge_current(s), charge_target(s)
    if given is None or target is None or target <= 0:
        return None
    missing, most = target - given, max(GAP, GAP_SHARE * target)
    return missing <= most or Breach(missing, most, f"{missing:g} A of {target:g} A are missing")


def _arrived(s: Session) -> Breach | bool | None:
    given = charge_current(s)
    if given is None:
        return None
    return given > 0 or Breach(0, 1, f"no current within {ARRIVAL:g} s")


def _available(s: Session) -> float | None:
    return None if s.capability is None else s.capability.available_current


def _dynamic(s: Session) -> bool:
    """Both sides say that they can change the available current while running (0x110.0.0 and 0x118.0.0)."""
    both = (s.slots[0x110].data, s.slots[0x118].data)
    return all(data is not None and len(data) > 0 and data[0] & 1 for data in both)


def _fixed_available(s: Session) -> float | None:
    if not _only_charges(s) or _dynamic(s):
        return None
    return _available(s)


def _over_threshold(s: Session) -> bool:
    volts = s.voltage
    return (
        volts is not None and s.capability is not None and s.ran and s.closed is not False
        and volts >= s.capability.threshold_voltage > 0
    )  # fmt: skip


def _charge_stopped(s: Session) -> Breach | bool | None:
    given = charge_current(s)
    if given is None:
        return None
    return given <= SAFE_CURRENT or Breach(given, SAFE_CURRENT, f"{given:g} A of charge go on")


def _below_target(s: Session) -> Breach | bool | None:
    volts = s.voltage
    if s.phase is not Phase.CHARGING or volts is None or s.status is None or s.status.target_voltage == 0:
        return None
    target = s.status.target_voltage
    return volts <= target + 2 * COUNT or Breach(volts, target, f"{volts:g} V, the target is {target:g} V")


def _one_way(s: Session) -> Breach | bool | None:
    if s.charger is None or s.charger_discharge is None:
        return None
    lesser = min(s.charger.output_current, s.charger_discharge.discharge_current)
    if max(s.charger.output_current, s.charger_discharge.discharge_current) <= FLOW:
        return None
    return lesser <= COUNT or Breach(lesser, COUNT, "109.3 and 208.0 both show a current")


class Disagreement:
    """What the frames report and what an instrument reads differ by no more than `most`, but for REPORT_TIME.

    Held against each other at each reading.
    """

    __slots__ = ("_most", "_name", "_of", "_since", "_told", "due", "seen")

    def __init__(self, name: str, of: Callable[[Session], float | None], most: float) -> None:
        self._name, self._of, self._most = name, of, most
        self.due = math.inf
        self.seen = False
        self.forget()

    def forget(self) -> None:
        """They agree."""
        self._since: float | None = None
        self._told = False

    def look(self, now: float, s: Session) -> Breach | None:
        """See `Judge.look`."""
        read, said = s.just_sampled(self._name), self._of(s)
        if read is None or said is None or s.phase not in RUNNING:
            return None
        off = abs(read - said)
        if off <= self._most:
            self.seen = True
            self.forget()
            return None
        if self._since is None:
            self._since = now
        if self._told or now < self._since + REPORT_TIME:
            return None
        self.seen = self._told = True
        return Breach(off, self._most, f"reported {said:g}, measured {read:.1f}, off by {off:.1f}")


def _time_left(s: Session) -> Breach | bool | None:
    if s.charger is None or s.times is None or not s.running or s.times.max_charge_time <= 0:
        return None
    left, most = s.charger.remaining_time, s.times.max_charge_time
    return left <= most + CLOCKS or Breach(left, most, f"109.6-7 say {left:g} s, the vehicle allows {most:g} s")


def _time_out(s: Session) -> bool:
    return (
        s.charger is not None and s.times is not None and s.phase in RUNNING | {Phase.STOPPING}
        and s.charger.remaining_time == 0 and s.times.max_charge_time > 0
    )  # fmt: skip


def _voltage_report() -> Judge:
    return Disagreement("dc_voltage", lambda s: None if s.charger is None else s.charger.output_voltage, REPORT_VOLTAGE)


RULES: tuple[Rule, ...] = (
    Rule(
        "R-CHARGE-LIMIT", "The charging current is at or below min(102.3, 108.3)", "charger",
        "chademo.md 3, 102.3; 2 step 10; log A", "measured",
        "2.5 A or 5 % (CHA-001), half a count, 0.15 s for one frame of inrush; where the limit falls: 0.21 s (a cycle "
        "of lag, a cycle of report), then 20 A/s", "A", LIMITED,
        lambda: Envelope(
            _flowing_charge, charge_target, "{value:g} A of charge, {limit:.1f} A allowed",
            tolerance=accuracy, slope=RAMP, lag=OUTPUT_LAG + CYCLE, grace=INRUSH,
        ), ("CHA-001",),
    ),
    Rule(
        "R-CHARGE-EXCESS", "The charging current never exceeds the request by more than 12 A for more than 1 s",
        "charger", "CHA-014, public vehicle code", "second-hand", "as R-CHARGE-LIMIT where the request falls", "A",
        LIMITED,
        lambda: Envelope(
            _flowing_charge, charge_target, "{value:g} A of charge, {limit:.1f} A asked for",
            tolerance=lambda _: EXCESS, slope=RAMP, lag=OUTPUT_LAG + CYCLE, grace=EXCESS_TIME,
        ), ("CHA-014",),
    ),
    Rule(
        "R-CHARGE-ACCURACY", "A charger without V2H delivers what is asked for, within 2.5 A or 5 %", "charger",
        "CHA-001, IEC 61851-23 101.2.1.2", "memory",
        "half a count; judged 1 s plus the ramp after the target last changed, for deviations of 1 s", "A", LIMITED,
        lambda: Settled(_owed, _delivered, RESPONSE + CYCLE, RAMP, grace=RESPONSE), ("CHA-001", "CHA-003"),
    ),
    Rule(
        "R-CHARGE-SUPPLY", "A charger without V2H leaves no more than 20 A or 10 % of the request missing", "charger",
        "CHA-015; chademo.md 3 [CLARA] issue 33: a LEAF faulted at 102 of 124 A", "second-hand",
        "judged 1 s plus the ramp after the target last changed, for gaps of 5 s", "A", LIMITED,
        lambda: Settled(_owed, _supplied, RESPONSE + CYCLE, RAMP, grace=5.0), ("CHA-015",),
    ),
    Rule(
        "R-CHARGE-ARRIVES", "With a charger without V2H a current arrives within 4 s after power transfer began",
        "charger", "chademo.md 2 step 9 [CLARA readme]", "second-hand", CYCLE_WHY, "A", LIMITED,
        lambda: After(lambda s: (_owed(s) or 0.0) > FLOW, ARRIVAL + CYCLE, _arrived), ("CHA-003",),
    ),
    Rule(
        "R-AVAILABLE-MAX", "The available current 108.3 never exceeds what was offered first", "charger",
        "chademo.md 1, 108.3: initial = max; log A 15, 0, 15 A", "measured",
        "none; a session not seen from its beginning is not judged", "A", (0x108, 0x102),
        lambda: Ceiling(_available, "108.3 is {value:g} A, first offered were {limit:g} A"),
    ),
    Rule(
        "R-AVAILABLE-FIXED", "Without V2H or dynamic control 108.3 does not change while running", "charger",
        "chademo.md 1, 108.3", "second-hand", "none", "A", (0x108, "phase", "charger", 0x102, 0x110, 0x118),
        lambda: Constant(_fixed_available, "the available current 108.3"),
    ),
    Rule(
        "R-OVERVOLTAGE", "With the output at the threshold voltage 108.4-5 the charge ends at once", "charger",
        "chademo.md 3: over-voltage backup, immediate", "second-hand",
        "0.5 s as any stop, and one cycle: the rule knows no shorter time", "A",
        ("current", "voltage", 0x108, "contactor", "charger", 0x102, "phase"),
        lambda: After(_over_threshold, STOP_TIME + CYCLE, _charge_stopped, relieved=True),
    ),
    Rule(
        "R-TARGET-VOLTAGE", "The battery is not charged above the target voltage 102.1-2", "charger",
        "BAT-005; chademo.md 1, 102.1-2; log A 377 of 410 V", "measured",
        "2 V, a count and its rounding; 0.5 s", "V", ("voltage", 0x102, "phase"),
        lambda: Invariant(_below_target, STOP_TIME), ("BAT-005",),
    ),
    Rule(
        "R-ONE-DIRECTION", "109.3 shows charge, 208.0 discharge, never both", "charger",
        "chademo.md 1, 109.3 [BBV2H]; log A", "measured", "50 ms: the two frames of one cycle; 1 A, a count", "A",
        ("current",), lambda: Invariant(_one_way, SAME_BURST),
    ),
    Rule(
        "R-VOLTAGE-REPORT", "The reported voltage 109.1-2 is within 10 V of the measured one", "charger",
        "CHA-013; chademo.md 6 [CLARA] issue 43: reported the target instead", "second-hand",
        "1 s", "V", ("voltage",), _voltage_report, ("CHA-013",),
    ),
    Rule(
        "R-CURRENT-REPORT", "The reported current 109.3, 208.0 is within 5 A of the measured one", "charger",
        "project choice: 5 A, so that no report calls a current safe that is not", "project", "1 s", "A",
        ("current",), lambda: Disagreement("dc_current", lambda s: s.reported_current, SAFE_CURRENT),
    ),
    Rule(
        "R-TIME-LEFT", "The remaining time 109.6-7 does not exceed the vehicle's 101.1-2", "charger",
        "chademo.md 1, 109.7: copied from 101, counted down; log A", "measured",
        "1 min: both count whole minutes; 1 s", "s", ("charger", 0x101), lambda: Invariant(_time_left, RESPONSE),
    ),
    Rule(
        "R-TIME-OUT", "When the remaining time has run out the charge ends", "charger",
        "chademo.md 3: 101/109 time expires", "second-hand", "0.5 s as any stop, and one cycle", "A",
        ("current", "charger", 0x101, "phase"),
        lambda: After(_time_out, STOP_TIME + CYCLE, _charge_stopped),
    ),
)  # fmt: skip
