"""`v2hrig report`: make a run's reports again from its folder alone, at any time, after any crash."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reports.html import write_html
from rig.errors import UseError
from rig.evidence.verify import SEAL


def report(
    folder: Annotated[Path, typer.Argument(help="folder of a run")],
    to: Annotated[str, typer.Option(help="html")] = "html",
    out: Annotated[Path | None, typer.Option(help="file to write; default: in the run's folder")] = None,
) -> None:
    """Write a run's report."""
    if to != "html":
        raise UseError(f"--to {to}: no such report; use html")
    if (folder / SEAL).exists() and (out is None or folder.resolve() in out.resolve().parents):
        raise UseError(f"{folder}: is sealed, a report written there would break the seal; name --out elsewhere")
    print(write_html(folder, out))
