"""A load profile: what a house, an appliance or the sun does over time. A CSV file, checked whole.

The first line names the columns: seconds, then one column a thing, in W (0 or more). Lines that begin with # are for
people and say where the figures come from. A value holds from its moment on until the next; the last line is the end.
"""

from __future__ import annotations

import csv
import math
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rig.errors import BenchConfigError

SECONDS = "seconds"


@dataclass(frozen=True)
class LoadProfile:
    """seconds: when each row begins, the first at 0, increasing; the last row is the end. watts: one column a thing,
    shape (rows,). comment: the lines for people."""

    name: str
    seconds: tuple[float, ...]
    watts: dict[str, tuple[float, ...]]
    comment: str = ""

    @property
    def length(self) -> float:
        """s from the first row to the last."""
        return self.seconds[-1]

    def at(self, column: str, t: float) -> float:
        """W of a column at t (s); what it was at the ends beyond them."""
        return self.watts[column][max(0, bisect_right(self.seconds, t) - 1)]

    def steps(self) -> Iterator[tuple[float, float, dict[str, float]]]:
        """(begin, end, W by column) of every row but the last."""
        for n, (begin, end) in enumerate(zip(self.seconds, self.seconds[1:], strict=False)):
            yield begin, end, {name: column[n] for name, column in self.watts.items()}

    def energy(self, column: str) -> float:
        """J from the first row to the last."""
        return math.fsum((end - begin) * watts[column] for begin, end, watts in self.steps())


def read_load_profile(path: Path) -> LoadProfile:
    """Read and check a file. BenchConfigError names every problem, with its line."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise BenchConfigError([f"{path}: no such load profile; check the name"]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise BenchConfigError([f"{path}: cannot be read ({error}); give a UTF-8 CSV file"]) from None
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    comment = "\n".join(line.lstrip("# ") for _, line in numbered if line.startswith("#"))
    table = [(number, next(csv.reader([line]))) for number, line in numbered if not line.startswith("#")]
    if len(table) < 3 or [name.strip() for name in table[0][1]][:1] != [SECONDS] or len(table[0][1]) < 2:
        raise BenchConfigError(
            [f"{path}: needs a head '{SECONDS},<thing>' and two rows or more; see rig/load_profile.py"]
        )
    names = [name.strip() for name in table[0][1]]
    if len(set(names)) < len(names) or not all(names):
        raise BenchConfigError([f"{path}:{table[0][0]}: every column needs a name of its own; mend the head"])
    rows, problems = _rows(path, table[1:], len(names))
    if problems:
        raise BenchConfigError(problems)
    columns = list(zip(*rows, strict=True))
    return LoadProfile(path.stem, columns[0], dict(zip(names[1:], columns[1:], strict=True)), comment)


def _rows(path: Path, table: list[tuple[int, list[str]]], width: int) -> tuple[list[tuple[float, ...]], list[str]]:
    rows: list[tuple[float, ...]] = []
    problems: list[str] = []
    for number, cells in table:
        try:
            row = tuple(float(cell) for cell in cells)
        except ValueError:
            problems.append(f"{path}:{number}: holds what is no number; write s and W as plain numbers")
            continue
        if len(row) != width or not all(math.isfinite(cell) and cell >= 0.0 for cell in row):
            problems.append(f"{path}:{number}: needs {width} finite numbers of 0 or more; mend that line")
        elif row[0] != 0.0 if not rows else row[0] <= rows[-1][0]:
            problems.append(f"{path}:{number}: seconds must begin at 0 and rise; sort the lines")
        else:
            rows.append(row)
    return rows, problems
