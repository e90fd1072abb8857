"""The way out: current, flags, contactors, welding test, lines, lock (chademo.md 2, stop and weld check)."""

from __future__ import annotations

import math
from dataclasses import replace

from instruments.evps.core import BLEED, BLOCKED, Core
from instruments.evps.events import Supply
from instruments.evps.power import Wanted
from instruments.evps.stops import Ending, Phase
from rig.plant.ports import StageCommand, StageMode

P = Phase
HELD = StageCommand(StageMode.OFF, contactor=True)
"""Neither discharged nor parted from the cable."""


def off(c: Core, _: float) -> Phase | None:
    if not c.s.reading.alive:
        return None
    return P.RELEASING if c.wires["lock"] else P.IDLE


def stopping(c: Core, t: float) -> Phase | None:
    """Current to 0, and 109.5.0 with it; then the own contactor."""
    s, b = c.s, c.b
    slow = c.past(t, c.since, b.stop_limit)
    blocked = c.ending is not Ending.NORMAL or slow or not c.told.contactor
    if blocked and c.ending is not Ending.BLACKOUT:
        c.stage = replace(c.stage, mode=StageMode.OFF, i_ref=0.0)
    elif c.told.mode is StageMode.FORM or s.supply is not Supply.GRID:
        c.stage = StageCommand(StageMode.CURRENT, contactor=True)
    else:
        c.stage = c.power.steer(t, s, Wanted(0.0))
        c.deadline = min(c.deadline, c.power.look_at)
    if 0.0 < abs(s.i) <= b.release_current:
        c.drive("d2", False)
    if abs(s.i) > b.open_current:
        c.marks.pop("still", None)
        c.soon(t)
        return None
    if not c.past(t, c.mark(t, "still"), b.still):
        return None
    c.voice.running = False
    return P.OPENING


def opening(c: Core, t: float) -> Phase | None:
    """Own contactor open, then wait for the car's."""
    s, b = c.s, c.b
    if not c.past(t, c.since, b.contactor_move):
        c.stage = replace(c.stage, contactor=not b.bleeds)
        return None
    c.stage = BLEED if b.bleeds else HELD
    # chademo.md 1 109.5.5: it is 1 before power transfer as well, so a car that still permits sees no stop but in d2
    untold = not c.ran and s.permitted
    if c.ending in (Ending.MALFUNCTION, Ending.BLACKOUT) or c.ended_by == "silence" or not s.proximity or untold:
        # the car shall have heard of 0 A and 109.5.0 = 0 before its coils lose their supply
        return P.RELEASING if c.past(t, c.since, b.contactor_move + b.cycle) else None
    status = s.status
    if status is not None and status.protocol < 2:
        return P.RELEASING if c.past(t, c.since, b.weld_wait_old) else None
    if (status is not None and status.contactor_open) or not b.awaits_weld_check:
        return P.RELEASING
    if c.past(t, c.since, b.weld_limit):
        c.latch("vehicle_contactor", Ending.ERROR)
        return P.RELEASING
    return None


def releasing(c: Core, t: float) -> Phase | None:
    """d2, later d1, and the lock once the output is dead."""
    s, b = c.s, c.b
    c.stage = BLEED if b.bleeds else HELD
    c.drive("d2", False)
    if not c.past(t, c.since, b.d1_after_d2):
        return None
    c.drive("d1", False)
    if max(s.u, s.reading.u_node) <= b.bled or b.unlocks_live:
        c.voice.locked = False
        if c.past(t, c.mark(t, "dead"), b.unlock_delay):
            c.drive("lock", False)
            return P.ENDED
        return None
    if c.past(t, c.since, b.release_limit):
        c.latch("output_alive", Ending.MALFUNCTION)
        return P.ENDED
    c.soon(t)
    return None


def ended(c: Core, t: float) -> Phase | None:
    if c.b.relocks > 0.0 and c.past(t, c.since, c.b.relocks):
        c.drive("lock", True)
    if not c.past(t, c.since, c.b.last_frames):
        return None
    c.drive("lock", c.wires["lock"] and not c.b.relocks)
    c.end_session()
    c.stage = BLOCKED
    if c.fault:
        return P.FAULT
    c.voice.clear()
    return P.IDLE


def faulted(c: Core, t: float) -> Phase | None:
    if c.fault and not math.isinf(c.b.fault_fades) and c.past(t, c.since, c.b.fault_fades):
        c.fault, c.s.emergency = "", False
        c.voice.clear()
    if c.fault:
        return None
    return P.RELEASING if c.wires["lock"] else P.IDLE
