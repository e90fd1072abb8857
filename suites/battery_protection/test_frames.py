"""The charger on the bus (CHA-012, CHA-013): its pace, what it does when the car falls silent, what it reports.

Set-up  EVPS in session beside the mains, pack at 50 %.
Signs   Periods in s between two frames of one identifier, as the bus heard them.
Method  Frames of the car are withheld for a time that is read from the gap they leave. What is reported is held
        against the power analyzer at the connector.
"""

from itertools import pairwise

import pytest

from rig.chademo.messages import CHARGER_IDS
from rig.chademo.vehicle_state import EV_FRAMES
from rig.events_log import FRAME_U
from rig.metrology.series import worst_difference
from rig.metrology.timing import count, duration
from suites.battery_protection.flow import DIRECTIONS, MODES, SAFE

pytestmark = pytest.mark.needs("chademo")

WATCHED = 30.0
"""s of frames (project choice: 300 of each)."""
WITHHELD = {"0x102": (0x102,), "0x100": (0x100,), "0x200": (0x200,), "all": EV_FRAMES}
"""Frames withheld: each is cyclic, so the loss of any is a loss of CAN (chademo.md 0; 2, safety times)."""
SHORT, LONG = 0.9, 1.1
"""s a gap between two frames: one period within and one beyond the second that ends a session (CHA-012)."""
GRID = 0.05
"""s, half a period: the car's next frame falls that much later than the gap asked for (project choice)."""


@pytest.mark.verifies("CHA-012")
@pytest.mark.parametrize("mode", MODES)
def test_frames_keep_their_period(bench, evps, events, check, mode):
    """Every frame of the charger comes every 100 ms.

    Watch a session for 30 s. For each identifier the charger sends the shortest and the longest interval are judged.
    """
    evps.in_session(mode)
    bench.clock.sleep(WATCHED)

    for id in sorted(CHARGER_IDS):
        times = events.times(id)
        gaps = [duration("frame_period", one, other, FRAME_U, FRAME_U, f"0x{id:03X}") for one, other in pairwise(times)]
        for extreme in (min, max) if gaps else ():
            check("CHA-012", extreme(gaps, key=lambda m: m.value))


def fall_silent(bench, events, frames, gap):
    """Withhold frames, so that the gap between two of one kind is so many s, and speak again."""
    last = EV_FRAMES[-1]
    heard = len(events.times(last))
    bench.clock.wait_until(lambda: len(events.times(last)) > heard, 1.0)
    bench.car.silence(*frames)
    bench.clock.sleep(gap - GRID)
    bench.car.speak()


def longest_gap(events, frame, since):
    """s, the longest interval between two frames of a kind."""
    gaps = (
        duration("longest_gap", one, other, FRAME_U, FRAME_U, f"0x{frame:03X}")
        for one, other in pairwise(events.times(frame, since - 2 * GRID))
    )
    return max(gaps, key=lambda m: m.value)


@pytest.mark.verifies("CHA-012")
@pytest.mark.parametrize("frames", WITHHELD)
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_a_short_silence_is_borne(bench, events, flow, check, run, direction, frames):
    """0.9 s without a frame of the car: power goes on.

    With rated power flowing withhold 0x102, 0x100, 0x200 or every frame of the car, so that the gap between two of a
    kind is 0.9 s.
    """
    flow.begin(direction)
    ending = flow.end(f"silent {SHORT:g} s, {direction}", lambda: fall_silent(bench, events, WITHHELD[frames], SHORT))

    gap = longest_gap(events, WITHHELD[frames][0], ending.since.at)
    run.note(gap)
    stopped = float(ending.current.y[-1]) <= SAFE
    check("CHA-012", count("wrong_outcomes", int(stopped), f"gap of {gap.value:.3f} s, bus and source meter"))


@pytest.mark.verifies("CHA-012", "CHA-026")
@pytest.mark.parametrize("frames", WITHHELD)
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_a_long_silence_ends_power_flow(bench, events, flow, check, run, picture, direction, frames):
    """1.1 s without a frame of the car: power stops, and nothing opens under load.

    The same with a gap of 1.1 s; then the car speaks again as if nothing had been. The current must have gone and not
    come back.
    """
    flow.begin(direction)
    ending = flow.end(f"silent {LONG:g} s, {direction}", lambda: fall_silent(bench, events, WITHHELD[frames], LONG))

    gap = longest_gap(events, WITHHELD[frames][0], ending.since.at)
    run.note(gap)
    went_on = float(ending.current.y[-1]) > SAFE
    check("CHA-012", count("wrong_outcomes", int(went_on), f"gap of {gap.value:.3f} s, bus and source meter"))
    check("CHA-026", ending.current_at(ending.cut, "current_at_cut"))
    check("CHA-026", ending.current_at(ending.opened, "current_at_opening"))
    if frames == "0x102":
        picture(ending.picture(f"0x102 silent for {LONG:g} s, {direction}", ("CHA-012",)))


@pytest.mark.needs("analyzer")
@pytest.mark.verifies("CHA-013")
@pytest.mark.parametrize("pack", [280.0, 380.0], ids="{:.0f}V".format)
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_reported_voltage_is_true(bench, flow, check, record, direction, pack):
    """The voltage the charger reports is the voltage at the connector.

    With rated power flowing, pack at 280 and at 380 V, compare 109.1-2 with the power analyzer for 10 s.
    """
    flow.begin(direction, pack=pack)
    with record("voltage report") as r:
        bench.clock.sleep(10.0)

    check("CHA-013", worst_difference(r["dc_u"], r["reported_voltage"], "voltage_report_error", digit=1.0))
