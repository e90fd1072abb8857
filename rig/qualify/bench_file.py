"""A bench file with something planted in it: the same text with a key more in one of its tables."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rig.errors import UseError
from rig.qualify.units import Plant


def planted(text: str, plants: Iterable[Plant]) -> str:
    """The file's text with each key put first in its table; keys of one part and name are joined (lists of a TOML
    array). UseError where a table is not there or has that key already."""
    for part, key, value in _joined(plants):
        head = re.search(rf"^[ \t]*\[[ \t]*{re.escape(part)}[ \t]*\][ \t]*(#.*)?$", text, re.M)
        if head is None:
            raise UseError(f"bench file has no table [{part}] to plant {key!r} in; choose a bench with that part")
        rest = text[head.end() :]
        end = re.search(r"^[ \t]*\[", rest, re.M)
        own = rest if end is None else rest[: end.start()]
        if re.search(rf"^[ \t]*{re.escape(key)}[ \t]*[.=]", own, re.M):
            raise UseError(f"[{part}] {key} stands in the bench file already; take it out to qualify the rig")
        text = f"{text[: head.end()]}\n{key} = {value}{rest}"
    return text


def _joined(plants: Iterable[Plant]) -> list[tuple[str, str, str]]:
    lists: dict[tuple[str, str], list[str]] = {}
    for plant in plants:
        lists.setdefault((plant.part, plant.key), []).append(plant.text)
    return [(part, key, _one(part, key, texts)) for (part, key), texts in lists.items()]


def _one(part: str, key: str, texts: list[str]) -> str:
    if len(texts) == 1:
        return texts[0]
    if not all(text.startswith("[") and text.endswith("]") for text in texts):
        raise UseError(f"[{part}] {key} is planted twice and is no list; plant it once")
    return f"[{', '.join(text[1:-1] for text in texts)}]"
