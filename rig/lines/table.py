"""Rows of a line protocol's table: what a box is asked, and how its answer looks. A folder's commands.py has one table,
which driver and emulator share; tests/contract/test_line_tables.py holds both against it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Request:
    """One row. asked, answered: bodies of lines, with <field> where a value stands. does: in words."""

    asked: str
    answered: str
    does: str


def body_pattern(form: str, fields: Mapping[str, str]) -> re.Pattern[str]:
    """What bodies of a form look like. fields: pattern of each <field>. KeyError for one that is not there."""
    parts = re.split(r"<(\w+)>", form)
    return re.compile("".join(re.escape(one) if n % 2 == 0 else f"(?:{fields[one]})" for n, one in enumerate(parts)))
