"""One line of a programming guide, typed: header, value, and where it was read.

Header grammar (SCPI-99 volume 1, chapter 6)
    VOLTage            long form VOLTAGE, short form VOLT; nothing between them, in any case of letters
    [:LEVel]           a node that may be left out
    CHANnel<n>         a numeric suffix; left out it is 1
    leading colon      may always stand there
The instrument's side accepts every form the grammar allows; the driver sends one, the short form without optional
nodes. So the same line is read twice, and a wrong optional node shows when the two meet.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, Literal, TypeVar

from rig.scpi.codec import Codec, short

T = TypeVar("T")

Access = Literal["both", "set", "query"]
Confidence = Literal["S", "M"]
"""S: seen in a public source, which `source` names. M: from memory, check it against the guide before relying on it."""

_TOKEN = re.compile(r"(?P<word>\*?[A-Za-z][A-Za-z0-9_]*)|(?P<number><\w+>)|(?P<mark>[\[\]:])")


@dataclass(frozen=True, eq=False)
class Command(Generic[T]):
    """A command of one instrument model. Compared by identity: a module constant is the command.

    header: as the guide prints it, short form in capitals. source: document and page, or the public code it was seen
    in. suffix: numbers allowed where the header has <n>. argument: what the query form may take as a parameter.
    """

    header: str
    value: Codec[T]
    source: str
    confidence: Confidence
    access: Access = "both"
    suffix: range = range(1, 2)
    argument: Codec[Any] | None = None
    _short: tuple[str, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.source.strip():
            raise ValueError(f"{self.header}: a command without its source; name the document and page")
        if "".join(m[0] for m in _TOKEN.finditer(self.header)) != self.header or not self.header:
            raise ValueError(f"{self.header!r} is no header; write it as the guide prints it, e.g. POWer[:LEVel]")
        object.__setattr__(self, "_short", _short_parts(self.header))

    @property
    def numbers(self) -> int:
        """How many numeric suffixes the header has."""
        return len(self._short) - 1

    def spelt(self, *suffixes: int) -> str:
        """The header as the driver sends it. suffixes: one for each <n>."""
        if len(suffixes) != self.numbers:
            raise ValueError(f"{self.header} takes {self.numbers} numeric suffixes, not {len(suffixes)}")
        if not suffixes:
            return self._short[0]
        for number in suffixes:
            if number not in self.suffix:
                raise ValueError(f"{self.header}: suffix {number} is outside {self.suffix.start}..{self.suffix[-1]}")
        return "".join(f"{part}{n}" for part, n in zip(self._short, suffixes, strict=False)) + self._short[-1]

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What the instrument accepts, to be matched in capitals. One group for each numeric suffix."""
        out = []
        for match in _TOKEN.finditer(self.header.removeprefix(":")):
            kind, text = match.lastgroup, match[0]
            if kind == "word":
                out.append(f"(?:{re.escape(text.upper())}|{re.escape(short(text))})")
            elif kind == "number":
                out.append(r"([0-9]{0,9})")
            else:
                out.append({"[": "(?:", "]": ")?", ":": ":"}[text])
        return re.compile(":?" + "".join(out) + r"\Z")


def _short_parts(header: str) -> tuple[str, ...]:
    """The short form without optional nodes, cut where the numeric suffixes go."""
    out, depth = [""], 0
    for match in _TOKEN.finditer(header):
        kind, text = match.lastgroup, match[0]
        if text in "[]":
            depth += 1 if text == "[" else -1
        elif depth:
            if kind == "number":
                raise ValueError(f"{header!r}: a numeric suffix inside an optional node; write two commands")
        elif kind == "number":
            out.append("")
        else:
            out[-1] += short(text)
    if depth:
        raise ValueError(f"{header!r}: brackets do not match")
    return tuple(out)
