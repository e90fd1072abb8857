"""A device without a mains side, which gives what its outlets are asked for (PWR-003, 004; EFF-001).

Set-up  Portable station in session with a car; an electronic load in the place of what is plugged in.
Signs   AC power positive out of the outlets; DC current positive into the battery.
Method  As beside the mains (test_parallel.py), with the load in the place of a set-point.
"""

from dataclasses import replace

import pytest

from rig.metrology.power import efficiency
from rig.metrology.series import largest, mean
from rig.metrology.timing import count
from suites.power_handling.plate import SETTLES, WARM

pytestmark = pytest.mark.needs("no_mains", "house", "analyzer", "island", "chademo")

STEADY = 20.0
"""s at a voltage (project choice: a hundred readings)."""
MINUTE = 60.0
"""s (standards.md EFF-001)."""
PACKS = (300.0, 360.0, 400.0)
"""V of the pack (standards.md EFF-001)."""
WINDOW = (270.0, 300.0, 330.0, 360.0, 400.0)
"""V: from above the lowest voltage at which the car lets itself be discharged (250 V, and what its current costs) to
below the one at which it ends the session (405.5 V)."""
FLOWING = 0.2
"""Of the least current the load must make, below which power has stopped to flow (project choice)."""
PULLED_WITHIN = 30.0
"""s for the pack to be where it is pulled (20 V/s, rig.car_pack)."""


def pull(bench, pack):
    """Pull the pack to so many V and let all settle."""
    bench.car.hold_pack(pack)
    bench.clock.wait_until(lambda: not bench.car.pulling, PULLED_WITHIN)
    bench.clock.sleep(SETTLES)


@pytest.mark.verifies("PWR-003", "PWR-004")
@pytest.mark.parametrize("load", [1.0, 0.1], ids="{:.0%}".format)
def test_dc_window(evps, bench, plate, record, worst, check, load):
    """Outlets stay live over the whole window of pack voltage.

    Pull the pack from its lowest to its highest voltage while power is drawn; power must never stop, DC voltage and
    current and AC current must keep the plate.
    """
    volts, amperes, ac, stops = [], [], [], 0
    with evps.island(discharge_limit=plate.dc_current), bench.house.drawing(load * plate.power):
        for pack in WINDOW:
            pull(bench, pack)
            with record(f"pack at {pack:.0f} V", 0.2, plate.island) as steady:
                bench.clock.sleep(STEADY)
            out = replace(steady["dc_i"], y=-steady["dc_i"].y)
            volts.append(largest(steady["dc_u"], "dc_voltage"))
            amperes.append(largest(out, "dc_discharge_current"))
            ac += [largest(steady[f"{leg}_i"], "ac_current") for leg in plate.evps]
            stops += not bench.car.in_session or float(out.y.min()) < FLOWING * load * plate.power / pack
    worst("PWR-004", volts)
    worst("PWR-004", amperes)
    check("PWR-004", count("stops_in_window", stops, "DC current, session of the car", bench.clock.now()))
    worst("PWR-003", ac)


@pytest.mark.verifies("EFF-001")
@pytest.mark.parametrize("pack", PACKS, ids="{:.0f}V".format)
def test_efficiency_at_rated_power(evps, bench, plate, record, check, pack):
    """Efficiency at rated power out of the outlets, a minute's mean at three pack voltages."""
    with evps.island(discharge_limit=plate.dc_current), bench.house.drawing(plate.power):
        pull(bench, pack)
        bench.clock.sleep(WARM)
        with record(f"rated power at {pack:.0f} V", 0.2, plate.island) as minute:
            bench.clock.sleep(MINUTE)
    check("EFF-001", efficiency(plate.mean_power(minute), mean(minute["dc_p"], "p_dc")))
