"""The end of a growing chain of evidence: its documents as they come, without its chain being checked.

What is shown here was on the disk before. Whether it still is what it was, `v2hrig verify` says.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

PIECE = 1 << 20
"""Bytes that are read at once, so that nothing waits for a long journal."""


class Written(NamedTuple):
    """A document. t: s of the bench."""

    n: int
    t: float
    doc: dict[str, Any]


class Tail:
    """Of one file, which may not be there yet."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._at, self._rest = 0, b""
        self.whole = True
        """Everything that was written when it was last looked at has been read."""

    def read(self) -> list[Written]:
        """What has come since. A line that is none is left out."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._at)
                data = file.read(PIECE)
        except OSError:
            return []
        self._at += len(data)
        self.whole = len(data) < PIECE
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [found for one in lines if (found := _written(one)) is not None]


def _written(raw: bytes) -> Written | None:
    try:
        found = json.loads(raw)
        return Written(int(found["n"]), float(found["t"]), dict(found["doc"]))
    except (ValueError, TypeError, KeyError):
        return None


def number(value: Any) -> float | None:
    """A float of a document; None for one that is not finite or not there."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
