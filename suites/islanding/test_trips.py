"""Grid protection (GRD-001 to 007, 019, 020, 024 to 028): the mains leaves its limits while the EVPS feeds beside it.

Set-up  EVPS discharging at 60 % of its power beside live mains, house drawing 75 %; digitizer on the mains side and the
        auxiliary contact of the PCS; transfer automatic, as it comes.
Method  IEEE 1547.1 step method: the mains stands inside the setting for its time and twice the accuracy of time, where
        no trip may come, and is then stepped beyond it. The clearing time runs from the step, found by least squares in
        the wave itself, to the opening of the contact. Between two steps the EVPS comes back to a good mains. Every
        protection of the row, several times, the worst run is judged.
"""

import pytest

from rig.metrology.timing import count
from suites.islanding.protection import share_of

pytestmark = pytest.mark.needs("grid", "house", "digitizer:grid_l1,pcs_aux", "grid_parallel", "discharge", "transfer")

ROWS = (
    *(f"GRD-00{n}" for n in range(1, 7)),
    "GRD-019",
    "GRD-020",
    *(f"GRD-0{n}" for n in range(24, 29)),
)


@pytest.mark.parametrize("row", [pytest.param(id, marks=pytest.mark.verifies(id)) for id in ROWS])
def test_trips_in_time(protection, grid_code, bench, worst, check, step, row):
    """Each protection leaves the mains in time when it passes its setting, and not before."""
    early = 0
    protection.begin()
    for course in grid_code.courses(row):
        runs = []
        for _ in range(protection.repeats):
            step(f"{course.quantity}: the mains passes {course.setting.at:g} {course.setting.unit}")
            tripped = protection.trip(course)
            runs.append(tripped.time)
            early += tripped.early
            protection.restore()
        worst(row, runs)
    check(row, count("early_trips", early, "auxiliary contact of the PCS", bench.clock.now()))


@pytest.mark.verifies("GRD-007")
@pytest.mark.needs("analyzer")
def test_ceases_to_energise(protection, grid_code, bench, profile, check):
    """After a trip no power flows to or from the mains.

    Pass the first over-voltage setting; when the contact has opened read active and apparent power of the mains side,
    which takes in the reactive power. One leg is read and counted for each.
    """
    protection.begin()
    protection.trip(grid_code.courses("GRD-001")[0])
    values = bench.analyzer.read(("grid_l1", "p"), ("grid_l1", "s")).values
    leg = profile.ratings.power / profile.legs
    check("GRD-007", share_of(values["grid_l1", "p"], leg, "active_share_after_trip"))
    check("GRD-007", share_of(values["grid_l1", "s"], leg, "reactive_share_after_trip"))
