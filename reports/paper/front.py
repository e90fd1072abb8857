"""Page 1 and section 2: who and what, what needs attention, the item and its identity card."""

from __future__ import annotations

from collections.abc import Iterator

from reports import numbers, summary
from reports.card import shown
from reports.paper.sources import NOT_STATED, Issue, Section, Sources, bounds
from reports.run import Asked, Run
from reports.verdicts import rule_verdict
from rig.evidence.run_info import RunInfo


def front(sources: Sources, issue: Issue) -> Section:
    lab, run, info = issue.laboratory, sources.run, sources.told
    item = run.start.item if run.start else None
    return [
        ["Customer", lab.customer or NOT_STATED],
        ["Item", " · ".join(filter(None, (item.name, item.maker, item.model))) if item else NOT_STATED],
        ["Serial number", (item.serial if item else "") or NOT_STATED],
        ["Place of the tests", lab.place or NOT_STATED],
        ["Date of the tests", _days(info)],
        [
            "Item received",
            lab.received or (NOT_STATED if run.kind == "hardware" else f"{NOT_STATED} (bench with models)"),
        ],
        ["Date of issue", lab.issued or ("not issued: this is a draft" if not issue.final else NOT_STATED)],
        ["Authorised by", lab.authorised_by or NOT_STATED],
    ]


def _days(info: RunInfo | None) -> str:
    if info is None:
        return "not known: run.json cannot be read"
    begun, ended = info.begun[:10], info.ended[:10]
    if not ended:
        return f"{begun}, end not recorded"
    return begun if begun == ended else f"{begun} to {ended}"


def attention(run: Run) -> Iterator[Section]:
    for one in run.rules.values():
        if (word := rule_verdict(one)) in ("FAIL", "INVALID"):
            yield {"verdict": word, "id": one.doc.rule, "text": one.doc.message or one.doc.title}
    for asked in summary.attention(run):
        reasons = [*_short(asked), *asked.reasons]
        yield {"verdict": asked.verdict, "id": asked.doc.id, "text": f"{asked.doc.title}: {'; '.join(reasons[:2])}"}


def _short(asked: Asked) -> list[str]:
    """The worst value of a requirement that is no PASS, in words."""
    found = next((one for one in summary.decisive(asked) if one.judged.verdict != "PASS"), None)
    if found is None:
        return []
    told = numbers.with_u(found.value, found.judged.expanded, found.judged.limit.unit)
    return [f"{found.judged.quantity} {told}, limit {bounds(found.judged.limit)}"]


def item(sources: Sources, issue: Issue) -> Section:
    run, lab = sources.run, issue.laboratory
    start = run.start
    if start is None:
        return [["Item", "not described in this journal"]]
    item = start.item
    emulated = next(
        (p for p in (run.bench.parts if run.bench else ()) if p.emulated and p.name in ("charger", "evps")), None
    )
    rows = [
        ["Description", item.name or NOT_STATED],
        ["Maker", item.maker or NOT_STATED],
        ["Model", item.model or NOT_STATED],
        ["Serial number", item.serial or NOT_STATED],
        ["Firmware", item.firmware or NOT_STATED],
        ["Condition on receipt", lab.condition or NOT_STATED],
        ["Device profile", f"{start.profile} (limits and ratings of the item are taken from it)"],
        ["Sampling", "None by this report: one item was tested. How it was chosen is not part of this report."],
    ]
    if emulated:
        rows.insert(0, ["Nature", f"Software model, driver {emulated.driver}; no physical item was on the bench"])
    return rows


def card(run: Run) -> Section:
    """The charger's identity card; nothing where the journal has none."""
    if run.card is None:
        return None
    card = shown(run.card)
    return {
        "head": card.head,
        "says": [list(row) for row in card.says],
        "course": [
            {"row": list(row[:5]), "rule": rule, "says": says, "state": state}
            for row in card.course
            for rule, says, state in [row[5:]]
        ],
        "lines": list(card.lines),
    }
