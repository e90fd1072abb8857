"""A run that was cut off, looked at again before it is gone on with: is it whole, what of it stands, what is left.

Two things are changed on the disk. A last line that was never finished: its bytes are moved into a file beside, brought
to the disk there first, and the journal ends with its last whole line; every whole line stays as it is. And a capture
that had its name already but no line in the journal: it is named again as one that was still being written.

What stands: tests that have an outcome, whatever it is. A test that had begun is begun anew; what it left behind stays
on record and counts for nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rig.errors import BenchFault, TraceError, UseError
from rig.evidence.captures import FOLDER, PART
from rig.evidence.documents import (
    BenchDescribed,
    Document,
    Incident,
    NotRun,
    Required,
    Resumed,
    RunStart,
    RunStop,
    SafeStateReached,
    TestStart,
    TestStop,
)
from rig.evidence.journal import Reading, hold, journal_files, read_journal, sync_folder, why
from rig.evidence.safety_log import safety_logs
from rig.evidence.verify import SEAL, untold, verify_run

TORN = ".torn"


@dataclass(frozen=True, slots=True)
class CutOff:
    """A run that has not come to its end. part: number of the one to come. kept: ids of the tests whose outcome stands.
    torn: bytes set aside in the file `aside`. watched: the logs of its supervisors, of a bench that had one."""

    reading: Reading
    start: RunStart
    part: int
    kept: tuple[str, ...]
    torn: int = 0
    aside: str = ""
    watched: tuple[Reading, ...] = ()

    @property
    def left(self) -> str:
        """How the bench was left, in words; empty where nothing watched."""
        if not self.watched:
            return ""
        said = [doc for doc in self.watched[-1].documents if isinstance(doc, SafeStateReached | Incident)]
        if not said or not isinstance(last := said[-1], SafeStateReached):
            return "its supervisor did not come to say how it left the bench"
        why = next((doc.what for doc in reversed(said) if isinstance(doc, Incident)), "it ended in order")
        return f"its supervisor left the bench {'CONFIRMED' if last.confirmed else 'UNCONFIRMED'} safe ({why})"

    def resumed(self) -> Resumed:
        """The first document of the next part."""
        return Resumed(
            part=self.part,
            head=self.reading.head,
            lines=len(self.reading.lines),
            kept=self.kept,
            torn=self.torn,
            aside=self.aside,
        )

    def standing(self) -> tuple[Document, ...]:
        """The documents of the tests that stand, of their beginnings and ends too."""
        return standing(self.reading.documents, self.kept)

    def still_to_say(self, head: Sequence[Document]) -> tuple[Document, ...]:
        """Of the head of a run (RunStart, BenchDescribed, Required...) what this one was cut off before it could say:
        usually nothing. UseError where it began otherwise: only the same item on the same bench, asked for the same
        under the same catalogue, is the same run, and only its verdicts can stand beside those to come."""
        kinds = RunStart | BenchDescribed | Required
        before = [doc for doc in self.reading.documents if isinstance(doc, kinds)]
        for old, new in zip(before, head, strict=False):
            for key in old.__struct_fields__ if type(old) is type(new) else ():
                was, found = getattr(old, key), getattr(new, key)
                if was != found:
                    what = f"{type(old).__name__}.{key}"
                    raise UseError(
                        f"{self.reading.folder}: cannot go on as the same run: {what} was {_short(was, found)}, "
                        f"now it is {_short(found, was)}; restore that, or begin a new run"
                    )
        return tuple(head[len(before) :])


def reopen(folder: Path) -> CutOff:
    """Look at a run that was cut off, and set an unfinished last line aside. UseError when there is nothing to go on
    with, a run still writes there, or it is sealed; TraceError when its evidence is not whole."""
    if (folder / SEAL).exists():
        raise UseError(f"{folder / SEAL}: this run is sealed: it has ended")
    first = read_journal(folder)
    ends = [doc for doc in first.documents if isinstance(doc, RunStop | Resumed)]
    if ends and isinstance(ends[-1], RunStop) and ends[-1].status == "completed":
        raise UseError(f"{folder}: this run is complete; v2hrig report makes its report, v2hrig seal seals it")
    if not first.lines or not isinstance(start := first.lines[0].doc, RunStart) or not start.tests:
        raise UseError(f"{folder}: this run ended before its journal said which tests it was to run; begin a new one")
    if problems := verify_run(folder).problems:
        raise TraceError(f"{folder}: its evidence is not whole: {'; '.join(problems[:3])}; nothing can stand on it")
    parts = journal_files(folder)
    torn, aside = _set_aside(parts[-1])
    reading = read_journal(folder)
    _name_back(reading)
    return CutOff(reading, start, len(parts) + 1, kept(reading.documents), torn, aside, tuple(safety_logs(folder)))


def kept(documents: Iterable[Document]) -> tuple[str, ...]:
    """Ids of the tests that have an outcome, or were found not to run, each once."""
    stops = (
        doc.test if isinstance(doc, TestStop) else doc.id
        for doc in documents
        if isinstance(doc, TestStop) or (isinstance(doc, NotRun) and doc.subject == "test")
    )
    return tuple(dict.fromkeys(stops))


def standing(documents: Iterable[Document], ids: Iterable[str]) -> tuple[Document, ...]:
    """The documents of finished tests, from each TestStart to its TestStop, and of tests that were not run. What stands
    outside any test is of the part that wrote it."""
    known, found, inside = frozenset(ids), list[Document](), list[Document]()
    for doc in documents:
        match doc:
            case TestStart():
                inside = [doc]
            case TestStop():
                found += [*inside, doc] if doc.test in known else []
                inside = []
            case NotRun(subject="test"):
                found += [doc] if doc.id in known else []
            case Resumed():
                inside = []
            case _ if inside:
                inside.append(doc)
            case _:
                pass
    return tuple(found)


def _set_aside(path: Path) -> tuple[int, str]:
    """Move what follows the last line end into a file of its own; how many bytes, and that file's name."""
    try:
        file = os.open(path, os.O_RDWR)
    except OSError as error:
        raise UseError(f"{path}: cannot be gone on with ({why(error)}); give yourself the right to write it") from None
    try:
        if not hold(file):
            raise UseError(f"{path}: a run is still writing here; end it first")
        raw = path.read_bytes()
        rest = raw.rpartition(b"\n")[2]
        aside = path.with_name(path.name + TORN)
        if not rest:  # nothing, or done by one who then did not go on
            return (aside.stat().st_size, aside.name) if aside.is_file() else (0, "")
        aside.write_bytes(rest)
        with aside.open("rb") as copy:
            os.fsync(copy.fileno())
        sync_folder(path.parent)
        os.ftruncate(file, len(raw) - len(rest))
        os.fsync(file)
        return len(rest), aside.name
    except OSError as error:
        raise BenchFault(f"{path}: cannot be mended ({why(error)}); make room on the disk") from None
    finally:
        os.close(file)


def _name_back(reading: Reading) -> None:
    """The capture the journal was not told of any more is one that was being written."""
    captures = reading.folder / FOLDER
    there = [f"{FOLDER}/{one.name}" for one in captures.glob("*") if one.suffix != PART]
    if name := untold(reading, there):
        path = reading.folder / name
        try:
            path.rename(path.with_name(path.name + PART))
            sync_folder(captures)
        except OSError as error:
            raise BenchFault(f"{path}: cannot be renamed ({why(error)}); give yourself the right to it") from None


def _short(value: object, other: object) -> str:
    """A value in an error's line; of a list, the first entry that differs."""
    if isinstance(value, tuple) and isinstance(other, tuple):
        value = next((one for one in value if one not in other), f"{len(value)} entries")
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:117]}..."
