"""What a folder of evidence holds: every file with its digest, and whatever may not stand in it. Knows no journal.

A run is its regular files. A symbolic link could show another file tomorrow, a device or pipe has no bytes to seal, an
empty folder is in no list of files, a name that is no plain text cannot be told in a report: all are named, none is
followed. Names are relative, with forward slashes.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rig.evidence.journal import why

SHA256 = re.compile(r"[0-9a-f]{64}")
_PLAIN = re.compile(r"[^\x00-\x1f\x7f/\\\ud800-\udfff]+")
EMPTY = "is an empty folder"
BLOCK = 1 << 20
"""bytes read at once (project choice)."""


@dataclass(slots=True)
class Listing:
    """files: name -> SHA-256, hex. problems: name -> what is wrong with what stands there."""

    files: dict[str, str] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)


def listing(folder: Path) -> Listing:
    """All there is in a folder, digested."""
    found = Listing()
    for name, entry in _walk(folder, "", found):
        try:
            found.files[name] = _digest(entry.path)
        except OSError as error:
            found.problems[name] = f"cannot be read ({why(error)})"
    return found


def inside(name: str) -> bool:
    """Whether a name leads to a place inside a folder: no way up, no root, no empty step."""
    return all(_PLAIN.fullmatch(step) and step not in (".", "..") for step in name.split("/"))


def _walk(folder: Path, above: str, found: Listing) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Regular files, sorted. What is none goes to the problems."""
    try:
        with os.scandir(folder) as entries:
            rows = sorted(entries, key=lambda one: one.name)
    except OSError as error:
        found.problems[above.rstrip("/") or "."] = f"cannot be read ({why(error)})"
        return
    if not rows and above:
        found.problems[above.rstrip("/")] = EMPTY
    for entry in rows:
        name = above + entry.name
        if not _PLAIN.fullmatch(entry.name):
            found.problems[name.encode("ascii", "backslashreplace").decode()] = "has a name that is no plain text"
        elif entry.is_symlink():
            found.problems[name] = "is a symbolic link"
        elif entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path), f"{name}/", found)
        elif entry.is_file(follow_symlinks=False):
            yield name, entry
        else:
            found.problems[name] = "is no regular file"


def _digest(path: str) -> str:
    """SHA-256, hex, of a regular file that is no link even if it has become one a moment ago."""
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(file, "rb") as raw:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise OSError("is no regular file")
        sha = hashlib.sha256()
        while block := raw.read(BLOCK):
            sha.update(block)
    return sha.hexdigest()
