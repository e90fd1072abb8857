"""A record of a test over time: instrument readings at a steady pace, and what both sides' frames said meanwhile.

Up to three tables come out of it, each stored as a capture of the run
  readings  one row per look at the power analyzer: (port, function) as `dc_i`, `house_l1_u`, ...
  fast      where a record is to be fast, one row per look at the battery source's own meter (`source_u`, `source_i`)
            and at the inlet voltage (`inlet_u`)
  frames    one row per change of a frame: what was asked, allowed, offered and reported; a value holds until its next
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rig.bench import Bench
from rig.can.frame import Frame
from rig.chademo.codec import (
    ChargerCapability,
    ChargerDischarge,
    ChargerStatus,
    Message,
    VehicleDischarge,
    VehicleStatus,
    decode,
)
from rig.clock import Phase
from rig.errors import BenchFault, UseError
from rig.evidence.captures import Captures
from rig.evidence.documents import CaptureStored
from rig.metrology.measurement import Component, Measurement
from rig.metrology.series import Series
from rig.metrology.series import series as series_of
from rig.roles import DcReading, Quantity

USUAL: tuple[Quantity, ...] = (
    ("dc", "u"),
    ("dc", "i"),
    ("house_l1", "u"),
    ("house_l2", "u"),
    ("house_l1", "p"),
    ("house_l2", "p"),
    ("evps_l1", "p"),
    ("evps_l2", "p"),
)
"""Read when nothing else is asked for, as far as the analyzer is wired to them."""

FAST = 0.02
"""s between two looks of a fast record (project choice: the update of a usual DC source's meter)."""

UNITS: Mapping[str, str] = {
    "asked_current": "A",
    "discharge_limit": "A",
    "discharge_bound": "A",
    "available_current": "A",
    "available_discharge": "A",
    "reported_current": "A",
    "reported_voltage": "V",
    "soc": "1",
}
"""Columns of the frames' table. asked_current 102.3, discharge_limit 200.0, available_current 108.3,
available_discharge 208.3, all positive; discharge_bound -200.0, the least current allowed; reported_current 109.3 less
208.0, positive charging; soc 102.6."""


def column(quantity: Quantity) -> str:
    """Name of an analyzer quantity in a table."""
    port, function = quantity
    return f"{port}_{function}"


def stated(message: Message) -> dict[str, float]:
    """What a message says of the columns above."""
    match message:
        case VehicleStatus():
            return {"asked_current": message.current_request, "soc": message.charged_rate / 100.0}
        case VehicleDischarge():
            return {
                "discharge_limit": message.max_discharge_current,
                "discharge_bound": -message.max_discharge_current,
            }
        case ChargerCapability():
            return {"available_current": message.available_current}
        case ChargerStatus():
            return {"reported_voltage": message.output_voltage, "charging": message.output_current}
        case ChargerDischarge():
            return {"available_discharge": message.available_input_current, "discharging": message.discharge_current}
    return {}


@dataclass(frozen=True, eq=False)
class Record:
    """A finished record. readings, fast, frames: where its tables are stored; None for one without a row."""

    readings: CaptureStored | None
    fast: CaptureStored | None
    frames: CaptureStored | None
    _series: Mapping[str, Series]

    def __getitem__(self, name: str) -> Series:
        """A column. BenchFault for one that was never read or said."""
        try:
            return self._series[name]
        except KeyError:
            known = ", ".join(self._series) or "none"
            raise BenchFault(f"record: no {name!r} in it; there are {known}") from None

    @property
    def captures(self) -> tuple[str, ...]:
        """Digests of its tables: what a picture of it is drawn from."""
        return tuple(stored.sha256 for stored in (self.readings, self.fast, self.frames) if stored is not None)

    def __contains__(self, name: str) -> bool:
        return name in self._series


def _series_of(rows: list[Measurement], interval: float, stored: CaptureStored) -> Series:
    return replace(series_of(rows, interval), of=(stored.sha256,))


def _nothing() -> None:
    """In the place of a task that was never begun."""


class Recorder:
    """Records from its making to `stop`. Errors of an instrument stop the readings and are raised by `stop`.

    fast: also look every FAST at what updates faster than the analyzer.
    """

    def __init__(
        self, bench: Bench, period: float, quantities: Sequence[Quantity] | None = None, fast: bool = False
    ) -> None:
        if not period > 0:
            raise UseError(f"record(period={period}): must be above 0 s")
        self._clock, self._analyzer = bench.clock, bench.analyzer
        self._battery, self._vehicle = bench.battery, bench.vehicle
        ports = () if bench.analyzer is None else bench.analyzer.ports
        wanted = USUAL if quantities is None else tuple(quantities)
        self._quantities = tuple(q for q in wanted if q[0] in ports)
        self._readings: dict[str, list[Measurement]] = {column(q): [] for q in self._quantities}
        self._rows: list[tuple[float, dict[str, float]]] = []
        self._said: dict[int, bytes] = {}
        self._state: dict[str, float] = {}
        self._open = True
        self._fault: BenchFault | None = None
        # In the foreground, where an instrument that is asked for the first time may set itself up.
        self._keep(self._read())
        self._unwatch = bench.bus.watch(self._heard)
        self._cancel = bench.clock.every(period, self._look, Phase.OBSERVE)
        self._fast: dict[str, list[Measurement]] = {}
        self._intervals: dict[str, float] = {}
        self._cancel_fast = bench.clock.every(FAST, self._look_fast, Phase.OBSERVE) if fast else _nothing

    def abandon(self, captures: Captures, name: str) -> None:
        """End and store what there is: the block that was recorded has failed, and its own error counts."""
        with contextlib.suppress(BenchFault):
            self.stop(captures, name)

    def stop(self, captures: Captures, name: str) -> Record:
        """End, store the tables, and give them as series. BenchFault when the analyzer failed on the way."""
        self._open = False
        self._cancel()
        self._cancel_fast()
        self._unwatch()
        readings, fast = self._store_readings(captures, name), self._store_fast(captures, name)
        frames = self._store_frames(captures, name)
        if self._fault is not None:
            raise self._fault
        found: dict[str, Series] = {}
        if readings is not None:
            update = self._analyzer.update_period if self._analyzer else 0.0
            found |= {key: _series_of(rows, update, readings) for key, rows in self._readings.items() if rows}
        if fast is not None:
            found |= {key: _series_of(rows, self._intervals[key], fast) for key, rows in self._fast.items()}
        if frames is not None:
            found |= {key: self._frame_series(key, frames) for key in UNITS if any(key in row for _, row in self._rows)}
        return Record(readings, fast, frames, found)

    # -- what comes in

    def _heard(self, at: float, sender: str, frame: Frame) -> None:
        if not self._open or self._said.get(frame.id) == frame.data:
            return
        self._said[frame.id] = frame.data
        message = decode(frame)
        said = {} if message is None else stated(message)
        if not said:
            return
        state = self._state
        state.update(said)
        if "charging" in said or "discharging" in said:
            state["reported_current"] = state.get("charging", 0.0) - state.get("discharging", 0.0)
        self._rows.append((at, {key: state[key] for key in UNITS if key in state}))

    def _look(self) -> None:
        self._clock.aside("record", self._read, self._keep)

    def _look_fast(self) -> None:
        self._clock.aside("fast record", self._read_fast, self._keep_fast)

    def _read(self) -> Mapping[Quantity, Measurement] | None:
        if self._analyzer is None or self._fault is not None or not self._quantities:
            return None
        try:
            return self._analyzer.latest(*self._quantities).values
        except BenchFault as fault:
            self._fault = fault
            return None

    def _keep(self, values: Mapping[Quantity, Measurement] | None) -> None:
        if values is None or not self._open:
            return
        for quantity in self._quantities:
            rows, m = self._readings[column(quantity)], values[quantity]
            if not rows or m.at > rows[-1].at:
                rows.append(m)

    def _read_fast(self) -> tuple[DcReading, Measurement] | None:
        if self._fault is not None:
            return None
        try:
            return self._battery.reading(), self._vehicle.inlet()
        except BenchFault as fault:
            self._fault = fault
            return None

    def _keep_fast(self, both: tuple[DcReading, Measurement] | None) -> None:
        if both is None or not self._open:
            return
        read, inlet = both
        source = f"{self._battery.resource} meter" + (f", corrected by {read.corrected}" if read.corrected else "")
        for key, value, unit, u in (
            ("source_u", read.voltage, "V", read.voltage_u),
            ("source_i", read.current, "A", read.current_u),
        ):
            budget = (Component("reading", u, "normal", source),)
            self._fast.setdefault(key, []).append(Measurement(key, value, unit, budget, f"{source} {unit}", read.at))
            self._intervals[key] = max(FAST, read.update)
        self._fast.setdefault("inlet_u", []).append(inlet)
        self._intervals["inlet_u"] = FAST

    # -- what goes out

    def _store_fast(self, captures: Captures, name: str) -> CaptureStored | None:
        """One row a look, at the time of its first reading."""
        if not self._fast:
            return None
        first = next(iter(self._fast.values()))
        table = {key: [m.value for m in ms] for key, ms in self._fast.items()}
        units = {key: ms[0].unit for key, ms in self._fast.items()}
        return captures.series(f"{name} fast", [m.at for m in first], table, units)

    def _store_readings(self, captures: Captures, name: str) -> CaptureStored | None:
        rows = {key: ms for key, ms in self._readings.items() if ms}
        if not rows:
            return None
        times = sorted({m.at for ms in rows.values() for m in ms})
        place = {t: n for n, t in enumerate(times)}
        table = {key: np.full(len(times), math.nan) for key in rows}
        for key, ms in rows.items():
            for m in ms:
                table[key][place[m.at]] = m.value
        units = {key: ms[0].unit for key, ms in rows.items()}
        return captures.series(f"{name} readings", times, table, units)

    def _store_frames(self, captures: Captures, name: str) -> CaptureStored | None:
        if not self._rows:
            return None
        times = [t for t, _ in self._rows]
        keys = [key for key in UNITS if any(key in row for _, row in self._rows)]
        if not keys:
            return None
        table = {key: [row.get(key, math.nan) for _, row in self._rows] for key in keys}
        return captures.series(f"{name} frames", times, table, {key: UNITS[key] for key in keys})

    def _frame_series(self, key: str, stored: CaptureStored) -> Series:
        known = [(t, row[key]) for t, row in self._rows if key in row]
        changed = [pair for n, pair in enumerate(known) if n == 0 or pair[1] != known[n - 1][1]]
        t, y = np.array([t for t, _ in changed]), np.array([v for _, v in changed], dtype=float)
        return Series(t, y, UNITS[key], 0.0, 0.1, "CAN frames", (stored.sha256,))
