"""Frequency and voltage support (EMS-004, 005): less power for a mains that is too fast or too high.

Set-up  EVPS discharging at rated power beside live mains; the house draws more.
Method  Step the mains along the curve of the requirement and back; settled AC power against the curve at the
        voltage or frequency that is really there, and the time for 90 % of each change.
"""

from dataclasses import replace

import pytest

from rig.metrology.measurement import Component
from rig.metrology.power import share
from rig.metrology.series import mean, time_to
from suites.energy_management.meter import out_of_evps

pytestmark = pytest.mark.needs("grid", "house", "analyzer", "grid_parallel", "discharge", "support")

FAST = (50.1, 50.6, 51.1, 50.0)
"""Hz (EMS-004)."""
HIGH = (1.04, 1.07, 1.09, 1.0)
"""Of nominal voltage (EMS-005)."""
WAY, LEAST = 0.90, 0.05
"""Of a change that has to be gone; of rated power a change must have to be timed (project choice)."""
HELD, BAND = 15.0, 5.0
"""s at a point, and of these the last for the settled power (project choice)."""


def by_frequency(hz):
    """Of rated power: 40 % a Hz less above 50.2 Hz (EMS-004)."""
    return 1.0 - 0.4 * max(0.0, hz - 50.2)


def by_voltage(part):
    """Of rated power: straight from 1.06 of nominal voltage down to nothing at 1.10 (EMS-005)."""
    return min(1.0, max(0.0, (1.10 - part) / 0.04))


def error(power, figure, curve, rated):
    """Settled power less what the curve says at the mean of the figure, of rated power; with the figure's own
    uncertainty along the curve."""
    slope = 0.5 * abs(curve(figure.value + figure.u) - curve(figure.value - figure.u))
    m = share(power, rated, "support_error", less=curve(figure.value) * rated)
    return replace(m, budget=(*m.budget, Component(f"{figure.name} of the mains", slope, "normal", figure.source)))


def along(points, set_mains, curve, column, nominal, evps, bench, profile, record, worst, requirement):
    """Take the mains along its points and judge what is given at each."""
    rated = profile.ratings.power
    times, errors = [], []
    with bench.house.drawing(1.01 * rated):
        evps.in_session("discharge", soc=0.75, discharge_limit=profile.ratings.dc_current)
        bench.clock.sleep(HELD)
        for value in points:
            with record(f"mains at {value:g}", 0.2, [("evps_l1", "p"), ("evps_l1", column)]) as answer:
                bench.clock.sleep(1.0)
                set_mains(value)
                since = bench.clock.now()
                bench.clock.sleep(HELD)
            power = out_of_evps(answer, profile)
            before = mean(power, "before", until=since).value
            there = share(mean(answer[f"evps_l1_{column}"], column, since=since + HELD - BAND), nominal, column)
            wanted = curve(there.value) * rated
            if abs(wanted - before) > LEAST * rated:
                way = before + WAY * (wanted - before)
                times.append(time_to(power, way, "support_time", since, falling=wanted < before))
            settled = mean(power, "p_ac", since=since + HELD - BAND)
            errors.append(error(settled, there, curve, rated))
        set_mains(points[-1])
    worst(requirement, errors)
    worst(requirement, times)


@pytest.mark.verifies("EMS-004")
def test_a_fast_mains_is_given_less(evps, bench, profile, record, worst):
    """Power follows the frequency as the curve of the grid code says."""

    def set_mains(frequency):
        bench.grid.supply(profile.ratings.leg_voltage, frequency)

    along(FAST, set_mains, by_frequency, "f", 1.0, evps, bench, profile, record, worst, "EMS-004")


@pytest.mark.verifies("EMS-005")
def test_a_high_mains_is_given_less(evps, bench, profile, record, worst):
    """Power follows the voltage as the curve says."""

    def set_mains(part):
        bench.grid.supply(part * profile.ratings.leg_voltage, profile.ratings.frequency)

    along(HIGH, set_mains, by_voltage, "u", profile.ratings.leg_voltage, evps, bench, profile, record, worst, "EMS-005")
