"""A row of the table of targets, and the table as it is printed: Markdown, with the machine it was taken on."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

HEAD = ("what", "figure", "beside", "ratio", "aim", "reached", "what bounds it")


@dataclass(frozen=True, slots=True)
class Row:
    """what: is measured. aim: of the ratio; least: the least that is wanted, else the most. bound: what keeps it from
    being better. unit: of the ratio, empty where it is a plain number. ours, theirs: the two figures of one run, in
    words. ratio: of both, None where there is none. skipped: why there is none."""

    what: str
    aim: float
    least: bool
    bound: str
    unit: str = ""
    ours: str = ""
    theirs: str = ""
    ratio: float | None = None
    skipped: str = ""

    def found(self, ours: str, theirs: str, ratio: float) -> Row:
        """With its figures."""
        return replace(self, ours=ours, theirs=theirs, ratio=ratio)

    def without(self, why: str) -> Row:
        """Without."""
        return replace(self, skipped=why)

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
