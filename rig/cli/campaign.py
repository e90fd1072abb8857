"""Running the suites under pytest as one run, for every command that does: begin one, or go on with one."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import typer

import suites
from fixtures.conductor import Conductor, Order
from fixtures.progress import Progress
from reports.account import account
from reports.formats import Given, write_reports
from reports.gather import gather
from reports.github import tell_github
from rig.cli.indexing import index
from rig.cli.sealing import seal_folder, sealing_key
from rig.errors import UseError
from rig.evidence.journal import scan_journal


def campaign(
    order: Order,
    chosen: Sequence[Path] = (),
    keyword: str = "",
    quiet: bool = False,
    key: Path | None = None,
    to: Sequence[str] = ("html",),
    history: str = "",
) -> None:
    """Run, write the reports, seal when there is a key, and exit as the verdicts say. chosen: folders of suites, none
    for all. to: names of reports.formats."""
    secret = sealing_key(key, order.out) if key is not None else None  # before a night of testing, not after it
    conductor = Conductor(order)
    arguments = [
        *map(str, chosen or [home()]),
        f"--rootdir={home().parent}",
        "-p", "fixtures.plugin",
        "--depth", order.depth,
        "-p", "no:cacheprovider",
        "-p", "no:terminal",
        "-p", "no:xdist",
        "-p", "no:random_order",
        "-p", "no:hypothesispytest",
        "--override-ini=addopts=--strict-markers",
    ]  # fmt: skip
    if keyword:
        arguments += ["-k", keyword]
    progress = Progress(conductor, sys.stdout, quiet)
    status = int(pytest.main(arguments, plugins=[Named(conductor), progress]))
    if conductor.failure and conductor.run is None:
        print("\n".join(f"v2hrig: {line}" for line in conductor.failure.splitlines()), file=sys.stderr)
        raise typer.Exit(status)
    if conductor.folder is None or conductor.run is None:
        for line in progress.problems:
            print(f"v2hrig: {line}", file=sys.stderr)
        print("v2hrig: no test was run; look at --suite and -k", file=sys.stderr)
        raise typer.Exit(2)
    account_line = account(gather(scan_journal(conductor.folder))).line
    page, *more = reported(conductor.folder, to, Given(order.laboratory))
    progress.close(page, account_line)
    for path in more:
        print(f"report     {path}")
    for line in tell_github(conductor.folder, os.environ):
        print(line)
    if secret is not None:
        print(f"seal       {seal_folder(conductor.folder, secret)}")
    if note := index(conductor.folder, history):
        print(note)
    raise typer.Exit(status)


def reported(folder: Path, to: Sequence[str], given: Given) -> list[str]:
    """Where each report is, or why it is not there: the verdicts stand whatever comes of it, and a report can be made
    again."""
    found = list[str]()
    for name in to:
        try:
            found += map(str, write_reports(folder, [name], given=given))
        except UseError as error:
            found.append(f"not written: {error}")
    return found


class Named:
    """Hands the conductor to the plugin manager under the name the plugin looks for."""

    def __init__(self, conductor: Conductor) -> None:
        self._conductor = conductor

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Before the plugin would make its own."""
        config.pluginmanager.register(self._conductor, "conductor")


def home() -> Path:
    """The folder the suites stand in."""
    return Path(suites.__file__ or "").parent


def subjects() -> list[str]:
    """Names of the suites there are."""
    return sorted(one.name for one in home().iterdir() if (one / "__init__.py").is_file())


def folders(names: list[str]) -> list[Path]:
    """Folders of the suites asked for. UseError for one that is not there."""
    known = subjects()
    if unknown := [name for name in names if name not in known]:
        raise UseError(f"--suite {unknown[0]}: no such suite; there are {', '.join(known)}")
    return [home() / name for name in names] or [home()]
