"""A run's folder in the formats asked for: what to write, and where. Knows the writers and no command line.

csv, parquet   runs, measurements, tests, requirements; each waveform and series in captures/
xlsx           the same tables in one workbook
tdms           waveforms and series, in captures/
blf, mf4       CAN logs, in captures/
needs          requirements with results, as sphinx-needs and StrictDoc import them
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from reports.export.captures import BUSES, WAVES, write_can
from reports.export.needs import write_needs
from reports.export.tables import write_csv, write_parquet, write_xlsx
from reports.history.rows import Indexed, read_run
from reports.place import refuse_link, told
from rig.errors import TraceError, UseError
from rig.evidence.captures import FOLDER
from rig.evidence.documents import CaptureStored, Document
from rig.evidence.journal import scan_journal
from rig.evidence.verify import SEAL

TABLES: dict[str, Callable[[Indexed, Path], list[Path]]] = {
    "csv": write_csv,
    "parquet": write_parquet,
    "xlsx": write_xlsx,
}
FORMATS = tuple(dict.fromkeys((*TABLES, *WAVES, *BUSES, "needs")))
USUAL = "export"
"""Folder in the run's own, where none is named."""


def export_formats(text: str) -> tuple[str, ...]:
    """The names of a list with commas, each once. UseError for one that is none."""
    names = tuple(dict.fromkeys(one.strip() for one in text.split(",") if one.strip()))
    if wrong := [one for one in names if one not in FORMATS] or ([] if names else [text]):
        raise UseError(f"--to {wrong[0]}: no such format; there are {', '.join(FORMATS)}")
    return names


def export(folder: Path, names: Sequence[str], out: Path | None = None) -> tuple[list[Path], list[str]]:
    """Write; the paths, and what was left out and why. UseError for a sealed folder with no other place named, or for a
    package that is not there; TraceError without a journal."""
    if out is None and (folder / SEAL).exists():
        raise UseError(f"{folder}: is sealed, and a file written into it would break the seal; name a place with --out")
    out = refuse_link(folder / USUAL) if out is None else out
    indexed, captures = read_run(folder), [one.doc for one in scan_journal(folder).lines]
    with told(out):
        out.mkdir(parents=True, exist_ok=True)
        return _written(folder, names, out, indexed, captures)


def _written(
    folder: Path, names: Sequence[str], out: Path, indexed: Indexed, captures: Sequence[Document]
) -> tuple[list[Path], list[str]]:
    paths, left = list[Path](), list[str]()
    for name in names:
        if name in TABLES:
            paths += TABLES[name](indexed, out)
        if name == "needs":
            paths.append(write_needs(folder, out))
        for doc in captures:
            if isinstance(doc, CaptureStored) and _fits(name, doc):
                (out / FOLDER).mkdir(exist_ok=True)
                try:
                    paths.append(_capture(folder, doc, out / FOLDER, name))
                except TraceError as error:
                    left.append(str(error))
    return paths, list(dict.fromkeys(left))


def _fits(name: str, doc: CaptureStored) -> bool:
    return name in (BUSES if doc.kind == "can" else WAVES)


def _capture(folder: Path, doc: CaptureStored, out: Path, name: str) -> Path:
    return write_can(folder, doc, out, BUSES[name]) if doc.kind == "can" else WAVES[name](folder, doc, out)
