"""The evidence of a farm: a folder a unit, taken in once, whole, or not at all.

A unit's evidence comes as one archive with its digest. It is unpacked beside its place, checked as any run is (chain of
the journal, digests of the captures, seal), and only then renamed into place: so a farm that is stopped anywhere can be
gone on with, a unit that has its folder is not run again, and one that arrives twice is counted once.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tarfile
from pathlib import Path

import msgspec

from rig.errors import TraceError
from rig.evidence.verify import verify_run
from rig.qualify.units import Result, Unit

UNIT, RESULT, RUN, PLANTED = "unit.json", "result.json", "run", "run-bench.toml"


class Delivered(msgspec.Struct, frozen=True, kw_only=True):
    """What comes back of a unit. archive: tar, gzip, of its folder; digest: SHA-256 of that."""

    unit: str
    result: Result
    archive: bytes
    digest: str


def pack(unit: Unit, result: Result, folder: Path) -> Delivered:
    """A unit's folder as one archive, its own description and result beside the evidence."""
    (folder / UNIT).write_bytes(msgspec.json.format(msgspec.json.encode(unit), indent=2))
    (folder / RESULT).write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=1))
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=6) as tar:
        for path in sorted(folder.rglob("*")):
            tar.add(path, str(path.relative_to(folder)), recursive=False)
    body = buffer.getvalue()
    return Delivered(unit=unit.id, result=result, archive=body, digest=hashlib.sha256(body).hexdigest())


class Ledger:
    """A farm's folder. taken: units whose evidence is there; twice: that came again and were not counted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for half in folder.glob("*.part"):
            shutil.rmtree(half)
        self.taken: dict[str, Result] = {one.parent.name: _result(one) for one in folder.glob(f"*/{RESULT}")}
        self.twice = 0

    def take(self, delivered: Delivered) -> bool:
        """Take a unit's evidence in; False when it is there already. TraceError when it is not whole."""
        if delivered.unit in self.taken:
            self.twice += 1
            return False
        if hashlib.sha256(delivered.archive).hexdigest() != delivered.digest:
            raise TraceError(f"unit {delivered.unit}: its archive is not what was sent; run it again")
        part, place = self.folder / f"{delivered.unit}.part", self.folder / delivered.unit
        shutil.rmtree(part, ignore_errors=True)
        with tarfile.open(fileobj=io.BytesIO(delivered.archive), mode="r:gz") as tar:
            tar.extractall(part, filter="data")
        if (part / RUN).is_dir() and (problems := verify_run(part / RUN).problems):
            raise TraceError(f"unit {delivered.unit}: {problems[0]}; its evidence stands in {part}")
        os.sync()
        part.rename(place)
        self.taken[delivered.unit] = delivered.result
        return True


def _result(path: Path) -> Result:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Result)
    except msgspec.MsgspecError as error:
        raise TraceError(f"{path}: {error}; move that folder away, and its unit is run again") from None
