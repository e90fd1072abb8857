"""`v2hrig export`: a run in the formats of other people's tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reports.export.export import export, export_formats


def export_run(
    folder: Annotated[Path, typer.Argument(help="folder of a run")],
    to: Annotated[str, typer.Option(help="csv, parquet, xlsx, tdms, blf, mf4, needs, with commas between")] = "csv",
    out: Annotated[Path | None, typer.Option(help="folder to write into; default: export in the run's own")] = None,
) -> None:
    """Write measurements, waveforms and CAN logs of a run for other tools."""
    paths, left = export(folder, export_formats(to), out)
    for line in left:
        print(f"left out   {line}")
    where = sorted({str(one.parent) for one in paths})
    print(f"{len(paths)} file{'s' * (len(paths) != 1)} in {', '.join(where) or 'no folder'}")
    if left:
        raise typer.Exit(3)
