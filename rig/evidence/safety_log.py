"""What the supervisor saw and did, in safety.jsonl beside the run's journal: the same lines, the same chain.

A run that is killed writes no end; this does, in its stead. Until the rig has said which folder is the run's, lines
wait in memory: nothing has been energised by then.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from rig.errors import RigError
from rig.evidence.documents import Document, SafeStateReached
from rig.evidence.journal import Journal, Reading, scan_file

_NAME = re.compile(r"safety(-[2-9]|-[1-9][0-9]+)?\.jsonl")


class SafetyLog:
    """Appends; never fails: the bench comes first, and what cannot be written is told nowhere else. now: s."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._journal: Journal | None = None
        self._waiting: list[tuple[float, Document]] = []
        self._lock = threading.Lock()

    def keep_in(self, folder: Path, part: int) -> None:
        """Write into this run's folder. part: of the run, from 1."""
        with self._lock, suppress(RigError, OSError):
            if self._journal is None:
                self._journal = Journal(folder, self._now, file=log_name(part))
                for at, doc in self._waiting:
                    self._journal.append(doc, at)
                self._journal.commit()
                self._waiting.clear()

    def add(self, doc: Document) -> None:
        """Write a document, on the disk when this returns."""
        with self._lock:
            if self._journal is None:
                self._waiting.append((self._now(), doc))
                return
            with suppress(RigError, OSError):
                self._journal.append(doc)
                self._journal.commit()

    def close(self) -> None:
        """Idempotent."""
        with self._lock, suppress(RigError, OSError):
            if self._journal is not None:
                self._journal.close()


def log_name(part: int) -> str:
    """File of a part of a run."""
    return "safety.jsonl" if part == 1 else f"safety-{part}.jsonl"


def is_log(name: str) -> bool:
    """Whether a file of a run's folder is a supervisor's."""
    return _NAME.fullmatch(name) is not None


def safety_logs(folder: Path) -> list[Reading]:
    """Every supervisor's log of a run, in order of its parts; none on a bench without a supervisor."""
    if not folder.is_dir():
        return []
    found = sorted((one for one in folder.iterdir() if is_log(one.name)), key=lambda one: (len(one.name), one.name))
    return [scan_file(one) for one in found]


def last_word(reading: Reading) -> SafeStateReached | None:
    """How the supervisor left the bench; None when it did not come to say it."""
    said = [doc for doc in reading.documents if isinstance(doc, SafeStateReached)]
    return said[-1] if said else None
