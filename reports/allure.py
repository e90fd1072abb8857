"""Results for Allure, written from the journal, so that any run can be rendered again: one file a test, the pictures
and what is needed of the captures once, and the files beside them that Allure 2 and 3 read.

Format: allure-framework, the results of Allure 2 as @allurereport/reader reads them (src/allure2/model.ts). Allure has
fewer words than a verdict has: only FAIL is `failed`, which speaks of the item. INCONCLUSIVE, INVALID and ERROR are
`broken`, which no gate lets pass and which does not accuse the item. NOT RUN is `skipped`. The verdict itself stands as
a label and makes the category, in allurerc.json for Allure 3 and in categories.json for Allure 2.

Times are the run's begin plus bench seconds, so durations are those of the bench. Equal folders give equal files.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import uuid
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from reports import numbers, summary
from reports.allure_steps import Facts, millis, plain_steps
from reports.gather import gather
from reports.pictures import Drawn, Gallery, parts
from reports.plain import visible
from reports.run import Outcome, Run, Test
from reports.standalone import standalone
from rig.can.frame import Frame
from rig.errors import TraceError
from rig.evidence.captures import Row, read_can, read_can_table
from rig.evidence.documents import CaptureStored
from rig.evidence.journal import scan_journal
from rig.evidence.run_info import RunInfo, read_run_info
from rig.trace.writer import candump_line

NAME = "allure-results"
STATUS: dict[Outcome, str] = {
    "PASS": "passed",
    "FAIL": "failed",
    "INCONCLUSIVE": "broken",
    "INVALID": "broken",
    "ERROR": "broken",
    "NOT RUN": "skipped",
}
CATEGORIES: tuple[tuple[Outcome, str], ...] = (
    ("FAIL", "FAIL: the item breaks a limit or a rule"),
    ("INCONCLUSIVE", "INCONCLUSIVE: too near to the limit to tell"),
    ("INVALID", "INVALID: the bench was not fit"),
    ("ERROR", "ERROR: could not be carried out as written"),
    ("NOT RUN", "NOT RUN: nothing was judged, for the reason given"),
    ("PASS", "PASS: every limit kept, uncertainty included"),
)
SEVERITY = {"SAF": "blocker", "BAT": "critical", "CHA": "critical", "GRD": "critical"}
"""Subject of a requirement -> severity: what can hurt, then what can harm a battery, a car or the grid; any other is
normal. Project choice."""
_MADE = ("-result.json", "-container.json", "-attachment.svg", "-attachment.log", "-attachment.arrow")
_SPACE = uuid.UUID("6f0d5a0e-9e0c-5a1c-8f5e-0d7b2f6a4c11")
_ORDER = ("blocker", "critical", "normal")


def write_allure(folder: Path, out: Path | None = None) -> Path:
    """Write the results of a run into a folder of its own, out or folder/allure-results; what an earlier report wrote
    there is replaced, anything else stays. Its path. TraceError without a journal."""
    run = gather(scan_journal(folder))
    path = folder / NAME if out is None else out
    path.mkdir(parents=True, exist_ok=True)
    for old in path.iterdir():
        if old.name.endswith(_MADE):
            old.unlink()
    try:
        info = read_run_info(folder)
    except TraceError:
        info = None
    _Writer(folder, path, run, info).write()
    return path


class _Writer:
    """One run on its way into one folder."""

    def __init__(self, folder: Path, out: Path, run: Run, info: RunInfo | None) -> None:
        self._folder, self._out, self._run = folder, out, run
        self._begun = _begun(info)
        self._info = info
        self._buses: dict[int, pa.Table] | None = None
        gallery = Gallery(folder, run)
        self._wrong, self._drawn = gallery.wrong, gallery.draw_all(run)

    def write(self) -> None:
        for test in self._run.tests:
            result = self._result(test)
            self._json(f"{result['uuid']}-result.json", result)
        self._json("executor.json", self._executor())
        self._json("categories.json", _categories())
        self._json("allurerc.json", _config(self._run, self._info))
        lines = [f"{_key(key)}={_escaped(value)}" for key, value in self._environment()]
        (self._out / "environment.properties").write_text("\n".join(lines) + "\n", "utf-8")

    def _json(self, name: str, what: object) -> None:
        text = json.dumps(what, ensure_ascii=False, indent=1)
        (self._out / name).write_text(text + "\n", "utf-8", errors="backslashreplace")

    def _result(self, test: Test) -> Facts:
        start = test.start
        file, _, function = start.test.partition("::")
        name, _, parameters = function.partition("[")
        uid = str(uuid.uuid5(_SPACE, f"{self._run.reading.head}/{test.index}/{start.test}"))
        begin = millis(self._begun, test.begun)
        result: Facts = {
            "uuid": uid,
            "historyId": self._history(start.test),
            "testCaseId": _digest(f"{file}::{name}"),
            "fullName": visible(start.test),
            "titlePath": [
                visible(_title(one)) for one in (start.suite or "other", Path(file).stem.removeprefix("test_"))
            ],
            "name": visible(test.name),
            "description": _described(test, self._run),
            "status": STATUS[test.outcome],
            "stage": "finished",
            "start": begin,
            "stop": begin + round(1000 * test.seconds),
            "parameters": self._parameters(parameters.removesuffix("]")),
            "labels": self._labels(test, file),
            "links": [_link(one) for one in start.requirements],
            "steps": plain_steps(test, self._begun),
            "attachments": self._attachments(test, uid),
        }
        if test.outcome != "PASS":
            result["statusDetails"] = _details(test)
        return result

    def _history(self, test: str) -> str:
        """The same test of the same profile on the same kind of bench, in any run: a simulation is no history of a
        device."""
        profile = self._run.start.profile if self._run.start else ""
        return _digest("\n".join((test, profile, self._run.kind)))

    def _parameters(self, text: str) -> list[Facts]:
        profile = self._run.start.profile if self._run.start else "not known"
        rows = [{"name": "case", "value": visible(text)}] if text else []
        return [*rows, {"name": "profile", "value": visible(profile)}, {"name": "bench", "value": self._run.kind}]

    def _labels(self, test: Test, file: str) -> list[Facts]:
        suite, requirements = test.start.suite or "other", test.start.requirements
        found = {SEVERITY.get(one.partition("-")[0], "normal") for one in requirements} or {"normal"}
        rows = [
            ("epic", _title(suite)),
            ("feature", _title(Path(file).stem.removeprefix("test_"))),
            *(("story", self._requirement(one)) for one in requirements or ("no requirement",)),
            ("parentSuite", "v2hrig"),
            ("suite", _title(suite)),
            ("subSuite", _title(Path(file).stem.removeprefix("test_"))),
            ("severity", min(found, key=_ORDER.index)),
            ("verdict", test.outcome),
            ("tag", self._run.kind),
            ("framework", "v2hrig"),
            ("language", "python"),
            ("package", file.removesuffix(".py").replace("/", ".")),
        ]
        if self._info:
            rows.append(("host", self._info.host))
        return [{"name": name, "value": visible(value)} for name, value in rows]

    def _requirement(self, id: str) -> str:
        asked = self._run.requirements.get(id)
        return f"{id} {asked.doc.title}" if asked else id

    def _attachments(self, test: Test, uid: str) -> list[Facts]:
        """Each picture; of a test that did not pass the captures too: its bus as a log, its waveforms as they are."""
        rows = [self._picture(one, f"{uid}-{k}") for k, one in enumerate(self._drawn.get(test.index, ())) if one.image]
        if test.outcome not in ("PASS", "NOT RUN"):
            for k, stored in enumerate(test.captures):
                if stored.file not in self._wrong:
                    rows.append(self._capture(stored, f"{uid}-c{k}"))
            if frames := self._frames(test):
                rows.append(self._bus(frames, "CAN while the test ran, candump log", f"{uid}-bus"))
        return rows

    def _picture(self, drawn: Drawn, name: str) -> Facts:
        file = f"{name}-attachment.svg"
        assert drawn.image is not None
        (self._out / file).write_text(standalone(drawn.image), "utf-8")
        return {"name": visible(drawn.picture.title), "source": file, "type": "image/svg+xml"}

    def _capture(self, stored: CaptureStored, name: str) -> Facts:
        if stored.kind == "can":
            return self._bus(list(read_can(self._folder, stored)), f"{stored.name}, candump log", name)
        file = f"{name}-attachment.arrow"
        shutil.copyfile(self._folder / stored.file, self._out / file)
        told = visible(f"{stored.name}, {stored.kind}, Arrow file")
        return {"name": told, "source": file, "type": "application/vnd.apache.arrow.file"}

    def _frames(self, test: Test) -> list[Row]:
        """Of the bus while the test ran, from the log of its part of the run. A log is read once."""
        if self._buses is None:
            stored = [one for one in self._run.outside.captures if one.kind == "can" and one.file not in self._wrong]
            where = parts(self._run)
            self._buses = {where[one.sha256]: read_can_table(self._folder, one) for one in stored}
        if (log := self._buses.get(test.part)) is None:
            return []
        until = math.nextafter(test.begun + test.seconds, math.inf)
        low, high = np.searchsorted(log.column("t").to_numpy(), (test.begun, until))
        rows = log.slice(int(low), int(high - low))
        return list(zip(*(column.to_pylist() for column in rows.columns), strict=True))

    def _bus(self, frames: list[Row], title: str, name: str) -> Facts:
        file = f"{name}-attachment.log"
        lines = [candump_line(t, Frame(id, data)) for t, _, id, data in frames]
        (self._out / file).write_text("".join(lines), "ascii")
        return {"name": visible(title), "source": file, "type": "text/plain"}

    def _executor(self) -> Facts:
        info = self._info
        told = {"name": f"v2hrig on {info.host}" if info else "v2hrig", "type": "v2hrig"}
        if info:
            told["buildName"] = f"{info.run}, {info.begun}"
        return {key: visible(value) for key, value in told.items()}

    def _environment(self) -> Iterable[tuple[str, str]]:
        run, info = self._run, self._info
        line, _ = summary.why(run)
        yield "Result", f"{run.verdict}: {line}"
        yield "Bench", f"{summary.kind(run).word}. {summary.kind(run).line}"
        if run.start:
            item = run.start.item
            yield "Item", " ".join(filter(None, (item.maker, item.model, item.serial, item.firmware))) or item.name
            yield "Profile", run.start.profile
            yield "Catalogue", run.start.catalogue[:16]
            yield "Seed", str(run.start.seed)
            yield "Rig", run.start.rig
        if info:
            yield "Run", info.run
            yield "Commit", info.commit
            yield "Python", info.python
        yield "Bench.time", numbers.span(run.seconds)
        yield "Journal", run.reading.head[:16] + (" DOES NOT VERIFY" if run.reading.flaw or run.seal else "")


def _begun(info: RunInfo | None) -> float:
    """s since 1970 UTC at which bench time began; 0 where nobody says."""
    try:
        return datetime.fromisoformat(info.begun).timestamp() if info else 0.0
    except ValueError:
        return 0.0


def _described(test: Test, run: Run) -> str:
    """Markdown: the procedure as it was written, in a block where nothing of it can act."""
    body = visible(test.start.procedure).replace("```", "'''")
    kind = summary.kind(run)
    tag = f"**{kind.word}.** {kind.line}\n\n" if run.kind != "hardware" else ""
    return f"{tag}```\n{body}\n```" if body else tag.strip()


def _details(test: Test) -> Facts:
    """message: the verdict and why. trace: every judgement that is no PASS, every rule broken, every incident."""
    judged = [one for value in test.values for one in value.judged if one.verdict != "PASS"]
    broken = [one for one in test.rules if one.state == "broken"]
    lines = [f"{one.verdict}  {one.requirement} {one.reason}" for one in judged]
    lines += [f"broken  {one.rule} ({one.duty}): {one.message or one.title}" for one in broken]
    lines += [f"incident  {one.kind}: {one.what} (fault of the {one.fault})" for _, one in test.incidents]
    reason = test.reason or next((one.reason for one in judged), "") or next((one.message for one in broken), "")
    told = {"message": visible(f"{test.outcome}: {reason or 'no reason given'}")}
    return told | ({"trace": visible("\n".join(lines))} if len(lines) > 1 else {})


def _link(requirement: str) -> Facts:
    """Into the HTML report of the run, for an Allure report that stands beside it."""
    return {"type": "tms", "name": visible(requirement), "url": f"../report.html#r-{_key(requirement)}"}


def _title(name: str) -> str:
    """transfer_timing -> Transfer timing."""
    return name.replace("_", " ").capitalize()


def _categories() -> list[Facts]:
    return [
        {"name": name, "matchedStatuses": [STATUS[word]], "messageRegex": f"(?s){word}: .*"}
        for word, name in CATEGORIES
        if word != "PASS"
    ]


def _config(run: Run, info: RunInfo | None) -> Facts:
    rules = [{"name": name, "matchers": {"labels": {"verdict": f"^{word}$"}}} for word, name in CATEGORIES]
    told = " · ".join(filter(None, (summary.kind(run).word, info.run if info else "")))
    options = {"groupBy": ["epic", "story"], "reportLanguage": "en"}
    return {
        "name": visible(told),
        "categories": {"rules": rules},
        "historyPath": "./allure-history.jsonl",
        "plugins": {"awesome": {"options": options}},
    }


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:32]


def _key(text: str) -> str:
    return "".join(one if one.isascii() and (one.isalnum() or one in ".-_") else "_" for one in text)


def _escaped(text: str) -> str:
    """A value of a properties file."""
    return visible(text).replace("\\", "\\\\").replace("\n", " ").strip()
