"""Where runs are: folders below a folder, and one run by its folder or by its name in the index."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from reports.history.questions import find_run
from reports.history.rows import AskedRow, Indexed, TestRow, ValueRow, read_run
from reports.history.store import Store, open_store
from rig.errors import UseError
from rig.evidence.journal import FILE

Row = TypeVar("Row", TestRow, ValueRow, AskedRow)


def run_folders(top: Path) -> Iterator[Path]:
    """Every folder below top, and top itself, that holds a journal; in the order of their names. UseError for none."""
    if not top.is_dir():
        raise UseError(f"{top}: no folder; name one with runs in it")
    found = sorted(one.parent for one in top.rglob(FILE))
    if not found:
        raise UseError(f"{top}: no run in it: no {FILE} at any depth")
    yield from found


def find_indexed(name: str, db: str) -> Indexed:
    """The rows of a run: from its folder where name is one, else from the index. UseError when there is neither."""
    if (Path(name) / FILE).is_file():
        return read_run(Path(name))
    with open_store(db, create=False) as store:
        run = find_run(store, name)
        return Indexed(
            run,
            tuple(_rows(store, "tests", TestRow, run.id)),
            tuple(_rows(store, "measured", ValueRow, run.id)),
            tuple(_rows(store, "asked", AskedRow, run.id)),
        )


def _rows(store: Store, table: str, row: type[Row], id: str) -> Iterator[Row]:
    order = "requirement" if row is AskedRow else "n"
    columns = ", ".join(one.name for one in fields(row))
    kinds = [str(one.type) for one in fields(row)]
    for cells in store.ask(f"SELECT {columns} FROM {table} WHERE id = ? ORDER BY {order}", (id,)):
        told: list[Any] = list(cells)
        for k, kind in enumerate(kinds):
            if told[k] is None and kind == "float":
                told[k] = math.nan
        yield row(*told)
