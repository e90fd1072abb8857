"""run.json beside the journal: all that differs between two runs of one seed. Wall time, host, user, versions, and
what ISO/IEC 17025:2017, 7.8.2.1 wants named of the laboratory. Nothing here bears on a verdict."""

from __future__ import annotations

import getpass
import os
import platform
import re
import socket
import subprocess
from contextlib import suppress
from datetime import timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from rig.clock import Stopwatch
from rig.errors import BenchFault, TraceError
from rig.evidence.journal import sync_folder, why

FILE = "run.json"
_NEXT = re.compile(r"run-([2-9]|[1-9][0-9]+)\.json")
PACKAGES = (
    "v2hrig",
    "cantools",
    "cryptography",
    "jinja2",
    "msgspec",
    "numpy",
    "pyarrow",
    "pydantic",
    "pytest",
    "python-can",
    "pyvisa",
    "scipy",
)
"""Packages whose version may bear on a number or a byte of the evidence."""


class Laboratory(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the operator states of the place and the order. Empty: not stated."""

    name: str = ""
    address: str = ""
    place: str = ""
    customer: str = ""
    operator: str = ""
    authorised_by: str = ""
    received: str = ""
    """ISO date the item was received."""
    condition: str = ""
    """Of the item when it was received."""
    environment: str = ""
    """Temperature, humidity and the like, as read in the room."""
    issued: str = ""
    """ISO date of the report."""


UNSTATED = Laboratory()


class RunInfo(msgspec.Struct, frozen=True, kw_only=True):
    """begun, ended: ISO 8601 UTC; ended is empty while the run lasts or when it was cut off. wall_seconds: between
    them. commit: of the rig's checkout, with "+" when it had changes, empty outside one. bench, profile: as they were
    ordered, a file by its whole path, so that a run that was cut off can be gone on with."""

    run: str
    begun: str
    ended: str = ""
    wall_seconds: float = 0.0
    host: str = ""
    user: str = ""
    python: str = ""
    system: str = ""
    packages: dict[str, str] = {}
    commit: str = ""
    command: str = ""
    bench: str = ""
    profile: str = ""
    laboratory: Laboratory = Laboratory()


def describe_run(
    run: str,
    watch: Stopwatch,
    command: str = "",
    laboratory: Laboratory = UNSTATED,
    bench: str = "",
    profile: str = "",
) -> RunInfo:
    """Who runs this, where and with what. run: the run's own name, usually its folder's."""
    return RunInfo(
        run=run,
        begun=watch.begun.isoformat(timespec="seconds"),
        host=socket.gethostname(),
        user=_user(),
        python=platform.python_version(),
        system=platform.platform(),
        packages={name: found for name in PACKAGES if (found := _version(name))},
        commit=_commit(Path(__file__)),
        command=command,
        bench=bench,
        profile=profile,
        laboratory=laboratory,
    )


def ended(info: RunInfo, watch: Stopwatch) -> RunInfo:
    """The same run at its end."""
    seconds = watch.seconds()
    end = (watch.begun + timedelta(seconds=seconds)).isoformat(timespec="seconds")
    return msgspec.structs.replace(info, ended=end, wall_seconds=round(seconds, 3))


def write_run_info(folder: Path, info: RunInfo, part_of_run: int = 1) -> Path:
    """Write run.json in one piece: at the start, and again with its end. BenchFault when it cannot be written: the one
    that was there stands. part_of_run: 2 for the first time the run is gone on with, which has a run-2.json."""
    path = folder / (FILE if part_of_run == 1 else f"run-{part_of_run}.json")
    part = path.with_name(f"{path.name}.part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(info), indent=2) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
        sync_folder(folder)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise BenchFault(f"{path}: cannot be written ({why(error)}); make room, or name another folder") from None
    return path


def read_run_info(folder: Path) -> RunInfo | None:
    """run.json of a folder; None when there is none. Of a run in several parts: the first, with the end of the last,
    the wall time of those that were not cut off, and every commit that had a part in it. TraceError when it cannot be
    read."""
    if not (folder / FILE).is_file():
        return None
    numbers = sorted(int(found[1]) for one in folder.iterdir() if (found := _NEXT.fullmatch(one.name)))
    parts = [_read(folder / FILE), *(_read(folder / f"run-{number}.json") for number in numbers)]
    seconds = sum(one.wall_seconds for one in parts)
    commit = " then ".join(dict.fromkeys(one.commit for one in parts if one.commit))
    return msgspec.structs.replace(parts[0], ended=parts[-1].ended, wall_seconds=seconds, commit=commit)


def _read(path: Path) -> RunInfo:
    try:
        return msgspec.json.decode(path.read_bytes(), type=RunInfo)
    except OSError as error:
        raise TraceError(f"{path}: {why(error)}; restore the file from its sealed copy") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise TraceError(f"{path}: {error}; restore the file from its sealed copy") from None


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def _commit(file: Path) -> str:
    """Of the checkout that holds this file as its own; an installed rig inside somebody else's checkout has none."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}

    def git(*words: str) -> str:
        command = ["git", "--no-optional-locks", "-C", str(file.parent), *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True, env=own).stdout.strip()

    try:
        git("ls-files", "--error-unmatch", file.name)
        return git("rev-parse", "HEAD") + ("+" if git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return ""
