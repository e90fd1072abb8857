"""The charger's card of a run: from the sessions of its tests, the same whether a run was cut off or not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from scripted_session import Story, good, greeting

from reports.card import shown
from rig.chademo.codec import ChargerStatus
from rig.chademo.rules import ALL
from rig.chademo.rules.ruleset import RuleSet
from rig.charger_card import COURSE, KNOWN, SAYS, CardMaker, Observed
from rig.evidence.documents import CardRow, ChargerCard, OutputDeviation, SessionsSeen


def watched(story: Story, spoiled: Callable[[], bool] = lambda: False) -> tuple[RuleSet, SessionsSeen | None]:
    rules = RuleSet(ALL)
    observed, now = Observed(rules, spoiled), 0.0
    for now, event in story.stream():
        observed.step(now, event)
    rules.close(now)
    return rules, observed.seen(now)


def made(*stories: Story) -> ChargerCard:
    maker, verdicts = CardMaker(), {}
    for story in stories:
        rules, seen = watched(story)
        assert seen is not None
        maker.take(seen)
        verdicts = {one.rule.id: one for one in rules.verdicts()}
    card = maker.card(verdicts)
    assert card is not None
    return card


def rows(card: ChargerCard) -> dict[str, CardRow]:
    return {row.key: row for row in (*card.says, *card.course)}


def test_a_session_in_figures() -> None:
    card = made(good())
    assert (card.sessions, card.spoiled, card.versions, card.broken) == (1, 0, ("1.0 to 1.2",), ())
    found = rows(card)
    assert found["offered_current"].most == 15
    assert found["charger_v2h"].flag
    assert found["lock_time"].median == pytest.approx(1.0, abs=0.1)
    assert found["charge_ramp"].most == pytest.approx(20.0)
    assert found["discharge_ramp"].most == pytest.approx(20.0)
    assert (found["run_time"].rule, found["run_time"].state) == ("R-RUN-TIME", "kept")
    assert "vehicle_protocol" not in found


def test_sessions_add_up_from_the_least_to_the_most() -> None:
    late = good().hold(ChargerStatus, 3.0, 3.3, locked=False)
    lock = rows(made(good(), good(), late))["lock_time"]
    assert lock.count == 3
    assert lock.most == pytest.approx(lock.least + 0.3, abs=0.05)
    assert lock.median == lock.least


def test_a_broken_rule_stands_on_the_card() -> None:
    card = made(good().hold(ChargerStatus, 9.0, 9.9, output_current=30))
    assert "R-CHARGE-LIMIT" in card.broken
    assert rows(card)["charge_peak"].state == "broken"
    assert "R-CHARGE-LIMIT" in shown(card).lines[-1]


def test_a_session_in_which_the_car_misbehaves_is_counted_and_left_out() -> None:
    _, seen = watched(good(), lambda: True)
    assert seen == SessionsSeen(sessions=0, spoiled=1)
    maker = CardMaker()
    maker.take(seen)
    card = maker.card({})
    assert card is not None
    assert (card.sessions, card.spoiled, card.says) == (0, 1, ())
    assert "1 more" in shown(card).head


def test_a_car_that_misbehaves_after_its_session_spoils_nothing() -> None:
    story = good()
    last = story.stream()[-1][0]
    clock = [0.0]
    rules = RuleSet(ALL)
    observed = Observed(rules, lambda: clock[0] > 16.5)
    for clock[0], event in story.stream():
        observed.step(clock[0], event)
    seen = observed.seen(last)
    assert seen is not None
    assert (seen.sessions, seen.spoiled) == (1, 0)


def test_without_a_session_there_is_no_card() -> None:
    assert watched(Story(2.0))[1] is None
    assert CardMaker().card({}) is None
    assert rows(made(greeting())).keys() >= {"offered_current"}


def test_deviations_are_weighed_by_their_time() -> None:
    maker = CardMaker()
    for mean, worst, seconds in ((-1.0, -2.0, 3.0), (1.0, 1.5, 1.0)):
        maker.take(SessionsSeen(sessions=1, deviation=OutputDeviation(mean=mean, worst=worst, seconds=seconds)))
    card = maker.card({})
    assert card is not None
    assert card.deviation == OutputDeviation(mean=-0.5, worst=-2.0, seconds=4.0)


def test_what_the_card_names_is_known() -> None:
    assert set(COURSE) <= KNOWN.keys()
    assert all(KNOWN[key].side is None for key in COURSE)
    assert SAYS
