"""How the trace commands print: one console, one kind of table, numbers and heads in one form."""

from __future__ import annotations

import json

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rig.trace.facts import Fact
from rig.trace.reader import TraceFile

PIPE_WIDTH = 160
"""Columns of a table that goes into a pipe or a file."""
NOTES_SHOWN = 10


def make_console() -> Console:
    """Standard output; in a pipe without colour and wide enough for the tables."""
    console = Console(highlight=False, soft_wrap=False)
    return console if console.is_terminal else Console(highlight=False, width=PIPE_WIDTH, color_system=None)


def line(console: Console, text: str, style: str = "") -> None:
    """One line as it is: no markup, no wrapping."""
    console.print(Text(text, style=style), soft_wrap=True)


def table(*columns: str, right: tuple[str, ...] = ()) -> Table:
    """A table that reads well in a terminal and in a file."""
    made = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return made


def print_json(data: object) -> None:
    """For machines: no NaN, no infinity."""
    print(json.dumps(data, indent=1, allow_nan=False))


def number(value: float | None) -> str:
    """A reading; nothing where it was not seen."""
    return "" if value is None else f"{value:g}"


def difference(value: float | None, unit: str = "") -> str:
    """With its sign; nothing where there is none."""
    if value is None:
        return ""
    text = f"{value:+.2f}" if unit == "s" else f"{value:+.1f}".removesuffix(".0")
    return "0" if float(text) == 0 else text


def value(fact: Fact) -> str:
    """A fact's value."""
    if isinstance(fact.value, bool):
        return "yes" if fact.value else "no"
    if fact.unit == "s":
        return f"{fact.value:.2f}"
    return f"{fact.value:.1f}".removesuffix(".0")


def head_lines(trace: TraceFile) -> list[str]:
    """What was read, and what was left out."""
    lines = [
        f"{trace.path}: {trace.format.name}, {trace.frames_read} frames of bus {trace.bus or '?'}, {trace.span:.1f} s"
    ]
    if trace.foreign:
        lines.append(f"{trace.foreign} frames of other buses or kinds were left out")
    if trace.late:
        lines.append(f"{trace.late} frames had a time stamp behind the one before; they count at its time")
    if trace.left_out:
        lines.append(f"{trace.left_out} lines were left out; the verdict is on what was read:")
        lines += [f"  {note}" for note in trace.notes[:NOTES_SHOWN]]
        if trace.left_out > NOTES_SHOWN:
            lines.append(f"  and {trace.left_out - NOTES_SHOWN} more")
    return lines


def head(console: Console, trace: TraceFile) -> None:
    """The same, printed."""
    for text in head_lines(trace):
        line(console, text, "yellow" if text.endswith("on what was read:") else "")
