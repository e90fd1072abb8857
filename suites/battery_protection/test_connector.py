"""What stands at the connector (CHA-018, CHA-023).

Set-up  A whole session from plug to unlock beside the mains, pack at 80 %, where its voltage is high.
Signs   V between the poles, at the connector side of the vehicle contactors.
Method  Inlet voltage by the vehicle interface every 20 ms; lock and contactors by its stamps.
"""

import math

import pytest

from rig.chademo.events import ContactorMoved, WireChanged
from rig.chademo.vehicle_state import VehiclePhase
from rig.evidence.documents import Level
from rig.metrology.series import largest, value_at
from suites.battery_protection.drawings import course
from suites.battery_protection.flow import MODES

pytestmark = pytest.mark.needs("chademo")

FULL_ENOUGH = 0.79
"""State of charge, just below the LEAF's own ceiling of 80 % (chademo.md 1 0x200, log A)."""
QUIET = 1.0
"""s recorded before the plug goes in and after all is over (project choice)."""


@pytest.mark.verifies("CHA-018", "CHA-023")
@pytest.mark.parametrize("mode", MODES)
def test_voltage_at_the_connector_over_a_session(bench, evps, events, check, worst, record, picture, mode):
    """The connector is locked while it is live, and dead soon after the contactors open.

    Record from before the plug goes in until after it is unlocked: a session of ten seconds, stopped at the charger.
    Read the highest voltage while the lock is open, before and after, and the voltage 1 s after the contactors opened.
    A plug that is never locked is open all the time.
    """
    with record(f"connector, {mode}", fast=True) as r:
        bench.clock.sleep(QUIET)
        evps.in_session(mode, soc=FULL_ENOUGH)
        bench.clock.sleep(10.0)
        bench.charger.stop()
        bench.car.wait_for(VehiclePhase.ASLEEP, 20.0)
        bench.clock.sleep(QUIET)

    inlet, opened = r["inlet_u"], events.change(ContactorMoved(False))
    check("CHA-018", value_at(inlet, "voltage_after_1s", opened.at + 1.0))
    locked = events.change(WireChanged("lock", True))
    freed = events.change(WireChanged("lock", False), locked.at)
    spans = [(-math.inf, locked.at)] + ([(freed.at, math.inf)] if math.isfinite(freed.at) else [])
    worst("CHA-023", [largest(inlet, "voltage_unlocked", *span) for span in spans])
    levels = (Level(value=10.0, label="10 V"), Level(value=60.0, label="60 V"))
    title = f"A session at the connector, {mode}"
    picture(course(f"connector {mode}", title, r.done, events, ("CHA-018", "CHA-023"), levels=levels))
