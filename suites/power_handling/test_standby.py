"""Consumption without power (EFF-004): reported, 15-minute means.

Set-up  A car plugged in and in session, nothing drawn, nothing charged.
Signs   EVPS AC power positive into the house, so that idling reads negative; DC power positive into the battery.
"""

from dataclasses import replace

import pytest

from rig.metrology.series import mean
from suites.power_handling.plate import SETTLES

pytestmark = pytest.mark.needs("outage", "house", "analyzer", "chademo")

QUARTER = 900.0
"""s (standards.md EFF-004)."""


@pytest.mark.depth("normal")
@pytest.mark.verifies("EFF-004")
@pytest.mark.needs("grid_parallel")
def test_idle_with_a_car(evps, bench, plate, record, check):
    """Consumption from the mains with a car connected and no power flowing."""
    evps.in_session("standby")
    bench.clock.sleep(SETTLES)
    with record("idle", 1.0, plate.parallel) as idle:
        bench.clock.sleep(QUARTER)
    taken = plate.mean_power(idle)
    check("EFF-004", replace(taken, value=-taken.value), "standby_power")


@pytest.mark.depth("normal")
@pytest.mark.verifies("EFF-004")
@pytest.mark.needs("island")
def test_island_without_load(evps, bench, plate, record, check):
    """Consumption from the car with the house formed and nothing drawn."""
    with evps.island():
        bench.clock.sleep(SETTLES)
        with record("island without load", 1.0, plate.island) as idle:
            bench.clock.sleep(QUARTER)
    taken = mean(idle["dc_p"], "p_dc")
    check("EFF-004", replace(taken, value=-taken.value), "standby_power")
