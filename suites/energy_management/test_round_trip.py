"""Round-trip efficiency (EFF-003) and what the session did to the pack (EMS-008): what comes back of what was stored.

Set-up  EVPS beside live mains, house drawing its rated power, pack at half its charge.
Method  Charge at rated power; then discharge until as much charge has come back as went in, counted from the DC current
        of the same analyzer. AC energy out over AC energy in: an equal window of the pack's charge, the middle of the
        20 to 80 % of the requirement. Indicators of wear from the same DC current and the capacity of the car the rig
        plays: what is compared with them are ways of use, no warranty follows.
"""

import numpy as np
import pytest

from rig.errors import DutViolation
from rig.metrology.power import efficiency, energy
from rig.metrology.series import added
from suites.energy_management.wearing import tell_wear

pytestmark = pytest.mark.needs("grid", "house", "analyzer", "grid_parallel", "charge", "discharge")

SOC = 0.5
"""Of the pack when it begins (EFF-003: the middle of 20 to 80 %)."""
CHARGED = 600.0
"""s of charging (project choice: 1 kWh at 6 kW)."""
LONGER = 1.4
"""Times that for discharging the same (project choice: the pack gives it back at a lower voltage and less current)."""
SETTLES = 5.0
"""s after a change of direction (20 A/s to 30 A and room, chademo.md 2 step 10)."""


@pytest.mark.verifies("EFF-003", "EMS-008")
@pytest.mark.depth("normal")
def test_round_trip(evps, bench, profile, record, check):
    """AC energy out over AC energy in for the same charge of the pack."""
    legs = ("evps_l1", "evps_l2")[: profile.legs]
    quantities = [("dc", "i"), *((leg, "p") for leg in legs)]
    with bench.house.drawing(profile.ratings.power):
        evps.in_session("charge", soc=SOC, discharge_limit=profile.ratings.dc_current)
        bench.clock.sleep(SETTLES)
        with record("in", 1.0, quantities) as taken:
            bench.clock.sleep(CHARGED)
        bench.charger.set_mode("discharge")
        bench.clock.sleep(SETTLES)
        with record("out", 1.0, quantities) as given:
            bench.clock.sleep(LONGER * CHARGED)
    stored = float(np.trapezoid(taken["dc_i"].y, taken["dc_i"].t))
    out = given["dc_i"]
    returned = -np.concatenate(([0.0], np.cumsum(np.diff(out.t) * (out.y[1:] + out.y[:-1]) / 2)))
    if returned[-1] < stored:
        raise DutViolation(f"{returned[-1]:.0f} of {stored:.0f} A s came back in {LONGER * CHARGED:g} s of discharging")
    until = float(np.interp(stored, returned, out.t))
    p_in, p_out = (added([part[f"{leg}_p"] for leg in legs], "EVPS") for part in (taken, given))
    ratio = efficiency(energy(p_out, "out", until=until), energy(p_in, "in"), "round_trip_efficiency")
    check("EFF-003", ratio)
    tell_wear(check, taken["dc_i"], given["dc_i"], SOC, bench.car.pack.params.capacity)
