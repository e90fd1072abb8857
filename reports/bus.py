"""The frames of a CAN log beside a picture: for each identifier and sender a lane that shows when its frames came, when
none did, and when their bytes changed. Knows the log and a stretch of time; what the bytes mean it does not know.

A lane is a bar while a frame follows the one before within LATE of their usual distance, and a gap where it does not; a
mark stands in each column in which the bytes are others than before. Bytes are kept for the cursor while there are few
of them. Places are whole units of reports.plot: 0 at the start of the stretch, XSIZE at its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from markupsafe import Markup

from reports import svg

Floats = npt.NDArray[np.float64]
LATE = 1.8
"""Of the usual distance of two frames: from here on the later one was missed in between."""
COLUMNS = 800
BEFORE = 2.0
"""s before the stretch in which a frame still tells what stands at its start."""
LANES, SAID = 16, 60
"""Lanes shown, and bytes kept in a lane. Project choices."""
ROW = 15
"""px of a lane."""


@dataclass(frozen=True, slots=True)
class Lane:
    """bars, marks: from and to. said: from where on it said which bytes (hex, "" for none); None: too many to keep."""

    id: int
    sender: str
    bars: tuple[tuple[int, int], ...]
    marks: tuple[tuple[int, int], ...]
    said: tuple[tuple[int, str], ...] | None

    @property
    def name(self) -> str:
        """As it is written: an identifier of 29 bits is marked by an x behind it."""
        return f"0x{self.id & 0x1FFFFFFF:X}x" if self.id & 0x80000000 else f"0x{self.id:03X}"


def lanes(log: pa.Table, start: float, end: float, xsize: int) -> list[Lane]:
    """Of the frames of a stretch, s. log: as rig.evidence.captures.read_can_table has it."""
    t = log.column("t").to_numpy()
    low, high = np.searchsorted(t, (start - BEFORE, end))
    rows = log.slice(int(low), int(high - low))
    groups: dict[tuple[int, str], list[int]] = {}
    for k, key in enumerate(zip(rows.column("id").to_pylist(), rows.column("sender").to_pylist(), strict=True)):
        groups.setdefault(key, []).append(k)
    data, times = rows.column("data").to_pylist(), t[low:high]
    scale = _Scale(start, end, xsize)
    found = [
        _lane(id, sender, times[index], [data[k] for k in index], scale)
        for (id, sender), index in sorted(groups.items())
    ]
    return [lane for lane in found if lane.bars]


@dataclass(frozen=True, slots=True)
class _Scale:
    start: float
    end: float
    xsize: int

    @property
    def column(self) -> float:
        """s."""
        return (self.end - self.start) / COLUMNS

    def x(self, t: float) -> int:
        share = (t - self.start) / (self.end - self.start)
        return round(min(1.0, max(0.0, share)) * self.xsize)


def _lane(id: int, sender: str, t: Floats, data: Sequence[bytes], scale: _Scale) -> Lane:
    steps = np.diff(t)
    usual = float(np.median(steps)) if steps.size else 0.0
    breaks = np.flatnonzero(steps > max(LATE * usual, 2 * scale.column))
    firsts, lasts = [0, *(breaks + 1).tolist()], [*breaks.tolist(), t.size - 1]
    bars, said = list[tuple[int, int]](), list[tuple[int, str]]()
    least = round(scale.xsize / COLUMNS)
    for first, last in zip(firsts, lasts, strict=True):
        until = float(t[last]) + usual
        if until <= scale.start:
            continue
        bars.append((scale.x(float(t[first])), max(scale.x(until), scale.x(float(t[first])) + least)))
        changed = [k for k in range(first, last + 1) if k == first or data[k] != data[k - 1]]
        said += [(scale.x(float(t[k])), data[k].hex(" ").upper()) for k in changed]
        said.append((bars[-1][1], ""))
    other = [float(t[k]) for k in range(1, t.size) if data[k] != data[k - 1] and t[k] >= scale.start]
    return Lane(id, sender, tuple(bars), _columns(other, scale), _kept(said, scale))


def _columns(times: Sequence[float], scale: _Scale) -> tuple[tuple[int, int], ...]:
    """The columns something happened in, those side by side as one."""
    width, found = scale.xsize / COLUMNS, list[list[int]]()
    for column in sorted({min(COLUMNS - 1, int((t - scale.start) / scale.column)) for t in times}):
        if found and found[-1][1] == column:
            found[-1][1] = column + 1
        else:
            found.append([column, column + 1])
    return tuple((round(low * width), round(high * width)) for low, high in found)


def _kept(said: Sequence[tuple[int, str]], scale: _Scale) -> tuple[tuple[int, str], ...] | None:
    """The last word at each place."""
    last = {x: words for x, words in said if x < scale.xsize or words}
    return tuple(sorted(last.items())) if len(last) <= SAID else None


def height(some: Sequence[Lane]) -> float:
    """px of the panel's lanes."""
    return float(ROW * min(len(some), LANES))


def panel(some: Sequence[Lane], top: float, left: float, inside: float, xsize: int, ysize: int) -> list[Markup]:
    """The lanes from top (px) on, `height` of them high, with their names and a title above."""
    shown = some[:LANES]
    names = list(dict.fromkeys(lane.sender for lane in some))
    more = f", {len(some) - len(shown)} more identifiers in the log" if len(some) > len(shown) else ""
    title = f"CAN: a bar while frames come, a mark where their bytes change{more}"
    parts = [svg.tag("text", title, class_="pt", x=left, y=top - 6)]
    x = left + 7.2 * len(title) + 24
    for k, name in enumerate(names):
        parts.append(svg.tag("path", class_=f"cb c{min(k, 1)}", d=f"M{x:.0f} {top - 12:.0f}h18v4h-18z"))
        parts.append(svg.tag("text", name, class_="le", x=x + 23, y=top - 6))
        x += 41 + 6.1 * len(name)
    row, lines = ysize / len(shown), list[Markup]()
    for k, lane in enumerate(shown):
        kind = f"c{min(names.index(lane.sender), 1)}"
        y = top + ROW * k + 11
        parts.append(svg.tag("text", lane.name, class_="tk", x=left - 7, y=y, text_anchor="end"))
        said = None if lane.said is None else ";".join(f"{x}:{words}" for x, words in lane.said)
        name = f"{lane.name} {lane.sender}"
        bars = _boxes(lane.bars, (k + 0.42) * row, 0.16 * row)
        lines.append(svg.tag("path", class_=f"cb {kind}", d=bars, data_can=name, data_said=said))
        if lane.marks:
            lines.append(svg.tag("path", class_=f"cx {kind}", d=_boxes(lane.marks, (k + 0.15) * row, 0.7 * row)))
    size = height(some)
    parts.append(
        svg.tag("svg", *lines, class_="in can", x=left, y=top, width=inside, height=size,
                viewBox=f"0 0 {xsize} {ysize}", preserveAspectRatio="none")
    )  # fmt: skip
    return parts


def _boxes(stretches: Sequence[tuple[int, int]], top: float, tall: float) -> str:
    return "".join(f"M{a} {top:.0f}h{b - a}v{tall:.0f}H{a}z" for a, b in stretches)
