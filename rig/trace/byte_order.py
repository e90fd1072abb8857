"""Whether a recording shows its bytes in the order of transmission. Knows no file.

Tools that store a payload as words turn it round. What is then read as a voltage cannot be one, frame after frame, and
in more than one identifier; to judge that would blame a charger for the recorder's doing.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from rig.trace.lines import Entry

VOLTAGES = {0x100: 4, 0x102: 1, 0x108: 1}
"""First byte of a voltage that stands from the beginning, low byte first (chademo.md 0, 1)."""
MOST = 1200
"""V, no version of the protocol knows more (chademo.md 1, 0x100)."""
ENOUGH = 10
"""Frames of an identifier that tell it (project choice): a spoilt frame or two do not."""
LOOKED_AT = 2_000
"""Entries looked at: some seconds of a busy bus (project choice)."""


def turned_round(entries: Iterable[Entry], bus: str | None) -> bool:
    """Whether the voltages of two identifiers or more make sense only with the high byte first."""
    seen = dict.fromkeys(VOLTAGES, 0)
    turned = dict.fromkeys(VOLTAGES, 0)
    for of, frame, _ in islice(entries, LOOKED_AT):
        if frame is None or of != bus or frame.id not in VOLTAGES or len(frame.data) != 8:
            continue
        first, second = frame.data[(at := VOLTAGES[frame.id])], frame.data[at + 1]
        if not first and not second:
            continue
        seen[frame.id] += 1
        turned[frame.id] += first + 256 * second > MOST >= 256 * first + second
        if min(seen.values()) >= ENOUGH:
            break
    return sum(seen[i] >= ENOUGH and turned[i] == seen[i] for i in VOLTAGES) >= 2
