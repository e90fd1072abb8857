"""Peak resident memory of an emulated session of a day beside one of an hour, each in a process of its own.

The house draws so little that the pack lasts the day.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
import tempfile
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.session import session

POWER = 200.0
"""W."""


def peak(seconds: float) -> float:
    """MB at most of a process that runs so much bench time."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_measure, args=(theirs, seconds))
    process.start()
    theirs.close()
    try:
        found: float = ours.recv()
    except EOFError:
        raise SystemExit("the session whose memory was measured did not come to its end") from None
    process.join()
    return found


def _measure(place: Connection, seconds: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        session(seconds, Path(folder) / "run", POWER)
    unit = 1.0 if sys.platform == "darwin" else 1024.0
    place.send(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6)
