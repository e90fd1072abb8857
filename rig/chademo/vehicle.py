"""The car on the CHAdeMO bus: the vehicle's half of a charge or V2H session, as a machine without time or wires.

Theory (chademo.md section 2)
  The plug's d1 wakes the car. It talks first: 100, 101, 102, 200, before anything is permitted. What both sides can do
  is compared; then the car gives permission, in one breath on two ways: k, and 102.5.0. The charger locks the plug,
  tests the insulation and answers with d2. d1 and d2 together feed the coil of the car's contactors: the car closes
  them only onto a dead inlet, says so (102.5.3 = 0), and asks for current. Once the charger runs (109.5.0) the
  request 102.3 and, for V2H, the discharge limit 200.0 rise step by step; what flows in which direction is the
  charger's choice within both. 108.3 = 0 forbids charging, and the request follows within one cycle; the session stays.

  Either side ends it. Whatever the cause (vehicle_causes.py), the car does one thing: request and limit to 0, enable
  off, k off, and then waits for 5 A or less and 109.5.0 = 0 before its contactors open. It waits `stop_limit`; with
  the current still above 5 A then, it goes on waiting up to `forced_opening` and opens under load: `opened_under_load`
  says so. After opening the inlet must go dead, else a contact is welded; only then 102.5.3 = 1.

      ASLEEP -d1-> WAKING -> GREETING -> PERMITTED -lock, d2-> CLOSING -> CLOSED -> ASKING -109.5.0-> RUNNING
                                 \\__________\\______________\\__________\\_________\\__________________/
      ASLEEP <-d1, d2 off- ENDED <- WELD_CHECK <- OPENING <- STOPPING <- any cause
                             ^------------------------------------------ contactors never commanded

  Nothing is polled: each phase names the moment at which it wants to be looked at again.
  vehicle_voice.py holds what is said and when, vehicle_ears.py what is heard, vehicle_causes.py what ends it,
  vehicle_profile.py every figure. This file knows no byte.
"""

from __future__ import annotations

from collections.abc import Callable

from rig.can.frame import Frame
from rig.chademo.events import ContactorMoved, VehicleIn, VehicleOut, WireChanged
from rig.chademo.vehicle_causes import BY_PHASE, Cause, Situation, incompatibility
from rig.chademo.vehicle_ears import Ears
from rig.chademo.vehicle_profile import LEAF_ZE0_24KWH, Figure, VehicleProfile
from rig.chademo.vehicle_state import Fault, StopReason, VehiclePhase, Wishes
from rig.chademo.vehicle_voice import NOT_DUE, Voice
from rig.machine import Step
from rig.units import NS_PER_S, to_ns

P = VehiclePhase
R = StopReason

ASKING_PHASES = frozenset({P.ASKING, P.RUNNING})


class Vehicle:
    """A car's CHAdeMO controller. Set `wishes` at any time; read the rest for reports."""

    def __init__(self, profile: VehicleProfile = LEAF_ZE0_24KWH, wishes: Wishes | None = None) -> None:
        self.wishes = wishes or Wishes()
        self.stop_reason = R.NONE
        self.stop_detail = ""
        """The fault's name, or what did not fit."""
        self.opened_under_load = False
        """The contactors of the last session were opened above 5 A: the bounded fallback."""
        self.welded = False
        """After the last session the inlet stayed alive, or the contactors did not open."""
        self.k = False
        """Permission as driven on the wire."""
        self.contactor_asked = False
        self.trail: list[tuple[float, VehiclePhase]] = []
        """(s, phase entered) of the last session."""
        self._phase = P.ASLEEP
        self._voice = Voice(profile, self.wishes)
        self._s = Situation(profile, self.wishes, self._voice)
        self._ears = Ears(self._s)
        self._since = 0
        self._asked_at = 0
        self._deadline = NOT_DUE
        self._marks: dict[str, int] = {}
        self._out: list[VehicleOut] = []
        self._look = False
        self._idle: Step[VehicleOut] | None = None
        self._do: dict[VehiclePhase, Callable[[int], VehiclePhase | None]] = {
            P.ASLEEP: self._asleep,
            P.WAKING: self._waking,
            P.GREETING: self._greeting,
            P.PERMITTED: self._permitted,
            P.CLOSING: self._closing,
            P.CLOSED: self._closed,
            P.ASKING: self._asking,
            P.RUNNING: self._running,
            P.STOPPING: self._stopping,
            P.OPENING: self._opening,
            P.WELD_CHECK: self._weld_check,
            P.ENDED: self._ended,
        }

    @property
    def phase(self) -> VehiclePhase:
        """Where in the session the car is."""
        return self._phase

    @property
    def profile(self) -> VehicleProfile:
        """What kind of car it is."""
        return self._s.profile

    @property
    def request(self) -> float:
        """A asked for now (102.3)."""
        return self._voice.request

    @property
    def discharge_limit(self) -> float:
        """A granted for discharge now (200.0), positive."""
        return self._voice.limit

    @property
    def can_discharge(self) -> bool:
        """Both sides of this session are V2H capable and the car has not withdrawn."""
        return self._s.v2h and not self._voice.withdrawn

    def press_stop(self) -> None:
        """The driver ends this session; takes effect at the next frame. Asleep: nothing."""
        self._s.stop_pressed = self._look = True

    # -- the machine

    def repeats(self, now: float, frame: Frame) -> bool:
        """Whether it may be spared this frame, which says nothing new. That it came is noted."""
        return self._ears.repeats(now, frame)

    def step(self, now: float, event: VehicleIn | None) -> Step[VehicleOut]:
        """Take a frame, a wire, the contactors' auxiliary contact or the pack's state; or a wake."""
        t = round(now * NS_PER_S)
        if event is not None:
            ears = self._ears
            if not (ears.hear(t, event, self._phase is P.RUNNING) if isinstance(event, Frame) else ears.take(t, event)):
                return self._idle or self._rest()
            self._look = True
        if self.wishes is not self._voice.wishes:
            self._grant()
        voice = self._voice
        if t >= voice.next_ns and voice.cycle_begins:
            self._look |= self._ears.listen(t)
        if self._look or t >= self._deadline:
            self._advance(t)
        if t >= voice.next_ns:
            frame = voice.say(t)
            if frame is not None:
                self._out.append(frame)
        self._idle = None
        if not self._out:
            return self._rest()
        out, self._out = tuple(self._out), []
        return Step(out, self._wake())

    def _wake(self) -> float | None:
        """s, when it wants to be looked at again."""
        due, deadline = self._voice.next_ns, self._deadline
        wake = due if due < deadline else deadline
        return None if wake == NOT_DUE else wake / NS_PER_S

    def _rest(self) -> Step[VehicleOut]:
        """Nothing to say; the same object until something happens."""
        idle: Step[VehicleOut] = Step((), self._wake())
        self._idle = idle
        return idle

    def _grant(self) -> None:
        """New wishes take effect."""
        self._voice.wishes = self._s.wishes = self.wishes
        self._voice.withdrawn |= self.wishes.discharge_withdrawn
        if self._voice.enabled:
            self._drive_k(not self.wishes.k_released)
        self._voice.touch()
        self._look = True

    # -- the phases

    def _advance(self, t: int) -> None:
        """Look at causes, then at the phase, until nothing changes any more."""
        self._look = False
        following: VehiclePhase | None = self._phase
        while following is not None:
            self._deadline = NOT_DUE
            cause = self._cause(t)
            following = self._do[self._phase](t) if cause is None else self._stop(cause.reason, cause.fault)
            if following is not None:
                self._enter(t, following)

    def _cause(self, t: int) -> Cause | None:
        s = self._s
        for index, cause in BY_PHASE[self._phase]:
            if not cause.holds(s):
                s.lasting.pop(index, None)
            elif cause.wait is None or self._past(t, s.lasting.setdefault(index, t), cause.wait(s)):
                return cause
        return None

    def _enter(self, t: int, phase: VehiclePhase) -> None:
        self._phase, self._since = phase, t
        self.trail.append((t / NS_PER_S, phase))
        self._marks.clear()
        self._voice.touch()

    def _past(self, t: int, since: int, seconds: float) -> bool:
        """Whether that much time has gone by; if not, be looked at again then."""
        due = since + to_ns(seconds)
        if t < due:
            self._deadline = min(self._deadline, due)
        return t >= due

    def _mark(self, t: int, name: str, holds: bool) -> int | None:
        """Since when `holds` is so in this phase; None when it is not."""
        if holds:
            return self._marks.setdefault(name, t)
        self._marks.pop(name, None)
        return None

    def _inlet_below(self, limit: Figure) -> bool:
        """As measured in this phase: what was seen before it began proves nothing."""
        s = self._s
        return s.pack is not None and s.pack_at >= self._since and s.pack.inlet_voltage <= limit.value

    def _delay(self, wish: float | None, figure: Figure) -> float:
        return self._voice.value(wish, figure)

    def _asleep(self, t: int) -> VehiclePhase | None:
        s = self._s
        if not (s.d1 and s.proximity):
            return None
        self.stop_reason, self.stop_detail = R.NONE, ""
        self.opened_under_load = self.welded = False
        self.trail.clear()
        s.stop_pressed = False
        return P.WAKING

    def _waking(self, t: int) -> VehiclePhase | None:
        s = self._s
        if not (s.d1 and s.proximity):
            return P.ASLEEP
        if not self._past(t, self._since, self._delay(self.wishes.wake, s.profile.wake)):
            return None
        self._ears.begin(t)
        self._voice.withdrawn = self.wishes.discharge_withdrawn
        self._voice.begin(t)
        return P.GREETING

    def _greeting(self, t: int) -> VehiclePhase | None:
        s = self._s
        if not self._past(t, self._since, self._delay(self.wishes.permission, s.profile.permission)):
            return None
        if s.pack is None:
            if self._past(t, self._since, s.profile.greeting_limit.value):
                return self._stop(R.NOT_READY, "system_fault")
            return None
        if s.status is None or s.capability is None:
            return None  # its silence ends the wait
        if misfit := incompatibility(s, s.status, s.capability):
            return self._stop(R.INCOMPATIBLE, None, misfit)
        s.v2h = s.status.discharge_compatible and not self._voice.withdrawn
        if s.v2h:
            self._ears.expect(t, 0x208)  # chademo.md 1 0x109 [CLARA]: with 109.4.0 the charger must send it
        self._voice.enabled = True
        self._drive_k(not self.wishes.k_released)
        return P.PERMITTED

    def _permitted(self, t: int) -> VehiclePhase | None:
        s = self._s
        if s.d2 and s.status is not None and s.status.locked:
            return P.CLOSING
        if self._past(t, self._since, s.profile.d2_limit.value):
            return self._stop(R.NO_D2, None)
        return None

    def _closing(self, t: int) -> VehiclePhase | None:
        s = self._s
        delay = self._delay(self.wishes.closing, s.profile.closing)
        if self.contactor_asked:
            if s.contactor_closed:
                return P.CLOSED
            if self._past(t, self._marks["asked"], s.profile.contactor_limit.value):
                return self._stop(R.CONTACTOR, "system_fault")
        elif self._past(t, self._since, delay):
            if self._inlet_below(s.profile.inlet_dead):
                self._marks["asked"] = t
                self._move_contactor(True)
                return self._closing(t)
            if self._past(t, self._since, max(s.profile.closing_limit.value, delay + s.profile.contactor_limit.value)):
                volts = "unknown" if s.pack is None else f"{s.pack.inlet_voltage:.1f} V"
                return self._stop(R.INLET_LIVE, None, f"inlet {volts}")
        return None

    def _closed(self, t: int) -> VehiclePhase | None:
        self._voice.contactor_open = False
        if not self._past(t, self._since, self._delay(self.wishes.request, self._s.profile.request)):
            return None
        self._asked_at = t
        return P.ASKING

    def _asking(self, t: int) -> VehiclePhase | None:
        s = self._s
        self._plan(t)
        if s.status is not None and s.status.running and not s.status.stopping:
            return P.RUNNING
        if self._past(t, self._since, s.profile.running_limit.value):
            return self._stop(R.NOT_RUNNING, "system_fault")
        return None

    def _running(self, t: int) -> VehiclePhase | None:
        self._plan(t)
        return None

    def _stopping(self, t: int) -> VehiclePhase | None:
        s, p = self._s, self._s.profile
        low = abs(s.current()) <= p.safe_current.value
        quiet = self._mark(t, "quiet", low and (s.status is None or not s.status.running))
        if not s.contactor_closed:
            return self._open()
        if quiet is not None and self._past(t, quiet, p.opening.value):
            return self._open()
        if self._past(t, self._since, p.stop_limit.value) and low:
            return self._open()
        if self._past(t, self._since, p.forced_opening.value):
            self.opened_under_load = not low
            return self._open()
        return None

    def _opening(self, t: int) -> VehiclePhase | None:
        s = self._s
        if not s.contactor_closed:
            return P.WELD_CHECK
        if self._past(t, self._since, s.profile.contactor_limit.value):
            return self._weld()
        return None

    def _weld_check(self, t: int) -> VehiclePhase | None:
        p = self._s.profile
        dead = self._mark(t, "dead", self._inlet_below(p.weld_free))
        if dead is not None and self._past(t, dead, p.weld_confirm.value):
            self._voice.contactor_open = True
            return P.ENDED
        if self._past(t, self._since, p.weld_limit.value):
            return self._weld()
        return None

    def _ended(self, t: int) -> VehiclePhase | None:
        s = self._s
        if s.proximity and (s.d1 or s.d2):
            return None
        self._voice.silence()
        return P.ASLEEP

    # -- what it does

    def _plan(self, t: int) -> None:
        """Where request and limit shall go. The request falls towards the end of charge as the pack fills."""
        s, v, p = self._s, self._voice, self._s.profile
        if s.pack is not None:
            left = p.charge_end_voltage.value - s.pack.voltage
            allowed = max(0.0, p.taper.value * left)
            s.full = allowed < p.full_current.value or (s.full and left < p.full_reset.value)
            wish = v.value(self.wishes.charge_current, p.charge_current)
            v.request_goal = 0.0 if s.full else min(wish, allowed)
        if s.v2h and self._past(t, self._asked_at, p.limit_after_request.value):
            v.limit_goal = v.value(self.wishes.discharge_limit, p.discharge_limit)

    def _stop(self, reason: StopReason, fault: Fault | None, detail: str = "") -> VehiclePhase:
        """The one way out of a session: everything at once, and then the contactors."""
        voice = self._voice
        wished = self.wishes.faults if reason is R.FAULT and fault is None else frozenset[Fault]()
        faults = wished if fault is None else frozenset({fault})
        self.stop_reason, self.stop_detail = reason, detail or ", ".join(sorted(faults))
        voice.faults = voice.faults | faults
        voice.stop_before = self._phase not in ASKING_PHASES
        voice.enabled = False
        voice.halt()
        self._drive_k(False)
        return P.STOPPING if self.contactor_asked else P.ENDED

    def _open(self) -> VehiclePhase:
        self._move_contactor(False)
        return P.OPENING

    def _weld(self) -> VehiclePhase:
        self.welded = True
        self._voice.faults = self._voice.faults | {"system_fault"}
        return P.ENDED

    def _drive_k(self, on: bool) -> None:
        if on != self.k:
            self.k = on
            self._out.append(WireChanged("k", on))

    def _move_contactor(self, closed: bool) -> None:
        self.contactor_asked = closed
        self._out.append(ContactorMoved(closed))
