"""Charging current against the vehicle's request (CHA-001, CHA-003, CHA-014, CHA-015), and both limits when the
direction changes (CHA-014, CHA-016).

Set-up  EVPS in session beside the mains, pack pulled to 280 V or left at 380 V, rated AC power allowed.
Signs   Current positive into the battery.
Method  Steady values by the power analyzer, changes by the battery source's meter every 20 ms, requests by frame.
"""

from dataclasses import replace

import pytest

from rig.chademo.codec import VehicleStatus
from rig.metrology.series import mean, slope, time_to, worst_difference
from rig.pictures import ramp_picture
from suites.discharge_limits.limits import LOW_PACK, SETTLES, excess, excess_over_request, pull

pytestmark = pytest.mark.needs("chademo", "analyzer")

PACKS = {"280V": LOW_PACK, "pack": None}
"""Pack voltage, V; None: its own."""
REQUESTS = (2.0, 5.0, 8.0, 12.0)
"""A, within what 6 kW give at any pack voltage (CHA-001: 0 to the most)."""
STEADY = 1.2
"""s of readings for a mean of a second (CHA-001: 1-s mean after settling): whole updates of the analyzer."""
MOVES = 1.0
"""A that count as an answer (project choice: one count of the request)."""
AT_ONCE = 1000.0
"""A/s: the request jumps from one frame to the next."""
LIMITED_TO = 3000.0
"""W the charger is limited to, half its power (project choice)."""


@pytest.mark.verifies("CHA-001", "CHA-014")
@pytest.mark.parametrize("pack", PACKS)
def test_delivered_current_is_what_was_asked(bench, evps, check, worst, record, picture, pack):
    """The charging current is what the car asks for, and never far above it.

    Step the request up and down; at each step the mean over a second after settling, and the worst moment of all.
    """
    evps.in_session("charge", charge_current=REQUESTS[0])
    pull(bench, PACKS[pack])
    errors = []
    with record(f"requests, {pack}", fast=True) as r:
        settled = []
        for request in (*REQUESTS, *reversed(REQUESTS[:-1])):
            bench.car.set_charge_current(request)
            bench.clock.sleep(SETTLES + STEADY)
            settled.append(bench.clock.now())

    for end in settled:
        window = (end - STEADY, end)
        asked = r["asked_current"]
        delivered = mean(r["dc_i"], "current_error", *window)
        errors.append(delivered.less(float(asked.y[asked.t <= end][-1])))
    worst("CHA-001", errors)
    check("CHA-014", excess_over_request(r))
    picture(ramp_picture(f"requests {pack}", "Requests up and down", r.done, requirements=("CHA-001", "CHA-014")))


@pytest.mark.verifies("CHA-003")
@pytest.mark.parametrize("pack", PACKS)
def test_rise_of_the_current(bench, evps, events, check, record, picture, pack):
    """The current answers a request at once and rises as fast as a car may ask.

    Step the request from 0 to 12 A within one frame. Slope from 10 % to 90 %, and the time from the frame to the first
    ampere.
    """
    evps.in_session("charge", charge_current=REQUESTS[0])
    bench.car.wishes = replace(bench.car.wishes, ramp=AT_ONCE, charge_current=0.0)
    pull(bench, PACKS[pack])
    bench.clock.sleep(SETTLES)
    with record(f"rise, {pack}", fast=True) as r:
        bench.clock.sleep(1.0)
        told = bench.clock.now()
        bench.car.set_charge_current(12.0)
        bench.clock.sleep(SETTLES)

    asked = events.said(VehicleStatus, lambda m: m.current_request > 0, "102.3 > 0", told)
    current = r["source_i"]
    check("CHA-003", slope(current, "current_rise", asked.at))
    check("CHA-003", time_to(current, MOVES, "response_delay", asked.at, falling=False, since_u=asked.u))
    picture(ramp_picture(f"rise {pack}", "Request from 0 to 12 A", r.done, requirements=("CHA-003",)))


@pytest.mark.verifies("CHA-015")
@pytest.mark.parametrize("power", [6000.0, LIMITED_TO], ids="{:.0f}W".format)
def test_undersupply(bench, evps, check, record, power):
    """Where the charger cannot give what the car would take, the car is told, and the gap stays small.

    Ask for as much as the car takes while the charger's power is limited. After settling compare request (which 108.3
    has capped by then) and current.
    """
    evps.in_session("charge")
    bench.charger.set_power(min(power, evps.ratings.power))
    bench.clock.sleep(SETTLES)
    with record(f"undersupply {power:g} W") as r:
        bench.clock.sleep(5.0)

    asked = r["asked_current"]
    check("CHA-015", worst_difference(r["dc_i"], asked, "under_supply", digit=1.0))


@pytest.mark.verifies("CHA-014", "CHA-016")
@pytest.mark.needs("grid_parallel")
def test_direction_changes_keep_both_limits(bench, evps, check, record, picture):
    """Request and discharge limit hold through changes of direction.

    Request 8 A, limit 10 A; charge, discharge and stand by in turn, each for a few seconds, without a new session.
    """
    evps.in_session("standby", charge_current=8.0, discharge_limit=10.0)
    with record("reversals", fast=True) as r:
        for mode in ("charge", "discharge", "charge", "standby", "discharge", "charge", "discharge"):
            bench.charger.set_mode(mode)
            bench.clock.sleep(SETTLES)

    check("CHA-016", excess(r))
    check("CHA-014", excess_over_request(r))
    picture(ramp_picture("reversals", "Charge and discharge in turn", r.done, requirements=("CHA-014", "CHA-016")))
