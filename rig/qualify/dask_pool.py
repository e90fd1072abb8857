"""Units of work on the workers of a Dask scheduler: a lab of benches, or many machines without one.

A worker that dies loses nothing: the scheduler hands what it had in hand to another, and one unit is yielded once,
however often it was begun. A bench of hardware is a resource its bench host's worker offers,

    dask worker tcp://scheduler:8786 --nthreads 1 --resources "bench:rack-3=1"

and units of that bench go to no other worker, one at a time; the lease stays with the bench host. Emulated benches are
a process's own and need no resource.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from rig.errors import BenchFault, UseError
from rig.qualify.pool import LOSSES
from rig.qualify.units import Unit

T = TypeVar("T")
WITHIN = "20 s"
"""For the scheduler to answer (project choice)."""


def resource(bench: str) -> str:
    """What a bench is called as a resource of a worker."""
    return f"bench:{bench}"


class DaskPool:
    """Workers of a scheduler. client: a distributed.Client. emulated: names of benches that need no resource."""

    def __init__(self, client: Any, emulated: Callable[[str], bool] = lambda _: True) -> None:
        self._client, self._emulated = client, emulated
        self._known: set[str] = set()
        self.lost = 0

    @property
    def workers(self) -> int:
        """How many there are now."""
        return len(self._client.nthreads())

    def run(self, work: Callable[[Unit], T], units: Sequence[Unit]) -> Iterator[tuple[Unit, T]]:
        """See Pool."""
        from distributed import as_completed

        self._look()
        under_way = {self._submit(work, unit): unit for unit in units}
        deaths: dict[str, int] = {}
        came = as_completed(list(under_way))
        for future in came:
            self._look()
            unit = under_way.pop(future)
            try:
                result = future.result()  # lost with its worker, it is worked out anew: no status says so in time
            except Exception as error:
                if type(error).__name__ not in ("KilledWorker", "CancelledError", "FutureCancelledError"):
                    raise
            else:
                yield unit, result
                future.release()
                continue
            deaths[unit.id] = deaths.get(unit.id, 0) + 1
            if deaths[unit.id] >= LOSSES:
                raise BenchFault(
                    f"unit {unit.id}: its worker died {deaths[unit.id]} times over; look at what it plants"
                )
            again = self._submit(work, unit)
            under_way[again] = unit
            came.add(again)

    def _submit(self, work: Callable[[Unit], T], unit: Unit) -> Any:
        needs = None if self._emulated(unit.bench) else {resource(unit.bench): 1}
        return self._client.submit(work, unit, pure=False, resources=needs)

    def _look(self) -> None:
        """Count workers that were there and are not any more."""
        now = set(self._client.nthreads())
        self.lost += len(self._known - now)
        self._known = now


@contextmanager
def dask_pool(address: str, emulated: Callable[[str], bool] = lambda _: True) -> Iterator[DaskPool]:
    """A pool of the scheduler at an address. UseError without Dask, or where nobody answers."""
    try:
        from distributed import Client
    except ImportError:
        raise UseError("--scheduler needs Dask: install v2hrig[farm]") from None
    try:
        client = Client(address, timeout=WITHIN)
    except (OSError, ValueError) as error:
        raise UseError(f"--scheduler {address}: no scheduler answers ({error}); start one: dask scheduler") from None
    with client:
        if not client.nthreads():
            raise UseError(f"--scheduler {address}: it has no workers; start one: dask worker {address} --nthreads 1")
        yield DaskPool(client, emulated)
