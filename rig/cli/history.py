"""`v2hrig history`: the index of all runs, and what a lab asks of it. The evidence stays in the runs' folders, and the
index can be made again from them at any time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from reports import numbers
from reports.history import questions
from reports.history.ask import ask_parquet
from reports.history.compare import compare
from reports.history.find import find_indexed, run_folders
from reports.history.rows import read_run
from reports.history.store import open_store
from rig.errors import RigError, UseError

app = typer.Typer(help="All runs: list, compare, trend, drift, flaky.", no_args_is_help=True, rich_markup_mode=None)
USUAL = "evidence/history.sqlite"
SHOWN = 40
"""Rows of a table that are printed, unless --all."""
Db = Annotated[str, typer.Option(help="index: an sqlite file, or postgresql://user@host/name")]
Device = Annotated[str, typer.Option(help="only of devices with this in maker, model or serial")]
Bench = Annotated[str, typer.Option(help="only of benches with this in their name")]
All = Annotated[bool, typer.Option("--all", help=f"every row, not the first {SHOWN}")]


@app.command()
def rebuild(
    folder: Annotated[Path, typer.Argument(help="folder with runs in it, at any depth")],
    db: Db = USUAL,
) -> None:
    """Put every run below a folder into the index; what stood there of runs that are gone stays."""
    _put(run_folders(folder), db)


@app.command()
def add(folders: Annotated[list[Path], typer.Argument(help="folders of runs")], db: Db = USUAL) -> None:
    """Put runs into the index."""
    _put(folders, db)


@app.command("list")
def list_runs(
    db: Db = USUAL,
    device: Device = "",
    bench: Bench = "",
    newest: Annotated[int, typer.Option(min=0, help="so many at most; 0 for all")] = 20,
) -> None:
    """The runs, the newest last."""
    with open_store(db, create=False) as store:
        found = questions.runs(store, device, bench, newest)
    rows = [
        (one.id, one.begun[:16].replace("T", " "), one.run, one.verdict, one.kind, one.bench, one.profile, one.device,
         one.firmware, "sealed" if one.sealed else (one.flaw and "FLAWED") or "")
        for one in found
    ]  # fmt: skip
    _table(("id", "begun (UTC)", "run", "verdict", "kind", "bench", "profile", "device", "firmware", ""), rows)


@app.command("compare")
def compare_runs(
    before: Annotated[str, typer.Argument(help="name or id of a run, or its folder")],
    after: Annotated[str, typer.Argument(help="name or id of a run, or its folder")],
    db: Db = USUAL,
    every: All = False,
) -> None:
    """What changed from one run to another."""
    found = compare(*(find_indexed(name, db) for name in (before, after)))
    print(f"before          {found.before.run}  {found.before.begun}  {found.before.verdict}")
    print(f"after           {found.after.run}  {found.after.begun}  {found.after.verdict}")
    for fact in found.facts:
        print("{:<16}{:.24} -> {:.24}".format(*fact))
    for what, changed in (("requirement", found.requirements), ("test", found.tests)):
        print(f"\n{len(changed)} {what}{'s' * (len(changed) != 1)} with another verdict")
        _table(("", "before", "after"), [(one.id, one.before, one.after) for one in changed], every)
    print(f"\n{len(found.moved)} values moved by more than their uncertainties explain (E_n > 1); {found.same} did not"
          + (f"; of {found.unknown} it cannot be told" if found.unknown else ""))  # fmt: skip
    _table(
        ("E_n", "requirement", "quantity", "before", "after", "test"),
        [
            (f"{one.en:.2f}", one.after.requirement, one.after.quantity,
             *(numbers.with_u(it.value, it.expanded, it.unit) for it in (one.before, one.after)), one.after.test)
            for one in found.moved
        ],
        every,
    )  # fmt: skip


@app.command()
def trend(
    requirement: Annotated[str, typer.Argument(help="requirement, XFR-002 say")],
    quantity: Annotated[str, typer.Option(help="one of its quantities; default: each")] = "",
    test: Annotated[str, typer.Option(help="tests with this in their id; default: what decides each run")] = "",
    db: Db = USUAL,
    device: Device = "",
    bench: Bench = "",
    every: All = False,
) -> None:
    """A measured value with its U and its limit over the runs."""
    with open_store(db, create=False) as store:
        points = questions.trend(store, requirement, quantity, test, device, bench)
    for name in dict.fromkeys(one.quantity for one in points):
        row = [one for one in points if one.quantity == name]
        print(f"{requirement} {name}")
        _table(
            ("begun (UTC)", "run", "value ± U", "limit", "verdict", "", "device", "bench", "kind"),
            [
                (one.begun[:16].replace("T", " "), one.run, numbers.with_u(one.value, one.expanded, one.unit),
                 numbers.bounds(one.low, one.high, one.unit), one.verdict, _place(one, row), one.device, one.bench,
                 one.kind)
                for one in row
            ],
            every,
        )  # fmt: skip


@app.command()
def drift(
    device: Annotated[str, typer.Argument(help="the golden charger: a part of its maker, model or serial")],
    db: Db = USUAL,
    bench: Bench = "",
    every: All = False,
) -> None:
    """Has a bench drifted? The same tests on the same device, the last run against the first."""
    with open_store(db, create=False) as store:
        found = questions.drift(store, device, bench)
    far = [one for one in found if one.moved]
    print(
        f"{len(far)} of {len(found)} values moved by more than their uncertainties explain (E_n > 1, last to first run)"
    )
    _table(
        ("E_n", "bench", "requirement", "quantity", "runs", "first", "last", "a day", "test"),
        [
            (f"{one.en:.2f}", one.bench, one.requirement, one.quantity, str(one.runs),
             *(numbers.with_u(side.value, side.expanded, one.unit) for side in (one.first, one.last)),
             numbers.with_u(one.slope, 2 * one.slope_u, one.unit), one.test)
            for one in found
        ],
        every,
    )  # fmt: skip


@app.command()
def flaky(db: Db = USUAL, device: Device = "", bench: Bench = "", every: All = False) -> None:
    """Tests that came out differently on the same device, firmware, profile and kind of bench."""
    with open_store(db, create=False) as store:
        found = questions.flaky(store, device, bench)
    print(f"{len(found)} test{'s' * (len(found) != 1)} that waver")
    _table(
        ("flips", "runs", "outcomes", "device", "firmware", "kind", "test"),
        [
            (str(one.flips), str(len(one.path)), ", ".join(f"{n} {word}" for word, n in sorted(one.tally.items())),
             one.device, one.firmware, one.kind, one.test)
            for one in found
        ],
        every,
    )  # fmt: skip


@app.command()
def ask(
    sql: Annotated[str, typer.Argument(help="a question in SQL, of the tables runs, measurements and tests")],
    folders: Annotated[list[Path], typer.Argument(help="folders with Parquet of `v2hrig export` in them")],
) -> None:
    """Ask DuckDB about the exported Parquet of many runs."""
    names, rows = ask_parquet(sql, folders)
    _table(names, [tuple("" if one is None else str(one) for one in row) for row in rows], every=True)


def _put(folders: Iterable[Path], db: str) -> None:
    done, left = 0, list[str]()
    with open_store(db) as store:
        for folder in folders:
            try:
                store.put(read_run(folder))
                done += 1
            except RigError as error:
                left.append(str(error))
        name = store.name
    for line in left:
        print(f"left out   {line}")
    print(f"{done} run{'s' * (done != 1)} in {name}")
    if not done:
        raise UseError("no run was put into the index; name a folder with runs in it")


def _place(point: questions.Point, row: Sequence[questions.Point]) -> str:
    """Where a value lies between the least and the greatest of its row, as a mark on a line of 21."""
    known = [one.value for one in row if abs(one.value) < float("inf")]
    if point.value not in known or max(known) == min(known):
        return ""
    return "·" * (at := round(20 * (point.value - min(known)) / (max(known) - min(known)))) + "o" + "·" * (20 - at)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], every: bool = False) -> None:
    shown = rows if every else rows[:SHOWN]
    if not shown:
        return
    widths = [max(len(one[k]) for one in (head, *shown)) for k in range(len(head))]
    for row in (head, *shown):
        print("  ".join(one.ljust(width) for one, width in zip(row, widths, strict=True)).rstrip())
    if len(rows) > len(shown):
        print(f"and {len(rows) - len(shown)} more; --all shows them")
