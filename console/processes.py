"""Processes as the console needs them: runs begun as the command line begins them, and signals that cannot meet the
wrong process."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

PROGRAM = ("-m", "rig.cli", "certify")
"""By name, not by import: the commands know every room and nobody knows them."""
TAIL = 4096
"""Bytes of a run's output that are shown when it did not begin."""


class Handle:
    """A process by its handle: once taken, its number may be given to another without harm. dead: there was none."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        try:
            self._file = os.pidfd_open(pid) if pid > 0 else -1
        except (AttributeError, OSError):
            self._file = -1

    @property
    def dead(self) -> bool:
        """It is gone, or was never there."""
        return self._file < 0 or bool(select.select([self._file], [], [], 0.0)[0])

    def signal(self, number: signal.Signals) -> bool:
        """Whether it was there to be sent this."""
        try:
            signal.pidfd_send_signal(self._file, number)
        except (OSError, ValueError):
            return False
        return True

    def close(self) -> None:
        """Idempotent."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


class Started:
    """A run begun here. It has a session of its own and its output in a file: it outlives the console."""

    def __init__(self, arguments: Sequence[str], log: Path, folder: Path) -> None:
        """OSError when it cannot be begun. log: file for its output. folder: it is begun in."""
        self.log = log
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                [sys.executable, *PROGRAM, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=folder,
                start_new_session=True,
            )
        self.pid = self._process.pid

    def code(self) -> int | None:
        """Its exit code; None while it runs."""
        return self._process.poll()

    def signal(self, number: signal.Signals) -> None:
        """Nothing when it has ended."""
        with contextlib.suppress(OSError):
            self._process.send_signal(number)

    def output(self) -> str:
        """The last of what it printed."""
        with contextlib.suppress(OSError):
            return self.log.read_bytes()[-TAIL:].decode("utf-8", "replace")
        return ""
