"""The AC side goes away in every phase of a session (chademo.md 2, contactor protection [FURDOG RTM A.4.4h]).

Set-up  EVPS beside the mains, pack at 50 %, rated AC power.
Signs   Current positive into the battery.
Method  The mains is opened or sags in one phase. In this order: the current goes, d1 and d2 go, the contactors open,
        none of it under load; that is judged by the rules beside (R-CUT-*, R-OPEN-*, R-SILENT-*). Here: the session is
        over where nobody can carry it on, and stays where the charger says that it can.
"""

import pytest

from rig.chademo.events import WireChanged
from suites.chademo_protocol.endings import blame, free, over, running
from suites.chademo_protocol.stages import ALL, BEFORE_POWER, ENDING, FLOWING, S

pytestmark = pytest.mark.needs("grid")

SOURCE = "chademo.md 2 contactor protection [FURDOG RTM A.4.4h]: also during AC input blackout / brown-out"
BACK_AFTER = 2.0
"""s of mains lost in a short interruption (project choice: above any hold-up time without a battery behind it)."""
SAG, SAG_FOR = 0.6, 0.2
"""Fraction of nominal, s: a sag that must be ridden through (standards.md XFR-014)."""


def by_value(stage):
    return stage.value


ANGLES = [pytest.param(stage, angle, id=f"{stage.value}-{angle}deg") for stage in ALL for angle in (0, 90)
          if angle == 0 or stage in FLOWING]  # fmt: skip
"""Phases and degrees of leg L1; where no power flows one angle is as good as another."""


@pytest.mark.parametrize(("stage", "angle"), ANGLES)
def test_blackout_ends_the_session_in_order(bench, walk, step, stage, angle):
    """The mains goes and nobody takes over: the session ends in order, in whichever phase it stood.

    Transfer is switched to manual. Open the mains at a zero crossing or a peak of leg L1, wait, and bring it back: no
    session begins anew by itself.
    """
    step(f"expected by {SOURCE}")
    ratings = bench.profile.ratings
    bench.charger.set_transfer(automatic=False)
    walk.reach(stage)
    since = bench.clock.now()
    bench.grid.interrupt(angle)

    wrong = over(walk, stage, since)
    bench.grid.supply(ratings.leg_voltage, ratings.frequency)
    bench.clock.sleep(BACK_AFTER)
    if not free(bench):
        wrong.append("a session began anew when the mains came back")
    blame(wrong, f"blackout in {stage.value}", SOURCE)


@pytest.mark.parametrize("stage", ALL, ids=by_value)
def test_a_short_interruption_leaves_no_session_half_way(bench, walk, events, step, stage):
    """Two seconds without mains: the session is over or goes on, but nothing hangs and nothing opens under load.

    Transfer is manual; the mains comes back while lines, contactors and flags are on their way. Then press stop.
    """
    step(f"expected by {SOURCE}")
    ratings = bench.profile.ratings
    bench.charger.set_transfer(automatic=False)
    walk.reach(stage)
    since = bench.clock.now()
    bench.grid.interrupt(0)
    bench.clock.sleep(BACK_AFTER)
    bench.grid.supply(ratings.leg_voltage, ratings.frequency)
    bench.clock.sleep(BACK_AFTER)
    anew = events.change(WireChanged("d1", True), since)
    bench.charger.stop()

    wrong = ["a session began anew by itself"] if anew.happened else []
    if stage in ENDING and events.change(WireChanged("lock", True), since).happened:
        wrong.append("the plug was locked again")
    blame([*wrong, *over(walk, S.STOPPING, since + 2 * BACK_AFTER)], f"short interruption in {stage.value}", SOURCE)


@pytest.mark.parametrize("stage", ALL, ids=by_value)
def test_a_sag_changes_nothing(bench, walk, step, stage):
    """A sag to 60 % for 0.2 s is ridden through: the session goes its way as if nothing had been."""
    source = "standards.md XFR-014: a sag to 0.5 and above is ridden through"
    step(f"expected by {source}")
    ratings = bench.profile.ratings
    walk.reach(stage)
    bench.grid.dip(SAG * ratings.leg_voltage, SAG_FOR)
    bench.clock.sleep(1.0)

    wrong = []
    if stage in BEFORE_POWER and not walk.until(lambda s: s.running):
        wrong.append("no power came")
    if stage in FLOWING and not walk.session.running:
        wrong.append("power transfer ended")
    if bench.charger.state().on_backup:
        wrong.append("the house was taken over for it")
    since = bench.clock.now()
    bench.charger.stop()
    blame([*wrong, *over(walk, S.STOPPING, since)], f"sag in {stage.value}", source)


@pytest.mark.needs("transfer", "house")
@pytest.mark.parametrize("stage", [S.CHARGING, S.STANDBY, S.DISCHARGING], ids=by_value)
def test_an_automatic_transfer_keeps_the_session(bench, evps, walk, events, step, stage):
    """With automatic transfer the car takes the house over in the same session: no contactor moves, 109.5.0 stays 1.

    Not in the ramp: there the car's limit 200.0 is still near 0 A, and nobody may discharge beyond it.
    """
    source = "chademo.md 2 V2H run: the direction is free in a session; standards.md XFR-001"
    step(f"expected by {source}")
    walk.reach(stage)
    since = bench.clock.now()
    bench.grid.interrupt(90)

    wrong = [] if evps.on_backup(10.0) else ["the house is not fed from the car"]
    bench.clock.sleep(1.0)
    if not walk.session.running:
        wrong.append("power transfer ended (109.5.0 = 0)")
    if not running(events, since):
        wrong.append("no 0x109 with 109.5.0 = 1 came after the outage")
    blame(wrong, f"transfer in {stage.value}", source)
