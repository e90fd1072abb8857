"""What an adapter of FMUs is made of, without any FMU: signals against the codec, and archives that mean harm."""

from __future__ import annotations

import stat
from pathlib import Path
from zipfile import ZipFile, ZipInfo

import pytest

from rig.can.frame import Frame
from rig.chademo.codec import (
    ChargerCapability,
    ChargerDischarge,
    ChargerDischargeTime,
    ChargerStatus,
    VehicleDischarge,
    VehicleStatus,
    VehicleTimes,
)
from rig.chademo.messages import SPECS
from rig.errors import BenchFault
from rig.fmu.archive import DESCRIPTION, description_text, opened
from rig.fmu.signals import pack, unpack
from rig.fmu.variables import VARIABLES, frames_of

SAID = [
    ChargerCapability(True, 450, 12, 435).encode(),
    ChargerStatus(2, 391, 7, True, True, False, True, False, False, False, 2550, 61 * 60).encode(),
    ChargerDischarge(11, 450, 15, 200).encode(),
    ChargerDischargeTime(2, 17 * 60).encode(),
]


@pytest.mark.parametrize("frame", SAID, ids=lambda frame: SPECS[frame.id].name)
def test_a_frame_said_is_what_the_codec_makes_of_the_same_values(frame: Frame) -> None:
    spec = SPECS[frame.id]
    values = unpack(spec, frame.data)
    assert set(values) == {name for name, one in VARIABLES.items() if one.frame == spec.name}
    assert pack(spec, values.__getitem__) == frame


def test_what_is_heard_has_the_units_of_the_dbc_file() -> None:
    times = unpack(SPECS[0x101], VehicleTimes(2550, 40 * 60, 0, 24 * 3.6e6).encode().data)
    assert times["VehicleTimes.MaximumChargingTime10s"] == 2550
    assert times["VehicleTimes.MaximumChargingTimeMin"] == 40
    assert times["VehicleTimes.RatedBatteryCapacity"] == pytest.approx(24.0)
    granted = unpack(SPECS[0x200], VehicleDischarge(15, 280).encode().data)
    assert granted["VehicleDischarge.MaximumDischargeCurrent"] == 15
    status = unpack(SPECS[0x102], VehicleStatus(contactor_open=False, enabled=True).encode().data)
    assert status["VehicleStatus.VehicleEnabled"] == 1
    assert status["VehicleStatus.VehicleContactorOpen"] == 0


def test_every_signal_of_the_car_can_be_heard() -> None:
    for spec in frames_of("vehicle"):
        assert set(unpack(spec, bytes(8))) | {f"{spec.name}.count"} == {
            name for name in VARIABLES if name.startswith(f"{spec.name}.")
        }


@pytest.mark.parametrize("value", [-1.0, 256.0, float("nan"), float("inf")])
def test_a_value_no_wire_can_carry_is_a_fault_with_its_name(value: float) -> None:
    with pytest.raises(BenchFault, match=r"ChargerStatus\.PresentOutputCurrent = .*give 0 to 255 A"):
        pack(SPECS[0x109], lambda name: value if name.endswith("OutputCurrent") else 0.0)


@pytest.mark.parametrize("name", ["../out.so", "/etc/out", "binaries/../../out", "c:/out", "a\\..\\out"])
def test_a_path_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    with ZipFile(tmp_path / "x.fmu", "w") as archive:
        archive.writestr(DESCRIPTION, "<x/>")
        archive.writestr(name, "harm")
    with pytest.raises(ValueError, match="leads out of its folder"), opened(tmp_path / "x.fmu"):
        pass


def test_a_link_and_a_flood_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = ZipInfo("resources/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with ZipFile(tmp_path / "link.fmu", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(ValueError, match="holds the link 'resources/link'"), opened(tmp_path / "link.fmu"):
        pass
    with ZipFile(tmp_path / "big.fmu", "w") as archive:
        archive.writestr("resources/zeros", bytes(2000))
    monkeypatch.setattr("rig.fmu.archive.MOST_BYTES", 1999)
    with pytest.raises(ValueError, match="unpacks to more than"), opened(tmp_path / "big.fmu"):
        pass


@pytest.mark.parametrize(
    "text",
    [
        b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>',
        '<?xml version="1.0" encoding="UTF-16"?><x/>'.encode("utf-16"),
    ],
)
def test_a_description_that_reaches_outside_is_not_parsed(tmp_path: Path, text: bytes) -> None:
    with ZipFile(tmp_path / "x.fmu", "w") as archive:
        archive.writestr(DESCRIPTION, text)
    with opened(tmp_path / "x.fmu") as archive, pytest.raises(ValueError, match="which no FMU needs"):
        description_text(archive)


def test_what_is_no_archive_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.fmu").write_bytes(b"no archive")
    with pytest.raises(ValueError, match="cannot be unpacked"), opened(tmp_path / "x.fmu"):
        pass
    with ZipFile(tmp_path / "y.fmu", "w") as archive:
        archive.writestr("readme", "")
    with opened(tmp_path / "y.fmu") as archive, pytest.raises(ValueError, match=r"has no modelDescription\.xml"):
        description_text(archive)
