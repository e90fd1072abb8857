"""A vehicle whose frames come at the wrong time, twice, cut short, with the wrong identifier, or not at all (CHA-012).

Set-up  EVPS beside the mains, pack at 50 %, rated AC power; overlays over a good car (rig.chademo.vehicle_overlays).
Signs   Current positive into the battery.
Method  Gaps below 1 s must be borne, a gap of 1 s and more must not (chademo.md 2 CAN timeout [JLD][CLARA]; CHA-012:
        0.9 s is borne, 1.1 s is not). What is no frame of the car, by its length or its identifier, counts as no frame
        at all. Each fault comes once with power flowing, and once from the first frame on.
"""

from itertools import pairwise

import pytest

from rig.chademo.messages import CHARGER_IDS
from rig.events_log import FRAME_U
from rig.metrology.timing import count, duration
from suites.chademo_protocol.endings import blame, either, goes_on, over, refused, settled
from suites.chademo_protocol.stages import S

pytestmark = pytest.mark.needs("chademo")

BORNE = {
    "period-90ms": ("period", 0.09, "chademo.md 0: 100 ms +-10 ms [CLARA]"),
    "period-110ms": ("period", 0.11, "chademo.md 0: 100 ms +-10 ms [CLARA]"),
    "period-225ms": ("period", 0.225, "chademo.md 6: a car of 225 ms (log F); 2: the time-out is 1 s, 10 frames"),
    "period-500ms": ("period", 0.5, "chademo.md 2 CAN timeout 1 s [JLD][CLARA]; standards.md CHA-012"),
    "jitter-10ms": ("jitter", 0.010, "chademo.md 0: 100 ms +-10 ms [CLARA]"),
    "jitter-40ms": ("jitter", 0.040, "chademo.md 2 CAN timeout 1 s [JLD][CLARA]"),
    "late-60ms": ("late", 0.060, "chademo.md 2 CAN timeout 1 s [JLD][CLARA]"),
    "late-800ms": ("late", 0.780, "standards.md CHA-012: frames away for 0.9 s are borne"),
    "early-60ms": ("early", 0.060, "chademo.md 2 CAN timeout 1 s [JLD][CLARA]"),
    "doubled": ("doubled", None, "chademo.md 0: cyclic; a repeated payload says nothing new"),
    "foreign-frames": ("foreign-frames", None, "chademo.md 1: only the ids of the table are CHAdeMO's"),
    "extended-shadow": ("extended-shadow", None, "chademo.md 0: CAN 2.0A, a 29-bit id is another frame"),
    "unknown-bits": ("unknown-bits", None, "chademo.md 1, 102.5.5, 102.5.6: no meaning known"),
}
"""Name of the case -> overlay, its figure, the sentence of the facts. None of it ends a session."""

DEAF = {
    "period-1200ms": ("period", 1.2, "chademo.md 2 CAN timeout 1 s [JLD][CLARA]; standards.md CHA-012"),
    "0x102-of-7-bytes": ("short-0x102", 7.0, "chademo.md 0: DLC 8; what is shorter is no 0x102, and 1 s without it"),
    "0x102-of-0-bytes": ("short-0x102", 0.0, "chademo.md 0: DLC 8; what is shorter is no 0x102, and 1 s without it"),
    "all-of-4-bytes": ("short-all", 4.0, "chademo.md 0: DLC 8; 2 CAN timeout 1 s"),
    "0x102-of-29-bits": ("extended-0x102", None, "chademo.md 0: CAN 2.0A 11-bit; 2 CAN timeout 1 s"),
    "all-of-29-bits": ("extended-all", None, "chademo.md 0: CAN 2.0A 11-bit; 2 CAN timeout 1 s"),
}
"""The same for what leaves the charger without a word of the car."""

LOST = {0x100: "limits", 0x101: "times", 0x200: "discharge limit"}
"""Frames that may be lost one at a time beside 0x102, which stands in test_stops.py."""
DIRECTIONS = ("charge", "discharge")
FLOWING = {"charge": S.CHARGING, "discharge": S.DISCHARGING}


@pytest.mark.verifies("CHA-012")
@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("case", BORNE)
def test_what_keeps_within_the_time_out_is_borne(bench, walk, check, step, direction, case):
    """A car out of pace, but never silent for a second, is borne while power flows.

    With power flowing lay the fault over the car and watch: the session goes on in its direction, and can be stopped.
    """
    overlay, figure, source = BORNE[case]
    step(f"expected by {source}")
    walk.reach(FLOWING[direction])
    bench.car.misbehave(overlay, figure)

    wrong = goes_on(walk, direction)
    check("CHA-012", count("wrong_outcomes", len(wrong), "; ".join(wrong) or case), "wrong_outcomes")
    blame(settled(walk), case, source)


@pytest.mark.verifies("CHA-012")
@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("case", DEAF)
def test_what_is_no_frame_of_the_car_ends_power_flow(bench, walk, check, step, direction, case):
    """A car whose frames are none any more is a silent car: power ends.

    With power flowing cut the frames short, give them 29-bit identifiers, or let a second and more pass between them.
    """
    overlay, figure, source = DEAF[case]
    step(f"expected by {source}")
    stage = FLOWING[direction]
    walk.reach(stage)
    since = bench.clock.now()
    bench.car.misbehave(overlay, figure)

    wrong = over(walk, stage, since, silence=True)
    check("CHA-012", count("wrong_outcomes", len(wrong), "; ".join(wrong) or case), "wrong_outcomes")


@pytest.mark.verifies("CHA-012")
@pytest.mark.parametrize("case", DEAF)
def test_what_is_no_frame_of_the_car_never_gets_power(bench, walk, check, step, case):
    """A car whose frames are none from the beginning gets no power.

    Lay the fault over the car, plug in, press start: the start must come to its end by itself.
    """
    overlay, figure, source = DEAF[case]
    step(f"expected by {source}")
    bench.car.misbehave(overlay, figure)
    walk.begin("charge")

    wrong = refused(walk)
    check("CHA-012", count("wrong_outcomes", len(wrong), "; ".join(wrong) or case), "wrong_outcomes")


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("case", BORNE)
def test_a_start_with_a_car_out_of_pace_has_an_end(bench, walk, step, direction, case):
    """A car out of pace from the first frame on: a session that can be stopped, or none; nothing in between.

    No sentence of the facts obliges a charger to start with such a car ([log F]: one did not), and none forbids it.
    """
    overlay, figure, source = BORNE[case]
    step(f"after {source}")
    bench.car.misbehave(overlay, figure)
    walk.begin(direction)

    blame(either(walk), case, source)


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("id", LOST, ids="0x{:03X}".format)
def test_one_frame_lost_while_power_flows(bench, walk, step, direction, id):
    """One frame of the car stays away while power flows: without a limit 0x200 nothing is discharged.

    Withhold 0x100, 0x101 or 0x200 alone. Whether the session ends is the charger's choice (only 0x102 is named); but a
    discharge on a limit that is no longer heard is none the car allows.
    """
    source = "chademo.md 3, 200.0: hard upper limit; 2 CAN timeout 1 s: of each frame"
    step(f"expected by {source}")
    walk.reach(FLOWING[direction])
    bench.car.silence(id)
    bench.clock.sleep(3.0)

    wrong = []
    if id == 0x200 and bench.battery.reading().current < -5.0:
        wrong.append("discharge goes on 3 s after the last 0x200")
    blame([*wrong, *settled(walk)], f"0x{id:03X} lost", source)


@pytest.mark.parametrize("id", [0x100, 0x102], ids="0x{:03X}".format)
def test_a_car_that_never_tells_what_is_needed_gets_no_power(bench, walk, step, id):
    """Without 0x100 the highest voltage is not known, without 0x102 nothing is: no power.

    Withhold the frame from the beginning, press start.
    """
    source = "chademo.md 1, 108.4-5: 0 until EV data known; 2 step 2: compatibility before permission"
    step(f"expected by {source}")
    walk.begin("charge")
    bench.car.silence(id)

    blame(refused(walk), f"0x{id:03X} never sent", source)


@pytest.mark.parametrize("id", [0x101, 0x200], ids="0x{:03X}".format)
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_a_car_that_never_sends_an_optional_frame(bench, walk, step, direction, id):
    """Without 0x101 there is no time limit, without 0x200 no limit for discharge: nothing is discharged on a guess.

    Withhold the frame from the beginning, press start. A session may come; without 0x200 no current flows out of the
    battery in it.
    """
    source = "chademo.md 3, 200.0: hard upper limit; 1 0x200: initial value 0 A"
    step(f"expected by {source}")
    walk.begin(direction)
    bench.car.silence(id)
    came = walk.until(lambda s: s.running, 30.0)
    bench.clock.sleep(3.0)

    wrong = []
    if id == 0x200 and bench.battery.reading().current < -1.5:
        wrong.append("it discharges without a limit")
    blame([*wrong, *(settled(walk) if came else [])], f"0x{id:03X} never sent", source)


@pytest.mark.verifies("CHA-012")
@pytest.mark.parametrize("model", ["leaf-24kwh", "leaf-40kwh"])
def test_the_charger_keeps_its_own_pace_with_a_restless_car(bench, cars, walk, events, check, model):
    """Every frame of the charger comes every 100 ms, however the car's frames come.

    A car with 40 ms of jitter: the shortest and the longest interval of every frame of the charger are judged.
    """
    cars.play(model)
    bench.car.misbehave("jitter", 0.040)
    walk.reach(S.CHARGING)
    bench.clock.sleep(5.0)

    for id in sorted(CHARGER_IDS):
        times = events.times(id)
        gaps = [duration("frame_period", one, other, FRAME_U, FRAME_U, f"0x{id:03X}") for one, other in pairwise(times)]
        for extreme in (min, max) if gaps else ():
            check("CHA-012", extreme(gaps, key=lambda m: m.value))
