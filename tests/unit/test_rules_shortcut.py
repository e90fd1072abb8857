"""The shortcut for unchanged frames judges as every frame in full would: found, kept and told at the same moments.

A good session with a handful of things wrong, drawn at random. Also the proof that every rule hears all it depends on:
a judge that is not shown what it needs finds something later than one that is shown every frame.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rule_case import judged
from scripted_session import CHARGER_FRAMES, END, KINDS, VEHICLE_FRAMES, Story, charge_only, good, measured

from rig.chademo.codec import (
    ChargerCapability,
    ChargerDischarge,
    ChargerStatus,
    Message,
    VehicleDischarge,
    VehicleDischargeEnergy,
    VehicleLimits,
    VehicleStatus,
)
from rig.chademo.events import ContactorMoved, Sample, WireChanged
from rig.chademo.rules import ALL
from rig.chademo.rules.rule import RuleState
from rig.chademo.rules.ruleset import RuleSet

FIELDS: dict[type[Message], dict[str, st.SearchStrategy[Any]]] = {
    VehicleStatus: {
        name: st.booleans()
        for name in ("enabled", "fault_overvoltage", "system_fault", "contactor_open", "stop_before_charging",
                     "discharge_compatible", "not_in_park", "fault_current_deviation")
    }
    | {
        "current_request": st.sampled_from((0, 2, 14, 40)),
        "target_voltage": st.sampled_from((0, 374, 410, 520)),
        "charged_rate": st.sampled_from((10, 30, 80, 101)),
        "protocol": st.sampled_from((1, 2, 3)),
    },
    ChargerStatus: {
        name: st.booleans()
        for name in ("running", "stopping", "locked", "malfunction", "battery_incompatible", "discharge_compatible")
    }
    | {
        "output_voltage": st.sampled_from((0, 9, 15, 30, 200, 249, 374, 440)),
        "output_current": st.sampled_from((0, 3, 14, 20, 40)),
        "remaining_time_min": st.sampled_from((0, 3600, 7200)),
    },
    ChargerDischarge: {
        "discharge_current": st.sampled_from((0, 3, 10, 18, 30)),
        "available_input_current": st.sampled_from((0, 5, 15)),
        "lower_threshold_voltage": st.sampled_from((0, 250, 372)),
    },
    ChargerCapability: {"available_current": st.sampled_from((0, 5, 15, 60)), "threshold_voltage": st.just(374)},
    VehicleDischarge: {
        "max_discharge_current": st.sampled_from((0, 5, 15, 20)),
        "min_discharge_voltage": st.sampled_from((0, 374)),
        "min_discharge_level": st.sampled_from((0, 0x43, 0xC0)),
    },
    VehicleLimits: {
        "max_voltage": st.sampled_from((0, 374, 435)),
        "charged_rate_reference": st.sampled_from((100, 90)),
    },
}  # fmt: skip
TIMES = st.floats(1.0, END).map(lambda at: round(at, 2))
LENGTHS = st.sampled_from((0.1, 0.3, 0.7, 1.2, 2.2, 5.0))


Spoil = tuple[Any, ...]
"""A verb of Story and what it is told."""


@st.composite
def spoils(draw: st.DrawFn) -> Spoil:
    at, length = draw(TIMES), draw(LENGTHS)
    match draw(
        st.sampled_from(("hold", "hold", "hold", "mute", "shift", "cut", "wire", "aux", "sample", "sample", "aged"))
    ):
        case "hold":
            kind = draw(st.sampled_from(list(FIELDS)))
            name = draw(st.sampled_from(sorted(FIELDS[kind])))
            return "hold", kind, name, draw(FIELDS[kind][name]), at, at + length
        case "mute":
            one = st.sampled_from([frame for frame, _ in KINDS.values()]).map(lambda frame: (frame,))
            return "mute", draw(st.one_of(one, st.sampled_from((VEHICLE_FRAMES, CHARGER_FRAMES)))), at, at + length
        case "shift":
            return "shift", draw(st.sampled_from((0x102, 0x108, 0x109))), at, draw(st.sampled_from((0.012, 0.03)))
        case "cut":
            return "cut", draw(st.sampled_from((0x102, 0x108, 0x109))), at
        case "wire":
            return "wire", at, draw(st.sampled_from(("d1", "d2", "k", "proximity", "lock"))), draw(st.booleans())
        case "aux":
            return "aux", at, draw(st.booleans())
        case "aged":
            return "aged", draw(st.sampled_from((0.0, 14.0, -20.0))), at, draw(st.sampled_from((0.05, 0.3)))
        case _:
            value = draw(st.sampled_from((0.0, 14.0, -20.0, 374.0)))
            return "sample", draw(st.sampled_from(("dc_voltage", "dc_current"))), value, at, at + length


def spoil(story: Story, what: Spoil) -> None:
    match what:
        case ("hold", kind, name, value, start, end):
            story.hold(kind, start, end, **{name: value})
        case ("mute", frames, start, end):
            story.mute(frames, start, end)
        case ("shift", frame, cycle, by):
            story.shift(frame, cycle, by)
        case ("cut", frame, cycle):
            story.cut(frame, cycle)
        case ("wire", at, name, on):
            story.wire(at, name, on)
        case ("aux", at, closed):
            story.aux(at, closed)
        case ("aged", value, at, age):
            story.events.append((at, Sample("dc_current", value, age)))
        case ("sample", name, value, start, end):
            story.sample(name, lambda _: value, start, end)


Begin = tuple[str, bool, bool, bool]
"""Which session; with the guideline's 0x201; with an instrument; with wires and contact."""
SESSIONS = {"v2h": good, "charge only": charge_only}
BEGINS = st.tuples(st.sampled_from(sorted(SESSIONS)), st.booleans(), st.booleans(), st.booleans())
BELIEVED_LATER = (
    ("mute", (0x208,), 12.95, 14.15),
    ("sample", "dc_current", 374.0, 8.97, 13.97),
    ("shift", 0x108, 15.34, 0.03),
    ("sample", "dc_current", 374.0, 12.95, 17.95),
    ("sample", "dc_current", -20.0, 12.07, 14.27),
)
"""A reading that is believed from a moment on at which nothing comes in: 2.61 s after the stop."""


OVER_BEFORE_SHOWN = (
    ("hold", ChargerDischarge, "discharge_current", 0, 9.02, 12.32),
    ("aged", -20.0, 12.02, 0.3),
)
"""A reading of what is already past counts for 0.11 s; that 208.0 shows a current later answers nothing."""


def states(seen: RuleSet) -> dict[str, tuple[RuleState, int, object]]:
    return {v.rule.id: (v.state, v.count, v.first) for v in seen.verdicts()}


def told(begin: Begin, wrong: list[Spoil]) -> Story:
    kind, guideline, meter, wired = begin
    story = measured(SESSIONS[kind]()) if meter else SESSIONS[kind]()
    if guideline:
        story.begin(VehicleDischargeEnergy(2))
    if not wired:
        story.without(WireChanged, ContactorMoved)
    for what in wrong:
        spoil(story, what)
    return story


def check(begin: Begin, wrong: list[Spoil]) -> None:
    stream = told(begin, wrong).stream()
    assert states(judged(ALL, stream)) == states(judged(ALL, stream, thorough=True))


@settings(max_examples=25, deadline=None)
@given(begin=BEGINS, wrong=st.lists(spoils(), max_size=8))
@example(begin=("charge only", False, False, False), wrong=list(BELIEVED_LATER))
@example(begin=("v2h", False, False, True), wrong=[("cut", 0x102, 9.67), ("cut", 0x102, 14.3)])
@example(begin=("v2h", False, False, True), wrong=list(OVER_BEFORE_SHOWN))
def test_the_shortcut_judges_as_every_frame_in_full_would(begin: Begin, wrong: list[Spoil]) -> None:
    check(begin, wrong)


@pytest.mark.long
@settings(max_examples=1000, deadline=None)
@given(begin=BEGINS, wrong=st.lists(spoils(), max_size=8))
def test_so_it_does_for_thousands_of_sessions(begin: Begin, wrong: list[Spoil]) -> None:
    check(begin, wrong)
