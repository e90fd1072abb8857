"""Unpacking an FMU, a ZIP archive that somebody else made: nothing leads out of the folder, nothing fills the disk."""

from __future__ import annotations

import hashlib
import re
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from zipfile import BadZipFile, ZipFile, ZipInfo

MOST_FILES = 10_000
MOST_BYTES = 1 << 30
"""Unpacked, all together (project choice: tools that pack their own run time have some 100 MB)."""
MOST_XML = 16 << 20
"""Bytes of modelDescription.xml."""
DESCRIPTION = "modelDescription.xml"
_DRIVE = re.compile(r"[A-Za-z]:")


@contextmanager
def opened(path: Path) -> Iterator[ZipFile]:
    """The archive, every name and size in it checked. ValueError, in one line, for one that must not be unpacked."""
    try:
        with ZipFile(path) as archive:
            _refuse_what_does_harm(archive.infolist())
            yield archive
    except FileNotFoundError:
        raise ValueError("no such file; mend the path, which begins at the bench file's folder") from None
    except (BadZipFile, OSError, NotImplementedError, RuntimeError, EOFError, zlib.error) as error:
        raise ValueError(f"cannot be unpacked ({error}); export the FMU anew") from None


def digest(path: Path) -> str:
    """SHA-256 of the file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def description_text(archive: ZipFile) -> bytes:
    """modelDescription.xml. ValueError where there is none, or it may refer to what is outside of it."""
    if DESCRIPTION not in archive.namelist():
        raise ValueError(f"has no {DESCRIPTION}, so it is no FMU; export it anew")
    if archive.getinfo(DESCRIPTION).file_size > MOST_XML:
        raise ValueError(f"{DESCRIPTION} has more than {MOST_XML >> 20} MB; export the FMU anew")
    text = archive.read(DESCRIPTION)
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text or b"\x00" in text:
        raise ValueError(f"{DESCRIPTION} has a document type or is no UTF-8, which no FMU needs; export it anew")
    return text


def _refuse_what_does_harm(members: list[ZipInfo]) -> None:
    if len(members) > MOST_FILES or sum(one.file_size for one in members) > MOST_BYTES:
        raise ValueError(f"unpacks to more than {MOST_FILES} files or {MOST_BYTES >> 30} GB; take it apart")
    for one in members:
        if not _stays_inside(one.filename):
            raise ValueError(f"holds the path {one.filename!r}, which leads out of its folder; do not trust this file")
        if stat.S_ISLNK(one.external_attr >> 16):
            raise ValueError(f"holds the link {one.filename!r}; do not trust this file")
        if one.flag_bits & 1:
            raise ValueError(f"{one.filename!r} is encrypted; export the FMU without a password")


def _stays_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not (path.is_absolute() or ".." in path.parts or "\\" in name or _DRIVE.match(name) or not path.parts)
