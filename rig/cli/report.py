"""`v2hrig report`: make a run's reports again from its folder alone, at any time, after any crash."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reports.html import write_html
from rig.errors import UseError


def report(
    folder: Annotated[Path, typer.Argument(help="folder of a run")],
    to: Annotated[str, typer.Option(help="html")] = "html",
    out: Annotated[Path | None, typer.Option(help="file to write; default: in the run's folder")] = None,
) -> None:
    """Write a run's report."""
    if to != "html":
        raise UseError(f"--to {to}: no such report; use html")
    print(write_html(folder, out))
