"""Power flows, pauses, or feeds the house alone (chademo.md 2 step 10, 3)."""

from __future__ import annotations

import math

from instruments.evps.core import Core
from instruments.evps.events import MeasureInsulation, Supply
from instruments.evps.managing import look_at_mains, reversing
from instruments.evps.power import Wanted
from instruments.evps.stops import Ending, Phase
from rig.plant.ports import StageCommand, StageMode

P = Phase
ENTERING = 1.0
"""s between two steps of the ramp with which it comes back to the mains (project choice)."""


def running(c: Core, t: float) -> Phase | None:
    s, b = c.s, c.b
    _count_charging(c, t)
    _lower(c, t)
    if _rested(c, t):
        return c.stop("rest", Ending.NORMAL)
    c.inhibits.look(s)
    if b.inhibit_ends and c.inhibits.set:
        return c.stop("inhibited", Ending.NORMAL)
    if c.inhibits.set.get("charging_time") and not s.v2h:
        return c.stop("charging_time", Ending.NORMAL)
    look_at_mains(c, t)
    charges = s.supply is Supply.GRID and s.direction == "charge" and not c.inhibits.forbids("charge")
    if s.v2h:  # chademo.md 1 108.3: without V2H it stays as it was
        c.voice.offer = c.power.offer(s) if charges else 0.0
    if s.supply is Supply.GRID:
        c.power.measure(s)
        wanted = Wanted(0.0, at_once=True) if reversing(c, t) else c.power.wanted(s, c.inhibits)
        c.stage = c.power.steer(t, s, wanted)
        c.deadline = min(c.deadline, c.power.look_at)
        if s.direction == "discharge" and c.power.entering(s) < 1.0:
            c.past(t, t, ENTERING)
    elif s.supply is Supply.ISLAND and _may_discharge(c):
        c.power.begin()
        c.stage = _forming(c)
        _watch_load(c, t)
    else:
        c.power.begin()
        c.stage = StageCommand(StageMode.OFF, contactor=True)
    if s.i < 0.0 and s.u < s.lowest_voltage + b.voltage_margin + b.voltage_near:
        c.soon(t)
    if s.i > 0.0 and s.u > s.threshold - b.voltage_near:
        c.soon(t)
    if c.past(t, c.marks.get("insulation", c.since), b.insulation_period):
        c.marks["insulation"] = t
        c.out.append(MeasureInsulation())
        c.past(t, t, b.insulation_period)
    return None


def _forming(c: Core) -> StageCommand:
    limit = c.power.forming_limit(c.s)
    return StageCommand(StageMode.FORM, i_discharge_max=limit, contactor=True, sync=c.b.synchronises)


def _count_charging(c: Core, t: float) -> None:
    """s charged, for 101's limit."""
    last = c.marks.get("counted", t)
    if c.s.i > c.b.open_current:
        c.s.charged_for += t - last
    c.marks["counted"] = t


def _rested(c: Core, t: float) -> bool:
    """Without current for as long as it bears."""
    if math.isinf(c.b.rest_limit):
        return False
    if abs(c.s.i) > c.b.open_current:
        c.marks.pop("rest", None)
        return False
    return c.past(t, c.mark(t, "rest"), c.b.rest_limit)


def _lower(c: Core, t: float) -> None:
    """A lowered limit, or a set-point, that takes effect late."""
    s = c.s
    if s.power_due is not None and c.past(t, s.power_due[0], 0.0):
        s.power, s.power_due = s.power_due[1], None
    if s.lowering is not None and c.past(t, s.lowering[0], 0.0):
        s.granted, s.lowering = s.lowering[1], None


def _watch_load(c: Core, t: float) -> None:
    """Overload of a formed house."""
    s, b = c.s, c.b
    starved = min(s.reading.u_house[: b.legs]) < b.starved * b.u_nominal
    for index, (fraction, seconds) in enumerate(b.overloads):
        name = f"overload {index}"
        over = s.reading.p_ac >= fraction * b.power or (index == 0 and starved)
        if not over:
            c.marks.pop(name, None)
        elif c.past(t, c.mark(t, name), seconds):
            s.overloaded = c.look = True


def _may_discharge(c: Core) -> bool:
    return c.s.v2h and not c.inhibits.forbids("discharge") and c.s.discharge_limit > 0.0


def could_form(c: Core) -> bool:
    return c.phase is P.RUNNING and c.s.reading.alive and _may_discharge(c)
