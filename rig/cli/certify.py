"""`v2hrig certify`: every suite, or some, on one bench, ending with a report. The same tests as `pytest suites`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import pytest
import typer

import suites
from fixtures.conductor import Conductor, Order
from fixtures.progress import Progress
from reports.html import write_html
from rig.errors import UseError
from rig.evidence.run_info import Laboratory

Suites = Annotated[list[str] | None, typer.Option("--suite", help="subject to run, may be repeated; default: all")]


def certify(
    bench: Annotated[str, typer.Option(help="bench file, or a name of fixtures/benches")] = "emulated",
    profile: Annotated[str, typer.Option(help="device profile, file or name; default: the bench file's")] = "",
    suite: Suites = None,
    seed: Annotated[int, typer.Option(min=0, help="seed of every noise on an emulated bench")] = 0,
    out: Annotated[Path | None, typer.Option(help="new folder for the evidence; default: one under evidence/")] = None,
    keyword: Annotated[str, typer.Option("-k", help="only tests whose name matches, as pytest's -k")] = "",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="no line for each test")] = False,
) -> None:
    """Run the suites on a bench and write the report."""
    chosen = folders(suite or [])
    command = f"v2hrig certify --bench {bench} --seed {seed}" + "".join(f" --suite {one}" for one in suite or [])
    conductor = Conductor(Order(bench, profile, seed, out, command, Laboratory()))
    arguments = [
        *map(str, chosen),
        f"--rootdir={home().parent}",
        "-p", "fixtures.plugin",
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
    page = write_html(conductor.folder)
    progress.close(page)
    raise typer.Exit(status)


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
