"""Two runs beside each other: what changed in the verdicts, and which values moved by more than their uncertainties
explain. Works on rows, so it serves the index and the HTML report alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reports.history.questions import en
from reports.history.rows import Indexed, RunRow, ValueRow

_FACTS = {
    "verdict": "Verdict",
    "kind": "Kind of bench",
    "device": "Device",
    "firmware": "Firmware",
    "profile": "Profile",
    "bench": "Bench",
    "bench_file": "Bench file",
    "seed": "Seed",
    "catalogue": "Catalogue",
    "rig": "Rig",
    "revision": "Source revision",
}
ABSENT = "–"
"""Stands for what only one of two runs has."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A requirement or a test whose verdict differs. before, after: its words; ABSENT where the run did not have it."""

    id: str
    title: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Moved:
    """A value that both runs have. en: NaN where no U is known."""

    before: ValueRow
    after: ValueRow
    en: float


@dataclass(frozen=True, slots=True)
class Compared:
    """Two runs. facts: name, before, after of what tells them apart. moved: E_n above 1, the largest first. same: how
    many values did not move. unknown: of how many it cannot be told."""

    before: RunRow
    after: RunRow
    facts: tuple[tuple[str, str, str], ...]
    requirements: tuple[Changed, ...]
    tests: tuple[Changed, ...]
    moved: tuple[Moved, ...]
    same: int
    unknown: int


def compare(before: Indexed, after: Indexed) -> Compared:
    """What differs."""
    pairs = _pairs(before.values, after.values)
    far = sorted((one for one in pairs if one.en > 1.0), key=lambda one: -one.en)
    known = sum(one.en <= 1.0 or one.before.value == one.after.value for one in pairs)
    return Compared(
        before.run,
        after.run,
        tuple(_facts(before.run, after.run)),
        tuple(_changed(((one.requirement, one.title, one.verdict) for one in side.asked) for side in (before, after))),
        tuple(_changed(((one.test, one.title, one.outcome) for one in side.tests) for side in (before, after))),
        tuple(far),
        known,
        len(pairs) - known - len(far),
    )


def _facts(before: RunRow, after: RunRow) -> Iterable[tuple[str, str, str]]:
    for name, word in _FACTS.items():
        a, b = str(getattr(before, name)), str(getattr(after, name))
        if a != b:
            yield word, a or ABSENT, b or ABSENT


def _changed(sides: Iterable[Iterable[tuple[str, str, str]]]) -> list[Changed]:
    old, new = ({id: (title, word) for id, title, word in side} for side in sides)
    found = [
        Changed(id, new.get(id, old.get(id, ("", "")))[0], *(side.get(id, ("", ABSENT))[1] for side in (old, new)))
        for id in dict.fromkeys([*new, *old])
    ]
    differ = [one for one in found if one.before != one.after]
    return sorted(differ, key=lambda one: ABSENT in (one.before, one.after))  # what both have first


def _pairs(before: Iterable[ValueRow], after: Iterable[ValueRow]) -> list[Moved]:
    """Values of the same test, requirement and quantity, by their order in it."""
    old = _numbered(before)
    return [
        Moved(old[key], one, en(old[key].value, old[key].expanded, one.value, one.expanded))
        for key, one in _numbered(after).items()
        if key in old
    ]


def _numbered(values: Iterable[ValueRow]) -> dict[tuple[str, str, str, str, int], ValueRow]:
    found: dict[tuple[str, str, str, str, int], ValueRow] = {}
    seen: dict[tuple[str, str, str, str], int] = {}
    for one in values:
        key = (one.test, one.requirement, one.quantity, one.unit)
        seen[key] = seen.get(key, 0) + 1
        found[*key, seen[key]] = one
    return found
