"""`v2hrig report`: make a run's reports again from its folder alone, at any time, after any crash."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from reports.formats import Given, formats, write_reports
from reports.github import tell_github
from reports.laboratory import read_laboratory
from rig.errors import UseError
from rig.evidence.run_info import UNSTATED


def report(
    folder: Annotated[Path, typer.Argument(help="folder of a run")],
    to: Annotated[str, typer.Option(help="html, pdf, junit, allure: one or several, with commas between")] = "html",
    out: Annotated[
        Path | None, typer.Option(help="file to write, or folder of several; default: in the run's folder")
    ] = None,
    laboratory: Annotated[Path | None, typer.Option(help="TOML file of the laboratory, customer and item")] = None,
    final: Annotated[bool, typer.Option("--final", help="PDF: to be given out; else a draft, marked as one")] = False,
    amends: Annotated[str, typer.Option(help="PDF: number of the report this one takes the place of")] = "",
    reason: Annotated[str, typer.Option(help="PDF: what changed against it, and why")] = "",
) -> None:
    """Write a run's reports."""
    names = formats(to)
    if "pdf" not in names and (final or amends or reason):
        raise UseError("--final, --amends and --reason are of the PDF; add pdf to --to")
    stated = UNSTATED if laboratory is None else read_laboratory(laboratory)
    for path in write_reports(folder, names, out, Given(stated, final, amends, reason)):
        print(path)
    for line in tell_github(folder, os.environ):
        print(line)
