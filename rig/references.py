"""What the keys in brackets of a source stand for: "[NICH] (100 V)" is no source until it is said what NICH is.

One file, references.toml, beside the requirements:

[reference]
NICH = "specification of Nichicon's EV Power Station"
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from rig.errors import BenchConfigError
from rig.profile import read_toml

FILE = "references.toml"
_KEY = re.compile(r"\[([A-Z0-9][A-Z0-9-]*)\]")


def keys_in(text: str) -> tuple[str, ...]:
    """Keys a text names, in order, each once."""
    return tuple(dict.fromkeys(_KEY.findall(text)))


def read_references(folder: Path) -> Mapping[str, str] | None:
    """Key -> words; None where the folder has no such file. BenchConfigError for what is wrong in it."""
    path = folder / FILE
    if not path.is_file():
        return None
    tables = read_toml(path, "reference")
    found = tables.get("reference")
    problems = [f"{path}: {key}: unknown key; remove or rename it" for key in tables.keys() - {"reference"}]
    if not isinstance(found, dict) or not found:
        raise BenchConfigError([*problems, f"{path}: holds no reference; add [reference]"])
    for key, words in found.items():
        if keys_in(f"[{key}]") != (key,):
            problems.append(f"{path}: {key}: no key; use capital letters, digits and -")
        if not isinstance(words, str) or not words.strip():
            problems.append(f"{path}: {key}: says nothing; write what it stands for")
    if problems:
        raise BenchConfigError(problems)
    return found
