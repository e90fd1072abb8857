"""Sealing a finished run: one signed statement of every file, so that its evidence can be given away and still trusted.

The statement is an in-toto Statement v1 with the test-result predicate v0.1 (in-toto/attestation, spec/v1/statement.md
and spec/predicates/test-result.md), in a DSSE envelope, in seal.dsse.json. Its subjects are the run's files with their
digests; what the predicate has no field for stands in its extension field `v2hrig`: the verdict in the rig's own words,
end of the journal's chain, item, bench file, catalogue, software, instruments and their calibration.

in-toto knows PASSED, WARNED and FAILED, and lets a policy accept a warning. Only PASS becomes PASSED and only what is
too near to a limit a warning; what could not be judged is no pass, so it is FAILED there, and whose fault that was
stands in the extension.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rig.clock import Stopwatch
from rig.errors import BenchFault, TraceError, UseError
from rig.evidence.documents import BenchDescribed, Part, RunStart, RunStop, TestStop
from rig.evidence.envelope import close_envelope
from rig.evidence.journal import Reading, read_journal, sync_folder, why
from rig.evidence.manifest import listing
from rig.evidence.run_info import RunInfo, read_run_info
from rig.evidence.verify import SEAL, verify_run

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://in-toto.io/attestation/test-result/v0.1"
RESULT: Mapping[str, str] = {"PASS": "PASSED", "INCONCLUSIVE": "WARNED"}
"""Verdict -> the predicate's word; every other is FAILED."""


def seal_run(folder: Path, key: Ed25519PrivateKey, verdict: str) -> Path:
    """Seal a finished run; the seal's path. verdict: of the whole run, a word of the rig.

    UseError when the run has not ended, is sealed already, or holds what cannot be sealed; TraceError when its evidence
    is not whole: a seal vouches for what it covers.
    """
    path, part = folder / SEAL, folder / f"{SEAL}.part"
    part.unlink(missing_ok=True)
    if path.exists() or path.is_symlink():
        raise UseError(f"{path}: this run is sealed; verify it with v2hrig verify")
    reading = read_journal(folder)
    if not reading.lines or not isinstance(reading.lines[-1].doc, RunStop) or reading.torn:
        raise UseError(f"{folder}: this run has not ended; finish it with v2hrig resume, then seal it")
    if problems := verify_run(folder).problems:
        raise TraceError(f"{folder}: cannot be sealed: {'; '.join(problems[:3])}; mend that first")
    statement = _statement(reading, listing(folder).files, verdict, read_run_info(folder))
    body = json.dumps(statement, ensure_ascii=True, separators=(",", ":")).encode()
    try:
        with part.open("xb") as file:
            file.write(close_envelope(body, key))
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
        sync_folder(folder)
    except OSError as error:
        raise BenchFault(f"{path}: cannot be written ({why(error)}); make room on the disk") from None
    return path


def _statement(reading: Reading, files: Mapping[str, str], verdict: str, info: RunInfo | None) -> dict[str, object]:
    """The statement as plain values."""
    start = next(doc for doc in reading.documents if isinstance(doc, RunStart))
    bench = next((doc for doc in reading.documents if isinstance(doc, BenchDescribed)), None)
    catalogue = {"name": "requirements", "digest": {"sha256": start.catalogue}}
    bench_file = [{"name": "bench", "digest": {"sha256": bench.digest}}] if bench and bench.digest else []
    return {
        "_type": STATEMENT,
        "subject": [{"name": name, "digest": {"sha256": sha}} for name, sha in sorted(files.items())],
        "predicateType": PREDICATE,
        "predicate": {
            "result": RESULT.get(verdict, "FAILED"),
            "configuration": [catalogue, *bench_file],
            **_tests(reading),
            "v2hrig": {
                "verdict": verdict,
                "sealed": Stopwatch().begun.isoformat(timespec="seconds"),
                "journal": {"head": reading.head, "lines": len(reading.lines)},
                "item": msgspec.to_builtins(start.item),
                "profile": start.profile,
                "catalogue": start.catalogue,
                "seed": start.seed,
                "bench": _bench(start, bench),
                "instruments": [_instrument(part) for part in bench.parts] if bench else [],
                "software": _software(start, info),
            },
        },
    }


def _tests(reading: Reading) -> dict[str, list[str]]:
    """Ids of the tests by the predicate's words. Those that were not run are in none of them."""
    lists: dict[str, list[str]] = {"PASSED": [], "WARNED": [], "FAILED": []}
    for doc in reading.documents:
        if isinstance(doc, TestStop) and doc.outcome != "NOT RUN":
            lists[RESULT.get(doc.outcome, "FAILED")].append(doc.test)
    return {f"{word.lower()}Tests": ids for word, ids in lists.items()}


def _bench(start: RunStart, bench: BenchDescribed | None) -> dict[str, str]:
    kind, digest = (bench.kind, bench.digest) if bench else ("unknown", "")
    return {"name": start.bench, "kind": kind, "file": digest}


def _instrument(part: Part) -> dict[str, object]:
    """One place of the bench: who stood there, and how well it was calibrated."""
    return {
        "name": part.name,
        "driver": part.driver,
        "resource": part.resource,
        "emulated": part.emulated,
        "identity": msgspec.to_builtins(part.identity),
        "calibration": msgspec.to_builtins(part.calibration),
    }


def _software(start: RunStart, info: RunInfo | None) -> dict[str, object]:
    if info is None:
        return {"rig": start.rig}
    return {
        "rig": start.rig,
        "commit": info.commit,
        "python": info.python,
        "system": info.system,
        "packages": info.packages,
    }
