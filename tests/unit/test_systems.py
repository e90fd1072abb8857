"""Expectations of systems: kept, and not kept in every way there is; and the file of the house names what there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.library import REQUIREMENTS, SYSTEMS, find_bench
from rig.chademo.rules import ALL
from rig.errors import BenchConfigError
from rig.evidence.documents import Bounds, Document, Judged, RuleFound, RunStop, TestStop
from rig.requirements import read_catalogue
from rig.systems import System, read_systems

GOOD = System(name="good", bench="b", says="it is good", passes=("X-001",))
BAD = System(name="bad", bench="b", says="it is bad", passes=("X-001",), fails={"X-002": "why"}, breaks={"R-A": "why"})
END = RunStop(status="completed")


def judged(id: str, verdict: str) -> Judged:
    bounds = Bounds(unit="1", max=1.0)
    return Judged(
        requirement=id, quantity="q", verdict=verdict, measurement=0, limit=bounds, acceptance=bounds, expanded=0.0,
        k=2.0, rule="", claim="", margin=0.0, probability=1.0, reason="",
    )  # type: ignore[arg-type] # fmt: skip


def broken(rule: str, duty: str = "charger") -> RuleFound:
    return RuleFound(rule=rule, title="", state="broken", duty=duty, source="", confidence="")  # type: ignore[arg-type]


def stopped(outcome: str) -> TestStop:
    return TestStop(test="t", outcome=outcome)  # type: ignore[arg-type]


PASSED = judged("X-001", "PASS")


@pytest.mark.parametrize(
    ("system", "documents", "words"),
    [
        (GOOD, (PASSED, stopped("PASS"), END), ""),
        (GOOD, (PASSED, stopped("NOT RUN"), END), ""),
        (GOOD, (PASSED, broken("R-V", "vehicle"), END), ""),
        (GOOD, (PASSED,), "did not come to its end"),
        (GOOD, (END,), "X-001: PASS expected, no verdict"),
        (GOOD, (PASSED, judged("X-001", "FAIL"), END), "X-001: PASS expected, FAIL and PASS found"),
        (GOOD, (PASSED, judged("X-009", "FAIL"), END), "X-009: FAIL found and nobody expected it"),
        (GOOD, (PASSED, judged("X-009", "INCONCLUSIVE"), END), "X-009: INCONCLUSIVE found"),
        (GOOD, (PASSED, broken("R-A"), END), "R-A: broken and nobody expected it"),
        (GOOD, (PASSED, stopped("FAIL"), END), "t: FAIL"),
        (GOOD, (PASSED, stopped("ERROR"), END), "t: ERROR"),
        (BAD, (PASSED, judged("X-002", "FAIL"), broken("R-A"), stopped("FAIL"), END), ""),
        (BAD, (PASSED, judged("X-002", "PASS"), broken("R-A"), END), "X-002: FAIL expected, PASS found"),
        (BAD, (PASSED, broken("R-A"), END), "X-002: FAIL expected, no verdict found"),
        (BAD, (PASSED, judged("X-002", "FAIL"), END), "R-A: should be broken and is not"),
        (BAD, (PASSED, judged("X-002", "FAIL"), broken("R-A"), stopped("INVALID"), END), "t: INVALID"),
    ],
)
def test_what_differs_is_told(system: System, documents: tuple[Document, ...], words: str) -> None:
    said = system.differs(documents)
    assert (len(said) == 1 and words in said[0]) if words else said == ()


def test_the_systems_of_the_house_name_what_there_is() -> None:
    rules, known = {rule.id for rule in ALL}, read_catalogue(REQUIREMENTS).requirements
    systems = read_systems(SYSTEMS)
    for one in systems:
        assert find_bench(one.bench).is_file(), one.name
        assert {*one.passes, *one.fails} <= known.keys(), one.name
        assert one.breaks.keys() <= rules, one.name
    assert sum(one.bad for one in systems) >= 1


def test_a_wrong_file_is_told_whole(tmp_path: Path) -> None:
    path = tmp_path / "systems.toml"
    path.write_text(
        '[[system]]\nname = "a"\nbench = "b"\nsays = "s"\npasses = ["X-001"]\nfails = { "X-001" = "why" }\n'
        '[[system]]\nname = "a"\nbench = "b"\nsays = "s"\npasses = []\n[[system]]\nname = "c"\nbench = 3\n'
    )
    with pytest.raises(BenchConfigError) as told:
        read_systems(path)
    words = str(told.value)
    for part in ("X-001 must pass and must fail", "a: stands twice", "c: bench:", "c: passes: is missing"):
        assert part in words
