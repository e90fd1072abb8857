"""One side of a recorded session as a script for somebody who plays it: its frames, and what they waited for.

Theory
  A recording is open loop: each frame stands at a time, whatever the other side does. What can be taken from it is when
  the other side did something that this side may have waited for (its milestones). Whoever plays the script does not
  pass such a moment before the living other side has done the same; from there on the recorded times hold again.

  Lines are not in a recording. Those of the vehicle follow from its frames: k with 102.5.0, the contactors just before
  102.5.3. Those of the charger are put where they must have been: d1 before the vehicle's first frame, d2 before the
  contactors, both off behind the unlock. What the charger's operator did shows in its frames as well.

  Of several sessions in a recording the first is played.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal

from rig.can.frame import Frame
from rig.chademo.events import ContactorMoved, WireChanged
from rig.chademo.messages import SPECS, Side
from rig.chademo.session import FLOW, Phase, Session
from rig.errors import TraceError
from rig.trace.judge import SessionReport, TraceReport, judge_trace

BEFORE_FLAG = 0.04
"""s from closing the contactors to 102.5.3 = 0: their own time, and no frame of the charger that already shows the
battery (project choice)."""
D2_GATE = 0.1
"""s before 102.5.3 = 0 at which d1 and d2 must be on (project choice: a cycle)."""
BEFORE_SHOWN = 0.15
"""s from what an operator presses to the frame that shows it: a cycle and a half (project choice)."""
D2_BEFORE = 1.1
"""s from d2 to 102.5.3 = 0: 1 s, what a car takes (chademo.md 2 step 7 [CLARA]: 1-2 s), and a cycle."""
D2_AFTER_UNLOCK, D1_AFTER_D2 = 0.2, 0.5
"""s: d2 goes off behind the unlock (project choice), d1 0.5 s later (chademo.md 2 stop)."""
FULL_RATE = 100.0
"""Charged rate of a full pack (100.6 once it is final, chademo.md 1)."""

Mode = Literal["charge", "discharge", "standby"]


@dataclass(frozen=True, slots=True)
class Press:
    """What the charger's operator did: a mode, or stop. power: W he had asked for, None where nothing tells."""

    what: Mode | Literal["stop"]
    power: float | None = None


Event = Frame | WireChanged | ContactorMoved | Press


@dataclass(frozen=True, slots=True)
class Milestone:
    """Something a side does once in a session. holds: whether it has been done, by what both have shown so far."""

    name: str
    holds: Callable[[Session], bool]


@dataclass(frozen=True, slots=True)
class Gate:
    """at: s of the recording, when the other side did it. timed: its time is told of the recording, not put there."""

    at: float
    milestone: Milestone
    timed: bool = True


MILESTONES: dict[Side, tuple[Milestone, ...]] = {
    "vehicle": (
        Milestone("vehicle speaks", lambda s: s.status is not None),
        Milestone("vehicle enabled (102.5.0)", lambda s: s.enabled),
        Milestone("contactors closed (102.5.3)", lambda s: s.flag_closed is True),
        Milestone("current requested (102.3)", lambda s: s.requested),
        Milestone("vehicle stops", lambda s: s.ran and s.vehicle_stops),
        Milestone("contactors open (102.5.3)", lambda s: s.ran and not s.running and s.flag_closed is False),
    ),
    "charger": (
        Milestone("charger speaks", lambda s: s.charger is not None),
        Milestone("connector locked (109.5.2)", lambda s: s.charger is not None and s.charger.locked),
        Milestone("insulation test", lambda s: Phase.INSULATION in s.entered),
        Milestone("output discharged", lambda s: Phase.TESTED in s.entered),
        Milestone("power transfer (109.5.0)", lambda s: s.running),
        Milestone("charger stops (109.5.5)", lambda s: s.ran and s.charger is not None and s.charger.stopping),
        Milestone("power transfer over (109.5.0)", lambda s: s.ran and not s.running),
        Milestone("connector unlocked", lambda s: s.ran and s.charger is not None and not s.charger.locked),
    ),
}
"""What the other side may wait for, by whose it is, in the order of a session."""
FED = Milestone("d1 and d2 on", lambda s: s.wires.get("d1") is True and s.wires.get("d2") is True)


@dataclass(frozen=True, slots=True)
class Script:
    """side: whose. events: (s, what it does) from its first frame on, in order. gates: in order. recorded: the session
    as it was. voltage: V of the battery at no current, None where the recording does not show it. soc: 0..1."""

    side: Side
    events: tuple[tuple[float, Event], ...]
    gates: tuple[Gate, ...]
    recorded: SessionReport
    voltage: float | None
    soc: float | None

    @property
    def other(self) -> Side:
        """The side that is alive."""
        return "charger" if self.side == "vehicle" else "vehicle"


class _Seen:
    """What is taken from a session while it goes by."""

    def __init__(self, side: Side) -> None:
        self._milestones = MILESTONES["charger" if side == "vehicle" else "vehicle"]
        self.gates: dict[str, Gate] = {}
        self.enabled: list[tuple[float, bool]] = []
        self.presses: list[tuple[float, Press]] = []
        self.closed: float | None = None
        self.unlocked: float | None = None
        self.voltage: float | None = None
        self.discharged = 0.0
        """W, highest by 208.0 and 109.1-2."""
        self._number: int | None = None
        self._mode: Mode = "standby"

    def see(self, now: float, s: Session) -> None:
        """The session is so now."""
        if self._number is None:
            self._number = s.number
        if s.number != self._number:
            return
        for milestone in self._milestones:
            if milestone.name not in self.gates and milestone.holds(s):
                self.gates[milestone.name] = Gate(now, milestone)
        if s.status is not None and s.enabled != (self.enabled[-1][1] if self.enabled else False):
            self.enabled.append((now, s.enabled))
        if self.closed is None and s.flag_closed is True:
            self.closed = now
        if s.ran and self.unlocked is None and s.charger is not None and not s.charger.locked:
            self.unlocked = now
        if self.voltage is None and s.running and s.charger is not None and s.reported_current == 0:
            self.voltage = s.charger.output_voltage
        self._operator(now, s)

        if s.running and s.charger is not None and (s.reported_current or 0.0) < 0:
            self.discharged = max(self.discharged, -(s.reported_current or 0.0) * s.charger.output_voltage)

    def _operator(self, now: float, s: Session) -> None:
        if s.running and s.capability is not None and s.current is not None:
            offered = s.capability.available_current > 0
            mode: Mode = "discharge" if s.current < -FLOW else "charge" if offered else "standby"
            if mode != self._mode:
                self.presses.append((now, Press(mode)))
                self._mode = mode
        stopped = any(press.what == "stop" for _, press in self.presses)
        if s.ran and not stopped and s.charger is not None and s.charger.stopping and not s.vehicle_stops:
            self.presses.append((now, Press("stop")))


def read_script(frames: Iterable[tuple[float, Frame | None]], side: Side) -> Script:
    """The script of a side's part in the first session of a recording. TraceError: there is none in it."""
    kept = [(at, frame) for at, frame in frames if frame is not None]
    seen = _Seen(side)
    report = judge_trace(kept, watch=seen.see)
    if not report.sessions:
        raise TraceError("the recording shows no CHAdeMO session; nothing can be played")
    end = report.sessions[1].phases[0].start if len(report.sessions) > 1 else report.span + 1.0
    own = [(at, frame) for at, frame in kept if at < end and frame.id in SPECS and SPECS[frame.id].sender == side]
    if not own:
        raise TraceError(f"the recording has no frame of the {side}; nothing can be played")
    return _script(side, own, report, seen)


def _script(side: Side, own: list[tuple[float, Frame]], report: TraceReport, seen: _Seen) -> Script:
    recorded = report.sessions[0]
    events: list[tuple[float, Event]] = [*own]
    gates = list(seen.gates.values())
    last = own[-1][0]
    if side == "charger":
        off = (last if seen.unlocked is None else seen.unlocked) + D2_AFTER_UNLOCK
        if seen.closed is not None:
            events += [(seen.closed - D2_BEFORE, WireChanged("d2", True)), (off, WireChanged("d2", False))]
        events.append((off + D1_AFTER_D2, WireChanged("d1", False)))
    else:
        events += [(at, WireChanged("k", on)) for at, on in seen.enabled]
        for at, press in seen.presses:
            asked = replace(press, power=seen.discharged) if press.what == "discharge" else press
            events.append((at - BEFORE_SHOWN, asked))
        if seen.closed is not None:
            events.append((seen.closed - BEFORE_FLAG, ContactorMoved(True)))
            gates.append(Gate(seen.closed - D2_GATE, FED, timed=False))
    rate = recorded.fact("charged_rate")
    return Script(
        side,
        tuple(sorted(events, key=lambda pair: pair[0])),
        tuple(sorted(gates, key=lambda gate: gate.at)),
        recorded,
        seen.voltage,
        None if rate is None else min(float(rate) / FULL_RATE, 1.0),
    )
