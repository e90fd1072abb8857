"""`v2hrig trace replay`: one side of a recording played, the other one alive and judged.

Exit 0: the living side walked through and broke no rule; 1: it did not, or it broke one; 2 no trace.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console

from instruments.registry import REGISTRY
from rig.cli.bench import read
from rig.cli.trace_compare import comparison_data, print_comparison
from rig.cli.trace_words import difference, line, make_console, print_json, table
from rig.errors import UseError
from rig.open_bench import open_bench
from rig.trace.reader import open_trace
from rig.trace.replay import Replayed, replay_charger
from rig.trace.replay_vehicle import replay_vehicle
from rig.trace.script import Script, read_script


def replay(
    file: Annotated[Path, typer.Argument(help="trace of a CHAdeMO session")],
    side: Annotated[Literal["vehicle", "charger"], typer.Option("--as", help="the side that is played")],
    bench: Annotated[
        str, typer.Option(help="bench file, or a name of fixtures/benches: its charger, or its car, is the other side")
    ] = "emulated",
    bus: Annotated[str | None, typer.Option(help="bus in the file; default: the one that shows CHAdeMO")] = None,
    seed: Annotated[int, typer.Option(min=0, help="seed of every noise")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="for machines, on standard output")] = False,
) -> None:
    """Play one side of a recording, at its own times, to a living other side, and judge that one."""
    script = read_script(open_trace(file, bus).frames(), side)
    played = play(script, bench, seed)
    if as_json:
        print_json(_data(file, played))
    else:
        console = make_console()
        line(console, f"{file}: its {side} played, the {played.side} alive")
        print_replayed(console, played)
    if played.broken or not played.walked_through:
        raise typer.Exit(1)


def play(script: Script, bench: str, seed: int) -> Replayed:
    """Play a script to the other side of a bench. A recorded vehicle needs an emulated bench (UseError)."""
    config, profile, car = read(bench)
    if script.side == "charger":
        return replay_charger(script, car)
    if config.kind != "emulated" or config.bench.clock != "virtual" or config.bench.replay:
        raise UseError(
            f"{config.file}: a recorded vehicle is played to an emulated charger only: a recording does not feel what "
            "a real one does; use an emulated bench"
        )
    with open_bench(config, REGISTRY, profile, seed=seed, car=car, purpose="trace replay") as opened:
        return replay_vehicle(script, opened)


def print_replayed(console: Console, played: Replayed) -> None:
    """Milestones with their times, the phases side by side, the rules, and one line."""
    right = ("recorded s", "live s", "later s", "held s")
    milestones = table("milestone of the living side", *right, right=right)
    for one in played.passed:
        recorded, late = (f"{one.recorded:.3f}", difference(one.late, "s")) if one.timed else ("no lines", "")
        milestones.add_row(one.name, recorded, f"{one.live:.3f}", late, f"{one.held:.1f}" if one.held else "")
    console.print(milestones)
    line(console, "later: than the recording, once aligned at the milestone before; held: the recording waited so long")
    print_comparison(console, played.comparison, everything=False, names=("recorded", "live"))
    for verdict in played.broken:
        line(console, f"{verdict.first} ({verdict.rule.title}; {verdict.rule.source})", "bold red")
    if not played.walked_through:
        missing = {s.phase.value for s in played.recorded.phases} - {s.phase.value for s in played.live.phases}
        why = f"it never reached: {played.lacking}" if played.lacking else f"no {', '.join(sorted(missing))}"
        line(console, f"NOT WALKED THROUGH by the {played.side}; {why}; it says: {played.why}", "bold red")
    elif not played.broken:
        line(console, f"the {played.side} walked through all phases and broke no rule", "green")


def _data(file: Path, played: Replayed) -> dict[str, Any]:
    return {
        "file": str(file),
        "alive": played.side,
        "walked_through": played.walked_through,
        "lacking": played.lacking or None,
        "why": played.why,
        "milestones": [
            {
                "name": one.name,
                "recorded_s": one.recorded if one.timed else None,
                "live_s": one.live,
                "late_s": one.late if one.timed else None,
                "held_s": one.held,
            }
            for one in played.passed
        ],
        "broken": [{"id": v.rule.id, "first": str(v.first), "count": v.count} for v in played.broken],
        "comparison": comparison_data(played.comparison),
    }
