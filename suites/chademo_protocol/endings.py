"""What must be so once something has ended a session, whatever it was and wherever the session stood.

The time to 5 A, the order of current, d1, d2 and contactors, decay and unlocking are judged by the rules beside
every procedure (R-STOP-*, R-CUT-*, R-OPEN-*, R-DECAY-*, R-UNLOCK-*), each with limit and source. Here stands what no
rule can know: that the session is over because of this very thing, and stays over.
"""

from __future__ import annotations

import math

from fixtures.words import Bench, EventsLog
from rig.chademo.codec import ChargerStatus
from rig.chademo.events import WireChanged
from suites.chademo_protocol.stages import BEFORE_POWER, FLOWING, Stage, Walk

ANSWERS_WITHIN = 3.0
"""s from a stop signal to 109.5.0 = 0 (chademo.md 2 stop [CLARA]: the EV waits up to 2.5 s; a cycle for the signal to
be seen, one for the answer, and the rest is room). The 0.5 s to 5 A are judged by the rules."""
SILENT_FOR = 1.0
"""s more where the signal is a silence (chademo.md 2, CAN timeout [JLD][CLARA])."""
OVER_WITHIN = 20.0
"""s until lines are off and the plug is free: k within 8 s or no session, weld check within 10 s (chademo.md 2, T-times
[CLARA]), and 0.5 s from d2 to d1."""
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
        on = [wire for wire in ("d1", "d2", "lock") if bench.vehicle.wires().get(wire, False)]  # type: ignore[call-overload]
        wrong.append(f"{', '.join(on)} still on {OVER_WITHIN:g} s after it")
    bench.clock.sleep(STAYS)
    if not free(bench):
        wrong.append("d1, d2 or the lock came on again")
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


def free(bench: Bench) -> bool:
    """d1 and d2 off, the lock open."""
    wires = bench.vehicle.wires()
    return not (wires["d1"] or wires["d2"] or wires["lock"])


def _stopped(events: EventsLog, since: float) -> bool:
    return events.said(ChargerStatus, lambda m: not m.running and m.stopping, "109.5.0 = 0", since).happened
