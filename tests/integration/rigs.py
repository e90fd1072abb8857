"""Running the rig as a user does, in a process of its own, for the tests beside this file."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from fixtures.library import find_bench
from rig.evidence.documents import Document, Judged, TestStop
from rig.evidence.journal import read_journal

TOP = Path(__file__).parents[2]
LIMIT = 240
"""s a command may take before it counts as hanging."""


@dataclass(frozen=True)
class Ran:
    """A finished command. folder: of the evidence it was told to write."""

    code: int
    out: str
    err: str
    folder: Path

    @property
    def documents(self) -> tuple[Document, ...]:
        return read_journal(self.folder).documents

    @property
    def outcomes(self) -> dict[str, str]:
        """Outcome of each test, by the last part of its name."""
        return {d.test.rpartition("::")[2]: d.outcome for d in self.documents if isinstance(d, TestStop)}

    def verdicts(self, requirement: str) -> list[str]:
        return [d.verdict for d in self.documents if isinstance(d, Judged) and d.requirement == requirement]


def v2hrig(*arguments: str, folder: Path = Path()) -> Ran:
    """Run the command from the top of the project."""
    command = [sys.executable, "-m", "rig.cli", *arguments]
    done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, timeout=LIMIT, check=False)
    return Ran(done.returncode, done.stdout, done.stderr, folder)


def certify(folder: Path, *arguments: str) -> Ran:
    """`v2hrig certify` with its evidence in a folder."""
    return v2hrig("certify", "--out", str(folder), *arguments, folder=folder)


def bench_with(tmp_path: Path, part: str, keys: str, name: str = "bench.toml") -> Path:
    """The emulated bench with keys added to one of its parts."""
    text, count = re.subn(rf"^\[{part}\]$", f"[{part}]\n{keys}", find_bench("emulated").read_text(), flags=re.M)
    assert count == 1
    path = tmp_path / name
    path.write_text(text)
    return path
