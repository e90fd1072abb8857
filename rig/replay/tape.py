"""Which recorded exchange answers what a part is asked now. Sans-IO: exchanges, words and a time in, an exchange out.

Theory
  What is said to one part must be said in the order of the record. Set-points and commands are never tolerated
  elsewhere. A question changes nothing on an instrument, and how often a loop asks one depends on how fast the machine
  was; so a question may be

    left out    up to POLLS recorded questions in a row are passed over to reach what is said now
    repeated    a question that does not come next is answered as it was the last time, up to POLLS times in a row

  An answer is of its moment: what is said more than LATE after its recorded moment, or more than EARLY before it, has
  diverged, though the words be the same. Everything else has diverged too, and from there on nothing is answered.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from rig.replay.record import Exchange, Kind

POLLS = 16
"""Questions in a row that may be left out or repeated (project choice: 1.6 s of a loop that asks every 100 ms)."""
LATE = 2.0
"""s (project choice: what POLLS questions take)."""
EARLY = 60.0
"""s (project choice: a recording machine takes seconds for its captures, a replay in virtual time takes none)."""
READS = frozenset(("01", "02", "03", "04"))
"""Modbus functions that only ask, in hex; the second byte of a frame."""
SHOWN = 80
"""Characters of a line that are quoted."""


class Divergence(Exception):
    """What is said now is not what was said then. The message: number of the exchange, expected, and what came."""


class Tape:
    """The exchanges of one part. number: of the next one, from 1."""

    def __init__(self, exchanges: Iterator[Exchange]) -> None:
        self._coming = exchanges
        self._ahead: deque[Exchange] = deque()
        self._last: dict[tuple[Kind, str], Exchange] = {}
        self._repeats = 0
        self.number = 1
        self.tolerated = 0
        """Questions that were left out or repeated so far."""

    def answer(self, do: Kind, said: str, now: float) -> Exchange:
        """The exchange that answers. Divergence where the record has none."""
        key = do, said
        skipped = self._find(do, said)
        if skipped is None:
            known = self._last.get(key)
            if known is None or not is_question(do, said) or self._repeats >= POLLS:
                raise self._divergence(do, said, now)
            self._repeats += 1
            self.tolerated += 1
            return known
        found = self._ahead[skipped]
        if not found.began - EARLY <= now <= found.began + LATE:
            when = f"{abs(now - found.began):.3g} s {'later' if now > found.began else 'earlier'} than recorded"
            raise Divergence(f"exchange {self.number + skipped}: {_quoted(do, said)} came {when} (at {now:.3f} s)")
        for _ in range(skipped + 1):
            passed = self._ahead.popleft()
            if is_question(passed.do, passed.said):
                self._last[passed.do, passed.said] = passed
        self.number += skipped + 1
        self.tolerated += skipped
        self._repeats = 0
        return found

    def _find(self, do: Kind, said: str) -> int | None:
        """How many recorded questions lie before what is said now; None when it does not come within reach."""
        for index in range(POLLS + 1):
            one = self._at(index)
            if one is None:
                return None
            if one.do == do and one.said == said:
                return index
            if not is_question(one.do, one.said):
                return None
        return None

    def _at(self, index: int) -> Exchange | None:
        while len(self._ahead) <= index:
            one = next(self._coming, None)
            if one is None:
                return None
            self._ahead.append(one)
        return self._ahead[index]

    def _divergence(self, do: Kind, said: str, now: float) -> Divergence:
        one = self._at(0)
        expected = "the record has ended" if one is None else f"expected {_quoted(one.do, one.said)}"
        return Divergence(f"exchange {self.number}: {expected}, came {_quoted(do, said)} (at {now:.3f} s)")


def is_question(do: Kind, said: str) -> bool:
    """Whether it only asks: its header ends in a question mark."""
    if do == "modbus":
        return said[2:4] in READS
    return do not in ("ask", "datagram") and said.split(" ", 1)[0].endswith("?")


def _quoted(do: Kind, said: str) -> str:
    return f"{do} {said[:SHOWN]!r}"
