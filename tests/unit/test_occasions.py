"""A defect that shows on an occasion only: when it does, and that controller and PCS both hear of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from instruments.evps.behaviour import Behaviour
from instruments.evps.controller import Controller
from instruments.evps.events import MainsSeen, SetMode, Supply
from instruments.evps.occasions import Moment, Moods, holds
from instruments.evps.pcs import Pcs
from rig.plant.ports import StageReading

FLOWING = StageReading(u_out=360.0, i_out=-10.0, u_house=(100.0, 100.0), p_ac=3000.0, alive=True)


@pytest.mark.parametrize(
    ("occasion", "moment", "shows"),
    [
        ("", Moment(), True),
        ("ramping", Moment(ramping=True), True),
        ("ramping", Moment(), False),
        ("later", Moment(session=1), False),
        ("later", Moment(session=2), True),
        ("every:100", Moment(session=0), False),
        ("every:100", Moment(session=99), False),
        ("every:100", Moment(session=200), True),
        ("after:1200", Moment(loaded_for=1199.0), False),
        ("after:1200", Moment(loaded_for=1200.0), True),
        ("near:90", Moment(angle=75.0), True),
        ("near:90", Moment(angle=270.0), True),
        ("near:90", Moment(angle=45.0), False),
        ("near:0", Moment(angle=350.0), True),
        ("near:0", Moment(angle=180.0), True),
        ("near:0", Moment(angle=90.0), False),
    ],
)
def test_an_occasion_is_told_from_the_moment(occasion: str, moment: Moment, shows: bool) -> None:
    assert holds(occasion, moment) is shows


class Charger:
    """Controller and PCS with moods, and what they were given."""

    def __init__(self, *whens: str) -> None:
        self.good = Behaviour()
        self.controller, self.pcs = Controller(self.good), Pcs(self.good)
        self.given: list[tuple[bool, ...]] = []
        self.moods = Moods(self.controller, self.pcs, whens, self._behave)

    def _behave(self, shown: tuple[bool, ...]) -> Behaviour:
        self.given.append(shown)
        return replace(self.good, transfer_late=float(sum(shown)))

    def step(self, now: float, event: object) -> float:
        """The PCS's lateness after a step."""
        self.moods.look(now, event)
        self.controller.step(now, event if isinstance(event, StageReading | SetMode) else None)
        return self.pcs._b.transfer_late


def test_standby_begins_and_ends_it() -> None:
    charger = Charger("standby")
    charger.step(0.0, SetMode("charge"))
    assert charger.step(1.0, None) == 0.0
    charger.step(2.0, SetMode("standby"))
    assert charger.step(3.0, None) == 1.0
    charger.step(4.0, SetMode("discharge"))
    assert charger.step(5.0, None) == 0.0


def test_power_without_a_break_is_counted_and_a_break_begins_anew() -> None:
    charger = Charger("after:1200")
    charger.step(0.0, FLOWING)
    assert charger.step(1.0, None) == 0.0
    assert charger.step(1200.0, FLOWING._replace(i_out=0.0)) == 0.0
    assert charger.step(1201.5, None) == 0.0
    charger.step(1300.0, FLOWING)
    charger.step(1301.0, None)
    assert charger.step(2500.0, None) == 0.0
    assert charger.step(2501.0, None) == 1.0


def test_the_direction_that_flowed_last_is_remembered_through_a_rest() -> None:
    charger = Charger("charging")
    charger.step(0.0, FLOWING._replace(i_out=10.0))
    charger.step(1.0, FLOWING._replace(i_out=0.0))
    assert charger.step(2.0, None) == 1.0
    charger.step(3.0, FLOWING)
    assert charger.step(4.0, None) == 0.0


def test_the_point_on_wave_counts_at_the_change_itself() -> None:
    charger = Charger("near:90", "forming")
    assert charger.step(0.0, MainsSeen((0.0, 0.0), 50.0, 92.0)) == 1.0
    charger.controller.s.supply = Supply.ISLAND
    assert charger.step(1.0, None) == 2.0
    assert charger.given == [(True, False), (True, True)]


def test_behaviour_is_made_once_for_each_set_of_defects_that_show() -> None:
    charger = Charger("standby")
    for number in range(6):
        charger.step(2.0 * number, SetMode("charge" if number % 2 else "standby"))
        charger.step(2.0 * number + 1.0, None)
    assert sorted(charger.given) == [(False,), (True,)]
