"""Captures of a run: waveforms, time series and the CAN log, as Arrow files whose digests stand in the journal.

  captures/0003-transfer-at-90-deg.arrow    waveform: one float32 column a channel; start and rate in the schema
  captures/0004-session.arrow               series: t (s) and one float64 column a quantity, unit in each field
  captures/0005-can.arrows                  can: t, sender, id, data; an Arrow stream, batch after batch

Any Arrow reader opens them. The same values give the same bytes. A file is written beside its name, brought to the
disk, then renamed, and only then told to the journal: a digest in the journal is of a file that is there. The CAN log
grows under `.part` and is readable up to its last flushed batch if the run is cut off.
"""

from __future__ import annotations

import hashlib
import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rig.errors import BenchFault, TraceError, UseError
from rig.evidence.documents import CaptureKind, CaptureStored, Channel
from rig.evidence.journal import Journal, sync_folder, why

FOLDER = "captures"
PART = ".part"
BATCH = 4096
"""CAN frames a batch: about a minute of a session; project choice."""
_INSIDE = re.compile(rf"{FOLDER}/[A-Za-z0-9][A-Za-z0-9.-]*")
_OPTIONS = pa.ipc.IpcWriteOptions(compression=pa.Codec("zstd", compression_level=1), use_threads=False)
# Arrow's threads would each keep memory of their own for good, more than they save on columns as short as these.
_CAN = pa.schema([("t", pa.float64()), ("sender", pa.string()), ("id", pa.uint32()), ("data", pa.binary())])

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Waveform:
    """samples: shape (channels, n), C-order float32. start: s of the first sample. rate: S/s."""

    channels: tuple[Channel, ...]
    samples: npt.NDArray[np.float32]
    start: float
    rate: float

    @property
    def t(self) -> Floats:
        """s, of each sample."""
        return self.start + np.arange(self.samples.shape[1]) / self.rate


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A time series. t: s, shape (n,), never falling. values: float64, shape (channels, n)."""

    channels: tuple[Channel, ...]
    t: Floats
    values: Floats


Row = tuple[float, str, int, bytes]
"""Of the CAN log: t (s), sender, id, data."""


class Captures:
    """Writes the captures of one run and tells them to its journal. Numbers count up from 1. BenchFault when a file
    cannot be written: what was stored before it stands."""

    def __init__(self, journal: Journal) -> None:
        self._journal, self._number = journal, 0
        self._folder = journal.folder / FOLDER
        if journal.part > 1:  # of a run that is gone on with: its numbers go on too
            self._number = max((int(one.name[:4]) for one in self._folder.glob("[0-9]*-*")), default=0)
        try:
            self._folder.mkdir(exist_ok=journal.part > 1)
            sync_folder(journal.folder)
        except FileExistsError:
            raise UseError(
                f"{self._folder}: holds captures already; one run has one Captures, in a new folder"
            ) from None
        except OSError as error:
            raise UseError(f"{self._folder}: cannot be made ({why(error)}); name another folder") from None

    def waveform(
        self,
        name: str,
        channels: Sequence[str],
        samples: npt.NDArray[np.float32],
        *,
        start: float,
        rate: float,
        units: Sequence[str] = (),
        note: str = "",
    ) -> CaptureStored:
        """Store a record. samples: shape (channels, n). start: s of the first sample. rate: S/s. units: one a channel;
        none given, all are V."""
        if samples.ndim != 2 or samples.shape[0] != len(channels) or not channels:
            raise UseError(
                f"capture {name!r}: samples of shape {samples.shape} for {len(channels)} channels; give (channels, n)"
            )
        if len(set(channels)) < len(channels):
            raise UseError(f"capture {name!r}: two channels of {', '.join(channels)} have one name; name each its own")
        if not (math.isfinite(start) and 0.0 < rate < math.inf):
            raise UseError(f"capture {name!r}: start={start} s, rate={rate} S/s: finite, and the rate above 0")
        if units and len(units) != len(channels):
            raise UseError(f"capture {name!r}: {len(units)} units for {len(channels)} channels; give one a channel")
        pairs = zip(channels, units or ["V"] * len(channels), strict=True)
        known = tuple(Channel(name=one, unit=unit) for one, unit in pairs)
        fields = [pa.field(one.name, pa.float32(), metadata={"unit": one.unit}) for one in known]
        schema = pa.schema(fields, metadata={"start": repr(float(start)), "rate": repr(float(rate))})
        columns = [pa.array(np.ascontiguousarray(row, dtype=np.float32)) for row in samples]
        return self._store(name, "waveform", schema, columns, known, float(start), float(rate), note)

    def series(
        self,
        name: str,
        t: npt.ArrayLike,
        columns: Mapping[str, npt.ArrayLike],
        units: Mapping[str, str],
        note: str = "",
    ) -> CaptureStored:
        """Store quantities over time. t: s, never falling. A value that was not there is NaN."""
        try:
            times = np.asarray(t, dtype=np.float64)
            values = {key: np.asarray(column, dtype=np.float64) for key, column in columns.items()}
        except (TypeError, ValueError) as error:
            raise UseError(f"series {name!r}: {error}; give numbers") from None
        wrong = [key for key, column in values.items() if column.shape != times.shape or key == "t"]
        if times.ndim != 1 or wrong or not np.all(np.isfinite(times)) or np.any(np.diff(times) < 0):
            raise UseError(
                f"series {name!r}: {', '.join(wrong) or 't'}: give one value a time, t finite, never falling"
            )
        if strange := sorted(units.keys() - values.keys()):
            raise UseError(f"series {name!r}: {', '.join(strange)}: a unit for no column; mend its name")
        known = tuple(Channel(name=key, unit=units.get(key, "")) for key in values)
        fields = [pa.field(one.name, pa.float64(), metadata={"unit": one.unit}) for one in known]
        schema = pa.schema([pa.field("t", pa.float64(), metadata={"unit": "s"}), *fields])
        start = float(times[0]) if times.size else 0.0
        return self._store(
            name, "series", schema, [pa.array(c) for c in (times, *values.values())], known, start, 0.0, note
        )

    def can_log(self, name: str = "can", note: str = "") -> CanLog:
        """Open the log of a bus; close it to have it in the journal."""
        return CanLog(self._journal, self._path(name, ".arrows"), name, note)

    def _store(
        self,
        name: str,
        kind: CaptureKind,
        schema: pa.Schema,
        columns: list[pa.Array],
        channels: tuple[Channel, ...],
        start: float,
        rate: float,
        note: str,
    ) -> CaptureStored:
        path = self._path(name, ".arrow")
        part = path.with_name(path.name + PART)
        batch = pa.record_batch(columns, schema=schema)
        with _told(part), part.open("xb") as file:
            with pa.ipc.new_file(file, schema, options=_OPTIONS) as writer:
                writer.write_batch(batch)
            file.flush()
            os.fsync(file.fileno())
        return _stored(self._journal, path, name, kind, channels, start, rate, batch.num_rows, note)

    def _path(self, name: str, suffix: str) -> Path:
        self._number += 1
        return self._folder / f"{self._number:04d}-{_slug(name)}{suffix}"


class CanLog:
    """The log of one bus. `append` is called for every frame and only grows a list; a full batch goes to the file. What
    comes after `close` is not logged: a bus may live longer than its log."""

    def __init__(self, journal: Journal, path: Path, name: str, note: str) -> None:
        self._journal, self._path, self._name, self._note = journal, path, name, note
        self._part = path.with_name(path.name + PART)
        self._rows: list[Row] = []
        self._count, self._start = 0, 0.0
        self._stored: CaptureStored | None = None
        with _told(self._part):
            self._file = self._part.open("xb")
            self._writer = pa.ipc.new_stream(self._file, _CAN, options=_OPTIONS)

    def append(self, t: float, sender: str, id: int, data: bytes) -> None:
        """Log a frame. t: s."""
        rows = self._rows
        rows.append((t, sender, id, data))
        if len(rows) >= BATCH:
            self.flush()

    def hear(self, t: float, sender: str, frame: tuple[int, bytes]) -> None:
        """Log a frame (id, data): for `bus.watch`."""
        rows = self._rows
        rows.append((t, sender, frame[0], frame[1]))
        if len(rows) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Hand what was heard to the operating system. Idempotent."""
        rows, self._rows = self._rows, []
        if not rows or self._file.closed:
            return
        try:
            columns = [
                pa.array(column, type=one.type) for column, one in zip(zip(*rows, strict=True), _CAN, strict=True)
            ]
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, TypeError) as error:
            raise UseError(
                f"{self._part}: no CAN frame among the last {len(rows)} ({error}); mend who sends it"
            ) from None
        with _told(self._part):
            self._writer.write_batch(pa.record_batch(columns, schema=_CAN))
            self._file.flush()
        if self._count == 0:
            self._start = float(rows[0][0])
        self._count += len(rows)

    def close(self) -> CaptureStored:
        """End the log, bring it to the disk and tell the journal. Idempotent."""
        if self._stored is None:
            self.flush()
            with _told(self._part), self._file:
                self._writer.close()
                self._file.flush()
                os.fsync(self._file.fileno())
            channels = tuple(Channel(name=one.name, unit="s" if one.name == "t" else "") for one in _CAN)
            self._stored = _stored(
                self._journal, self._path, self._name, "can", channels, self._start, 0.0, self._count, self._note
            )
        return self._stored


def read_waveform(folder: Path, stored: CaptureStored) -> Waveform:
    """Read a waveform of a run. TraceError when the file is not what the journal says."""
    with pa.ipc.open_file(_verified(folder, stored, "waveform")) as reader:
        table = reader.read_all()
    samples = np.stack([column.to_numpy() for column in table.columns]).astype(np.float32, copy=False)
    return Waveform(
        stored.channels, samples, float(table.schema.metadata[b"start"]), float(table.schema.metadata[b"rate"])
    )


def read_series(folder: Path, stored: CaptureStored) -> Table:
    """Read a time series of a run. TraceError when the file is not what the journal says."""
    with pa.ipc.open_file(_verified(folder, stored, "series")) as reader:
        table = reader.read_all()
    t, *values = (column.to_numpy() for column in table.columns)
    return Table(stored.channels, t, np.stack(values) if values else np.empty((0, t.size)))


def read_can(folder: Path, stored: CaptureStored) -> Iterator[Row]:
    """Read the CAN log of a run. TraceError when the file is not what the journal says."""
    return _rows(pa.ipc.open_stream(_verified(folder, stored, "can")))


def read_can_table(folder: Path, stored: CaptureStored) -> pa.Table:
    """The same as one table: t (s, float64), sender, id, data."""
    return pa.ipc.open_stream(_verified(folder, stored, "can")).read_all().combine_chunks()


def read_can_part(path: Path) -> Iterator[Row]:
    """Read a CAN log whose run was cut off, up to its last whole batch."""
    with path.open("rb") as file:
        try:
            yield from _rows(pa.ipc.open_stream(file))
        except (pa.ArrowInvalid, OSError):
            return


def unfinished(folder: Path) -> list[Path]:
    """Captures a cut-off run was still writing."""
    return sorted((folder / FOLDER).glob(f"*{PART}"))


def check_capture(folder: Path, stored: CaptureStored) -> str:
    """Empty when the file is what the journal says; else what is wrong with it."""
    found = _bytes(folder, stored)
    return found if isinstance(found, str) else ""


def _bytes(folder: Path, stored: CaptureStored) -> bytes | str:
    """The file's bytes, or what is wrong with it."""
    if not _INSIDE.fullmatch(stored.file):
        return f"{stored.file}: is no file of the run's own {FOLDER}"
    path = folder / stored.file
    if not path.is_file():
        return f"{stored.file}: is missing"
    raw = path.read_bytes()
    sha = hashlib.sha256(raw).hexdigest()
    wrong = f"{stored.file}: its SHA-256 is {sha[:12]}, the journal says {stored.sha256[:12]}"
    return raw if sha == stored.sha256 else wrong


def _verified(folder: Path, stored: CaptureStored, kind: CaptureKind) -> pa.BufferReader:
    if stored.kind != kind:
        raise UseError(f"{folder / stored.file}: holds a {stored.kind}, not a {kind}; read it as that")
    found = _bytes(folder, stored)
    if isinstance(found, str):
        raise TraceError(f"{folder}: {found}; restore the file from its sealed copy")
    return pa.BufferReader(found)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """A file that cannot be written is the bench's fault, told in one line."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        words = why(error) if isinstance(error, OSError) else str(error)
        raise BenchFault(f"{path}: cannot be written ({words}); make room on the disk, start a new run") from None


def _rows(reader: pa.RecordBatchStreamReader) -> Iterator[Row]:
    for batch in reader:
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _stored(
    journal: Journal,
    path: Path,
    name: str,
    kind: CaptureKind,
    channels: tuple[Channel, ...],
    start: float,
    rate: float,
    rows: int,
    note: str,
) -> CaptureStored:
    """Rename a finished file into its place and tell the journal."""
    part = path.with_name(path.name + PART)
    with _told(part):
        sha = hashlib.sha256(part.read_bytes()).hexdigest()
        part.rename(path)
        sync_folder(path.parent)
    file = path.relative_to(journal.folder).as_posix()
    doc = CaptureStored(
        name=name, file=file, sha256=sha, kind=kind, channels=channels, start=start, rate=rate, rows=rows, note=note
    )
    try:
        journal.append(doc)
    except BenchFault:
        with suppress(OSError):  # a file the journal does not know would be taken for one that was slipped in
            path.rename(part)
        raise
    return doc


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:48] or "capture"
