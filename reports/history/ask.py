"""Questions in SQL over the exported Parquet of many runs, answered by DuckDB. What `v2hrig export --to parquet` wrote
is read as three tables: runs, measurements and tests."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rig.errors import UseError

TABLES = ("runs", "measurements", "tests")


def ask_parquet(sql: str, folders: Sequence[Path]) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Names of the columns, and the rows. UseError without DuckDB, without Parquet, or for a question it refuses."""
    try:
        duckdb: Any = importlib.import_module("duckdb")
    except ImportError:
        raise UseError("history ask: needs DuckDB; pip install 'v2hrig[history]'") from None
    connection = duckdb.connect(":memory:")
    try:
        for table in TABLES:
            files = sorted(str(one) for top in folders for one in top.rglob(f"{table}.parquet"))
            if not files:
                where = ", ".join(map(str, folders))
                raise UseError(f"{where}: no {table}.parquet in it; write it with v2hrig export RUN --to parquet")
            connection.from_parquet(files, union_by_name=True).create(table)
        connection.execute("SET enable_external_access = false")  # a question reads these tables and no other file
        answer = connection.execute(sql)
        return [one[0] for one in answer.description or ()], answer.fetchall()
    except duckdb.Error as error:
        raise UseError(f"history ask: {' '.join(str(error).split())}") from None
    finally:
        connection.close()
