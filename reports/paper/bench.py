"""Sections 3 and 4: bench and calibration, conditions, the decision rule, and what the keys of sources stand for."""

from __future__ import annotations

from reports import numbers
from reports.paper.sources import NOT_STATED, Issue, Section, Sources
from reports.run import Run
from rig.evidence.documents import Calibration


def bench(run: Run) -> Section:
    if run.bench is None:
        return {"facts": [["Bench", "not described in this journal"]], "parts": [], "absent": ""}
    bench = run.bench
    clock = {"virtual": "virtual: bench seconds are simulated", "real": "real time"}[bench.clock]
    return {
        "facts": [
            ["Bench", run.start.bench if run.start else NOT_STATED],
            ["Kind", bench.kind],
            ["Clock", clock],
            ["Bench file, SHA-256", bench.digest or NOT_STATED],
        ],
        "parts": [
            {
                "name": part.name,
                "who": " ".join(filter(None, (part.identity.maker, part.identity.model))) or NOT_STATED,
                "serial": ", ".join(filter(None, (part.identity.serial, part.identity.firmware))) or NOT_STATED,
                "driver": part.driver,
                "nature": "emulated" if part.emulated else "hardware",
                "met": "" if part.emulated or part.met_hardware else "driver's first use on hardware",
                "calibration": _calibration(part.emulated, part.calibration),
                "accuracy": part.accuracy or "–",
            }
            for part in bench.parts
        ],
        "absent": ", ".join(bench.absent),
    }


def _calibration(emulated: bool, paper: Calibration) -> str:
    corrected = f"corrected: {'; '.join(paper.corrections)}" if paper.corrections else ""
    if emulated and not corrected:
        return "model: none"
    until = f"until {paper.until}" if paper.until else ""
    return ", ".join(filter(None, (until, paper.certificate, corrected))) or NOT_STATED


def conditions(sources: Sources, issue: Issue) -> Section:
    run = sources.run
    simulated = "simulated by the model; " if run.kind == "emulated" else ""
    rows = [["Environment", f"{simulated}room: {issue.laboratory.environment or NOT_STATED}"]]
    rows.append(["Time on the bench", numbers.span(run.seconds)])
    stated = {one.doc.conditions for one in run.in_scope if one.doc.conditions}
    rows.append(["Test conditions", "stated with each requirement in section 6 and each step in the journal"] if stated
                else ["Test conditions", "as each method states; the steps taken are in the journal"])  # fmt: skip
    return rows


def decision(run: Run) -> Section:
    judged = [one for asked in run.requirements.values() for _, one in asked.judged]
    claims: dict[str, list[str]] = {}
    for one in judged:
        claims.setdefault(one.claim, []).append(one.requirement)
    return {
        "rules": sorted({one.rule for one in judged}) or ["no value was judged in this run"],
        "factors": ", ".join(dict.fromkeys(f"k = {one.k:g}" for one in sorted(judged, key=lambda one: one.k))),
        "claims": [(claim, ", ".join(dict.fromkeys(ids))) for claim, ids in sorted(claims.items())],
    }


def references(run: Run) -> Section:
    """Keys in brackets of the sources of what is in scope, and what they stand for."""
    named = {key: words for asked in run.in_scope for key, words in asked.doc.references.items()}
    return [(f"[{key}]", named[key]) for key in sorted(named)]
