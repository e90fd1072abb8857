"""The way into a session: from the pressed button to the first ampere (chademo.md 2, steps 1 to 9)."""

from __future__ import annotations

from dataclasses import replace

from instruments.evps.core import BLEED, BLOCKED, Core
from instruments.evps.events import MeasureInsulation
from instruments.evps.inhibits import Inhibits
from instruments.evps.stops import Ending, Phase
from rig.plant.ports import StageCommand, StageMode

P = Phase


def idling(c: Core, _: float) -> Phase | None:
    s = c.s
    if s.emergency:
        c.latch("emergency_stop", Ending.MALFUNCTION)
        return P.FAULT
    s.stop_pressed = False
    wanted, plugged = c.wanted or not c.b.needs_start, s.proximity or not (c.b.needs_plug or not c.wanted)
    if not (wanted and plugged):
        return None
    c.wanted = False
    c.end_session()
    c.inhibits = Inhibits()
    c.ended_by = ""
    c.ending = Ending.NORMAL
    c.drive("d1", True)
    return P.CALLING


def calling(c: Core, t: float) -> Phase | None:
    s, b = c.s, c.b
    status = s.status
    if status is not None and status.target_voltage > b.dc_voltage and b.checks_target:
        c.voice.incompatible = True
        return c.stop("battery_incompatible", Ending.ERROR)
    if status is not None and b.serves not in (None, status.protocol):
        return c.stop("protocol", Ending.NORMAL)
    if status is not None and status.enabled and not (s.k or "k" in b.ignored):
        if c.past(t, c.mark(t, "inconsistent"), b.inconsistent_limit):
            return c.stop("permission_inconsistent", Ending.NORMAL)
    else:
        c.marks.pop("inconsistent", None)
    if s.permitted and s.limits is not None and status is not None:
        s.v2h = status.discharge_compatible or not b.checks_v2h
        if s.mode == "discharge" and not s.v2h:
            return c.stop("no_discharge", Ending.NORMAL)
        return P.LOCKING
    if c.past(t, c.since, b.permission_limit):
        return c.stop("no_permission", Ending.NORMAL)
    return None


def locking(c: Core, t: float) -> Phase | None:
    if not c.past(t, c.since, c.b.lock_delay):
        return None
    c.drive("lock", c.b.locks)
    c.voice.locked = True
    return P.CHECKING


def checking(c: Core, t: float) -> Phase | None:
    """The output must be dead before anything is put on it, and the car has been told of the lock (109.5.2)."""
    s, b = c.s, c.b
    c.stage = BLEED
    if not c.past(t, c.since, b.cycle):
        return None
    if s.u < b.dead_before and s.reading.u_node < b.dead_before:
        return P.TESTING if b.insulation_test else P.BLEEDING
    if c.past(t, c.since, b.test_limit):
        return c.stop("output_alive", Ending.MALFUNCTION)
    c.soon(t)
    return None


def testing(c: Core, t: float) -> Phase | None:
    s, b = c.s, c.b
    c.stage = StageCommand(StageMode.VOLTAGE, u_ref=b.test_voltage, contactor=True)
    if s.u >= 0.98 * b.test_voltage and c.past(t, c.mark(t, "held"), b.test_hold):
        if s.insulation is None:
            c.out.append(MeasureInsulation())
        elif s.insulation < b.insulation_per_volt * b.dc_voltage:
            return c.stop("insulation", Ending.MALFUNCTION)
        else:
            return P.BLEEDING
    if c.past(t, c.since, b.test_limit):
        return c.stop("no_test_voltage", Ending.MALFUNCTION)
    c.soon(t)
    return None


def bleeding(c: Core, t: float) -> Phase | None:
    s, b = c.s, c.b
    if s.u <= b.bled and c.past(t, c.since, b.contactor_move):
        c.stage = BLEED
        if c.past(t, c.mark(t, "bled"), b.contactor_move):
            c.drive("d2", True)
            return P.COUPLING
        return None
    c.stage = StageCommand(StageMode.OFF, contactor=b.insulation_test, bleed=True)
    if c.past(t, c.since, b.test_limit):
        return c.stop("output_alive", Ending.MALFUNCTION)
    c.soon(t)
    return None


def coupling(c: Core, t: float) -> Phase | None:
    s, b = c.s, c.b
    c.stage = BLOCKED
    if s.status is not None and not s.status.contactor_open and (s.u > b.dc_voltage_min or b.trusts_flag):
        c.coupled_at = t
        return P.MATCHING
    if c.past(t, c.since, b.contactor_limit):
        return c.stop("no_vehicle_contactor", Ending.NORMAL)
    return None


def matching(c: Core, t: float) -> Phase | None:
    """Bring the own side to the battery's voltage, then close onto it."""
    s, b = c.s, c.b
    closing = "closing" in c.marks
    if not closing:
        if abs(c.stage.u_ref - s.u) > 1.0:
            c.stage = StageCommand(StageMode.VOLTAGE, u_ref=s.u)
        if abs(s.reading.u_node - s.u) <= b.match:
            c.mark(t, "closing")
            c.stage = replace(c.stage, contactor=True)
    if "closing" in c.marks and c.past(t, c.marks["closing"], b.contactor_move):
        c.stage = StageCommand(StageMode.CURRENT, contactor=True)
        return P.READY
    if c.past(t, c.coupled_at, b.request_limit):
        return c.stop("no_match", Ending.MALFUNCTION)
    c.soon(t)
    return None


def ready(c: Core, t: float) -> Phase | None:
    s = c.s
    if not s.v2h:  # chademo.md 1 108.3: without V2H it stands while power flows, so it must be true before
        c.voice.offer = c.power.offer(s)
    wished = s.asked or (s.v2h and s.granted > 0.0) or not c.b.awaits_request
    if wished and c.past(t, c.mark(t, "asked"), c.b.start_late):
        c.voice.running, c.voice.stopping, c.ran = True, False, True
        return P.RUNNING
    if c.past(t, c.coupled_at, c.b.request_limit):
        return c.stop("no_request", Ending.NORMAL)
    return None
