"""The rule set as a machine: its catalogue, its shortcut for unchanged frames, holes, sessions, wakes."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from rule_case import judged
from scripted_session import (
    FOREVER,
    Story,
    Timed,
    charge_only,
    good,
    greeting,
    measured,
)

from rig.can.frame import Frame
from rig.chademo.codec import (
    ChargerCapability,
    ChargerStatus,
    VehicleStatus,
)
from rig.chademo.events import ContactorMoved, Sample, WireChanged
from rig.chademo.rules import (
    ALL,
    blackout,
    contactors,
    current,
    discharge,
    handshake,
    permission,
    stop,
    traffic,
    vehicle,
)
from rig.chademo.rules.rule import Rule, RuleState
from rig.chademo.rules.ruleset import RuleSet
from rig.chademo.session import Phase
from rig.clock import VirtualClock
from rig.errors import UseError
from rig.machine import run_on

GRADES = {"measured", "seen", "second-hand", "memory", "project"}


def broken(seen: RuleSet) -> set[str]:
    return {v.rule.id for v in seen.verdicts() if v.state is RuleState.BROKEN}


def kept(seen: RuleSet) -> set[str]:
    return {v.rule.id for v in seen.verdicts() if v.state is RuleState.KEPT}


# -- the catalogue


def test_the_catalogue_holds_every_family_once() -> None:
    families = (traffic, handshake, permission, contactors, current, discharge, stop, blackout, vehicle)
    ids = [rule.id for family in families for rule in family.RULES]
    assert [rule.id for rule in ALL] == ids
    assert len(set(ids)) == len(ids) >= 40
    assert {rule.duty for rule in ALL} == {"vehicle", "charger"}


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.id)
def test_a_rule_says_all_that_a_report_needs(rule: Rule) -> None:
    assert rule.id.startswith("R-")
    assert rule.id == rule.id.upper()
    assert rule.title
    assert rule.source
    assert rule.tolerance
    assert rule.unit
    assert rule.confidence in GRADES
    assert rule.hears
    assert ("project choice" in rule.source) == (rule.confidence == "project")
    assert "log A" not in rule.source or rule.confidence in ("measured", "second-hand", "project")


def test_the_same_rule_twice_is_refused() -> None:
    with pytest.raises(UseError, match="R-ANSWER, R-ORDER, R-V2H-FRAMES are there twice"):
        RuleSet((*traffic.RULES, *traffic.RULES[-3:]))


# -- good sessions


def old_vehicle() -> Story:
    """A vehicle of protocol 0.9: 102.5.3 means nothing, and d2 is held for it."""
    story = charge_only().hold(VehicleStatus, 0.0, protocol=1, contactor_open=False)
    return story.retime(WireChanged("d2", False), 17.2).retime(WireChanged("d1", False), FOREVER)


@pytest.mark.parametrize(
    ("story", "most_unknown"),
    [
        pytest.param(good, 43, id="wires"),
        pytest.param(lambda: measured(good()), 40, id="wires and instrument"),
        pytest.param(lambda: good().without(WireChanged, ContactorMoved), 62, id="frames only"),
        pytest.param(charge_only, 48, id="charge only"),
        pytest.param(old_vehicle, 62, id="a vehicle of 0.9"),
    ],
)
def test_a_good_session_breaks_nothing(story: Callable[[], Story], most_unknown: int) -> None:
    seen = judged(ALL, story().stream())
    assert broken(seen) == set()
    assert len(ALL) - len(kept(seen)) <= most_unknown


def test_the_phases_of_the_good_session() -> None:
    seen, trail = RuleSet(()), [Phase.WAITING]
    for now, event in good().without(WireChanged, ContactorMoved).stream():
        seen.step(now, event)
        if seen.session.phase is not trail[-1]:
            trail.append(seen.session.phase)
    P = Phase
    assert trail == [
        P.WAITING, P.HANDSHAKE, P.ENABLED, P.LOCKED, P.INSULATION, P.TESTED, P.CLOSED, P.REQUESTED, P.STANDBY,
        P.CHARGING, P.STANDBY, P.DISCHARGING, P.STOPPING, P.WELD_CHECK, P.OPEN, P.UNLOCKED,
    ]  # fmt: skip


def test_a_second_session_is_judged_anew() -> None:
    """The same session again after a pause: what must be constant may differ, what was broken before stays told."""
    first = good().hold(VehicleStatus, 9.0, 9.1, charged_rate=101).stream()
    again = good().hold(VehicleStatus, 0.0, protocol=3).hold(ChargerCapability, 0.0, available_current=20).stream()
    seen = judged(ALL, [*first, *((at + 30.0, event) for at, event in again)])
    assert broken(seen) == {"R-CHARGED-RATE"}
    assert seen.session.number == 2


def test_a_breach_that_lasts_is_told_once_and_again_when_it_comes_back() -> None:
    story = good().hold(ChargerStatus, 9.0, 9.3, locked=False).hold(ChargerStatus, 9.5, 9.6, locked=False)
    seen = judged([rule for rule in ALL if rule.id == "R-LOCK-HELD"], story.stream())
    assert [v.count for v in seen.verdicts()] == [2]


# -- holes


def cycles(*numbers: int) -> list[Timed]:
    """Cycles of the greeting by number, each at its own time."""
    stream = greeting(9.0).stream()
    frames = ((at, event) for at, event in stream if isinstance(event, Frame))
    return [(at, frame) for at, frame in frames if math.floor((at - 1) * 10 + 1e-9) in numbers]


@pytest.mark.parametrize("lost", [1, 8])
@pytest.mark.parametrize(("hole", "wrong"), [(False, True), (True, False)])
def test_nobody_is_blamed_for_what_could_not_be_read(lost: int, hole: bool, wrong: bool) -> None:
    seen = RuleSet(ALL)
    for now, event in cycles(*range(20)):
        seen.step(now, event)
    after = cycles(*range(20 + lost, 60))
    if hole:
        seen.hole(after[0][0])
    for now, event in after:
        seen.step(now, event)
    seen.close(now)
    assert bool(broken(seen)) is wrong
    if not wrong:
        assert "R-PERIOD-VEHICLE" in kept(seen)


def test_a_hole_excuses_one_gap_and_not_the_next() -> None:
    seen = RuleSet(ALL)
    for now, event in cycles(*range(20)):
        seen.step(now, event)
    seen.hole(3.1)
    for now, event in cycles(21, 22, 24, 25):
        seen.step(now, event)
    assert broken(seen) == {"R-PERIOD-VEHICLE", "R-PERIOD-CHARGER"}


# -- as a machine


def test_deadlines_are_told_on_a_clock_without_any_frame() -> None:
    clock, found = VirtualClock(), []
    runner = run_on(clock, RuleSet(ALL), lambda one: found.append((clock.now(), one.rule)))
    for at, event in greeting(1.05).stream():
        clock.at(at, lambda event=event: runner.tell(event))  # type: ignore[misc]
    clock.sleep(20.0)
    assert [(pytest.approx(at, abs=0.001), rule) for at, rule in [(2.0, "R-ANSWER"), (9.13, "R-D1-ENABLE")]] == found


def test_a_sample_counts_for_one_cycle_and_then_the_report_does() -> None:
    seen = RuleSet(())
    for now, event in good().stream():
        if now > 9.0:
            break
        seen.step(now, event)
    seen.step(9.0, Sample("dc_current", 17.0))
    assert seen.session.current == 17.0
    assert seen.step(9.0, None).wake_at == pytest.approx(9.11)
    seen.step(9.12, None)
    assert seen.session.current == 14.0


@pytest.mark.parametrize(("fall", "opens", "breaks"), [(0, 0.10, True), (60, 0.10, False), (20, 0.10, False)])
def test_a_falling_current_is_not_known_at_the_moment_of_opening(fall: float, opens: float, breaks: bool) -> None:
    """14 A, then one report lower: the charger cuts d2 some time after it. Nobody knows how fast it went on falling."""
    story = good().hold(ChargerStatus, 9.0, output_current=14 - fall / 10).wire(9.0653 + opens - 0.001, "d2", False)
    rules = [rule for rule in ALL if rule.id == "R-CUT-LOAD"]
    assert bool(broken(judged(rules, [item for item in story.stream() if item[0] < 9.165]))) is breaks
