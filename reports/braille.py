"""A Picture on a terminal: each panel as dots of braille, two by four to a character, with axes and names.

For an engineer on SSH. Spans, bands and levels are left to the page; edges and the limits of levels are told in words.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.text import Text

from reports.decimate import Floats, min_max, stepped
from reports.plot import Column, Columns, Window, range_of, window_of
from rig.evidence.documents import Panel, Picture

STYLES = ("bright_blue", "dark_orange", "green", "magenta", "yellow")
LEFT = 11
"""Characters of the value axis."""
HIGH = 9
"""Rows of a panel (project choice: four panels and their words fit a usual window)."""
Cells = npt.NDArray[np.uint8]
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bit of a dot of a braille cell (Unicode 2800), by row and column."""


def print_picture(console: Console, picture: Picture, columns: Columns) -> None:
    """Draw it as wide as the terminal is."""
    console.print(Text(picture.title, style="bold"))
    wide = max(20, console.width - LEFT - 2)
    window = window_of(picture, columns)
    if window is None:
        console.print(Text("    nothing to draw", style="dim"))
        return
    for panel in picture.panels:
        _print_panel(console, panel, columns, window, wide)
    first, last = (f"{window.shown(t):.4g} {window.unit}" for t in (window.start, window.end))
    console.print(Text(" " * LEFT + first + last.rjust(wide - len(first)), style="dim"))
    for edge in picture.edges:
        console.print(Text(f"{' ' * LEFT}{edge.label}: {window.shown(edge.at):.4g} {window.unit}", style="dim"))
    if picture.caption:
        console.print(Text(picture.caption, style="dim"))


def _print_panel(console: Console, panel: Panel, columns: Columns, window: Window, wide: int) -> None:
    head, lines = Text(f"{panel.title} ({panel.unit})  "), list[tuple[Floats, Floats]]()
    for trace in panel.traces:
        if trace.channel in columns:
            style = STYLES[len(lines) % len(STYLES)]
            t, y = _points(columns[trace.channel], window, wide, trace.step)
            lines.append((t, y * panel.scale))
            head.append(f"{trace.label or trace.channel}  ", style=style)
    for level in panel.levels:
        head.append(f"{level.label or level.kind} {level.value * panel.scale:.4g}  ", style="dim")
    console.print(head)
    low, high = range_of(panel, columns, window)
    cells, owner = dots(lines, (window.start, window.end), (low, high), wide)
    for row in range(HIGH):
        value = {0: high, HIGH - 1: low, HIGH // 2: (low + high) / 2}.get(row)
        text = Text(("" if value is None else f"{value:.4g}").rjust(LEFT - 2) + " \u2502", style="dim")
        for column in range(wide):
            text.append(chr(0x2800 + int(cells[row, column])), style=STYLES[int(owner[row, column]) % len(STYLES)])
        console.print(text, soft_wrap=True)


def _points(column: Column, window: Window, wide: int, step: bool) -> tuple[Floats, Floats]:
    t, values = np.asarray(column[0], float), np.asarray(column[1], float)
    if step:
        t, values = stepped(t, values)
    return min_max(t, values, window.start, window.end, 2 * wide)


def dots(
    lines: list[tuple[Floats, Floats]], window: tuple[float, float], values: tuple[float, float], wide: int
) -> tuple[Cells, Cells]:
    """Bits of each cell, and the number of the line that was drawn there last; both of shape (HIGH, wide)."""
    cells, owner = np.zeros((HIGH, wide), np.uint8), np.zeros((HIGH, wide), np.uint8)
    (start, end), (low, high) = window, values
    across, up = 2 * wide - 1, 4 * HIGH - 1
    for n, (t, y) in enumerate(lines):
        xs = (t - start) / (end - start) * across
        ys = (high - y) / (high - low) * up
        for (x0, y0), (x1, y1) in zip(zip(xs, ys, strict=True), zip(xs[1:], ys[1:], strict=True), strict=False):
            if not all(map(math.isfinite, (x0, y0, x1, y1))):
                continue
            steps = max(1, min(4 * (across + up), round(max(abs(x1 - x0), abs(y1 - y0)))))
            for k in range(steps + 1):
                x, row = round(x0 + (x1 - x0) * k / steps), round(y0 + (y1 - y0) * k / steps)
                if 0 <= x <= across and 0 <= row <= up:
                    cells[row // 4, x // 2] |= DOTS[row % 4][x % 2]
                    owner[row // 4, x // 2] = n
    return cells, owner
