"""`v2hrig farm`: many sessions on many benches and machines; every unit's evidence comes back as a folder of its own.

A unit of work is (bench, suites, profile, defect, seed). What has its folder is not run again, so the same command goes
on with a farm that was stopped. Exit codes: 0 every unit ran and none was FAIL; 1 a FAIL; 3 what could not be judged.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from functools import partial
from itertools import product
from pathlib import Path
from typing import Annotated

import typer

from fixtures.depth import Depth
from fixtures.library import find_bench, find_profile
from instruments.registry import REGISTRY
from rig.cli.planting import cases
from rig.cli.pools import CORES, Scheduler, Workers, open_pool
from rig.cli.sealing import seal_folder, sealing_key
from rig.cli.unit import run_in
from rig.clock import Stopwatch
from rig.errors import UseError
from rig.open_bench import open_bench, read_bench_file
from rig.profile import read_profile
from rig.qualify.ledger import RUN, Delivered, Ledger, pack
from rig.qualify.units import Result, Unit


def farm(
    bench: Annotated[list[str] | None, typer.Option(help="bench file or name; may be repeated")] = None,
    profile: Annotated[list[str] | None, typer.Option(help="device profile; may be repeated")] = None,
    suite: Annotated[list[str] | None, typer.Option(help="subject to run, may be repeated; default: all")] = None,
    defect: Annotated[list[str] | None, typer.Option(help="a case to plant, or name=severity; may be repeated")] = None,
    seeds: Annotated[str, typer.Option(help="one seed or a range, as 0-99")] = "0",
    depth: Annotated[Depth, typer.Option(help="how much of the test matrices is run")] = "quick",
    out: Annotated[Path, typer.Option(help="folder of the evidence, a folder a unit")] = Path("evidence/farm"),
    key: Annotated[Path | None, typer.Option(help="private key on each bench host: seal every unit there")] = None,
    workers: Workers = CORES,
    scheduler: Scheduler = "",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="no line for each unit")] = False,
) -> None:
    """Run a campaign of units on this machine or on the workers of a Dask scheduler."""
    watch, ledger = Stopwatch(), Ledger(out)
    units = list(
        _units(bench or ["emulated"], profile or [""], tuple(suite or ()), defect or [""], _range(seeds), depth)
    )
    left = [unit for unit in units if unit.id not in ledger.taken]
    print(f"units      {len(units)}, {len(units) - len(left)} have their evidence already")
    if not scheduler and any(not _emulated(unit.bench) for unit in left):
        workers = 1  # one machine has one of each bench
    with open_pool(workers, scheduler, _emulated) as (pool, where):
        for unit, delivered in pool.run(partial(deliver, key=key), left):
            ledger.take(delivered)
            if not quiet:
                print(_line(unit, delivered.result, len(ledger.taken), len(units)), flush=True)
        lost = pool.lost
    raise typer.Exit(_close([ledger.taken[unit.id] for unit in units], where, lost, watch.seconds(), out))


def deliver(unit: Unit, key: Path | None = None) -> Delivered:
    """Run a unit here and give its evidence away as one archive. A bench of hardware is brought to its confirmed safe
    state first: whoever had it before may have died with it. UnsafeState where that does not come about."""
    folder = Path(tempfile.mkdtemp(prefix="v2hrig-farm-"))
    try:
        if not _emulated(unit.bench):
            confirm_safe(unit)
        result = run_in(unit, folder / RUN)
        if key is not None and (folder / RUN).is_dir():
            seal_folder(folder / RUN, sealing_key(key, folder))
        return pack(unit, result, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def confirm_safe(unit: Unit) -> None:
    """Open the bench and leave it, which brings it to its safe state, or raises UnsafeState."""
    config = read_bench_file(find_bench(unit.bench), REGISTRY)
    profile = read_profile(find_profile(unit.profile or config.bench.profile))
    with open_bench(config, REGISTRY, profile, purpose=f"farm: before unit {unit.id}"):
        pass


def _emulated(bench: str) -> bool:
    return read_bench_file(find_bench(bench), REGISTRY).bench.clock == "virtual"


def _units(
    benches: list[str], profiles: list[str], suites: tuple[str, ...], defects: list[str], seeds: range, depth: Depth
) -> Iterator[Unit]:
    known = {case.name: case for case in cases()}
    for bench, profile, defect, seed in product(benches, profiles, defects, seeds):
        find_bench(bench)
        name, _, figure = defect.partition("=")
        case = known.get(name)
        if name and case is None:
            raise UseError(f"--defect {name}: no case is named so; see v2hrig qualify")
        try:
            severity = None if case is None else float(figure) if figure else case.gross
        except ValueError:
            raise UseError(f"--defect {defect}: {figure!r} is no number; write the severity in SI units") from None
        plants = () if case is None or severity is None else case.plant(severity)
        yield Unit(
            bench=bench,
            profile=profile,
            suites=suites,
            depth=depth,
            seed=seed,
            case=name,
            severity=severity,
            plants=plants,
        )


def _range(text: str) -> range:
    first, _, last = text.partition("-")
    try:
        seeds = range(int(first), int(last or first) + 1)
    except ValueError:
        seeds = range(0)
    if not seeds or seeds[0] < 0:
        raise UseError(f"--seeds {text}: write one seed, or a range as 0-99")
    return seeds


def _line(unit: Unit, result: Result, done: int, all_of: int) -> str:
    what = f"{unit.bench}{f' {unit.case}' if unit.case else ''} seed {unit.seed}"
    counts = Counter(result.outcomes.values())
    said = result.failure or "  ".join(f"{word} {count}" for word, count in sorted(counts.items()))
    return f"[{done:>{len(str(all_of))}}/{all_of}] {what}: {said}  wall {result.wall_seconds:.1f} s"


def _close(results: list[Result], where: str, lost: int, seconds: float, out: Path) -> int:
    counts = Counter(outcome for result in results for outcome in result.outcomes.values())
    failures = [result for result in results if result.failure]
    judged, bench = sum(result.judged for result in results), sum(result.bench_seconds for result in results)
    print("   ".join(f"{word} {count}" for word, count in sorted(counts.items())))
    for result in failures[:20]:
        print(f"ERROR      unit {result.unit}: {result.failure}")
    print(f"sessions   {judged} in {len(results)} units, {bench / 3600.0:.1f} h of bench")
    print(f"time       {seconds:.0f} s on {where}{f', {lost} lost' if lost else ''}")
    print(f"evidence   {out}")
    return 1 if counts["FAIL"] else 3 if failures or set(counts) - {"PASS", "NOT RUN"} else 0
