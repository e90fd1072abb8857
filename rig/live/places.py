"""Where runs that can be watched leave their sockets: one folder a user, closed to others."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from rig.errors import UseError

NAME = re.compile(r"[0-9]+\.sock")


def usual_folder() -> Path:
    """Of this user on this machine."""
    return Path(f"/tmp/v2hrig-live-{os.getuid()}")  # short: a socket's path has 107 characters


def own_folder(folder: Path) -> Path:
    """The folder, made where it is missing. UseError when it is not ours alone: whoever can write there could put
    himself in a run's place."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise UseError(f"{folder}: no folder for runs to be watched in ({error.strerror}); name another") from None
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise UseError(f"{folder}: others can write or read there; remove it, or name a folder with mode 700")
    return folder


def socket_path(folder: Path) -> Path:
    """Of this process."""
    return folder / f"{os.getpid()}.sock"


def sockets(folder: Path) -> list[Path]:
    """Of every run that may be watched here, dead ones among them."""
    if not folder.is_dir():
        return []
    return sorted(one for one in folder.iterdir() if NAME.fullmatch(one.name))
