"""Break before make, and no voltage back to the mains (XFR-010).

Set-up  EVPS in session, house at full load; digitizer on one leg of the house, the same leg of the mains side, and the
        auxiliary contact of the PCS. The mains opens, so whatever stands at its terminals then comes from the house.
Method  Begin of forming is where what is left of the house voltage turns from decay to growth; the contact is open in
        the middle of its bounce (rig.metrology.contact). Voltage on the mains side is the highest Urms(1/2) that begins
        a cycle or more after the contact has opened.
"""

import pytest

from rig.errors import DutViolation
from rig.metrology.contact import moves, overlap
from rig.metrology.swing import highest_rms

pytestmark = pytest.mark.needs("grid", "house", "digitizer", "transfer")


@pytest.mark.verifies("XFR-010")
@pytest.mark.parametrize("angle", [0, 90, 225], ids="{}deg".format)
@pytest.mark.parametrize("state", ["standby", "discharging"])
def test_contact_opens_before_the_house_is_formed(outage, check, state, angle):
    """The mains contact is open before the EVPS forms the house, and nothing reaches the mains side.

    Open the mains at full load and record both sides of the PCS with its auxiliary contact.
    """
    outage.begin(state, 1.00)
    loss = outage.cut(angle)
    grid, house, aux = (loss.capture[port] for port in ("grid_l1", "house_l1", "pcs_aux"))
    opened = [move for move in moves(aux) if not move.closed]
    if not opened:
        raise DutViolation("the mains contact stays closed on a lost mains")
    check("XFR-010", overlap(house, loss.result.legs[0], aux))
    check("XFR-010", highest_rms(grid, outage.frequency, opened[0].at + 1 / outage.frequency), "backfeed_voltage")
