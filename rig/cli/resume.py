"""`v2hrig resume`: go on with a run that was cut off. What has an outcome stands, the rest is run, both are one run."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from fixtures.conductor import Order
from fixtures.depth import DEPTHS
from reports.formats import formats
from rig.cli.campaign import campaign
from rig.cli.certify import Key, Quiet, To
from rig.cli.indexing import History
from rig.errors import UseError
from rig.evidence.reopen import reopen
from rig.evidence.run_info import read_run_info


def resume(
    folder: Annotated[Path, typer.Argument(help="folder of a run that was cut off")],
    quiet: Quiet = False,
    key: Key = None,
    to: To = "html",
    history: History = "",
) -> None:
    """Run what is left of a run, on the same bench, and write the report of all of it."""
    names = formats(to)
    cut_off = reopen(folder)
    info = read_run_info(folder)
    if info is None or not info.bench:
        raise UseError(f"{folder / 'run.json'}: does not say which bench this run was on; begin a new run")
    if cut_off.torn:
        print(f"v2hrig: an unfinished last line of {cut_off.torn} bytes was set aside in {folder / cut_off.aside}")
    print(f"v2hrig: {len(cut_off.kept)} of {len(cut_off.start.tests)} tests have their outcome and stand")
    if cut_off.left:
        print(f"v2hrig: {cut_off.left}")
    start, command = cut_off.start, shlex.join(["v2hrig", "resume", str(folder)])
    if start.depth not in DEPTHS:
        raise UseError(f"{folder}: was run at depth {start.depth!r}, which this rig does not know; begin a new run")
    order = Order(
        bench=info.bench,
        profile=info.profile,
        seed=start.seed,
        out=folder,
        depth=start.depth,
        command=command,
        laboratory=info.laboratory,
        cut_off=cut_off,
    )
    campaign(order, quiet=quiet, key=key, to=names, history=history)
