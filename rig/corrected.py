"""Readings corrected by the certificate the bench file states: the one place where that is done.

Between driver and role. A row of the certificate goes with one quantity of a part: a port's U, I or P of an analyzer,
power or voltage of a load, voltage or current of a source's meter, a channel of a digitizer (every sample of it), the
room of a thermometer. Other parts give nothing a row fits, and a file that has rows for them is refused. S and the
power factor are made by the instrument itself, of figures it has not corrected, and stay as they are; so do set-points,
and what a driver reads to switch by, as its safe state.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from pydantic import BaseModel

from rig.bench_config import PartConfig
from rig.metrology.calibration import LIMITS, Correction, chosen, named
from rig.metrology.measurement import Component, Measurement
from rig.roles import DcReading, Quantity, Snapshot, Waveforms

READINGS: Mapping[str, tuple[str, ...]] = {
    "load": ("power", "voltage"),
    "thermometer": ("ambient",),
    "dc_source": ("voltage", "current"),
}
"""Role -> quantities that have one range."""
OF_A_PORT = ("u", "i", "p")


def correction_problems(part: PartConfig, role: str, options: BaseModel) -> Iterator[str]:
    """What is wrong with a part's rows, one line each."""
    rows = part.papers.corrections
    if not rows:
        return
    if not part.papers.certificate:
        yield "of no certificate; state its number: certificate = ..."
    known = _known(role, options)
    if not known:
        yield f"a {role}'s readings cannot be corrected here; remove them"
        return
    for number, row in enumerate(rows, 1):
        if row.quantity not in known:
            yield f"row {number}: no quantity {row.quantity!r}; there are {', '.join(sorted(known))}"
        elif row.range is not None and known[row.quantity] is None:
            yield f"row {number}: {row.quantity} has one range; leave range out"
    for quantity, full in known.items():
        mine = [row for row in rows if row.quantity == quantity]
        if mine and chosen(mine, quantity, full) is None:
            ranges = ", ".join(f"{row.range:g}" for row in mine)
            yield f"{quantity}: none is for its range {full:g} (there are {ranges}); add that row of the certificate"
        if len({row.range for row in mine}) < len(mine) or (len(mine) > 1 and None in {row.range for row in mine}):
            yield f"{quantity}: two rows for one range; keep one"


def _known(role: str, options: BaseModel) -> Mapping[str, float | None]:
    """Quantities a row may name, and the full scale each is on; None where it has one range."""
    if role == "analyzer":
        return _ports(options)
    if role == "digitizer":
        return {one.port: one.full for one in getattr(options, "channels", {}).values()}
    return dict.fromkeys(READINGS.get(role, ()))


def _ports(options: BaseModel) -> dict[str, float | None]:
    """Quantities of an analyzer and the full scale each is on."""
    found: dict[str, float | None] = {}
    for one in (getattr(options, "elements", None) or getattr(options, "channels", {})).values():
        volts, amperes = one.voltage_range, one.current
        found |= dict(zip((f"{one.port} {name}" for name in OF_A_PORT), (volts, amperes, volts * amperes), strict=True))
    return found


def corrected(instrument: Any, part: PartConfig, role: str, options: BaseModel) -> Any:
    """The instrument, its readings corrected where the bench file has rows; itself where it has none."""
    papers = part.papers
    if not papers.corrections:
        return instrument
    known = _known(role, options)
    rows = {row.quantity: row for row in papers.corrections if chosen([row], row.quantity, known.get(row.quantity))}
    return BY_ROLE.get(role, Corrected)(instrument, rows, papers.certificate)


class Corrected:
    """An instrument whose verbs give one measurement each. What is not read is the instrument's own."""

    def __init__(self, instrument: Any, rows: Mapping[str, Correction], certificate: str) -> None:
        self._instrument, self._rows, self._certificate = instrument, rows, certificate

    def __getattr__(self, name: str) -> Any:
        own = getattr(self._instrument, name)
        if name not in self._rows:
            return own
        return lambda: self._put_right(name, own())

    def _put_right(self, quantity: str, m: Measurement) -> Measurement:
        row = self._rows.get(quantity)
        return m if row is None else row.apply(m, self._certificate)


class CorrectedAnalyzer(Corrected):
    """A power analyzer: a quantity is a port and a function."""

    def read(self, *quantities: Quantity) -> Snapshot:
        return self._all(self._instrument.read(*quantities))

    def latest(self, *quantities: Quantity) -> Snapshot:
        return self._all(self._instrument.latest(*quantities))

    def _all(self, shot: Snapshot) -> Snapshot:
        values = {one: self._put_right(f"{one[0]} {one[1]}", m) for one, m in shot.values.items()}
        return Snapshot(shot.at, values)


class CorrectedSource(Corrected):
    """A DC source: the figures of its meter."""

    def reading(self) -> DcReading:
        read: DcReading = self._instrument.reading()
        voltage, voltage_u = self._figure("voltage", read.voltage, read.voltage_u, read.voltage_limits_u)
        current, current_u = self._figure("current", read.current, read.current_u, read.current_limits_u)
        by = named(self._certificate)
        return replace(read, voltage=voltage, voltage_u=voltage_u, current=current, current_u=current_u, corrected=by)

    def _figure(self, quantity: str, value: float, u: float, limits_u: float) -> tuple[float, float]:
        """Value and standard uncertainty; the latter stays unknown where it was and no drift takes its place."""
        other = math.sqrt(max(u * u - limits_u * limits_u, 0.0))
        budget = (Component(f"meter{LIMITS[0]}", limits_u, "normal", ""), Component("meter", other, "normal", ""))
        m = self._put_right(quantity, Measurement(quantity, value, "", budget, ""))
        row = self._rows.get(quantity)
        known = u > 0.0 or (row is not None and row.drift is not None)
        return m.value, m.u if known else 0.0


class CorrectedDigitizer(Corrected):
    """A digitizer: every sample of a channel."""

    def fetch(self) -> Waveforms:
        waves: Waveforms = self._instrument.fetch()
        rows = [self._rows.get(channel) for channel in waves.channels]
        if not any(rows):
            return waves
        scale = [1.0 if row is None else row.gain for row in rows]
        samples = waves.samples * np.array(scale, dtype=np.float32)[:, None]
        samples += np.array([0.0 if row is None else row.offset for row in rows], dtype=np.float32)[:, None]
        return replace(
            waves,
            samples=samples,
            resolution=tuple(one * by for one, by in zip(waves.resolution, scale, strict=True)),
            noise=tuple(one * by for one, by in zip(waves.noise, scale, strict=True)) if waves.noise else (),
            gain_u=max(_gain_u(waves.gain_u, row) for row in rows),
            offset_u=tuple(_offset_u(one, row) for one, row in zip(waves.offset_u, rows, strict=True)),
            source=f"{waves.source}, corrected by {named(self._certificate)}",
        )


def _gain_u(limits_u: float, row: Correction | None) -> float:
    """Of a channel, 1. limits_u: by the maker's limits."""
    if row is None:
        return limits_u
    own = row.expanded_reading / row.k / row.gain
    return math.hypot(own, limits_u if row.drift is None else row.drift / math.sqrt(3.0) / row.gain)


def _offset_u(limits_u: float, row: Correction | None) -> float:
    """Of a channel, in its unit. limits_u: by the maker's limits."""
    if row is None:
        return limits_u
    return math.hypot(row.expanded / row.k, limits_u * row.gain if row.drift is None else 0.0)


BY_ROLE: Mapping[str, type[Corrected]] = {
    "analyzer": CorrectedAnalyzer,
    "dc_source": CorrectedSource,
    "digitizer": CorrectedDigitizer,
}
