"""`v2hrig`: the commands. The outermost room: it may know every other, and nothing may know it.

Exit codes: 0 all required verdicts PASS; 1 a FAIL; 2 usage or a wrong file; 3 INCONCLUSIVE, INVALID, ERROR or required
work NOT RUN; 4 the bench could not be brought to a confirmed safe state.
"""

from __future__ import annotations

import sys

import typer

from rig.cli import (
    bench,
    certify,
    emulate,
    export,
    farm,
    history,
    qualify,
    report,
    requirements,
    resume,
    sealing,
    trace,
)
from rig.errors import BenchFault, RigError, UnsafeState

app = typer.Typer(
    name="v2hrig",
    help="Hardware-in-the-loop test rig for vehicle-to-home power over CHAdeMO.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("certify")(certify.certify)
app.command("resume")(resume.resume)
app.command("report")(report.report)
app.command("export")(export.export_run)
app.command("seal")(sealing.seal)
app.command("verify")(sealing.verify)
app.command("emulate")(emulate.emulate)
app.command("qualify")(qualify.qualify)
app.command("farm")(farm.farm)
app.add_typer(trace.app, name="trace")
app.add_typer(bench.app, name="bench")
app.add_typer(history.app, name="history")
app.add_typer(requirements.app, name="requirements")
app.add_typer(sealing.app, name="key")


def run() -> None:
    """The console script: errors a user can cause are told in plain lines, with the exit code of their kind."""
    try:
        app()
    except RigError as error:
        print(f"v2hrig: {error}".replace("\n", "\nv2hrig: "), file=sys.stderr)
        sys.exit(4 if isinstance(error, UnsafeState) else 3 if isinstance(error, BenchFault) else 2)
