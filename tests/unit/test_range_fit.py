"""Ranges of a bench beside the plate of a device; what `bench check` says of them and of self-tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from fixtures.library import find_bench, find_profile
from instruments.registry import REGISTRY
from rig.cli.main import app
from rig.errors import BenchFault
from rig.open_bench import open_bench, read_bench_file
from rig.profile import read_profile
from rig.range_fit import misfits


def found(path: Path, profile: str = "") -> list[str]:
    config = read_bench_file(path, REGISTRY)
    device = read_profile(find_profile(profile or config.bench.profile))
    with open_bench(config, REGISTRY, device) as bench:
        return [f"[{part}] {words}" for part, words in misfits(bench.instruments, bench.options, device)]


def bench_with(tmp_path: Path, part: str, keys: str) -> Path:
    path = tmp_path / "bench.toml"
    text = find_bench("emulated").read_text()
    if part == "digitizer2":
        text = text.replace('channels = { 1 = "dc", 2 = "dc_i" }\n', "")
    path.write_text(text.replace(f"[{part}]\n", f"[{part}]\n{keys}\n"))
    return path


@pytest.mark.parametrize("name", ["emulated", "europe-230v", "us-240v", "uk-230v", "second-makers", "standalone"])
def test_every_bench_of_the_library_fits_its_device(name: str) -> None:
    assert found(find_bench(name)) == []


@pytest.mark.parametrize(
    ("part", "keys", "words"),
    [
        ("battery", "voltage = 400.0\novp = 400.0", "[battery] voltage up to 400 V, and 450 V must fit"),
        ("battery", "current = 20.0\nocp = 20.0", "[battery] current up to 20 A, and 30 A must fit"),
        ("grid", "current = 20.0", "[grid] current up to 20 A, and 36 A must fit"),
        (
            "analyzer",
            'elements = { 1 = { port = "dc", voltage = 300.0 } }',
            "[analyzer] 1 on dc has range 300 V, and 450 V must fit; take a larger range",
        ),
        (
            "analyzer",
            'elements = { 2 = { port = "house_l1", current = 20.0 } }',
            "[analyzer] 2 on house_l1 has range 20 A, and 30 A must fit",
        ),
        (
            "digitizer",
            'channels = { 1 = { port = "grid_l1", range = 200.0 } }',
            "[digitizer] 1 on grid_l1 shows 100 V peak, and 155.6 V must fit",
        ),
        (
            "digitizer2",
            'channels = { 1 = "dc", 2 = { port = "dc_i", range = 20.0 } }',
            "[digitizer2] 2 on dc_i shows 10 A peak, and 30 A must fit",
        ),
    ],
)
def test_a_range_that_is_too_small_is_one_line(tmp_path: Path, part: str, keys: str, words: str) -> None:
    lines = found(bench_with(tmp_path, part, keys))
    assert len([line for line in lines if words in line]) == 1, lines
    assert all(line.startswith(f"[{part}]") for line in lines)


def test_a_100_v_range_is_told_for_a_230_v_device() -> None:
    lines = found(find_bench("standalone"), "uk-6kw-230v")
    assert any("[grid]" in line or "[analyzer]" in line for line in lines)


def check(path: Path) -> tuple[int, str, BaseException | None]:
    ran = CliRunner().invoke(app, ["bench", "check", str(path)])
    return ran.exit_code, ran.stdout, ran.exception


def test_a_good_bench_passes_its_check_and_its_self_tests() -> None:
    code, out, _ = check(find_bench("emulated"))
    assert code == 0
    assert "safe state CONFIRMED" in out
    assert "battery passed" in out.replace("\n", " ")
    assert "digitizer has none that answers" in out.replace("\n", " ")


def test_a_self_test_whose_answer_is_none_is_told_and_the_bench_is_not_fit(tmp_path: Path) -> None:
    path = bench_with(tmp_path, "grid", 'faults = [{ fault = "nonsense", when = "*TST?" }]')
    code, out, error = check(path)
    assert code == 1
    assert isinstance(error, BenchFault)
    assert "not fit for leaf-to-home-6kw: 1 problem" in str(error)
    assert "[grid] self-test:" in out


def test_a_misfit_makes_the_check_fail(tmp_path: Path) -> None:
    _, out, error = check(bench_with(tmp_path, "grid", "current = 20.0"))
    assert isinstance(error, BenchFault)
    assert "[grid] current up to 20 A" in out
