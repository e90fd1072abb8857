"""A small finished run in a folder, without a bench: what sealing, verifying and reopening are tried on."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from rig.evidence.captures import Captures
from rig.evidence.documents import (
    BenchDescribed,
    Bounds,
    Calibration,
    Document,
    Item,
    Judged,
    Measured,
    NotRun,
    Part,
    PartIdentity,
    Required,
    RunStart,
    RunStop,
    TestStart,
    TestStop,
)
from rig.evidence.journal import Journal
from rig.evidence.run_info import RunInfo, write_run_info

TESTS = ("suites/a.py::one", "suites/a.py::two", "suites/a.py::three", "suites/a.py::four")
START = RunStart(
    seed=3, bench="desk", profile="leaf", catalogue="c" * 64, suites=("a",), item=Item(name="EVPS", serial="S1"),
    rig="0.1", tests=TESTS,
)  # fmt: skip
BENCH = BenchDescribed(
    kind="hardware", clock="real", digest="b" * 64,
    parts=(Part(name="battery", driver="d", resource="TCPIP::10.0.0.7::INSTR", emulated=False, met_hardware=True,
                identity=PartIdentity(maker="EA", model="PSB", serial="77", firmware="2"),
                calibration=Calibration(until="2027-01-31", certificate="C-9")),),
)  # fmt: skip
ASKED = tuple(
    Required(id=id, title="t", stated="1 s", source="s", confidence="high", claim="conforms", selected=True)
    for id in ("A-1", "A-2")
)
HEAD: tuple[Document, ...] = (START, BENCH, *ASKED)


def procedure(name: str, n: int, word: Literal["PASS", "FAIL"]) -> tuple[Document, ...]:
    """A test with one judgement. n: journal number its Measured will have."""
    judged = Judged(
        requirement="A-1", quantity="t", verdict=word, measurement=n, limit=Bounds(max=1.0), acceptance=Bounds(max=1.0),
        expanded=0.1, k=2.0, rule="r", claim="c", margin=0.5, probability=1.0, reason="",
    )  # fmt: skip
    return (
        TestStart(test=name, title=name, requirements=("A-1",), suite="a"),
        Measured(name="t", value=0.5, unit="s", u=0.05, requirement="A-1"),
        judged,
        TestStop(test=name, outcome=word, counts={word: 1}, seconds=1.0, kept=("R1",)),
    )


FINISHED: tuple[Document, ...] = (
    *HEAD,
    *procedure(TESTS[0], 6, "PASS"),
    *procedure(TESTS[1], 10, "FAIL"),
    NotRun(subject="test", id=TESTS[2], reason="no digitizer"),
    *procedure(TESTS[3], 15, "PASS"),
)
END = RunStop(status="completed")


def write(folder: Path, documents: tuple[Document, ...]) -> Path:
    """Write a run of these documents, a capture after its head, with a run.json and a report."""
    journal = Journal(folder, lambda: 12.5)
    captures = Captures(journal)
    for number, doc in enumerate(documents):
        if number == len(HEAD):
            captures.series("slow", [0.0, 1.0], {"u": [400.0, 401.0]}, {"u": "V"})
        journal.append(doc)
    journal.close()
    write_run_info(folder, RunInfo(run="r", begun="2026-11-25T09:00:00+00:00", bench="desk", packages={"numpy": "2"}))
    (folder / "report.html").write_text("<!doctype html><p>report</p>")
    return folder
