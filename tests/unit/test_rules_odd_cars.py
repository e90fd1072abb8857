"""Rules beside a car that does what no good car does: the charger is blamed for its own doing only.

Each rule sees two stories: one in which only the car is odd, and one in which the charger is at fault beside it.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rule_case import verdict
from scripted_session import CHARGER_FRAMES, CHECKED, CLOSE, REQUEST, RUN, STOP, Story, good

from rig.chademo.codec import ChargerCapability, ChargerStatus, VehicleStatus
from rig.chademo.events import WireChanged
from rig.chademo.rules import ALL
from rig.chademo.rules.rule import RuleState

BY_ID = {rule.id: rule for rule in ALL}


def asks_early() -> Story:
    return good().hold(VehicleStatus, 4.0, REQUEST, current_request=10)


def never_says_closed() -> Story:
    return good().hold(VehicleStatus, CLOSE, contactor_open=True).hold(ChargerStatus, RUN, running=False)


def never_starts() -> Story:
    return good().hold(ChargerStatus, RUN, running=False, stopping=True)


def pause(start: float) -> Story:
    """The charger is silent for six cycles."""
    return good().mute(CHARGER_FRAMES, start, start + 0.5)


def never_checked(released: float) -> Story:
    """102.5.3 stays 0 after the stop; the charger lets go of d2 at `released`, of d1 a second later."""
    story = good().hold(VehicleStatus, CHECKED, contactor_open=False)
    story.end = released + 2.0
    return story.retime(WireChanged("d2", False), released).retime(WireChanged("d1", False), released + 1.0)


def pulled() -> Story:
    return never_checked(16.0).wire(15.0, "proximity", False)


def withdrawn() -> Story:
    return good().hold(VehicleStatus, 9.0, discharge_compatible=False)


def never_v2h() -> Story:
    return good().hold(VehicleStatus, 0.0, discharge_compatible=False)


CASES: dict[str, tuple[str, Callable[[], Story], Callable[[], Story]]] = {
    "asks while its contactors are open": ("R-RUN-TIME", asks_early, never_starts),
    "says open with its contactors closed": ("R-RUN-TIME", never_says_closed, never_starts),
    "a new session within a second": ("R-PERIOD-CHARGER", lambda: pause(16.5), lambda: pause(9.0)),
    "the welding check never ends": (
        "R-D2-CHECKED", lambda: never_checked(STOP + 10.5), lambda: never_checked(STOP + 9.0)),
    "the plug is pulled": ("R-D2-CHECKED", pulled, lambda: never_checked(16.0)),
    "it withdraws discharge": ("R-AVAILABLE-FIXED", withdrawn, never_v2h),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_charger_is_not_blamed_for_the_car(case: str) -> None:
    rule, odd, _ = CASES[case]
    found = verdict(BY_ID[rule], odd())
    assert found.state is not RuleState.BROKEN, str(found.first)


@pytest.mark.parametrize("case", CASES)
def test_the_charger_is_blamed_for_its_own(case: str) -> None:
    rule, _, bad = CASES[case]
    assert verdict(BY_ID[rule], bad()).state is RuleState.BROKEN


def test_the_good_session_offers_less_while_it_discharges() -> None:
    """What the case of R-AVAILABLE-FIXED rests on."""
    offers = {event.data for _, event in good().stream() if getattr(event, "id", 0) == 0x108}
    assert offers == {ChargerCapability(True, 500, amperes, 435).encode().data for amperes in (15, 0)}
