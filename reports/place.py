"""A report takes its place in one piece: whoever reads it finds the one before or the whole new one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rig.errors import UseError


def put(path: Path, raw: bytes) -> Path:
    """Write a file, and the folders above it. UseError when it cannot be: nothing of it is left."""
    part = path.with_name(path.name + ".part")
    with told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            part.unlink(missing_ok=True)
            with part.open("xb") as file:  # never through a link that waits under its name
                file.write(raw)
            part.replace(path)
        except OSError:
            with suppress(OSError):
                part.unlink()
            raise
    return path


def refuse_link(path: Path) -> Path:
    """The path. UseError where it is a symbolic link: what is written into somebody's evidence stays in it."""
    if path.is_symlink():
        raise UseError(f"{path}: is a symbolic link and leads elsewhere; remove it, or name a place with --out")
    return path


@contextmanager
def told(path: Path) -> Iterator[None]:
    """The system's refusal in one line."""
    try:
        yield
    except OSError as error:
        words = error.strerror or str(error)
        raise UseError(f"{path}: cannot be written ({words}); make room, or name another place with --out") from None
