"""How long `v2hrig --help` takes, beside `python -c "import pytest"`: processes, taking turns, the best of each."""

from __future__ import annotations

import subprocess
import sys

from rig.clock import Stopwatch

OURS = (sys.executable, "-m", "rig.cli", "--help")
THEIRS = (sys.executable, "-c", "import pytest")


def starts(repeats: int) -> tuple[float, float]:
    """s of ours and of theirs."""
    best = {OURS: float("inf"), THEIRS: float("inf")}
    for _ in range(repeats):
        for command in best:
            watch = Stopwatch()
            subprocess.run(command, check=True, capture_output=True)
            best[command] = min(best[command], watch.seconds())
    return best[OURS], best[THEIRS]
