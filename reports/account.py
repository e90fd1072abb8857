"""Where every row of the catalogue has gone in a run: the sum of all lines is the catalogue.

A row is accounted for when a procedure judged it, when the device has no part in it, or when it says why it is not run.
What is left is open: it was not selected, or its tests came to no verdict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from reports.run import SEVERITY, Asked, Outcome, Run

Kind = Literal["judged", "not run", "out of scope", "open"]


@dataclass(frozen=True, slots=True)
class Entry:
    """Rows of one fate. word: a verdict, or "NOT RUN". says: what the fate is, in words."""

    kind: Kind
    word: Outcome
    says: str
    ids: tuple[str, ...]

    @property
    def n(self) -> int:
        """How many."""
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Account:
    """Every row once."""

    entries: tuple[Entry, ...]

    @property
    def rows(self) -> int:
        """Of the catalogue."""
        return sum(one.n for one in self.entries)

    @property
    def open(self) -> int:
        """Rows nobody can say anything of."""
        return sum(one.n for one in self.entries if one.kind == "open")

    @property
    def line(self) -> str:
        """ "118 of 119 accounted for: 57 PASS, 1 FAIL, 40 NOT RUN with a reason, 20 out of scope, 1 open"."""
        said = ", ".join(f"{one.n} {SHORT.get(one.kind, one.word)}" for one in self.entries)
        return f"{self.rows - self.open} of {self.rows} accounted for: {said or 'no requirement'}"


SHORT = {"not run": "NOT RUN with a reason", "out of scope": "out of scope of the profile", "open": "open"}
JUDGED = {
    "PASS": "judged by a procedure: met",
    "FAIL": "judged by a procedure: not met",
    "INCONCLUSIVE": "judged by a procedure: too near to the limit to tell",
    "INVALID": "a procedure ran on a bench that was not fit",
    "ERROR": "a procedure could not be carried out as written",
}


def account(run: Run) -> Account:
    """The fate of every row."""
    rows = list(run.requirements.values())
    found = [_entry("judged", word, says, rows) for word in reversed(SEVERITY) if (says := JUDGED.get(word))]
    found += [
        _entry("not run", "NOT RUN", "cannot be judged on this rig, for the reason each row gives", rows),
        _entry("out of scope", "NOT RUN", "the device of this profile has no part in it", rows),
        _entry("open", "NOT RUN", "no verdict: not selected in this run, or its tests came to none", rows),
    ]
    return Account(tuple(one for one in found if one.n))


def _entry(kind: Kind, word: Outcome, says: str, rows: Sequence[Asked]) -> Entry:
    ids = sorted(one.doc.id for one in rows if _kind(one) == kind and (kind != "judged" or one.verdict == word))
    return Entry(kind, word, says, tuple(ids))


def _kind(one: Asked) -> Kind:
    if one.in_scope and one.verdict != "NOT RUN":
        return "judged"
    if not one.doc.applies:
        return "out of scope"
    return "not run" if one.doc.not_run else "open"
