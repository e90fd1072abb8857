"""A good V2H session written by hand from the facts, and a way to spoil it.

Not from any emulator of the rig: the times and values are those of a recorded session (chademo.md 5, log A), shortened,
with a discharge and the wires a bench sees added. Frames go out as chademo.md 0 says: the vehicle's 10 ms apart, the
charger's in one burst. What a side says is a course of changes in time; a test lays another value over a stretch of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from rig.can.frame import Frame
from rig.chademo.codec import (
    ChargerCapability,
    ChargerDischarge,
    ChargerDischargeTime,
    ChargerStatus,
    Message,
    VehicleDischarge,
    VehicleDischargeEnergy,
    VehicleLimits,
    VehicleStatus,
    VehicleTimes,
)
from rig.chademo.events import ContactorMoved, Observation, Sample, Wire, WireChanged

BEGIN = 1.0
ENABLE, LOCK, TEST, D2, CLOSE, REQUEST, RUN = 2.0, 3.0, 3.5, 4.6, 5.6, 7.0, 7.3
REVERSE, DISCHARGE, STOP, OFF, OPEN, CHECKED, UNLOCK, END = 10.0, 11.0, 13.0, 13.2, 15.0, 15.8, 16.4, 17.5
"""s of each step."""
FOREVER = math.inf

KINDS: dict[type[Message], tuple[int, float]] = {
    VehicleLimits: (0x100, 0.0),
    VehicleTimes: (0x101, 0.010),
    VehicleStatus: (0x102, 0.020),
    VehicleDischarge: (0x200, 0.030),
    VehicleDischargeEnergy: (0x201, 0.040),
    ChargerCapability: (0x108, 0.0650),
    ChargerStatus: (0x109, 0.0653),
    ChargerDischarge: (0x208, 0.0656),
    ChargerDischargeTime: (0x209, 0.0659),
}
"""Id and place in the cycle (s) of each message."""
VEHICLE_FRAMES = (0x100, 0x101, 0x102, 0x200, 0x201)
CHARGER_FRAMES = (0x108, 0x109, 0x208, 0x209)

Timed = tuple[float, Observation]


class Story:
    """What both sides say and do, in time (s). Every verb gives the story back."""

    def __init__(self, end: float = END) -> None:
        self.end = end
        self._first: dict[type[Message], Message] = {}
        self._says: list[tuple[float, type[Message], dict[str, Any]]] = []
        self._holds: list[tuple[float, float, type[Message], dict[str, Any]]] = []
        self._mutes: list[tuple[frozenset[int], float, float]] = []
        self._shifts: list[tuple[int, float, float]] = []
        self._cuts: list[tuple[int, float]] = []
        self.events: list[Timed] = []

    # -- telling

    def begin(self, *messages: Message) -> Story:
        for message in messages:
            self._first[type(message)] = message
        return self

    def say(self, at: float, kind: type[Message], **fields: Any) -> Story:
        self._says.append((at, kind, fields))
        return self

    def wire(self, at: float, name: Wire, on: bool) -> Story:
        self.events.append((at, WireChanged(name, on)))
        return self

    def aux(self, at: float, closed: bool) -> Story:
        self.events.append((at, ContactorMoved(closed)))
        return self

    def sample(self, name: str, course: Callable[[float], float], first: float, last: float) -> Story:
        """An instrument's reading every 100 ms."""
        steps = round((last - first) / 0.1)
        self.events += [(first + 0.1 * n, Sample(name, course(first + 0.1 * n))) for n in range(steps)]
        return self

    # -- spoiling

    def hold(self, kind: type[Message], start: float, end: float = FOREVER, /, **fields: Any) -> Story:
        """These values whatever was told, from start to before end."""
        self._holds.append((start, end, kind, fields))
        return self

    def mute(self, frames: Iterable[int], start: float, end: float = FOREVER) -> Story:
        self._mutes.append((frozenset(frames), start, end))
        return self

    def shift(self, frame: int, cycle: float, by: float) -> Story:
        """One frame comes later."""
        self._shifts.append((frame, cycle, by))
        return self

    def cut(self, frame: int, cycle: float) -> Story:
        """One frame has 7 bytes."""
        self._cuts.append((frame, cycle))
        return self

    def retime(self, event: Observation, to: float) -> Story:
        """The last such event comes at another time; FOREVER: never."""
        at = max(at for at, seen in self.events if seen == event)
        self.events.remove((at, event))
        if to < FOREVER:
            self.events.append((to, event))
        return self

    def without(self, *kinds: type) -> Story:
        """No events of these kinds: not wired, no instrument."""
        self.events = [(at, event) for at, event in self.events if not isinstance(event, kinds)]
        return self

    # -- the stream

    def stream(self) -> list[Timed]:
        """Everything in order of time; wires and contacts before frames of the same moment."""
        out: list[Timed] = sorted(self.events, key=lambda item: item[0])
        for kind, message in self._first.items():
            out += self._frames(kind, message)
        return sorted((item for item in out if item[0] <= self.end), key=lambda item: item[0])

    def _frames(self, kind: type[Message], message: Message) -> list[Timed]:
        frame, place = KINDS[kind]
        says = sorted((one for one in self._says if one[1] is kind), key=lambda one: one[0])
        holds = [one for one in self._holds if one[2] is kind]
        edges = [*sorted(e for one in holds for e in one[:2]), FOREVER]
        out: list[Timed] = []
        data, shown = b"", None
        for cycle in range(round((self.end - BEGIN) / 0.1)):
            at = BEGIN + cycle / 10 + place
            while says and says[0][0] <= at:
                message = replace(message, **says.pop(0)[2])
            covered = [fields for start, end, _, fields in holds if start <= at < end] if at >= edges[0] else []
            now = message
            for fields in covered:
                now = replace(now, **fields)
            if now is not shown:
                data, shown = now.encode().data, now
            out += self._put(frame, at, BEGIN + cycle / 10, data)
        return out

    def _put(self, frame: int, at: float, cycle: float, data: bytes) -> list[Timed]:
        if any(frame in frames and start <= at < end for frames, start, end in self._mutes):
            return []
        late = sum(by for one, when, by in self._shifts if one == frame and abs(when - cycle) < 0.05)
        short = any(one == frame and abs(when - cycle) < 0.05 for one, when in self._cuts)
        return [(at + late, Frame(frame, data[:7] if short else data))]


def ramp(story: Story, kind: type[Message], field: str, start: float, first: float, last: float, slope: float) -> None:
    """A value that moves by slope/10 a cycle, first value at start."""
    step = math.copysign(slope / 10, last - first)
    count = math.ceil(abs(last - first) / (slope / 10) - 1e-9)
    for n in range(count + 1):
        value = last if n == count else first + n * step
        story.say(start + n / 10, kind, **{field: value})


def greeting(end: float = 1.8) -> Story:
    """Both sides are awake, nothing is permitted."""
    story = Story(end).begin(
        VehicleLimits(max_voltage=435, charged_rate_reference=100),
        VehicleTimes(2550, 3600, 0, 22.2 * 3.6e6),
        VehicleStatus(target_voltage=410, discharge_compatible=True, unknown_5_6=True, charged_rate=73),
        VehicleDischarge(0, 250, 0x43, 0xB2),
        ChargerCapability(True, 500, 15, 435),
        ChargerStatus(discharge_compatible=True, remaining_time_10s=2550, remaining_time_min=15300),
        ChargerDischarge(0, 500, 15, 250),
        ChargerDischargeTime(2, 0),
    )
    return story.wire(0.5, "proximity", True).wire(0.6, "d1", True).aux(0.6, False)


def _start(story: Story) -> Story:
    """Permission, lock, insulation test, contactors, request, power."""
    story.wire(ENABLE, "k", True).say(ENABLE, VehicleStatus, enabled=True)
    story.wire(LOCK - 0.05, "lock", True).say(LOCK, ChargerStatus, locked=True)
    for at, volts in ((3.5, 200), (3.6, 505), (4.0, 503), (4.1, 120), (4.2, 9), (4.3, 0)):
        story.say(at, ChargerStatus, output_voltage=volts)
    story.wire(D2, "d2", True).aux(CLOSE, True).say(CLOSE, VehicleStatus, contactor_open=False)
    story.say(CLOSE + 0.1, ChargerStatus, output_voltage=374)
    ramp(story, VehicleStatus, "current_request", REQUEST, 2, 14, 20)
    story.say(RUN, ChargerStatus, running=True, stopping=False, remaining_time_min=3600)
    ramp(story, ChargerStatus, "output_current", RUN + 0.2, 2, 14, 20)
    ramp(story, VehicleDischarge, "max_discharge_current", RUN + 0.1, 2, 15, 20)
    return story.say(RUN + 1, ChargerStatus, output_voltage=376)


def _finish(story: Story, stop: float) -> Story:
    """The charger stops; current to zero, 109.5.0, permission, contactors, welding check, d2, d1, unlock."""
    by = stop - STOP
    story.say(STOP + by, ChargerStatus, stopping=True)
    story.say(OFF + by, ChargerStatus, running=False, output_current=0, remaining_time_10s=0, remaining_time_min=0)
    story.say(OFF + by, ChargerDischarge, discharge_current=0)
    story.say(OFF + by, VehicleStatus, enabled=False, current_request=0).wire(OFF + by, "k", False)
    story.say(OFF + by, VehicleDischarge, max_discharge_current=0).aux(OPEN + by, False)
    for at, volts in ((15.1, 255), (15.2, 158), (15.3, 60), (15.4, 30), (15.5, 12), (15.6, 6), (15.7, 0)):
        story.say(at + by, ChargerStatus, output_voltage=volts)
    story.say(CHECKED + by, VehicleStatus, contactor_open=True)
    story.wire(16.0 + by, "d2", False).wire(16.6 + by, "d1", False)
    return story.say(UNLOCK + by, ChargerStatus, locked=False).wire(UNLOCK + by, "lock", False)


def good(stop: float = STOP) -> Story:
    """A session of 14 A charge from RUN, 10 A discharge from DISCHARGE, ended by the charger at `stop`."""
    story = _start(greeting(END + stop - STOP))
    story.say(REVERSE, ChargerCapability, available_current=0)
    story.say(REVERSE + 0.1, VehicleStatus, current_request=0)
    ramp(story, ChargerStatus, "output_current", REVERSE + 0.1, 10, 0, 60)
    ramp(story, ChargerDischarge, "discharge_current", DISCHARGE, 2, 10, 20)
    story.say(DISCHARGE + 1, ChargerStatus, output_voltage=372)
    story.say(stop + 0.1, ChargerDischarge, discharge_current=5)
    return _finish(story, stop)


def charge_only(stop: float = STOP) -> Story:
    """A charger without V2H and a vehicle without 0x200: 14 A from RUN to `stop`."""
    story = _finish(_start(greeting(END + stop - STOP)), stop).mute((0x200, 0x208, 0x209), 0.0)
    story.hold(VehicleStatus, 0.0, discharge_compatible=False).hold(ChargerStatus, 0.0, discharge_compatible=False)
    return story.say(stop + 0.1, ChargerStatus, output_current=5)


def measured(story: Story) -> Story:
    """An instrument watches the good session's connector: voltage and current every 100 ms."""

    def current(at: float) -> float:
        if RUN + 0.9 <= at < REVERSE + 0.1:
            return 14.2
        return -10.2 if DISCHARGE + 0.5 <= at < STOP else 0.0

    def voltage(at: float) -> float:
        return 374.4 if CLOSE <= at < OPEN else 0.3

    return story.sample("dc_voltage", voltage, 4.35, END).sample("dc_current", current, 4.36, END)
