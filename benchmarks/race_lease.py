"""`python -m benchmarks.race_lease`: many processes reach for one bench at once, again and again; one gets it.

In every other round the last holder gives the lease back; in the others it does not, and all see it expired at the same
moment. No process may look at another's lock (as if each were on a host of its own), so only the files decide. Who
holds the bench makes a witness file that must not be there yet.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
from dataclasses import dataclass
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from pathlib import Path

from rig.clock import wall
from rig.errors import BenchFault
from rig.safety import lease as module
from rig.safety.lease import LASTS, Claim, Lease

RESOURCES = ("10.0.0.7 INST0", "10.0.0.8 INST0")
PATIENCE = 120.0
"""s a process waits for the others before it gives up (project choice)."""


@dataclass(frozen=True)
class Raced:
    """winners: of each round, how many held the bench. crowded: rounds in which a holder found another's witness."""

    winners: tuple[int, ...]
    crowded: int

    @property
    def sound(self) -> bool:
        return set(self.winners) == {1} and not self.crowded


def race(processes: int, rounds: int, folder: Path) -> Raced:
    """Let them race. folder: of the leases, empty."""
    context = multiprocessing.get_context("forkserver")
    barrier, told = context.Barrier(processes), context.SimpleQueue()
    workers = [context.Process(target=_worker, args=(n, rounds, folder, barrier, told)) for n in range(processes)]
    for one in workers:
        one.start()
    winners, crowded = [0] * rounds, 0
    for _ in range(processes):
        won, met = told.get()
        crowded += met
        for number in won:
            winners[number] += 1
    for one in workers:
        one.join()
    return Raced(tuple(winners), crowded)


def _worker(number: int, rounds: int, folder: Path, barrier: Barrier, told: SimpleQueue[tuple[list[int], int]]) -> None:
    """One process: reach for the bench in every round; say which rounds it won, and how often it was not alone."""
    module.BOOT = Path("/nowhere")  # no kernel in common
    won, crowded = list[int](), 0
    witness = folder / "witness"
    for at in range(rounds):
        mine = Lease(
            folder, Claim("racer", f"host{number}", number, f"round {at}"), lambda at=at: wall() + 10 * LASTS * at
        )
        barrier.wait(PATIENCE)
        try:
            mine.take(RESOURCES)
        except BenchFault:
            barrier.wait(PATIENCE)
            continue
        won.append(at)
        try:
            witness.open("x").close()
        except FileExistsError:
            crowded += 1
        barrier.wait(PATIENCE)  # all have tried
        witness.unlink(missing_ok=True)
        if at % 2 == 0:
            mine.give_back()
    told.put((won, crowded))


def main() -> None:
    """Race and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.race_lease", description=__doc__)
    parser.add_argument("--processes", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=100)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        raced = race(chosen.processes, chosen.rounds, Path(folder))
    one = sum(count == 1 for count in raced.winners)
    print(f"lease race: {chosen.processes} processes, {chosen.rounds} rounds: one holder in {one}, "
          f"none in {raced.winners.count(0)}, crowded {raced.crowded}")  # fmt: skip
    raise SystemExit(not raced.sound)


if __name__ == "__main__":
    main()
