"""`v2hrig requirements`: the catalogue as it applies to a device, and what verifies each row of it.

A row is accounted for when a procedure of the suites judges it, or when it says why it is not run. Which procedures
there are is asked of pytest, which collects the suites without a bench.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Annotated, TextIO

import pytest
import typer

from fixtures.conductor import is_procedure, name_of, verified
from fixtures.depth import Depth
from fixtures.library import REQUIREMENTS, find_profile
from rig.cli.campaign import home
from rig.cli.requirements_export import COLUMNS, write_csv, write_strictdoc
from rig.conditions import UNITS
from rig.errors import UseError
from rig.metrology.decision import Limit
from rig.profile import read_profile
from rig.requirements import Requirement, read_catalogue

app = typer.Typer(help="The requirement catalogue: list, show, export.", no_args_is_help=True, rich_markup_mode=None)
ProfileName = Annotated[str, typer.Option("--profile", help="device profile, file or name")]
Depths = Annotated[Depth, typer.Option(help="depth of the run whose procedures are named")]
USUAL = "leaf-to-home-6kw"
FORMATS = ("csv", "strictdoc")


class _Collected:
    """Takes what pytest collects."""

    def __init__(self) -> None:
        self.by: dict[str, list[str]] = {}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Which procedures verify what."""
        for item in items:
            for id in verified(item) if is_procedure(item) else ():
                self.by.setdefault(id, []).append(name_of(item))


def procedures(depth: Depth = "full") -> Mapping[str, list[str]]:
    """Requirement id -> names of the procedures that verify it, as pytest collects them. UseError when it cannot."""
    taken, said = _Collected(), StringIO()
    arguments = [str(home()), f"--rootdir={home().parent}", "--collect-only", "-q", "-p", "fixtures.plugin"]
    arguments += ["--depth", depth, "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:random_order"]
    with redirect_stdout(said):
        status = pytest.main([*arguments, "--override-ini=addopts=--strict-markers"], plugins=[taken])
    if status != pytest.ExitCode.OK:
        raise UseError(f"the suites cannot be collected:\n{said.getvalue()[-2000:]}")
    return taken.by


def status_of(row: Requirement, by: Mapping[str, list[str]]) -> str:
    """verified, OUT (the device has no part in it), NOT RUN (and why it is), or OPEN: neither procedure nor reason."""
    if not row.applies:
        return "OUT"
    if row.not_run is not None:
        return "NOT RUN"
    return "verified" if by.get(row.id) else "OPEN"


def limits_of(row: Requirement) -> str:
    """Quantities and bounds, and the set value each is measured at, in words."""
    said = []
    for one in row.limits:
        setting = "" if one.setting is None else f" at {one.setting.at:g} {one.setting.unit}"
        said.append(f"{one.quantity}{setting} {one.limit}")
    return "; ".join(said)


def begins_of(row: Requirement) -> str:
    """What it asks of its surroundings beside what every test does, in words."""
    return "; ".join(f"{one.quantity} {Limit(one.min, one.max, UNITS[one.quantity])}" for one in row.begins)


def applied(profile: str) -> Mapping[str, Requirement]:
    """The catalogue as it applies to a profile."""
    return read_catalogue(REQUIREMENTS).for_profile(read_profile(find_profile(profile)))


@app.command("list")
def list_rows(profile: ProfileName = USUAL, depth: Depths = "full") -> None:
    """Every requirement: its limits for a device, how many procedures verify it, or why it is not run."""
    rows, by = applied(profile), procedures(depth)
    for row in rows.values():
        status = status_of(row, by)
        what = row.not_run or f"{limits_of(row)}  [{len(by.get(row.id, ()))} procedures]"
        print(f"{row.id}  {status:8}  {row.title}: {what}")
    print(f"\n{tally(rows.values(), by)}")


def tally(rows: Iterable[Requirement], by: Mapping[str, list[str]]) -> str:
    """How many are accounted for, and how."""
    found = [status_of(row, by) for row in rows]
    verified_, not_run, out, open_ = (found.count(word) for word in ("verified", "NOT RUN", "OUT", "OPEN"))
    return (
        f"{len(found) - open_} of {len(found)} accounted for: {verified_} verified by a procedure, "
        f"{not_run} NOT RUN with a reason, {out} out of scope of the profile, {open_} open"
    )


@app.command("show")
def show(
    id: Annotated[str, typer.Argument(help="id of a requirement, as PWR-001")],
    profile: ProfileName = USUAL,
    depth: Depths = "full",
) -> None:
    """One requirement whole."""
    rows = applied(profile)
    if id not in rows:
        raise UseError(f"{id}: no such requirement; see `v2hrig requirements list`")
    by = procedures(depth)
    for name, value in _columns(rows[id], by).items():
        if value:
            print(f"{name:12} {value}".replace("\n", "\n" + " " * 13))


@app.command("export")
def export(
    to: Annotated[str, typer.Option(help="csv, or strictdoc")] = "csv",
    out: Annotated[Path | None, typer.Option(help="file to write; default: standard output")] = None,
    profile: ProfileName = USUAL,
    depth: Depths = "full",
) -> None:
    """Every requirement for another tool: a table, or a document of StrictDoc (an .sdoc file)."""
    if to not in FORMATS:
        raise UseError(f"--to {to}: no such format; use {' or '.join(FORMATS)}")
    rows, by = applied(profile), procedures(depth)
    found = [_columns(row, by) for row in rows.values()]
    if out is None:
        _write(sys.stdout, to, found, profile)
        return
    try:
        with out.open("w", encoding="utf-8", newline="") as file:
            _write(file, to, found, profile)
    except OSError as error:
        raise UseError(f"--out {out}: cannot be written ({error.strerror or error}); name another file") from None
    print(out)


def _write(file: TextIO, to: str, rows: list[dict[str, str]], profile: str) -> None:
    if to == "csv":
        write_csv(file, rows)
    else:
        write_strictdoc(file, rows, f"Requirements for {profile}")


def _columns(row: Requirement, by: Mapping[str, list[str]]) -> dict[str, str]:
    values = (
        row.id, row.title, row.stated, row.stated_unit, limits_of(row), str(row.rule.rule()), row.confidence.raw,
        "" if row.not_run else row.claim, row.source, row.method, row.conditions, begins_of(row), status_of(row, by),
        "" if row.not_run else "\n".join(by.get(row.id, ())), row.not_run or "",
    )  # fmt: skip
    return dict(zip(COLUMNS, values, strict=True))
