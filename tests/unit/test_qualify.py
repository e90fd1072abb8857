"""The plan of a qualification, its search, its sums and its files, with work that is made up."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from reports.qualification import cells, render
from rig.errors import TraceError, UseError
from rig.qualify.bench_file import planted
from rig.qualify.campaign import Campaign
from rig.qualify.cases import Case
from rig.qualify.ledger import Ledger, pack
from rig.qualify.qualification import Good, Qualification, read_qualification
from rig.qualify.rates import upper_bound
from rig.qualify.search import Search
from rig.qualify.units import Found, Plant, Result, Unit

A, B, C, D = (f"suites/x/test_x.py::test_{name}" for name in "abcd")
TESTS = {
    "quick": {A: ("R-1",), B: ("R-2",)},
    "normal": {A: ("R-1",), B: ("R-2",), C: ("R-3",)},
    "full": {A: ("R-1",), B: ("R-2",), C: ("R-3",), D: ("R-3",)},
}


class Here:
    """A pool of no processes."""

    lost = 0
    workers = 1

    def __init__(self) -> None:
        self.ran: list[Unit] = []

    def run(self, work: Callable[[Unit], Any], units: Sequence[Unit]) -> Iterator[tuple[Unit, Any]]:
        for unit in units:
            self.ran.append(unit)
            yield unit, work(unit)


def case(name: str, *breaks: str, nil: float | None = None, kind: str = "device", beyond: str = "") -> Case:
    plants = (Plant("charger", "defects", f'["{name}"]'),)
    return Case(name, kind, f"it is {name}", breaks, 10.0, nil, "A", lambda _: plants, beyond=beyond)  # type: ignore[arg-type]


def found(test: str, value: float, u: float = 0.5) -> Found:
    verdict = "FAIL" if value > 1.0 + u else "PASS"
    return Found(
        test=test, requirement="R-1", quantity="over", verdict=verdict, value=value, minimum=None, maximum=1.0,
        expanded=u, unit="A",
    )  # fmt: skip


def work(unit: Unit) -> Result:
    """A catches "scaled" where more than 1.5 A are over; C catches "deep"; D "deeper"; B doubts "crooked"."""
    names = unit.tests or tuple(TESTS[unit.depth])
    outcomes, judged = {}, []
    for name in names:
        bad = (
            (unit.case == "scaled" and name == A and (unit.severity or 0.0) > 1.5)
            or (unit.case == "deep" and name == C)
            or (unit.case == "deeper" and name == D)
        )
        outcomes[name] = "FAIL" if bad else "INVALID" if unit.case == "crooked" and name == B else "PASS"
        if unit.case == "scaled" and name == A:
            judged.append(found(name, unit.severity or 0.0))
        if unit.first and outcomes[name] != "PASS":
            break
    return Result(unit=unit.id, outcomes=outcomes, found=tuple(judged), bench_seconds=1.0)


def campaign(**more: Any) -> tuple[Campaign, Here]:
    pool = Here()
    return Campaign(pool, work, TESTS, lambda _: None, **more), pool  # type: ignore[arg-type]


def test_a_case_climbs_until_it_is_caught_and_what_was_tried_is_known() -> None:
    plan, pool = campaign()
    near, deep, deeper, never = plan.cases(
        [case("scaled", "R-1", nil=0.0), case("deep", "R-2"), case("deeper", "R-3"), case("never", "R-1")]
    )
    assert (near.kills, near.depth, near.tried) == ((A,), "quick", (A,))
    assert (deep.kills, deep.depth, deep.tried) == ((C,), "normal", (B, A, C))
    assert (deeper.kills, deeper.depth) == ((D,), "full")
    assert (never.kills, never.depth, set(never.tried)) == ((), "", {A, B, C})
    assert all(unit.plants for unit in pool.ran)


def test_in_full_every_case_meets_every_procedure_of_quick_depth() -> None:
    plan, pool = campaign(full=True, steps=0)
    caught = plan.cases([case("scaled", "R-1", nil=0.0), case("never", "R-2")])
    assert all({A, B} <= set(one.tried) for one in caught)
    assert [unit.tests for unit in pool.ran if unit.depth == "quick"] == [(), ()]


def test_the_threshold_is_bracketed_and_its_witness_lies_near_the_limit() -> None:
    plan, _ = campaign(steps=12)
    (one,) = plan.cases([case("scaled", "R-1", nil=0.0)])
    threshold = one.threshold
    assert threshold is not None
    assert threshold.witness is not None
    assert threshold.missed <= 1.5 < threshold.caught
    assert 0.5 < threshold.witness.beyond() <= 2.0 * threshold.witness.expanded
    assert threshold.tried < 12


def test_an_instrument_is_caught_by_a_doubt_and_a_device_is_not() -> None:
    plan, _ = campaign(steps=0)
    (device,) = plan.cases([case("crooked", "R-2")])
    again, _ = campaign(steps=0)
    (instrument,) = again.cases([case("crooked", "R-2", kind="instrument")])
    assert not device.caught
    assert instrument.caught
    assert not instrument.blamed
    assert instrument.doubts == (B,)


def qualification(**more: Any) -> Qualification:
    plan, _ = campaign(full=True, steps=2)
    cases = plan.cases([case("scaled", "R-1", nil=0.0), case("never", "R-1"), case("told", "R-1", beyond="no row")])
    common: dict[str, Any] = {
        "bench": "emulated", "profile": "", "depth": "quick", "full": True, "version": "1", "catalogue": "c" * 64,
        "workers": "here", "tests": (A, B), "cases": cases, "good": Good(seeds=2, judged=200), "units": 3,
        "bench_seconds": 3.0, "wall_seconds": 1.0,
    }  # fmt: skip
    return Qualification(**{**common, **more})


def test_the_sums_of_a_qualification() -> None:
    q = qualification()
    assert [one.name for one in q.missed] == ["never"]
    assert [one.name for one in q.expected] == ["scaled", "never"]
    assert q.singles == {"scaled": A}
    assert q.catches()[A] == ["scaled"]
    assert q.idle() == [B]
    assert cells(q)["scaled"].startswith("ks")


def test_what_was_not_tried_is_no_survivor() -> None:
    plan, _ = campaign(steps=0)
    q = qualification(cases=plan.cases([case("scaled", "R-1", nil=0.0)]), full=False)
    assert cells(q)["scaled"] == "k-"
    assert q.idle() == []


def test_a_qualification_is_read_as_it_was_written(tmp_path: Path) -> None:
    q = qualification()
    q.write(tmp_path)
    assert read_qualification(tmp_path) == q
    (tmp_path / "qualification.json").write_text("{}")
    with pytest.raises(UseError, match="no qualification"):
        read_qualification(tmp_path)


def test_the_page_says_what_was_missed_and_asks_nobody() -> None:
    page = render(qualification())
    assert "it is never" in page
    assert "no row" in page
    assert "http" not in page.replace("http-equiv", "")
    assert "<script" not in page


@given(st.integers(0, 40), st.integers(1, 2000))
def test_the_bound_is_the_rate_at_which_so_few_events_are_just_as_rare(events: int, more: int) -> None:
    trials = events + more
    bound = upper_bound(events, trials)
    assert binom.cdf(events, trials, bound) == pytest.approx(0.05, rel=1e-6)
    assert upper_bound(events + 1, trials) > bound


def test_the_bound_of_no_event_is_the_rule_of_three() -> None:
    assert upper_bound(0, 1000) == pytest.approx(3.0 / 1000, rel=0.01)
    assert upper_bound(0, 0) == 1.0
    with pytest.raises(UseError):
        upper_bound(2, 1)


@given(st.floats(-50.0, 50.0), st.floats(-50.0, 50.0), st.floats(0.0, 1.0))
def test_a_search_brackets_the_edge(nil: float, gross: float, place: float) -> None:
    edge = nil + (gross - nil) * place
    search = Search(nil, gross, steps=20)
    while (severity := search.next()) is not None:
        search.tell(severity, abs(severity - nil) >= abs(edge - nil))
    low, high = sorted((search.missed, search.caught))
    assert low - 1e-9 <= edge <= high + 1e-9
    if min(nil, gross) <= 0.0 or max(nil, gross) <= 20.0 * min(nil, gross):
        assert high - low <= abs(gross - nil) * 2.0**-19 + 1e-9


def test_a_search_over_decades_goes_by_ratio_and_ends_when_told() -> None:
    search = Search(3600.0, 1.0, steps=9)
    assert search.next() == pytest.approx(60.0)
    search.tell(60.0, True, enough=True)
    assert search.next() is None
    assert (search.caught, search.missed) == (60.0, 3600.0)


BENCH = "[bench]\nname = 'b'\n\n[charger]\ndriver = 'evps'\n\n[battery]\ndriver = 'x'\n"


def test_a_bench_file_is_planted_in_its_own_table() -> None:
    plants = (Plant("charger", "defects", '["a"]'), Plant("battery", "misreads", "{ u = 1 }"))
    text = planted(BENCH, (*plants, Plant("charger", "defects", '["b=2"]')))
    assert '[charger]\ndefects = ["a", "b=2"]\ndriver' in text
    assert "[battery]\nmisreads = { u = 1 }\n" in text


@pytest.mark.parametrize(
    ("text", "plants"),
    [
        (BENCH, [Plant("grid", "misreads", "{}")]),
        (BENCH.replace("'evps'", "'evps'\ndefects = []"), [Plant("charger", "defects", "[]")]),
        (BENCH, [Plant("battery", "misreads", "{ u = 1 }"), Plant("battery", "misreads", "{ i = 1 }")]),
    ],
)
def test_what_cannot_be_planted_is_refused(text: str, plants: list[Plant]) -> None:
    with pytest.raises(UseError):
        planted(text, plants)


def delivered(tmp_path: Path, seed: int) -> Any:
    unit = Unit(seed=seed)
    folder = tmp_path / f"sent-{seed}"
    folder.mkdir()
    (folder / "run-bench.toml").write_text("x = 1\n")
    return pack(unit, Result(unit=unit.id, outcomes={A: "PASS"}), folder)


def test_evidence_is_taken_in_once_and_stands_when_the_farm_goes_on(tmp_path: Path) -> None:
    ledger, first = Ledger(tmp_path / "farm"), delivered(tmp_path, 1)
    assert ledger.take(first)
    assert not ledger.take(first)
    assert ledger.twice == 1
    (tmp_path / "farm" / "half.part").mkdir()
    again = Ledger(tmp_path / "farm")
    assert again.taken == {first.unit: first.result}
    assert not (tmp_path / "farm" / "half.part").exists()
    assert (tmp_path / "farm" / first.unit / "run-bench.toml").read_text() == "x = 1\n"


def test_evidence_that_is_not_what_was_sent_is_not_taken_in(tmp_path: Path) -> None:
    ledger, good = Ledger(tmp_path / "farm"), delivered(tmp_path, 1)
    with pytest.raises(TraceError, match="not what was sent"):
        ledger.take(msgspec.structs.replace(good, archive=good.archive + b"\0"))
    assert ledger.taken == {}


def test_an_archive_cannot_leave_its_folder(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        tar.addfile(tarfile.TarInfo("../outside"), io.BytesIO())
    good = delivered(tmp_path, 1)
    import hashlib

    bad = msgspec.structs.replace(good, archive=buffer.getvalue(), digest=hashlib.sha256(buffer.getvalue()).hexdigest())
    with pytest.raises(tarfile.FilterError):
        Ledger(tmp_path / "farm").take(bad)
    assert not (tmp_path / "outside").exists()


def test_a_unit_has_the_same_id_everywhere_and_another_one_when_anything_differs() -> None:
    unit = Unit(seed=1, case="a", plants=(Plant("charger", "defects", '["a"]'),))
    assert msgspec.json.decode(msgspec.json.encode(unit), type=Unit).id == unit.id
    others = {Unit(seed=2).id, Unit(seed=1).id, Unit(seed=1, depth="full").id, unit.id}
    assert len(others) == 4
