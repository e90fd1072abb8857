"""What the pages on safety and faults say was tried names what tried it, and that is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
TESTS = {path.name for room in ("tests", "suites") for path in (TOP / room).rglob("test_*.py")}
TARGETS = set(re.findall(r"^([a-z]+):", (TOP / "Makefile").read_text(encoding="utf-8"), re.M))


def page(name: str) -> str:
    return (TOP / "docs" / name).read_text(encoding="utf-8")


def tables(text: str) -> list[list[str]]:
    """Cells of every row of every table, heads left out."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    ruled = {n for n, row in enumerate(rows) if not "".join(row).strip("-")}
    return [row for n, row in enumerate(rows) if n not in ruled and n + 1 not in ruled]


def tried(cell: str) -> list[str]:
    """What a cell names: a test, a target of make, a program of benchmarks, a page."""
    return re.findall(r"`((?:make [a-z]+|(?:tests|suites|benchmarks|docs)/[\w./]+|test_\w+\.py))`", cell)


def is_there(name: str) -> bool:
    if name.startswith("make "):
        return name.removeprefix("make ") in TARGETS
    return name in TESTS if name.startswith("test_") else (TOP / name).exists()


@pytest.mark.parametrize("heading", ["Hazards", "Cause, barrier, test"])
def test_every_hazard_and_every_cause_says_what_tried_its_barrier(heading: str) -> None:
    found = tables(page("safety.md").partition(f"\n## {heading}\n")[2].partition("\n## ")[0])
    assert len(found) > 8
    for row in found:
        assert len(row) == 3, row
        assert all(row), row
        named = tried(row[2])
        assert named, row
        assert [one for one in named if not is_there(one)] == []


def test_every_fault_says_where_it_was_tried_on_every_transport() -> None:
    """A letter for a test file that is there, or why there is nothing to try."""
    text = page("faults.md")
    letters = dict(re.findall(r"`([A-Z])`(?: is)? `([\w/.]+)`", text))
    assert letters.keys() == {"S", "L", "B", "V"}
    assert all((TOP / path).exists() for path in letters.values())
    rows = tables(text)
    assert len(rows) >= 9
    for row in rows:
        assert len(row) == 9, row
        for cell in row[1:]:
            assert cell.startswith("none: ") or set(cell.split(", ")) <= letters.keys(), row
