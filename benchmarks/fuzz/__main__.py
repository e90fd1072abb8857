"""`python -m benchmarks.fuzz [SUBJECT ...] [-n N] [--seed S]`: try, print the figures; 1 if anything was found."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable
from typing import Any

from benchmarks.fuzz.boxes import BoxDriverFuzz, BoxFuzz
from benchmarks.fuzz.echonet import NodeDriverFuzz, NodeFuzz
from benchmarks.fuzz.engine import Fuzz, Subject
from benchmarks.fuzz.files import JournalFuzz, RecordFuzz, TomlFuzz, TraceFuzz
from benchmarks.fuzz.frames import ChargerFuzz, RulesFuzz, VehicleFuzz
from benchmarks.fuzz.scpi import DriverFuzz, LineFuzz, ReplyFuzz
from rig.clock import Stopwatch

SUBJECTS: dict[str, tuple[Callable[[], Subject[Any]], int]] = {
    "lines": (LineFuzz, 600_000),
    "replies": (ReplyFuzz, 350_000),
    "drivers": (DriverFuzz, 50_000),
    "vehicle": (VehicleFuzz, 600_000),
    "rules": (RulesFuzz, 320_000),
    "charger": (ChargerFuzz, 80_000),
    "boxes": (BoxFuzz, 200_000),
    "box-drivers": (BoxDriverFuzz, 50_000),
    "echonet": (NodeFuzz, 200_000),
    "echonet-driver": (NodeDriverFuzz, 50_000),
    "toml": (TomlFuzz, 20_000),
    "traces": (TraceFuzz, 5_000),
    "journals": (JournalFuzz, 20_000),
    "records": (RecordFuzz, 20_000),
}
"""What is tried, and how often: together a million of SCPI and a million of CAN."""
KINDS = {"SCPI": ("lines", "replies", "drivers"), "CAN": ("vehicle", "rules", "charger")}


def main() -> None:
    """Try and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("subject", nargs="*", metavar="SUBJECT", help=f"of {', '.join(SUBJECTS)}; none: all")
    parser.add_argument("-n", type=int, help="inputs of each subject")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    if unknown := [one for one in chosen.subject if one not in SUBJECTS]:
        parser.error(f"no subject {unknown[0]!r}; there are {', '.join(SUBJECTS)}")
    logging.disable()
    clean, counts = True, dict[str, int]()
    for name in chosen.subject or SUBJECTS:
        kind, usual = SUBJECTS[name]
        watch = Stopwatch()
        tally = Fuzz(kind(), chosen.seed).run(usual if chosen.n is None else chosen.n)
        counts[name] = tally.inputs
        clean &= tally.clean
        print(f"{tally}; {watch.seconds():.0f} s", *tally.words, sep="\n", flush=True)
    for kind, names in KINDS.items():
        print(f"{kind} inputs {sum(counts.get(name, 0) for name in names)}")
    raise SystemExit(not clean)


if __name__ == "__main__":
    main()
