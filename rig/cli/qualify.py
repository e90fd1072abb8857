"""`v2hrig qualify`: does the rig catch what is bad on purpose, and leave the good device alone?

Exit codes: 0 every expected case was caught and no good device was blamed; 1 one was missed or blamed; 2 usage.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from fixtures.depth import DEPTHS
from fixtures.library import catalogue_revision
from reports.qualification import write_page
from rig.cli.planting import cases
from rig.cli.pools import CORES, Scheduler, Workers, open_pool
from rig.cli.unit import procedures, run_unit
from rig.clock import Stopwatch
from rig.errors import UseError
from rig.qualify.campaign import Campaign
from rig.qualify.cases import Case
from rig.qualify.qualification import Good, Qualification

FIRST_SEED = 1000
"""Of the good devices (project choice): far from the seed the cases are run with."""


def qualify(
    bench: Annotated[str, typer.Option(help="bench file, or a name of fixtures/benches")] = "emulated",
    profile: Annotated[str, typer.Option(help="device profile, file or name; default: the bench file's")] = "",
    defect: Annotated[list[str] | None, typer.Option(help="only these cases, * and ? allowed; may be repeated")] = None,
    good: Annotated[int, typer.Option(min=0, help="sessions with the good device, at least")] = 1000,
    full: Annotated[bool, typer.Option("--full", help="every procedure of quick depth meets every case")] = False,
    steps: Annotated[int, typer.Option(min=0, help="severities tried for each threshold, at most")] = 7,
    seed: Annotated[int, typer.Option(min=0, help="seed of every case")] = 0,
    workers: Workers = CORES,
    scheduler: Scheduler = "",
    out: Annotated[Path, typer.Option(help="folder of the result")] = Path("evidence/qualification"),
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="no line for each unit")] = False,
) -> None:
    """Run the suites against devices with planted defects and against good ones, and write the kill matrix."""
    watch = Stopwatch()
    chosen = _chosen(defect or [])
    tests = {depth: procedures(depth) for depth in DEPTHS}
    say = (lambda _: None) if quiet else (lambda line: print(line, flush=True))
    with open_pool(workers, scheduler) as (pool, where):
        plan = Campaign(pool, run_unit, tests, say, bench, profile, seed, full, steps)
        sound = plan.good(_seeds(good, len(tests["quick"]))) if good else Good(seeds=0, judged=0)
        found = plan.cases(chosen)
    done = Qualification(
        bench=bench,
        profile=profile,
        depth="quick",
        full=full,
        version=version("v2hrig"),
        catalogue=catalogue_revision(),
        workers=where,
        tests=tuple(tests["quick"]),
        cases=found,
        good=sound,
        units=plan.units,
        bench_seconds=plan.bench_seconds,
        wall_seconds=watch.seconds(),
        lost_workers=pool.lost,
    )
    path = done.write(out)
    for line in summary(done):
        print(line)
    print(f"result     {path}")
    print(f"report     {write_page(done, out)}")
    raise typer.Exit(1 if done.missed or done.good.false_alarms or done.good.failures else 0)


def _chosen(patterns: list[str]) -> tuple[Case, ...]:
    every = cases()
    for pattern in patterns:
        if not any(fnmatchcase(case.name, pattern) for case in every):
            raise UseError(f"--defect {pattern}: no case is named so; there are {', '.join(c.name for c in every)}")
    return tuple(case for case in every if not patterns or any(fnmatchcase(case.name, one) for one in patterns))


def _seeds(sessions: int, procedures: int) -> range:
    """So many seeds that their procedures come to that many sessions; a fifth of them may not apply to a device."""
    return range(FIRST_SEED, FIRST_SEED + -(-sessions * 5 // (4 * procedures)))


def summary(q: Qualification) -> list[str]:
    """What is printed at the end."""
    expected, beyond = q.expected, [case for case in q.cases if case.beyond]
    caught = [case for case in expected if case.caught]
    lines = [f"caught     {len(caught)} of {len(expected)} planted at gross severity"]
    near = [c.threshold for c in expected if c.threshold is not None and c.threshold.witness is not None]
    within = [t for t in near if t.witness is not None and t.witness.beyond() <= 2.0 * t.witness.expanded]
    if near:
        lines.append(f"threshold  {len(within)} of {len(near)} with a measured limit caught within limit + 2U")
    lines += [f"MISSED     {c.name}: {c.description}{f' ({c.failure})' if c.failure else ''}" for c in q.missed]
    lines += [f"BLAMED     {c.name}: the good device is failed for it by {c.kills[0]}" for c in q.cases if c.blamed]
    lines += [f"{'CAUGHT' if c.caught else 'beyond':<10} {c.name}: {c.beyond}" for c in beyond]
    if q.good.judged:
        lines.append(
            f"alarms     {q.good.false_alarms} false in {q.good.judged} good sessions over {q.good.seeds} seeds: "
            f"rate below {100.0 * q.good.rate_bound:.2g} % (95 %)"
        )
        others = len(q.good.alarms) - q.good.false_alarms
        lines += [f"doubts     {others} good sessions were not judged PASS"] if others else []
    lines += [f"ALARM      seed {a.seed}: {a.outcome} {a.test}" for a in q.good.alarms[:20]]
    lines += [f"ERROR      good device, {failure}" for failure in q.good.failures[:20]]
    if q.full:
        lines.append(f"tests      {len(q.idle())} of {len(q.tests)} catch nothing planted")
    lines.append(f"singles    {len(q.singles)} cases were caught by one test only")
    lines.append(f"time       {q.units} units, {q.bench_seconds / 3600.0:.1f} h of bench in {q.wall_seconds:.0f} s")
    return lines
