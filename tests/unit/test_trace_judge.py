"""A trace judged: timeline, facts, where a rule broke; and the command that prints it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from scripted_session import CLOSE, ENABLE, OFF, REQUEST, RUN, STOP, Story, charge_only, good, greeting
from typer.testing import CliRunner, Result

from rig.can.frame import Frame
from rig.chademo.codec import ChargerCapability, ChargerStatus, VehicleStatus
from rig.chademo.messages import CHARGER_IDS
from rig.chademo.rules import ALL
from rig.chademo.rules.rule import RuleState
from rig.chademo.session import Phase
from rig.cli.trace import app
from rig.errors import TraceError
from rig.trace import observer
from rig.trace.judge import SessionReport, TraceReport, judge_trace
from rig.trace.observer import Ramp
from rig.trace.writer import write_candump, write_gvret

P = Phase


def frames(story: Story) -> list[tuple[float, Frame]]:
    """What a bus recorder sees of a story: its frames, from 0 s."""
    heard = [(at, event) for at, event in story.stream() if isinstance(event, Frame)]
    return [(at - heard[0][0], frame) for at, frame in heard]


def report(story: Story) -> TraceReport:
    return judge_trace(frames(story))


def only_session(story: Story) -> SessionReport:
    (session,) = report(story).sessions
    return session


# -- timeline and facts


def test_the_timeline_of_a_session() -> None:
    session = only_session(good())
    assert [span.phase for span in session.phases] == [
        P.HANDSHAKE, P.ENABLED, P.LOCKED, P.INSULATION, P.TESTED, P.CLOSED, P.REQUESTED, P.STANDBY, P.CHARGING,
        P.STANDBY, P.DISCHARGING, P.STOPPING, P.WELD_CHECK, P.OPEN, P.UNLOCKED,
    ]  # fmt: skip
    assert all(a.end == b.start for a, b in zip(session.phases, session.phases[1:], strict=False))
    by_phase = {span.phase: span for span in session.phases}
    assert by_phase[P.INSULATION].voltage == 505
    charging, discharging = by_phase[P.CHARGING], by_phase[P.DISCHARGING]
    assert (charging.charge, charging.discharge, charging.request, charging.available) == (14, 0, 14, 15)
    assert (discharging.discharge, discharging.discharge_limit, discharging.available) == (10, 15, 0)
    assert charging.start == pytest.approx(RUN + 0.2 - 1.0 + 0.0653, abs=0.001)
    assert session.peaks.voltage == 505
    assert session.peaks.discharge == 10


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("vehicle_v2h", True),
        ("charger_v2h", True),
        ("target_voltage", 410),
        ("max_battery_voltage", 435),
        ("capacity", 22.2),
        ("charged_rate", 73),
        ("min_discharge_level", 30),
        ("max_charge_level", 80),
        ("offered_current", 15),
        ("threshold_voltage", 435),
        ("insulation_voltage", 505),
        ("charge_peak", 14),
        ("discharge_peak", 10),
        ("discharge_limit_peak", 15),
        ("request_ramp", 20),
        ("limit_ramp", 20),
        ("answer_time", 0.0653),
        ("close_time", CLOSE - ENABLE),
        ("request_time", REQUEST - CLOSE),
        ("run_time", RUN - REQUEST + 0.0453),
        ("off_time", OFF - STOP),
        ("weld_check_time", 15.82 - OFF - 0.0653),
    ],
)
def test_a_fact(key: str, value: float) -> None:
    assert only_session(good()).fact(key) == pytest.approx(value, abs=0.001)


def test_what_was_not_seen_is_no_fact() -> None:
    session = only_session(greeting(3.0))
    assert session.fact("insulation_voltage") is None
    assert session.fact("close_time") is None
    assert session.fact("charger_v2h") is True
    assert only_session(charge_only()).fact("min_discharge_level") is None


def test_two_sessions_in_one_trace() -> None:
    first, again = frames(good()), frames(good().hold(ChargerCapability, 0.0, available_current=12))
    judged = judge_trace([*first, *((at + 60.0, frame) for at, frame in again)])
    assert [session.number for session in judged.sessions] == [1, 2]
    assert [session.fact("offered_current") for session in judged.sessions] == [15, 12]
    assert [session.phases[0].start for session in judged.sessions] == pytest.approx([0.02, 60.02])


def test_a_trace_that_begins_in_the_middle_blames_nobody_for_what_was_before() -> None:
    for begin in (3.0, 7.5, 8.5, 10.5, 12.5, 14.0):
        judged = judge_trace([(at, frame) for at, frame in frames(good()) if at >= begin])
        assert judged.broken() == (), begin


def test_the_phases_kept_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observer, "MOST_SPANS", 4)
    session = only_session(good())
    assert (len(session.phases), session.more_phases) == (4, 11)
    assert session.peaks.discharge == 10


@pytest.mark.parametrize(
    ("course", "slope"),
    [
        ([(0.0, 0), (0.1, 2), (0.2, 4), (0.3, 6)], 20.0),
        ([(0.0, 0), (0.1, 2), (0.2, 4), (0.3, 5)], 20.0),
        ([(0.0, 0), (0.1, 2), (0.2, 4), (0.3, 0), (0.4, 1), (0.5, 2)], 20.0),
        ([(0.0, 0), (0.1, 14)], None),
        ([(0.0, 5)], None),
        ([(0.0, 0), (0.1, 1), (0.2, 2), (1.0, 5), (1.1, 8), (1.2, 11)], 30.0),
    ],
)
def test_a_ramp_is_the_largest_steady_rise(course: list[tuple[float, float]], slope: float | None) -> None:
    ramp = Ramp()
    for at, value in course:
        ramp.see(at, value)
    assert ramp.slope == (None if slope is None else pytest.approx(slope))


# -- where it broke


def test_the_frame_that_broke_a_rule_is_named() -> None:
    story = good().hold(ChargerStatus, 9.0, 9.1, locked=False)
    judged, stream = report(story), frames(story)
    assert [verdict.rule.id for verdict in judged.broken()] == [
        "R-LOCK-VOLTAGE",
        "R-LOCK-HELD",
        "R-UNLOCK-DEAD",
        "R-UNLOCK-CHECKED",
    ]
    for verdict in judged.broken():
        assert verdict.first is not None
        at, frame = stream[judged.where[verdict.rule.id] - 1]
        assert at == verdict.first.at
        assert str(frame) == verdict.first.frame


def test_a_missed_deadline_names_the_last_frame_before_it() -> None:
    story = good().hold(VehicleStatus, 15.0, contactor_open=False)
    judged, stream = report(story), frames(story)
    number = judged.where["R-WELD-TIME"]
    (late,) = (v for v in judged.broken() if v.rule.id == "R-WELD-TIME")
    assert late.first is not None
    assert stream[number - 1][0] <= late.first.at < stream[number][0]


def test_who_and_how_sure() -> None:
    judged = report(good().hold(VehicleStatus, 9.0, 9.1, charged_rate=101))
    assert [v.rule.id for v in judged.broken(side="vehicle")] == ["R-CHARGED-RATE"]
    assert judged.broken(side="charger") == ()
    assert judged.broken(confidence=("measured",)) != ()
    assert judged.broken(confidence=("memory", "project")) == ()


def test_a_hole_is_passed_on() -> None:
    stream = frames(greeting(5.0))
    missing = [(at, frame) for at, frame in stream if not 1.95 < at < 2.05]
    assert judge_trace(missing).broken()
    cut = next(n for n, (at, _) in enumerate(missing) if at > 2.0)
    assert not judge_trace([*missing[:cut], (missing[cut][0], None), *missing[cut:]]).broken()


def test_nothing_at_all() -> None:
    judged = judge_trace([])
    assert (judged.frames, judged.span, judged.sessions) == (0, 0.0, ())
    assert {v.state for v in judged.verdicts} == {RuleState.UNKNOWN}


def test_a_charger_recorded_alone_is_not_blamed_for_what_the_vehicle_did_not_say() -> None:
    judged = judge_trace((at, frame) for at, frame in frames(good()) if frame.id in CHARGER_IDS)
    assert not judged.broken()
    states = {verdict.rule.id: verdict.state for verdict in judged.verdicts}
    assert (states["R-RUN-READY"], states["R-OFF-FLAG"]) == (RuleState.UNKNOWN, RuleState.KEPT)


# -- the command


def command(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def good_file(tmp_path: Path) -> Path:
    path = tmp_path / "good.csv"
    with path.open("w") as file:
        write_gvret(file, frames(good()))
    return path


@pytest.fixture
def bad_file(tmp_path: Path) -> Path:
    path = tmp_path / "bad.log"
    with path.open("w") as file:
        write_candump(file, frames(good().hold(ChargerStatus, 9.0, 9.9, output_current=30)))
        file.write("no frame at all\n")
    return path


def test_check_of_a_good_trace(good_file: Path) -> None:
    done = command("check", str(good_file))
    assert done.exit_code == 0
    assert "GVRET CSV (SavvyCAN), 1320 frames of bus 0, 16.5 s" in done.output
    assert re.search(r"insulation test +2\.\d+ +0\.\d+ +505", done.output)
    assert re.search(r"enabled to contactors closed +3\.60 +s", done.output)
    assert re.search(r"Rules: 0 broken, \d+ kept, \d+ unknown", done.output)
    for rule in ALL:
        assert rule.id in done.output
    assert "no violation in 1320 frames" in done.output


def test_nothing_in_a_pipe_is_coloured_or_wider_than_it_says(good_file: Path, bad_file: Path) -> None:
    for path in (good_file, bad_file):
        output = command("check", str(path)).output
        assert "\x1b" not in output
        assert max(len(line) for line in output.splitlines() if str(path) not in line) <= 160


def test_check_of_a_bad_trace(bad_file: Path) -> None:
    done = command("check", str(bad_file))
    assert done.exit_code == 1
    assert "1 lines were left out; the verdict is on what was read:" in done.output
    assert "no frame at all" in done.output
    rows = [line.split() for line in done.output.splitlines() if line.strip().startswith(("broken", "kept", "unknown"))]
    states = [row[0] for row in rows]
    assert states == sorted(states, key=("broken", "kept", "unknown").index)
    assert rows[0][:3] == ["broken", "R-CHARGE-LIMIT", "charger"]
    assert float(rows[0][3]) == pytest.approx(8.2153, abs=0.001)
    assert done.output.strip().splitlines()[-1] == "VIOLATION: R-CHARGE-LIMIT"


def test_check_for_machines(bad_file: Path) -> None:
    done = command("check", "--json", str(bad_file))
    assert done.exit_code == 1
    data: dict[str, Any] = json.loads(done.output)
    assert data["violation"] is True
    assert (data["format"], data["frames"], data["lines_left_out"]) == ("candump", 1320, 1)
    assert data["notes"] == [{"line": 1321, "why": data["notes"][0]["why"], "text": "no frame at all"}]
    assert data["sessions"][0]["facts"]["charge_peak"] == {"side": None, "value": 30, "unit": "A", "from": "109.3"}
    assert data["sessions"][0]["phases"][0]["phase"] == "handshake"
    rules = {rule["id"]: rule for rule in data["rules"]}
    assert rules.keys() == {rule.id for rule in ALL}
    first = rules["R-CHARGE-LIMIT"]["first"]
    assert (first["value"], first["unit"], first["frame"][:3]) == (30, "A", "109")
    assert rules["R-LOCK-HELD"] | {"title": "", "source": "", "tolerance": ""} == {
        "id": "R-LOCK-HELD", "title": "", "duty": "charger", "source": "", "confidence": "measured", "tolerance": "",
        "requirements": ["CHA-023"], "state": "kept", "count": 0, "first": None,
    }  # fmt: skip


@pytest.mark.parametrize("as_json", [(), ("--json",)], ids=["words", "json"])
@pytest.mark.parametrize(
    "line", ["(1.{:06}) can0 123#00", "(1.{:06}) can0 102##1029A010000C90300"], ids=["other", "fd"]
)
def test_a_recording_without_chademo_is_no_good_one(tmp_path: Path, line: str, as_json: tuple[str, ...]) -> None:
    path = tmp_path / "other.log"
    path.write_text("".join(line.format(100_000 + at) + "\n" for at in range(50)))
    done = command("check", str(path), *as_json)
    assert isinstance(done.exception, TraceError)
    assert "no rule can be judged" in str(done.exception)
    assert "no violation" not in done.output


def test_a_bus_that_is_not_in_the_file_is_no_good_one(good_file: Path) -> None:
    assert isinstance(command("check", str(good_file), "--bus", "9").exception, TraceError)


def test_show_gives_no_verdict(bad_file: Path) -> None:
    done = command("show", str(bad_file))
    assert done.exit_code == 0
    assert "discharging" in done.output
    assert "R-CHARGE-LIMIT" not in done.output


def test_a_file_that_is_no_trace_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear Sir,\n")
    done = command("check", str(path))
    assert isinstance(done.exception, TraceError)
    assert "\n" not in str(done.exception)
