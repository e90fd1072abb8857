"""The index of runs in a database: an sqlite file of one's own, or a PostgreSQL that a lab shares.

Nothing here is evidence: every row is made from a run's folder and can be made again. A run is put in whole or not at
all; put in twice it stands once. The sqlite file is in WAL mode, so that a run that ends and a reader meet in peace.
Both databases are asked the same questions in the same words, with ? for a value.
"""

from __future__ import annotations

import importlib
import math
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any

from reports.history.rows import AskedRow, Cell, Indexed, RunRow, TestRow, ValueRow
from rig.errors import UseError

VERSION = 1
"""Of the tables. An index of another version is refused, since it can be made again."""
WAIT = 30.0
"""s to wait for another writer (project choice)."""
LOCK = 0x76326872
"""Number of the lock in a shared PostgreSQL ("v2hr")."""
_TABLES: dict[str, type] = {"runs": RunRow, "tests": TestRow, "measured": ValueRow, "asked": AskedRow}
_SQL = {"str": "TEXT", "int": "BIGINT", "float": "DOUBLE PRECISION", "float | None": "DOUBLE PRECISION"}
_INDICES = (
    "CREATE INDEX IF NOT EXISTS measured_of ON measured (requirement, quantity)",
    "CREATE INDEX IF NOT EXISTS measured_in ON measured (id)",
    "CREATE INDEX IF NOT EXISTS tests_in ON tests (id)",
    "CREATE INDEX IF NOT EXISTS asked_in ON asked (id)",
)


class Store:
    """An open index. postgres: its words for a value are %s."""

    def __init__(self, connection: Any, postgres: bool, name: str) -> None:
        self._db, self._postgres, self.name = connection, postgres, name

    def ask(self, sql: str, values: Sequence[Cell] = ()) -> list[tuple[Any, ...]]:
        """The rows of a question."""
        cursor = self._db.execute(self._words(sql), tuple(values))
        return [tuple(row) for row in cursor.fetchall()]

    def put(self, indexed: Indexed) -> None:
        """Put a run in, in the place of what stood there of it."""
        with self._whole():
            self._drop(indexed.run.id)
            self._insert("runs", [indexed.run])
            self._insert("tests", indexed.tests)
            self._insert("measured", indexed.values)
            self._insert("asked", indexed.asked)

    def drop(self, id: str) -> None:
        """Forget a run; its evidence stands."""
        with self._whole():
            self._drop(id)

    def prepare(self) -> None:
        """Make the tables where there are none. UseError for those of another version."""
        with self._whole():
            self._db.execute("CREATE TABLE IF NOT EXISTS v2hrig_history (version BIGINT)")
            if not (found := self.ask("SELECT version FROM v2hrig_history")):
                self._db.execute(self._words("INSERT INTO v2hrig_history VALUES (?)"), (VERSION,))
            elif found[0][0] != VERSION:
                raise UseError(f"{self.name}: an index of version {found[0][0]}, this rig writes {VERSION}; "
                               "name a new --db and fill it with v2hrig history rebuild")  # fmt: skip
            for table, row in _TABLES.items():
                columns = ", ".join(f"{one.name} {_SQL[str(one.type)]}" for one in fields(row))
                self._db.execute(f"CREATE TABLE IF NOT EXISTS {table} ({columns})")
            for index in _INDICES:
                self._db.execute(index)

    def _drop(self, id: str) -> None:
        for table in _TABLES:
            self._db.execute(self._words(f"DELETE FROM {table} WHERE id = ?"), (id,))

    def _insert(self, table: str, rows: Iterable[RunRow | TestRow | ValueRow | AskedRow]) -> None:
        columns = [one.name for one in fields(_TABLES[table])]
        sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
        cursor = self._db.cursor()
        cursor.executemany(self._words(sql), [tuple(map(_cell, astuple(row))) for row in rows])

    def _words(self, sql: str) -> str:
        return sql.replace("%", "%%").replace("?", "%s") if self._postgres else sql

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """All of what is done inside, or nothing."""
        self._db.execute("BEGIN" if self._postgres else "BEGIN IMMEDIATE")
        try:
            if self._postgres:
                self._db.execute(f"SELECT pg_advisory_xact_lock({LOCK})")  # one writer, as sqlite has it
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


def _cell(value: Cell) -> Cell:
    """No number is no value in both databases; a byte that is no text is written out, as PostgreSQL takes none."""
    if isinstance(value, float) and math.isnan(value):
        return None
    return value.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0") if isinstance(value, str) else value


@contextmanager
def open_store(where: str, create: bool = True) -> Iterator[Store]:
    """The index at a path, or at postgresql://user@host/name. UseError when it cannot be opened or is none."""
    postgres = where.startswith(("postgresql://", "postgres://"))
    if not postgres and not create and not Path(where).is_file():
        raise UseError(f"{where}: no index there; make one with v2hrig history rebuild FOLDER --db {where}")
    try:
        connection = _postgres(where) if postgres else _sqlite(Path(where))
    except _errors(postgres) as error:
        raise UseError(f"{_public(where)}: cannot be opened ({_line(error)}); name another --db") from None
    try:
        store = Store(connection, postgres, _public(where))
        store.prepare()
        yield store
    except _errors(postgres) as error:
        raise UseError(f"{_public(where)}: {_line(error)}") from None
    finally:
        connection.close()


def _sqlite(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=WAIT, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _postgres(where: str) -> Any:
    return _psycopg().connect(where, autocommit=True, connect_timeout=round(WAIT))


def _psycopg() -> Any:
    try:
        return importlib.import_module("psycopg")
    except ImportError:
        raise UseError("--db postgresql://: needs psycopg; pip install 'v2hrig[history]'") from None


def _errors(postgres: bool) -> tuple[type[Exception], ...]:
    return (_psycopg().Error,) if postgres else (sqlite3.Error, OSError)


def _public(where: str) -> str:
    """Without the password of an address."""
    head, at, rest = where.rpartition("@")
    scheme, slashes, user = head.partition("://")
    return f"{scheme}{slashes}{user.partition(':')[0]}@{rest}" if at and slashes else where


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
