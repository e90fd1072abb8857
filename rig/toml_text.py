"""Tables as TOML text, for the bench files that the rig writes itself. Only what a bench file may hold."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date


def toml_table(name: str, keys: Mapping[str, object]) -> str:
    """One table with its head; keys without a value (None) are left out."""
    lines = [f"{_key(key)} = {toml_value(value)}" for key, value in keys.items() if value is not None]
    return "\n".join([f"[{name}]", *lines]) + "\n"


def toml_value(value: object) -> str:
    """A value as it stands behind the equals sign. TypeError for what TOML has no words for."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_key(key)} = {toml_value(one)}" for key, one in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, Sequence):
        return f"[{', '.join(map(toml_value, value))}]"
    raise TypeError(f"{value!r} cannot be written as TOML")


def _key(key: object) -> str:
    text = str(key)
    return text if re.fullmatch(r"[A-Za-z0-9_-]+", text) else json.dumps(text, ensure_ascii=False)
