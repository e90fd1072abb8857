"""Discharge current against the vehicle's limit (CHA-016).

Set-up  EVPS in session, pack pulled to 280 V. Beside the mains: rated power asked for. Island: 120 % of rated power
        drawn by the house, so that the voltage has to give way; the current may not.
Signs   Limits and discharge currents positive.
Method  Current by the battery source's meter every 20 ms against what 0x200 byte 0 said; a falling limit may be
        followed with 20 A/s after 0.2 s (limits.py). The worst moment is judged.
"""

from dataclasses import replace
from itertools import pairwise

import pytest

from rig.chademo.codec import VehicleStatus
from rig.metrology.series import mean
from rig.pictures import ramp_picture
from suites.discharge_limits.limits import SIDES, discharging, excess, limit_of, withdrawn

pytestmark = pytest.mark.needs("chademo")

LIMITS = (5.0, 10.0, 15.0, 20.0, 25.0, 30.0)
"""A, dense where a 6 kW device is held by the car and not by its own power (CHA-016: 5/15/30 A)."""
HOLDS = 8.0
"""s at one limit (project choice; well below the 30 s an overload may last)."""
STEP_LASTS = 3.0
"""s at each step of a moving limit (project choice: 20 A at 20 A/s three times over)."""
AT_ONCE = 1000.0
"""A/s: the limit jumps from one frame to the next."""
PROFILES = {
    "steps-down-and-up": (AT_ONCE, (20.0, 15.0, 10.0, 5.0, 10.0, 20.0)),
    "ramps-down-and-up": (20.0, (20.0, 5.0, 20.0, 8.0)),
    "slow-ramp": (2.0, (20.0, 12.0, 20.0)),
    "to-zero-and-back": (AT_ONCE, (15.0, 0.0, 15.0)),
    "ramp-to-zero-and-back": (20.0, (15.0, 0.0, 15.0)),
}
"""Name -> slope of 200.0 in A/s, limits in turn in A."""


@pytest.mark.verifies("CHA-016")
@pytest.mark.parametrize("limit", LIMITS, ids="{:g}A".format)
@pytest.mark.parametrize("side", SIDES)
def test_discharge_stays_below_the_limit(bench, evps, check, record, run, side, limit):
    """The discharge current never passes a constant limit of the vehicle.

    Grant a limit, ask for more than it gives, and look on for 8 s. Beside the mains the power must give way, on the
    island the voltage.
    """
    with discharging(bench, evps, side, limit), record(f"limit {limit:g} A, {side}", fast=True) as r:
        bench.clock.sleep(HOLDS)

    run.note(mean(r["source_i"].reversed, "discharge_current"))
    check("CHA-016", excess(r))


@pytest.mark.verifies("CHA-016")
@pytest.mark.parametrize("course", PROFILES)
@pytest.mark.parametrize("side", SIDES)
def test_discharge_follows_a_moving_limit(bench, evps, check, record, picture, side, course):
    """The discharge current follows a limit that is lowered while it flows, and may return when it is raised.

    Move 200.0 in steps and ramps while more is asked for than it gives.
    """
    slope, limits = PROFILES[course]
    bench.car.wishes = replace(bench.car.wishes, ramp=slope)
    with discharging(bench, evps, side, limits[0]), record(f"{course}, {side}", fast=True) as r:
        bench.clock.sleep(1.0)
        for before, limit in pairwise(limits):
            bench.car.set_discharge_limit(limit)
            bench.clock.sleep(STEP_LASTS + abs(limit - before) / slope)

    check("CHA-016", excess(r))
    words = course.replace("-", " ")
    where = "beside the mains" if side == "grid" else "on the island"
    picture(ramp_picture(f"{words} {side}", f"Limit 200.0: {words}, {where}", r.done, requirements=("CHA-016",)))


@pytest.mark.verifies("CHA-016")
@pytest.mark.parametrize("side", SIDES)
def test_withdrawn_discharge_ends(bench, evps, events, check, record, picture, side):
    """Discharge that the vehicle withdraws (102.5.7 = 0) ends, though 200.0 still allows it.

    Discharge at 15 A, withdraw for the rest of the session, and look on for 8 s. From that frame on nothing is allowed.
    """
    with discharging(bench, evps, side, 15.0), record(f"withdrawn, {side}", fast=True) as r:
        bench.clock.sleep(1.0)
        asked = bench.clock.now()
        bench.car.withdraw_discharge()
        bench.clock.sleep(HOLDS)

    shown = events.said(VehicleStatus, lambda m: not m.discharge_compatible, "102.5.7 = 0", asked)
    check("CHA-016", excess(r, withdrawn(limit_of(r), shown.at)))
    where = "beside the mains" if side == "grid" else "on the island"
    picture(ramp_picture(f"withdrawn {side}", f"Discharge withdrawn {where}", r.done, requirements=("CHA-016",)))


@pytest.mark.verifies("CHA-016")
@pytest.mark.parametrize("limit", [3.0, 15.0], ids="{:g}A".format)
def test_start_keeps_the_limit_from_the_first_ampere(bench, evps, check, record, picture, limit):
    """From the plug to steady discharge the current is never above what 200.0 says, its initial 0 A included.

    Record from before the plug goes in: before the car has raised its limit nothing may flow.
    """
    with record(f"start, limit {limit:g} A", fast=True) as r:
        evps.in_session("discharge", discharge_limit=limit)
        bench.clock.sleep(5.0)

    check("CHA-016", excess(r))
    end = float(r["source_i"].t[-1])
    picture(
        ramp_picture(
            f"start {limit:g} A",
            f"A discharge begins, limit {limit:g} A",
            r.done,
            requirements=("CHA-016",),
            start=end - 8.0,
            end=end,
        )
    )
