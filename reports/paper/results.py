"""Sections 5 and 6, annexes A and B: methods, requirements with what decides them, all results, budgets."""

from __future__ import annotations

from collections.abc import Iterator

from reports import numbers, summary
from reports.paper.sources import Section, bounds, by_id, key, mark, method_of, tally, test_of
from reports.run import Asked, Run, Test, Value
from rig.evidence.documents import Judged


def methods(run: Run) -> Section:
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
            "counts": tally(test.outcome for test in tests),
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
