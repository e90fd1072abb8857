"""What the report on paper says, as lists and dicts of text in the order it is read: no layout, no file format.

Follows ISO/IEC 17025:2017, 7.8.2.1 a to p (`clauses` says where each is), 7.8.3, 7.8.6 and 7.8.8. The template in
templates/report.typ lays it out. On a bench with a model in it no sentence calls the result more than a simulation.
"""

from __future__ import annotations

from reports import summary, surroundings
from reports.account import account
from reports.paper.bench import bench, conditions, decision, references
from reports.paper.changes import changes
from reports.paper.course import deviations, rules, software
from reports.paper.evidence import clauses, evidence
from reports.paper.figures import figures
from reports.paper.front import attention, card, front, item
from reports.paper.results import budgets, methods, requirement, results
from reports.paper.sources import NOT_STATED, Issue, Section, Sources, by_id, mark, tally, title


def content(sources: Sources, issue: Issue) -> Section:
    """The whole report."""
    run, found = sources.run, summary.kind(sources.run)
    line, points = summary.why(run)
    found_rows = account(run)
    alarms = summary.alarms(run, sources.info, sources.folder, sources.wrong)
    return {
        "title": title(run),
        "number": issue.number,
        "draft": not issue.final,
        "emulated": run.kind != "hardware",
        "mark": mark(run),
        "kind": {"word": found.word, "line": found.line, "models": sources.models},
        "amends": {"number": issue.amends, "reason": issue.reason} if issue.amends else None,
        "laboratory": {"name": issue.laboratory.name or "Laboratory not stated", "address": issue.laboratory.address},
        "front": front(sources, issue),
        "authorised": issue.laboratory.authorised_by or NOT_STATED,
        "issued": issue.laboratory.issued or ("not issued: this is a draft" if not issue.final else NOT_STATED),
        "verdict": {"word": run.verdict, "line": line, "points": points},
        "tallies": [
            {"what": "Requirements in scope", "counts": tally(one.verdict for one in run.in_scope)},
            {"what": "Tests", "counts": tally(test.outcome for test in run.tests)},
        ],
        "alarms": [{"grave": one.grave, "head": one.head, "text": one.text} for one in alarms],
        "attention": list(attention(run)),
        "item": item(sources, issue),
        "card": card(run),
        "bench": bench(run),
        "conditions": conditions(sources, issue),
        "surroundings": [
            {
                "name": row.name,
                "read": row.read,
                "asked": "; ".join(row.asked),
                "tests": str(row.tests),
                "wrong": ", ".join(
                    f"{len(some)} {word}"
                    for some, word in ((row.outside, "outside"), (row.unknown, "not known"))
                    if some
                ),
                "by": "; ".join(row.sources),
            }
            for row in surroundings.rows(run)
        ],
        "decision": decision(run),
        "references": references(run),
        "methods": methods(run),
        "matrix": [requirement(run, asked) for asked in by_id(run.in_scope)],
        **figures(sources),
        "account": {
            "rows": [
                {"n": str(one.n), "word": one.word, "kind": one.kind, "says": one.says, "ids": ", ".join(one.ids)}
                for one in found_rows.entries
            ],
            "line": found_rows.line,
        },
        "rules": rules(run),
        "gaps": [{"many": g.many, "reason": g.reason, "ids": ", ".join(g.ids)} for g in summary.gaps(run)],
        "changes": changes(run, sources.told, sources.folder, issue.former),
        "deviations": list(deviations(run, issue)),
        "software": software(sources),
        "results": [results(run, test) for test in run.everything if any(one.judged for one in test.values)],
        "budgets": list(budgets(run)),
        "evidence": evidence(sources),
        "clauses": clauses(issue),
    }
