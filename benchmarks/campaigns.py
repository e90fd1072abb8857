"""A whole run of every suite, and a campaign on one and on two workers, as anybody starts them."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rig.clock import Stopwatch

_BENCH_TIME = re.compile(r"bench time (?:(\d+) days?, )?(\d+):(\d+):(\d+)")


def certified(depth: str, suites: tuple[str, ...] = ()) -> tuple[float, float]:
    """Wall s of `v2hrig certify`, and the s of bench time it stands for."""
    with tempfile.TemporaryDirectory() as folder:
        words = [word for suite in suites for word in ("--suite", suite)]
        watch = Stopwatch()
        said = _run("certify", "--seed", "1", "--depth", depth, "--quiet", "--out", f"{folder}/run", *words)
        took = watch.seconds()
    found = _BENCH_TIME.search(said)
    if found is None:
        raise SystemExit(f"certify did not say its bench time:\n{said}")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return took, 86400.0 * days + 3600.0 * hours + 60.0 * minutes + seconds


def farmed(workers: int, seeds: int, suite: str) -> float:
    """Wall s of `v2hrig farm` of one suite over so many seeds on so many workers."""
    with tempfile.TemporaryDirectory() as folder:
        watch = Stopwatch()
        _run(
            "farm", "--workers", str(workers), "--seeds", f"0-{seeds - 1}", "--suite", suite, "--quiet",
            "--out", str(Path(folder) / "farm"),
        )  # fmt: skip
        return watch.seconds()


def _run(*words: str) -> str:
    done = subprocess.run([sys.executable, "-m", "rig.cli", *words], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 3):  # 3: required work of other suites was not run
        raise SystemExit(f"v2hrig {' '.join(words)} came to {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout
