"""What only vehicle-to-home has: limits that move, levels, withdrawal, reversal, a long rest (chademo.md 2 V2H run, 3).

Set-up  EVPS beside the mains, pack at 50 %, rated AC power.
Signs   Currents of the battery source's meter, A, positive into the battery; limits are positive numbers.
Method  The session is brought to a flow, one thing changes, and the session must stay while the flow obeys. Overshoots
        and delays are judged by the rules beside (R-DISCHARGE-*, R-MIN-*, R-MAX-LEVEL, R-WITHDRAWN, R-REQUEST-*).
"""

from dataclasses import replace

import pytest

from rig.chademo.codec import ChargerCapability, ChargerDischarge
from rig.chademo.events import WireChanged
from suites.chademo_protocol.endings import blame, flowing, goes_on, settled
from suites.chademo_protocol.stages import S

pytestmark = pytest.mark.needs("chademo")

OBEYS = 3.0
"""s for a flow to obey: 30 A at 20 A/s, and as much again (chademo.md 2 step 10; project choice)."""
STEPS = {
    "lowered-15-to-5": (15.0, 5.0),
    "lowered-10-to-9": (10.0, 9.0),
    "lowered-15-to-0": (15.0, 0.0),
    "raised-5-to-12": (5.0, 12.0),
    "raised-0-to-10": (0.0, 10.0),
}
"""Discharge limit 200.0 before and after, A."""
LIMIT = "chademo.md 3, 200.0: hard upper limit; 2 V2H run: updated continuously after start"
INHIBIT = "chademo.md 3: inhibits one direction only, the session stays"
TURNS = [("charge", "discharge"), ("discharge", "charge"), ("standby", "charge"), ("standby", "discharge"),
         ("charge", "standby"), ("discharge", "standby")]  # fmt: skip
REST = 400.0
"""s at 0 A: above the 6 min after which some cars give up (chademo.md 2 V2H run: UNCERTAIN for a true V2H charger)."""


def change(bench, **wishes):
    """The car wishes something else from its next frame on."""
    bench.car.wishes = replace(bench.car.wishes, **wishes)


def turned(bench, walk, mode):
    """Ask for another direction and see it come in the same session. What was wrong, one sentence each."""
    walk.turn(mode)
    bench.clock.sleep(OBEYS)
    return goes_on(walk, mode)


@pytest.mark.parametrize("initial", [20, 200, 255], ids="{}A".format)
@pytest.mark.parametrize("mode", ["charge", "discharge", "standby"])
def test_an_initial_limit_is_masked(bench, walk, step, mode, initial):
    """A limit 200.0 that does not start at 0 A is no limit: nothing is discharged on it.

    200.0 stands at the figure from the first frame until the car asks for current. The session comes about all the
    same.
    """
    source = "chademo.md 1 0x200: some pre-1.1 cars do not start at 0; the EVSE shall mask the initial value"
    step(f"expected by {source}")
    bench.car.misbehave("initial-limit", initial)
    walk.run_to(mode)
    blame([*goes_on(walk, mode), *settled(walk)], f"initial limit {initial} A", source)


@pytest.mark.parametrize("case", STEPS)
def test_the_limit_moves_while_discharging(bench, walk, step, case):
    """The discharge limit is lowered or raised while power flows: the current follows, the session stays.

    Discharge at one limit, set another. After the ramp no more flows than the new limit, and no less than a good part
    of it where it was raised; at 0 A nothing flows and the session rests.
    """
    before, after = STEPS[case]
    step(f"expected by {LIMIT}")
    walk.begin("discharge", discharge_limit=before)
    wrong = [] if walk.until(lambda s: s.running) else ["no session"]
    bench.clock.sleep(OBEYS)
    change(bench, discharge_limit=after)
    bench.clock.sleep(OBEYS)

    out = -bench.battery.reading().current
    if out > after + 1.0:
        wrong.append(f"{out:.1f} A flow out, {after:g} A are allowed")
    rated = bench.profile.ratings.power / bench.battery.reading().voltage
    if after > before and out < 0.5 * min(after, rated):
        wrong.append(f"{out:.1f} A flow out where {after:g} A are allowed and rated power is asked for")
    blame([*wrong, *goes_on(walk, "discharge" if after else "standby"), *settled(walk)], case, LIMIT)


@pytest.mark.parametrize("rest", ["standby", "charge"])
def test_the_minimum_level_ends_discharge_alone(bench, walk, step, rest):
    """At the minimum level 200.6 discharge ends and the session stays; charging is still allowed.

    Discharge, then raise the car's minimum level to what its pack has.
    """
    source = f"{INHIBIT}: SOC <= 200.6"
    step(f"expected by {source}")
    walk.refuse(rest)
    walk.run_to("discharge")
    change(bench, min_discharge_level=0.55)
    bench.clock.sleep(OBEYS)
    wrong = goes_on(walk, "standby")
    if rest == "charge":
        wrong += turned(bench, walk, "charge")
    blame([*wrong, *settled(walk)], "minimum level reached", source)


@pytest.mark.parametrize("rest", ["standby", "discharge"])
def test_the_maximum_level_ends_charge_alone(bench, walk, step, rest):
    """At the maximum level 200.7 charging ends and the session stays; discharge is still allowed.

    Charge, then lower the car's maximum level to what its pack has.
    """
    source = f"{INHIBIT}: SOC >= 200.7"
    step(f"expected by {source}")
    walk.refuse(rest)
    walk.run_to("charge")
    change(bench, max_charge_level=0.45)
    bench.clock.sleep(OBEYS)
    wrong = goes_on(walk, "standby")
    if rest == "discharge":
        wrong += turned(bench, walk, "discharge")
    blame([*wrong, *settled(walk)], "maximum level reached", source)


def test_the_minimum_voltage_ends_discharge(bench, walk, step):
    """At the minimum discharge voltage 200.4-5 discharge ends at once; the session may stay."""
    source = "chademo.md 3, 200.4-5: V <= minimum, stop discharge, immediate"
    step(f"expected by {source}")
    walk.run_to("discharge")
    bench.car.hold_pack(248.0, rate=20.0)
    bench.clock.sleep(9.0)

    wrong = ["it still discharges"] if flowing(walk) == "discharge" else []
    blame([*wrong, *(settled(walk) if walk.session.running else [])], "minimum voltage reached", source)


@pytest.mark.parametrize("mode", ["charge", "discharge", "standby"])
def test_a_withdrawn_discharge_ends_discharge_alone(bench, walk, step, mode):
    """102.5.7 falls in the session: nothing is discharged from then on, charging goes on, the session stays."""
    source = f"{INHIBIT}: 102.5.7 1->0, EV withdraws discharge"
    step(f"expected by {source}")
    walk.run_to(mode)
    bench.car.withdraw_discharge()
    bench.clock.sleep(OBEYS)
    wrong = goes_on(walk, "standby" if mode == "discharge" else mode)
    if mode != "charge":
        wrong += turned(bench, walk, "charge") if walk.can("charge") else []
    else:
        bench.charger.set_mode("discharge")
        bench.clock.sleep(OBEYS)
        if flowing(walk) == "discharge":
            wrong.append("it discharges though the car has withdrawn")
    blame([*wrong, *settled(walk)], "withdrawn", source)


@pytest.mark.parametrize("mode", ["charge", "discharge", "standby"])
def test_a_car_that_cannot_discharge_is_never_discharged(bench, walk, events, step, mode):
    """102.5.7 is 0 from the first frame: V2H needs both sides, so no current flows out of the battery."""
    source = "chademo.md 2 step 2: V2H only if 109.4.0=1 AND 102.5.7=1"
    step(f"expected by {source}")
    bench.car.misbehave("cannot-discharge")
    walk.begin(mode)
    came = walk.until(lambda s: s.running)
    bench.clock.sleep(OBEYS)

    wrong = goes_on(walk, "charge") if mode == "charge" else []
    if any(m.discharge_current > 1 for _, m in events.messages(ChargerDischarge)):
        wrong.append("208.0 shows a discharge")
    if mode == "charge" and not came:
        wrong.append("it is not even charged")
    blame([*wrong, *(settled(walk) if walk.session.running else [])], "cannot discharge", source)


def test_the_charger_states_its_own_limits(bench, walk, events, step):
    """0x208 tells the truth: an input current 208.3 of its plate or less, a lower threshold below the pack's voltage.

    A car that grants 60 A is discharged: what flows stays below 208.3, and 208.3 below what the plate allows.
    """
    source = "chademo.md 1, 208.3: EVSE discharge limit; 208.6-7; 2 V2H run: min(200.0, own 208.3)"
    step(f"expected by {source}")
    walk.begin("discharge", discharge_limit=60.0)
    wrong = [] if walk.until(lambda s: s.running) else ["no session"]
    bench.clock.sleep(OBEYS)

    said = events.messages(ChargerDischarge)[-1][1]
    plate, out = bench.profile.ratings.dc_current, -bench.battery.reading().current
    if not 0 < said.available_input_current <= plate:
        wrong.append(f"208.3 is {said.available_input_current:g} A, the plate says {plate:g} A")
    if out > said.available_input_current + 1.0:
        wrong.append(f"{out:.1f} A flow out, 208.3 says {said.available_input_current:g} A")
    if not 0 < said.lower_threshold_voltage < bench.vehicle.inlet_voltage():
        wrong.append(f"208.6-7 is {said.lower_threshold_voltage:g} V while it discharges")
    blame([*wrong, *goes_on(walk, "discharge"), *settled(walk)], "0x208", source)


@pytest.mark.parametrize(("first", "second"), TURNS, ids=[f"{a}-{b}" for a, b in TURNS])
def test_direction_changes_without_a_new_session(bench, walk, events, step, first, second):
    """From one direction to the other and back in one session: 109.5.0 stays 1, d1 and d2 stay on."""
    source = "chademo.md 2 V2H run: EVSE direction is free"
    step(f"expected by {source}")
    walk.refuse(second)
    walk.run_to(first)
    wrong = [*turned(bench, walk, second), *turned(bench, walk, first)]
    if any(events.change(WireChanged(wire, False)).happened for wire in ("d1", "d2")):
        wrong.append("d1 or d2 went off on the way")
    blame([*wrong, *settled(walk)], f"{first} to {second} and back", source)


def test_charging_is_inhibited_by_the_offer(bench, walk, events, step):
    """While it does not charge the charger offers 0 A (108.3), and what it offered first when it does again."""
    source = "chademo.md 2 V2H run: EVSE sets 108.3 to 0 to inhibit charging, the session stays up; log A 15, 0, 15 A"
    step(f"expected by {source}")
    walk.run_to("charge")
    first = events.messages(ChargerCapability)[0][1].available_current
    wrong = turned(bench, walk, "discharge")
    idle = events.messages(ChargerCapability)[-1][1].available_current
    if idle != 0:
        wrong.append(f"108.3 is {idle:g} A while it discharges")
    wrong += turned(bench, walk, "charge")
    again = events.messages(ChargerCapability)[-1][1].available_current
    if not 0 < again <= first:
        wrong.append(f"108.3 is {again:g} A while it charges, first offered were {first:g} A")
    blame([*wrong, *settled(walk)], "108.3", source)


@pytest.mark.depth("normal")
def test_a_long_rest_at_0_A(bench, walk, step):
    """More than six minutes at 0 A: the session stays, and power flows in every direction of the device after it."""
    source = "chademo.md 2 V2H run: the session stays up at 0 A (log A 19.6-24.2 s; 6 min: UNCERTAIN)"
    step(f"expected by {source}")
    walk.reach(S.STANDBY)
    wrong = goes_on(walk, "standby", REST)
    wrong += [one for mode in ("discharge", "charge") if walk.can(mode) for one in turned(bench, walk, mode)]
    blame([*wrong, *settled(walk)], "rest", source)


@pytest.mark.parametrize("mode", ["charge", "discharge"])
def test_a_request_of_nothing_gives_nothing(bench, walk, step, mode):
    """The car's request and limit fall to 0 A while power flows: nothing flows, the session stays, and comes back."""
    source = "chademo.md 3: charge <= min(102.3, 108.3), discharge <= 200.0; 2 V2H run"
    step(f"expected by {source}")
    walk.run_to(mode)
    change(bench, charge_current=0.0, discharge_limit=0.0)
    bench.clock.sleep(OBEYS)
    wrong = goes_on(walk, "standby")
    change(bench, charge_current=None, discharge_limit=None)
    bench.clock.sleep(OBEYS)
    blame([*wrong, *goes_on(walk, mode), *settled(walk)], "nothing asked for", source)
