"""What fuzzing has found, each in the few words that show it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import can
import pytest

from benchmarks.fuzz.engine import bounded
from benchmarks.fuzz.scpi import options
from instruments.registry import REGISTRY
from rig.can.frame import EXTENDED, Frame
from rig.can.python_can import data_frame
from rig.chademo.codec import ChargerCapability, ChargerDischarge, ChargerStatus, VehicleDischarge, VehicleStatus
from rig.chademo.rules import ALL
from rig.chademo.rules.ruleset import RuleSet
from rig.clock import VirtualClock
from rig.errors import TraceError, UseError
from rig.evidence.run_info import read_run_info
from rig.plant.plant import Plant
from rig.plant.world import World
from rig.replay.record import Said, lines, read_head
from rig.scpi.codec import ErrorEntry, Integer, Switch, plain, whole
from rig.scpi.errors import ScpiError
from rig.trace.judge import judge_trace
from rig.trace.reader import open_trace


def emulated(model: str) -> tuple[Any, VirtualClock]:
    clock = VirtualClock()
    emulate = REGISTRY[model].emulate
    assert emulate is not None
    return emulate(World(clock, Plant(), 1, None), options(model)), clock


@pytest.mark.parametrize("text", ["1_0", "\u0661", "1" * 21, "1 0", "0x1"])
def test_only_plain_digits_are_a_whole_number(text: str) -> None:
    for read in (whole, Integer().parse, lambda one: ErrorEntry().parse(f"{one},words")):
        with pytest.raises(ValueError):
            read(text)


@pytest.mark.parametrize("text", ["1_0", "nan", "inf", "1e999", "\u0661", "", "1 V"])
def test_only_a_plain_finite_number_is_one(text: str) -> None:
    with pytest.raises(ValueError):
        plain(text)


def test_on_by_a_number_beyond_every_number_is_refused() -> None:
    with pytest.raises(ScpiError, match="-222"):
        Switch().decode(["1e999"])


def test_a_sharp_s_is_not_two_letters() -> None:
    face, _ = emulated("ea_psb_10000")
    face.process("*CL\xdf")
    assert face.process("SYST:ERR?").startswith(b"-101")


@pytest.mark.parametrize(
    ("model", "lines"),
    [
        ("ametek_mx45", ("FREQ:SLEW 1E-9", "OUTP ON", "FREQ 800")),
        ("ametek_mx45", ("VOLT:MODE PULS", "PULS:COUN 200000", "PULS:WIDT 90000", "OUTP ON", "INIT", "TRIG")),
        ("chroma_61845", ("OUTP:REL ON", "OUTP ON", "OUTP:SLEW:VOLT:AC 0.001", "VOLT:LEV:IMM:AMPL:AC 150")),
    ],
)
def test_a_slope_of_years_takes_no_room(model: str, lines: tuple[str, ...]) -> None:
    face, clock = emulated(model)
    with bounded(5.0):
        for line in lines:
            face.process(line)
            assert face.process("SYST:ERR?").startswith((b"0", b"+0")), line
        clock.sleep(1.0)
        face.process("OUTP OFF")


def test_a_list_that_takes_no_time_is_refused() -> None:
    face, _ = emulated("chroma_61845")
    columns = ("DWEL 0,0", "VOLT:AC:STAR 1,2", "VOLT:AC:END 1,2", "FREQ:STAR 50,50", "FREQ:END 50,50", "DEGR 0,0")
    for line in ("OUTP:MODE LIST", "OUTP:REL ON", "OUTP ON", "LIST:COUN 65535", *(f"LIST:{one}" for one in columns)):
        face.process(line)
    face.process("TRIG ON")
    assert face.process("SYST:ERR?").startswith(b"-221")


def test_a_discharge_on_the_initial_limit_that_ends_at_once_holds_no_clock() -> None:
    rules, now = RuleSet(ALL), 0.0
    status = VehicleStatus(target_voltage=400, discharge_compatible=True)
    charger = ChargerStatus(2, 374, 0, True, running=False, locked=True, stopping=True)

    def say(*messages: Any) -> None:
        nonlocal now
        for message in messages:
            now += 0.001
            rules.step(now, message.encode())

    enabled = VehicleStatus(
        target_voltage=400, discharge_compatible=True, enabled=True, contactor_open=False, current_request=1
    )
    runs = ChargerStatus(2, 374, 0, True, running=True, locked=True, stopping=False)
    say(VehicleDischarge(20, 250), status, ChargerCapability(True, 500, 15, 435), charger, enabled, runs)
    say(ChargerDischarge(10, 500, 15, 250))  # out of the battery, on a limit the vehicle has never changed
    say(status)  # and the vehicle takes its permission back within a moment
    with bounded(5.0):
        rules.step(now + 60.0, None)
        rules.close(now + 60.0)


def test_years_between_two_frames_are_judged_at_once() -> None:
    frames = [
        Frame(0x100, bytes(8)), Frame(0x102, bytes((2, 154, 1, 0, 0, 129, 50, 0))),
        Frame(0x108, bytes((1, 244, 1, 15, 0, 0, 0, 0))), Frame(0x109, bytes((2, 0, 0, 0, 1, 4, 255, 0))),
    ]  # fmt: skip
    timed = [(k * 0.1 + n * 0.001, frame) for k in range(20) for n, frame in enumerate(frames)]
    with bounded(10.0):
        report = judge_trace([*timed, (1e9, frames[0]), (1e9 + 0.1, frames[1])])
    assert report.frames == 82


@pytest.mark.parametrize(
    "odd",
    [
        {"is_remote_frame": True},
        {"is_error_frame": True},
        {"is_fd": True},
        {"arbitration_id": 0x900},
    ],
)
def test_only_classic_data_frames_are_heard(odd: dict[str, Any]) -> None:
    told = {"arbitration_id": 0x109, "is_extended_id": False, **odd}
    assert data_frame(can.Message(data=b"" if "is_remote_frame" in odd else bytes(8), **told)) is None
    whole_one = can.Message(arbitration_id=0x109, data=bytes(8), is_extended_id=False)
    assert data_frame(whole_one) == Frame(0x109, bytes(8))
    assert data_frame(can.Message(arbitration_id=0x109, data=b"x")) == Frame(EXTENDED | 0x109, b"x")


def test_an_error_shows_no_control_character() -> None:
    error = UseError("bench.toml: [\x1b[2Jbattery\u202e]: unknown\nsecond line")
    assert str(error) == "bench.toml: [\\x1b[2Jbattery\\u202e]: unknown\nsecond line"


def test_a_run_json_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_bytes(b'{"run": "\xfe"}')
    with pytest.raises(TraceError, match=r"run\.json"):
        read_run_info(tmp_path)


@pytest.mark.parametrize("data", ["zz", "0", "00" * 9])
def test_a_recorded_frame_that_no_wire_carries_is_told(data: str, tmp_path: Path) -> None:
    line = f'{{"at": 1.0, "how": "sent", "sender": "evps", "id": 264, "data": "{data}"}}\n'
    (tmp_path / "can.jsonl").write_text(line)
    with pytest.raises(UseError, match=r"can\.jsonl:1"):
        list(lines(tmp_path / "can.jsonl", Said))


def test_a_record_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "record.json").write_bytes(b'{"bench": "\xfe"}')
    with pytest.raises(UseError, match="no head"):
        read_head(tmp_path)


def test_a_spoilt_trace_prints_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.trc"
    path.write_text(";$FILEVERSION=2.1\n;$STARTTIME=25569.0\n;$COLUMNS=N,O,T,B,I,d,R,L,D\n1 \x1b[2J\n")
    assert not list(open_trace(path).frames())
    captured = capsys.readouterr()
    assert captured.err + captured.out == ""
