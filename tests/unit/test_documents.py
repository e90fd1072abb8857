"""The journal's vocabulary: every kind of document survives the way through the file, and only what was declared."""

from __future__ import annotations

import types
import typing
from pathlib import Path

import msgspec
import pytest

from rig.errors import UseError
from rig.evidence import documents as d
from rig.evidence.journal import Journal, read_journal

BOUNDS = d.Bounds(min=None, max=0.5, unit="s")
FULL: tuple[d.Document, ...] = (
    d.RunStart(seed=7, bench="desk", profile="leaf", catalogue="ab12", suites=("a", "b"), rig="0.1",
               item=d.Item(name="EVPS", maker="Nichicon", model="m", serial="1", firmware="2")),
    d.BenchDescribed(kind="mixed", clock="real", absent=("grid",), parts=(
        d.Part(name="house", driver="x", resource="emulated", identity=d.PartIdentity(maker="m"), emulated=True,
               met_hardware=False, calibration=d.Calibration(until="2027-03-31", certificate="c"), accuracy="a"),)),
    d.Required(id="XFR-001", title="t", stated="500 ms", source="s", confidence="S", claim="c", selected=True,
               rows=(d.Row(quantity="t", limit=BOUNDS, source="s"),)),
    d.TestStart(test="a::b[1]", title="t", requirements=("XFR-001",), procedure="p", suite="transfer"),
    d.Surroundings(fit=False, conditions=(d.Condition(quantity="ambient", state="outside", limit=BOUNDS, asked="row",
                   value=40.0, u=0.1, source="thermometer", reason="too hot"),)),
    d.Stimulus(what="open", values={"b": True, "i": 1, "f": 1.0, "s": "x"}, units={"f": "V"}),
    d.CaptureStored(name="n", file="captures/1.arrow", sha256="0" * 64, kind="waveform", start=0.0, rate=1.0, rows=1,
                    channels=(d.Channel(name="a", unit="V"),), note="n"),
    d.Measured(name="t", value=0.1, unit="s", u=0.01, of=("0" * 64,), at=1.0, source="s",
               budget=(d.BudgetLine(name="n", u=0.1, distribution="normal", source="s", sensitivity=-2.0),)),
    d.Judged(requirement="XFR-001", quantity="t", verdict="NOT RUN", measurement=6, limit=BOUNDS, acceptance=BOUNDS,
             expanded=0.02, k=2.0, rule="r", claim="c", margin=-0.1, probability=0.5, reason="x"),
    d.RuleFound(rule="r", title="t", state="broken", duty="charger", source="s", confidence="S", at=1.0, frame="109",
                requirements=("A",), value=1.0, limit=2.0, unit="A", message="m", count=3),
    d.SessionsSeen(sessions=1, spoiled=1, values={"lock_time": (0.5,)},
                   deviation=d.OutputDeviation(mean=-0.5, worst=-1.0, seconds=3.0)),
    d.ChargerCard(sessions=1, spoiled=0, versions=("2.0",), broken=("R-ANSWER",), course=(),
                  says=(d.CardRow(key="k", name="n", unit="s", where="102.0", least=0.1, median=0.2, most=0.3, count=3,
                                  flag=True, rule="R-ANSWER", says="t", state="kept"),),
                  deviation=d.OutputDeviation(mean=-0.5, worst=-1.0, seconds=3.0)),
    d.Picture(name="p", title="t", kind="transfer", captures=("0" * 64,), caption="c", requirements=("A",), start=1.0,
              panels=(d.Panel(title="p", unit="V", traces=(d.Trace(channel="a", role="limit", step=True),),
                              levels=(d.Level(value=1.0),), bands=(d.Band(low=0.0, high=1.0),), low=0.0),),
              spans=(d.Span(start=0.0, end=1.0, tone="bad"),), edges=(d.Edge(at=0.5, label="e"),)),
    d.Incident(kind="lost", what="w", fault="use"),
    d.SafeStateReached(confirmed=False, readings=("I = 0 A",)),
    d.TestStop(test="t", outcome="ERROR", counts={"PASS": 2}, seconds=1.5, reason="r"),
    d.NotRun(subject="requirement", id="A", reason="r"),
    d.RunStop(status="aborted", reason="r"),
    d.Resumed(part=2, head="0" * 64, lines=4, kept=("t",), torn=7, aside="a"),
)  # fmt: skip


def test_every_kind_is_here() -> None:
    assert {type(doc) for doc in FULL} == set(typing.get_args(d.Document))


@pytest.mark.parametrize("doc", FULL, ids=lambda doc: type(doc).__name__)
def test_every_kind_comes_back_whole(tmp_path: Path, doc: d.Document) -> None:
    journal = Journal(tmp_path / "run", lambda: 0.0)
    journal.append(doc)
    journal.close()
    (back,) = read_journal(journal.folder).documents
    assert back == doc
    assert type(back) is type(doc)


@pytest.mark.parametrize("doc", FULL, ids=lambda doc: type(doc).__name__)
def test_a_document_is_a_value(doc: d.Document) -> None:
    with pytest.raises(AttributeError):
        setattr(doc, doc.__struct_fields__[0], None)


@pytest.mark.parametrize("doc", FULL, ids=lambda doc: type(doc).__name__)
def test_an_unknown_or_missing_field_is_noticed(doc: d.Document) -> None:
    plain = msgspec.to_builtins(doc)
    assert plain["type"] == type(doc).__name__
    assert msgspec.convert(plain, d.Document) == doc
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.convert({**plain, "wall_time": 1}, d.Document)
    needed = next(field.name for field in msgspec.structs.fields(doc) if field.required)
    with pytest.raises(msgspec.ValidationError, match="missing required field"):
        msgspec.convert({key: value for key, value in plain.items() if key != needed}, d.Document)


WRONG: tuple[tuple[type, dict[str, object]], ...] = (
    (d.RunStop, {"status": "fine"}),
    (d.Incident, {"kind": "k", "what": "w", "fault": "device"}),
    (d.Measured, {"name": "n", "value": "0.1", "unit": "s", "u": 0.1}),
    (d.Measured, {"name": "n", "value": True, "unit": "s", "u": 0.1}),
    (d.Measured, {"name": 1, "value": 0.1, "unit": "s", "u": 0.1}),
    (d.SafeStateReached, {"confirmed": 1}),
    (d.NotRun, {"subject": "bench", "id": "i", "reason": "r"}),
)


@pytest.mark.parametrize(("kind", "fields"), WRONG)
def test_a_malformed_document_is_refused_by_the_journal(
    tmp_path: Path, kind: type[d.Fact], fields: dict[str, object]
) -> None:
    journal = Journal(tmp_path / "run", lambda: 0.0)
    with pytest.raises(UseError, match=rf"{kind.__name__} for the journal: .*mend the value"):
        journal.append(kind(**fields))  # type: ignore[arg-type]
    assert journal.count == 0
    journal.close()


def test_no_document_has_a_place_for_what_differs_between_two_runs_of_a_seed() -> None:
    """Wall time, host, user and absolute paths stand in run.json."""
    names = {field.name for doc in FULL for field in msgspec.structs.fields(doc)}
    assert not names & {"host", "user", "wall", "wall_seconds", "begun", "ended", "pid", "path", "commit"}


def test_the_contribution_of_a_budget_line_has_no_sign() -> None:
    line = d.BudgetLine(name="n", u=0.1, distribution="normal", source="s", sensitivity=-2.0)
    assert line.contribution == pytest.approx(0.2)


def test_the_module_declares_nothing_that_is_no_document_or_value() -> None:
    made = [one for one in vars(d).values() if isinstance(one, type) and one.__module__ == d.__name__]
    assert all(issubclass(one, d.Fact | d.Value) for one in made)
    assert not any(isinstance(one, types.FunctionType) for one in vars(d).values())
