"""Mains lost and nobody to take over (CHA-011, CHA-018, CHA-026).

Set-up  EVPS in session beside the mains, pack pulled to 280 V, rated AC power; transfer switched to manual, so that the
        charger loses its AC side for good and has only what it has stored.
Signs   Current positive into the battery.
Method  The mains opens at an angle of leg L1. In this order: the current goes, d1 and d2 go, the contactors open; each
        under no more than the safe current. Frames may end before; that is judged by the rules beside.
"""

import pytest

from rig.chademo.events import WireChanged
from rig.metrology.series import value_at
from suites.battery_protection.flow import DIRECTIONS

pytestmark = pytest.mark.needs("grid")


@pytest.mark.verifies("CHA-011", "CHA-018", "CHA-026")
@pytest.mark.parametrize("angle", [0, 90], ids="{}deg".format)
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_blackout_without_transfer_ends_in_order(bench, events, flow, check, picture, direction, angle):
    """A blackout without transfer: current to zero, then d1 and d2, then the contactors.

    Charge or discharge with rated power, open the mains at a zero crossing or a peak. Read the current when the coil
    supply goes and when the contactors open, the time from d2 to d1, and the voltage left at the connector.
    """
    bench.charger.set_transfer(automatic=False)
    flow.begin(direction)
    ending = flow.end(f"blackout at {angle} deg, {direction}", lambda: bench.grid.interrupt(angle))
    bench.grid.supply(bench.profile.ratings.leg_voltage, bench.profile.ratings.frequency)

    check("CHA-026", ending.current_at(ending.cut, "current_at_cut"))
    check("CHA-026", ending.current_at(ending.opened, "current_at_opening"))
    d2, d1 = (events.change(WireChanged(wire, False), ending.since.at) for wire in ("d2", "d1"))
    check("CHA-011", d2.until(d1, "d2_to_d1"))
    check("CHA-018", value_at(ending.record["inlet_u"], "voltage_after_1s", ending.opened.at + 1.0))
    picture(ending.picture(f"Blackout without transfer at {angle} degrees, {direction}", ("CHA-026", "CHA-011")))
