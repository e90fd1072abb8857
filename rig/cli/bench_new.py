"""`v2hrig bench new`: asks on the terminal, or takes its answers line by line from a pipe, and writes a bench file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from fixtures.library import HERE
from instruments.registry import REGISTRY
from rig.errors import UseError
from rig.new_bench import NewBench


def new(
    path: Annotated[Path, typer.Argument(help="file to write")],
    look: Annotated[bool, typer.Option(help="look for serial ports and CAN interfaces to offer")] = True,
    network: Annotated[bool, typer.Option(help="ask the network too, as bench discover does")] = False,
) -> None:
    """Write a bench file by asking; an empty answer takes what stands in brackets."""
    if path.exists():
        raise UseError(f"{path}: is there already; name a new file, or move it away")
    from rig.discover import Discovered, discover  # pyvisa-py and python-can take their time

    found = discover(network) if look or network else Discovered()
    known = {what: sorted(one.stem for one in (HERE / what).glob("*.toml")) for what in ("profiles", "vehicles")}
    text = NewBench(REGISTRY, found, _ask, typer.echo, known["profiles"], known["vehicles"]).write(path)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UseError(f"{path}: cannot be written ({error.strerror}); name another file") from None
    typer.echo(f"{path}: written; v2hrig bench check {path} opens it")


def _ask(question: str, default: str, offers: Sequence[str] = (), open_ended: bool = True) -> str:
    while True:
        if offers:
            typer.echo("   " + "   ".join(f"{number} {one}" for number, one in enumerate(offers, 1)))
        try:
            answer = str(typer.prompt(question, default=default, show_default=bool(default))).strip()
        except typer.Abort:
            raise UseError(f"the answers ended at {question!r}; nothing was written") from None
        if answer.isdigit() and 1 <= int(answer) <= len(offers):
            return offers[int(answer) - 1]
        if open_ended or answer in offers:
            return answer
        typer.echo(f"{answer!r} is none of these; write its name or its number")
