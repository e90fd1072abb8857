"""What must be so once something has ended a session, whatever it was and wherever the session stood.

The time to 5 A, the order of current, d1, d2 and contactors, decay and unlocking are judged by the rules beside
every procedure (R-STOP-*, R-CUT-*, R-OPEN-*, R-DECAY-*, R-UNLOCK-*), each with limit and source. Here stands what no
rule can know: that the session is over because of this very thing, and stays over.
"""

from __future__ import annotations

import math

from fixtures.words import Bench, EventsLog
from rig.chademo.codec import ChargerStatus
from rig.chademo.events import Wire, WireChanged
from rig.chademo.session import FLOW
from rig.errors import DutViolation
from rig.roles import ChargerMode
from suites.chademo_protocol.stages import BEFORE_POWER, FLOWING, Stage, Walk

ANSWERS_WITHIN = 3.0
"""s from a stop signal to 109.5.0 = 0 (chademo.md 2 stop [CLARA]: the EV waits up to 2.5 s; a cycle for the signal to
be seen, one for the answer, and the rest is room). The 0.5 s to 5 A are judged by the rules."""
SILENT_FOR = 1.0
"""s more where the signal is a silence (chademo.md 2, CAN timeout [JLD][CLARA])."""
OVER_WITHIN = 20.0
"""s until lines are off and the plug is free: k within 8 s or no session, weld check within 10 s (chademo.md 2, T-times
[CLARA]), and 0.5 s from d2 to d1."""
REFUSED_WITHIN = 45.0
"""s from d1 to the end of a start that fails: k 8 s, d2 20 s, contactors 4 s, request 4 s, weld check and release
(chademo.md 2, C- and T-times)."""
WATCHED = 3.0
"""s a session that must go on is watched (project choice: three times the 1 s after which a silence would end it)."""
STAYS = 0.5
"""s more, in which nothing may begin anew (project choice: five cycles)."""


def over(walk: Walk, stage: Stage, since: float, silence: bool = False) -> list[str]:
    """Wait until a session is over that was to be ended at `since` (s). What was wrong, one sentence each."""
    bench, events = walk.bench, walk.events
    wrong = []
    if stage in FLOWING:
        patience = ANSWERS_WITHIN + (SILENT_FOR if silence else 0.0)
        if math.isinf(bench.clock.wait_until(lambda: _stopped(events, since), patience)):
            wrong.append(f"109.5.0 is still 1 {patience:g} s after it")
    if math.isinf(bench.clock.wait_until(lambda: free(bench), OVER_WITHIN)):
        on = [wire for wire, state in bench.vehicle.wires().items() if state and wire in ("d1", "d2", "lock")]
        wrong.append(f"{', '.join(on)} still on {OVER_WITHIN:g} s after it")
    wrong += again(walk)
    started = [at for at, one in events.messages(ChargerStatus) if one.running and at > since]
    if stage in BEFORE_POWER and started:
        wrong.append(f"power transfer began (109.5.0 = 1) {started[0] - since:.2f} s after it")
    elif stage not in FLOWING and started and started[-1] - since > ANSWERS_WITHIN:
        wrong.append(f"109.5.0 was 1 until {started[-1] - since:.2f} s after it")
    if stage in BEFORE_POWER and stage is not Stage.PRECHARGE:
        coil = events.change(WireChanged("d2", True), since)
        if coil.happened:
            wrong.append(f"d2 came {coil.at - since:.2f} s after it")
    return wrong


def again(walk: Walk) -> list[str]:
    """See that nothing begins anew once all is over. What was wrong, one sentence each."""
    since = walk.bench.clock.now()
    walk.bench.clock.sleep(STAYS)
    lines: tuple[Wire, ...] = ("d1", "d2", "lock")
    on = [wire for wire in lines if walk.events.change(WireChanged(wire, True), since).happened]
    return [f"{', '.join(on)} came on again"] if on else []


def free(bench: Bench) -> bool:
    """d1 and d2 off, the lock open."""
    wires = bench.vehicle.wires()
    return not (wires["d1"] or wires["d2"] or wires["lock"])


def _stopped(events: EventsLog, since: float) -> bool:
    return events.said(ChargerStatus, lambda m: not m.running and m.stopping, "109.5.0 = 0", since).happened


def refused(walk: Walk, since: float = 0.0) -> list[str]:
    """Wait until a start that must not lead to power has come to its end. What was wrong, one sentence each."""
    bench, events = walk.bench, walk.events
    wrong = []
    bench.clock.wait_until(lambda: events.change(WireChanged("d1", True), since).happened, OVER_WITHIN)
    if math.isinf(bench.clock.wait_until(lambda: free(bench) or running(events, since), REFUSED_WITHIN)):
        wrong.append(f"the charger still tries {REFUSED_WITHIN:g} s after the start")
    if running(events, since):
        wrong.append("power transfer began (109.5.0 = 1)")
        return wrong
    return [*wrong, *again(walk)]


def running(events: EventsLog, since: float) -> bool:
    """109.5.0 has been 1 since then."""
    return events.said(ChargerStatus, lambda m: m.running, "109.5.0 = 1", since).happened


def goes_on(walk: Walk, mode: ChargerMode, seconds: float = WATCHED) -> list[str]:
    """Watch a session that must go on. What was wrong, one sentence each."""
    bench, since = walk.bench, walk.bench.clock.now()
    wrong = []
    ended = bench.clock.wait_until(lambda: not walk.session.running, seconds)
    if not math.isinf(ended):
        wrong.append(f"power transfer ended (109.5.0 = 0) after {ended:.2f} s")
    elif (flow := flowing(walk)) != mode:
        wrong.append(f"{flow} where {mode} was asked for, {bench.clock.now() - since:.1f} s later")
    return wrong


def flowing(walk: Walk) -> ChargerMode:
    """Which way the current flows now, by the battery source's meter; standby below FLOW."""
    current = walk.bench.battery.reading().current
    return "charge" if current > FLOW else "discharge" if current < -FLOW else "standby"


def settled(walk: Walk) -> list[str]:
    """Press stop and see the session to its end. What was wrong, one sentence each."""
    since = walk.bench.clock.now()
    walk.bench.charger.stop()
    return over(walk, Stage.STOPPING, since)


def either(walk: Walk, since: float = 0.0) -> list[str]:
    """A start the facts neither demand nor forbid: it ends before power, or becomes a session that can be stopped."""
    bench, events = walk.bench, walk.events
    bench.clock.wait_until(lambda: events.change(WireChanged("d1", True), since).happened, OVER_WITHIN)
    done = lambda: free(bench) or running(events, since)  # noqa: E731
    if math.isinf(bench.clock.wait_until(done, REFUSED_WITHIN)):
        return [f"neither power nor an end {REFUSED_WITHIN:g} s after the start"]
    if not running(events, since):
        return again(walk)
    bench.clock.sleep(WATCHED)
    return settled(walk)


def blame(wrong: list[str], what: str, source: str) -> None:
    """DutViolation of what was wrong, with the sentence it stands on; nothing when nothing was."""
    if wrong:
        raise DutViolation(f"{what}: {'; '.join(wrong)} ({source})")
