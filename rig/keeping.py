"""What a run keeps on the disk, and what becomes of the run when the disk takes no more.

The first thing that cannot be kept is an error where it happens, as any fault of the bench is: the test is INVALID, the
bench comes to rest, the run stops, and `lost` says why. From then on nothing is refused any more: what still has to be
said on the way down is written where it can be, and left out where not, so that nothing that cannot be written keeps
the bench from being brought to rest. While it comes to rest, the first one is no error either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rig.errors import BenchFault
from rig.evidence.documents import Document
from rig.evidence.journal import Journal

Heard = Callable[[float, str, tuple[int, bytes]], None]


class Keeping:
    """Of one run. lost: what could not be kept first, in words; empty while the record is whole."""

    def __init__(self, journal: Journal) -> None:
        self._journal, self._resting = journal, False
        self.lost = ""

    def keep(self, doc: Document) -> int:
        """Append to the journal; the document's number, -1 for one that is lost."""
        try:
            return self._journal.append(doc)
        except BenchFault as fault:
            self._lose(fault)
        return -1

    @contextmanager
    def tried(self) -> Iterator[None]:
        """Whatever is written in here: a BenchFault of it is told once, and not on the way down."""
        try:
            yield
        except BenchFault as fault:
            self._lose(fault)

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """While the bench comes to rest nothing that cannot be written stands in its way."""
        before, self._resting = self._resting, True
        try:
            yield
        finally:
            self._resting = before

    def hearing(self, hear: Heard) -> Heard:
        """A watcher of the bus that writes; it falls silent when the record is lost."""

        def heard(at: float, sender: str, frame: tuple[int, bytes]) -> None:
            if self.lost:
                return
            try:
                hear(at, sender, frame)
            except BenchFault as fault:
                self._lose(fault)

        return heard

    def _lose(self, fault: BenchFault) -> None:
        first, self.lost = not self.lost, self.lost or str(fault)
        if first and not self._resting:
            raise fault
