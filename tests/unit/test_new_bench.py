"""`v2hrig bench new`, answered from a pipe: what it writes is a bench file, and a wrong answer is asked again."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from instruments.registry import REGISTRY
from rig import discover
from rig.bench_schema import bench_schema
from rig.cli.main import app
from rig.errors import UseError
from rig.open_bench import read_bench_file

DESK = ["", "", "", "evps", "", "", "", "", ""]
"""Name, profile, car; charger, vehicle, battery with their resources: the usual of each, emulated."""


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    class Port:
        device, description = "/dev/ttyUSB7", "USB Serial"

    monkeypatch.setattr(discover.list_ports, "comports", lambda: [Port()])
    monkeypatch.setattr(
        discover.can, "detect_available_configs", lambda: [{"interface": "socketcan", "channel": "can0"}]
    )


def answered(path: Path, *answers: str) -> Any:
    return CliRunner().invoke(app, ["bench", "new", str(path)], input="".join(f"{one}\n" for one in answers))


def plain(value: Any) -> Any:
    return json.loads(json.dumps(value, default=str))


def test_empty_answers_make_a_bench_of_emulators(tmp_path: Path) -> None:
    path = tmp_path / "desk.toml"
    ran = answered(path, *DESK, *[""] * 8)
    assert ran.exit_code == 0, ran.output
    config = read_bench_file(path, REGISTRY)
    assert config.bench.name == "desk"
    assert config.kind == "emulated"
    assert set(config.parts) == {"charger", "vehicle", "battery"}
    assert not list(Draft202012Validator(bench_schema(REGISTRY)).iter_errors(plain(tomllib.loads(path.read_text()))))
    assert "# ovp = 480.0" in path.read_text()
    shown = CliRunner().invoke(app, ["bench", "show", str(path)])
    assert shown.exit_code == 0, shown.output


def test_what_is_found_is_offered_and_a_wrong_answer_is_asked_again(tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    ran = answered(
        path,
        "lab", "", "",
        "evps", "", "", "2", "", "", "",  # the vehicle interface on the port that was found
        "ea_psb_10000", "TCPIP::10.0.0.7::INSTR", "", "K-2026-0815", "31.3.2027",  # no date: all of it again
        "ea_psb_10000", "TCPIP::10.0.0.7::INSTR", "", "K-2026-0815", "2027-03-31",
        "yokogawa", "chroma_63804", "", "0",  # house_l1: no such driver, then one
        "", "", "", "", "", "", "",
        "", "",  # CAN as found
    )  # fmt: skip
    assert ran.exit_code == 0, ran.output
    assert "2 /dev/ttyUSB7" in ran.output
    assert "is no date; write it as 2027-03-31" in ran.output
    assert "'yokogawa' is none of these" in ran.output
    config = read_bench_file(path, REGISTRY)
    assert config.bench.clock == "real"
    assert (config.can.interface, config.can.channel) == ("socketcan", "can0")
    assert config.parts["vehicle"].resource == "/dev/ttyUSB7"
    assert config.parts["battery"].papers.certificate == "K-2026-0815"
    assert str(config.parts["battery"].calibrated_until) == "2027-03-31"
    assert config.parts["house_l1"].options == {"leg": 0}


def test_answers_that_end_early_write_nothing_and_say_where(tmp_path: Path) -> None:
    path = tmp_path / "desk.toml"
    ran = answered(path, *DESK)
    assert isinstance(ran.exception, UseError)
    assert "the answers ended at '[house_l1] driver'; nothing was written" in str(ran.exception)
    assert not path.exists()


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "desk.toml"
    path.write_text("mine")
    assert isinstance(answered(path).exception, UseError)
    assert path.read_text() == "mine"


def test_a_real_pipe(tmp_path: Path) -> None:
    path = tmp_path / "desk.toml"
    command = [sys.executable, "-m", "rig.cli", "bench", "new", str(path), "--no-look"]
    text = "\n".join([*DESK, *[""] * 8]) + "\n"
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert read_bench_file(path, REGISTRY).bench.name == "desk"
