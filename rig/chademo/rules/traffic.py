"""Frames as such: their pace, order, length, and silence."""

from __future__ import annotations

import math

from rig.chademo.messages import CHARGER_IDS, PERIOD, VEHICLE_IDS, Side
from rig.chademo.rules.common import pulled
from rig.chademo.rules.judges import Deadline
from rig.chademo.rules.rule import Breach, Judge, Rule
from rig.chademo.rules.ruleset import PACE
from rig.chademo.session import OVER, SAME_BURST, SILENCE, Kind, Session, Slot

ENOUGH = 1.0
"""s of frames before their pace can be called kept (project choice: ten cycles)."""
ANSWER = 1.0
"""s from the first vehicle frame to the first of the charger (project choice; recorded 65 ms and 146 ms)."""

_IDS: dict[Side, frozenset[int]] = {"vehicle": VEHICLE_IDS, "charger": CHARGER_IDS}


class Occasion:
    """Says once that frames have gone on for ENOUGH."""

    __slots__ = ("_since", "due")

    def __init__(self) -> None:
        self._since: float | None = None
        self.due = math.inf

    def come(self, now: float, speaking: list[Slot]) -> bool:
        """speaking: the slots that have been heard, none while they do not count."""
        if not speaking:
            self._since, self.due = None, math.inf
            return False
        if self._since is None:
            self._since = now
        if now >= self._since + ENOUGH:
            if any(slot.last - self._since >= ENOUGH - PERIOD - PACE for slot in speaking):
                self.due = math.inf
                return True
            if all(slot.last < self._since for slot in speaking):  # silence: the frame that ends it is out of pace,
                self._since, self.due = None, math.inf  # and so heard; until then there is nothing to count
                return False
            self._since = now
        self.due = self._since + ENOUGH
        return False


class _Traffic:
    """Looks at the frame that is out of line, if so. `seen` once frames of the side have gone on for ENOUGH."""

    __slots__ = ("_ids", "_occasion", "_told", "due", "seen")

    def __init__(self, ids: frozenset[int]) -> None:
        self._ids = ids
        self.seen = False
        self.forget()

    def forget(self) -> None:
        """Nothing was told."""
        self.due = math.inf
        self._occasion = Occasion()
        self._told: tuple[int, float] | None = None

    def fresh(self, now: float, s: Session) -> Slot | None:
        """The slot of a frame of this side that came now and was not looked at yet."""
        if not self.seen:
            self.seen = self._occasion.come(now, _speaking(self._ids, s))
            self.due = self._occasion.due
        slot = s.traffic
        if slot.id not in self._ids or s.traffic_at != now or self._told == (slot.id, now):
            return None
        self._told = (slot.id, now)
        return slot


def _speaking(ids: frozenset[int], s: Session) -> list[Slot]:
    return [slot for i in ids if (slot := s.slots[i]).last > -math.inf]


class Pace(_Traffic):
    """Frames come every PERIOD. A silence is another rule's, a hole in what was heard nobody's; and where d1 went on or
    off in between, one session has ended and another begun."""

    def look(self, now: float, s: Session) -> Breach | None:
        """See `Judge.look`."""
        slot = self.fresh(now, s)
        if slot is None or abs(slot.gap - PERIOD) <= PACE or slot.gap >= SILENCE or now - slot.gap < s.hole:
            return None
        if s.wire_at.get("d1", -math.inf) > now - slot.gap:
            return None
        limit = PERIOD + math.copysign(PACE, slot.gap - PERIOD)
        return Breach(slot.gap, limit, f"0x{slot.id:03X} came {slot.gap * 1e3:.1f} ms after the one before")


class Order(_Traffic):
    """108 comes before 109 in every cycle."""

    def look(self, now: float, s: Session) -> Breach | None:
        """See `Judge.look`."""
        slot = self.fresh(now, s)
        if slot is None or slot.id != 0x109 or slot.after.last < s.hole:
            return None
        behind = now - slot.after.last
        if behind <= SAME_BURST or math.isinf(slot.gap):  # what is heard may begin between the two
            return None
        return Breach(min(behind, now - slot.first), SAME_BURST, "0x109 came without a 0x108 before it in its cycle")


class Length(_Traffic):
    """Frames have 8 bytes. Told once for each id until a whole one comes."""

    __slots__ = ("_short",)

    def forget(self) -> None:
        """See `Judge.forget`."""
        super().forget()
        self._short: set[int] = set()

    def look(self, now: float, s: Session) -> Breach | None:
        """See `Judge.look`."""
        slot = self.fresh(now, s)
        if slot is None or slot.data is None:
            return None
        if len(slot.data) == 8:
            self._short.discard(slot.id)
            return None
        if slot.id in self._short:
            return None
        self._short.add(slot.id)
        return Breach(len(slot.data), 8, f"0x{slot.id:03X} has {len(slot.data)} bytes")


class Silence:
    """No frame a side has once sent stays away for SILENCE while the session is on.

    The soonest possible silence is looked for when it may have come, not at every frame.
    """

    __slots__ = ("_ids", "_occasion", "_told", "due", "seen")

    def __init__(self, ids: frozenset[int]) -> None:
        self._ids = ids
        self.seen = False
        self.forget()

    def forget(self) -> None:
        """Nobody has spoken."""
        self._told: set[int] = set()
        self._occasion = Occasion()
        self.due = math.inf

    def look(self, now: float, s: Session) -> Breach | None:
        """See `Judge.look`."""
        speaking = [] if s.phase in OVER or pulled(s) else _speaking(self._ids, s)
        self.seen = self._occasion.come(now, speaking) or self.seen
        if not speaking:
            self.due = math.inf
            return None
        over = {slot.id: max(slot.last, s.hole) + SILENCE for slot in speaking}
        gone = [i for i, at in over.items() if now >= at and i not in self._told]
        self._told = {i for i, at in over.items() if now >= at}
        self.due = min((at for at in over.values() if at > now), default=math.inf)
        if not self.seen:
            self.due = min(self.due, self._occasion.due)
        if not gone:
            return None
        who = ", ".join(f"0x{i:03X}" for i in gone)
        longest = max(now - over[i] + SILENCE for i in gone)
        return Breach(longest, SILENCE, f"no {who} for {longest:.2f} s")


def _answers(s: Session) -> bool:
    return s.charger is not None and s.capability is not None


def _has_discharge_frames(s: Session) -> bool:
    return s.charger_discharge is not None and s.charger_time is not None


def _claims_v2h(s: Session) -> bool:
    return s.charger is not None and s.charger.discharge_compatible


def _both(side: Side, name: str) -> tuple[Rule, ...]:
    ids, first = _IDS[side], 0x102 if side == "vehicle" else 0x109
    hears: tuple[Kind, ...] = ("traffic", "phase")

    def pace() -> Judge:
        return Pace(ids)

    def silence() -> Judge:
        return Silence(ids)

    def length() -> Judge:
        return Length(ids)

    return (
        Rule(
            f"R-PERIOD-{name}",
            f"Every frame of the {side} comes every 100 ms",
            side,
            "chademo.md 0 [CLARA] 100 ms +-10 ms; log A 94-106 ms",
            "measured",
            "15 ms: the +-10 ms and 5 ms for the bus queue; 112 ms was recorded in a good session",
            "s",
            hears,
            pace,
            ("CHA-012",),
            first,
        ),
        Rule(
            f"R-SILENCE-{name}",
            f"No frame of the {side} stays away for 1 s during a session",
            side,
            "chademo.md 2, CAN timeout [JLD][CLARA] 1 s",
            "second-hand",
            "none: 1 s is ten cycles already; not judged once the plug is out",
            "s",
            (*hears, "proximity"),
            silence,
            ("CHA-012",),
            first,
        ),
        Rule(
            f"R-DLC-{name}",
            f"Every frame of the {side} has 8 bytes",
            side,
            "chademo.md 0 [BOCAR]",
            "measured",
            "none",
            "1",
            hears,
            length,
            shows=first,
        ),
    )


RULES: tuple[Rule, ...] = (
    *_both("vehicle", "VEHICLE"),
    *_both("charger", "CHARGER"),
    Rule(
        "R-ORDER", "0x108 comes before 0x109 in every cycle", "charger",
        "chademo.md 0 [CLARA]; log A 0.2-1.6 ms apart", "measured",
        "50 ms: half a cycle tells one burst from the next", "s", ("traffic", "phase"),
        lambda: Order(CHARGER_IDS), shows=0x109,
    ),
    Rule(
        "R-ANSWER", "The charger answers the vehicle's first frame with 0x108 and 0x109", "charger",
        "project choice, 1 s; chademo.md 0: 65 ms and 146 ms recorded", "project", "none", "s",
        (0x100, 0x102, 0x108, "charger"),
        lambda: Deadline(
            lambda s: s.limits is not None or s.status is not None, _answers, ANSWER,
            "no 0x108 and 0x109 within {limit:g} s after the vehicle's first frame",
        ),
    ),
    Rule(
        "R-V2H-FRAMES", "A charger that says it can discharge sends 0x208 and 0x209", "charger",
        "chademo.md 1, 109.4.0 [CLARA]: else a LEAF faults; log A", "measured",
        "1 s, ten cycles: the flag is in the first frame", "s", ("charger", 0x208, 0x209),
        lambda: Deadline(
            _claims_v2h, _has_discharge_frames, SILENCE, "109.4.0 is 1 but 0x208 and 0x209 are missing for {limit:g} s"
        ),
    ),
)  # fmt: skip
