"""Energy management by the charger's own meter at the mains connection (EMS-001, 002).

Set-up  EVPS in session beside live mains; the house draws a schedule of loads.
Signs   Power from the mains positive into the house; EVPS AC power positive into the house.
Method  Power from the mains by the power analyzer. A bench has no sun: what the sun would feed into the house is played
        as a shift of the bounds. To take S from the mains on purpose, with no sun, is for the charger the same as to
        take nothing with a sun of S.
"""

import pytest

from rig.metrology.power import share
from rig.metrology.series import mean
from suites.energy_management.meter import SETTLES, below_after, from_mains, over

pytestmark = pytest.mark.needs("grid", "house", "analyzer", "grid_parallel", "discharge", "meter")

SCHEDULE = ((0.2, 0.4), (0.8, 0.4), (1.0, 0.4), (0.3, 0.4), (0.9, 0.5), (0.9, 0.3), (0.1, 0.3))
"""(load, set point of the demand) in ratings (project choice: peaks above the set points of two tariffs)."""
SUN_AND_HOUSE = (
    *((0.0, 0.05), (0.1, 0.08), (0.35, 0.07), (0.6, 0.1), (0.8, 0.25), (0.5, 0.1)),
    *((0.2, 0.15), (0.05, 0.3), (0.0, 0.5), (0.0, 0.35), (0.0, 0.2)),
)
"""(sun, load) in ratings, dawn to night (project choice)."""
STEP = 25.0
"""s of a step (project choice: the charger settles in a few)."""
POWER = [("grid_l1", "p")]


@pytest.mark.verifies("EMS-001")
@pytest.mark.parametrize("mode", ["standby", "charge"])
def test_the_demand_keeps_to_its_schedule(evps, bench, profile, record, worst, mode):
    """Peaks of the house are cut at the set point of the hour; a charging car gives way to the house."""
    rated = profile.ratings.power
    times, demands = [], []
    evps.in_session(mode, soc=0.6, discharge_limit=profile.ratings.dc_current)
    for load, set_point in SCHEDULE:
        with record(f"house {load:.0%}, demand {set_point:.0%}", 0.2, POWER) as step:
            bench.clock.sleep(1.0)
            since = bench.clock.now()
            bench.charger.keep_meter(None, set_point * rated)
            bench.house.draw(load * rated)
            bench.clock.sleep(STEP)
            until = bench.clock.now()
        demand = from_mains(step, profile)
        demands.append(over(demand, rated, set_point * rated, since, until))
        times.append(below_after(demand, rated, set_point * rated, since, until))
    worst("EMS-001", demands)
    worst("EMS-001", times)


@pytest.mark.verifies("EMS-002")
@pytest.mark.needs("charge")
def test_the_car_follows_sun_and_house(evps, bench, profile, record, worst):
    """By day what the sun leaves over goes into the car; in the evening the car feeds the house."""
    rated = profile.ratings.power
    errors = []
    evps.in_session("standby", soc=0.6, discharge_limit=profile.ratings.dc_current)
    for sun, load in SUN_AND_HOUSE:
        with record(f"sun {sun:.0%}, house {load:.0%}", 0.2, POWER) as step:
            bench.house.draw(load * rated)
            bench.charger.keep_meter(sun * rated, sun * rated)
            since = bench.clock.now()
            bench.clock.sleep(STEP)
        settled = mean(from_mains(step, profile), "from_mains", since=since + SETTLES)
        errors.append(share(settled, rated, "meter_error", less=sun * rated))
    worst("EMS-002", errors)
