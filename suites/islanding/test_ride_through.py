"""Ride-through (GRD-013 to 016): what the mains may do for a while without the EVPS leaving it.

Set-up  As in test_trips; at rated power for frequency (standards.md GRD-015: 90 to 100 %).
Method  The mains goes there and comes back. An opening of the PCS contact counts as a trip, and so does power that does
        not flow any more at the end.
"""

import math
from dataclasses import replace

import pytest

from rig.metrology.series import mean, smallest
from rig.metrology.timing import count

pytestmark = pytest.mark.needs("grid", "house", "digitizer:grid_l1,pcs_aux", "grid_parallel", "discharge", "transfer")

AUX = "auxiliary contact of the PCS"
AFTER = 2.0
"""s watched after the mains is back (project choice: longer than any fast protection)."""
READINGS = 0.6
"""s at each end of a sag whose readings may be of both states (project choice: three updates)."""


@pytest.mark.verifies("GRD-013")
def test_swell_is_ridden_through(protection, grid_code, bench, check):
    """A swell below the fast over-voltage setting is ridden through for its time."""
    (course,) = grid_code.courses("GRD-013")
    protection.begin()
    trips = 0
    for _ in range(protection.repeats):
        trips += protection.openings_during(
            "swell",
            1.0 + course.seconds + AFTER,
            lambda: bench.grid.dip(course.beyond.voltage, course.seconds),
        )
        trips += not protection.flows()
    check("GRD-013", count("trips_in_swell", trips, AUX, bench.clock.now()))


@pytest.mark.verifies("GRD-014")
@pytest.mark.needs("analyzer")
def test_current_goes_on_in_a_sag(protection, grid_code, bench, profile, record, worst):
    """In mandatory operation the EVPS goes on giving its current.

    Let the mains sag; compare the lowest current reading of each leg in the sag with its mean before it.
    """
    (course,) = grid_code.courses("GRD-014")
    protection.begin()
    legs = ("evps_l1", "evps_l2")[: profile.legs]
    with record("sag", 0.2, [(leg, "i") for leg in legs]) as sag:
        bench.clock.sleep(2.0)
        since = bench.clock.now()
        bench.grid.dip(course.beyond.voltage, course.seconds)
        bench.clock.sleep(course.seconds + AFTER)
    shares = []
    for leg in legs:
        before = mean(sag[f"{leg}_i"], "i before", until=since).value
        low = smallest(sag[f"{leg}_i"], "i", since + READINGS, since + course.seconds - READINGS)
        budget = tuple(replace(part, sensitivity=part.sensitivity / before) for part in low.budget)
        shares.append(replace(low, name="current_share_in_sag", value=low.value / before, unit="1", budget=budget))
    worst("GRD-014", shares)


@pytest.mark.verifies("GRD-015", "GRD-016")
def test_frequency_is_ridden_through(protection, grid_code, bench, contact, check, depth):
    """Frequencies off nominal, and the way there, are ridden through.

    Ramp the frequency at the stated rate to each stated value and, the stated time after the ramp began, back again: so
    long it lies beyond the slow setting, and no longer than that takes to trip. Three times.
    """
    (rate,) = (course.setting.beyond for course in grid_code.courses("GRD-016"))
    protection.begin(1.0, 1.1)
    in_ramps = 0
    for course in grid_code.courses("GRD-015"):
        trips, nominal, there = 0, course.before, course.beyond
        seconds = abs(there.frequency - nominal.frequency) / rate
        for _ in range(depth.pick(quick=1, normal=1, full=3)):
            for target, held in ((there, course.seconds), (nominal, AFTER)):
                end = bench.clock.now() + held
                in_ramps += protection.openings_during(
                    "ramp",
                    seconds + 1.0,
                    lambda to=target, took=seconds: bench.grid.ramp(to.voltage, to.frequency, took),
                )
                trips += math.isfinite(contact.moves_to(False, max(end - bench.clock.now(), 0.5))[0])
            trips += not protection.flows()
        check("GRD-015", count(course.quantity, trips, AUX, bench.clock.now()))
    check("GRD-016", count("trips_in_ramp", in_ramps, AUX, bench.clock.now()))
