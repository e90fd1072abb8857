"""Readings corrected by the certificate the bench file states: the one place where that is done.

Between driver and role. Analyzer, loads and thermometer give measurements, and a row of the certificate goes with one
of their quantities; other parts give none that a certificate's row fits, and a file that has rows for them is refused.
S and the power factor are made by the instrument itself, of figures it has not corrected, and stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from rig.bench_config import PartConfig
from rig.metrology.calibration import Correction, chosen
from rig.metrology.measurement import Measurement
from rig.roles import Quantity, Snapshot

READINGS: Mapping[str, tuple[str, ...]] = {"load": ("power", "voltage"), "thermometer": ("ambient",)}
"""Role -> quantities that are its verbs."""
OF_A_PORT = ("u", "i", "p")


def correction_problems(part: PartConfig, role: str, options: BaseModel) -> Iterator[str]:
    """What is wrong with a part's rows, one line each."""
    rows = part.papers.corrections
    if not rows:
        return
    if not part.papers.certificate:
        yield "of no certificate; state its number: certificate = ..."
    known = dict.fromkeys(READINGS.get(role, ())) if role != "analyzer" else _ports(options)
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
    ranges = _ports(options) if role == "analyzer" else {}
    rows = {row.quantity: row for row in papers.corrections if chosen([row], row.quantity, ranges.get(row.quantity))}
    return (CorrectedAnalyzer if role == "analyzer" else Corrected)(instrument, rows, papers.certificate)


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
