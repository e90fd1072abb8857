"""What the report on paper says of a former run: verdicts that changed, and values that moved by more than their
uncertainties explain. An amended report names what changed (ISO/IEC 17025:2017, 7.8.8)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reports import numbers
from reports.history.compare import ABSENT, compare
from reports.history.rows import Indexed, rows
from reports.run import Run
from rig.evidence.run_info import RunInfo

MOVED = 60
"""Moved values on paper; the HTML report has all. Project choice."""


def changes(run: Run, info: RunInfo | None, folder: Path, former: Indexed | None) -> Any:
    """The section; None where no former run was named."""
    if former is None:
        return None
    found = compare(former, rows(run, info, folder))
    changed = [*found.requirements, *found.tests]
    return {
        "former": f"run {found.before.run}, begun {found.before.begun or 'at a time not recorded'}, journal head "
        f"{found.before.head[:16]}, result {found.before.verdict}",
        "facts": [[name, f"{_short(before)} → {_short(after)}"] for name, before, after in found.facts],
        "verdicts": [[one.id, one.title, _word(one.before), _word(one.after)] for one in changed],
        "moved": [
            [
                f"{one.en:.2f}",
                " ".join(filter(None, (one.after.requirement, one.after.quantity))),
                numbers.with_u(one.before.value, one.before.expanded, one.before.unit),
                numbers.with_u(one.after.value, one.after.expanded, one.after.unit),
                one.after.test,
            ]
            for one in found.moved[:MOVED]
        ],
        "left": max(0, len(found.moved) - MOVED),
        "same": f"{found.same} values are the same within their uncertainties"
        + (f"; of {found.unknown} it cannot be told" if found.unknown else ""),
    }


def _word(verdict: str) -> str:
    return "not in it" if verdict == ABSENT else verdict


def _short(text: str) -> str:
    return text if len(text) <= 24 else f"{text[:16]}…"
