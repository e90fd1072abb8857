"""Stop signals of the vehicle (CHA-006, CHA-022, CHA-026).

Set-up  EVPS in session beside the mains, pack pulled to 280 V, rated AC power: the most direct current there is.
Signs   Current positive into the battery; a stop is judged by its magnitude.
Method  The car shows one signal alone, nothing else with it, and waits 2.5 s for the charger. From the frame or wire
        that carries it the current must be at 5 A or less in time, and stay there; what d1, d2 and the vehicle's
        contactors cut then is read from the wave of the current, at their stamps.
"""

import pytest

from rig.metrology.decision import Verdict
from rig.metrology.timing import count
from suites.battery_protection.flow import DIRECTIONS
from suites.battery_protection.signals import SIGNALS, K

pytestmark = pytest.mark.needs("chademo")


@pytest.mark.verifies("CHA-006", "CHA-022", "CHA-026")
@pytest.mark.parametrize("signal", SIGNALS, ids=str)
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_signal_of_the_car_ends_power_flow(bench, events, flow, check, picture, direction, signal):
    """A stop signal of the vehicle, shown alone, ends the power flow.

    Charge or discharge with rated power. Let the car show one bit of 102.4 or 102.5, withdraw 102.5.0, or release k.
    The current must come down to 5 A in the time of CHA-006; the contactors open at no more than that.
    """
    flow.begin(direction)
    ending = flow.end(
        f"stop {signal.id}, {direction}", lambda: signal.act(bench), lambda acted: signal.seen(events, acted)
    )

    in_time = check("CHA-006", ending.time())
    missed = in_time is not None and in_time.verdict is Verdict.FAIL
    check("CHA-022", count("unanswered_stops", int(missed), signal.id, ending.since.at))
    check("CHA-026", ending.current_at(ending.opened, "current_at_opening"))
    check("CHA-026", ending.current_at(ending.cut, "current_at_cut"))
    if signal is K:
        picture(ending.picture(f"k released while power flows, {direction}", ("CHA-006", "CHA-022")))
