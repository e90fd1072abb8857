"""`make bench`: the table of targets, each row of one run: a figure, what it is held against, their ratio, the aim.

    python -m benchmarks [--quick] [--only session,check] [--to docs/performance.md]

Contenders take turns and the best of each counts: what disturbs a run only ever makes it slower. --quick leaves out
what takes minutes (the whole certify, a day's memory, reports of 10,000 measurements, a campaign). Every row's parts
can be had alone, with more of their figures: python -m benchmarks.judging, .queries, .analysing, .reports, .jitter.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks import analysing, campaigns, judging, keeping, memory, queries, reports, starting
from benchmarks.floor import bare_exchange
from benchmarks.rows import Row, table
from benchmarks.session import HOUR, session

DAY = 24 * HOUR
TURNS, PLENTY = 3, 9
"""Turns of what takes seconds; of what takes milliseconds, and is disturbed more easily."""
TITLE = """\
# Performance

Printed by `make bench ARGS="--to docs/performance.md"`; each ratio is of two figures of the same run. Nothing here is
a test: a slow machine fails none.

"""


TARGETS: dict[str, Row] = {
    "session": Row(
        "an hour of a V2H session, monitors and journal on, beside bare frames", 0.25, True,
        "calls of Python: rules at each reading, queries of the instruments, the controllers' wakes, in equal parts",
    ),
    "certify": Row(
        "`certify --depth normal`, wall", 90.0, False,
        "one core of two: one bench is one world in one virtual time; exchanges with instruments are most of it", " s",
    ),
    "check": Row(
        "a check with durable record, beside an OpenHTF phase", 1.0, False,
        "the disk: one fsync a verdict",
    ),
    "query": Row("a VISA query in process, beside pyvisa-sim", 2.0, True, "pyvisa's own layers"),
    "tcp": Row("a query over TCP, beside a bare echo", 0.7, True, "a system call more, and Python between the two"),
    "judging": Row("a trace read and judged, beside cantools decoding", 1.0, True, "splitting the lines of the file"),
    "analysing": Row(
        "a channel analysed, the slowest way, beside numpy reading it", analysing.AIM, True,
        "sums over half cycles of float64 made of float32",
    ),
    "report": Row(
        "HTML report of 10,000 measurements, beside Allure 3, processor time", 1.0, False,
        "pictures decimated from their captures, and the templates",
    ),
    "help": Row(
        '`v2hrig --help`, beside `python -c "import pytest"`', 1.5, False, "starting Python, and typer",
    ),
    "farm": Row(
        "a campaign on 2 workers, beside 1", 1.8, True, "what is not shared: start of the workers, and the last unit",
    ),
    "memory": Row(
        "memory of a 24 h run, beside a 1 h run", 1.2, False, "what the circuit remembers of its last minute",
    ),
}  # fmt: skip


def hour() -> Row:
    """An emulated hour beside the bare exchange of its frames."""
    floors, sessions = [], []
    for number in range(TURNS):
        floors.append(bare_exchange(HOUR)[0])
        with tempfile.TemporaryDirectory() as folder:
            sessions.append(session(HOUR, Path(folder) / str(number))[0])
    floor, wall = min(floors), min(sessions)
    words = (f"{took:.2f} s, {HOUR / took:.0f} x real time" for took in (wall, floor))
    return TARGETS["session"].found(*words, floor / wall)


def whole() -> Row:
    """Every suite."""
    wall, bench = campaigns.certified("normal")
    beside = f"{bench / HOUR:.1f} h of bench, {bench / wall:.0f} x real time"
    return TARGETS["certify"].found(f"{wall:.0f} s", beside, wall)


def check() -> Row:
    """A check with its record."""
    ours, theirs = keeping.best(200, TURNS)
    if theirs is None:
        return TARGETS["check"].without(f"{keeping.MISSING}; ours took {ours * 1e3:.2f} ms")
    return TARGETS["check"].found(f"{ours * 1e3:.2f} ms", f"{theirs * 1e3:.2f} ms", ours / theirs)


def query() -> list[Row]:
    """Queries of emulated instruments."""
    best = queries.rates(2000, PLENTY)
    pairs = (("query", "in_process", "simulated"), ("tcp", "served", "echo"))
    return [TARGETS[row].found(f"{best[a]:.0f} /s", f"{best[b]:.0f} /s", best[a] / best[b]) for row, a, b in pairs]


def judge() -> Row:
    """A trace judged."""
    _, best = judging.rates(HOUR, TURNS)
    ours, theirs = best["check"], best["cantools"]
    return TARGETS["judging"].found(f"{ours / 1e3:.0f} k frames/s", f"{theirs / 1e3:.0f} k frames/s", ours / theirs)


def analyse() -> Row:
    """The slowest of the analyses of a wave."""
    best = analysing.measured(PLENTY)
    read = best.pop("plain read")
    slowest = min(best, key=lambda name: best[name])
    ours = f"{slowest} {best[slowest] / 1e6:.0f} MS/s"
    return TARGETS["analysing"].found(ours, f"{read / 1e6:.0f} MS/s", best[slowest] / read)


def report(allure: str = reports.INSTALLED) -> Row:
    """The HTML of a long run. allure: the command of Allure 3."""
    ours, theirs, why = reports.beside_allure(5000, allure)
    if theirs is None:
        return TARGETS["report"].without(f"{why}; ours took {ours:.1f} s")
    return TARGETS["report"].found(f"{ours:.1f} s", f"{theirs:.1f} s", ours / theirs)


def helped() -> Row:
    """The first thing anybody types."""
    ours, theirs = starting.starts(PLENTY)
    return TARGETS["help"].found(f"{ours * 1e3:.0f} ms", f"{theirs * 1e3:.0f} ms", ours / theirs)


def farm() -> Row:
    """A campaign on two workers."""
    one, two = (campaigns.farmed(workers, 8, "transfer_timing") for workers in (1, 2))
    return TARGETS["farm"].found(f"{two:.1f} s", f"{one:.1f} s", one / two)


def day() -> Row:
    """Memory of a day."""
    ours, theirs = memory.peak(DAY), memory.peak(HOUR)
    return TARGETS["memory"].found(f"{ours:.0f} MB", f"{theirs:.0f} MB", ours / theirs)


MEASURES: dict[str, Callable[[], Row | list[Row]]] = {
    "session": hour, "certify": whole, "check": check, "query": query, "judging": judge, "analysing": analyse,
    "report": report, "help": helped, "farm": farm, "memory": day,
}  # fmt: skip
LONG = frozenset({"certify", "report", "farm", "memory"})


def main() -> None:
    """Print the table, row by row as they come, and at last as a whole."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="leave out what takes minutes")
    parser.add_argument("--only", default="", help=f"rows, with commas between: {', '.join(MEASURES)}")
    parser.add_argument("--to", type=Path, help="Markdown file to write the table to")
    parser.add_argument("--allure", default=reports.INSTALLED, help="command of Allure 3, the npm package allure")
    chosen = parser.parse_args()
    measures = MEASURES | {"report": partial(report, chosen.allure)}
    names = [name for name in chosen.only.split(",") if name] or list(MEASURES)
    if unknown := [name for name in names if name not in MEASURES]:
        parser.error(f"--only {unknown[0]}: no such row; there are {', '.join(MEASURES)}")
    rows: list[Row] = []
    for name in names:
        left_out = chosen.quick and name in LONG
        found = TARGETS[name].without("left out by --quick") if left_out else measures[name]()
        for row in found if isinstance(found, list) else [found]:
            rows.append(row)
            print(" | ".join(row.cells()[:6]), flush=True)
    print(f"\n{table(rows)}")
    if chosen.to is not None:
        chosen.to.write_text(f"{TITLE}{table(rows)}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
