"""Sections 5 and 6, annexes A and B: methods, requirements with what decides them, all results, budgets."""

from __future__ import annotations

from collections.abc import Iterator

from reports import numbers, summary
from reports.paper.sources import Section, bounds, by_id, key, mark, method_of, ranges, tally, test_of
from reports.run import Asked, Run, Test, Value
from rig.evidence.documents import Judged


def methods(run: Run) -> Section:
    """Methods by the file they stand in: what is common to all of a file is said once, at its head."""
    rows: dict[str, list[Test]] = {}
    for test in run.tests:
        rows.setdefault(method_of(test), []).append(test)
    files: dict[str, list[str]] = {}
    for id in rows:
        files.setdefault(id.partition("::")[0], []).append(id)
    return [_file(name, {id: rows[id] for id in ids}) for name, ids in files.items()]


def _file(name: str, rows: dict[str, list[Test]]) -> Section:
    told = {id: tests[0].start.procedure.split("\n\n") for id, tests in rows.items() if tests[0].start.procedure}
    common = list[str]()
    if len(told) > 1:
        for parts in zip(*told.values(), strict=False):
            if len(set(parts)) > 1:
                break
            common.append(parts[0])
    return {
        "file": name,
        "common": "\n\n".join(common),
        "methods": [_method(id, tests, told.get(id, [])[len(common) :]) for id, tests in rows.items()],
    }


def _method(id: str, tests: list[Test], parts: list[str]) -> Section:
    """parts: paragraphs of its procedure, of which the one that only says its title is left out."""
    title = tests[0].start.title.rstrip(".")
    return {
        "id": id,
        "title": title,
        "requirements": ", ".join(dict.fromkeys(one for test in tests for one in test.start.requirements)),
        "procedure": "\n\n".join(one for one in parts if one.rstrip(".") != title),
        "keys": ranges([test.index for test in tests]),
        "many": f"{len(tests)} test" + ("s" if len(tests) > 1 else ""),
        "counts": tally(test.outcome for test in tests),
    }


def requirement(run: Run, asked: Asked) -> Section:
    doc, values = asked.doc, {value.n: value for value, _ in asked.judged}
    rows = [
        row(run, values[one.n], one.judged) | {"among": f"{one.word} of {len(one.fellows)}" if one.fellows else ""}
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


def row(run: Run, value: Value, judged: Judged) -> Section:
    """A judged value. digest: of the journal line that holds the measurement, and of the first capture behind it."""
    test = run.tests[value.test] if value.test >= 0 else run.outside
    return {
        "key": key(test),
        "test": test.name if test is not run.outside else "outside any test",
        "quantity": judged.quantity,
        "result": numbers.with_u(value.doc.value, judged.expanded, value.doc.unit),
        "limit": bounds(judged.limit),
        "accepted": bounds(judged.acceptance) if judged.acceptance != judged.limit else "",
        "verdict": judged.verdict,
        "mark": mark(run),
        "probability": numbers.per_cent(judged.probability),
        "line": str(value.n),
        "digest": run.reading.lines[value.n].sha[:16],
        "capture": value.doc.of[0][:16] if value.doc.of else "",
    }


def results(run: Run, test: Test) -> Section:
    rows = [row(run, value, judged) | {"id": judged.requirement} for value in test.values for judged in value.judged]
    silent = sum(not value.judged for value in test.values)
    return {"key": key(test), "test": test.name, "method": method_of(test), "outcome": test.outcome, "rows": rows,
            "silent": f"{silent} more measured, not judged" if silent else ""}  # fmt: skip


def budgets(run: Run) -> Iterator[Section]:
    """Of each value that decides a requirement."""
    seen = set[int]()
    for asked in by_id(run.in_scope):
        values = {value.n: value for value, _ in asked.judged}
        for one in summary.decisive(asked):
            value = values[one.n]
            if one.n in seen or not value.doc.budget:
                continue
            seen.add(one.n)
            whole = sum(line.contribution**2 for line in value.doc.budget)
            yield {
                "id": asked.doc.id,
                "key": key(test_of(run, value.test)),
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
