"""Coming back to the mains (GRD-010, 022, 026, 027, 028): only when it has been good for long enough.

Set-up  House on the car with the mains gone; digitizer on the mains side and the auxiliary contact of the PCS.
Method  The mains comes back; from its coming alive, or from the end of an excursion, to the closing of the contact.
"""

import math

import pytest

from rig.errors import DutViolation
from rig.metrology.contact import comes_alive, moves
from rig.metrology.series import mean, time_to
from rig.metrology.timing import count, duration

pytestmark = pytest.mark.needs("grid", "house", "digitizer:grid_l1,pcs_aux", "grid_parallel", "discharge", "transfer")

AUX = "auxiliary contact of the PCS"
DEAD = 0.1
"""s of a dead mains at the beginning of a record (project choice: five cycles)."""
SYNCHRONISES = 6.0
"""s beyond its delay in which an EVPS comes into step and closes (project choice)."""
RATE = 2e3
"""S/s (project choice: half a millisecond of a delay of seconds to minutes)."""
EXCURSION = 1.0
"""s of an excursion within the delay (project choice)."""
OUTSIDE = {"low": (0.90, 0.0), "high": (1.07, 0.0), "slow": (1.0, -0.7), "fast": (1.0, 0.3)}
"""(fraction of nominal, Hz off nominal) just outside 0.917 to 1.05 pu and 59.5 to 60.1 Hz (standards.md GRD-010)."""
FULL = 0.985
"""Of the final power, at which rated power counts as given (standards.md GRD-010: 98.5 % of delay and ramp)."""


def closing_after(bench, capture, protection, name, act=None, seconds=0.0):
    """The record in which the mains comes back, and when the contact closes in it. act: what is done to the mains,
    None to bring it back at nominal."""
    with capture(name, ("grid_l1", "pcs_aux"), DEAD + seconds + protection.delay + SYNCHRONISES, RATE) as record:
        bench.clock.sleep(DEAD)
        if act is None:
            bench.grid.supply(protection.voltage, protection.frequency)
        else:
            act()
    closed = [move for move in moves(record["pcs_aux"]) if move.closed]
    if not closed:
        raise DutViolation(f"the mains contact does not close within {SYNCHRONISES:g} s of its delay")
    return record, closed[0]


@pytest.mark.parametrize(
    "row", [pytest.param(id, marks=pytest.mark.verifies(id)) for id in ("GRD-022", "GRD-026", "GRD-027", "GRD-028")]
)
def test_reconnects_after_the_delay(protection, evps, bench, capture, worst, row):
    """The EVPS is back beside the mains only after its delay."""
    delays = []
    with evps.island():
        for number in range(protection.repeats):
            if number:
                bench.grid.interrupt()
                if not evps.on_backup(10.0):
                    raise DutViolation("the house is not fed 10 s after the mains was lost")
            record, closing = closing_after(
                bench,
                capture,
                protection,
                "return",
                lambda: bench.grid.supply(protection.voltage, protection.frequency),
            )
            good, u = comes_alive(record["grid_l1"], protection.voltage, protection.frequency)
            delays.append(duration("reconnection_delay", good, closing.at, u, closing.u, AUX))
    worst(row, delays)


@pytest.mark.verifies("GRD-010")
@pytest.mark.needs("analyzer")
def test_enters_service(protection, evps, bench, profile, record, capture, check):
    """Power comes back after the delay, and no faster than the ramp.

    Restore the mains with the EVPS asked to discharge at 95 % of its power into a house that draws all of it; time the
    closing of the contact and when the power is what it will be in the end.
    """
    legs = ("evps_l1", "evps_l2")[: profile.legs]
    with bench.house.drawing(protection.rated), evps.island(discharge_limit=profile.ratings.dc_current, soc=0.9):
        bench.charger.set_power(0.95 * protection.rated)
        bench.charger.set_mode("discharge")
        seen, closing = closing_after(bench, capture, protection, "return")
        with record("entering service", 1.0, [(leg, "p") for leg in legs]) as entering:
            bench.clock.sleep(1.1 * protection.ramp + 20.0)
    good, u = comes_alive(seen["grid_l1"], protection.voltage, protection.frequency)
    check("GRD-010", duration("enter_service_delay", good, closing.at, u, closing.u, AUX))
    times = []
    for leg in legs:
        power = entering[f"{leg}_p"]
        final = mean(power, "final", since=float(power.t[-1]) - 10.0).value
        times.append(time_to(power, FULL * final, "time_to_rated_power", good, falling=False, since_u=u))
    check("GRD-010", min(times, key=lambda m: m.value))


@pytest.mark.verifies("GRD-010")
def test_excursion_starts_the_delay_anew(protection, evps, bench, capture, check):
    """An excursion of the mains within the delay starts it anew."""
    ended = []

    def act():
        bench.grid.supply(protection.voltage, protection.frequency)
        bench.clock.sleep(0.25 * protection.delay)
        bench.grid.supply(0.85 * protection.voltage, protection.frequency)
        bench.clock.sleep(EXCURSION)
        begun = bench.clock.now()
        bench.grid.supply(protection.voltage, protection.frequency)
        ended.extend((begun, bench.clock.now()))

    with evps.island():
        _, closing = closing_after(bench, capture, protection, "excursion", act, 0.25 * protection.delay + 2.0)
    start, u = sum(ended) / 2, (ended[1] - ended[0]) / math.sqrt(12)
    delay = duration("enter_service_delay_after_excursion", start, closing.at, u, closing.u, AUX)
    check("GRD-010", delay)


@pytest.mark.verifies("GRD-010")
@pytest.mark.parametrize("offset", OUTSIDE.values(), ids=OUTSIDE)
def test_stays_away_outside_the_window(protection, evps, bench, check, offset):
    """The EVPS does not come back to a mains outside its window."""
    voltage, df = offset
    with evps.island():
        bench.grid.supply(voltage * protection.voltage, protection.frequency + df)
        closings = protection.closings_during(protection.delay + SYNCHRONISES)
    check("GRD-010", count("closings_outside_window", closings, AUX, bench.clock.now()))
