"""`v2hrig report`: make a run's reports again from its folder alone, at any time, after any crash."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from reports.formats import Given, formats, write_reports
from reports.github import tell_github
from reports.laboratory import read_laboratory
from reports.sign import Signing
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
    former: Annotated[Path | None, typer.Option(help="HTML, PDF: folder of a run to compare this one with")] = None,
    sign_key: Annotated[Path | None, typer.Option(help="PDF: sign with this key (PEM, or .p12 with all)")] = None,
    sign_cert: Annotated[Path | None, typer.Option(help="PDF: certificate of that key (PEM)")] = None,
    sign_chain: Annotated[list[Path] | None, typer.Option(help="PDF: certificates above it; may be repeated")] = None,
    sign_ask: Annotated[bool, typer.Option("--sign-ask", help="PDF: ask for the passphrase of the key")] = False,
) -> None:
    """Write a run's reports."""
    names = formats(to)
    if "pdf" not in names and (final or amends or reason or sign_key):
        raise UseError("--final, --amends, --reason and --sign-key are of the PDF; add pdf to --to")
    if sign_key is None and (sign_cert or sign_chain or sign_ask):
        raise UseError("--sign-cert, --sign-chain and --sign-ask belong to a key; add --sign-key")
    if sign_key is not None and folder.resolve() in sign_key.resolve().parents:
        raise UseError(f"{sign_key}: stands in the run's own folder and would be given away with it; move it elsewhere")
    secret = typer.prompt("Passphrase", hide_input=True).encode() if sign_ask else None
    signing = None if sign_key is None else Signing(sign_key, sign_cert, tuple(sign_chain or ()), secret)
    stated = UNSTATED if laboratory is None else read_laboratory(laboratory)
    for path in write_reports(folder, names, out, Given(stated, final, amends, reason, former, signing)):
        print(path)
    for line in tell_github(folder, os.environ):
        print(line)
