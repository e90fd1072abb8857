"""A row of the table of targets, and the table as it is printed: Markdown, with the machine it was taken on."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

HEAD = ("what", "figure", "beside", "ratio", "aim", "reached", "what bounds it")


@dataclass(frozen=True, slots=True)
class Row:
    """ours, theirs: the two figures of one run, in words. ratio: of both, as the aim has it; None where there is no
    such figure. aim: its bound; least: it is the least that is wanted, else the most. unit: of the ratio, empty where
    it is a plain number. skipped: why there is no figure."""

    what: str
    aim: float
    least: bool
    bound: str
    ours: str = ""
    theirs: str = ""
    ratio: float | None = None
    unit: str = ""
    skipped: str = ""

    @property
    def reached(self) -> bool | None:
        """Whether the aim is reached; None where nothing was measured."""
        if self.ratio is None:
            return None
        return self.ratio >= self.aim if self.least else self.ratio <= self.aim

    def cells(self) -> tuple[str, ...]:
        """As they stand in the table."""
        aim = f"{'≥' if self.least else '≤'} {self.aim:g}{self.unit}"
        if self.ratio is None:
            return self.what, "-", "-", "-", aim, f"not measured: {self.skipped}", self.bound
        digits = ".0f" if abs(self.ratio) >= 100 else ".2f"
        ratio, word = f"{self.ratio:{digits}}{self.unit}", "yes" if self.reached else "no"
        return self.what, self.ours, self.theirs, ratio, aim, word, self.bound


def table(rows: Iterable[Row]) -> str:
    """The table in Markdown, with the machine under it."""
    lines = [f"| {' | '.join(HEAD)} |", f"|{'---|' * len(HEAD)}"]
    lines += [f"| {' | '.join(row.cells())} |" for row in rows]
    return "\n".join([*lines, "", machine()])


def machine() -> str:
    """What it was taken on."""
    cpu = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                cpu = line.partition(":")[2].strip()
                break
    except OSError:
        pass
    load = f", load {os.getloadavg()[0]:.1f} at the end"
    system = f"{platform.system()} {platform.release()}; Python {platform.python_version()}"
    return f"{os.cpu_count()} cores, {cpu}; {system}{load}"
