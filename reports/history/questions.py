"""What a lab asks of its history: which runs there were, how two differ, where a value goes, which tests waver.

A comparison of two values is by E_n = |a - b| / sqrt(Ua^2 + Ub^2), both U at the same k (ISO 13528, 9.7; ISO/IEC 17043,
B.3.1.1): above 1 they differ by more than their uncertainties explain. Where neither value has an uncertainty there is
no E_n, and a difference is only shown.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from reports.history.rows import Cell, RunRow
from reports.history.store import Store
from rig.errors import UseError

SETTLED = ("PASS", "FAIL", "INCONCLUSIVE")
"""Outcomes that speak of the item; a test that only changes among the others does not waver, its bench did."""
_COLUMNS = ", ".join(one.name for one in fields(RunRow))
_DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Point:
    """A value of one run, in `unit`. begun: ISO 8601."""

    run: str
    begun: str
    device: str
    firmware: str
    bench: str
    kind: str
    test: str
    requirement: str
    quantity: str
    value: float
    expanded: float
    unit: str
    low: float | None
    high: float | None
    verdict: str


@dataclass(frozen=True, slots=True)
class Drift:
    """How a value of one test moved over the runs of a device on a bench. slope: unit a day, by least squares, with its
    standard uncertainty from the scatter. en: of the last against the first."""

    bench: str
    test: str
    requirement: str
    quantity: str
    unit: str
    runs: int
    first: Point
    last: Point
    slope: float
    slope_u: float
    en: float

    @property
    def moved(self) -> bool:
        """By more than the uncertainties explain."""
        return self.en > 1.0


@dataclass(frozen=True, slots=True)
class Flaky:
    """A test that came out differently on the same device, firmware, profile and kind of bench. flips: changes from one
    run to the next. path: its outcomes in the order of the runs."""

    test: str
    device: str
    firmware: str
    profile: str
    kind: str
    path: tuple[str, ...]

    @property
    def flips(self) -> int:
        """Changes from one run to the next."""
        return sum(a != b for a, b in zip(self.path, self.path[1:], strict=False))

    @property
    def tally(self) -> Counter[str]:
        """How many of each."""
        return Counter(self.path)


def runs(store: Store, device: str = "", bench: str = "", newest: int = 0) -> list[RunRow]:
    """Runs in the order they began. device, bench: a part of their names. newest: so many at most; 0 for all."""
    where, values = _where(device, bench, flawed=True)
    found = store.ask(f"SELECT {_COLUMNS} FROM runs r WHERE {where} ORDER BY begun, run, id", values)
    return [RunRow(*row) for row in (found[-newest:] if newest else found)]


def find_run(store: Store, name: str) -> RunRow:
    """The run of that name, or whose id begins so; the newest of several of one name. UseError for none."""
    sql = f"SELECT {_COLUMNS} FROM runs WHERE run = ? OR id LIKE ? ORDER BY begun"
    found = store.ask(sql, (name, name.replace("%", "").replace("_", "") + "%"))
    if not name or not found:
        raise UseError(f"{store.name}: no run {name!r}; v2hrig history list names them")
    exact = [row for row in found if row[1] == name]
    if not exact and len(found) > 1:
        raise UseError(f"{store.name}: {len(found)} runs whose id begins with {name!r}; give more of it")
    return RunRow(*(exact or found)[-1])


def trend(
    store: Store, requirement: str, quantity: str = "", test: str = "", device: str = "", bench: str = ""
) -> list[Point]:
    """Of each run and each quantity the value that decides: the one with the least margin; all where test names a part
    of one test's id. In the order of the runs. UseError for a requirement no run judged."""
    where, values = _where(device, bench)
    where += " AND m.requirement = ?" + (" AND m.quantity = ?" if quantity else "")
    values += (requirement, *((quantity,) if quantity else ()))
    rows = _points(store, where, values)
    if not rows:
        known = [
            one for (one,) in store.ask("SELECT DISTINCT requirement FROM measured WHERE requirement <> '' ORDER BY 1")
        ]
        raise UseError(f"{store.name}: no such value of {requirement}; judged were {', '.join(known) or 'none'}")
    if test:
        return [point for point, _ in rows if test in point.test]
    found: dict[tuple[str, str], tuple[float, Point]] = {}
    for point, margin in rows:
        key, badness = (point.run + point.begun, point.quantity), -math.inf if margin is None else margin
        if key not in found or badness < found[key][0]:
            found[key] = (badness, point)
    return [point for _, point in found.values()]


def drift(store: Store, device: str, bench: str = "") -> list[Drift]:
    """Of every test's judged value over the runs of a device, those first that moved most. Runs of another firmware, or
    on models and on hardware, are never put together. UseError where fewer than two runs have it."""
    where, values = _where(device, bench)
    groups: dict[tuple[str, ...], list[Point]] = {}
    seen = Counter[tuple[str, ...]]()
    for point, _ in _points(store, where + " AND m.requirement <> ''", values):
        facts = (point.device, point.firmware, point.bench, point.kind, point.test, point.requirement, point.quantity)
        seen[(once := (*facts, point.run, point.begun))] += 1
        groups.setdefault((*facts, str(seen[once])), []).append(point)
    found = [_drift(row) for row in groups.values() if len({one.begun + one.run for one in row}) > 1]
    if not found:
        raise UseError(f"{store.name}: no two runs of a device {device!r} on one bench; v2hrig history list names them")
    return sorted(found, key=lambda one: (-_known(one.en), one.requirement, one.test))


def flaky(store: Store, device: str = "", bench: str = "") -> list[Flaky]:
    """Tests that waver, those with the most flips first."""
    where, values = _where(device, bench)
    sql = (
        "SELECT t.test, r.device, r.firmware, r.profile, r.kind, t.outcome FROM tests t JOIN runs r ON r.id = t.id "
        f"WHERE {where} AND t.outcome IN ({', '.join('?' * len(SETTLED))}) ORDER BY r.begun, r.run, r.id, t.n"
    )
    groups: dict[tuple[str, str, str, str, str], list[str]] = {}
    for test, of, firmware, profile, kind, outcome in store.ask(sql, (*values, *SETTLED)):
        groups.setdefault((test, of, firmware, profile, kind), []).append(outcome)
    found = [
        Flaky(test, of, firmware, profile, kind, tuple(path))
        for (test, of, firmware, profile, kind), path in groups.items()
        if len(set(path)) > 1
    ]
    return sorted(found, key=lambda one: (-one.flips, -len(one.path), one.test))


def en(a: float, ua: float, b: float, ub: float) -> float:
    """E_n of two values with expanded uncertainties; NaN where they have none or are no numbers."""
    u = math.hypot(ua, ub)
    return abs(a - b) / u if u > 0 and math.isfinite(u) and math.isfinite(a - b) else math.nan


def _where(device: str, bench: str, flawed: bool = False) -> tuple[str, tuple[Cell, ...]]:
    """flawed: with runs whose journal does not verify; they are listed, and no answer rests on them."""
    parts, values = ["1 = 1" if flawed else "r.flaw = ''"], list[Cell]()
    for column, part in (("r.device", device), ("r.bench", bench)):
        if part:
            parts.append(f"{column} LIKE ? ESCAPE '!'")
            values.append("%" + part.replace("!", "!!").replace("%", "!%").replace("_", "!_") + "%")
    return " AND ".join(parts), tuple(values)


def _points(store: Store, where: str, values: Sequence[Cell]) -> list[tuple[Point, float | None]]:
    sql = (
        "SELECT r.run, r.begun, r.device, r.firmware, r.bench, r.kind, m.test, m.requirement, m.quantity, m.value, "
        "m.expanded, m.unit, m.low, m.high, m.verdict, m.margin FROM measured m JOIN runs r ON r.id = m.id "
        f"WHERE {where} ORDER BY r.begun, r.run, r.id, m.n"
    )
    return [(_point(row), row[15]) for row in store.ask(sql, values)]


def _point(row: Iterable[Any]) -> Point:
    cells: list[Any] = list(row)[: len(fields(Point))]
    for k, one in enumerate(fields(Point)):
        if cells[k] is None and one.type == "float":
            cells[k] = math.nan
    return Point(*cells)


def _drift(points: list[Point]) -> Drift:
    first, last = points[0], points[-1]
    slope, u = _line([_days(one.begun) for one in points], [one.value for one in points])
    moved = en(first.value, first.expanded, last.value, last.expanded)
    facts = (last.bench, last.test, last.requirement, last.quantity, last.unit)
    return Drift(*facts, len({one.begun + one.run for one in points}), first, last, slope, u, moved)


def _line(x: Sequence[float], y: Sequence[float]) -> tuple[float, float]:
    """Slope by least squares and its standard uncertainty from the residuals; NaN where there is none."""
    pairs = [(a, b) for a, b in zip(x, y, strict=True) if math.isfinite(a) and math.isfinite(b)]
    n = len(pairs)
    if n < 2:
        return math.nan, math.nan
    mx, my = sum(a for a, _ in pairs) / n, sum(b for _, b in pairs) / n
    sxx = sum((a - mx) ** 2 for a, _ in pairs)
    if sxx <= 0:
        return math.nan, math.nan
    slope = sum((a - mx) * (b - my) for a, b in pairs) / sxx
    left = sum((b - my - slope * (a - mx)) ** 2 for a, b in pairs)
    return slope, math.sqrt(left / (n - 2) / sxx) if n > 2 else math.nan


def _days(begun: str) -> float:
    try:
        return datetime.fromisoformat(begun).timestamp() / _DAY
    except ValueError:
        return math.nan


def _known(value: float) -> float:
    return -1.0 if math.isnan(value) else value
