"""`v2hrig certify-all`: every system of the idea through all suites on its bench, and did each come out as expected.

Each is a run of `v2hrig certify` in a process of its own, with its evidence and its report. Exit codes: 0 every system
as expected, the ones that must fail among them; 1 one was not; 2 usage or a wrong file.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from fixtures.conductor import EVIDENCE
from fixtures.depth import Depth
from fixtures.library import SYSTEMS
from rig.clock import Stopwatch
from rig.errors import RigError, UseError
from rig.evidence.journal import read_journal
from rig.systems import System, read_systems

LONGEST = 3600.0
"""s a system may take before it counts as hanging (project choice)."""


def certify_all(
    system: Annotated[list[str] | None, typer.Option(help="only these systems; may be repeated; default: all")] = None,
    depth: Annotated[Depth, typer.Option(help="how much of the test matrices is run")] = "quick",
    seed: Annotated[int, typer.Option(min=0, help="seed of every noise")] = 0,
    keyword: Annotated[str, typer.Option("-k", help="only tests whose name matches; what was not run is told")] = "",
    out: Annotated[Path | None, typer.Option(help="new folder; default: one under evidence/")] = None,
    file: Annotated[Path, typer.Option("--systems", help="systems and expectations, a TOML file")] = SYSTEMS,
) -> None:
    """Run every system on its emulated bench and hold what came out against what is expected."""
    watch = Stopwatch()
    chosen = _chosen(read_systems(file), system or [])
    folder = out or EVIDENCE / f"systems-{watch.begun.strftime('%Y%m%d-%H%M%S')}"
    if folder.exists():
        raise UseError(f"{folder}: is there already; name a new folder")
    folder.mkdir(parents=True)
    lines, wrong = list[str](), 0
    for one in chosen:
        differs, told = _run(one, folder / one.name, depth, seed, keyword)
        wrong += differs
        lines += told
        print("\n".join(told), flush=True)
    end = f"{len(chosen) - wrong} of {len(chosen)} systems as expected, depth {depth}, {watch.seconds():.0f} s"
    (folder / "systems.txt").write_text("\n".join([*lines, end, ""]), encoding="utf-8")
    print(f"{end}\nevidence   {folder}: a folder and a report.html each")
    raise typer.Exit(1 if wrong else 0)


def _run(one: System, folder: Path, depth: Depth, seed: int, keyword: str) -> tuple[bool, list[str]]:
    """Whether a system came out otherwise than expected, and what is told of it."""
    watch = Stopwatch()
    command = [sys.executable, "-m", "rig.cli", "certify", "--bench", one.bench, "--depth", depth, "--seed", str(seed)]
    command += ["--out", str(folder), "--quiet", *(["-k", keyword] if keyword else [])]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST, check=False)
        documents = read_journal(folder).documents
    except subprocess.TimeoutExpired:
        return True, [f"{one.name:<26} NOT AS EXPECTED", f"    no end within {LONGEST:g} s"]
    except RigError:
        return True, [f"{one.name:<26} NOT AS EXPECTED", *(f"    {line}" for line in done.stderr.splitlines()[-5:])]
    differs = one.differs(documents)
    verdict = "NOT AS EXPECTED" if differs else "as expected: FAIL" if one.bad else "as expected: PASS"
    lines = [f"{one.name:<26} {verdict:<18} exit {done.returncode}, {watch.seconds():.0f} s", f"    {one.says}"]
    lines += [f"    fails {id}: {why}" for id, why in one.fails.items() if not differs]
    lines += [f"    breaks {rule}: {why}" for rule, why in one.breaks.items() if not differs]
    return bool(differs), [*lines, *(f"    DIFFERS {line}" for line in differs)]


def _chosen(systems: tuple[System, ...], names: list[str]) -> tuple[System, ...]:
    known = {one.name: one for one in systems}
    if unknown := [name for name in names if name not in known]:
        raise UseError(f"--system {unknown[0]}: no such system; there are {', '.join(known)}")
    return tuple(one for one in systems if not names or one.name in names)
