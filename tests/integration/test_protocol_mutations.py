"""Every case of the protocol suite is turned red by a charger with a planted defect: see protocol_mutants.py."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from protocol_mutants import ROWS, row_of

from instruments.evps.defects import read_planted

PARTS = 2
"""Processes that share the table."""
LIMIT = 900
"""s before they count as hanging; the share of one takes about half a minute on an idle machine."""
FEWEST = 150
"""Distinct cases the suite shall have at least."""


SAMPLE = 12
"""One in so many shares of the table is tried by `make test`."""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """Case -> its outcome under the defects of its row."""
    return outcomes(tmp_path_factory.mktemp("mutants"), PARTS, PARTS)


def outcomes(folder: Path, shares: int, parts: int) -> dict[str, dict[str, str]]:
    """Of the first so many shares, when the table is cut into parts."""
    script = str(Path(__file__).with_name("protocol_mutants.py"))
    places = [folder / str(part) for part in range(shares)]
    for place in places:
        place.mkdir()
    running = [
        subprocess.Popen(
            [sys.executable, script, str(place), str(part), str(parts)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for part, place in enumerate(places)
    ]
    merged: dict[str, dict[str, str]] = {}
    for one in running:
        out, err = one.communicate(timeout=LIMIT)
        assert one.returncode == 0, err[-2000:]
        merged |= json.loads(out.splitlines()[-1])
    return merged


def test_a_share_of_the_cases_can_fail(tmp_path: Path) -> None:
    found = outcomes(tmp_path, 1, SAMPLE)
    alive = {case: one for case, one in found.items() if one["outcome"] != "FAIL"}
    assert found
    assert not alive


@pytest.mark.long
def test_every_case_can_fail(found: dict[str, dict[str, str]]) -> None:
    alive = {case: f"{one['outcome']} with {one['defects']}" for case, one in found.items() if one["outcome"] != "FAIL"}
    assert not alive


@pytest.mark.long
def test_there_are_as_many_cases_as_promised(found: dict[str, dict[str, str]]) -> None:
    assert len(found) >= FEWEST


@pytest.mark.long
def test_every_row_of_the_table_has_a_case(found: dict[str, dict[str, str]]) -> None:
    used = {ROWS.index(row_of(case)) for case in found}
    assert used == set(range(len(ROWS)))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.cases[0]}: {', '.join(row.defects)}")
def test_every_defect_of_the_table_exists(row: object) -> None:
    for defect in getattr(row, "defects", ()):
        read_planted(defect)
