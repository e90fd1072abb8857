"""Another instrument in a place, or papers that do not fit: told, and no verdict is built on it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from fixtures.library import find_bench, find_profile
from instruments.registry import REGISTRY
from rig.errors import BenchConfigError, BenchFault, OutOfCalibration
from rig.identify import mistaken, refuse_mistaken
from rig.open_bench import open_bench, read_bench_file
from rig.profile import read_profile
from rig.rig_file import rig_file

PROFILE = read_profile(find_profile("leaf-to-home-6kw"))


def bench_file(tmp_path: Path, grid: str = "", bench: str = "") -> Path:
    text = find_bench("emulated").read_text()
    text = text.replace("[grid]\n", f"[grid]\n{grid}\n").replace("[bench]\n", f"[bench]\n{bench}\n")
    path = tmp_path / "bench.toml"
    path.write_text(text)
    return path


def wrong(path: Path) -> dict[str, str]:
    config = read_bench_file(path, REGISTRY)
    with open_bench(config, REGISTRY, PROFILE) as bench:
        return dict(mistaken(config, bench.drivers, bench.identities()))


def test_every_emulated_instrument_is_one_its_driver_is_for(tmp_path: Path) -> None:
    assert wrong(bench_file(tmp_path, 'serial = "EMULATED1"\nfirmware = "1.00"')) == {}


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ('faults = [{ fault = "stranger" }]', "model 'BOX 1' is none that driver 'chroma_61845' is for"),
        ('serial = "SN99"', "serial number 'EMULATED1', and the file says 'SN99'"),
        ('firmware = "2.0"', "firmware '1.00', and the file says '2.0'"),
    ],
)
def test_who_else_answers_is_told_by_part(tmp_path: Path, keys: str, words: str) -> None:
    found = wrong(bench_file(tmp_path, keys))
    assert list(found) == ["grid"]
    assert words in found["grid"]
    with pytest.raises(BenchFault, match="connect the instrument the file means") as told:
        refuse_mistaken(found, "bench.toml")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("grid", "bench", "words"),
    [
        ("calibrated = 2027-01-01\ncalibrated_until = 2026-01-01", "", "lies before the day of the calibration"),
        ('calibrated = "2026-01-01"', "", "is no date; write it as 2027-03-31"),
        ("certificate = 12", "", "[grid] certificate"),
        ("", 'overdue_allowed = ["gird"]', "[bench] overdue_allowed"),
    ],
)
def test_papers_that_cannot_be(tmp_path: Path, grid: str, bench: str, words: str) -> None:
    with pytest.raises(BenchConfigError) as told:
        read_bench_file(bench_file(tmp_path, grid, bench), REGISTRY)
    assert len(told.value.problems) == 1
    assert words in told.value.problems[0]


def test_overdue_is_refused_unless_it_is_allowed_by_name(tmp_path: Path) -> None:
    due = "calibrated_until = 2020-01-01\ncertificate = 'K-17'"
    config = read_bench_file(bench_file(tmp_path, due), REGISTRY)
    with open_bench(config, REGISTRY, PROFILE, today=date(2026, 1, 1)) as bench:
        bench.check_calibration()  # an emulated part has no papers to be late with
        object.__setattr__(bench, "expired", {"grid": date(2020, 1, 1)})
        with pytest.raises(OutOfCalibration, match=r"\[grid\] since 2020-01-01; .* \[bench\] overdue_allowed"):
            bench.check_calibration()
        allowed = config.bench.model_copy(update={"overdue_allowed": ("grid",)})
        object.__setattr__(bench.config, "bench", allowed)
        bench.check_calibration()
        object.__setattr__(bench, "expired", {"grid": date(2020, 1, 1), "battery": date(2020, 1, 1)})
        with pytest.raises(OutOfCalibration, match=r"\[battery\]"):
            bench.check_calibration()


def test_papers_are_carried_to_the_rig_s_own_file(tmp_path: Path) -> None:
    keys = 'calibrated = 2026-01-01\ncalibrated_until = 2027-01-01\ncertificate = "K-17"\nserial = "EMULATED1"'
    config = read_bench_file(bench_file(tmp_path, keys), REGISTRY)
    text = rig_file(config, {"grid": "TCPIP::127.0.0.1::5025::SOCKET"})
    for line in keys.splitlines():
        assert line in text
