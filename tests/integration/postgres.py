"""A PostgreSQL server of a test's own, on a socket in its own folder: the real one, where Debian's package is there."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LIMIT = 60
"""s that any of its commands may take."""


def programs() -> Path | None:
    """Where initdb and pg_ctl are; None without a server, or for root where nobody else may run it."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda one: int(one.parent.name))
    found = shutil.which("initdb")
    here = Path(found).parent if found else folders[-1] if folders else None
    if here and os.getuid() == 0 and not (shutil.which("runuser") and shutil.which("chown")):
        return None
    return here


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """Its address while it runs. folder: an empty one, with a short path, for a socket's name has little room."""
    bin, data = programs(), folder / "data"
    assert bin is not None
    as_user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    if as_user:
        run("chown", "postgres", str(folder))
    try:
        run(*as_user, str(bin / "initdb"), "-D", str(data), "-U", "lab", "-A", "trust", "-N", "-E", "UTF8")
        options = f"-k {folder} -c listen_addresses='' -c fsync=off"
        run(*as_user, str(bin / "pg_ctl"), "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start")
        yield f"postgresql://lab@/postgres?host={folder}"
    finally:
        subprocess.run(
            [*as_user, str(bin / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop"],
            capture_output=True, timeout=LIMIT, check=False, cwd="/",
        )  # fmt: skip


def run(*words: str) -> None:
    """A command that must do."""
    done = subprocess.run(
        words, capture_output=True, text=True, timeout=LIMIT, check=False, cwd="/", stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, f"{' '.join(words)}: {done.stdout}{done.stderr}"
