"""Power under way in one direction, and the end of it: what every procedure of a stop does and measures.

The pack is pulled to a low voltage, so that rated AC power is as much direct current as this class of device can be
brought to (a 6 kW device never reaches the 30 A of its cable while the pack is above 220 V). The current is a wave, of
a current probe on a digitizer where the bench has one: what a contact cuts is read at its stamp. Its zero is what it
shows once the vehicle contactors are open. Without a probe the battery source's own meter is looked at every 20 ms, and
what may have changed since it last did is in the budget. The analyzer is too slow for a ramp of 0.2 s.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import pytest

from fixtures.words import Bench, Capture, CaptureWaves, EventsLog, Evps, Instant, Picture, Record, Recording
from rig.chademo.events import ContactorMoved, WireChanged
from rig.errors import DutViolation
from rig.evidence.documents import Edge, Level
from rig.metrology.direct import course, last_before, level_at, zeroed
from rig.metrology.measurement import Measurement
from rig.metrology.series import Series, slope, time_to, value_at
from rig.metrology.wave import Wave
from rig.pictures import ramp_picture

Direction = Literal["charge", "discharge"]
DIRECTIONS = [pytest.param(one, marks=pytest.mark.needs(one), id=one) for one in ("charge", "discharge")]
"""As a parameter: each only for a device that has it."""
MODES = [*DIRECTIONS, pytest.param("standby", id="standby")]
"""The same, and a session without power."""

LOW_PACK = 280.0
"""V (project choice: well above the LEAF's least 250 V for discharge, chademo.md 4)."""
SAFE = 5.0
"""A, contactors move at this or less, a stop ends here (chademo.md 2, 3 [BE][RS][CLARA])."""
FLOWS = 10.0
"""A that must flow before a stop is worth measuring (project choice: twice the current it has to end at)."""
PART = 0.8
"""Of what rated power makes at the pack's voltage, for a device that never reaches FLOWS (project choice)."""
SETTLES = 3.0
"""s from the beginning of a flow until it is steady (project choice: 30 A at 20 A/s, and as much again)."""
BEFORE = 0.5
"""s recorded before a stop (project choice)."""
OVER = 5.5
"""s recorded after one: the car waits up to 2.5 s and opens 1.9 s later (chademo.md 2 stop; log A)."""
RATE = 10e3
"""S/s of the current's wave (project choice: ten samples in the millisecond an instant is known to)."""
AT_REST = 0.05
"""s after the vehicle contactors have opened until the probe's zero is read (project choice: a bounce, and the arc)."""
RAMP_LASTS = 1.5
"""s in which a ramp-down is looked for (project choice: three times the 0.5 s of chademo.md 2)."""


@dataclass(frozen=True)
class Ending:
    """A recorded stop. since: what asked for it. cut: d1 or d2 off, the earlier. opened: the vehicle's contactors.
    capture: of the current, None where the bench has no probe on it."""

    record: Recording
    since: Instant
    cut: Instant
    opened: Instant
    capture: Capture | None

    @cached_property
    def wave(self) -> Wave | None:
        """The current, A, positive into the battery, less its zero once the vehicle contactors are open."""
        if self.capture is None:
            return None
        wave = self.capture["dc_i"]
        return zeroed(wave, self.opened.at + AT_REST) if self.opened.happened else wave

    @cached_property
    def current(self) -> Series:
        """|I|, A."""
        return (self.record["source_i"] if self.wave is None else course(self.wave)).magnitude

    def time(self) -> Measurement:
        """s from what asked for the stop until 5 A or less flow for good."""
        u = self.since.u if self.wave is None else math.hypot(self.since.u, self.wave.start_u)
        return time_to(self.current, SAFE, "time_to_5A", self.since.at, since_u=u)

    def ramp(self) -> Measurement:
        """A/s of the way down."""
        return slope(self.current, "ramp_down", self.since.at, self.since.at + RAMP_LASTS)

    def current_at(self, instant: Instant, name: str) -> Measurement:
        """|I|, A, at an instant, from what was before it: a contact that opens cuts it. When it never came, the current
        the record ends with: what is then cut later is cut under no less."""
        s = self.current
        if not instant.happened:
            return value_at(s, name, float(s.t[-1]))
        if self.wave is None:
            return last_before(s, name, instant.at)
        m = level_at(self.wave, name, instant.at, instant.u)
        return replace(m, value=abs(m.value))

    def picture(self, title: str, requirements: Sequence[str]) -> Picture:
        """The way down and what happened on it."""
        edges = [
            Edge(at=one.at, label=one.what) for one in (self.since, self.cut, self.opened) if one.happened
        ]  # fmt: skip
        return ramp_picture(
            title,
            title,
            self.record.done,
            self.capture,
            requirements=requirements,
            start=self.since.at - BEFORE,
            end=max(edge.at for edge in edges) + BEFORE,
            edges=edges,
            levels=(Level(value=SAFE, label="5 A"), Level(value=-SAFE, label="5 A")),
        )


class Flow:
    """Begins a flow and ends it."""

    def __init__(self, bench: Bench, evps: Evps, record: Record, capture: CaptureWaves, events: EventsLog) -> None:
        self._bench, self._evps, self._record, self._capture, self._events = bench, evps, record, capture, events

    def begin(self, direction: Direction, *, soc: float = 0.5, pack: float | None = LOW_PACK) -> None:
        """A session with as much power as the device gives in a direction. pack: V at no current, None for the model's
        own. DutViolation when less than FLOWS flows."""
        bench = self._bench
        self._evps.in_session(direction, soc=soc)
        bench.car.hold_pack(pack)
        bench.clock.wait_until(lambda: not bench.car.pulling, 30.0)
        bench.clock.sleep(SETTLES)
        read = bench.battery.reading()
        current = read.current * (1 if direction == "charge" else -1)
        least = min(FLOWS, PART * self._evps.ratings.power / max(read.voltage, LOW_PACK))
        if current < least:
            raise DutViolation(
                f"asked to {direction} with rated power, the charger lets {current:.1f} A flow; at least {least:.1f} A "
                f"are needed to see a stop"
            )

    def end(
        self, name: str, act: Callable[[], None], since: Callable[[float], Instant] | None = None, over: float = OVER
    ) -> Ending:
        """Record while something ends the session. since: finds what counts as the beginning, given the moment of the
        act; None: the act itself."""
        bench, events = self._bench, self._events
        probed = bench.records("dc_i") is not None
        wave = self._capture(f"{name}, current", ["dc_i"], BEFORE + over, RATE) if probed else nullcontext()
        with self._record(name, fast=True) as record, wave as capture:
            bench.clock.sleep(BEFORE)
            acted = bench.clock.now()
            act()
            bench.clock.sleep(over)
        begun = Instant(acted, 0.0, name) if since is None else since(acted)
        if not begun.happened:
            raise AssertionError(f"{begun.what}: the rig was told to and did not")
        cut = min((events.change(WireChanged(wire, False), acted) for wire in _COIL), key=lambda one: one.at)
        return Ending(record, begun, cut, events.change(ContactorMoved(False), acted), capture)


_COIL: tuple[Literal["d1", "d2"], ...] = ("d1", "d2")
