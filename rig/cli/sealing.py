"""`v2hrig key`, `seal` and `verify`: evidence that can be given away and still be trusted.

verify exits with 0 when a signature was checked and nothing differs, 1 when something differs, 3 when nothing differs
but no signature stands behind it, 2 when there is no run there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reports.gather import gather
from rig.cli.indexing import History, index
from rig.errors import UseError, shown
from rig.evidence.journal import read_journal
from rig.evidence.keys import key_id, new_keys, read_private, read_public
from rig.evidence.seal import seal_run
from rig.evidence.verify import Verified, verify_run

app = typer.Typer(help="Keys of the seal.", no_args_is_help=True)
Folder = Annotated[Path, typer.Argument(help="folder of a run")]
SHOWN = 20
"""Lines of what differs that are printed (project choice)."""


@app.callback()
def keys() -> None:
    """Keys of the seal."""


@app.command("new")
def new(
    out: Annotated[Path, typer.Option(help="file of the private key; the public one is beside it, .pub")] = Path(
        "v2hrig.key"
    ),
) -> None:
    """Make a pair of Ed25519 keys; nothing is ever written over."""
    private, public = new_keys(out)
    print(f"private    {private}  (keep it: who has it can seal in your name)")
    print(f"public     {public}  (give it away, with its id)")
    print(f"id         {key_id(read_public(public))}")


def seal(folder: Folder, key: Annotated[Path, typer.Option(help="private key")], history: History = "") -> None:
    """Seal a finished run, and say so in the index of runs."""
    print(seal_folder(folder, sealing_key(key, folder)))
    if note := index(folder, history):
        print(note)


def verify(folder: Folder, pub: Annotated[Path | None, typer.Option(help="public key of the seal")] = None) -> None:
    """Check the journal's chain, the captures and, with the public key, the seal of a run."""
    found = verify_run(folder, None if pub is None else read_public(pub))
    for line in found.problems[:SHOWN]:
        print(f"DIFFERS    {shown(line)}")
    if len(found.problems) > SHOWN:
        print(f"DIFFERS    and {len(found.problems) - SHOWN} more")
    for line in found.notes:
        print(f"note       {shown(line)}")
    print(shown(_sentence(found)))
    raise typer.Exit(1 if found.problems else 0 if found.proven else 3)


def _sentence(found: Verified) -> str:
    size = f"{found.files} files, {found.lines} journal lines"
    if found.problems:
        return f"NOT VERIFIED: first of what differs: {found.problems[0]}"
    if found.proven:
        return f"VERIFIED: {size}, as sealed by the key {found.signer}"
    return f"NOTHING DIFFERS, NOT PROVEN: {size}, no signature was checked"


def sealing_key(path: Path, folder: Path | None) -> Ed25519PrivateKey:
    """A private key that is not part of the evidence. UseError when it is, or is none."""
    if folder is not None and folder.resolve() in path.resolve().parents:
        raise UseError(f"{path}: stands in the run's own folder and would be given away with it; move it elsewhere")
    return read_private(path)


def seal_folder(folder: Path, key: Ed25519PrivateKey) -> Path:
    """Seal a finished run with the verdict its report shows."""
    return seal_run(folder, key, gather(read_journal(folder)).verdict)
