"""What the charger's own meter asks of it: bounds first, wish second; and what a mains off nominal leaves of it."""

from __future__ import annotations

import math

import pytest

from instruments.evps.behaviour import Behaviour
from instruments.evps.events import SetMeter
from instruments.evps.grid_codes import CODES
from instruments.evps.managing import asked, bounds, wanted_by_mains
from instruments.evps.situation import NOTHING

GOOD = Behaviour(power=6000.0)
MARGIN = GOOD.meter_margin * GOOD.power


def seen(house: float, given: float = 0.0) -> float:
    return house - given


@pytest.mark.parametrize("given", [0.0, 1500.0, -2000.0])
@pytest.mark.parametrize(
    ("least", "most", "wish", "house", "wanted"),
    [
        (None, 2000.0, 0.0, 5000.0, 3000.0 + MARGIN),  # a peak is cut
        (None, 2000.0, 0.0, 1000.0, 0.0),  # nothing to cut
        (None, 2000.0, -6000.0, 1500.0, -500.0 + MARGIN),  # charging gives way
        (0.0, None, 6000.0, 2500.0, 2500.0 - MARGIN),  # no export
        (0.0, 0.0, 0.0, 2500.0, 2500.0),  # the house is followed
        (0.0, 0.0, 0.0, -1800.0, -1800.0),  # what the sun leaves over is taken
        (None, 0.0, 0.0, 9000.0, 6000.0),  # no more than it can
    ],
)
def test_bounds_come_before_the_wish(
    least: float | None, most: float | None, wish: float, house: float, wanted: float, given: float
) -> None:
    keep = bounds(SetMeter(least, most))
    assert keep is not None
    reading = NOTHING._replace(p_mains=seen(house, given), p_ac=given)
    assert asked(keep, reading, wish, GOOD) == pytest.approx(wanted)


def test_no_bounds_leave_it_as_pressed() -> None:
    assert bounds(SetMeter(None, None)) is None
    assert bounds(SetMeter(None, 1.0)) == (-math.inf, 1.0)


@pytest.mark.parametrize(
    ("hz", "pu", "share"), [(50.0, 1.0, 1.0), (50.2, 1.0, 1.0), (51.2, 1.0, 0.6), (50.0, 1.08, 0.5), (51.2, 1.09, 0.25)]
)
def test_a_mains_too_fast_or_too_high_is_given_less(hz: float, pu: float, share: float) -> None:
    b = Behaviour(u_nominal=230.0, legs=1, supports=True, grid_code=CODES["vde-ar-n-4105-2018"])
    reading = NOTHING._replace(f_mains=hz, u_house=(230.0 * pu, 0.0))
    assert wanted_by_mains(b, reading) == pytest.approx(share)
    assert wanted_by_mains(Behaviour(), reading) == 1.0
