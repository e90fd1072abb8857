"""JUnit XML of a run, for the servers that show nothing else: GitLab, Jenkins and their like.

  FAIL          failure             INVALID, ERROR  error: the bench or the procedure, not the item
  INCONCLUSIVE  failure of type     NOT RUN         skipped, with the reason
                INCONCLUSIVE

A file of this kind is green when no case of it is red, so the run as a whole is one more case: what belongs to no test
(a rule broken over the run, a safe state not confirmed, a journal that does not verify) must not be lost. Requirements,
verdicts and measurements stand as properties of their test; both servers show system-out as well, so they stand there
in words. Times are bench seconds. Elements and attributes as the schema of Jenkins' xUnit plug-in has them.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree as Xml

from reports import numbers, summary
from reports.gather import gather
from reports.place import put
from reports.plain import visible
from reports.run import Outcome, Run, Test, Value
from rig.errors import TraceError
from rig.evidence.journal import scan_journal
from rig.evidence.run_info import RunInfo, read_run_info

NAME = "junit.xml"
KIND: dict[Outcome, str] = {
    "FAIL": "failure",
    "INCONCLUSIVE": "failure",
    "INVALID": "error",
    "ERROR": "error",
    "NOT RUN": "skipped",
}
"""Verdict -> element; PASS has none."""


def write_junit(folder: Path, out: Path | None = None) -> Path:
    """Write the run's file; its path, folder/junit.xml unless out is given. TraceError without a journal."""
    path = folder / NAME if out is None else out
    raw = render_junit(folder)
    return put(path, raw)


def render_junit(folder: Path) -> bytes:
    """The file's bytes: the same for the same folder."""
    run = gather(scan_journal(folder))
    try:
        info = read_run_info(folder)
    except TraceError:
        info = None
    top = Xml.Element("testsuites", name=_text(run.start.title if run.start else "v2hrig"))
    for name, tests, _ in summary.suites(run):
        _suite(top, name, [_case(run, test) for test in tests], info, [])
    _suite(top, "run", [_whole(run)], info, _facts(run, info))
    _count(top, top)
    Xml.indent(top, " ")
    raw: bytes = Xml.tostring(top, encoding="utf-8", xml_declaration=True)
    return raw + b"\n"


def _suite(top: Xml.Element, name: str, cases: list[Xml.Element], info: RunInfo | None, facts: list[list[str]]) -> None:
    suite = Xml.SubElement(top, "testsuite", name=_text(name))
    if info:
        suite.set("timestamp", _when(info.begun))
        suite.set("hostname", _text(info.host))
    _properties(suite, facts)
    suite.extend(cases)
    _count(suite, suite)


def _count(element: Xml.Element, within: Xml.Element) -> None:
    cases = list(within.iter("testcase"))
    element.set("tests", str(len(cases)))
    for plural, name in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(plural, str(sum(case.find(name) is not None for case in cases)))
    element.set("time", f"{sum(float(case.get('time', '0')) for case in cases):.3f}")


def _case(run: Run, test: Test) -> Xml.Element:
    file, _, function = test.start.test.partition("::")
    case = Xml.Element(
        "testcase",
        name=_text(function or test.start.test),
        classname=_text(file.removesuffix(".py").replace("/", ".")),
        file=_text(file),
        time=f"{test.seconds:.3f}",
    )
    facts = [["title", test.name], ["verdict", test.outcome], ["bench", run.kind]]
    facts += [["requirement", one] for one in test.start.requirements]
    facts += [fact for value in test.values for fact in _measured(value)]
    _properties(case, facts)
    _outcome(case, test.outcome, test.reason or _first(test))
    _out(case, [test.name, f"bench: {summary.kind(run).word}", *(f"{k}: {v}" for k, v in facts[3:])])
    return case


def _measured(value: Value) -> list[list[str]]:
    doc = value.doc
    expanded = value.judged[0].expanded if value.judged else 2 * doc.u
    facts = [[f"measurement.{doc.name}", numbers.with_u(doc.value, expanded, doc.unit)]] if value.judged else []
    for judged in value.judged:
        limit = numbers.bounds(judged.limit.min, judged.limit.max, judged.limit.unit)
        facts.append([f"verdict.{judged.requirement}.{judged.quantity}", f"{judged.verdict}, limit {limit}"])
    return facts


def _first(test: Test) -> str:
    """The reason of the first judgement that gave the test its outcome."""
    found = (one.reason for value in test.values for one in value.judged if one.verdict == test.outcome)
    return next(found, "") or next((one.message for one in test.rules if one.state == "broken"), "")


def _whole(run: Run) -> Xml.Element:
    line, points = summary.why(run)
    case = Xml.Element("testcase", name="the run as a whole", classname="v2hrig.run", time="0.000")
    rows = [f"{one.verdict} {one.doc.id} {one.doc.title}: {'; '.join(one.reasons)}" for one in summary.attention(run)]
    _outcome(case, run.verdict, "; ".join([line, *points]))
    _out(case, [line, *points, *rows])
    return case


def _facts(run: Run, info: RunInfo | None) -> list[list[str]]:
    facts = [["verdict", run.verdict], ["bench", run.kind], ["journal", run.reading.head]]
    if run.start:
        item = run.start.item
        facts += [["item", " ".join(filter(None, (item.name, item.serial)))], ["profile", run.start.profile]]
        facts += [["catalogue", run.start.catalogue], ["seed", str(run.start.seed)]]
    if info:
        facts += [["run", info.run], ["commit", info.commit]]
    facts += [[f"requirement.{one.doc.id}", one.verdict] for one in run.in_scope]
    return facts


def _properties(element: Xml.Element, facts: list[list[str]]) -> None:
    if facts:
        table = Xml.SubElement(element, "properties")
        for name, value in facts:
            Xml.SubElement(table, "property", name=_text(name), value=_text(value))


def _outcome(case: Xml.Element, outcome: Outcome, reason: str) -> None:
    if outcome in KIND:
        told = _text(f"{outcome}: {reason or 'no reason given'}")
        child = Xml.SubElement(case, KIND[outcome], message=told, type=outcome)
        child.text = told


def _out(case: Xml.Element, lines: list[str]) -> None:
    Xml.SubElement(case, "system-out").text = _text("\n".join(lines))


def _when(text: str) -> str:
    """ISO 8601 to the second, UTC, without an offset, as the schema wants it."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None).isoformat(timespec="seconds")
    except ValueError:
        return "1970-01-01T00:00:00"


def _text(text: str) -> str:
    """What XML 1.0 can carry, with everything that cannot be seen written out."""
    return visible(text)
