"""A wrong bench file: every problem at once, one line each, with file, line, key and mend."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from rig.bench_config import read_bench
from rig.errors import BenchConfigError
from rig.quantity import Volts


class LoadOptions(BaseModel):
    model_config = ConfigDict(extra="forbid")
    leg: int
    range: Volts = 150.0


class NoOptions(BaseModel):
    model_config = ConfigDict(extra="forbid")


KNOWN: dict[str, type[BaseModel]] = {"some_load": LoadOptions, "panel": NoOptions, "box": NoOptions, "psu": NoOptions}
ROLES = {"some_load": "load", "panel": "charger", "box": "vehicle", "psu": "dc_source"}

GOOD = """\
[bench]
name = "desk"
profile = "leaf-to-home-6kw"

[charger]
driver = "panel"
resource = "emulated"

[vehicle]
driver = "box"
resource = "emulated"

[battery]
driver = "psu"
resource = "emulated"

[house_l1]
driver = "some_load"
resource = "emulated"
leg = 0
range = "0.3 kV"
calibrated_until = 2027-03-31
"""


def read(tmp_path: Path, text: str) -> object:
    path = tmp_path / "bench.toml"
    path.write_text(text)
    return read_bench(path, KNOWN, ROLES)


def problems(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(BenchConfigError) as caught:
        read(tmp_path, text)
    assert all("\n" not in p for p in caught.value.problems)
    return [p.replace(str(tmp_path) + "/", "") for p in caught.value.problems]


def test_a_good_file(tmp_path: Path) -> None:
    path = tmp_path / "bench.toml"
    path.write_text(GOOD)
    config = read_bench(path, KNOWN, ROLES)
    assert config.kind == "emulated"
    assert config.parts["house_l1"].options == {"leg": 0, "range": "0.3 kV"}
    assert config.parts["house_l1"].calibrated_until is not None


def test_an_unknown_driver(tmp_path: Path) -> None:
    (one,) = problems(tmp_path, GOOD.replace('"some_load"', '"some_laod"'))
    assert one.startswith("bench.toml:18: [house_l1] driver: unknown driver 'some_laod' (did you mean 'some_load'?)")


def test_a_missing_key(tmp_path: Path) -> None:
    (one,) = problems(tmp_path, GOOD.replace("leg = 0\n", ""))
    assert one == "bench.toml:17: [house_l1]: key 'leg' is missing; add leg = ..."


def test_a_wrong_unit(tmp_path: Path) -> None:
    (one,) = problems(tmp_path, GOOD.replace("0.3 kV", "0.3 kA"))
    assert one.startswith("bench.toml:21: [house_l1] range: '0.3 kA' is no quantity in V: write")


def test_an_unknown_key(tmp_path: Path) -> None:
    (one,) = problems(tmp_path, GOOD.replace("leg =", "lge = 1\nleg ="))
    assert one == "bench.toml:20: [house_l1] lge: unknown key (did you mean 'leg'?); remove or rename it"


def test_a_resource_used_twice(tmp_path: Path) -> None:
    text = (
        GOOD.replace('"desk"', '"desk"\nclock = "real"')
        + '[house_l2]\ndriver = "some_load"\nleg = 1\nresource = "ASRL1::INSTR"\n'
    )
    text = text.replace(
        'driver = "some_load"\nresource = "emulated"', 'driver = "some_load"\nresource = "ASRL1::INSTR"'
    )
    text += '[can]\ninterface = "socketcan"\nchannel = "can0"\n'
    (one,) = problems(tmp_path, text)
    assert "[house_l2] resource: 'ASRL1::INSTR' is used twice, also by [house_l1]; give each part its own" in one


def test_all_problems_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = (
        GOOD.replace('name = "desk"', "nam = 1").replace('"box"', '"bxo"').replace("leg = 0", 'leg = "x"')
        + "[grdi]\nx = 1\n"
    )
    found = problems(tmp_path, text)
    assert len(found) == 5
    assert [int(p.split(":")[1]) for p in found] == sorted(int(p.split(":")[1]) for p in found)
    for problem, word in zip(found[2:], ("'bxo'", "[house_l1] leg", "[grdi]"), strict=True):
        assert word in problem


def test_virtual_time_with_a_real_part(tmp_path: Path) -> None:
    found = problems(
        tmp_path, GOOD.replace('driver = "psu"\nresource = "emulated"', 'driver = "psu"\nresource = "COM3"')
    )
    assert found == ['bench.toml:1: [bench] clock: virtual time cannot move real parts (battery); write clock = "real"']


def test_a_driver_in_the_wrong_role(tmp_path: Path) -> None:
    found = problems(tmp_path, GOOD.replace('driver = "psu"', 'driver = "box"'))
    assert "[battery] driver: 'box' serves as vehicle, not as dc_source" in found[0]


def test_a_bench_without_a_charger(tmp_path: Path) -> None:
    found = problems(tmp_path, GOOD.replace('[charger]\ndriver = "panel"\nresource = "emulated"\n', ""))
    assert found == ["bench.toml:1: [charger]: a bench needs [charger], [vehicle] and [battery]; add [charger]"]


@pytest.mark.parametrize(
    ("text", "words"),
    [("[bench\n", "not TOML"), ("bench = 3\n", "must be a table"), ("", "key 'name' is missing")],
)
def test_no_bench_file_at_all(tmp_path: Path, text: str, words: str) -> None:
    assert any(words in p for p in problems(tmp_path, text))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BenchConfigError, match="no such bench file"):
        read_bench(tmp_path / "none.toml", KNOWN, ROLES)


def test_planted_faults_of_an_emulated_part(tmp_path: Path) -> None:
    path = tmp_path / "bench.toml"
    path.write_text(GOOD + 'faults = [{ fault = "garbage", at = "2 s", when = "MEAS", times = 3 }]\n')
    (fault,) = read_bench(path, KNOWN, ROLES).parts["house_l1"].faults
    assert (fault.fault, fault.at, fault.when, fault.times) == ("garbage", 2.0, "MEAS", 3)


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        ('faults = "silence"', "must be a list of tables"),
        ('faults = [{ fault = "shy" }]', "[house_l1] fault: Input should be 'silence'"),
        ('faults = [{ fault = "mute", at = "3 V" }]', "[house_l1] at: '3 V' is no quantity in s"),
        ('faults = [{ at = "3 s" }]', "key 'fault' is missing"),
    ],
)
def test_a_wrong_planted_fault(tmp_path: Path, faults: str, words: str) -> None:
    (one,) = problems(tmp_path, GOOD + faults + "\n")
    assert words in one


def test_a_real_part_cannot_be_told_to_fail(tmp_path: Path) -> None:
    text = GOOD.replace('name = "desk"', 'name = "desk"\nclock = "real"').replace(
        'driver = "some_load"\nresource = "emulated"', 'driver = "some_load"\nresource = "ASRL1::INSTR"'
    )
    text += 'faults = [{ fault = "mute" }]\n[can]\ninterface = "socketcan"\nchannel = "can0"\n'
    (one,) = problems(tmp_path, text)
    assert "only an emulated part can be told to fail" in one
