"""A vehicle that does things in the wrong order, or that does not fit (CHA-007, CHA-009, CHA-010).

Set-up  EVPS beside the mains, pack at 50 %, rated AC power; overlays over a good car from before the plug goes in.
Signs   Voltages and currents as in the frames, V and A.
Method  Press start and wait. Where the facts say that the session must not come about, it must end before power; where
        they say that it must, it must carry power; where they leave it open, it must have an end either way.
"""

import pytest

from rig.chademo.codec import ChargerCapability, ChargerStatus, VehicleStatus
from rig.chademo.events import WireChanged
from rig.chademo.vehicle_state import VehiclePhase
from rig.metrology.timing import count
from suites.chademo_protocol.endings import blame, either, flowing, free, goes_on, over, refused, settled
from suites.chademo_protocol.stages import COMES_WITHIN, S

pytestmark = pytest.mark.needs("chademo")

NEVER = {"closing": 60.0}
"""A car that takes a minute to close its contactors, and sees nothing wrong in it."""
REFUSED = {
    "contactors-never-close": ([], NEVER, "CHA-009", "chademo.md 2 step 7 [CLARA]: limit 4 s"),
    "contactors-said-closed": (
        ["says-closed"],
        NEVER,
        "CHA-009",
        "chademo.md 2 steps 7, 8: the EVSE matches the battery's voltage, and there is none",
    ),
    "contactors-said-open": (["says-open"], {}, "CHA-009", "chademo.md 2 step 7: 102.5.3 1->0 within 4 s"),
    "asks-with-open-contactors": (
        ["asks-while-open"],
        NEVER,
        "CHA-009",
        "chademo.md 2 steps 7, 8: a request is no closed contactor",
    ),
    "said-closed-and-asked": (
        ["asks-while-open", "says-closed"],
        NEVER,
        "CHA-009",
        "chademo.md 2 steps 7, 8: a flag and a request are no battery at the output, and its voltage is to be matched",
    ),
    "never-asks": (["never-asks"], {}, "CHA-010", "chademo.md 2 step 8: limit 4 s from 102.5.3=0"),
    "k-without-enable": (
        ["withholds-enable", "k-at-once"],
        {},
        "CHA-007",
        "chademo.md 2 step 3: no insulation test while 102.5.0=0; 8 s [CLARA]",
    ),
    "enable-without-k": (["withholds-k"], {}, "CHA-007", "chademo.md 2 step 3 [BE]: inconsistency, stop; 8 s"),
}
"""Case -> overlays, wishes, requirement, sentence of the facts. None of them gets power."""

OPEN = {
    "k-at-once": "chademo.md 2 step 3: k must not be on before first EV CAN",
    "asks-while-open": "chademo.md 2 step 8; 6 [CLARA] issue 11",
    "says-closed": "chademo.md 1, 102.5.3: a car of 0.9 leaves it 0",
    "zero-reference": "chademo.md 1, 100.6: fixed 0x64, divisor of 102.6",
    "no-levels": "chademo.md 1 0x200 unit rule: 0 = not used [RS]",
}
"""Overlay -> sentence of the facts. A session that can be stopped, or none."""


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case, marks=pytest.mark.verifies(row[2])) for case, row in REFUSED.items()]
)
@pytest.mark.parametrize("mode", ["charge", "discharge"])
def test_a_car_in_the_wrong_order_gets_no_power(bench, walk, check, step, mode, case):
    """Contactors that do not close, requests that do not come, half a permission: the start ends before power.

    Lay the fault over the car, press start, wait for the end. 109.5.0 never goes to 1.
    """
    overlays, wishes, requirement, source = REFUSED[case]
    step(f"expected by {source}")
    for name in overlays:
        bench.car.misbehave(name)
    walk.begin(mode, **wishes)

    wrong = refused(walk)
    check(requirement, count("wrong_outcomes", len(wrong), "; ".join(wrong) or case))


@pytest.mark.parametrize("case", OPEN)
@pytest.mark.parametrize("mode", ["charge", "discharge"])
def test_an_odd_car_gets_a_session_or_none(bench, walk, step, mode, case):
    """Oddities on which the facts demand neither a session nor a refusal: there must be an end, and no rule broken.

    Lay the oddity over the car, press start. A session that comes is stopped after three seconds.
    """
    source = OPEN[case]
    step(f"after {source}")
    bench.car.misbehave(case)
    walk.begin(mode)

    blame(either(walk), case, source)


@pytest.mark.verifies("CHA-010")
def test_the_first_request_is_answered(walk, events, check):
    """From the first request to 109.5.0 = 1, the car asking as early as logs A and B show."""
    walk.reach(S.CHARGING)

    begun = events.said(VehicleStatus, lambda m: m.current_request > 0, "102.3 > 0")
    running = events.said(ChargerStatus, lambda m: m.running and not m.stopping, "109.5.0 = 1, 109.5.5 = 0")
    check("CHA-010", begun.until(running, "charging_flag_delay"))


@pytest.mark.parametrize("stage", [S.CHARGING, S.DISCHARGING, S.STANDBY], ids=lambda s: s.value)
def test_a_stop_before_start_after_the_start_is_none(bench, walk, step, stage):
    """102.5.4 is only valid until the first current request: set later, the session goes on.

    With power flowing set 102.5.4 alone and watch.
    """
    source = "chademo.md 1, 102.5.4: only valid until first current request"
    step(f"expected by {source}")
    walk.reach(stage)
    bench.car.misbehave("shows-stop-before")

    mode = {S.CHARGING: "charge", S.DISCHARGING: "discharge"}.get(stage, "standby")
    blame(goes_on(walk, mode), "102.5.4 late", source)


@pytest.mark.parametrize("beyond", [1, 50], ids="{}V-beyond".format)
@pytest.mark.parametrize("mode", ["charge", "discharge", "standby"])
def test_a_target_beyond_the_available_voltage_is_refused(bench, walk, events, step, mode, beyond):
    """A target voltage above what the charger offers: 109.5.3, and no session.

    The car's target is 1 or 50 V above 108.1-2 (its own maximum above it, too). The charger must say so and end.
    """
    source = "chademo.md 2 step 2: 102.1-2 <= 108.1-2, else 109.5.3=1 and stop"
    step(f"expected by {source}")
    most = offered(bench, walk, events)
    bench.car.misbehave("target", most + beyond)
    bench.car.misbehave("most-voltage", most + beyond)
    since = bench.clock.now()
    walk.begin(mode)

    wrong = refused(walk, since)
    if not events.said(ChargerStatus, lambda m: m.battery_incompatible, "109.5.3 = 1", since).happened:
        wrong.append("109.5.3 was never 1")
    if events.change(WireChanged("lock", True), since).happened:
        wrong.append("the plug was locked for it")
    blame(wrong, f"target {most + beyond:g} V of {most:g} V", source)


@pytest.mark.parametrize("mode", ["charge", "discharge"])
def test_a_target_at_the_available_voltage_is_served(bench, walk, events, step, mode):
    """A target voltage of exactly what the charger offers fits: the session comes about and goes on."""
    source = "chademo.md 2 step 2: 102.1-2 <= 108.1-2"
    step(f"expected by {source}")
    most = offered(bench, walk, events)
    bench.car.misbehave("target", most)
    bench.car.misbehave("most-voltage", most)
    walk.run_to(mode)

    blame([*goes_on(walk, mode), *settled(walk)], f"target {most:g} V", source)


@pytest.mark.parametrize("most", [400, 440], ids="{}V".format)
def test_the_threshold_is_the_lower_of_both_maxima(bench, walk, events, step, most):
    """108.4-5 = min(100.4-5, 108.1-2), whichever the car's maximum is.

    A car with a maximum of 400 or 440 V: read the threshold while the session runs.
    """
    source = "chademo.md 1, 108.4-5: min(100.4-5, 108.1-2)"
    step(f"expected by {source}")
    bench.car.misbehave("most-voltage", most)
    walk.run_to("charge")

    said = events.messages(ChargerCapability)[-1][1]
    due = min(most, said.available_voltage)
    wrong = [] if said.threshold_voltage == due else [f"108.4-5 is {said.threshold_voltage:g} V, not {due:g} V"]
    blame([*wrong, *goes_on(walk, "charge"), *settled(walk)], f"maximum {most:g} V", source)


def test_a_pack_above_its_own_maximum_is_not_charged(bench, walk, step):
    """With the output at the threshold 108.4-5 the charge ends, even if the car goes on.

    The car's maximum 100.4-5 falls below what its pack has while power flows: the charger must stop charging.
    """
    source = "chademo.md 3: V_out >= 108.4-5, over-voltage backup, stop charging, immediate"
    step(f"expected by {source}")
    walk.reach(S.CHARGING)
    since = bench.clock.now()
    bench.car.misbehave("most-voltage", 370)
    bench.clock.sleep(2.0)

    wrong = ["it still charges 2 s later"] if flowing(walk) == "charge" else []
    bench.car.request_stop()
    blame([*wrong, *over(walk, S.CHARGING, since + 2.0)], "above the maximum", source)


def test_start_without_a_car_waits(bench, events, step):
    """Start pressed with no plug in: no line comes on, nothing is put on the connector."""
    source = "chademo.md 2 step 1: plug in (pin 7), start button, d1 on"
    step(f"expected by {source}")
    bench.charger.start("charge")
    bench.clock.sleep(5.0)

    on = [wire for wire in ("d1", "d2", "lock") if events.change(WireChanged(wire, True)).happened]
    wrong = [f"{', '.join(on)} came on without a plug"] if on else []
    if bench.vehicle.inlet_voltage() > 10.0:
        wrong.append("there is voltage at the connector")
    blame(wrong, "no plug", source)


def test_a_plug_without_start_stays_dead(bench, step):
    """Plugged in and not started: the charger does not wake the car, nor lock the plug."""
    source = "chademo.md 2 step 1: start button, then d1"
    step(f"expected by {source}")
    bench.car.plug_in(0.5)
    bench.clock.sleep(5.0)

    wrong = [] if free(bench) else ["d1, d2 or the lock came on before start"]
    if bench.car.phase is not VehiclePhase.ASLEEP:
        wrong.append("the car was woken")
    blame(wrong, "no start", source)


@pytest.mark.parametrize("mode", ["charge", "discharge"])
def test_a_second_session_on_the_same_plug(bench, walk, step, mode):
    """After a session ended normally another begins on the same plug, in either direction."""
    source = "chademo.md 2: start begins with the button; nothing is latched by a normal stop"
    step(f"expected by {source}")
    walk.run_to(mode)
    wrong = settled(walk)
    bench.charger.start(mode)
    if not walk.until(lambda s: s.running, COMES_WITHIN):
        wrong.append("no second session came about")
    bench.clock.sleep(2.0)
    blame([*wrong, *goes_on(walk, mode)], "second session", source)


def test_an_emergency_stop_stays_until_it_is_acknowledged(bench, walk, step):
    """After an emergency stop no session begins before the fault is acknowledged; then one does."""
    source = "chademo.md 2 emergency/fault [BE]: latched until power cycle"
    step(f"expected by {source}")
    walk.reach(S.CHARGING)
    since = bench.clock.now()
    bench.charger.emergency_stop()
    wrong = over(walk, S.CHARGING, since)
    if not bench.charger.state().fault:
        wrong.append("the panel shows no fault")
    blame(wrong, "emergency stop", source)
    bench.charger.reset()
    bench.clock.sleep(1.0)
    bench.charger.start("charge")
    if not walk.until(lambda s: s.running, COMES_WITHIN):
        wrong.append("no session after the fault was acknowledged")
    blame(wrong, "emergency stop", source)


def offered(bench, walk, events):
    """V of 108.1-2, as told to a good car in a session that is stopped again."""
    walk.reach(S.HANDSHAKE)
    most = events.messages(ChargerCapability)[-1][1].available_voltage
    bench.charger.stop()
    bench.clock.wait_until(lambda: free(bench), 20.0)
    bench.car.make_safe()
    return most
