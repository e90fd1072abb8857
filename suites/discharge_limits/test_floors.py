"""Where a discharge ends (CHA-017, BAT-001, BAT-003, BAT-004), and that it does not end for nothing (BAT-010).

Set-up  EVPS in session, car's limit 30 A.
Signs   A floor minus the state of charge: positive is too deep. Voltage while discharging minus the minimum of 0x200.
Method  State of charge as the car says it (102.6, whole per cent, truncated; the middle is taken), the floor as the car
        sent it (0x200 byte 6 in its own unit). This car counts in 0.1 kWh: one with 0x201, that counts in per cent, is
        not among those the rig can play.
"""

import pytest

from rig.chademo.codec import VehicleDischarge
from rig.errors import DutViolation
from rig.metrology.series import reversals, smallest
from rig.metrology.timing import count
from rig.pictures import session_picture
from suites.discharge_limits.limits import SETTLES, SIDES, below, discharge_to_stop, discharging, level_sent

pytestmark = pytest.mark.needs("chademo")

ABOVE = 0.013
"""State of charge a discharge begins above its floor (project choice: past one step of 102.6, and soon there)."""
STOPS_WITHIN = 3.6e6
"""J over rated power, s for it to get there (project choice: twice what 2 % of 24 kWh take)."""
MODEST = 2000.0
"""W drawn on an island, or half of rated power where that is less (project choice)."""
FLOWS = 1.0
"""A that count as a discharge, or as a direction (project choice: twice half a count of the frames)."""
HOUR = 3600.0
"""s at the user's floor (BAT-004)."""
REST = 60.0
"""s looked on after the end of a session (project choice)."""
IDLE = 600.0
"""s without load (BAT-010: 10 min)."""
HELD = 0.85
"""Of nominal: a house that is fed (standards.md PWR-005 [NICH])."""
RESERVES = [
    pytest.param("grid", 0.50, marks=pytest.mark.needs("grid_parallel"), id="grid-50%"),
    pytest.param("island", 0.30, marks=pytest.mark.needs("island", "house", "outage"), id="island-30%"),
]
"""Reserves of the user (BAT-004: 30/50 %), beside the mains and on the island."""
LEAF = (0.10, 0.30)
"""Floors of a LEAF: published by a charger's maker, and recorded (BAT-001 [MEL]; chademo.md 5, log A: 43 of 0.1 kWh).
The same are published for e-NV200 and i-MiEV (BAT-003 [MEL])."""
OUTLANDER = (0.20, 0.40)
"""Floors published for the Outlander (BAT-003 [MEL])."""


def discharge_to_floor(bench, evps, record, events, floor, name):
    """Discharge with rated power from just above a floor (0..1) the car sends. The record. DutViolation when nothing
    flows there: the floor is taken for another one."""
    bench.car.set_levels(minimum=floor)
    evps.in_session("discharge", soc=floor + ABOVE)
    bench.clock.sleep(SETTLES)
    flows = -bench.battery.reading().current
    if flows < FLOWS:
        raise DutViolation(
            f"the car allows discharge down to {floor:.1%} and has {bench.car.soc:.1%}: {flows:.1f} A flow"
        )
    with record(name, period=1.0) as r:
        discharge_to_stop(bench, STOPS_WITHIN / evps.ratings.power)
        at = bench.clock.now()
        bench.clock.sleep(30.0)
    soc = r["soc"]
    return r, below(level_sent(events), float(soc.y[soc.t <= at][-1]), "soc_below_floor", at, soc.of)


def modest(evps):
    """W an island can be asked for without a thought."""
    return min(MODEST, 0.5 * evps.ratings.power)


def look_on(bench, seconds):
    """So long, or until a minute after the session has ended: without one there is no direction to change."""
    bench.clock.wait_until(lambda: not bench.car.in_session, seconds - REST)
    bench.clock.sleep(REST)


@pytest.mark.verifies("CHA-017")
@pytest.mark.parametrize("side", SIDES)
def test_minimum_discharge_voltage(bench, evps, events, check, record, picture, side):
    """Discharge stops before the voltage is below the vehicle's minimum.

    Discharge with rated power (island: the house draws it), pull the pack from 285 V down at 1 V/s to below the minimum
    of 0x200. The lowest voltage while more than 1 A flows is judged, both of the battery source's meter.
    """
    with discharging(bench, evps, side, 30.0, pack=285.0, load=0.9), record(f"minimum voltage, {side}", fast=True) as r:
        bench.car.hold_pack(244.0, rate=1.0)
        bench.clock.wait_until(lambda: not bench.car.pulling, 60.0)
        bench.clock.sleep(2.0)

    minimum = events.messages(VehicleDischarge)[-1][1].min_discharge_voltage
    lowest = smallest(r["source_u"].where(r["source_i"], high=-FLOWS), "margin_to_minimum")
    check("CHA-017", lowest.less(minimum))
    where = "beside the mains" if side == "grid" else "on the island"
    title = f"Pack pulled down at 1 V/s, {where}"
    picture(session_picture(f"minimum voltage {side}", title, r.done, requirements=("CHA-017",)))


@pytest.mark.verifies("BAT-001", "BAT-003")
@pytest.mark.parametrize("floor", LEAF, ids="{:.0%}".format)
def test_discharge_ends_at_the_floor_of_the_car(bench, evps, events, check, record, picture, floor):
    """Discharge ends at the minimum level the car sends.

    The car's floor is 10 % (published for the LEAF; e-NV200 alike) or 30 % (a recorded LEAF; i-MiEV alike). Discharge
    with rated power until nothing flows.
    """
    r, deep = discharge_to_floor(bench, evps, record, events, floor, f"floor {floor:.0%}")

    check("BAT-001", deep)
    check("BAT-003", deep)
    picture(session_picture(f"floor {floor:.0%}", f"Discharge to {floor:.0%}", r.done, requirements=("BAT-001",)))


@pytest.mark.verifies("BAT-003")
@pytest.mark.parametrize("floor", OUTLANDER, ids="{:.0%}".format)
def test_floors_of_the_outlander(bench, evps, events, check, record, floor):
    """Discharge ends at the floors of another car, too.

    The same with the two floors published for the Outlander.
    """
    check("BAT-003", discharge_to_floor(bench, evps, record, events, floor, f"floor {floor:.0%}")[1])


@pytest.mark.depth("normal")
@pytest.mark.needs("reserve", "analyzer")
@pytest.mark.verifies("BAT-004")
@pytest.mark.parametrize(("side", "reserve"), RESERVES)
def test_reserve_of_the_user_is_kept(bench, evps, check, record, picture, side, reserve):
    """Discharge ends at the user's reserve and stays ended for an hour.

    Set the reserve, the car's own floor at 10 %, and begin just above it; beside the mains with rated power, on the
    island with 2 kW drawn at most. Over an hour, or for as long as the session lasts, the direction must not go to and
    fro.
    """
    bench.car.set_levels(minimum=0.10)
    bench.charger.set_reserve(reserve)
    if side == "grid":
        evps.in_session("discharge", soc=reserve + ABOVE)
        with record("reserve, grid", period=1.0) as r:
            look_on(bench, HOUR)
    else:
        load = modest(evps)
        with evps.island(soc=reserve + ABOVE), bench.house.drawing(load), record("reserve, island", period=1.0) as r:
            look_on(bench, HOUR)

    soc = r["soc"]
    check("BAT-004", below(reserve, float(soc.y.min()), "soc_below_reserve", float(soc.t[-1]), soc.of))
    check("BAT-004", reversals(r["dc_i"], FLOWS))
    title = f"An hour at the user's reserve of {reserve:.0%}, {side}"
    picture(session_picture(f"reserve {side}", title, r.done, requirements=("BAT-004",)))


@pytest.mark.depth("normal")
@pytest.mark.needs("island", "house", "outage")
@pytest.mark.verifies("BAT-010")
def test_ten_minutes_without_load(bench, evps, check, record, picture):
    """Ten minutes without load on the island end no session.

    The house draws nothing for 10 min, then 2 kW at most: the session must still be there, and feed it.
    """
    with evps.island(), record("no load", period=1.0) as r:
        bench.clock.sleep(IDLE)
        alive = bench.car.in_session
        with bench.house.drawing(modest(evps)):
            bench.clock.sleep(5.0)
            volts = min(leg.voltage().value for leg in bench.house.legs)

    fed = bench.car.in_session and volts >= HELD * evps.ratings.leg_voltage
    check("BAT-010", count("lost_sessions", int(not (alive and fed)), "car and house load"))
    picture(session_picture("no load", "Ten minutes without load, then a load", r.done, requirements=("BAT-010",)))
