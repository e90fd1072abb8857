"""Where the units of a campaign are run, as a person chooses it: processes here, or the workers of a Dask scheduler."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from rig.qualify.pool import LocalPool, Pool

CORES = os.cpu_count() or 1
Workers = Annotated[int, typer.Option(min=1, help="processes on this machine")]
Scheduler = Annotated[str, typer.Option(help="address of a Dask scheduler, tcp://host:8786; default: this machine")]


@contextmanager
def open_pool(
    workers: int, scheduler: str, emulated: Callable[[str], bool] = lambda _: True
) -> Iterator[tuple[Pool, str]]:
    """A pool, and what it is called in a report. emulated: whether a bench needs no bench host of its own."""
    if not scheduler:
        yield LocalPool(workers), f"{workers} processes on one machine"
        return
    from rig.qualify.dask_pool import dask_pool

    with dask_pool(scheduler, emulated) as pool:
        yield pool, f"{pool.workers} workers of {scheduler}"
