"""A session that somebody else recorded, with a charger that is not ours, read by our eyes.

Asserted is what people wrote down about this recording (facts, chademo.md 5 and section 2), not what our code says.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from rig.can.frame import Frame
from rig.chademo.events import Observation
from rig.chademo.rules import ALL
from rig.chademo.rules.rule import RuleState
from rig.chademo.rules.ruleset import RuleSet
from rig.chademo.session import Phase
from rig.trace.judge import SessionReport, TraceReport, judge_trace
from rig.trace.observer import Span
from rig.trace.reader import open_trace

RECORDING = Path(__file__).parents[3] / "shared" / "data" / "nissan-leaf-chademo-start-stop.csv"
pytestmark = pytest.mark.skipif(not RECORDING.exists(), reason=f"no recorded session at {RECORDING}")


@pytest.fixture(scope="module")
def report() -> TraceReport:
    return judge_trace(open_trace(RECORDING).frames())


@pytest.fixture(scope="module")
def session(report: TraceReport) -> SessionReport:
    (only,) = report.sessions
    return only


@pytest.fixture(scope="module")
def recorded() -> list[tuple[float, Frame]]:
    """Read by another reader: Python's csv."""
    with RECORDING.open() as file:
        rows = list(csv.DictReader(file))
    start = int(rows[0]["Time Stamp"])
    frames = [(row, bytes(int(row[f"D{n}"], 16) for n in range(1, 9))) for row in rows]
    return [((int(row["Time Stamp"]) - start) / 1e6, Frame(int(row["ID"], 16), data)) for row, data in frames]


def span(session: SessionReport, phase: Phase, number: int = 0) -> Span:
    return [one for one in session.phases if one.phase is phase][number]


def test_every_frame_is_read(recorded: list[tuple[float, Frame]]) -> None:
    trace = open_trace(RECORDING)
    assert list(trace.frames()) == recorded
    assert (trace.frames_read, trace.left_out, trace.foreign) == (4072, 0, 0)
    assert trace.span == pytest.approx(51.06, abs=0.01)


def test_a_v2h_capable_charger_offers_15_A(session: SessionReport) -> None:
    assert session.fact("charger_v2h") is True
    assert session.fact("vehicle_v2h") is True
    assert session.fact("offered_current") == 15
    assert session.fact("input_current") == 15


def test_the_charge_peaks_at_14_A_and_nothing_is_discharged(session: SessionReport) -> None:
    assert session.fact("charge_peak") == 14
    assert session.fact("discharge_peak") == 0


def test_the_discharge_limit_rises_to_15_A(session: SessionReport) -> None:
    assert session.fact("discharge_limit_peak") == 15
    assert span(session, Phase.TESTED).discharge_limit == 0


def test_the_insulation_test_reaches_505_V(session: SessionReport) -> None:
    assert session.fact("insulation_voltage") == 505
    assert span(session, Phase.INSULATION).voltage == 505
    assert span(session, Phase.INSULATION).start == pytest.approx(14.96, abs=0.11)


def test_the_contactors_close_13_4_s_after_enable(session: SessionReport) -> None:
    assert session.fact("close_time") == pytest.approx(13.4, abs=0.05)


def test_current_is_asked_for_1_70_s_after_that(session: SessionReport) -> None:
    assert session.fact("request_time") == pytest.approx(1.70, abs=0.01)


def test_the_ramps_are_20_A_a_second(session: SessionReport) -> None:
    assert session.fact("request_ramp") == pytest.approx(20.0, abs=0.1)
    assert session.fact("limit_ramp") == pytest.approx(20.0, abs=0.1)


def test_the_welding_check_takes_2_9_s_after_the_stop(session: SessionReport) -> None:
    assert session.fact("weld_check_time") == pytest.approx(2.91, abs=0.01)
    assert session.fact("off_time") == pytest.approx(0.20, abs=0.01)
    assert session.fact("unlock_time") == pytest.approx(0.69, abs=0.01)


def test_what_the_car_said_of_itself(session: SessionReport) -> None:
    said = {key: session.fact(key) for key in ("target_voltage", "max_battery_voltage", "min_discharge_voltage")}
    assert said == {"target_voltage": 410, "max_battery_voltage": 435, "min_discharge_voltage": 250}
    assert session.fact("capacity") == pytest.approx(22.2)
    assert (session.fact("min_discharge_level"), session.fact("max_charge_level")) == (30, 80)


def test_the_charger_inhibits_the_charge_and_the_session_stays(session: SessionReport) -> None:
    """chademo.md 2, V2H run: 108.3 = 0 from 19.6 to 24.2 s, the request within 80 ms at 0."""
    standby = span(session, Phase.STANDBY, 1)
    assert (standby.start, standby.end) == pytest.approx((20.2, 24.9), abs=0.1)


def test_no_rule_that_is_measured_or_seen_is_broken_nor_any_other(report: TraceReport) -> None:
    assert [str(v.first) for v in report.broken(confidence=("measured", "seen"))] == []
    assert [str(v.first) for v in report.broken()] == []


def test_every_rule_measured_on_it_is_kept_by_it(report: TraceReport) -> None:
    """A rule that names this recording as a source must have had its occasion there, lines and 0x201 apart."""
    named = {
        v.rule.id: v.state for v in report.verdicts if "log A" in v.rule.source and v.rule.confidence == "measured"
    }
    assert {rule for rule, state in named.items() if state is not RuleState.KEPT} == set()
    assert len(named) >= 40


# -- one byte altered


ALTERED: dict[str, tuple[float, int, int, int, str]] = {
    # what: (s from which on the next such frame is altered, id, byte, new value, the rule it breaks)
    "unlocked while charging": (30.0, 0x109, 5, 0x01, "R-LOCK-HELD"),
    "another protocol": (30.0, 0x109, 0, 0x01, "R-PROTOCOL-CHARGER"),
    "another target": (30.0, 0x102, 1, 0x99, "R-TARGET-FINAL"),
    "available voltage": (30.0, 0x108, 2, 0x02, "R-AVAILABLE-VOLTAGE"),
    "more than first offered": (30.0, 0x108, 3, 0x1E, "R-AVAILABLE-MAX"),
    "voltage before permission": (2.0, 0x109, 2, 0x01, "R-VOLTAGE-PERMITTED"),
    "contactor flag": (30.0, 0x102, 5, 0xC9, "R-FLAG-STEADY"),
    "stop flag withdrawn": (48.0, 0x109, 5, 0x04, "R-STOP-FINAL"),
    "sequence number": (30.0, 0x209, 0, 0x01, "R-SEQUENCE-CHARGER"),
    "request jumps": (19.0, 0x102, 3, 0x05, "R-REQUEST-RAMP"),
    "limit jumps": (19.4, 0x200, 0, 0xF0, "R-LIMIT-RAMP"),
    "charged rate": (30.0, 0x102, 6, 0x65, "R-CHARGED-RATE"),
    "off before the current": (46.7, 0x109, 5, 0x24, "R-OFF-CURRENT"),
    "unlocked live": (15.2, 0x109, 5, 0x20, "R-LOCK-VOLTAGE"),
}  # fmt: skip


@pytest.mark.parametrize("name", ALTERED)
def test_one_altered_byte_breaks_the_right_rule_at_the_right_frame(
    name: str, recorded: list[tuple[float, Frame]]
) -> None:
    after, frame, byte, value, rule = ALTERED[name]
    number = next(n for n, (at, one) in enumerate(recorded) if at >= after and one.id == frame)
    at, was = recorded[number]
    data = bytearray(was.data)
    assert data[byte] != value
    data[byte] = value
    report = judge_trace([*recorded[:number], (at, Frame(frame, bytes(data))), *recorded[number + 1 :]])
    (found,) = (verdict for verdict in report.verdicts if verdict.rule.id == rule)
    assert found.first is not None
    assert found.first.at - at == pytest.approx(0.0, abs=0.051)  # R-OFF-CURRENT looks when the burst is over
    assert found.first.frame == str(Frame(frame, bytes(data)))
    assert found.rule.duty == ("vehicle" if frame in (0x100, 0x102, 0x200) else "charger")


def test_the_shortcut_judges_the_recording_as_every_frame_in_full_would(recorded: list[tuple[float, Frame]]) -> None:
    def verdicts(thorough: bool) -> list[tuple[str, RuleState]]:
        judged = RuleSet(ALL, thorough)
        event: Observation
        for at, event in recorded:
            judged.step(at, event)
        judged.close(recorded[-1][0])
        return [(v.rule.id, v.state) for v in judged.verdicts()]

    assert verdicts(thorough=False) == verdicts(thorough=True)
