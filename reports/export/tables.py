"""A run as plain tables, for other people's tools: CSV, Parquet and XLSX. One row a judgement, a test, a requirement;
the run's own row beside them. SI units; a unit column where rows differ. Knows no capture."""

from __future__ import annotations

import csv
import importlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from reports.history.rows import AskedRow, Cell, Indexed, RunRow, TestRow, ValueRow
from rig.errors import UseError

Rows = Sequence[RunRow | TestRow | ValueRow | AskedRow]
TABLES: Mapping[str, type] = {"runs": RunRow, "measurements": ValueRow, "tests": TestRow, "requirements": AskedRow}
"""Name of a table, and of its file, -> its row. `id` is the run's, so that tables of many runs can be laid together."""
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""How a cell begins that a spreadsheet reads as a formula (OWASP, CSV injection)."""
_ARROW = {"str": pa.string(), "int": pa.int64(), "float": pa.float64(), "float | None": pa.float64()}


def tables(indexed: Indexed) -> dict[str, Rows]:
    """The tables of a run."""
    return {
        "runs": [indexed.run],
        "measurements": indexed.values,
        "tests": indexed.tests,
        "requirements": indexed.asked,
    }


def write_csv(indexed: Indexed, out: Path) -> list[Path]:
    """runs.csv, measurements.csv, tests.csv, requirements.csv; floats in full, so that they can be read back."""
    paths = list[Path]()
    for name, rows in tables(indexed).items():
        path = out / f"{name}.csv"
        with path.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
            writer = csv.writer(file)
            writer.writerow(columns(name))
            writer.writerows(["" if one is None else inert(one) for one in astuple(row)] for row in rows)
        paths.append(path)
    return paths


def write_parquet(indexed: Indexed, out: Path) -> list[Path]:
    """The same as Parquet, for `v2hrig history ask` and any other reader."""
    paths = list[Path]()
    for name, rows in tables(indexed).items():
        schema = pa.schema([(one.name, _ARROW[str(one.type)]) for one in fields(TABLES[name])])
        cells = [[_plain(one) for one in astuple(row)] for row in rows]
        arrays = [pa.array([row[k] for row in cells], type=one.type, from_pandas=False) for k, one in enumerate(schema)]
        path = out / f"{name}.parquet"
        pq.write_table(pa.table(arrays, schema=schema), path, compression="zstd")
        paths.append(path)
    return paths


def write_xlsx(indexed: Indexed, out: Path) -> list[Path]:
    """One workbook, a sheet a table. No text of a run can act as a formula or a link. UseError without XlsxWriter."""
    try:
        xlsxwriter: Any = importlib.import_module("xlsxwriter")
    except ImportError:
        raise UseError("--to xlsx: needs XlsxWriter; pip install 'v2hrig[export]'") from None
    path = out / "run.xlsx"
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(str(path), {**options, "constant_memory": True, "nan_inf_to_errors": True})
    head = book.add_format({"bold": True, "bottom": 1})
    for name, rows in tables(indexed).items():
        sheet = book.add_worksheet(name)
        sheet.freeze_panes(1, 0)
        for k, column in enumerate(columns(name)):
            sheet.set_column(k, k, 36 if column in ("test", "title", "reason", "folder", "device") else 14)
        sheet.autofilter(0, 0, max(1, len(rows)), len(columns(name)) - 1)
        for k, column in enumerate(columns(name)):
            sheet.write_string(0, k, column, head)
        for n, row in enumerate(rows, 1):
            for k, cell in enumerate(astuple(row)):
                _write(sheet, n, k, cell)
    book.close()
    return [path]


def inert(cell: Cell) -> Cell:
    """Text that a spreadsheet would take for a formula gets an apostrophe before it, as spreadsheets themselves write
    it; numbers stay numbers."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def columns(table: str) -> list[str]:
    """Names of a table's columns."""
    return [one.name for one in fields(TABLES[table])]


def _write(sheet: Any, n: int, k: int, cell: Cell) -> None:
    """A number no workbook can hold stands in words."""
    match cell:
        case None:
            pass
        case float() if not math.isfinite(cell):
            sheet.write_string(n, k, "no number" if math.isnan(cell) else "never" if cell > 0 else "below any bound")
        case float() | int():
            sheet.write_number(n, k, cell)
        case _:
            sheet.write_string(n, k, str(_plain(cell))[:32_767])


def _plain(cell: Cell) -> Cell:
    """Text that UTF-8 can carry."""
    return cell.encode("utf-8", "backslashreplace").decode() if isinstance(cell, str) else cell
