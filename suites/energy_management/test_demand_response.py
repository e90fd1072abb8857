"""Demand response (EMS-003): set-points from outside, up and down, in both directions.

Set-up  One session beside live mains. While it discharges the house draws more than is given, so that nothing is
        exported; while it charges the house draws nothing.
Signs   EVPS AC power positive into the house.
Method  Readings of the power analyzer. A set-point is followed when 90 % of the way from the power before it are gone.
"""

import pytest

from rig.metrology.power import share
from rig.metrology.series import mean, time_to
from suites.energy_management.meter import out_of_evps

pytestmark = pytest.mark.needs("grid", "house", "analyzer", "grid_parallel", "charge", "discharge")

CALLS = (("charge", 1.0), ("charge", 0.5), ("discharge", 0.5), ("discharge", 1.0), ("standby", 0.0), ("charge", 0.75))
"""(mode, power in ratings) asked for one after the other (project choice: every kind of change once)."""
WAY = 0.90
"""Of the change that has to be gone (standards.md PWR-007: open-loop response, 90 %)."""
STEADY, BAND = 35.0, 5.0
"""s after a call until the steady power is looked at, and for which it is (standards.md PWR-007: 30 s and a little)."""


@pytest.mark.verifies("EMS-003")
def test_calls_are_answered(evps, bench, profile, record, worst):
    """Each call is answered in time and kept."""
    rated = profile.ratings.power
    times, errors = [], []
    evps.in_session("standby", soc=0.6, discharge_limit=profile.ratings.dc_current)
    for mode, part in CALLS:
        bench.house.draw(1.01 * rated if mode == "discharge" else 0.0)
        wanted = {"charge": -1.0, "standby": 0.0, "discharge": 1.0}[mode] * part * rated
        with record(f"call {mode} {part:.0%}", 0.2, [("evps_l1", "p")]) as answer:
            bench.clock.sleep(1.0)
            bench.charger.set_power(part * rated)
            bench.charger.set_mode(mode)
            since = bench.clock.now()
            bench.clock.sleep(STEADY + BAND)
        power = out_of_evps(answer, profile)
        before = mean(power, "before", until=since).value
        way = before + WAY * (wanted - before)
        times.append(time_to(power, way, "response_time", since, falling=wanted < before))
        errors.append(share(mean(power, "p_ac", since=since + STEADY), rated, "response_error", less=wanted))
    worst("EMS-003", times)
    worst("EMS-003", errors)
