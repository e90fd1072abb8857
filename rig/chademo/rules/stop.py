"""Every way a session ends: chademo.md section 3, and the stop and the welding check of section 2.

Each trigger is enough by itself (stop signals are redundant, chademo.md 2 safety times), and each has its own rule, so
that a verdict names the one that was ignored. After it: 5 A or less, then 109.5.0 = 0, then the vehicle opens and
tests, then d2, then d1, and the plug comes free at 10 V or less.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from rig.chademo.messages import Confidence, Side
from rig.chademo.rules.common import (
    CYCLE,
    CYCLE_WHY,
    PATIENCE,
    STOP_TIME,
    TOUCH_SAFE,
    pulled,
    safe,
    safe_current,
    stop_in_time,
)
from rig.chademo.rules.judges import After, Deadline, Edge, Invariant, Latch
from rig.chademo.rules.rule import Breach, Rule
from rig.chademo.session import SAME_BURST, SILENCE, Kind, Phase, Session, Slot

LINES_GAP = 0.5
"""s, from d2 off to d1 off (chademo.md 2 weld check [CLARA])."""
WELD_PATIENCE = 10.0
"""s, T-time of the welding check: a charger need not wait for 102.5.3 any longer (chademo.md 2 weld check [CLARA])."""
OLD_HOLD = 4.0
"""s, a charger keeps d1 and d2 for a vehicle of protocol 0.9 (chademo.md 2 weld check)."""
OVER = frozenset({Phase.STOPPING, Phase.WELD_CHECK, Phase.OPEN, Phase.UNLOCKED})
SAME_MOMENT = 0.02
"""s in which a line and the frame that goes with it are heard in any order (project choice: a fifth of a cycle)."""
STOP_WHY = f"{CYCLE_WHY}; the current may be as old"


class Lost:
    """From `limit` s after frame `id` has stayed away for SILENCE, while power had been transferred, `test` holds."""

    __slots__ = ("_id", "_limit", "_test", "_told", "due", "seen")

    def __init__(self, id: int, limit: float, test: Callable[[Session], Breach | bool | None]) -> None:
        self._id, self._limit, self._test = id, limit, test
        self.seen = False
        self.forget()

    def forget(self) -> None:
        """Nothing was told."""
        self._told = False
        self.due = math.inf

    def look(self, now: float, s: Session) -> Breach | None:
        """See `Judge.look`."""
        slot: Slot = s.slots[self._id]
        if not s.ran or s.phase in (Phase.OPEN, Phase.UNLOCKED, Phase.ENDED) or math.isinf(slot.last):
            self.forget()
            return None
        end = max(slot.last, s.hole) + SILENCE + self._limit
        if now < end:
            self.due, self._told = end, False
            return None
        self.due = math.inf
        found = self._test(s)
        if not isinstance(found, Breach):
            self.seen = self.seen or bool(found)
            self._told = False
            return None
        if self._told:
            return None
        self._told = self.seen = True
        return found


class Decay:
    """After the contactors opened, the output is at or below `limit` V (or share of before) within `within` s.

    The opening is the auxiliary contact's where it is wired, else the first report 10 % below the voltage before.
    """

    __slots__ = ("_before", "_done", "_limit", "_share", "_since", "_told", "_within", "due", "seen")

    FALLEN = 0.9

    def __init__(self, limit: float, share: float, within: float) -> None:
        self._limit, self._share, self._within = limit, share, within
        self.seen = False
        self.forget()

    def forget(self) -> None:
        """No contactors have opened."""
        self._before = 0.0
        self._since: float | None = None
        self._done = False
        self.due = math.inf

    def look(self, now: float, s: Session) -> Breach | None:
        """See `Judge.look`."""
        volts = s.voltage
        if not s.ran or s.running or s.phase not in OVER | {Phase.ENDED} or volts is None:
            self.forget()
            return None
        if self._since is None:
            self._before = max(self._before, volts)
            opened = volts < self.FALLEN * self._before if s.aux is None else not s.aux
            if not opened:
                return None
            self._since = now
        limit = max(self._limit, self._share * self._before)
        if self._done or volts <= limit:
            self._done = self.seen = True
            self.due = math.inf
            return None
        end = self._since + self._within + CYCLE
        if now < end:
            self.due = end
            return None
        self._done = self.seen = True
        self.due = math.inf
        return Breach(volts, limit, f"{volts:g} V are left {self._within:g} s after the contactors opened")


def _trigger(
    id: str, what: str, source: str, when: Callable[[Session], bool], hears: tuple[Kind, ...] = (),
    duty: Side = "charger", confidence: Confidence = "second-hand", ids: tuple[str, ...] = ("CHA-006", "CHA-022"),
) -> Rule:  # fmt: skip
    return Rule(
        id, f"{what}: 5 A or less within 0.5 s", duty, source, confidence, STOP_WHY, "A",
        (*(hears or (0x102,)), "current", "phase"), lambda: stop_in_time(when), ids,
    )  # fmt: skip


def _status(bit: str) -> Callable[[Session], bool]:
    """A flag of 0x102 by its field's name."""
    flags: dict[str, Callable[[Session], bool]] = {
        "ov": lambda s: s.status is not None and s.status.fault_overvoltage,
        "uv": lambda s: s.status is not None and s.status.fault_undervoltage,
        "current": lambda s: s.status is not None and s.status.fault_current_deviation,
        "hot": lambda s: s.status is not None and s.status.fault_high_temperature,
        "voltage": lambda s: s.status is not None and s.status.fault_voltage_deviation,
        "enable": lambda s: s.status is not None and not s.status.enabled,
        "shift": lambda s: s.status is not None and s.status.not_in_park,
        "system": lambda s: s.status is not None and s.status.system_fault,
        "target": lambda s: s.status is not None and s.status.target_voltage == 0,
    }
    return flags[bit]


def _early_stop(s: Session) -> Breach | bool | None:
    return not s.running or Breach(1, 0, "power transfer goes on though 102.5.4 asked to stop before it")


def _vehicle_ended(s: Session) -> bool:
    return s.ran and s.vehicle_stops


def _charger_ended(s: Session) -> bool:
    """The charger has announced its stop while the session is still on."""
    return s.ran and s.phase in OVER and s.charger is not None and s.charger.stopping


def _off_and_stopped(s: Session) -> bool:
    return s.charger is not None and not s.charger.running and s.charger.stopping


def _off(s: Session) -> bool:
    return s.ran and s.charger is not None and not s.charger.running


def _off_safe(s: Session) -> Breach | bool | None:
    """At the moment of the flag: by what the same cycle reports, where no reading holds for that moment."""
    return safe(s.current if s.current_stands else s.reported_current)


def _stop_flag(s: Session) -> Breach | bool | None:
    assert s.charger is not None
    return s.charger.stopping or Breach(0, 1, "109.5.0 went to 0 while 109.5.5 stayed 0")


def _stopping(s: Session) -> bool | None:
    return None if s.charger is None or not s.ran or s.phase not in OVER else s.charger.stopping


def _fault_flags(s: Session) -> Breach | bool | None:
    if s.charger is None or not (s.charger.malfunction or s.charger.system_malfunction):
        return None
    return s.charger.stopping or Breach(0, 1, "109.5.1 or 109.5.4 is 1 while 109.5.5 is 0")


def _malfunction(s: Session) -> bool | None:
    return None if s.charger is None else s.charger.malfunction or s.charger.system_malfunction


def _unlocked(s: Session) -> bool | None:
    return None if s.charger is None else not s.charger.locked


def _dead_at_unlock(s: Session) -> Breach | bool | None:
    if s.charger is None:
        return None
    volts = s.charger.output_voltage
    return volts <= TOUCH_SAFE or Breach(volts, TOUCH_SAFE, f"unlocked with {volts:g} V at the output")


def _checked_at_unlock(s: Session) -> Breach | bool | None:
    if not s.ran or s.closed is None or not s.heard(0x102):
        return None
    return not s.closed or Breach(1, 0, "unlocked before the vehicle's welding check was over (102.5.3)")


def _dead_after(s: Session) -> Breach | bool | None:
    volts = s.voltage
    if volts is None:
        return None
    return volts <= TOUCH_SAFE or Breach(volts, TOUCH_SAFE, f"{volts:g} V at the output after the session")


def _normal_end(s: Session) -> bool:
    """Nobody reports a fault: the lines are let go in order, not dropped."""
    return s.status is not None and not (s.charger_fault or s.status.fault or s.status.system_fault)


def _line_off(name: Kind) -> Callable[[Session], bool]:
    if name == "d1":
        return lambda s: s.wires.get("d1") is False
    return lambda s: s.wires.get("d2") is False


def _lines_in_order(s: Session) -> Breach | bool | None:
    if not s.ran or not _normal_end(s) or "d2" not in s.wires:
        return None
    if s.wires["d2"]:
        return Breach(0, LINES_GAP, "d1 went off before d2")
    gap = s.now - s.wire_at["d2"]
    return gap >= LINES_GAP - 1e-6 or Breach(gap, LINES_GAP, f"d1 went off {gap:.3f} s after d2")


def _check_over_at_d2(s: Session) -> Breach | bool | None:
    if s.flag_closed is None or not s.heard(0x102):
        return None
    if s.wire_at["d2"] - s.entered.get(Phase.STOPPING, math.inf) >= WELD_PATIENCE:
        return None
    return not s.flag_closed or Breach(1, 0, "d2 went off before the vehicle's welding check was over (102.5.3)")


def _held_for_old(s: Session) -> Breach | bool | None:
    old = s.status is not None and s.status.protocol < 2
    if not old or not s.ran or not _normal_end(s) or Phase.STOPPING not in s.entered:
        return None
    held = s.now - s.entered[Phase.STOPPING]
    return held >= OLD_HOLD or Breach(held, OLD_HOLD, f"d2 went off {held:.1f} s after the stop")


TRIGGERS: tuple[Rule, ...] = (
    _trigger("R-STOP-OVERVOLTAGE", "After 102.4.0 (battery over-voltage)", "chademo.md 3, 102.4.0", _status("ov")),
    _trigger("R-STOP-UNDERVOLTAGE", "After 102.4.1 (battery under-voltage)", "chademo.md 3, 102.4.1", _status("uv")),
    _trigger("R-STOP-DEVIATION", "After 102.4.2 (current deviation)", "chademo.md 3, 102.4.2", _status("current")),
    _trigger("R-STOP-HOT", "After 102.4.3 (high temperature)", "chademo.md 3, 102.4.3", _status("hot"),
             ids=("CHA-006", "CHA-022", "BAT-006")),
    _trigger("R-STOP-VOLTAGE", "After 102.4.4 (voltage deviation)", "chademo.md 3, 102.4.4", _status("voltage")),
    _trigger("R-STOP-ENABLE", "After 102.5.0 went to 0", "chademo.md 3; 2 stop [CLARA] C-time; log A",
             _status("enable"), confidence="measured"),
    _trigger("R-STOP-SHIFT", "After 102.5.1 (not in park)", "chademo.md 3, 102.5.1", _status("shift")),
    _trigger("R-STOP-SYSTEM", "After 102.5.2 (system fault)", "chademo.md 3, 102.5.2", _status("system")),
    _trigger("R-STOP-TARGET", "After the target voltage went to 0", "chademo.md 3 [BE]", _status("target")),
    _trigger("R-STOP-K", "After k off", "chademo.md 3; 2 stop [CLARA] C-time", lambda s: s.wires.get("k") is False,
             ("k",)),
    _trigger("R-STOP-FAULT", "After the charger's own fault (109.5.1, 109.5.3, 109.5.4)",
             "chademo.md 1, 109.5.1: error stop; 2 emergency [BE]", lambda s: s.charger_fault, ("charger",),
             ids=("CHA-005",)),
    _trigger("R-STOP-UNPLUGGED", "After the plug's proximity line is lost",
             "chademo.md 2 safety times: stop at once on loss of a control line",
             lambda s: s.wires.get("proximity") is False, ("proximity",), ids=()),
)  # fmt: skip

RULES: tuple[Rule, ...] = (
    *TRIGGERS,
    Rule(
        "R-STOP-EARLY", "After 102.5.4 (stop before charging) no power transfer begins", "charger",
        "chademo.md 3, 102.5.4", "second-hand", "0.5 s as any stop, and one cycle", "1", (0x102, "charger", "phase"),
        lambda: After(
            lambda s: s.status is not None and s.status.stop_before_charging and not s.requested,
            STOP_TIME + CYCLE, _early_stop,
        ), ("CHA-022",),
    ),
    Rule(
        "R-STOP-SILENCE", "After 1 s without 0x102 5 A or less flow within 0.5 s", "charger",
        "chademo.md 2, CAN timeout [JLD][CLARA]; CHA-012", "second-hand", STOP_WHY, "A",
        ("traffic", "current", "phase"), lambda: Lost(0x102, STOP_TIME + CYCLE, safe_current), ("CHA-012",), 0x102,
    ),
    Rule(
        "R-STOP-OWN", "After 109.5.5 = 1 5 A or less flow and 109.5.0 is 0 within the vehicle's 2.5 s", "charger",
        "chademo.md 2 stop [CLARA]; log A 0.20 s, log B 0.60 s", "measured", CYCLE_WHY, "s", ("charger", "phase"),
        lambda: Deadline(_charger_ended, _off_and_stopped, PATIENCE + CYCLE, "109.5.0 is still 1 {limit:g} s after "
                         "109.5.5 = 1"),
    ),
    Rule(
        "R-STOP-ANSWER", "The charger answers the vehicle's stop with 109.5.0 = 0 and 109.5.5 = 1 within 2.5 s",
        "charger", "chademo.md 2 stop: EV waits up to 2.5 s [CLARA]; log A", "measured", CYCLE_WHY, "s",
        (0x102, "charger", "k", "phase"),
        lambda: Deadline(_vehicle_ended, _off_and_stopped, PATIENCE + CYCLE, "109.5.0 = 0 with 109.5.5 = 1 did not "
                         "come within {limit:g} s after the vehicle's stop"), ("CHA-022",),
    ),
    Rule(
        "R-OFF-CURRENT", "109.5.0 goes to 0 only at 5 A or less", "charger",
        "chademo.md 1, 109.5.0; 2 stop; log A", "measured", "50 ms: 0x208 comes after 0x109 in its cycle", "A",
        ("charger", "current", "phase"), lambda: After(_off, SAME_BURST, _off_safe), ("CHA-006",),
    ),
    Rule(
        "R-OFF-FLAG", "109.5.5 is 1 when 109.5.0 goes to 0", "charger", "chademo.md 2 stop; log A 05, 25, 24",
        "measured", "none, both are in one frame", "1", ("charger",),
        lambda: Edge(lambda s: None if s.charger is None else not s.charger.running, _stop_flag),
    ),
    Rule(
        "R-STOP-FINAL", "After a stop 109.5.5 stays 1 until the session is over", "charger",
        "chademo.md 1, 109.5.5; log A", "measured", "none", "1", ("charger", "phase"),
        lambda: Latch(_stopping, "109.5.5 went back to 0 after the stop"),
    ),
    Rule(
        "R-FAULT-FLAGS", "A fault of the charger (109.5.1, 109.5.4) comes with 109.5.5 = 1", "charger",
        "chademo.md 2 emergency: 5.1/5.4 + 5.5 [BE]; typical faults 26, 34, 36, 32, 30", "second-hand",
        CYCLE_WHY, "1", ("charger",), lambda: Invariant(_fault_flags, CYCLE),
    ),
    Rule(
        "R-FAULT-LATCHED", "A fault of the charger stays until it was off", "charger",
        "chademo.md 2 emergency: latched until power cycle [BE]", "second-hand", "none; until a new session", "1",
        ("charger",), lambda: Latch(_malfunction, "109.5.1 and 109.5.4 were cleared within the session"),
    ),
    Rule(
        "R-WELD-TIME", "The welding check is over (102.5.3 = 1) within 4 s after 109.5.0 = 0", "vehicle",
        "chademo.md 2 weld check [CLARA] C-time 4 s, T-time 10 s; log A 2.91 s, log B 2.07 s", "measured", CYCLE_WHY,
        "s", (0x102, "charger", "phase"),
        lambda: Deadline(
            lambda s: _off(s) and s.phase in OVER and s.flag_closed is not None, lambda s: s.flag_closed is False,
            4.0 + CYCLE, "102.5.3 still 0 {limit:g} s after 109.5.0 = 0",
        ), ("CHA-011",),
    ),
    Rule(
        "R-DECAY-QUARTER", "The output is at a quarter of its voltage within 1 s after the contactors opened",
        "charger", "chademo.md 2 weld check [BE] A.10.2.1; log A 0.3 s", "measured", CYCLE_WHY, "V",
        ("voltage", "charger", "contactor", "phase"), lambda: Decay(0.0, 0.25, 1.0), ("CHA-018",),
    ),
    Rule(
        "R-DECAY-60", "The output is at 60 V or less within 1 s after the contactors opened", "charger",
        "CHA-018, IEC 61851-23; log A 0.3 s", "measured", CYCLE_WHY, "V",
        ("voltage", "charger", "contactor", "phase"), lambda: Decay(60.0, 0.0, 1.0), ("CHA-018",),
    ),
    Rule(
        "R-DECAY-10", "The output is at 10 V or less within 2 s after the contactors opened", "charger",
        "chademo.md 2 weld check [BE] A.10.2.1; log A 0.5 s", "measured", CYCLE_WHY, "V",
        ("voltage", "charger", "contactor", "phase"), lambda: Decay(10.0, 0.0, 2.0), ("CHA-018",),
    ),
    Rule(
        "R-DEAD-AFTER", "After the welding check the output stays dead", "charger",
        "chademo.md 2 weld check: 10 V; log A", "measured", CYCLE_WHY, "V", ("voltage", 0x102, "charger", "phase"),
        lambda: After(
            lambda s: s.ran and s.phase in (Phase.OPEN, Phase.UNLOCKED) and s.flag_closed is False, CYCLE, _dead_after
        ), ("CHA-018",),
    ),
    Rule(
        "R-UNLOCK-DEAD", "The connector is unlocked only at 10 V or less", "charger",
        "chademo.md 2 weld check; log A 0 V", "measured",
        "none, both are in one frame; R-DEAD-AFTER looks at what is measured", "V", ("charger",),
        lambda: Edge(_unlocked, _dead_at_unlock), ("CHA-023",),
    ),
    Rule(
        "R-UNLOCK-CHECKED", "The connector is unlocked only after the vehicle's welding check", "charger",
        "chademo.md 2 weld check; log A 0.69 s, log B 0.64 s after 102.5.3 = 1", "measured", "none", "1", ("charger",),
        lambda: Edge(_unlocked, _checked_at_unlock),
    ),
    Rule(
        "R-D2-D1", "In a normal end d1 goes off 0.5 s or more after d2", "charger",
        "chademo.md 2 weld check [CLARA]", "second-hand", "none, lines have no cycle", "s", ("d1",),
        lambda: Edge(_line_off("d1"), _lines_in_order, start=False), ("CHA-011",),
    ),
    Rule(
        "R-D2-CHECKED", "In a normal end d2 goes off after the vehicle's welding check", "charger",
        "chademo.md 2 weld check", "second-hand",
        "20 ms in which the line and the frame may be heard in any order (project choice); not once the plug is out",
        "1", ("d2", 0x102, "charger", "phase", "traffic", "proximity"),
        lambda: After(
            lambda s: s.ran and s.wires.get("d2") is False and _normal_end(s) and not pulled(s), SAME_MOMENT,
            _check_over_at_d2,
        ),
    ),
    Rule(
        "R-D2-OLD", "For a vehicle of protocol 0.9 d2 stays on for 4 s after the stop", "charger",
        "chademo.md 2 weld check", "second-hand", "none", "s", ("d2",),
        lambda: Edge(_line_off("d2"), _held_for_old, start=False),
    ),
)  # fmt: skip
