"""Every row of the catalogue has one fate, and the fates sum up to the catalogue."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_run import BENCH, END, START, TESTS, procedure, write

from fixtures.library import REQUIREMENTS, find_profile
from reports.account import account
from reports.gather import gather
from rig.evidence.documents import Document, Required
from rig.evidence.journal import read_journal
from rig.evidence.translate import required
from rig.profile import read_profile
from rig.requirements import read_catalogue

PROFILES = ("leaf-to-home-6kw", "europe-6kw-230v", "uk-6kw-230v", "us-6kw-240v")


def row(id: str, not_run: str = "", applies: bool = True, selected: bool = False) -> Required:
    return Required(
        id=id, title="t", stated="1 s", source="s", confidence="S", claim="c", not_run=not_run, applies=applies,
        selected=selected,
    )  # fmt: skip


def test_each_row_has_one_fate(tmp_path: Path) -> None:
    rows: tuple[Document, ...] = (
        row("A-1", selected=True),
        row("A-2", not_run="needs a chamber"),
        row("A-3", not_run="another grid code", applies=False),
        row("A-4"),
        row("A-5", selected=True),
    )
    head = (START, BENCH, *rows)
    write(tmp_path, (*head, *procedure(TESTS[0], len(head) + 2, "FAIL"), END))
    found = account(gather(read_journal(tmp_path)))
    fates = {(one.kind, one.word): one.ids for one in found.entries}
    assert fates == {
        ("judged", "FAIL"): ("A-1",),
        ("not run", "NOT RUN"): ("A-2",),
        ("out of scope", "NOT RUN"): ("A-3",),
        ("open", "NOT RUN"): ("A-4", "A-5"),
    }
    assert (found.rows, found.open) == (5, 2)
    assert found.line == (
        "3 of 5 accounted for: 1 FAIL, 1 NOT RUN with a reason, 1 out of scope of the profile, 2 open"
    )


@pytest.mark.parametrize("name", PROFILES)
def test_what_a_device_has_no_part_in_is_told_from_what_the_rig_cannot_do(name: str) -> None:
    rows = read_catalogue(REQUIREMENTS).for_profile(read_profile(find_profile(name)))
    told = {id: required(one, selected=False) for id, one in rows.items()}
    assert all(one.not_run for one in told.values() if not one.applies)
    codes = {id for id, one in rows.items() if one.grid_codes and not one.applies}
    assert codes
    assert all(told[id].applies for id in ("SAF-001", "PWR-014", "CHA-024"))
