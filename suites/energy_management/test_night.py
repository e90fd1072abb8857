"""A night with a car connected and nothing asked for (EMS-007): reported.

Set-up  Session in standby beside live mains, no load.
Signs   EVPS AC power positive into the house, so that what it takes reads negative; DC power positive into the battery.
"""

from dataclasses import replace

import pytest

from rig.metrology.power import energy
from rig.metrology.series import added, mean

pytestmark = pytest.mark.needs("grid", "house", "analyzer", "grid_parallel", "chademo")

NIGHT = 8 * 3600.0
"""s (EMS-007)."""


@pytest.mark.depth("full")
@pytest.mark.verifies("EMS-007")
def test_a_night(evps, bench, profile, record, check):
    """Eight hours: what the charger takes from the mains and out of the car."""
    legs = ("evps_l1", "evps_l2")[: profile.legs]
    evps.in_session("standby")
    bench.clock.sleep(10.0)
    with record("night", 10.0, [("dc", "p"), *((leg, "p") for leg in legs)]) as night:
        bench.clock.sleep(NIGHT)
    taken = added([night[f"{leg}_p"] for leg in legs], "EVPS")
    taken = replace(taken, y=-taken.y)
    out = replace(night["dc_p"], y=-night["dc_p"].y)
    check("EMS-007", mean(taken, "overnight_power"))
    check("EMS-007", energy(taken, "overnight_energy"))
    check("EMS-007", energy(out, "overnight_pack"))
