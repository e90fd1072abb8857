"""Which bus of a recording is CHAdeMO's, where several were recorded at once. Knows no file.

Some cars use the same identifiers on buses of their own (0x101, 0x108, 0x200 and 0x208, say), so one of them tells
little. Together they do: all that a vehicle, or a charger, sends in each of its cycles.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from rig.trace.lines import Entry

HANDS = (frozenset({0x100, 0x101, 0x102}), frozenset({0x108, 0x109}))
"""Identifiers that only come together on CHAdeMO (chademo.md 0: each side sends all of its own in every cycle)."""
LOOKED_AT = 50_000
"""Entries of a file that are looked at: minutes of a few busy buses. Project choice."""


def chademo_bus(entries: Iterable[Entry]) -> str | None:
    """The first bus that shows all frames of one side; None where no bus does near the beginning."""
    shown: dict[str, set[int]] = {}
    for bus, frame, trouble in islice(entries, LOOKED_AT):
        if frame is None or trouble or len(frame.data) != 8:
            continue
        seen = shown.setdefault(bus, set())
        seen.add(frame.id)
        if any(hand <= seen for hand in HANDS):
            return bus
    return None
