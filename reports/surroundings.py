"""What surrounded the tests of a run, quantity by quantity: the range that was read, what was asked for, how often it
was not met or not known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports import numbers
from reports.run import Run, Test
from rig.evidence.documents import Condition

NAMES = {
    "ambient": "temperature of the room",
    "warm_up": "time all instruments had been on",
    "source_voltage": "voltage of the mains, of nominal",
    "source_frequency": "frequency of the mains, of nominal",
    "source_thd": "distortion of the mains (THD)",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One quantity over all tests, in words. outside, unknown: names of tests."""

    name: str
    read: str
    asked: tuple[str, ...]
    tests: int
    outside: tuple[str, ...]
    unknown: tuple[str, ...]
    sources: tuple[str, ...]


def rows(run: Run) -> list[Row]:
    """Every quantity that was asked for, in the order of the journal."""
    found: dict[str, list[tuple[Test, Condition]]] = {}
    for test in run.tests:
        for one in test.surroundings.conditions if test.surroundings else ():
            found.setdefault(one.quantity, []).append((test, one))
    return [_row(quantity, pairs) for quantity, pairs in found.items()]


def _row(quantity: str, pairs: Sequence[tuple[Test, Condition]]) -> Row:
    every = [one for _, one in pairs]
    known = [one for one in every if one.value is not None]
    return Row(
        name=NAMES.get(quantity, quantity),
        read=_range(known) if known else "not known",
        asked=tuple(dict.fromkeys(f"{_limit(one)} ({one.asked})" for one in every)),
        tests=len(every),
        outside=tuple(test.name for test, one in pairs if one.state == "outside"),
        unknown=tuple(test.name for test, one in pairs if one.state == "not known"),
        sources=tuple(dict.fromkeys(one.source for one in known)),
    )


def _range(known: Sequence[Condition]) -> str:
    """Least to most, with the largest U."""
    values, unit = sorted(one.value or 0.0 for one in known), known[0].limit.unit
    expanded = 2.0 * max(one.u or 0.0 for one in known)
    low, high = (numbers.with_u(value, expanded, unit) for value in (values[0], values[-1]))
    return low if low == high else f"{low} to {high}"


def _limit(one: Condition) -> str:
    return numbers.bounds(one.limit.min, one.limit.max, one.limit.unit)
