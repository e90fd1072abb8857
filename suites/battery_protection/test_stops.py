"""How the current comes down (CHA-004, CHA-005, CHA-011, CHA-026).

Set-up  EVPS in session beside the mains, pack pulled to 280 V, rated AC power.
Signs   Current positive into the battery; a ramp is the fall of its magnitude, A/s, positive.
Method  80 % of the fall over the time from 10 % to 90 %, from the current's wave in means of 1 ms (without a current
        probe: from the battery source's meter every 20 ms). Flags by frame, d1, d2 and the contactors by the stamps of
        the vehicle interface.
"""

import pytest

from rig.chademo.codec import ChargerStatus, VehicleStatus
from rig.chademo.events import WireChanged
from suites.battery_protection.flow import DIRECTIONS

pytestmark = pytest.mark.needs("chademo")

NORMAL = {
    "stop-button": lambda bench: bench.charger.stop(),
    "k-off": lambda bench: bench.car.release_k(),
    "car-stops": lambda bench: bench.car.request_stop(),
}
"""Ways to a normal end."""
EMERGENCY = {
    "emergency-stop": lambda bench: bench.charger.emergency_stop(),
    "plug-pulled": lambda bench: bench.car.unplug(),
}
"""Ways to an emergency end that this bench can take. A broken d1 or d2 needs a switch in the cable."""


@pytest.mark.verifies("CHA-004", "CHA-011", "CHA-026")
@pytest.mark.parametrize("way", NORMAL)
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_normal_stop_ramps_down_and_opens_in_order(bench, events, flow, check, picture, direction, way):
    """A normal stop: the current comes down fast, the contactors open without it, d2 goes before d1.

    With rated power flowing press stop at the charger, release k, or stop at the car. Read the slope of the current,
    the time from 109.5.0 = 0 to 102.5.3 = 1 (the car's welding check on a dead inlet), and that from d2 to d1.
    """
    flow.begin(direction)
    ending = flow.end(f"{way}, {direction}", lambda: NORMAL[way](bench))

    check("CHA-004", ending.ramp())
    check("CHA-026", ending.current_at(ending.opened, "current_at_opening"))
    check("CHA-026", ending.current_at(ending.cut, "current_at_cut"))
    since = ending.since.at
    stopped = events.said(ChargerStatus, lambda m: not m.running, "109.5.0 = 0", since)
    tested = events.said(VehicleStatus, lambda m: m.contactor_open, "102.5.3 = 1", since)
    check("CHA-011", stopped.until(tested, "weld_check_time"))
    d2, d1 = (events.change(WireChanged(wire, False), since) for wire in ("d2", "d1"))
    check("CHA-011", d2.until(d1, "d2_to_d1"))
    picture(ending.picture(f"{way.replace('-', ' ').capitalize()} while power flows, {direction}", ("CHA-004",)))


@pytest.mark.verifies("CHA-005", "CHA-026")
@pytest.mark.parametrize("way", EMERGENCY)
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_emergency_stop_ramps_down_at_once(bench, flow, check, picture, direction, way):
    """An emergency stop brings the current down at once, and nothing opens under load.

    With rated power flowing press the charger's emergency stop, or pull the plug (proximity). Read the slope, and the
    current at the moments d1, d2 and the contactors go.
    """
    flow.begin(direction)
    ending = flow.end(f"{way}, {direction}", lambda: EMERGENCY[way](bench))

    check("CHA-005", ending.ramp())
    check("CHA-026", ending.current_at(ending.opened, "current_at_opening"))
    check("CHA-026", ending.current_at(ending.cut, "current_at_cut"))
    picture(ending.picture(f"{way.replace('-', ' ').capitalize()} while power flows, {direction}", ("CHA-005",)))
