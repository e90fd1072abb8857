"""The small file in which a laboratory says who it is, and whose order this is. Knows no run.

    name = "Example Test Laboratory"         customer = "Example Power, 1 Road, Town; J. Doe"
    address = "2 Street, City"               authorised_by = "A. Person, head of laboratory"
    place = "at the laboratory"              received = 2026-11-20      issued = 2026-11-26
    operator = "B. Person"                   condition = "as new, no damage seen"

What is printed follows ISO/IEC 17025:2017, 7.8.2.1.
"""

from __future__ import annotations

import re
import tomllib
from datetime import date
from pathlib import Path

import msgspec

from rig.errors import UseError
from rig.evidence.run_info import Laboratory

REQUIRED = ("name", "address", "place", "customer", "authorised_by", "issued")
"""Of a final report: 7.8.2.1 b, c, e, o, j."""
OF_ITEM = ("received", "condition")
"""Of a final report on a thing that was received: 7.8.2.1 h, g. A model has neither."""
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def read_laboratory(path: Path) -> Laboratory:
    """The file's content. UseError for a file that cannot be read, a key unknown or not text, a date that is none."""
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UseError(f"{path}: cannot be read ({error.strerror or error}); name the laboratory's file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UseError(f"{path}: is no TOML ({error})") from None
    names, found = Laboratory.__struct_fields__, dict[str, str]()
    for key, value in table.items():
        if key not in names:
            raise UseError(f"{path}: {key}: unknown key; there are {', '.join(names)}")
        text = value.isoformat() if type(value) is date else value
        if not isinstance(text, str):
            raise UseError(f"{path}: {key}: is no text; write it in quotes")
        found[key] = text.strip()
    for key in ("received", "issued"):
        if found.get(key) and not _is_date(found[key]):
            raise UseError(f"{path}: {key}: {found[key]!r} is no date; write it as 2026-11-26")
    return Laboratory(**found)


def joined(first: Laboratory, over: Laboratory) -> Laboratory:
    """What the second states stands, and where it is silent, what the first does."""
    said = {name: text for name in Laboratory.__struct_fields__ if (text := getattr(over, name))}
    return msgspec.structs.replace(first, **said)


def missing(laboratory: Laboratory, of_item: bool) -> list[str]:
    """Keys a final report needs and the laboratory does not state. of_item: a real thing was tested."""
    names = (*REQUIRED, *(OF_ITEM if of_item else ()))
    return [name for name in names if not getattr(laboratory, name)]


def _is_date(text: str) -> bool:
    try:
        return bool(_DATE.fullmatch(text)) and bool(date.fromisoformat(text))
    except ValueError:
        return False
