"""What GitHub shows of a run when it was made by one of its workflows: a summary of the job, and one annotation for
each requirement, rule and test that is no PASS.

Workflow commands and the step summary as docs.github.com describes them ("Workflow commands for GitHub Actions").
Text of the journal is escaped: it can neither give a command nor draw a picture.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from reports import summary
from reports.gather import gather
from reports.plain import visible
from reports.run import SEVERITY, Outcome, Run, counts
from reports.verdicts import rule_verdict
from rig.evidence.journal import scan_journal

SUMMARY = "GITHUB_STEP_SUMMARY"
MOST = 10
"""Annotations of one kind that GitHub keeps of a step."""
_LEVEL: dict[Outcome, str] = {"FAIL": "error", "NOT RUN": "notice"}
_MARKDOWN = str.maketrans({one: "\\" + one for one in "\\`*_{}[]()#+!|~>$@"} | {"<": "&lt;", "&": "&amp;", "\n": " "})


def tell_github(folder: Path, environment: Mapping[str, str]) -> list[str]:
    """Append the summary when the environment names a file for it; the lines to print, none outside GitHub."""
    file = environment.get(SUMMARY, "")
    if not file:
        return []
    run = gather(scan_journal(folder))
    with Path(file).open("a", encoding="utf-8") as out:
        out.write(markdown(run))
    return list(commands(run))


def markdown(run: Run) -> str:
    """The summary."""
    line, points = summary.why(run)
    kind = summary.kind(run)
    name = run.start.item.name if run.start else "run without a beginning"
    words = list(reversed(SEVERITY))
    rows = [
        f"## {run.verdict}: {_safe(name)}",
        "",
        f"**{kind.word}.** {_safe(kind.line)} {_safe(line)} {_safe('; '.join(points))}".rstrip(),
        "",
        "| |" + "|".join(words) + "|",
        "|---|" + "---:|" * len(words),
        _counted("Requirements", counts(one.verdict for one in run.in_scope), words),
        _counted("Tests", counts(test.outcome for test in run.tests), words),
    ]
    if found := list(_open(run)):
        rows += ["", "| verdict | what | why |", "|---|---|---|"]
        rows += [f"| {word} | {_safe(what)} | {_safe(text)} |" for word, what, text in found]
    return "\n".join(rows) + "\n\n"


def commands(run: Run) -> Iterator[str]:
    """Workflow commands, gravest first, as many of each level as GitHub keeps."""
    left: dict[str, int] = {}
    for word, what, text in _open(run):
        level = _LEVEL.get(word, "warning")
        left[level] = left.get(level, MOST) - 1
        if left[level] >= 0:
            yield f"::{level} title={_property(f'{word} {what}')}::{_data(text)}"


def _open(run: Run) -> Iterator[tuple[Outcome, str, str]]:
    for one in run.rules.values():
        if (word := rule_verdict(one)) in ("FAIL", "INVALID"):
            yield word, one.doc.rule, one.doc.message or one.doc.title
    for asked in summary.attention(run):
        reasons = [judged.reason for _, judged in asked.judged if judged.verdict != "PASS"] + asked.reasons
        yield asked.verdict, asked.doc.id, f"{asked.doc.title}: {'; '.join(reasons[:2])}"
    for test in run.tests:
        if test.outcome in ("ERROR", "INVALID"):
            yield test.outcome, test.name, test.reason or "no reason given"


def _counted(what: str, found: dict[Outcome, int], words: list[Outcome]) -> str:
    return f"|{what}|" + "|".join(str(found.get(word, 0)) for word in words) + "|"


def _safe(text: str) -> str:
    return visible(text).translate(_MARKDOWN)


def _data(text: str) -> str:
    return visible(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
