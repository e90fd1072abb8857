"""What a session showed, kept while the frames go by: its phases and how each side moved. Judges nothing.

Reads `Session` whenever something changed. Memory is bounded: of a session that changes its direction very often the
first `MOST_SPANS` phases are kept and the rest is counted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from rig.chademo.codec import (
    ChargerCapability,
    ChargerDischarge,
    ChargerDischargeTime,
    VehicleDischarge,
    VehicleLimits,
    VehicleTimes,
)
from rig.chademo.rules.common import stored_levels
from rig.chademo.session import Phase, Session

MOST_SPANS = 10_000
"""Phases kept of one session."""
MOST_SESSIONS = 1_000
"""Sessions kept of one trace."""
STEADY = 0.15
"""s between two steps of one ramp at most: a cycle and a half."""


@dataclass(slots=True)
class Span:
    """One phase, or a whole session. Times s of the trace; voltage V, currents A, positive; the highest of each.

    voltage 109.1-2, charge 109.3, discharge 208.0, request 102.3, available 108.3, discharge_limit 200.0. None: not
    seen.
    """

    phase: Phase
    start: float
    end: float
    voltage: float | None = None
    charge: float | None = None
    discharge: float | None = None
    request: float | None = None
    available: float | None = None
    discharge_limit: float | None = None

    @property
    def duration(self) -> float:
        """s."""
        return self.end - self.start

    def join(self, other: Span) -> None:
        """Take the highest of another span as well."""
        self.voltage = _higher(self.voltage, other.voltage)
        self.charge = _higher(self.charge, other.charge)
        self.discharge = _higher(self.discharge, other.discharge)
        self.request = _higher(self.request, other.request)
        self.available = _higher(self.available, other.available)
        self.discharge_limit = _higher(self.discharge_limit, other.discharge_limit)

    def see(self, s: Session) -> None:
        """Take the values of now."""
        if s.charger is not None:
            self.voltage = _most(self.voltage, s.charger.output_voltage)
            self.charge = _most(self.charge, s.charger.output_current)
        if s.charger_discharge is not None:
            self.discharge = _most(self.discharge, s.charger_discharge.discharge_current)
        if s.status is not None:
            self.request = _most(self.request, s.status.current_request)
        if s.capability is not None:
            self.available = _most(self.available, s.capability.available_current)
        if s.discharge is not None:
            self.discharge_limit = _most(self.discharge_limit, s.discharge.max_discharge_current)


def _most(was: float | None, value: float) -> float:
    return value if was is None else max(was, value)


def _higher(one: float | None, other: float | None) -> float | None:
    return one if other is None else _most(one, other)


class Ramp:
    """The largest steady rise of a value: its slope in units a second. A last, smaller step is not part of it."""

    def __init__(self) -> None:
        self.slope: float | None = None
        self._was: float | None = None
        self._start: tuple[float, float] | None = None
        self._last = -math.inf
        self._largest = self._step = 0.0

    def see(self, now: float, value: float) -> None:
        """The value is so now; may be called as often as one likes."""
        was, self._was = self._was, value
        if was is None or value == was:
            return
        if value < was:
            self._start = None
            return
        if self._start is None or now - self._last > STEADY or value - was > self._step > 0:
            self._start, self._step = (now, value), 0.0
        elif value - was < self._step:
            self._start = None
            return
        else:
            self._step = value - was
        rise, seconds = value - self._start[1], now - self._start[0]
        self._last = now
        if seconds > 0 and rise > self._largest:
            self._largest, self.slope = rise, rise / seconds


@dataclass(slots=True)
class Record:
    """One session. The messages are the last of their kind; the flags say whether it was ever so."""

    number: int
    spans: list[Span] = field(default_factory=list)
    more_spans: int = 0
    """Phases not kept."""
    peaks: Span = field(default_factory=lambda: Span(Phase.WAITING, math.nan, math.nan))
    marks: dict[str, float] = field(default_factory=dict)
    """s at which a phase was entered first, by its name; and "vehicle", "charger", "off": first frames, 109.5.0 = 0."""
    insulation: float = 0.0
    """V, highest output before the contactors closed."""
    offered: float | None = None
    """A, first 108.3."""
    rate: int | None = None
    """Counts, 102.6 as the vehicle was enabled."""
    levels: tuple[float, float] | None = None
    """%, 200.6 and 200.7 by the unit rule."""
    protocols: tuple[int | None, int | None] = (None, None)
    target: float = 0.0
    vehicle_v2h: bool = False
    charger_v2h: bool = False
    limits: VehicleLimits | None = None
    times: VehicleTimes | None = None
    discharge: VehicleDischarge | None = None
    capability: ChargerCapability | None = None
    charger_discharge: ChargerDischarge | None = None
    charger_time: ChargerDischargeTime | None = None
    request_ramp: Ramp = field(default_factory=Ramp)
    limit_ramp: Ramp = field(default_factory=Ramp)
    charge_ramp: Ramp = field(default_factory=Ramp)
    discharge_ramp: Ramp = field(default_factory=Ramp)

    def between(self, first: str, then: str) -> float | None:
        """s from one mark to another; None where one is missing."""
        if first not in self.marks or then not in self.marks:
            return None
        return self.marks[then] - self.marks[first]

    def take(self, now: float, s: Session) -> None:
        """The session is so now."""
        self._mark(now, s)
        self.limits, self.times, self.discharge = s.limits, s.times, s.discharge
        self.capability, self.charger_discharge, self.charger_time = s.capability, s.charger_discharge, s.charger_time
        if s.status is not None:
            self.protocols = s.status.protocol, self.protocols[1]
            self.target = s.status.target_voltage or self.target
            self.vehicle_v2h = self.vehicle_v2h or s.status.discharge_compatible
            self.request_ramp.see(now, s.status.current_request)
            if self.rate is None and s.permitted:
                self.rate = s.status.charged_rate
        if s.charger is not None:
            self.protocols = self.protocols[0], s.charger.protocol
            self.charger_v2h = self.charger_v2h or s.charger.discharge_compatible
            self.charge_ramp.see(now, s.charger.output_current)
        if s.capability is not None and self.offered is None:
            self.offered = s.capability.available_current
        if s.discharge is not None:
            self.limit_ramp.see(now, s.discharge.max_discharge_current)
        if s.charger_discharge is not None:
            self.discharge_ramp.see(now, s.charger_discharge.discharge_current)
        self.insulation = max(self.insulation, s.voltage_peak)
        levels = stored_levels(s)
        if levels is not None:
            self.levels = levels[1], levels[2]

    def _mark(self, now: float, s: Session) -> None:
        if s.phase is not Phase.WAITING:
            self.marks.setdefault(s.phase.value, now)
        if s.limits is not None or s.status is not None:
            self.marks.setdefault("vehicle", now)
        if s.charger is not None:
            self.marks.setdefault("charger", now)
        if s.ran and not s.running:
            self.marks.setdefault("off", now)


class Observer:
    """Watches one `Session` object through all sessions of a trace."""

    def __init__(self, session: Session) -> None:
        self._s = session
        self._number = session.number
        self.records: list[Record] = []
        self.more_sessions = 0
        self._record: Record | None = None
        self._span: Span | None = None

    def see(self, now: float) -> None:
        """Something changed at `now`."""
        s = self._s
        if s.number != self._number:
            self._leave(None)
            self._number, self._record = s.number, None
        if self._record is None:
            self._record = self._new()
        if self._span is None or s.phase is not self._span.phase:
            self._enter(now)
        assert self._span is not None
        self._span.see(s)
        self._span.end = now
        self._record.take(now, s)

    def close(self, now: float) -> None:
        """The trace ends."""
        self._leave(now)

    def _leave(self, now: float | None) -> None:
        """The present phase is over; None: as it was seen last."""
        if self._span is not None and self._record is not None:
            self._span.end = self._span.end if now is None else now
            self._record.peaks.join(self._span)
        self._span = None

    def _new(self) -> Record:
        record = Record(len(self.records) + self.more_sessions + 1)
        if len(self.records) < MOST_SESSIONS:
            self.records.append(record)
        else:
            self.more_sessions += 1
        return record

    def _enter(self, now: float) -> None:
        assert self._record is not None
        self._leave(now)
        self._span = Span(self._s.phase, now, now)
        if self._s.phase is Phase.WAITING:
            return
        if len(self._record.spans) < MOST_SPANS:
            self._record.spans.append(self._span)
        else:
            self._record.more_spans += 1
