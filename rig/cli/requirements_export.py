"""The catalogue written for other tools: a table (CSV), and a document of StrictDoc (.sdoc) with a grammar of its own.

Every field of StrictDoc is text. Multi-line text stands between >>> and <<<, which is also what keeps a line of it from
being read as markup; RST in the catalogue's words would be rendered, so the document says that its markup is text.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from typing import Final, TextIO

COLUMNS: Final = (
    "id", "title", "stated", "unit", "limits", "rule", "confidence", "claim", "source", "method", "conditions",
    "begins", "status", "verified_by", "not_run",
)  # fmt: skip
Columns = Mapping[str, str]
FIELDS: Final[Mapping[str, str]] = {
    "UID": "id",
    "STATUS": "status",
    "TITLE": "title",
    "STATEMENT": "stated",
    "LIMITS": "limits",
    "RULE": "rule",
    "METHOD": "method",
    "CONDITIONS": "conditions",
    "BEGINS": "begins",
    "SOURCE": "source",
    "CONFIDENCE": "confidence",
    "CLAIM": "claim",
    "VERIFIED_BY": "verified_by",
    "NOT_RUN": "not_run",
}
"""StrictDoc field -> column, in the order in which a requirement has them."""
NEEDED: Final = ("UID", "TITLE", "STATEMENT")
FAMILIES: Final[Mapping[str, str]] = {
    "PWR": "Power handling",
    "XFR": "Transfer",
    "PQ": "Power quality",
    "GRD": "Grid protection",
    "CHA": "CHAdeMO protocol",
    "BAT": "Battery protection",
    "EFF": "Efficiency",
    "SAF": "Safety",
    "MET": "Metrology",
}


def write_csv(file: TextIO, rows: Iterable[Columns]) -> None:
    """One line a requirement, after a line of column names."""
    table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
    table.writeheader()
    for row in rows:
        table.writerow({name: value.replace("\n", " ") for name, value in row.items()})


def write_strictdoc(file: TextIO, rows: Iterable[Columns], title: str) -> None:
    """One document, one section a family."""
    file.write(f"[DOCUMENT]\nTITLE: {title}\nOPTIONS:\n  MARKUP: Text\n\n[GRAMMAR]\nELEMENTS:\n")
    file.write("- TAG: TEXT\n  FIELDS:\n  - TITLE: UID\n    TYPE: String\n    REQUIRED: False\n")
    file.write("  - TITLE: STATEMENT\n    TYPE: String\n    REQUIRED: True\n")
    file.write("- TAG: REQUIREMENT\n  FIELDS:\n")
    for field in FIELDS:
        file.write(f"  - TITLE: {field}\n    TYPE: String\n    REQUIRED: {field in NEEDED}\n")
    family = ""
    for row in rows:
        if (now := row["id"].partition("-")[0]) != family:
            if family:
                file.write("\n[[/SECTION]]\n")
            family = now
            file.write(f"\n[[SECTION]]\nTITLE: {FAMILIES.get(family, family)}\n")
        file.write("\n[REQUIREMENT]\n")
        for field in FIELDS:
            file.write(_field(field, row))
    if family:
        file.write("\n[[/SECTION]]\n")


def _field(name: str, row: Columns) -> str:
    value = row[FIELDS[name]].strip()
    if name == "STATEMENT":
        value = f"{value} {row['unit']}".removesuffix(" -")
    if not value:
        return ""
    if name in ("UID", "STATUS", "TITLE"):
        return f"{name}: {' '.join(value.split())}\n"
    return f"{name}: >>>\n{value}\n<<<\n"
