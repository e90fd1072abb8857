"""A certificate's corrections in a bench file: a known error planted in an emulated analyzer is put right by them, and
the budget says what is left unsure."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from fixtures.library import find_bench, find_profile
from instruments.registry import REGISTRY
from rig.errors import BenchConfigError
from rig.metrology.calibration import Correction
from rig.metrology.decision import Limit, Verdict, judge
from rig.metrology.measurement import Component, Measurement
from rig.open_bench import open_bench, read_bench_file
from rig.profile import read_profile
from rig.rig_file import rig_file
from rig.run_head import run_head

ERROR = 0.02
"""Gain error planted: 40 times the model's limit."""
TRUE = 105.5
SERVICE = Limit(max=107.0, unit="V")
"""101 +/-6 V, the window of a Japanese 100 V service (standards.md, voltage window)."""
ROW = 'quantity = "grid_l1 u", gain = 0.98, expanded = 0.01, expanded_reading = 1e-4'
DRIFT = ', drift = 1e-4, drift_source = "certificates of four years"'


def bench_file(
    folder: Path, rows: str = "", certificate: str = 'certificate = "K-2026-0815"', part: str = "analyzer"
) -> Path:
    text = find_bench("emulated").read_text()
    keys = f"{certificate}\ncorrections = [{rows}]\n" if rows else ""
    wrong = f"misreads = {{ voltage = {ERROR} }}\n"
    text = text.replace("[analyzer]\n", f"[analyzer]\n{wrong}").replace(f"[{part}]\n", f"[{part}]\n{keys}")
    path = folder / "bench.toml"
    path.write_text(text)
    return path


def read(path: Path, at: float = TRUE) -> Measurement:
    """A reading of the mains, less what the mains misses of the voltage asked for."""
    config = read_bench_file(path, REGISTRY)
    with open_bench(config, REGISTRY, read_profile(find_profile(config.bench.profile)), seed=3) as bench:
        assert bench.grid is not None
        assert bench.analyzer is not None
        bench.grid.supply(at, 50.0)
        bench.clock.sleep(2.0)
        assert bench.world is not None
        true = bench.world.plant.at("grid_l1").u
        assert abs(true - at) < 0.5
        m = bench.analyzer.read(("grid_l1", "u")).values["grid_l1", "u"]
        assert bench.analyzer.latest(("grid_l1", "u")).values["grid_l1", "u"].source == m.source
        return m.less(true - at)


@pytest.fixture(scope="module")
def row(tmp_path_factory: pytest.TempPathFactory) -> str:
    """As a laboratory makes it: this very box beside the truth, at two points."""
    path = bench_file(tmp_path_factory.mktemp("calibration"))
    low, high = read(path, 80.0).value, read(path, 120.0).value
    gain = 40.0 / (high - low)
    return f'quantity = "grid_l1 u", gain = {gain!r}, offset = {80.0 - gain * low!r}, expanded = 0.03'


def test_an_uncorrected_reading_gives_a_wrong_verdict_and_the_corrected_one_the_right(tmp_path: Path, row: str) -> None:
    plain = read(bench_file(tmp_path))
    assert abs(plain.value - TRUE) > plain.expanded()
    assert judge(plain, SERVICE).verdict is Verdict.FAIL
    for one in (row, row + DRIFT):
        m = read(bench_file(tmp_path, f"{{ {one} }}"))
        assert abs(m.value - TRUE) < m.expanded()
        assert judge(m, SERVICE).verdict is Verdict.PASS
        assert m.source.endswith("corrected by certificate K-2026-0815")


def test_without_a_drift_the_limits_of_error_stay_and_with_one_they_are_replaced(tmp_path: Path) -> None:
    plain = read(bench_file(tmp_path))
    kept, replaced = read(bench_file(tmp_path, f"{{ {ROW} }}")), read(bench_file(tmp_path, f"{{ {ROW}{DRIFT} }}"))
    names = {one.name for one in plain.budget}
    limits = {name for name in names if name.endswith((": of reading", ": of range"))}
    own = {"calibration", "calibration, of reading"}
    assert len(limits) == 2
    assert {one.name for one in kept.budget} == names | own
    assert {one.name for one in replaced.budget} == (names - limits) | own | {"drift since calibration"}
    assert replaced.u < plain.u < kept.u * (1.0 + ERROR) * 1.001


def test_a_correction_by_hand() -> None:
    limits = Component("box voltage: of range", 0.3, "rectangular", "page 17")
    noise = Component("box voltage: noise", 0.04, "normal", "page 17")
    m = Measurement("u", 200.0, "V", (limits, noise), "box")
    row = Correction(
        quantity="u", gain=1.5, offset=-1.0, expanded=0.06, expanded_reading=4e-4, k=2.0, drift=3e-4, drift_source="log"
    )
    put_right = row.apply(m, "K1")
    assert put_right.value == pytest.approx(299.0)
    parts = (1.5 * 0.04, 0.03, 0.04, 0.06 / math.sqrt(3.0))
    assert put_right.u == pytest.approx(math.sqrt(sum(one**2 for one in parts)))
    kept = row.model_copy(update={"drift": None}).apply(m, "K1")
    assert kept.u == pytest.approx(math.sqrt((1.5 * 0.3) ** 2 + (1.5 * 0.04) ** 2 + 0.03**2 + 0.04**2))


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (f"{{ {ROW}, range = 300.0 }}", "grid_l1 u: none is for its range 150 (there are 300); add that row"),
        (f"{{ {ROW} }}, {{ {ROW} }}", "grid_l1 u: two rows for one range; keep one"),
        ('{ quantity = "grid_l3 u", expanded = 0.1 }', "row 1: no quantity 'grid_l3 u'; there are "),
        ('{ quantity = "grid_l1 pf", expanded = 0.1 }', "row 1: no quantity 'grid_l1 pf'; there are "),
        ('{ quantity = "grid_l1 u", gain = 1.01 }', "a correction without uncertainty is none"),
        (f"{{ {ROW}, drift = 1e-4 }}", "drift without drift_source; say where the figure comes from"),
        ('{ quantity = "grid_l1 u", expanded = 0.1, gain = 10.1 }', "less than or equal to 2"),
        ('{ quantity = "grid_l1 u", expanded = 0.1, ofset = 1.0 }', "corrections"),
    ],
)
def test_a_wrong_row_is_told(tmp_path: Path, rows: str, words: str) -> None:
    with pytest.raises(BenchConfigError) as found:
        read_bench_file(bench_file(tmp_path, rows), REGISTRY)
    assert "[analyzer]" in str(found.value)
    assert words in str(found.value)


def test_the_row_of_the_range_in_use_is_taken(tmp_path: Path, row: str) -> None:
    other = 'quantity = "grid_l1 u", range = 300.0, gain = 1.1, expanded = 0.01'
    m = read(bench_file(tmp_path, f"{{ {other} }}, {{ {row}, range = 150.0 }}"))
    assert abs(m.value - TRUE) < m.expanded()


def test_a_part_that_gives_no_measurement_and_rows_of_no_certificate_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BenchConfigError, match="a grid's readings cannot be corrected here; remove them"):
        read_bench_file(bench_file(tmp_path, '{ quantity = "voltage", expanded = 0.1 }', part="grid"), REGISTRY)
    with pytest.raises(BenchConfigError, match="of no certificate; state its number"):
        read_bench_file(bench_file(tmp_path, f"{{ {ROW} }}", certificate=""), REGISTRY)


def test_load_and_thermometer_are_corrected_too_and_the_run_says_by_what(tmp_path: Path) -> None:
    path = bench_file(tmp_path, '{ quantity = "voltage", offset = 7.0, expanded = 0.2 }', part="house_l1")
    keys = 'certificate = "T-7"\ncorrections = [{ quantity = "ambient", offset = 5.0, expanded = 0.2 }]\n'
    path.write_text(path.read_text().replace("[thermometer]\n", f"[thermometer]\n{keys}"))
    config = read_bench_file(path, REGISTRY)
    with open_bench(config, REGISTRY, read_profile(find_profile(config.bench.profile))) as bench:
        bench.prepare()
        assert bench.house is not None
        assert bench.thermometer is not None
        one, two = (leg.voltage() for leg in bench.house.legs)
        assert one.value - two.value == pytest.approx(7.0, abs=1.0)
        assert bench.thermometer.ambient().value == pytest.approx(28.0, abs=0.5)
        head = run_head(bench, (), (), (), "")
        said = {part.name: part.calibration for part in head[1].parts}  # type: ignore[union-attr]
        assert said["thermometer"].certificate == "T-7"
        assert said["thermometer"].corrections == ("ambient: x 1 +5, U 0.2 (k = 2), limits of error kept",)
        assert bench.make_safe().confirmed


def test_a_bench_file_the_rig_writes_keeps_the_rows(tmp_path: Path) -> None:
    config = read_bench_file(bench_file(tmp_path, f"{{ {ROW}{DRIFT} }}"), REGISTRY)
    again = tmp_path / "again.toml"
    text = rig_file(config, dict.fromkeys(config.parts, "emulated"))
    again.write_text(text.replace('clock = "real"', 'clock = "virtual"'))
    assert (
        read_bench_file(again, REGISTRY).parts["analyzer"].papers.corrections
        == config.parts["analyzer"].papers.corrections
    )
