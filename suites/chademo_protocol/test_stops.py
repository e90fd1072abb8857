"""Every stop trigger in every phase of a session (CHA-022).

Set-up  EVPS beside the mains, pack at 50 %, rated AC power; a car whose own pauses are short.
Signs   Current positive into the battery.
Method  The session is brought to a phase, one trigger is set off there alone and for good, nobody helps the charger:
        the session must be over and stay over. How fast the current goes, in which order lines, contactors and lock
        follow, and what stands at the connector then is judged by the rules beside.
"""

import pytest

from rig.metrology.timing import count
from suites.chademo_protocol.endings import blame, over
from suites.chademo_protocol.triggers import TRIGGERS

pytestmark = pytest.mark.needs("chademo")

CASES = [
    pytest.param(
        trigger, stage, id=f"{trigger.id}-{stage.value}",
        marks=[pytest.mark.verifies(trigger.requirement)] if trigger.requirement else [],
    )
    for trigger in TRIGGERS
    for stage in trigger.stages
]  # fmt: skip


@pytest.mark.parametrize(("trigger", "stage"), CASES)
def test_trigger_ends_the_session(bench, walk, check, step, trigger, stage):
    """A stop trigger, shown alone in one phase of a session, ends it for good.

    Bring a session to the phase, set the trigger off, wait. Before power transfer there must be none, nor d2 where it
    was off; while power flows 109.5.0 goes to 0 within the car's patience; in the end d1 and d2 are off and the plug is
    free, and nothing begins anew.
    """
    step(f"expected by {trigger.source}")
    walk.reach(stage)
    since = bench.clock.now()
    trigger.act(bench)

    wrong = over(walk, stage, since, silence="silent" in trigger.id)
    if trigger.fault and not bench.charger.state().fault:
        wrong.append("the charger shows no fault that stays until it is acknowledged")
    if trigger.requirement:
        said = "; ".join(wrong) or f"{trigger.id} in {stage.value}"
        check(trigger.requirement, count("unanswered_stops", int(bool(wrong)), said, since))
    blame(wrong, f"{trigger.id} in {stage.value}", trigger.source)
