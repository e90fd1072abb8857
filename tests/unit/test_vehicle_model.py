"""Vehicle files: the cars the project brings along, what they say on the bus, and every problem of a bad one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fixtures.library import HERE, find_vehicle
from rig.can.frame import Frame
from rig.chademo.codec import VehicleDischarge, VehicleStatus, VehicleTimes, decode
from rig.chademo.events import PackState, VehicleOut, WireChanged
from rig.chademo.vehicle import Vehicle
from rig.clock import VirtualClock
from rig.errors import BenchConfigError
from rig.machine import run_on
from rig.vehicle_model import LEAF, read_vehicle

FILES = sorted((HERE / "vehicles").glob("*.toml"))


def said(name: str, seconds: float = 3.5) -> list[tuple[float, Frame]]:
    """What a car of this file says from its waking, before permission."""
    clock, out = VirtualClock(), []
    vehicle = Vehicle(read_vehicle(find_vehicle(name)).profile)

    def emit(one: VehicleOut) -> None:
        if isinstance(one, Frame):
            out.append((clock.now(), one))

    runner = run_on(clock, vehicle, emit)
    for wire in (WireChanged("proximity", True), WireChanged("d1", True)):
        runner.tell(wire)
    runner.tell(PackState(360.0, 0.0, 0.55, 25.0, 0.0))
    clock.sleep(seconds)
    return out


def last(frames: list[tuple[float, Frame]], id: int) -> Frame:
    return [frame for _, frame in frames if frame.id == id][-1]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_reads_and_every_figure_has_a_source(path: Path) -> None:
    model = read_vehicle(path)
    names = model.profile.__dataclass_fields__.keys() - {"name", "frames"}
    figures = [getattr(model.profile, one) for one in names]
    assert len(figures) > 40
    assert all(len(one.source) > 4 for one in figures)
    assert model.pack.curve.voltage(1.0) <= model.profile.overvoltage.value
    assert model.pack.curve.voltage(0.0) >= model.profile.undervoltage.value
    energy = model.pack.capacity * model.pack.curve.integral(1.0) / 3.6e6
    assert energy == pytest.approx(model.profile.capacity.value, rel=0.12)


def test_the_leaf_of_the_recording_is_the_one_of_the_code() -> None:
    model = read_vehicle(find_vehicle("leaf-24kwh"))
    assert model == LEAF
    assert model.pack.curve == LEAF.pack.curve


def test_a_leaf_of_40_kwh_says_what_the_recordings_of_one_show() -> None:
    frames = said("leaf-40kwh")
    assert last(frames, 0x110).data.hex(" ") == "01 00 00 00 00 00 00 00"
    assert last(frames, 0x201).data.hex(" ") == "02 00 00 00 00 00 00 00"
    assert last(frames, 0x202).data.hex(" ") == "01 01 01 00 00 00 00 00"
    assert last(frames, 0x700).data.hex(" ") == "01 02 00 00 06 00 00 00"
    assert last(frames, 0x200).data.hex(" ") == "ff 00 00 00 fa 00 0a 64"
    assert last(frames, 0x100).data[0] == 6
    times, status = decode(last(frames, 0x101)), decode(last(frames, 0x102))
    assert isinstance(times, VehicleTimes)
    assert isinstance(status, VehicleStatus)
    assert times.rated_capacity == pytest.approx(35.4 * 3.6e6)
    assert not status.unknown_5_6


def test_frames_keep_their_order_and_spacing_and_one_may_lead() -> None:
    frames = said("leaf-40kwh")
    first = frames[0]
    assert first[1].id == 0x700
    cycle = [(round(at - frames[1][0], 3), frame.id) for at, frame in frames[1:10]]
    ids = (0x100, 0x101, 0x102, 0x200, 0x110, 0x201, 0x700, 0x202)
    assert cycle == [*((round(0.01 * n, 3), id) for n, id in enumerate(ids)), (0.1, 0x100)]
    assert frames[1][0] - first[0] == pytest.approx(0.04)


@pytest.mark.parametrize(("name", "least", "most"), [("kei-16kwh", 48, 152), ("phev-12kwh", 48, 114)])
def test_levels_without_0x201_are_tenths_of_a_kilowatt_hour(name: str, least: int, most: int) -> None:
    frames = said(name)
    levels = decode(last(frames, 0x200))
    assert isinstance(levels, VehicleDischarge)
    assert (levels.min_discharge_level, levels.max_charge_level) == (least, most)
    assert {frame.id for _, frame in frames} == {0x100, 0x101, 0x102, 0x200}


def broken(tmp_path: Path, *changes: tuple[str, str]) -> list[str]:
    text = find_vehicle("leaf-40kwh").read_text()
    for pattern, new in changes:
        text, count = re.subn(pattern, new, text, count=1, flags=re.M)
        assert count == 1, pattern
    path = tmp_path / "leaf-40kwh.toml"
    path.write_text(text)
    with pytest.raises(BenchConfigError) as caught:
        read_vehicle(path)
    return [problem.removeprefix(f"{path}: ") for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("pattern", "new", "words"),
    [
        ("^target_voltage = .*$", "", "figures.target_voltage: is missing; add target_voltage = { value = ..."),
        ('"410 V"', '"410 A"', "figures.target_voltage: '410 A' is no quantity in V"),
        ('"35.4 kWh"', '"35.4 Ah"', "figures.capacity: '35.4 Ah' is no quantity in kWh"),
        ("^target_voltage", "aim", "figures.aim: no such figure"),
        ('"435 V"', '"400 V"', "figures.target_voltage: 410 is above max_battery_voltage = 400; mend one of them"),
        ("^min_discharge_level = { value = [0-9.]+", "min_discharge_level = { value = -1",
         "figures.min_discharge_level: -1 does not fit its frame; it must lie in 0..1"),
        ("^protocol_number = { value = [0-9]+", "protocol_number = { value = 300",
         "figures.protocol_number: 300 does not fit its frame; it must lie in 0..255"),
        ("^protocol_number = { value = [0-9]+", "protocol_number = { value = 1.5",
         "figures.protocol_number: 1.5 is no whole number"),
        ("id = 0x201", "id = 0x102", "frame 2: id 258 is none a car may add; use one of 0x110, 0x201, 0x202, 0x700"),
        ("id = 0x201", "id = 0x110", "frame: 0x110 is there twice; keep one"),
        ('"02 00 00', '"02 00', "frame 2: data '02 00 00 00 00 00 00' must be 8 bytes in hex"),
        ("lead = 1", "lead = -1", "frame 3: lead -1 must be a whole number of cycles, 0..50"),
        (r"\[1.0, 403.0\]", "[0.9, 403.0]", "pack.ocv: must begin at soc 0.0 and end at soc 1.0"),
        (r"\[0.05, 333.0\]", "[0.05, 300.0]", "pack.ocv: an OCV curve needs 3 or more points, soc and"),
        ('"99 Ah"', '"0 Ah"', "pack.capacity: 0 Ah must be above 0"),
        ("^tau1 = .*$", "", 'pack.tau1: is missing; add tau1 = { value = ..., source = "..." }'),
        ('name = "leaf-40kwh"', 'name = "leaf"', "vehicle.name: 'leaf' is not the file's name; write 'leaf-40kwh'"),
        (r"^\[pack\]", "[battery]", "battery: unknown table; there are [vehicle], [figures], [[frame]] and [pack]"),
    ],
)  # fmt: skip
def test_a_problem_is_one_line_that_says_where(tmp_path: Path, pattern: str, new: str, words: str) -> None:
    assert any(one.startswith(words) for one in broken(tmp_path, (pattern, new)))


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    problems = broken(tmp_path, ('"410 V"', '"410 A"'), ("lead = 1", "lead = 99"), ('"99 Ah"', '"none"'))
    assert len(problems) == 3


def test_a_vehicle_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(BenchConfigError, match=r"leaf-30kwh: no such vehicle file, .* kei-16kwh, leaf-24kwh, leaf-40"):
        find_vehicle("leaf-30kwh")
