"""Which car meets which charger: protocol numbers, frames of later versions, and models of car (chademo.md 1, 0x102).

Set-up  EVPS beside the mains, pack at 60 %, rated AC power; the models of fixtures/vehicles.
Signs   Current positive into the battery.
Method  A whole session in each direction: it comes about, power flows the way that was asked for, it ends normally.
        Protocol numbers: 0 below 0.9, 1 for 0.9, 2 for 1.0 to 1.2, 3 for 2.0. A car of 0.9 knows neither 102.5.3 (it
        leaves it 0) nor 102.5.7 nor 0x200.
"""

import pytest

from rig.chademo.codec import ChargerDischarge, ChargerStatus
from suites.chademo_protocol.endings import blame, either, goes_on, settled
from suites.chademo_protocol.stages import COMES_WITHIN, STANDS

pytestmark = pytest.mark.needs("chademo")

MODELS = ("leaf-24kwh", "leaf-40kwh", "kei-16kwh", "phev-12kwh")
MODES = ("charge", "discharge", "standby")
HALF = 0.6
"""State of charge that lies within the window of every model (their 200.6 and 200.7)."""
LATER = (0x110, 0x201, 0x202, 0x700)
"""Frames of later versions a car may send or not (chademo.md 1)."""


def whole_session(bench, walk, mode, soc=HALF):
    """What was wrong with a session from the plug to a normal end, one sentence each."""
    walk.begin(mode, soc)
    if not walk.until(lambda s: s.running, COMES_WITHIN):
        return [f"no power within {COMES_WITHIN:g} s; the charger shows {bench.charger.state().phase!r}"]
    bench.clock.sleep(2 * STANDS)
    return [*goes_on(walk, mode), *settled(walk)]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("model", MODELS)
def test_every_model_of_car_is_served(bench, cars, walk, step, model, mode):
    """A whole session with each model of car, in each direction.

    Packs from 12 to 40 kWh and from 300 to 400 V, levels in 0.1 kWh and in per cent, with and without 0x110, 0x201.
    """
    source = "chademo.md 2: start and stop are the same for every car; 1 0x200 unit rule"
    step(f"expected by {source}")
    cars.play(model)
    blame(whole_session(bench, walk, mode), f"{model}, {mode}", source)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("number", [2, 3])
@pytest.mark.parametrize("model", ["leaf-24kwh", "leaf-40kwh"])
def test_protocol_numbers_of_today(bench, cars, walk, step, model, number, mode):
    """Protocol numbers 2 (1.0 to 1.2) and 3 (2.0), with the frames of either age, are served alike."""
    source = "chademo.md 1, 102.0: 2 for 1.0 to 1.2, 3 for 2.0"
    step(f"expected by {source}")
    cars.play(model)
    walk.begin(mode, HALF, protocol_number=number)
    wrong = [] if walk.until(lambda s: s.running, COMES_WITHIN) else ["no power"]
    bench.clock.sleep(2 * STANDS)
    blame([*wrong, *goes_on(walk, mode), *settled(walk)], f"protocol {number}, {mode}", source)


@pytest.mark.parametrize("mode", MODES)
def test_a_car_of_protocol_0_9(bench, walk, events, step, mode):
    """A car of 0.9: charged without looking at 102.5.3, never discharged, d1 and d2 held for 4 s after the stop.

    Protocol number 1, 102.5.3 and 102.5.7 always 0, no 0x200. In charge mode it must be served; asked to discharge the
    charger may refuse it, or wait, but no current flows out of it. The 4 s are judged by the rule R-D2-OLD.
    """
    source = "chademo.md 1, 102.0, 102.5.3, 102.5.7; 2 weld check: with protocol 0.9 EVSE keeps d1/d2 4 s"
    step(f"expected by {source}")
    bench.car.misbehave("says-closed")
    bench.car.misbehave("cannot-discharge")
    walk.begin(mode, HALF, protocol_number=1)
    bench.car.silence(0x200)
    came = walk.until(lambda s: s.running, COMES_WITHIN)
    bench.clock.sleep(2 * STANDS)

    wrong = []
    if mode == "charge":
        wrong = goes_on(walk, mode) if came else ["it is not served"]
    if any(m.discharge_current > 1 for _, m in events.messages(ChargerDischarge)):
        wrong.append("208.0 shows a discharge")
    wrong += settled(walk) if walk.session.running else []
    blame(wrong, f"protocol 0.9, {mode}", source)


@pytest.mark.parametrize("number", [0, 4, 255])
@pytest.mark.parametrize("mode", MODES)
def test_protocol_numbers_that_mean_nothing(walk, step, mode, number):
    """A number older than 0.9, or none we know: a session that can be stopped, or none."""
    source = "chademo.md 1, 102.0: 0 is below 0.9; numbers above 3 are not known"
    step(f"after {source}")
    walk.begin(mode, HALF, protocol_number=number)
    blame(either(walk), f"protocol {number}, {mode}", source)


@pytest.mark.parametrize("id", LATER, ids="without-0x{:03X}".format)
@pytest.mark.parametrize("mode", ["charge", "discharge"])
def test_a_frame_of_a_later_version_is_left_out(bench, cars, walk, step, mode, id):
    """Frames of later versions are no condition: the same car without one of them is served.

    LEAF 40 kWh without 0x110, 0x201, 0x202 or 0x700. Its levels are not used (0), since without 0x201 they would mean
    0.1 kWh.
    """
    source = "chademo.md 1, 0x201, 0x209: not received, the peer is before V2H guideline 1.1 [BE]; 0x110, 0x202, 0x700"
    step(f"expected by {source}")
    cars.play("leaf-40kwh")
    bench.car.misbehave("no-levels")
    walk.begin(mode, HALF)
    bench.car.silence(id)
    wrong = [] if walk.until(lambda s: s.running, COMES_WITHIN) else ["no power"]
    bench.clock.sleep(2 * STANDS)
    blame([*wrong, *goes_on(walk, mode), *settled(walk)], f"without 0x{id:03X}, {mode}", source)


@pytest.mark.parametrize("model", MODELS)
def test_a_charger_that_can_discharge_says_so_from_the_first(bench, cars, walk, events, step, model):
    """109.4.0 stands from the first frame and 0x208, 0x209 come with it, whichever car it is."""
    source = "chademo.md 1, 109.4.0 [CLARA]: if 1, EVSE must also send 208/209 or a LEAF faults; log A"
    step(f"expected by {source}")
    cars.play(model)
    walk.begin("standby", HALF)
    said = walk.until(lambda _: bool(events.messages(ChargerStatus)))
    bench.clock.sleep(0.3)
    if not said:
        blame(["0x109 never came"], model, source)

    first = events.messages(ChargerStatus)[0][1]
    missing = [f"0x{id:03X}" for id in (0x208, 0x209) if not events.times(id)]
    wrong = [] if first.discharge_compatible else ["109.4.0 is 0 in the first frame"]
    if missing:
        wrong.append(f"{', '.join(missing)} did not come")
    blame(wrong, model, source)
