"""The captures of a run in other people's formats. A capture whose digest is not the journal's is not exported: what
leaves the evidence under its name must be of it. Times are bench seconds."""

from __future__ import annotations

import csv
import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from reports.export.tables import inert
from rig.can.frame import Frame
from rig.errors import UseError
from rig.evidence.captures import read_can, read_series, read_waveform
from rig.evidence.documents import CaptureStored
from rig.trace.writer import write_trace

Floats = npt.NDArray[np.float64] | npt.NDArray[np.float32]
ROWS = 65_536
"""Rows of a CSV brought to text at once."""


def write_capture_csv(folder: Path, stored: CaptureStored, out: Path) -> Path:
    """t and a column a channel, its unit in the head."""
    t, samples = _read(folder, stored)
    path = _path(stored, out, ".csv")
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        names = [f"{one.name} ({one.unit})" if one.unit else one.name for one in stored.channels]
        writer.writerow(["t (s)", *map(inert, names)])
        for k in range(0, t.size, ROWS):
            writer.writerows(
                zip(t[k : k + ROWS].tolist(), *(one[k : k + ROWS].tolist() for one in samples), strict=True)
            )
    return path


def write_capture_parquet(folder: Path, stored: CaptureStored, out: Path) -> Path:
    """t and a column a channel; unit, start and rate in the schema."""
    t, samples = _read(folder, stored)
    names = [pa.field("t", pa.float64(), metadata={"unit": "s"})]
    names += [
        pa.field(one.name, pa.from_numpy_dtype(row.dtype), metadata={"unit": one.unit})
        for one, row in zip(stored.channels, samples, strict=True)
    ]
    about = {"start": repr(stored.start), "rate": repr(stored.rate), "sha256": stored.sha256, "note": stored.note}
    path = _path(stored, out, ".parquet")
    table = pa.table([pa.array(one) for one in (t, *samples)], schema=pa.schema(names, metadata=about))
    pq.write_table(table, path, compression="zstd")
    return path


def write_capture_tdms(folder: Path, stored: CaptureStored, out: Path) -> Path:
    """As LabVIEW has a waveform: wf_start_offset, wf_increment and unit_string of each channel; a series has its times
    in a channel of their own. UseError without npTDMS."""
    try:
        nptdms: Any = importlib.import_module("nptdms")
    except ImportError:
        raise UseError("--to tdms: needs npTDMS; pip install 'v2hrig[export]'") from None
    t, samples = _read(folder, stored)
    group = stored.name.replace("/", "-")
    about = {"name": stored.name, "sha256": stored.sha256, "note": stored.note}
    parts = [nptdms.RootObject(properties=about), nptdms.GroupObject(group)]
    if not stored.rate:
        parts.append(nptdms.ChannelObject(group, "t", t, properties={"unit_string": "s"}))
    for one, row in zip(stored.channels, samples, strict=True):
        facts: dict[str, Any] = {"unit_string": one.unit}
        if stored.rate:
            facts |= {"wf_start_offset": stored.start, "wf_increment": 1.0 / stored.rate, "wf_samples": row.size}
        parts.append(nptdms.ChannelObject(group, one.name, row, properties=facts))
    path = _path(stored, out, ".tdms")
    with nptdms.TdmsWriter(str(path)) as writer:
        writer.write_segment(parts)
    return path


def write_can(folder: Path, stored: CaptureStored, out: Path, suffix: str) -> Path:
    """The log of a bus. suffix: ".blf" or ".mf4". TraceError for MF4 without asammdf."""
    path = _path(stored, out, suffix)
    write_trace(path, _frames(folder, stored))
    return path


def _frames(folder: Path, stored: CaptureStored) -> Iterator[tuple[float, Frame]]:
    for t, _, id, data in read_can(folder, stored):
        yield t, Frame(id, data)


def _read(folder: Path, stored: CaptureStored) -> tuple[npt.NDArray[np.float64], list[Floats]]:
    if stored.kind == "waveform":
        wave = read_waveform(folder, stored)
        return wave.t, list(wave.samples)
    table = read_series(folder, stored)
    return table.t, list(table.values)


def _path(stored: CaptureStored, out: Path, suffix: str) -> Path:
    return out / (Path(stored.file).stem + suffix)


WAVES: dict[str, Callable[[Path, CaptureStored, Path], Path]] = {
    "csv": write_capture_csv,
    "parquet": write_capture_parquet,
    "tdms": write_capture_tdms,
}
"""Name of a format -> how a waveform or a series is written in it."""
BUSES = {"blf": ".blf", "mf4": ".mf4"}
"""Name of a format of CAN logs -> its suffix."""
