"""Requirements and their results as needs.json of sphinx-needs, which StrictDoc's and Sphinx' users import.

Format: sphinx-needs, "needs.json" (versions -> needs; an importer reads id, type, title, description, status, tags and
the links of a need). A requirement is a `req`, a judged quantity of it a `result` that links to it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from reports import numbers
from reports.gather import gather
from reports.run import Run
from rig.evidence.documents import Judged
from rig.evidence.journal import scan_journal

NAME = "needs.json"


def write_needs(folder: Path, out: Path) -> Path:
    """Write needs.json of a run's folder."""
    run = gather(scan_journal(folder))
    needs = {one["id"]: one for one in _needs(run)}
    version = run.start.rig if run.start and run.start.rig else "0"
    told = {
        "project": "v2hrig",
        "current_version": version,
        "versions": {version: {"needs_amount": len(needs), "needs": needs}},
    }
    path = out / NAME
    path.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", "utf-8", errors="backslashreplace")
    return path


def _needs(run: Run) -> list[dict[str, Any]]:
    found = list[dict[str, Any]]()
    for asked in run.requirements.values():
        doc = asked.doc
        results = [_result(doc.id, k, value.n, value.doc.value, one) for k, (value, one) in enumerate(asked.judged, 1)]
        found.append(
            {
                "id": doc.id.replace("-", "_"),
                "type": "req",
                "title": doc.title,
                "description": f"{doc.stated}\n\nSource: {doc.source}",
                "status": asked.verdict if asked.in_scope else "not in the scope of this run",
                "tags": [run.kind],
                "links": [],
                "reasons": "; ".join(asked.reasons),
            }
        )
        found += results
    return found


def _result(requirement: str, number: int, n: int, value: float, one: Judged) -> dict[str, Any]:
    id = requirement.replace("-", "_")
    limit = numbers.bounds(one.limit.min, one.limit.max, one.limit.unit)
    return {
        "id": f"{id}_R{number}",
        "type": "result",
        "title": f"{one.quantity} {numbers.with_u(value, one.expanded, one.limit.unit)}, limit {limit}",
        "description": f"{one.reason}\n\nDecision rule: {one.rule}. Journal line {n}.",
        "status": one.verdict,
        "tags": [],
        "links": [id],
    }
