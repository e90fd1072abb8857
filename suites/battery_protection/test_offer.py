"""Only a car that offers it is discharged (BAT-011).

Set-up  A plug-in hybrid that never says it can be discharged (fixtures/vehicles/ampera-16kwh); rated power wanted, of
        the charger beside the mains, or by the outlets of a portable device.
Signs   DC current positive into the battery.
Method  Highest current out of the car, by the power analyzer, for half a minute from the start button on and the time
        a session needs. That no session comes about at all is as good.
"""

from dataclasses import replace

import pytest

from rig.metrology.series import largest

pytestmark = pytest.mark.needs("chademo", "discharge", "house", "analyzer")

CAR = "ampera-16kwh"
COMES, WATCHED = 60.0, 30.0
"""s a session may take to come about (fixtures.bench), and s it is then watched (BAT-011)."""


@pytest.mark.verifies("BAT-011")
def test_a_car_that_never_offers_is_not_discharged(bench, evps, cars, record, profile, check):
    """Ask for discharge with a car that never sets 102.5.7 and sends no 0x200."""
    cars.play(CAR)
    bench.house.draw(profile.ratings.power)
    with record("no offer", 0.2, [("dc", "i")]) as watched:
        bench.car.plug_in(0.6)
        evps.charger.start("discharge")
        bench.clock.sleep(COMES + WATCHED)
    out = replace(watched["dc_i"], y=-watched["dc_i"].y)
    check("BAT-011", largest(out, "discharged_unasked"))
