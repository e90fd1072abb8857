"""`v2hrig certify`: every suite, or some, on one bench, ending with a report. The same tests as `pytest suites`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from fixtures.conductor import Order
from fixtures.depth import Depth
from reports.formats import formats
from reports.laboratory import read_laboratory
from rig.cli.campaign import campaign, folders
from rig.cli.indexing import History
from rig.evidence.run_info import UNSTATED
from rig.live.places import usual_folder

Suites = Annotated[list[str] | None, typer.Option("--suite", help="subject to run, may be repeated; default: all")]
Key = Annotated[Path | None, typer.Option(help="private key: seal the run at its end (see v2hrig key new)")]
To = Annotated[str, typer.Option(help="reports to write: html, pdf, junit, allure, with commas between")]
Depths = Annotated[Depth, typer.Option(help="how much of the test matrices is run")]
Record = Annotated[Path | None, typer.Option(help="new folder: write down every exchange with the instruments")]
Live = Annotated[bool, typer.Option("--live", help="can be watched and stopped from v2hrig console")]
LiveIn = Annotated[Path | None, typer.Option(help="the same, with its socket in this folder")]
Pace = Annotated[float, typer.Option(min=0, help="bench s a wall s in virtual time; 0: as fast as it goes")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="no line for each test")]


def certify(
    bench: Annotated[str, typer.Option(help="bench file, or a name of fixtures/benches")] = "emulated",
    profile: Annotated[str, typer.Option(help="device profile, file or name; default: the bench file's")] = "",
    suite: Suites = None,
    seed: Annotated[int, typer.Option(min=0, help="seed of every noise on an emulated bench")] = 0,
    out: Annotated[Path | None, typer.Option(help="new folder for the evidence; default: one under evidence/")] = None,
    keyword: Annotated[str, typer.Option("-k", help="only tests whose name matches, as pytest's -k")] = "",
    depth: Depths = "normal",
    quiet: Quiet = False,
    key: Key = None,
    to: To = "html",
    record: Record = None,
    history: History = "",
    live: Live = False,
    live_in: LiveIn = None,
    pace: Pace = 0.0,
    laboratory: Annotated[Path | None, typer.Option(help="TOML file of the laboratory, customer and item")] = None,
) -> None:
    """Run the suites on a bench and write the report."""
    names = formats(to)
    stated = UNSTATED if laboratory is None else read_laboratory(laboratory)
    chosen = folders(suite or [])
    said = ["v2hrig", "certify", "--bench", bench, "--seed", str(seed), "--depth", depth]
    said += ["--profile", profile] if profile else []
    said += [word for one in suite or [] for word in ("--suite", one)]
    said += ["-k", keyword] if keyword else []
    order = Order(
        bench=bench,
        profile=profile,
        seed=seed,
        out=out,
        depth=depth,
        command=shlex.join(said),
        laboratory=stated,
        record=record,
        live=live_in or (usual_folder() if live else None),
        pace=pace,
    )
    campaign(order, chosen, keyword, quiet, key, names, history)
