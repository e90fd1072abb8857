"""A day of the week's house (benchmarks/week), with an outage at which the car is away and one at which it is there.

The account closes to a millionth over circuit and pack together; beside it stand figures that know nothing of either:
what the load profile asks for, and when the mains was gone.
"""

from __future__ import annotations

import pytest

from benchmarks.week.house import DAY, HOUR, House, Outcome
from fixtures.library import find_load
from rig.load_profile import LoadProfile, read_load_profile

AWAY, THERE = (10.0 * HOUR, 10.5 * HOUR), (19.0 * HOUR, 20.5 * HOUR)
BOUND = 1e-6


@pytest.fixture(scope="module")
def profile() -> LoadProfile:
    return read_load_profile(find_load("house-week"))


@pytest.fixture(scope="module")
def day(profile: LoadProfile) -> Outcome:
    return House(profile, (AWAY, THERE), days=1).run()


def asked(profile: LoadProfile, begin: float, end: float) -> float:
    return sum(
        (min(until, end) - max(since, begin)) * watts["house"]
        for since, until, watts in profile.steps()
        if since < end and until > begin
    )


def test_the_account_of_a_day_closes(day: Outcome) -> None:
    account = day.account
    assert account.turnover > 100e6
    assert account.error <= BOUND
    assert day.incidents == ()


def test_the_house_got_what_it_asked_for_but_in_the_outage_without_the_car(day: Outcome, profile: LoadProfile) -> None:
    dark = asked(profile, *AWAY)
    assert day.account.asked == pytest.approx(asked(profile, 0.0, DAY))
    assert day.account.dark == pytest.approx(dark, rel=0.01, abs=1e3)  # a contact moves in 0.1 s
    assert (day.bridged, day.lost) == (THERE[1] - THERE[0], AWAY[1] - AWAY[0])


def test_the_car_gave_what_it_lost(day: Outcome, profile: LoadProfile) -> None:
    """The evening's outage is fed from the car alone, so charge went out; and the swing holds it."""
    worn = day.wear
    out = asked(profile, *THERE) / (380.0 * 65.0 * HOUR)
    assert worn.deepest > out
    assert worn.full_cycles * 2.0 * 65.0 * HOUR == pytest.approx(worn.throughput)
    assert 0.0 < worn.c_mean < worn.c_highest < 0.5
    assert day.lowest >= 0.1
