"""All rules as one machine: observations in, findings out, beside a live bench or over a trace.

The fast path: a frame whose payload is the one before and whose pace is right costs one look at its slot. Only what
changed is decoded, observed and shown to the judges that hear it; moments judges wait for are kept in one small dict,
and the soonest of them is the machine's wake. `thorough` takes the slow path for every frame and shows it to every
judge: the same verdicts, proven by a test, and the proof that every rule names all it must hear.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from rig.can.frame import Frame
from rig.chademo.events import ContactorMoved, Observation, Sample, WireChanged
from rig.chademo.messages import PERIOD, SPECS
from rig.chademo.rules.rule import Breach, Finding, Judge, Rule, RuleState, RuleVerdict
from rig.chademo.session import QUANTITIES, SAME_BURST, SILENCE, Kind, Session
from rig.errors import UseError
from rig.machine import Step

PACE = 0.015
"""s a period may be off (chademo.md 0: +-10 ms [CLARA]; longest seen in a good session 112 ms)."""
NS = 2e-9
"""s, a clock of whole nanoseconds may wake this much early."""
SHOWN_BY: dict[Kind, int] = {"voltage": 0x109, "current": 0x109, "charger": 0x109, "k": 0x102, "contactor": 0x102}
"""The frame that is shown as evidence where what changed is no frame itself."""

_LEAST, _MOST = PERIOD - PACE, PERIOD + PACE


class _Seat:
    """A rule, its judge and what was found."""

    __slots__ = ("count", "due", "first", "judge", "rule")

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.judge: Judge = rule.judge()
        self.due = math.inf
        self.first: Finding | None = None
        self.count = 0


class RuleSet:
    """Rules over one stream of observations. `session` may be read at any time, never written.

    thorough: judge every frame in full (slow; a reference for tests).
    """

    def __init__(self, rules: Sequence[Rule], thorough: bool = False) -> None:
        ids = [rule.id for rule in rules]
        if twice := sorted({rule for rule in ids if ids.count(rule) > 1}):
            raise UseError(f"rules {', '.join(twice)} are there twice; give each an id of its own")
        self.session = Session()
        self.changes = 0
        """Counts what was new; whoever watches `session` looks when it moves."""
        self._thorough = thorough
        self._seats = tuple(_Seat(rule) for rule in rules)
        self._audiences: dict[tuple[Kind, ...], tuple[_Seat, ...]] = {}
        self._slots = self.session.slots
        self._armed: dict[_Seat, float] = {}
        self._wake = self._alarm = math.inf
        self._idle: Step[Finding] = Step()
        self._found: list[Finding] = []

    def repeats(self, now: float, frame: Frame) -> bool:
        """Whether it may be spared this frame: it says what the one before said, in its time. That it came is noted."""
        number, data = frame
        slot = self._slots.get(number)
        if slot is None or data != slot.data or now >= self._alarm or self._thorough:
            return False
        before, slot.last = slot.last, now  # noted first: the frame most kinds come after is their own
        if _LEAST <= now - before <= _MOST and now - slot.after.last <= SAME_BURST:
            return True
        slot.last = before
        return False

    def step(self, now: float, event: Observation | None) -> Step[Finding]:
        """Take one observation at `now` (s, never going back), or None: time has gone by."""
        if now >= self._alarm:
            self._expire(now + NS)
        if type(event) is Frame:
            slot = self._slots.get(event.id)
            if slot is not None and not self.repeats(now, event):
                gap = now - slot.last
                slot.last = now
                self._unusual(now, event, gap)
        elif event is not None:
            self._other(now, event)
        return self._answer() if self._found else self._idle

    def hole(self, now: float) -> Step[Finding]:
        """Until `now` something could not be heard: nobody is blamed for frames that may have been there."""
        self._expire(now)
        self.session.hole = now
        return self._answer()

    def close(self, now: float) -> Step[Finding]:
        """The stream ends at `now`: deadlines that have passed by then are judged, later ones stay open."""
        self._expire(now)
        self.session.now = now
        for seat in self._seats:  # a last look: what came unchanged until now was an occasion as well
            self._looked(seat, now, None, seat.judge.look(now, self.session))
        self._rewake()
        return self._answer()

    def verdicts(self) -> tuple[RuleVerdict, ...]:
        """How each rule stands, in the order given."""
        return tuple(self._verdict(seat) for seat in self._seats)

    def _verdict(self, seat: _Seat) -> RuleVerdict:
        kept = RuleState.KEPT if seat.judge.seen else RuleState.UNKNOWN
        return RuleVerdict(seat.rule, RuleState.BROKEN if seat.count else kept, seat.first, seat.count)

    # -- what changed

    def _unusual(self, now: float, frame: Frame, gap: float) -> None:
        """A frame with a new payload or out of pace; judged after the deadlines before it."""
        s, slot = self.session, self._slots[frame.id]
        before = now - gap
        if gap >= SILENCE and SPECS[frame.id].sender == "vehicle":
            slot.last = before
            if s.begins_anew(now):
                self._forget()
                slot, gap = self._slots[frame.id], math.inf
            slot.last = now
        slot.gap = gap
        if math.isinf(gap):
            slot.first = now
        mended = slot.data is not None and len(slot.data) != 8  # a whole frame after a short one is news of the traffic
        kinds = s.hear(now, slot, frame) if frame.data != slot.data else ()
        s.now, s.traffic, s.traffic_at = now, slot, now
        behind = now - slot.after.last > SAME_BURST and slot.after.last >= s.hole
        odd = (not _LEAST <= gap <= _MOST and before >= s.hole) or behind or mended or len(frame.data) != 8
        if odd or kinds or self._thorough:
            self._changed(("traffic", *kinds) if odd else kinds, now, frame)

    def _other(self, now: float, event: WireChanged | ContactorMoved | Sample | Frame) -> None:
        s = self.session
        match event:
            case WireChanged():
                s.wire(now, event)
                self._changed((event.wire,), now, None)
            case ContactorMoved():
                s.contactor(now, event)
                self._changed(("contactor",), now, None)
            case Sample():
                s.sample(now, event)
                self._changed((QUANTITIES[event.name],), now, None)

    def _changed(self, kinds: tuple[Kind, ...], now: float, frame: Frame | None) -> None:
        self.changes += 1
        if self.session.settle(now):
            kinds = (*kinds, "phase")
        s, look = self.session, self._looked
        for seat in self._seats if self._thorough else self._audience(kinds):
            judge = seat.judge
            breach = judge.look(now, s)
            if breach is not None or judge.due != seat.due:
                look(seat, now, frame, breach)
        self._rewake()

    def _audience(self, kinds: tuple[Kind, ...]) -> tuple[_Seat, ...]:
        """Who hears any of these, each once, in the order of the rules."""
        found = self._audiences.get(kinds)
        if found is None:
            found = tuple(seat for seat in self._seats if not set(kinds).isdisjoint(seat.rule.hears))
            self._audiences[kinds] = found
        return found

    def _looked(self, seat: _Seat, now: float, frame: Frame | None, breach: Breach | None) -> None:
        """A judge names another moment, or has found something. One that has passed is none: it would be waited for for
        ever."""
        seat.due = seat.judge.due
        if now < seat.due < math.inf:
            self._armed[seat] = seat.due
        else:
            self._armed.pop(seat, None)
        if breach is not None:
            self._record(seat, now, frame or self._evidence(seat.rule), breach)

    def _expire(self, now: float) -> None:
        """Every moment waited for up to now, each at its own time: the session's first, then the judges'."""
        s, armed = self.session, self._armed
        while True:
            own, judges = s.due, min(armed.values(), default=math.inf)
            due = min(own, judges)
            if due > now:
                break
            if own <= due:
                self._changed(s.pass_time(due), due, None)
                continue
            seat = next(seat for seat, at in armed.items() if at == due)
            s.now = due
            self._looked(seat, due, None, seat.judge.look(due, s))
        self._wake_at(due)

    def _rewake(self) -> None:
        self._wake_at(min(self.session.due, min(self._armed.values(), default=math.inf)))

    def _wake_at(self, wake: float) -> None:
        if wake != self._wake:
            self._wake, self._alarm = wake, wake - NS
            self._idle = Step((), None if math.isinf(wake) else wake)

    def _forget(self) -> None:
        for seat in self._seats:
            seat.judge.forget()
            seat.due = math.inf
        self._armed.clear()
        self._rewake()

    # -- what is found

    def _evidence(self, rule: Rule) -> Frame | None:
        """The last frame of the kind the rule shows, or of the first kind it hears that a frame can show."""
        ids = (SHOWN_BY.get(kind, kind) for kind in ((rule.shows,) if rule.shows else rule.hears))
        shown = next((kind for kind in ids if isinstance(kind, int)), None)
        data = None if shown is None else self._slots[shown].data
        return None if shown is None or data is None else Frame(shown, data)

    def _record(self, seat: _Seat, now: float, frame: Frame | None, breach: Breach) -> None:
        rule = seat.rule
        text = "" if frame is None else str(frame)
        finding = Finding(rule.id, RuleState.BROKEN, now, text, breach.value, breach.limit, rule.unit, breach.message)
        seat.count += 1
        seat.first = seat.first or finding
        self._found.append(finding)

    def _answer(self) -> Step[Finding]:
        found, self._found = tuple(self._found), []
        return Step(found, self._idle.wake_at)
