"""`python -m benchmarks.true_reports [RUN]`: is a report of a run that was killed at any moment true to its journal?

What a SIGKILL leaves of a run is the first so many bytes of its journal and the captures it had told of: whatever was
written is the operating system's. So the journal of a real run is cut after every line and inside lines, and of each
piece the reports are made and read back as text. What they must say is worked out here from the piece's bytes as JSON,
by none of the code that makes reports: which tests, how each came out, every measured value with its unit to the last
digit shown, every verdict, and that a run without its end is no PASS. Without RUN a short one is made.
"""

from __future__ import annotations

import argparse
import html
import json
import math
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pypdf

from reports.formats import FORMATS, write_reports
from rig.clock import Stopwatch

TOP = Path(__file__).parents[1]
SOME = ("--suite", "transfer_timing", "-k", "test_closes_in_step and nominal")
SYMBOLS = {"1": "", "degC": "°C", "deg": "°", "ohm": "Ω"}
"""How a unit is printed, where not as itself."""
PREFIX = {"": 1.0, "n": 1e-9, "µ": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9}
CUT = "ERROR"
"""What a test is that its journal ends in."""
ENOUGH = 20
"""Things that must not be after which no more is tried (project choice)."""
NUMBER = re.compile(r"\(?(-?[\d.]+(?:e[-+]?\d+)?)(?: ± [\d.e+-]+\)?)?(.*)")


@dataclass
class Told:
    """A test as a journal tells it. measured: line number, value, unit. judged: line number of what was judged,
    requirement, quantity, verdict."""

    name: str
    outcome: str = CUT
    measured: list[tuple[int, float, str]] = field(default_factory=list)
    judged: list[tuple[int, str, str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Piece:
    """What a journal tells. completed: it says that the run came to its end. digests: of its lines, by number."""

    tests: list[Told]
    completed: bool
    digests: dict[int, str]


def read(raw: bytes) -> Piece:
    """A journal of one part."""
    tests, completed, digests = list[Told](), False, dict[int, str]()
    for line in raw.split(b"\n")[:-1]:
        told = json.loads(line)
        doc, n = told["doc"], told["n"]
        digests[n] = told["sha"]
        match doc["type"]:
            case "TestStart":
                tests.append(Told(doc["test"]))
            case "TestStop":
                tests[-1].outcome = doc["outcome"]
            case "Measured" if tests and tests[-1].outcome == CUT:
                tests[-1].measured.append((n, _float(doc["value"]), doc["unit"]))
            case "Judged" if tests and tests[-1].outcome == CUT:
                tests[-1].judged.append((doc["measurement"], doc["requirement"], doc["quantity"], doc["verdict"]))
            case "NotRun" if doc["subject"] == "test" and doc["id"] not in {one.name for one in tests}:
                tests.append(Told(doc["id"], "NOT RUN"))
            case "RunStop":
                completed = doc["status"] == "completed"
    return Piece(tests, completed, digests)


def _float(value: Any) -> float:
    return float(value["~float"]) if isinstance(value, dict) else float(value)


def same(shown: str, value: float, unit: str) -> bool:
    """Whether a printed value is this one, to half of its last digit."""
    found = NUMBER.fullmatch(shown.strip())
    if not math.isfinite(value):
        return found is None  # in words: never, unbounded, no number
    if found is None:
        return False
    digits, name = found[1], (found[2] or "").strip()
    symbol = SYMBOLS.get(unit, unit)
    if not name.endswith(symbol) or (prefix := name.removesuffix(symbol)) not in PREFIX:
        return False
    scale = PREFIX[prefix]
    mantissa, _, exponent = digits.partition("e")
    last = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    return abs(float(digits) * scale - value) <= 0.5000001 * last * scale + 1e-12 * abs(value)


def junit(path: Path, told: Piece) -> Iterator[str]:
    """What JUnit says otherwise."""
    top = Xml.parse(path).getroot()
    cases = {f"{one.get('file')}::{one.get('name')}": one for one in top.iter("testcase") if one.get("file")}
    yield from _differ("tests", sorted(cases), sorted(one.name for one in told.tests))
    for test in told.tests:
        facts = [(one.get("name", ""), one.get("value", "")) for one in cases[test.name].iter("property")]
        yield from _differ(test.name, dict(facts)["verdict"], test.outcome)
        words = [(name.removeprefix("verdict."), text.partition(",")[0]) for name, text in facts if "verdict." in name]
        asked = [(f"{req}.{what}", word) for _, req, what, word in test.judged]
        yield from _differ(f"{test.name}: judged", sorted(words), sorted(asked))
        judged = {n for n, *_ in test.judged}
        values = [text for name, text in facts if name.startswith("measurement.")]
        wanted = [(value, unit) for n, value, unit in test.measured if n in judged]
        yield from _values(test.name, values, wanted)
    run = next(one for one in top.iter("testsuite") if one.get("name") == "run")
    verdict = next(one.get("value") for one in run.iter("property") if one.get("name") == "verdict")
    if not told.completed and verdict == "PASS":
        yield "a run without its end is a PASS"


def page(path: Path, told: Piece) -> Iterator[str]:
    """What the HTML report says otherwise."""
    text = path.read_text("utf-8")
    rows = re.findall(r'<details class="test row" id="t-(\d+)" data-verdict="([A-Z ]+)"', text)
    outcomes = [word for _, word in sorted(rows, key=lambda row: int(row[0]))]
    yield from _differ("tests", outcomes, [test.outcome for test in told.tests])
    shown = {
        int(n): html.unescape(re.sub(r"<[^>]+>", "", value))
        for n, value in re.findall(r'id="m-(\d+)">.*?(?:<span class="num">|<b>)(.*?)(?:</span>|</b>)', text, re.S)
    }
    wanted = {n: (value, unit) for test in told.tests for n, value, unit in test.measured}
    outside = shown.keys() - wanted.keys()
    yield from _differ("values", sorted(shown.keys() - outside), sorted(wanted))
    for n, (value, unit) in wanted.items():
        if n in shown and not same(shown[n], value, unit):
            yield f"journal line {n}: shown as {shown[n]}, measured {value!r} {unit}"
    bad: dict[str, set[str]] = {}
    for test in told.tests:
        for _, requirement, _, word in test.judged:
            bad.setdefault(requirement, set()).add(word)
    for requirement, verdict in re.findall(r'id="r-([^"]+)" data-verdict="([A-Z ]+)"', text):
        if verdict == "PASS" and bad.get(requirement, {"nothing judged"}) != {"PASS"}:
            yield f"{requirement} is a PASS, judged {bad.get(requirement)}"


def allure(path: Path, told: Piece) -> Iterator[str]:
    """What Allure's results say otherwise."""
    results = [json.loads(one.read_text("utf-8")) for one in path.glob("*-result.json")]
    good = sum(one["status"] == "passed" for one in results if one["fullName"] in {test.name for test in told.tests})
    yield from _differ("passed", good, sum(test.outcome == "PASS" for test in told.tests))


def paper(path: Path, told: Piece) -> Iterator[str]:
    """Whether the PDF lacks the line, digest or verdict of a judged value."""
    text = "".join("".join(one.extract_text().split()) for one in pypdf.PdfReader(path).pages).replace("\u200b", "")
    annex = text[text.rfind("AnnexA:alljudgedresults") :]
    for test in told.tests:
        for n, requirement, _, word in test.judged:
            row = f"{word.replace(' ', '')}.{{0,60}}?(?<![0-9]){n}{told.digests[n][:16]}"
            if not re.search(row, annex):
                yield f"{requirement}: no {word} with line {n} in annex A"


READERS = {"junit": junit, "html": page, "allure": allure, "pdf": paper}


def _differ(what: str, found: object, wanted: object) -> Iterator[str]:
    if found != wanted:
        yield f"{what}: reported {found}, the journal has {wanted}"


def _values(what: str, shown: Sequence[str], wanted: Sequence[tuple[float, str]]) -> Iterator[str]:
    if len(shown) != len(wanted) or not all(same(a, *b) for a, b in zip(shown, wanted, strict=True)):
        yield f"{what}: reported {list(shown)}, the journal has {list(wanted)}"


def differences(
    run: Path, lines: Iterable[int], into: Path, bytes_kept: Iterable[int] = (), to: Sequence[str] = ("junit", "html")
) -> list[str]:
    """Cut a run after so many of its lines, and after so many bytes; what its reports say otherwise, at most ENOUGH.

    run: of one part. into: a folder to make, gone again at the end. to: names of reports.formats that are read here.
    """
    raw = (run / "journal.jsonl").read_bytes()
    ends = [found.end() for found in re.finditer(b"\n", raw)]
    wrong = list[str]()
    for kept in [*(ends[n - 1] for n in lines), *bytes_kept]:
        _piece(run, raw[:kept], into)
        told = read(raw[:kept])
        for name in to:
            path = into / FORMATS[name]
            write_reports(into, [name], path)
            wrong += [f"cut after byte {kept}: {name}: {one}" for one in READERS[name](path, told)]
        shutil.rmtree(into)
        if len(wrong) >= ENOUGH:
            break
    return wrong


def _piece(run: Path, raw: bytes, into: Path) -> None:
    """A folder as a kill leaves it: captures as they stood, run.json without an end."""
    (into / "captures").mkdir(parents=True)
    for path in (run / "captures").iterdir():
        os.link(path, into / "captures" / path.name)
    (into / "journal.jsonl").write_bytes(raw)
    told = json.loads((run / "run.json").read_bytes())
    (into / "run.json").write_text(json.dumps(told | {"ended": "", "wall_seconds": 0.0}))


def main() -> None:
    """Cut, report, read, and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.true_reports", description=__doc__)
    parser.add_argument("run", nargs="?", type=Path, help="folder of a run of one part, not sealed")
    parser.add_argument("--lines", type=int, default=200, help="cuts after a line, evenly over the journal")
    parser.add_argument("--bytes", type=int, default=100, help="cuts inside a line, at random")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--to", default="junit,html,allure", help="and pdf, which takes long")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.run.parent if chosen.run else None) as place:
        run = chosen.run or Path(place) / "run"
        if chosen.run is None:
            command = [sys.executable, "-m", "rig.cli", "certify", "--out", str(run), *SOME]
            subprocess.run(command, cwd=TOP, stdout=subprocess.DEVNULL, check=False, timeout=600)
        raw = (run / "journal.jsonl").read_bytes()
        count = raw.count(b"\n")
        lines = sorted({max(1, round(count * (k + 1) / chosen.lines)) for k in range(chosen.lines)})
        inside = sorted(random.Random(chosen.seed).sample(range(1, len(raw)), min(chosen.bytes, len(raw) - 1)))
        watch = Stopwatch()
        wrong = differences(run, lines, Path(place) / "cut", inside, chosen.to.split(","))
    print(f"a journal of {count} lines, cut after {len(lines)} of them and inside {len(inside)}")
    print(f"{chosen.to} made and read back each time, {watch.seconds():.0f} s: {len(wrong)} differences")
    print("\n".join(wrong))
    raise SystemExit(bool(wrong))


if __name__ == "__main__":
    main()
