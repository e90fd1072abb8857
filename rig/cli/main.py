"""`v2hrig`: the commands. The outermost room: it may know every other, and nothing may know it.

Exit codes: 0 all required verdicts PASS; 1 a FAIL; 2 usage or a wrong file; 3 INCONCLUSIVE, INVALID, ERROR or required
work NOT RUN; 4 the bench could not be brought to a confirmed safe state.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from rig.errors import BenchFault, RigError, UnsafeState

COMMANDS = {
    "certify": ("certify:certify", "Run the suites on a bench and write the report."),
    "certify-all": (
        "certify_all:certify_all",
        "Run every system on its emulated bench and hold what came out against what is expected.",
    ),
    "resume": ("resume:resume", "Run what is left of a run, on the same bench, and write the report of all of it."),
    "shell": ("shell:shell", "A bench in IPython, with the clock in hand."),
    "report": ("report:report", "Write a run's reports."),
    "export": ("export:export_run", "Write measurements, waveforms and CAN logs of a run for other tools."),
    "seal": ("sealing:seal", "Seal a finished run."),
    "verify": (
        "sealing:verify",
        "Check the journal's chain, the captures and, with the public key, its seal.",
    ),
    "console": ("console:console", "Serve the operator's page: benches live, runs, prompts, verdicts, emergency stop."),
    "emulate": ("emulate:emulate", "Serve the emulated parts of a bench until Ctrl-C, then bring them to safe state."),
    "qualify": ("qualify:qualify", "Run the suites against devices with planted defects and against good ones."),
    "farm": ("farm:farm", "Run a campaign of units on this machine or on the workers of a Dask scheduler."),
    "trace": ("trace:app", "Look at and judge a recorded CHAdeMO session."),
    "bench": ("bench:app", "Check and show a bench."),
    "history": ("history:app", "All runs: list, compare, trend, drift, flaky."),
    "requirements": ("requirements:app", "The requirement catalogue: list, show, export."),
    "key": ("sealing:app", "Keys of the seal."),
}
"""Command -> module of this folder and what in it, and what it is for. A module is brought in when its command is asked
for: all of them together take longer to import than many a command to run."""


class Commands(TyperGroup):
    """The commands of the table."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        found = getattr(import_module(f"rig.cli.{module}"), name)
        around = typer.Typer(callback=lambda: None, rich_markup_mode=None, add_completion=False)
        if isinstance(found, typer.Typer):
            around.add_typer(found, name=cmd_name)
        else:
            around.command(cmd_name)(found)
        group = typer.main.get_command(around)
        assert isinstance(group, TyperGroup)
        return group.commands[cmd_name]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in COMMANDS.items()])


app = typer.Typer(
    name="v2hrig",
    cls=Commands,
    help="Hardware-in-the-loop test rig for vehicle-to-home power over CHAdeMO.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(asked: bool) -> None:
    if asked:
        print(f"v2hrig {version('v2hrig')}")
        raise typer.Exit


@app.callback()
def commands(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Hardware-in-the-loop test rig for vehicle-to-home power over CHAdeMO."""


def run() -> None:
    """The console script: errors a user can cause are told in plain lines, with the exit code of their kind."""
    try:
        app()
    except RigError as error:
        print(f"v2hrig: {error}".replace("\n", "\nv2hrig: "), file=sys.stderr)
        sys.exit(4 if isinstance(error, UnsafeState) else 3 if isinstance(error, BenchFault) else 2)
