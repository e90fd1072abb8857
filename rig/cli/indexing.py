"""Putting a run into the index of runs, for every command after which its row would not be true any more."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reports.history.rows import read_run
from reports.history.store import open_store
from rig.errors import RigError

History = Annotated[str, typer.Option(help="index to put the run into, as v2hrig history --db has it")]


def index(folder: Path, history: str = "") -> str:
    """Put a run into the index, or into the one beside it where there is one; what to say of it. The verdict
    stands whatever comes of it: the index can be made again."""
    beside = folder.parent / "history.sqlite"
    where = history or (str(beside) if folder.parent.name == "evidence" or beside.is_file() else "")
    if not where:
        return ""
    try:
        with open_store(where) as store:
            store.put(read_run(folder))
            return f"history    {store.name}"
    except RigError as error:
        return f"history    not written: {error}"
