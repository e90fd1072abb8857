"""One side of a session played to the other one alive: as recorded in the field, and as our own bench gives one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fixtures.library import find_bench, find_profile, find_vehicle
from instruments.registry import REGISTRY
from rig.can.frame import Frame
from rig.chademo.messages import SPECS, Side
from rig.chademo.session import Phase
from rig.chademo.vehicle_profile import Figure
from rig.chademo.vehicle_state import VehiclePhase
from rig.cli.trace import app
from rig.errors import TraceError, UseError
from rig.open_bench import open_bench, read_bench_file
from rig.profile import read_profile
from rig.trace.judge import TraceReport, judge_trace
from rig.trace.reader import open_trace
from rig.trace.replay import Replayed, replay_charger
from rig.trace.replay_vehicle import replay_vehicle
from rig.trace.script import read_script
from rig.trace.writer import write_trace
from rig.vehicle_model import LEAF, VehicleModel, read_vehicle

RECORDING = Path(__file__).parents[3] / "shared" / "data" / "nissan-leaf-chademo-start-stop.csv"
field = pytest.mark.skipif(not RECORDING.exists(), reason=f"no recorded session at {RECORDING}")
Timed = list[tuple[float, Frame]]
P = Phase


def recorded() -> Timed:
    return [(at, frame) for at, frame in open_trace(RECORDING).frames() if frame is not None]


def to_our_charger(frames: Timed, **options: object) -> tuple[Replayed, tuple[object, ...]]:
    """And the plant's own incidents."""
    config = read_bench_file(find_bench("emulated"), REGISTRY)
    parts = dict(config.parts)
    parts["charger"] = replace(parts["charger"], options={**parts["charger"].options, **options})
    config = replace(config, parts=parts)
    with open_bench(config, REGISTRY, read_profile(find_profile(config.bench.profile)), seed=1) as bench:
        assert bench.world is not None
        return replay_vehicle(read_script(frames, "vehicle"), bench), tuple(bench.world.plant.incidents)


def slower(**figures: float) -> VehicleModel:
    profile = LEAF.profile
    for name, value in figures.items():
        profile = replace(profile, **{name: Figure(value, "s", "made slower or faster by a test")})  # type: ignore[arg-type]
    return replace(LEAF, profile=profile)


# -- the session from the field


@field
def test_the_recorded_charger_to_our_car() -> None:
    """Our car in the place of the recorded one: every phase in the same order, every step within a cycle."""
    played = replay_charger(read_script(recorded(), "charger"), LEAF)
    assert played.walked_through
    assert played.broken == ()
    assert played.comparison.same_course
    assert [one.name for one in played.passed] == [
        "vehicle speaks",
        "vehicle enabled (102.5.0)",
        "contactors closed (102.5.3)",
        "current requested (102.3)",
        "vehicle stops",
        "contactors open (102.5.3)",
    ]
    assert {one.name: one.late for one in played.passed} == pytest.approx(
        dict.fromkeys((one.name for one in played.passed), 0.0), abs=0.11
    )
    assert all(one.held == 0 for one in played.passed)


@field
def test_the_recorded_vehicle_to_our_charger() -> None:
    """Our charger locks and brings d2 seconds sooner, and tests its insulation longer; it need not wait and is waited
    for. No contactor is opened under load, nothing in the circuit is abused."""
    played, incidents = to_our_charger(recorded())
    assert played.walked_through
    assert played.broken == ()
    assert incidents == ()
    late = {one.name: one for one in played.passed}
    assert late["connector locked (109.5.2)"].late < -5.0
    assert late["output discharged"].late > 1.0
    assert late["output discharged"].held == pytest.approx(late["output discharged"].late, abs=0.11)
    assert late["charger stops (109.5.5)"].late == pytest.approx(0.0, abs=0.15)
    walked = {span.phase for span in played.live.phases}
    assert walked >= {P.LOCKED, P.INSULATION, P.TESTED, P.CLOSED, P.STANDBY, P.CHARGING, P.WELD_CHECK, P.UNLOCKED}
    assert played.live.fact("charge_peak") == pytest.approx(14, abs=1)


@field
@pytest.mark.parametrize("side", ["vehicle", "charger"])
def test_the_command_lists_the_differences(side: str) -> None:
    done = CliRunner().invoke(app, ["replay", str(RECORDING), "--as", side])
    assert done.exit_code == 0, done.output
    assert "milestone of the living side" in done.output
    assert "walked through all phases and broke no rule" in done.output


# -- a session of our own: made without the field's, with a discharge


@pytest.fixture(scope="module")
def own() -> Timed:
    """Charge, reversal and discharge of our car at our charger."""
    config = read_bench_file(find_bench("emulated"), REGISTRY)
    frames: Timed = []
    with open_bench(config, REGISTRY, read_profile(find_profile(config.bench.profile)), seed=2) as bench:
        bench.prepare()
        unwatch = bench.bus.watch(lambda at, sender, frame: frames.append((at, frame)))
        bench.car.plug_in(0.5)
        bench.charger.set_power(3000.0)
        bench.charger.start("charge")
        assert bench.car.wait_for(VehiclePhase.RUNNING, 60.0) < 60.0
        bench.clock.sleep(6.0)
        bench.charger.set_mode("discharge")
        bench.clock.sleep(6.0)
        bench.charger.stop()
        assert bench.car.wait_for(VehiclePhase.ASLEEP, 30.0) < 30.0
        bench.clock.sleep(2.0)
        unwatch()
    return [(at - frames[0][0], frame) for at, frame in frames]


def test_our_own_session_is_what_the_next_tests_need(own: Timed) -> None:
    walked = [span.phase for span in judge_trace(own).sessions[0].phases]
    assert P.CHARGING in walked
    assert P.DISCHARGING in walked
    assert P.UNLOCKED in walked


def test_a_discharge_is_played_to_our_charger(own: Timed) -> None:
    played, incidents = to_our_charger(own)
    assert played.walked_through, played.lacking
    assert played.broken == ()
    assert incidents == ()
    assert all(abs(one.late) < 0.5 for one in played.passed if one.timed)
    assert played.live.fact("discharge_peak") == pytest.approx(played.recorded.fact("discharge_peak"), abs=2)


def test_a_discharge_is_played_to_our_car(own: Timed) -> None:
    played = replay_charger(read_script(own, "charger"), LEAF)
    assert played.walked_through
    assert played.broken == ()


def test_another_car_meets_the_recorded_charger(own: Timed) -> None:
    played = replay_charger(read_script(own, "charger"), read_vehicle(find_vehicle("leaf-40kwh")))
    assert played.walked_through, played.why


def test_a_car_that_does_not_fit_says_why(own: Timed) -> None:
    """The pack of the recording stands above all a kei-car's may have."""
    played = replay_charger(read_script(own, "charger"), read_vehicle(find_vehicle("kei-16kwh")))
    assert not played.walked_through
    assert (played.lacking, played.why) == (
        "vehicle enabled (102.5.0)",
        "the car raised a fault: battery_overvoltage",
    )


# -- slower and faster than the recording


def periods(frames: Timed, side: Side, after: float = 0.0) -> list[float]:
    """s between frames of 0x102 or 0x109."""
    number = 0x102 if side == "vehicle" else 0x109
    times = [at for at, frame in frames if frame.id == number and at > after]
    return [b - a for a, b in pairwise(times)]


@pytest.mark.parametrize(
    ("figures", "name", "late"),
    [
        ({"permission": 7.0}, "vehicle enabled (102.5.0)", 3.0),
        ({"closing": 3.0}, "contactors closed (102.5.3)", 2.0),
        ({"request": 3.5}, "current requested (102.3)", 1.8),
    ],
)
def test_a_slower_car_is_waited_for(
    own: Timed, figures: dict[str, float], name: str, late: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: Timed = []
    monkeypatch.setattr("rig.trace.replay.judge_trace", keep(heard))
    usual = LEAF.profile
    delay = {"permission": usual.permission, "closing": usual.closing, "request": usual.request}
    (figure, value) = next(iter(figures.items()))
    expected = value - delay[figure].value
    assert expected == pytest.approx(late, abs=0.3)
    played = replay_charger(read_script(own, "charger"), slower(**figures))
    assert played.walked_through, played.lacking
    assert played.broken == ()
    passed = {one.name: one for one in played.passed}
    assert passed[name].late == pytest.approx(expected, abs=0.3)
    assert passed[name].held == pytest.approx(passed[name].late, abs=0.2)
    assert periods(heard, "charger") == pytest.approx([0.1] * len(periods(heard, "charger")), abs=0.012)


def test_a_faster_car_need_not_wait(own: Timed) -> None:
    slow = replay_charger(read_script(own, "charger"), slower(permission=7.0)).recorded
    frames: Timed = []
    # The recorded charger waits three seconds more for permission: its own cycles before the lock, once more.
    cut = next(span.start for span in slow.phases if span.phase is P.ENABLED)
    frames += [(at, frame) for at, frame in own if at < cut]
    cycle = [(at, frame) for at, frame in own if cut - 0.1 <= at < cut]
    frames += [(at + 0.1 * (n + 1), frame) for n in range(30) for at, frame in cycle]
    frames += [(at + 3.0, frame) for at, frame in own if at >= cut]
    played = replay_charger(read_script(frames, "charger"), LEAF)
    assert played.walked_through
    enabled = next(one for one in played.passed if one.name.startswith("vehicle enabled"))
    assert enabled.late == pytest.approx(-3.0, abs=0.3)
    charging = [next(s.start for s in session.phases if s.phase is P.CHARGING)
                for session in (played.live, played.recorded)]  # fmt: skip
    assert charging[0] == pytest.approx(charging[1] - 3.0, abs=0.3)


def keep(heard: Timed) -> Callable[[Timed], TraceReport]:
    """judge_trace, and a copy of what it is given."""

    def judge(frames: Timed) -> TraceReport:
        heard.extend(frames)
        return judge_trace(heard)

    return judge


# -- what does not walk through


def test_a_car_that_never_closes_is_named(own: Timed) -> None:
    played = replay_charger(read_script(own, "charger"), slower(closing=200.0))
    assert not played.walked_through
    assert played.lacking == "contactors closed (102.5.3)"


def test_a_bad_charger_is_caught_by_a_recorded_vehicle(own: Timed) -> None:
    played, _ = to_our_charger(own, defects=["charges-above-request"])
    good, _ = to_our_charger(own)
    assert {v.rule.id for v in played.broken} > {v.rule.id for v in good.broken} == set()


def test_the_first_of_several_sessions_is_played(own: Timed) -> None:
    twice = [*own, *((at + own[-1][0] + 60.0, frame) for at, frame in own)]
    script = read_script(twice, "charger")
    assert script.events[-1][0] < own[-1][0] + 2.0
    assert replay_charger(script, LEAF).walked_through


@pytest.mark.parametrize("side", ["vehicle", "charger"])
def test_a_recording_without_that_side(own: Timed, side: Side) -> None:
    alone = [(at, frame) for at, frame in own if SPECS[frame.id].sender != side]
    with pytest.raises(TraceError, match=f"no frame of the {side}"):
        read_script(alone, side)


def test_a_recording_without_a_session() -> None:
    with pytest.raises(TraceError, match="no CHAdeMO session"):
        read_script([(0.0, Frame(0x1DB, bytes(8)))], "vehicle")


def test_a_recorded_vehicle_is_not_played_to_a_real_charger(own: Timed, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    write_trace(path, own)
    done = CliRunner().invoke(app, ["replay", str(path), "--as", "vehicle", "--bench", "served"])
    assert isinstance(done.exception, UseError)
    assert "use an emulated bench" in str(done.exception)
