"""The pictures of a run, drawn from its captures within a budget of bytes; and what is wrong with a capture, said.

Pictures of tests that did not pass are drawn first. What the budget leaves out is named in its test, with its capture.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from markupsafe import Markup

from reports.plot import Column, draw
from reports.run import SEVERITY, Run, Test
from rig.errors import TraceError
from rig.evidence.captures import Table, Waveform, check_capture, read_can_table, read_series, read_waveform
from rig.evidence.documents import CaptureStored, Picture, Resumed

BUDGET = 3_000_000
"""Bytes of pictures in one report: it opens at once and can be sent by mail. Project choice."""
FINE, COARSE, MANY = 900, 300, 60
"""Columns kept of a trace; coarse from so many pictures on. Project choice."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture. image: None when it was not drawn, notes say why. captures: files it was drawn from."""

    picture: Picture
    image: Markup | None
    notes: tuple[str, ...]
    captures: tuple[CaptureStored, ...]


class Gallery:
    """Reads captures and draws. The last capture read is kept: pictures of one test share theirs. buses: with the
    frames of the CAN log below each picture."""

    def __init__(self, folder: Path, run: Run, buses: bool = False) -> None:
        self._folder = folder
        self._stored = {one.sha256: one for test in run.everything for one in test.captures}
        self.wrong = {one.file: said for one in self._stored.values() if (said := check_capture(folder, one))}
        self._last: tuple[str, Waveform | Table | None] = ("", None)
        where = parts(run) if buses else {}
        self._logs = {where[sha]: one for sha, one in self._stored.items() if one.kind == "can" and sha in where}
        self._log: tuple[str, pa.Table | None] = ("", None)

    def draw_all(self, run: Run) -> dict[int, list[Drawn]]:
        """Index of a test (-1: outside any) -> its pictures, in their order."""
        wanted = list(_by_need(run))
        width, left = (FINE if len(wanted) <= MANY else COARSE), BUDGET
        found: dict[int, list[tuple[int, Drawn]]] = {}
        for test, place, picture in wanted:
            part = test.part if test.index >= 0 or not run.resumed else 0
            drawn = self._draw(picture, width, part) if left > 0 else self._left_out(picture)
            left -= len(drawn.image or "")
            found.setdefault(test.index, []).append((place, drawn))
        return {index: [one for _, one in sorted(row, key=lambda pair: pair[0])] for index, row in found.items()}

    def draw(self, picture: Picture) -> Drawn:
        """One picture, fine, whatever the budget."""
        return self._draw(picture, FINE)

    def columns(self, picture: Picture) -> tuple[dict[str, Column], list[str]]:
        """What a picture is drawn from, by channel, and what of it is missing."""
        columns = dict[str, Column]()
        notes = [f"capture {sha[:12]} is not in this journal" for sha in picture.captures if sha not in self._stored]
        for stored in self._own(picture):
            try:
                for name, column in self._columns(stored).items():
                    columns.setdefault(name, column)
            except (TraceError, OSError, ValueError) as error:
                notes.append(f"{stored.file} cannot be drawn: {self.wrong.get(stored.file, error)}")
        return columns, notes

    def waveform(self, sha: str) -> CaptureStored | None:
        """The capture of that digest when it is a waveform."""
        stored = self._stored.get(sha)
        return stored if stored and stored.kind == "waveform" else None

    def _draw(self, picture: Picture, width: int, part: int = 0) -> Drawn:
        own, (columns, notes) = self._own(picture), self.columns(picture)
        wanted = [trace.channel for panel in picture.panels for trace in panel.traces]
        missing = [name for name in dict.fromkeys(wanted) if name not in columns]
        if missing and not notes:
            notes.append(f"no capture of this picture has {', '.join(missing)}")
        log = self._bus(part)
        image = draw(picture, columns, width, log=log) if len(missing) < len(set(wanted)) else None
        return Drawn(picture, image, tuple(notes), own)

    def _bus(self, part: int) -> pa.Table | None:
        """The log of a part of the run. None where it cannot be read, which is said of the capture itself."""
        stored = self._logs.get(part)
        if stored is None or stored.file in self.wrong:
            return None
        if self._log[0] != stored.sha256:
            self._log = (stored.sha256, read_can_table(self._folder, stored))
        return self._log[1]

    def _left_out(self, picture: Picture) -> Drawn:
        note = "not drawn, to keep this file small; the capture holds it"
        return Drawn(picture, None, (note,), self._own(picture))

    def _own(self, picture: Picture) -> tuple[CaptureStored, ...]:
        return tuple(self._stored[sha] for sha in picture.captures if sha in self._stored)

    def _columns(self, stored: CaptureStored) -> dict[str, Column]:
        sha, read = self._last
        if sha != stored.sha256:
            if stored.kind == "can":
                raise ValueError("a CAN log has no traces")
            read = (read_waveform if stored.kind == "waveform" else read_series)(self._folder, stored)
            self._last = (stored.sha256, read)
        if isinstance(read, Waveform):
            t = read.t
            return {one.name: (t, row) for one, row in zip(read.channels, read.samples, strict=True)}
        assert isinstance(read, Table)
        return {one.name: (read.t, row) for one, row in zip(read.channels, read.values, strict=True)}


def parts(run: Run) -> dict[str, int]:
    """Digest of a capture -> the part of the run it was stored in."""
    found, part = dict[str, int](), 1
    for line in run.reading.lines:
        if isinstance(line.doc, Resumed):
            part = line.doc.part
        elif isinstance(line.doc, CaptureStored):
            found[line.doc.sha256] = part
    return found


def _by_need(run: Run) -> Iterator[tuple[Test, int, Picture]]:
    """Every picture, those of the worst tests first, else in the journal's order."""
    for test in sorted(run.everything, key=lambda one: -SEVERITY.index(one.outcome)):
        for place, picture in enumerate(test.pictures):
            yield test, place, picture
