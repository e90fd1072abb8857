"""Timing of a session's start (CHA-007, CHA-008, CHA-009, CHA-010), and what the charger does when the car is late.

Set-up  EVPS and car unplugged; the car's delays are set, the plug goes in, start is pressed in standby.
Signs   Times in s, between stamped wires, contacts and frames.
Method  Each delay once just within its bound: there must be a session; once just beyond: there must be none. The delay
        that really came about is on record beside the verdict.
"""

from dataclasses import replace

import pytest

from rig.chademo.codec import ChargerStatus, VehicleStatus
from rig.chademo.events import ContactorMoved, WireChanged
from rig.chademo.vehicle_state import VehiclePhase
from rig.metrology.timing import count
from suites.battery_protection.drawings import course
from suites.battery_protection.flow import DIRECTIONS

pytestmark = pytest.mark.needs("chademo")

WAKES = 0.5
"""s from d1 to the car's first frame (chademo.md 2: not in the recordings; project choice, as the car's profile)."""
COMES = 45.0
"""s within which a session has come or never will (chademo.md 2: 8 + 20 + 4 + 4 s, and room)."""
LATE = [pytest.param(False, id="in-time"), pytest.param(True, id="late")]


def start(bench, **delays):
    """Plug in with these delays and press start. Whether a session came."""
    bench.car.wishes = replace(bench.car.wishes, **delays)
    bench.car.plug_in(0.5)
    bench.charger.start("standby")
    return bench.car.wait_for(VehiclePhase.RUNNING, COMES) < COMES


def outcome(came, late, source):
    """1 where the session came although the car was late, or did not although it was not."""
    return count("wrong_outcomes", int(came == late), source)


@pytest.mark.verifies("CHA-008", "CHA-010")
@pytest.mark.parametrize("mode", DIRECTIONS)
def test_start_sequence_in_time(bench, evps, events, check, record, picture, mode):
    """The charger's own times in a start: k to d2, and the first request to 109.5.0.

    Start a session with the car's usual delays. From k and 102.5.0 (the later) to d2, lock and insulation test
    included; from the first request 102.3 to 109.5.0 = 1.
    """
    with record("start", fast=True) as r:
        evps.in_session(mode)
        bench.clock.sleep(3.0)

    permitted = max(
        events.change(WireChanged("k", True)),
        events.said(VehicleStatus, lambda m: m.enabled, "102.5.0 = 1"),
        key=lambda one: one.at,
    )
    check("CHA-008", permitted.until(events.change(WireChanged("d2", True)), "k_to_d2"))
    asked = events.said(VehicleStatus, lambda m: m.current_request > 0, "102.3 > 0")
    running = events.said(ChargerStatus, lambda m: m.running and not m.stopping, "109.5.0 = 1, 109.5.5 = 0")
    check("CHA-010", asked.until(running, "charging_flag_delay"))
    title = f"Start of a {mode}: lock, insulation test, contactors, first request"
    picture(course(f"start {mode}", title, r.done, events, ("CHA-008", "CHA-010")))


@pytest.mark.verifies("CHA-007")
@pytest.mark.parametrize("late", LATE)
def test_permission_after_d1(bench, events, check, run, late):
    """k and ready 7.5 s after d1: a session; 8.5 s after it: none.

    Set the car's permission delay so that k comes 7.5 or 8.5 s after d1.
    """
    came = start(bench, wake=WAKES, permission=(8.5 if late else 7.5) - WAKES)

    run.note(events.change(WireChanged("d1", True)).until(events.change(WireChanged("k", True)), "d1_to_k"))
    check("CHA-007", outcome(came, late, "d1 to k"))


@pytest.mark.verifies("CHA-009")
@pytest.mark.parametrize("late", LATE)
def test_contactors_after_d2(bench, events, check, run, late):
    """The vehicle contactors 3.5 s after d2: a session; 4.5 s after it: none.

    Set the car's closing delay to 3.5 or 4.5 s.
    """
    came = start(bench, closing=4.5 if late else 3.5)

    d2 = events.change(WireChanged("d2", True))
    run.note(d2.until(events.change(ContactorMoved(True)), "d2_to_contactors"))
    check("CHA-009", outcome(came, late, "d2 to contactors"))


@pytest.mark.verifies("CHA-010")
@pytest.mark.parametrize("late", LATE)
def test_request_after_contactors(bench, events, check, run, late):
    """The first request 3.5 s after the contactors: a session; 4.5 s after them: none.

    Set the car's request delay to 3.5 or 4.5 s.
    """
    came = start(bench, request=4.5 if late else 3.5)

    closed = events.change(ContactorMoved(True))
    asked = events.said(VehicleStatus, lambda m: m.current_request > 0, "102.3 > 0")
    run.note(closed.until(asked, "contactors_to_request"))
    check("CHA-010", outcome(came, late, "contactors to request"))
