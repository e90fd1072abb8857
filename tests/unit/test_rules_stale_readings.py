"""A reading is of the past: a current that falls fast, seen by a slow instrument, never breaks a rule that it keeps.

The current of a stop is drawn, not taken from any emulator: 10 A of discharge that hold on for a while after the stop
and then fall. What the charger reports is at most 20 ms old when it is sent; the instrument shows the mean of its last
whole update, and is read every 100 ms whatever it does.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from rule_case import judged
from scripted_session import DISCHARGE, KINDS, STOP, Story, good

from rig.chademo.codec import ChargerDischarge, ChargerStatus
from rig.chademo.events import ContactorMoved, Sample, WireChanged
from rig.chademo.rules import ALL
from rig.chademo.rules.rule import RuleState
from rig.chademo.rules.ruleset import RuleSet

CURRENT = 10.0
OF_CURRENT = [rule for rule in ALL if rule.unit == "A"]


class Fall:
    """A, out of the battery, positive: CURRENT, from `begins` (s) on falling by `slope` A/s to 0."""

    def __init__(self, begins: float, slope: float) -> None:
        self.begins, self.slope = begins, slope

    def at(self, t: float) -> float:
        return max(0.0, CURRENT - self.slope * max(0.0, t - self.begins))

    def mean(self, since: float, until: float) -> float:
        """Of a window, by 200 of its moments."""
        return float(np.mean([self.at(t) for t in np.linspace(since, until, 200)]))

    def reaches(self, amperes: float) -> float:
        """s at which it is down to that."""
        return self.begins + (CURRENT - amperes) / self.slope


def story_of(fall: Fall, update: float, phase: float, cut_at: float) -> Story:
    """Stopped by k; d2 goes the moment the current is down to cut_at (A), the contactors 15 ms later."""
    story = good().retime(WireChanged("k", False), STOP)
    cut = fall.reaches(cut_at)
    story.retime(WireChanged("d2", False), cut).retime(ContactorMoved(False), cut + 0.015)
    story.hold(ChargerStatus, STOP, fall.reaches(0.5) + 0.05, running=True)
    place = KINDS[ChargerDischarge][1]
    for cycle in range(12):
        sent = STOP + cycle / 10 + place
        story.hold(ChargerDischarge, sent - 1e-6, sent + 0.099, discharge_current=round(fall.at(sent - 0.02)))
    for n in range(math.ceil((STOP + 2.0 - DISCHARGE - 0.5) / 0.1)):
        asked = DISCHARGE + 1.0 + n / 10 + phase
        ended = math.floor(asked / update) * update
        shown = fall.mean(ended - update, ended) if asked < cut + 0.015 else 0.0
        story.events.append((asked, Sample("dc_current", -shown, asked - ended + update)))
    return story


def broken(seen: RuleSet) -> dict[str, str]:
    return {
        v.rule.id: str(v.first) for v in seen.verdicts() if v.state is RuleState.BROKEN and v.rule.duty == "charger"
    }


@pytest.mark.parametrize("update", [0.02, 0.1, 0.25, 0.5])
@pytest.mark.parametrize("slope", [50.0, 150.0, 400.0, 1e5])
@pytest.mark.parametrize("holds", [0.02, 0.38])
def test_a_current_that_is_down_in_time_breaks_nothing_however_slowly_it_is_read(
    update: float, slope: float, holds: float
) -> None:
    fall = Fall(STOP + holds, slope)
    assert fall.reaches(5.0) - STOP < 0.5
    for phase in (0.0, 0.017, 0.031, 0.049, 0.066, 0.083):
        assert broken(judged(OF_CURRENT, story_of(fall, update, phase, 4.9).stream())) == {}, phase


@pytest.mark.parametrize("update", [0.02, 0.5])
def test_a_current_that_stays_after_a_stop_is_told_however_slowly_it_is_read(update: float) -> None:
    """Held for a second after k: told by what the charger itself reports, at the latest."""
    found = broken(judged(OF_CURRENT, story_of(Fall(STOP + 1.0, 1e5), update, 0.031, 4.9).stream()))
    assert "R-STOP-K" in found


@pytest.mark.parametrize("update", [0.02, 0.1, 0.5])
def test_a_current_that_is_cut_out_of_nothing_is_told_however_slowly_it_is_read(update: float) -> None:
    """Nothing had moved: d2 goes while 10 A flow as before, and the contactors with it."""
    story = story_of(Fall(STOP - 0.4, 1e5), update, 0.031, CURRENT - 0.001)
    assert {"R-CUT-LOAD", "R-CUT-OPENING"} <= broken(judged(OF_CURRENT, story.stream())).keys()


def test_a_slow_reading_gives_way_to_the_report() -> None:
    """What began more than a cycle ago says nothing of now; how it looked in its time may still be compared."""
    seen = RuleSet(())
    for now, event in good().stream():
        if now > 9.0:
            break
        seen.step(now, event)
    seen.step(9.0, Sample("dc_current", 3.0, age=0.2))
    assert seen.session.current == 14.0
    assert seen.session.just_sampled("dc_current") == 3.0
    seen.step(9.1, Sample("dc_current", 3.0, age=0.05))
    assert seen.session.current == 3.0
    assert seen.step(9.1, None).wake_at == pytest.approx(9.16)
