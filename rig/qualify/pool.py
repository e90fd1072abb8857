"""Where units of work are run: a pool of processes on this machine. A process that dies takes no unit with it.

`run` hands out every unit and yields each exactly once with what its work returned, as it comes. A worker process that
is killed breaks the pool; what it and the others had in hand is handed out again to a new one.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Protocol, TypeVar

from rig.errors import BenchFault
from rig.qualify.units import Unit

T = TypeVar("T")
LOSSES = 3
"""Workers lost one after another, with no unit at its end, before it is given up (project choice: that of Dask)."""
FRESH_AFTER = 60
"""Units after which a worker process is replaced by a new one (project choice: what leaks cannot pile up)."""


def end_with_parent() -> None:
    """In a worker process: end when the process that hands out the units is gone, however it went."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


class Pool(Protocol):
    """Runs units, in any order, on any number of workers. lost: workers that died."""

    lost: int

    @property
    def workers(self) -> int:
        """How many work at a time."""
        ...

    def run(self, work: Callable[[Unit], T], units: Sequence[Unit]) -> Iterator[tuple[Unit, T]]:
        """Each unit once, with what work made of it, as they come. BenchFault for one that kills its worker again and
        again."""
        ...


class LocalPool:
    """Processes of this machine."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self.lost = 0
        """Worker processes that died."""

    @property
    def workers(self) -> int:
        """See Pool."""
        return self._workers

    def run(self, work: Callable[[Unit], T], units: Sequence[Unit]) -> Iterator[tuple[Unit, T]]:
        """See Pool."""
        left = {unit.id: unit for unit in units}
        barren = 0
        while left:
            before = len(left)
            try:
                for unit, value in self._round(work, list(left.values())):
                    del left[unit.id]
                    yield unit, value
            except BrokenProcessPool:
                self.lost += 1
                barren = barren + 1 if len(left) == before else 0
                if barren >= LOSSES:
                    raise BenchFault(
                        f"units {', '.join(left)}: {LOSSES} worker processes died and none came to an end; look at "
                        "memory and at what these units plant"
                    ) from None
                turned = list(left.items())  # what was begun first may be what kills: try the others before it
                left = dict(turned[self.workers :] + turned[: self.workers])

    def _round(self, work: Callable[[Unit], T], units: Sequence[Unit]) -> Iterator[tuple[Unit, T]]:
        context = multiprocessing.get_context("spawn")
        executor = ProcessPoolExecutor(self.workers, context, end_with_parent, max_tasks_per_child=FRESH_AFTER)
        try:
            under_way: dict[Future[T], Unit] = {executor.submit(work, unit): unit for unit in units}
            for future in as_completed(under_way):
                yield under_way.pop(future), future.result()
        finally:
            executor.shutdown(wait=False, cancel_futures=True)
