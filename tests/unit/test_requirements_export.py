"""The catalogue as other tools read it: nothing of a row is lost on the way."""

from __future__ import annotations

import csv
import re
from io import StringIO

from rig.cli.requirements_export import COLUMNS, FIELDS, write_csv, write_strictdoc

ROWS = [
    dict.fromkeys(COLUMNS, "")
    | {"id": "PWR-001", "title": "Rated power", "stated": ">= 6.0 (declared)", "unit": "kW", "status": "verified"}
    | {
        "limits": "power >= 6000 W",
        "verified_by": "suites/a.py::one\nsuites/a.py::two",
        "claim": "meets, with: colons",
    },
    dict.fromkeys(COLUMNS, "")
    | {"id": "PWR-002", "title": "Per leg", "stated": "[brackets] and >>> arrows", "unit": "-", "status": "NOT RUN"}
    | {"not_run": "needs a chamber"},
    dict.fromkeys(COLUMNS, "") | {"id": "XFR-001", "title": "Outage", "stated": "<= 10", "unit": "s"},
]


def test_a_table_has_every_column_of_every_row() -> None:
    file = StringIO()
    write_csv(file, ROWS)
    found = list(csv.DictReader(StringIO(file.getvalue())))
    assert [row["id"] for row in found] == ["PWR-001", "PWR-002", "XFR-001"]
    assert set(found[0]) == set(COLUMNS)
    assert found[0]["verified_by"] == "suites/a.py::one suites/a.py::two"


def test_a_document_has_a_grammar_for_every_field_and_a_section_for_each_family() -> None:
    file = StringIO()
    write_strictdoc(file, ROWS, "Requirements")
    text = file.getvalue()
    grammar, _, body = text.partition("[[SECTION]]")
    told = re.findall(r"^  - TITLE: (\w+)$", grammar.partition("- TAG: REQUIREMENT")[2], re.M)
    assert told == list(FIELDS)
    assert re.findall(r"^TITLE: (.*)$", body, re.M) == [
        "Power handling", "Rated power", "Per leg", "Transfer", "Outage",
    ]  # fmt: skip
    assert body.count("[[/SECTION]]") == 2
    assert "STATEMENT: >>>\n>= 6.0 (declared) kW\n<<<\n" in body
    assert "STATEMENT: >>>\n[brackets] and >>> arrows\n<<<\n" in body
    assert "VERIFIED_BY: >>>\nsuites/a.py::one\nsuites/a.py::two\n<<<\n" in body
    first = body.partition("[REQUIREMENT]")[2].partition("[REQUIREMENT]")[0]
    order = [first.index(f"\n{field}: ") for field in FIELDS if f"\n{field}: " in first]
    assert len(order) == 7
    assert order == sorted(order)
