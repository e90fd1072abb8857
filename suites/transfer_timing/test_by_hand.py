"""A transfer that is moved by hand (XFR-017): it moves when it is told, in time, and never by itself.

Set-up  EVPS in session, the house drawing a quarter of rated power, on a good mains. With the mains gone and nobody
        there the charger has no power and its session ends; so the house is moved before.
Method  House without its voltage: as t_transfer (rig.metrology.transfer), from a record that begins before the hand is
        laid on. Moves nobody asked for: looks at the charger's display.
"""

import pytest

from rig.errors import DutViolation
from rig.metrology.timing import count
from rig.metrology.transfer import transfer_time
from suites.transfer_timing.outage import BEFORE, POLL, RATE, SYNCHRONISES

pytestmark = pytest.mark.needs("grid", "house", "digitizer:house_l1", "manual_transfer", "island")

LOAD = 0.25
"""Of rated power (XFR-017)."""
GONE = 8.0
"""s the mains stays away with nobody there (project choice: longer than any automatic transfer of a good device)."""
LONGER = 3.0
"""Times the declared re-transfer delay for which a good mains is watched (project choice)."""


def moved(bench, capture, backup, name, quantity):
    """Move the house and time the gap; every leg the digitizer sees."""
    ratings = bench.profile.ratings
    legs = ("house_l1", "house_l2")[: bench.profile.legs]
    wired = legs if bench.records(*legs) is not None else legs[:1]
    with capture(name, wired, BEFORE + SYNCHRONISES + 2.0, RATE) as record:
        bench.clock.sleep(BEFORE)
        bench.charger.move_house(backup)
    if bench.charger.state().on_backup is not backup:
        raise DutViolation(f"{name}: the charger still shows the house {'on the mains' if backup else 'on the car'}")
    waves = [record[leg] for leg in wired]
    return transfer_time(waves, ratings.leg_voltage, ratings.frequency).measurement.named(quantity)


def moves_within(bench, seconds, from_backup):
    """Changes of the display within so many s."""
    here, changes = from_backup, 0
    for _ in range(round(seconds / POLL)):
        bench.clock.sleep(POLL)
        now = bench.charger.state().on_backup
        changes += now is not here
        here = now
    return changes


@pytest.mark.verifies("XFR-017")
def test_the_house_is_moved_and_brought_back(evps, bench, profile, capture, check):
    """To the car by hand, there it stays with a good mains, with none and with a good one again; and back by hand."""
    rated = profile.ratings.power
    delay = profile.figure("retransfer_delay") or 0.0
    with bench.house.drawing(LOAD * rated):
        evps.in_session("standby")
        check("XFR-017", moved(bench, capture, True, "house to the car by hand", "hand_gap"))
        changes = moves_within(bench, LONGER * delay, True)
        bench.grid.interrupt()
        changes += moves_within(bench, GONE, True)
        bench.grid.supply(profile.ratings.leg_voltage, profile.ratings.frequency)
        changes += moves_within(bench, LONGER * delay, True)
        check("XFR-017", count("unasked_moves", changes, "the charger's display", bench.clock.now()))
        check("XFR-017", moved(bench, capture, False, "house back by hand", "hand_return_gap"))


@pytest.mark.verifies("XFR-017")
def test_nobody_there(evps, bench, profile, check):
    """The mains goes with nobody at the switch: the house stays on it, dark, until it comes back."""
    with bench.house.drawing(LOAD * profile.ratings.power):
        evps.in_session("standby")
        bench.grid.interrupt()
        changes = moves_within(bench, GONE, False)
        bench.grid.supply(profile.ratings.leg_voltage, profile.ratings.frequency)
        changes += moves_within(bench, GONE, False)
    check("XFR-017", count("unasked_moves", changes, "the charger's display", bench.clock.now()))
