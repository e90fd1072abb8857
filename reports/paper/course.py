"""Sections 8 to 10: rules watched, what did not go as the methods say, and with what software."""

from __future__ import annotations

from collections.abc import Iterator

from reports import numbers
from reports.paper.sources import NOT_STATED, Issue, Section, Sources, key, ranges
from reports.run import Run, Watched
from reports.verdicts import rule_verdict


def rules(run: Run) -> Section:
    """Findings first; what the rig's own car broke because a test asked it to is no finding."""
    some = {state: [one for one in run.rules.values() if one.state == state] for state in ("broken", "kept", "unknown")}
    return {
        "watched": str(len(run.rules)),
        "broken": [_broken(one) for one in some["broken"] if not one.doc.provoked],
        "provoked": [
            {"id": one.doc.rule, "title": one.doc.title, "count": str(one.count), "where": ranges(one.where)}
            for one in some["broken"]
            if one.doc.provoked
        ],
        "kept": [{"id": one.doc.rule, "title": one.doc.title, "source": one.doc.source} for one in some["kept"]],
        "unknown": ", ".join(one.doc.rule for one in some["unknown"]),
    }


def _broken(one: Watched) -> Section:
    doc = one.doc
    figures = (numbers.quantity(doc.value, doc.unit), numbers.quantity(doc.limit, doc.unit)) if doc.unit else ()
    return {
        "id": doc.rule,
        "title": doc.title,
        "verdict": rule_verdict(one),
        "duty": "the charger" if doc.duty == "charger" else "the rig's own car",
        "message": doc.message,
        "found": ", allowed ".join(figures),
        "count": str(one.count),
        "frame": doc.frame,
        "source": doc.source,
        "where": ranges(one.where),
    }


def deviations(run: Run, issue: Issue) -> Iterator[Section]:
    """What did not go as the methods say. where: the test, or empty."""
    for test in run.everything:
        inside = test is not run.outside
        for t, incident in test.incidents:
            text = f"{incident.kind}: {incident.what} ({numbers.span(t)}; fault of the {incident.fault})"
            yield {"where": key(test), "text": text}
        for t, state in test.safe:
            if not state.confirmed:
                text = f"safe state not confirmed at {numbers.span(t)}: {'; '.join(state.readings) or 'no reading'}"
                yield {"where": key(test), "text": text}
        if inside and test.outcome in ("ERROR", "INVALID"):
            yield {"where": key(test), "text": f"{test.name}: {test.outcome}, {test.reason or 'no reason given'}"}
    for doc in run.resumed:
        yield {
            "where": "",
            "text": f"The run was cut off and gone on with after journal line {doc.lines} (part {doc.part}).",
        }
    if run.stop is None or run.stop.status != "completed":
        why = run.stop.reason if run.stop else "the journal has no end"
        yield {"where": "", "text": f"The run did not complete: {why or 'no reason given'}."}
    if issue.amends:
        yield {"where": "", "text": f"This report takes the place of {issue.amends}: {issue.reason}"}


def software(sources: Sources) -> Section:
    run, info = sources.run, sources.told
    rows = [["Rig", f"v2hrig {run.start.rig if run.start and run.start.rig else 'version not recorded'}"]]
    if info:
        rows += [
            ["Source revision", _revision(info.commit)],
            ["Python, system", f"{info.python}; {info.system}"],
            ["Packages", ", ".join(f"{name} {found}" for name, found in info.packages.items()) or NOT_STATED],
            ["Command", info.command or NOT_STATED],
            ["Host, user", f"{info.host}, {info.user}"],
        ]
    if run.start:
        rows += [["Requirement catalogue", f"revision {run.start.catalogue}"], ["Seed", str(run.start.seed)]]
    rows += _fitness(run)
    rows.append(["Fitness of the software", "The rig's own tests belong to the source revision named here; their "
                 "record is kept with it and is no part of this journal (ISO/IEC 17025:2017, 7.11.2)."])  # fmt: skip
    return rows


def _fitness(run: Run) -> Section:
    """What of the tool was tried in this very run, and what never was."""
    parts = run.bench.parts if run.bench else ()
    fresh = [part.name for part in parts if not part.emulated and not part.met_hardware]
    captures = sum(len(test.captures) for test in run.everything)
    safe = [state.confirmed for test in run.everything for _, state in test.safe]
    return [
        ["Drivers new to their instrument", ", ".join(fresh) or ("none" if any(not one.emulated for one in parts)
         else "no real instrument took part")],
        ["Checked for this report", f"the chain of {len(run.reading.lines)} journal lines, the digests of {captures} "
         f"captures, {sum(safe)} of {len(safe)} safe states confirmed by read-back"],
    ]  # fmt: skip


def _revision(commit: str) -> str:
    if not commit:
        return "not recorded: not run from a checkout"
    return f"{commit.rstrip('+')}, with uncommitted changes" if commit.endswith("+") else commit
