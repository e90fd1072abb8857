"""What the report on paper says, as lists and dicts of text in the order it is read: no layout, no file format.

Follows ISO/IEC 17025:2017, 7.8.2.1 a to p (`clauses` says where each is), 7.8.3, 7.8.6 and 7.8.8. The template in
templates/report.typ lays it out. On a bench with a model in it no sentence calls the result more than a simulation.
Long, because it is one document: one function for each of its sections.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from reports import numbers, summary, surroundings
from reports.account import account
from reports.card import shown
from reports.history.rows import Indexed
from reports.pdf_changes import changes
from reports.pictures import Drawn
from reports.run import SEVERITY, Asked, Run, Test, Value, counts, rule_verdict
from reports.standalone import standalone
from rig.evidence.documents import Bounds, Calibration, Judged
from rig.evidence.run_info import Laboratory, RunInfo
from rig.evidence.verify import SEAL

Section = Any
"""Nested lists, dicts and text, as JSON has them."""
FAMILY, LETTER = "Libertinus Serif", 13.0
"""Of the labels in pictures: 13 px of it are 6.1 px a letter, which reports.plot counts with."""
FIGURES = 40
"""Pictures on paper; the HTML report has all. Project choice."""
NOT_STATED = "not stated"


@dataclass(frozen=True, slots=True)
class Issue:
    """How a report is given out. number: its own. amends: number of the report this one takes the place of.
    former: a run it is compared with."""

    number: str
    laboratory: Laboratory
    final: bool = False
    amends: str = ""
    reason: str = ""
    former: Indexed | None = None


@dataclass(frozen=True, slots=True)
class Sources:
    """All a report is made from. wrong: file of a capture -> what is wrong with it.
    look: draws a decided value in its capture, where no test asked for a picture of it; None when it has none."""

    folder: Path
    run: Run
    info: RunInfo | str | None
    drawn: Mapping[int, list[Drawn]]
    wrong: Mapping[str, str]
    look: Callable[[Value, Judged], Drawn | None]

    @property
    def told(self) -> RunInfo | None:
        """run.json where it can be read."""
        return self.info if isinstance(self.info, RunInfo) else None

    @property
    def models(self) -> list[str]:
        """Emulated parts, by place and driver."""
        parts = self.run.bench.parts if self.run.bench else ()
        return [f"{part.name} ({part.driver})" for part in parts if part.emulated]


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
        "front": _front(sources, issue),
        "authorised": issue.laboratory.authorised_by or NOT_STATED,
        "issued": issue.laboratory.issued or ("not issued: this is a draft" if not issue.final else NOT_STATED),
        "verdict": {"word": run.verdict, "line": line, "points": points},
        "tallies": [
            {"what": "Requirements in scope", "counts": _counts(one.verdict for one in run.in_scope)},
            {"what": "Tests", "counts": _counts(test.outcome for test in run.tests)},
        ],
        "alarms": [{"grave": one.grave, "head": one.head, "text": one.text} for one in alarms],
        "attention": list(_attention(run)),
        "item": _item(sources, issue),
        "card": _card(run),
        "bench": _bench(run),
        "conditions": _conditions(sources, issue),
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
        "decision": _decision(run),
        "references": _references(run),
        "methods": _methods(run),
        "matrix": [_requirement(run, asked) for asked in _by_id(run.in_scope)],
        **_figures(sources),
        "account": {
            "rows": [
                {"n": str(one.n), "word": one.word, "kind": one.kind, "says": one.says, "ids": ", ".join(one.ids)}
                for one in found_rows.entries
            ],
            "line": found_rows.line,
        },
        "rules": _rules(run),
        "gaps": [{"many": g.many, "reason": g.reason, "ids": ", ".join(g.ids)} for g in summary.gaps(run)],
        "changes": changes(run, sources.told, sources.folder, issue.former),
        "deviations": list(_deviations(run, issue)),
        "software": _software(sources),
        "results": [_results(run, test) for test in run.everything if any(one.judged for one in test.values)],
        "budgets": list(_budgets(run)),
        "evidence": _evidence(sources),
        "clauses": _clauses(issue),
    }


def title(run: Run) -> str:
    """What the paper calls itself."""
    return {
        "hardware": "Certification test report",
        "emulated": "Simulation report",
        "mixed": "Mixed-bench test report",
    }.get(run.kind, "Test report")


def mark(run: Run) -> str:
    """Stands beside every result."""
    return {"unknown": "not described"}.get(run.kind, run.kind)


def method_of(test: Test) -> str:
    """The id of a test's method: its id without parameters."""
    return test.start.test.partition("[")[0] or "outside any test"


def key(test: Test) -> str:
    """A short name for a test in this paper: T12."""
    return f"T{test.index + 1}" if test.index >= 0 else "–"


def _counts(words: Iterable[Any]) -> list[list[str]]:
    return [[word, str(n)] for word, n in counts(words).items()]


def _by_id(some: Iterable[Asked]) -> list[Asked]:
    return sorted(some, key=lambda one: one.doc.id)


def _front(sources: Sources, issue: Issue) -> Section:
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


def _attention(run: Run) -> Iterator[Section]:
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
    return [f"{found.judged.quantity} {told}, limit {_bounds(found.judged.limit)}"]


def _item(sources: Sources, issue: Issue) -> Section:
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


def _card(run: Run) -> Section:
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


def _bench(run: Run) -> Section:
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


def _conditions(sources: Sources, issue: Issue) -> Section:
    run = sources.run
    simulated = "simulated by the model; " if run.kind == "emulated" else ""
    rows = [["Environment", f"{simulated}room: {issue.laboratory.environment or NOT_STATED}"]]
    rows.append(["Time on the bench", numbers.span(run.seconds)])
    stated = {one.doc.conditions for one in run.in_scope if one.doc.conditions}
    rows.append(["Test conditions", "stated with each requirement in section 6 and each step in the journal"] if stated
                else ["Test conditions", "as each method states; the steps taken are in the journal"])  # fmt: skip
    return rows


def _decision(run: Run) -> Section:
    judged = [one for asked in run.requirements.values() for _, one in asked.judged]
    claims: dict[str, list[str]] = {}
    for one in judged:
        claims.setdefault(one.claim, []).append(one.requirement)
    return {
        "rules": sorted({one.rule for one in judged}) or ["no value was judged in this run"],
        "factors": ", ".join(dict.fromkeys(f"k = {one.k:g}" for one in sorted(judged, key=lambda one: one.k))),
        "claims": [(claim, ", ".join(dict.fromkeys(ids))) for claim, ids in sorted(claims.items())],
    }


def _references(run: Run) -> Section:
    """Keys in brackets of the sources of what is in scope, and what they stand for."""
    named = {key: words for asked in run.in_scope for key, words in asked.doc.references.items()}
    return [(f"[{key}]", named[key]) for key in sorted(named)]


def _methods(run: Run) -> Section:
    rows: dict[str, list[Test]] = {}
    for test in run.tests:
        rows.setdefault(method_of(test), []).append(test)
    return [
        {
            "id": id,
            "title": tests[0].start.title.rstrip("."),
            "requirements": ", ".join(dict.fromkeys(one for test in tests for one in test.start.requirements)),
            "procedure": tests[0].start.procedure,
            "keys": _ranges([test.index + 1 for test in tests]),
            "many": f"{len(tests)} test" + ("s" if len(tests) > 1 else ""),
            "counts": _counts(test.outcome for test in tests),
        }
        for id, tests in rows.items()
    ]


def _ranges(found: list[int]) -> str:
    """T1 to T6, T9."""
    rows = list[list[int]]()
    for one in found:
        if rows and one == rows[-1][1] + 1:
            rows[-1][1] = one
        else:
            rows.append([one, one])
    return ", ".join(f"T{low}" if low == high else f"T{low} to T{high}" for low, high in rows)


def _requirement(run: Run, asked: Asked) -> Section:
    doc, values = asked.doc, {value.n: value for value, _ in asked.judged}
    rows = [
        _row(run, values[one.n], one.judged) | {"among": f"{one.word} of {len(one.fellows)}" if one.fellows else ""}
        for one in summary.decisive(asked)
    ]
    return {
        "id": doc.id,
        "title": doc.title,
        "stated": doc.stated,
        "source": doc.source,
        "confidence": doc.confidence,
        "conditions": doc.conditions,
        "claim": summary.claim(run, doc.claim),
        "verdict": asked.verdict,
        "reasons": asked.reasons,
        "rows": rows,
    }


def _row(run: Run, value: Value, judged: Judged) -> Section:
    """A judged value. digest: of the journal line that holds the measurement, and of the first capture behind it."""
    test = run.tests[value.test] if value.test >= 0 else run.outside
    return {
        "key": key(test),
        "test": test.name if test is not run.outside else "outside any test",
        "quantity": judged.quantity,
        "result": numbers.with_u(value.doc.value, judged.expanded, value.doc.unit),
        "limit": _bounds(judged.limit),
        "accepted": _bounds(judged.acceptance) if judged.acceptance != judged.limit else "",
        "verdict": judged.verdict,
        "mark": mark(run),
        "probability": numbers.per_cent(judged.probability),
        "line": str(value.n),
        "digest": run.reading.lines[value.n].sha[:16],
        "capture": value.doc.of[0][:16] if value.doc.of else "",
    }


def _bounds(limit: Bounds) -> str:
    return numbers.bounds(limit.min, limit.max, limit.unit)


def _figures(sources: Sources) -> dict[str, Section]:
    """Pictures of what decided a requirement and of what did not pass; how many others there are."""
    run, wanted, plain = sources.run, list[int](), list[tuple[int, Drawn]]()
    for asked in _by_id(run.in_scope):
        values = {value.n: value for value, _ in asked.judged}
        for one in summary.decisive(asked):
            value = values[one.n]
            wanted.append(value.test)
            if value.test not in sources.drawn and (look := sources.look(value, one.judged)):
                shows = (look.picture.captures, look.picture.start)
                if shows not in [(told.picture.captures, told.picture.start) for _, told in plain]:
                    plain.append((value.test, look))
    wanted += [test.index for test in run.everything if test.outcome not in ("PASS", "NOT RUN")]
    order = sorted(dict.fromkeys(wanted), key=lambda index: (-SEVERITY.index(_test(run, index).outcome), index))
    shown = [(index, drawn) for index in order for drawn in sources.drawn.get(index, ())]
    # A test that decided nothing still shows a kind of waveform nobody else does.
    names = {drawn.picture.title for _, drawn in shown}
    for index, row in sorted(sources.drawn.items()):
        for drawn in row:
            if drawn.picture.title not in names:
                names.add(drawn.picture.title)
                shown.append((index, drawn))
    total = sum(map(len, sources.drawn.values())) + len(plain)
    shown += plain
    return {
        "figures": [_figure(_test(run, index), drawn) for index, drawn in shown[:FIGURES]],
        "figures_left": total - min(len(shown), FIGURES),
    }


def _test(run: Run, index: int) -> Test:
    return run.tests[index] if index >= 0 else run.outside


def _figure(test: Test, drawn: Drawn) -> Section:
    image = drawn.image
    return {
        "svg": standalone(Markup(image), FAMILY, LETTER) if image else "",
        "title": drawn.picture.title,
        "caption": drawn.picture.caption,
        "test": f"{key(test)} {test.name}",
        "outcome": test.outcome,
        "requirements": ", ".join(drawn.picture.requirements),
        "notes": list(drawn.notes),
        "captures": ", ".join(f"{one.file} (SHA-256 {one.sha256[:16]})" for one in drawn.captures),
    }


def _rules(run: Run) -> Section:
    kept = [one for one in run.rules.values() if one.state == "kept"]
    return {
        "broken": [
            {
                "id": one.doc.rule,
                "title": one.doc.title,
                "verdict": rule_verdict(one),
                "duty": "the charger" if one.doc.duty == "charger" else "the rig's own car",
                "message": one.doc.message,
                "found": f"{numbers.quantity(one.doc.value, one.doc.unit)}, allowed "
                f"{numbers.quantity(one.doc.limit, one.doc.unit)}" if one.doc.unit else "",
                "count": str(one.count),
                "frame": one.doc.frame,
                "source": one.doc.source,
                "where": ", ".join(key(_test(run, index)) for index in one.where),
            }
            for one in run.rules.values()
            if one.state == "broken"
        ],
        "kept": [{"id": one.doc.rule, "title": one.doc.title, "source": one.doc.source} for one in kept],
        "unknown": ", ".join(one.doc.rule for one in run.rules.values() if one.state == "unknown"),
    }  # fmt: skip


def _deviations(run: Run, issue: Issue) -> Iterator[Section]:
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


def _software(sources: Sources) -> Section:
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


def _results(run: Run, test: Test) -> Section:
    rows = [_row(run, value, judged) | {"id": judged.requirement} for value in test.values for judged in value.judged]
    silent = sum(not value.judged for value in test.values)
    return {"key": key(test), "test": test.name, "method": method_of(test), "outcome": test.outcome, "rows": rows,
            "silent": f"{silent} more measured, not judged" if silent else ""}  # fmt: skip


def _budgets(run: Run) -> Iterator[Section]:
    """Of each value that decides a requirement."""
    seen = set[int]()
    for asked in _by_id(run.in_scope):
        values = {value.n: value for value, _ in asked.judged}
        for one in summary.decisive(asked):
            value = values[one.n]
            if one.n in seen or not value.doc.budget:
                continue
            seen.add(one.n)
            whole = sum(line.contribution**2 for line in value.doc.budget)
            yield {
                "id": asked.doc.id,
                "key": key(_test(run, value.test)),
                "quantity": value.doc.name,
                "result": numbers.with_u(value.doc.value, one.judged.expanded, value.doc.unit),
                "source": value.doc.source,
                "combined": _two(value.doc.u, value.doc.unit),
                "expanded": f"U = {_two(one.judged.expanded, value.doc.unit)} (k = {one.judged.k:g})",
                "lines": [
                    [line.name, line.distribution, f"{line.u:.3g}", f"{line.sensitivity:.4g}",
                     _two(line.contribution, value.doc.unit),
                     numbers.per_cent(line.contribution**2 / whole) if whole > 0 else "–", line.source]
                    for line in value.doc.budget
                ],
            }  # fmt: skip


def _two(u: float, unit: str) -> str:
    """An uncertainty with two digits."""
    scale, name = numbers.unit_for(u, unit)
    return numbers.joined(numbers.digits(u / scale, u / scale), name)


def _evidence(sources: Sources) -> Section:
    run = sources.run
    sealed = (sources.folder / SEAL).is_file()
    state = run.reading.flaw or ("ends in a torn line" if run.reading.torn else "the chain of digests verifies")
    files = [one for test in run.everything for one in test.captures]
    return {
        "facts": [
            ["Run", sources.told.run if sources.told else sources.folder.name],
            ["Journal", f"{len(run.reading.lines)} lines; {state}"],
            ["Digest of its last line", run.reading.head],
            ["Seal", f"{SEAL} stands beside it; check it with v2hrig verify and the laboratory's public key" if sealed
             else "none when this report was made"],
        ],
        "files": [
            {"file": one.file, "kind": one.kind, "rows": str(one.rows), "sha": one.sha256,
             "wrong": sources.wrong.get(one.file, "")}
            for one in files
        ],
    }  # fmt: skip


def _clauses(issue: Issue) -> Section:
    """7.8.2.1 a to p and its companions: where in this paper."""
    sampling = "Section 2: no sampling"
    return [
        ["a", "Title", "Page 1"],
        ["b", "Name and address of the laboratory", "Page 1"],
        ["c", "Place where the activities were carried out", "Page 1"],
        [
            "d",
            "Unique identification on every page, page x of y, clear end",
            "Header and footer; end mark on the last page",
        ],
        ["e", "Name and contact of the customer", "Page 1"],
        ["f", "Identification of the method", "Section 5"],
        ["g", "Description, identification and condition of the item", "Section 2"],
        ["h", "Date of receipt; date of sampling", f"Page 1; {sampling.lower()}"],
        ["i", "Dates of the tests", "Page 1"],
        ["j", "Date of issue", "Page 1"],
        ["k", "Sampling plan and method", sampling],
        ["l", "Statement that the results relate only to the items tested", "Page 1"],
        ["m", "Results with units", "Section 6 and annex A"],
        ["n", "Additions, deviations and exclusions", "Sections 8 and 9"],
        ["o", "Person authorising the report", "Page 1 and signature block"],
        ["p", "Results from external providers", "None: every value was measured on the bench of section 3"],
        ["7.8.3", "Conditions, measurement uncertainty", "Section 4; section 6; annex B"],
        ["7.8.6", "Statements of conformity and decision rule", "Section 4 and section 6"],
        ["7.8.7", "Opinions and interpretations", "None are given"],
        [
            "7.8.8",
            "Amendments",
            f"Page 1: amends {issue.amends}; section 9" if issue.amends else "This is no amended report",
        ],
    ]
