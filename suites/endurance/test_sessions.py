"""Endurance: session after session, and hours of standing by, with every rule watching.

Method  No limit of its own: each cycle has to come about, carry power and end, and no rule of the protocol or of
        battery protection may be broken in any of them. What a single session does not show is what the last left.
"""

import pytest

from rig.errors import DutViolation

pytestmark = pytest.mark.needs("grid", "house", "chademo", "grid_parallel", "charge")

HOLDS = 5.0
"""s of power in a cycle (project choice)."""
FLOWING = 1.0
"""A below which nothing flows (project choice)."""
ENDS_WITHIN = 30.0
"""s for a session to be over after stop (ramp 0.5 s, weld check 10 s, release 10 s: chademo.md 2, and room)."""
HOUR = 3600.0


def test_sessions_one_after_another(evps, bench, depth, step):
    """Sessions begin, carry power and end, again and again, charging and discharging in turn."""
    for number in range(depth.pick(quick=3, normal=20, full=200)):
        mode = "charge" if number % 2 == 0 else "discharge"
        step(f"session {number + 1}: {mode}")
        with bench.house.drawing(bench.profile.ratings.power):
            evps.in_session(mode, soc=0.6, discharge_limit=bench.profile.ratings.dc_current)
            bench.clock.sleep(HOLDS)
            current = bench.battery.reading().current
            if abs(current) < FLOWING or (current > 0) is not (mode == "charge"):
                raise DutViolation(f"session {number + 1}: {current:.1f} A flow {HOLDS:g} s after {mode} began")
            bench.charger.stop()
            bench.clock.wait_until(lambda: not bench.car.in_session, ENDS_WITHIN)
        outcome = bench.stand_by()
        if not outcome.confirmed or evps.charger.state().fault:
            raise DutViolation(f"session {number + 1} does not end clean: {'; '.join(outcome.readings)}")


@pytest.mark.depth("normal")
def test_stands_by_for_hours(evps, bench, depth):
    """A session without power stays up and harmless for hours, and carries power at its end."""
    evps.in_session("standby", soc=0.5)
    bench.clock.sleep(depth.pick(quick=0.1, normal=0.5, full=8.0) * HOUR)
    if not bench.car.in_session:
        raise DutViolation("the session has ended by itself")
    bench.charger.set_mode("charge")
    bench.clock.sleep(HOLDS)
    if bench.battery.reading().current < FLOWING:
        raise DutViolation(f"{bench.battery.reading().current:.1f} A flow {HOLDS:g} s after charging was asked for")
