"""The PCS alone: what it takes for a loss, when it moves, and in which order."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from instruments.evps.behaviour import Behaviour
from instruments.evps.events import Ability, MainsSeen, Offset, PcsCoil, PcsIn, PcsOut, SetTransfer, Supply, Transfer
from instruments.evps.pcs import Pcs, Place, detection_delay
from rig.machine import Step
from rig.plant.ports import PcsMoved

GOOD = MainsSeen((100.0, 100.0), 50.0, 0.0)
LOST = MainsSeen((0.0, 0.0), 50.0, 90.0, 0.002)
IN_STEP = Offset(0.0, 0.0, 0.5)
OPERATE, RELEASE = 0.008, 0.004
B = Behaviour()


class Desk:
    """A PCS in its own time, with a contact that follows its coil. offset: what a comparison shows."""

    def __init__(self, b: Behaviour = B, offset: Offset = IN_STEP) -> None:
        self.pcs = Pcs(b)
        self.now = 0.0
        self.offset = offset
        self.out: list[tuple[float, PcsOut]] = []
        self.wake: float | None = None
        self.contact: tuple[float, bool] | None = None
        self.closed = True
        self.tell(None)

    def tell(self, event: PcsIn | None) -> None:
        step: Step[PcsOut] = self.pcs.step(self.now, event)
        self.wake = step.wake_at
        for out in step.out:
            self.out.append((self.now, out))
            if isinstance(out, PcsCoil):
                due = self.now + (OPERATE if out.closed else RELEASE)
                self.contact = None if out.closed == self.closed else (due, out.closed)

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while True:
            wake = math.inf if self.wake is None else self.wake
            moved = math.inf if self.contact is None else self.contact[0]
            due = min(wake, moved)
            if due > end:
                break
            self.now = max(self.now, due)
            if self.contact is not None and moved <= self.now:
                self.closed, self.contact = self.contact[1], None
                self.tell(PcsMoved(self.closed))
            else:
                self.tell(self.offset if self.pcs.comparing else None)
        self.now = end

    def at(self, out: PcsOut) -> float:
        """s of the last such output."""
        return max((at for at, said in self.out if said == out), default=math.nan)

    @property
    def supply(self) -> Supply:
        return [out for _, out in self.out if isinstance(out, Supply)][-1]


def test_a_portable_station_is_an_island_from_the_first() -> None:
    desk = Desk(replace(B, mains=False))
    desk.tell(SetTransfer(True))
    desk.tell(Ability(True, False))
    desk.tell(GOOD)
    desk.run(60.0)
    assert [out for _, out in desk.out] == [Supply.ISLAND]


def served(b: Behaviour = B, can_form: bool = True, automatic: bool = True, offset: Offset = IN_STEP) -> Desk:
    desk = Desk(b, offset)
    desk.tell(SetTransfer(automatic))
    desk.tell(Ability(can_form, False))
    desk.tell(GOOD)
    desk.run(b.retransfer_delay + 1.0)
    return desk


def islanded(**more: object) -> Desk:
    desk = served(**more)  # type: ignore[arg-type]
    desk.tell(LOST)
    desk.run(1.0)
    assert desk.supply is Supply.ISLAND
    return desk


# -- what a loss is


@pytest.mark.parametrize("frequency", [50.0, 60.0])
def test_a_loss_is_seen_within_half_a_cycle_at_every_angle(frequency: float) -> None:
    b = replace(B, f_nominal=frequency)
    delays = [
        detection_delay(1.0, MainsSeen((0.0, 0.0), frequency, float(angle), 0.002), b) for angle in range(0, 360, 3)
    ]
    assert max(delays) < 0.5 / frequency
    assert min(delays) > b.loss_confirm


def test_it_takes_longer_near_a_zero_crossing_than_at_a_peak() -> None:
    at = {angle: detection_delay(1.0, MainsSeen((0.0, 0.0), 50.0, angle, 0.0), B) for angle in (80.0, 170.0)}
    assert at[170.0] > at[80.0]


@pytest.mark.parametrize("share", [0.5, 0.52, 0.7, 0.88, 1.0, 1.1])
def test_a_sag_to_half_and_above_is_no_loss(share: float) -> None:
    for angle in range(0, 360, 15):
        assert math.isinf(detection_delay(1.0, MainsSeen((100 * share,) * 2, 50.0, float(angle)), B))


def test_one_lost_leg_is_a_loss() -> None:
    assert detection_delay(1.0, MainsSeen((100.0, 0.0), 50.0, 90.0), B) < 0.01


# -- there


def test_the_contact_opens_before_the_stage_may_form() -> None:
    desk = served()
    begun = desk.now
    desk.tell(LOST)
    desk.run(0.1)
    assert begun < desk.at(PcsCoil(False)) < begun + 0.01
    assert desk.at(Supply.CEASE) == desk.at(PcsCoil(False))
    assert desk.at(Supply.ISLAND) >= desk.at(PcsCoil(False)) + RELEASE


def test_without_a_car_the_contact_stays_and_the_supply_is_out() -> None:
    desk = served(can_form=False)
    desk.tell(LOST)
    desk.run(1.0)
    assert desk.supply is Supply.OUT
    assert desk.pcs.place is Place.MAINS
    assert not [out for _, out in desk.out if isinstance(out, PcsCoil)]


def test_in_manual_mode_only_a_hand_moves_the_house() -> None:
    desk = served(automatic=False)
    desk.tell(LOST)
    desk.run(1.0)
    assert desk.supply is Supply.OUT
    desk = served(automatic=False)
    desk.tell(Transfer(True))
    desk.run(60.0)
    assert desk.supply is Supply.ISLAND
    desk.tell(Transfer(False))
    desk.run(1.0)
    assert desk.supply is Supply.GRID


def test_a_hand_cannot_transfer_what_the_car_cannot_carry() -> None:
    desk = served(automatic=False, can_form=False)
    desk.tell(Transfer(True))
    desk.run(1.0)
    assert desk.supply is Supply.GRID
    desk.tell(Ability(True, False))
    desk.run(1.0)
    assert desk.supply is Supply.GRID


def test_a_dropout_shorter_than_its_detection_is_ridden_through() -> None:
    desk = served()
    desk.tell(LOST)
    desk.run(0.0005)
    desk.tell(GOOD)
    desk.run(5.0)
    assert desk.supply is Supply.GRID
    assert desk.closed


@pytest.mark.parametrize(
    ("seen", "least", "most"),
    [
        (MainsSeen((125.0, 125.0), 50.0, 0.0), 0.0, 0.16),
        (MainsSeen((80.0, 80.0), 50.0, 0.0), 20.0, 21.0),
        (MainsSeen((100.0, 100.0), 47.0, 0.0), 0.0, 0.16),
        (MainsSeen((100.0, 100.0), 53.0, 0.0), 0.0, 0.16),
    ],
)
def test_protections_act_in_their_time(seen: MainsSeen, least: float, most: float) -> None:
    desk = served()
    begun = desk.now
    desk.tell(seen)
    desk.run(30.0)
    assert least <= desk.at(PcsCoil(False)) - begun <= most


def test_grid_codes_bind_only_while_it_feeds() -> None:
    over = MainsSeen((117.0, 117.0), 50.0, 0.0)  # beyond 230 V of 200 V, inside what an idle charger rides through
    desk = served(can_form=False)
    desk.tell(over)
    desk.run(30.0)
    assert desk.supply is Supply.GRID
    desk.tell(Ability(False, True))
    begun = desk.now
    desk.run(30.0)
    assert desk.supply is Supply.CEASE
    assert desk.at(Supply.CEASE) - begun <= 2.0


def test_after_a_cease_the_mains_must_be_good_for_the_delay() -> None:
    desk = served(can_form=False)
    desk.tell(MainsSeen((125.0, 125.0), 50.0, 0.0))
    desk.run(1.0)
    desk.tell(GOOD)
    back = desk.now
    desk.run(20.0)
    assert desk.at(Supply.GRID) - back == pytest.approx(B.retransfer_delay, abs=0.01)


# -- and back


def test_the_delay_runs_from_the_last_time_the_mains_was_bad() -> None:
    desk = islanded()
    desk.tell(GOOD)
    desk.run(3.0)
    desk.tell(LOST)
    desk.run(0.05)
    desk.tell(GOOD)
    back = desk.now
    desk.run(20.0)
    assert B.retransfer_delay <= desk.at(PcsCoil(True)) - back <= B.retransfer_delay + 2 * B.sync_look
    assert desk.supply is Supply.GRID


def test_the_stage_stops_forming_just_before_the_contact_touches() -> None:
    desk = islanded()
    desk.tell(GOOD)
    desk.run(20.0)
    touch = desk.at(PcsCoil(True)) + OPERATE
    assert 0.0 < touch - desk.at(Supply.CEASE) <= 0.002
    assert desk.at(Supply.GRID) >= touch


@pytest.mark.parametrize(
    "offset", [Offset(0.4, 0.0, 0.0), Offset(0.0, 0.12, 0.0), Offset(0.0, -0.12, 0.0), Offset(0.0, 0.0, 25.0)]
)
def test_it_does_not_close_outside_the_window(offset: Offset) -> None:
    desk = islanded(offset=offset)
    desk.tell(GOOD)
    desk.run(60.0)
    assert desk.supply is Supply.ISLAND
    desk.offset = IN_STEP
    desk.run(1.0)
    assert desk.supply is Supply.GRID


def test_it_does_not_close_on_a_mains_that_is_not_good() -> None:
    desk = islanded()
    desk.tell(MainsSeen((100.0, 100.0), 50.5, 0.0))
    desk.run(60.0)
    assert desk.supply is Supply.ISLAND


def test_a_mains_that_fails_while_it_closes_is_left_again() -> None:
    desk = islanded()
    desk.tell(GOOD)
    while desk.pcs.place is not Place.CLOSING:
        desk.run(0.001)
    desk.tell(replace(LOST, decay=0.0))
    desk.run(0.5)
    assert desk.supply is Supply.ISLAND
    assert not desk.closed


def test_a_car_that_can_no_longer_form_gives_the_house_back() -> None:
    desk = islanded()
    desk.tell(Ability(False, False))
    desk.run(1.0)
    assert desk.supply is Supply.OUT
    assert desk.closed
    assert desk.at(Supply.OUT) < desk.at(PcsCoil(True)) + OPERATE


# -- defects are figures


@pytest.mark.parametrize(
    ("change", "late"),
    [
        (lambda b: replace(b, transfer_late=0.9), 0.9),
        (lambda b: replace(b, transfer_late=0.0), 0.0),
    ],
)
def test_a_late_charger_forms_late(change: Callable[[Behaviour], Behaviour], late: float) -> None:
    desk = served(change(B))
    desk.tell(LOST)
    desk.run(3.0)
    after = RELEASE + B.dead_time + late
    assert desk.at(Supply.ISLAND) - desk.at(PcsCoil(False)) == pytest.approx(after, abs=1e-6)


def test_a_timer_that_runs_on_closes_too_early() -> None:
    desk = islanded(b=replace(B, delay_restarts=False))
    desk.tell(GOOD)
    desk.run(3.0)
    desk.tell(LOST)
    desk.run(0.05)
    desk.tell(GOOD)
    back = desk.now
    desk.run(20.0)
    assert desk.at(PcsCoil(True)) - back < 3.0
