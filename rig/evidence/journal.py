"""The journal of a run: append-only lines, each chained to the one before. What happened stands here or nowhere.

A line is one JSON object with these keys in this order
  n     its number, from 0                       prev  `sha` of the line before; of line 0, 64 zeros
  t     s, bench time it was written             doc   a document of rig.evidence.documents, tagged by `type`
  sha   SHA-256, hex, of the line's own bytes before `,"sha"`
so that a changed byte anywhere breaks the chain at its line, and anybody can check it with sha256sum. Floats are
written as Python's repr, which reads back to the same bits; what is not finite as {"~float": "inf"} (a key of a
document that begins with "~" gets another one, so that no document can be taken for that). A half of a surrogate pair,
which no UTF-8 file can hold, is written as the text of its escape.

What survives: every line is handed to the operating system as it is appended, so the end of this process loses none;
`commit` has it on the disk. A verdict is committed before its append returns: nobody is shown what may still be lost.
A last line without its line end was being written when the power went: it is set aside and reported, never counted.
A write that fails (disk full) or is interrupted is taken back before the next one. After a failed sync nothing more is
written: the system may have dropped what it could not bring to the disk, and a second sync would not tell.

A run that was cut off may be gone on with. What it wrote stays as it is, in journal.jsonl; what follows stands in
journal-2.jsonl, its chain and its numbers going on where those ended, its first document a Resumed. Read, they are one.
While a run writes, it holds its file locked, so that nobody goes on with a run that still lives.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import math
import os
import re
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from rig.errors import BenchFault, TraceError, UseError
from rig.evidence.documents import COMMITTED, Document, Resumed

FILE = "journal.jsonl"
FIRST = "0" * 64
_NEXT = re.compile(r"journal-([2-9]|[1-9][0-9]+)\.jsonl")
_SEAL = re.compile(rb',"sha":"([0-9a-f]{64})"\}')
_NO_TEXT = (bytes, bytearray, datetime)
"""Types that shall not be turned into text on the quiet."""
_SEAL_LENGTH = len(b',"sha":""}') + 64


@dataclass(frozen=True, slots=True)
class Line:
    """A verified line. t: s, bench time it was written."""

    n: int
    t: float
    doc: Document
    sha: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A journal as read. lines: all before the first that differs. head: digest of the last of them.

    flaw: which line differs and how, empty when the chain is whole. torn: text of a last line that was never finished.
    """

    folder: Path
    lines: tuple[Line, ...]
    head: str
    flaw: str = ""
    torn: str = ""

    @property
    def documents(self) -> tuple[Document, ...]:
        """What the lines hold, in order."""
        return tuple(line.doc for line in self.lines)


@dataclass(frozen=True, slots=True)
class _Tip:
    """Where the next line goes: lines and bytes written, digest of the last line."""

    n: int = 0
    size: int = 0
    head: str = FIRST


class Journal:
    """Appends to journal.jsonl of a new run, or to the next part of one that was cut off. now: the bench's clock.
    after: what stands in that run's parts, whole (rig.evidence.reopen). file: another chain beside it, of this name.

    UseError when the folder has a journal already and `after` is None, or cannot be written. BenchFault when a line
    cannot be brought to the disk: the lines before it stand.
    """

    def __init__(
        self,
        folder: Path,
        now: Callable[[], float],
        sync: Callable[[int], None] = os.fsync,
        after: Reading | None = None,
        file: str = "",
    ) -> None:
        self.folder, self._now, self._sync = folder, now, sync
        # The disk has a lock of its own: a frame's finding must not wait, on the clock's thread, for a verdict's fsync.
        self._lock, self._disk = threading.RLock(), threading.RLock()
        self._tip = _Tip() if after is None else _Tip(len(after.lines), 0, after.head)
        self._unsure, self._over = False, ""
        self.part = 1 if after is None else len(journal_files(folder)) + 1
        self.path = folder / (file or part_name(self.part))
        if self.path.exists():
            raise UseError(f"{self.path}: holds a run already; give this one a new folder")
        try:
            _make_folder(folder)
            self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
            hold(self._file)
            sync_folder(folder)
        except OSError as error:
            raise UseError(f"{folder}: no run can be written here ({why(error)}); name another folder") from None

    @property
    def head(self) -> str:
        """Digest of the last line."""
        return self._tip.head

    @property
    def count(self) -> int:
        """Lines written."""
        return self._tip.n

    def append(self, doc: Document, at: float | None = None) -> int:
        """Write a document; its number. at: s, the moment it tells of, now if None. UseError for a malformed one."""
        fact = _checked(doc)
        with self._lock:
            self._refuse_when_over()
            t = float(self._now() if at is None else at)
            if not math.isfinite(t):
                raise UseError(f"{type(doc).__name__} for the journal: at={t} s must be finite; mend the value")
            tip = self._tip
            line, sha = _sealed(tip.n, t, tip.head, fact)
            self._write(line, tip.size)
            self._tip = _Tip(tip.n + 1, tip.size + len(line), sha)
            self._unsure = False
        if isinstance(doc, COMMITTED):
            self.commit()
        return tip.n

    def commit(self) -> None:
        """Return when every line is on the disk that was written before. Others may write meanwhile."""
        with self._disk:
            with self._lock:
                self._refuse_when_over()
                file, lines = self._file, self._tip.n
            try:
                self._sync(file)
            except OSError as error:
                with self._lock:
                    self._over = f"the disk failed ({why(error)}), nothing after line {lines} can be trusted to it"
                    self._refuse_when_over()

    def close(self) -> None:
        """Commit and end. Idempotent."""
        with self._disk, self._lock:
            file, self._file = self._file, -1
            if file < 0:
                return
            try:
                if self._unsure:
                    os.ftruncate(file, self._tip.size)
                if not self._over:
                    self._sync(file)
            except OSError as error:
                raise BenchFault(f"{self.path}: its end may be lost ({why(error)}); check it") from None
            finally:
                self._over = self._over or "it is closed, the run has ended"
                os.close(file)

    def _write(self, line: bytes, size: int) -> None:
        """Append at size (bytes). Until the tip has moved on, what was written may be half a line: see _take_back."""
        try:
            self._take_back(size)
            self._unsure = True
            _write_all(self._file, line)
        except OSError as error:
            with suppress(OSError):
                self._take_back(size)
            words = f"the line cannot be written ({why(error)}), the {self._tip.n} before it stand"
            raise BenchFault(f"{self.path}: {words}; make room on the disk") from None

    def _take_back(self, size: int) -> None:
        """Cut off what a write left behind that failed or was interrupted."""
        if self._unsure:
            os.ftruncate(self._file, size)
            self._unsure = False

    def _refuse_when_over(self) -> None:
        if self._over:
            raise BenchFault(f"{self.path}: {self._over}; start a new run in a new folder")


def part_name(part: int) -> str:
    """File of a part of a run, from 1."""
    return FILE if part == 1 else f"journal-{part}.jsonl"


def journal_files(folder: Path) -> list[Path]:
    """The parts of a run that are there, in order."""
    numbers = sorted(int(found[1]) for one in folder.iterdir() if (found := _NEXT.fullmatch(one.name)))
    return [folder / part_name(part) for part in (1, *numbers)]


def hold(file: int) -> bool:
    """Lock an open journal for as long as it is open; False when another process has it. Where the file system knows
    no locks it is not held, and True."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def scan_journal(folder: Path) -> Reading:
    """Read a journal, all its parts, and verify its chain. A flaw or a torn end is told in the result. TraceError
    without a journal."""
    if not (folder / FILE).is_file():
        raise TraceError(f"{folder / FILE}: no journal here; name the folder of a run")
    lines, head = list[Line](), FIRST
    files = journal_files(folder)
    for part, path in enumerate(files, 1):
        if path.name != part_name(part):
            flaw = f"line 1 of {part_name(part)}: the file is missing, {path.name} is there"
            return Reading(folder, tuple(lines), head, flaw=flaw)
        *whole, rest = path.read_bytes().split(b"\n")
        for number, raw in enumerate(whole, 1):
            read = _unsealed(len(lines), raw, head)
            if number == 1 and isinstance(read, Line) and not _goes_on(read.doc, part, len(lines), head):
                read = f"does not say that it goes on as part {part}"
            if isinstance(read, str):
                return Reading(folder, tuple(lines), head, flaw=f"line {number} of {path.name}: {read}")
            lines.append(read)
            head = read.sha
        if rest and (path != files[-1] or not _begun(len(lines), rest)):
            flaw = f"line {len(whole) + 1} of {path.name}: is no unfinished line"
            return Reading(folder, tuple(lines), head, flaw=flaw)
    return Reading(folder, tuple(lines), head, torn=rest.decode("utf-8", "replace"))


def scan_file(path: Path) -> Reading:
    """Read a chain that stands in one file, as far as it is whole."""
    lines, head = list[Line](), FIRST
    *whole, rest = path.read_bytes().split(b"\n")
    for number, raw in enumerate(whole, 1):
        read = _unsealed(len(lines), raw, head)
        if isinstance(read, str):
            return Reading(path.parent, tuple(lines), head, flaw=f"line {number} of {path.name}: {read}")
        lines.append(read)
        head = read.sha
    if rest and not _begun(len(lines), rest):
        return Reading(
            path.parent, tuple(lines), head, flaw=f"line {len(whole) + 1} of {path.name}: is no unfinished line"
        )
    return Reading(path.parent, tuple(lines), head, torn=rest.decode("utf-8", "replace"))


def _goes_on(doc: Document, part: int, lines: int, head: str) -> bool:
    """Whether the first document of a part is the one it must be."""
    names = isinstance(doc, Resumed) and (doc.part, doc.lines, doc.head) == (part, lines, head)
    return part == 1 or names


def read_journal(folder: Path) -> Reading:
    """Read a journal whose chain must be whole. TraceError names the first line that differs; a torn end is told."""
    reading = scan_journal(folder)
    if reading.flaw:
        raise TraceError(f"{folder / FILE}: {reading.flaw}; restore the file from its sealed copy")
    return reading


def why(error: OSError) -> str:
    """The system's own words."""
    return error.strerror or str(error)


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it, each of them on the disk when this returns."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for one in reversed(missing):
        sync_folder(one.parent)


def sync_folder(folder: Path) -> None:
    """Return when the folder's own entries (a new or renamed file) are on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _checked(doc: Document) -> Any:
    """A document as plain values, numpy's scalars made Python's, refused here if it could not be read back."""
    try:
        plain = msgspec.to_builtins(doc, enc_hook=_scalar, builtin_types=_NO_TEXT)
        return msgspec.to_builtins(msgspec.convert(plain, Document))
    except (msgspec.ValidationError, NotImplementedError) as error:
        raise UseError(f"{type(doc).__name__} for the journal: {error}; mend the value") from None


def _scalar(value: object) -> object:
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        return value.item()
    raise NotImplementedError(f"a {type(value).__name__} cannot stand in a document")


def _begun(number: int, raw: bytes) -> bool:
    """Whether bytes without a line end can be the beginning of line `number`: a changed line end is no torn line."""
    start = f'{{"n":{number},"t":'.encode()
    if _SEAL.search(raw):
        return _SEAL.fullmatch(raw[-_SEAL_LENGTH:]) is not None and raw.startswith(start)
    return raw.startswith(start) or start.startswith(raw)


def _sealed(n: int, t: float, prev: str, fact: Any) -> tuple[bytes, str]:
    line = {"n": n, "t": t, "prev": prev, "doc": _finite(fact)}
    body = json.dumps(line, ensure_ascii=False, allow_nan=False, separators=(",", ":"))[:-1].encode()
    sha = hashlib.sha256(body).hexdigest()
    return body + f',"sha":"{sha}"}}\n'.encode(), sha


def _unsealed(number: int, raw: bytes, prev: str) -> Line | str:
    """The line, or what is wrong with it."""
    body, seal = raw[:-_SEAL_LENGTH], _SEAL.fullmatch(raw[-_SEAL_LENGTH:])
    if seal is None:
        return "does not end with its digest"
    sha = seal[1].decode()
    if hashlib.sha256(body).hexdigest() != sha:
        return "its bytes do not match its digest"
    try:
        frame = _Frame(**json.loads(body + b"}", object_hook=_infinite))
        doc = msgspec.convert(frame.doc, Document)
    except (ValueError, TypeError, msgspec.ValidationError) as error:
        return f"is no document of this version: {error}"
    if frame.n != number or frame.prev != prev:
        return f"says it is number {frame.n} after {frame.prev[:8]}, it stands as {number} after {prev[:8]}"
    return Line(frame.n, frame.t, doc, sha)


@dataclass(frozen=True, slots=True)
class _Frame:
    n: int
    t: float
    prev: str
    doc: object = field(repr=False)


def _finite(value: Any) -> Any:
    """JSON has no inf and no nan, UTF-8 no half of a surrogate pair."""
    if isinstance(value, float):
        return value if math.isfinite(value) else {"~float": repr(value)}
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {("~" if key.startswith("~") else "") + _finite(key): _finite(one) for key, one in value.items()}
    return [_finite(one) for one in value] if isinstance(value, list | tuple) else value


def _infinite(pairs: dict[str, Any]) -> Any:
    if pairs.keys() == {"~float"}:
        return float(pairs["~float"])
    return {key[1:] if key.startswith("~") else key: one for key, one in pairs.items()}


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]
