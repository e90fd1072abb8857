"""A test as the steps Allure folds open: what was done, what was found, how the bench was left. Knows no file."""

from __future__ import annotations

from typing import Any

from reports import numbers
from reports.plain import visible
from reports.run import Test, Value
from rig.evidence.documents import Judged, Plain

Facts = dict[str, Any]
"""An object of Allure's JSON."""
_STATUS = {"PASS": "passed", "FAIL": "failed", "NOT RUN": "skipped"}


def millis(begun: float, t: float) -> int:
    """ms since 1970 of a bench time. begun, t: s."""
    return round(1000 * (begun + t))


def plain_steps(test: Test, begun: float) -> list[Facts]:
    """The steps of a test. begun: s since 1970 at which bench time began."""
    end = test.begun + test.seconds
    rows = [
        _group("Procedure", _procedure(test, begun), begun, test.begun, end),
        _group("Measurements and verdicts", _verdicts(test, begun, end), begun, end, end),
        _group("Rules and incidents", _trouble(test, begun, end), begun, end, end),
        _group("Safe state", _safe(test, begun), begun, end, end),
    ]
    return [one for one in rows if one["steps"]]


def _group(name: str, steps: list[Facts], begun: float, start: float, stop: float) -> Facts:
    """As good as the worst of its steps."""
    words = [one["status"] for one in steps]
    status = next((word for word in ("failed", "broken") if word in words), "passed")
    return _step(f"{name} ({len(steps)})", status, begun, start, stop) | {"steps": steps}


def _procedure(test: Test, begun: float) -> list[Facts]:
    ends = [t for t, _ in test.steps[1:]] + [test.begun + test.seconds]
    return [
        _step(doc.what, "passed", begun, t, max(t, stop))
        | {
            "parameters": [
                {"name": visible(k), "value": _value(v, doc.units.get(k, ""))} for k, v in doc.values.items()
            ]
        }
        for (t, doc), stop in zip(test.steps, ends, strict=False)
    ]


def _verdicts(test: Test, begun: float, end: float) -> list[Facts]:
    return [_verdict(value, judged, begun, end) for value in test.values for judged in value.judged]


def _verdict(value: Value, judged: Judged, begun: float, end: float) -> Facts:
    told = numbers.with_u(value.doc.value, judged.expanded, value.doc.unit)
    limit = numbers.bounds(judged.limit.min, judged.limit.max, judged.limit.unit)
    status = _STATUS.get(judged.verdict, "broken")
    step = _step(
        f"{judged.requirement} {judged.quantity} {told}, limit {limit}: {judged.verdict}", status, begun, end, end
    )
    rows = {
        "rule": judged.rule,
        "U": f"k = {judged.k:g}",
        "probability of conformance": numbers.per_cent(judged.probability),
        "journal line": str(value.n),
        "captures": ", ".join(sha[:16] for sha in value.doc.of),
    }
    step["parameters"] = [{"name": k, "value": visible(v)} for k, v in rows.items() if v]
    return step if judged.verdict == "PASS" else step | {"statusDetails": {"message": visible(judged.reason)}}


def _trouble(test: Test, begun: float, end: float) -> list[Facts]:
    rows = [
        _step(f"{one.rule} broken: {one.message or one.title}", "failed" if one.duty == "charger" else "broken",
              begun, one.at or end, one.at or end)
        for one in test.rules if one.state == "broken"
    ]  # fmt: skip
    return rows + [_step(f"{one.kind}: {one.what}", "broken", begun, t, t) for t, one in test.incidents]


def _safe(test: Test, begun: float) -> list[Facts]:
    return [
        _step("confirmed by read-back" if one.confirmed else "NOT CONFIRMED", "passed" if one.confirmed else "broken",
              begun, t, t) | {"steps": [_step(line, "passed", begun, t, t) for line in one.readings]}
        for t, one in test.safe
    ]  # fmt: skip


def _step(name: str, status: str, begun: float, start: float, stop: float) -> Facts:
    return {
        "name": visible(name),
        "status": status,
        "stage": "finished",
        "start": millis(begun, start),
        "stop": millis(begun, stop),
        "steps": [],
        "attachments": [],
        "parameters": [],
    }


def _value(value: Plain, unit: str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = f"{value:.9g}" if isinstance(value, float) else visible(str(value))
    return text if unit in ("", "1") else f"{text} {visible(unit)}"
