"""Corrections of a source's meter and of a digitizer: a known error planted in an emulated box is put right by the rows
of its certificate, and what they leave unsure is in the uncertainty."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from fixtures.library import find_bench, find_profile
from instruments.registry import REGISTRY
from rig.bench import Bench
from rig.corrected import CorrectedSource
from rig.errors import BenchConfigError
from rig.metrology.calibration import Correction
from rig.metrology.wave import wave
from rig.open_bench import open_bench, read_bench_file
from rig.profile import read_profile
from rig.roles import DcReading, Waveforms

ERROR = 0.03
"""Gain error planted: far beyond the limits of either model."""
DRIFT = 'drift = 1e-4, drift_source = "certificates of four years"'


def bench_file(folder: Path, part: str, rows: str = "") -> Path:
    keys = f"misreads = {{ voltage = {ERROR} }}\n"
    keys += f'certificate = "K-7"\ncorrections = [{rows}]\n' if rows else ""
    path = folder / "bench.toml"
    path.write_text(find_bench("emulated").read_text().replace(f"[{part}]\n", f"[{part}]\n{keys}"))
    return path


@contextmanager
def opened(path: Path) -> Iterator[Bench]:
    config = read_bench_file(path, REGISTRY)
    with open_bench(config, REGISTRY, read_profile(find_profile(config.bench.profile)), seed=3) as bench:
        yield bench


# -- the source


def meter(path: Path, volts: float) -> tuple[DcReading, float]:
    """A reading of the battery's place with its contactors open, and the truth at its terminals."""
    with opened(path) as bench:
        assert bench.world is not None
        plant = bench.world.plant
        bench.battery.imitate(volts, 0.1, 10.0, 10.0)
        bench.clock.sleep(1.0)
        return bench.battery.reading(), plant._supply.u_set


def fitted(low: tuple[float, float], high: tuple[float, float]) -> tuple[float, float]:
    """Gain and offset from two points of (shown, true)."""
    gain = (high[1] - low[1]) / (high[0] - low[0])
    return gain, low[1] - gain * low[0]


def test_a_source_s_meter_is_put_right_and_says_how_well(tmp_path: Path) -> None:
    plain = bench_file(tmp_path, "battery")
    points = [(read.voltage, true) for read, true in (meter(plain, 300.0), meter(plain, 400.0))]
    wrong, true = meter(plain, 360.0)
    assert abs(wrong.voltage - true) > 10 * wrong.voltage_u
    assert wrong.corrected == ""
    gain, offset = fitted(*points)
    row = f'quantity = "voltage", gain = {gain!r}, offset = {offset!r}, expanded = 0.06'
    kept, _ = meter(bench_file(tmp_path, "battery", f"{{ {row} }}"), 360.0)
    replaced, _ = meter(bench_file(tmp_path, "battery", f"{{ {row}, {DRIFT} }}"), 360.0)
    assert kept.voltage == replaced.voltage == pytest.approx(gain * wrong.voltage + offset)
    assert abs(replaced.voltage - true) < 2 * replaced.voltage_u < 0.2
    assert replaced.voltage_u < gain * wrong.voltage_u < kept.voltage_u
    assert (kept.current, kept.current_u) == (wrong.current, wrong.current_u)
    assert kept.corrected == "certificate K-7"


class Meter:
    def __init__(self, read: DcReading) -> None:
        self._read = read

    def reading(self) -> DcReading:
        return self._read


def test_the_uncertainty_of_a_corrected_reading_by_hand() -> None:
    read = DcReading(1.0, 200.0, -8.0, 0.5, 0.0, 0.02, 0.4)
    rows = {
        "voltage": Correction(quantity="voltage", gain=1.5, offset=-1.0, expanded=0.6),
        "current": Correction(quantity="current", gain=1.1, expanded=0.2),
    }
    kept = CorrectedSource(Meter(read), rows, "K1").reading()
    assert (kept.voltage, kept.current) == (pytest.approx(299.0), pytest.approx(-8.8))
    assert kept.voltage_u == pytest.approx(np.hypot(0.75, 0.3))
    assert kept.current_u == 0.0  # nobody knows the meter's own, and the certificate does not take its place
    drift = {name: row.model_copy(update={"drift": 0.003, "drift_source": "log"}) for name, row in rows.items()}
    replaced = CorrectedSource(Meter(read), drift, "K1").reading()
    moved = 0.003 / np.sqrt(3.0)
    assert replaced.voltage_u == pytest.approx(np.sqrt(0.45**2 + 0.3**2 + (200.0 * moved) ** 2))
    assert replaced.current_u == pytest.approx(np.hypot(0.1, 8.0 * moved))


# -- the digitizer


def record(path: Path) -> tuple[Waveforms, float]:
    """The mains, and its true rms."""
    with opened(path) as bench:
        assert bench.grid is not None
        assert bench.digitizer is not None
        assert bench.world is not None
        bench.grid.supply(101.0, 50.0)
        bench.clock.sleep(1.0)
        bench.digitizer.start(["grid_l1", "house_l1"], 0.2, 20e3)
        return bench.digitizer.fetch(), bench.world.plant.at("grid_l1").u


def rms(waves: Waveforms) -> float:
    return float(np.sqrt(np.mean(waves["grid_l1"].astype(float) ** 2)))


def test_every_sample_of_a_channel_is_put_right_and_the_other_channels_are_left(tmp_path: Path) -> None:
    wrong, true = record(bench_file(tmp_path, "digitizer"))
    other = 'quantity = "grid_l1", range = 200.0, gain = 1.2, expanded = 1.0'
    gain = true / rms(wrong)
    row = f'quantity = "grid_l1", range = 400.0, gain = {gain!r}, offset = 0.5, expanded = 0.2, expanded_reading = 1e-3'
    kept, _ = record(bench_file(tmp_path, "digitizer", f"{{ {other} }}, {{ {row} }}"))
    replaced, _ = record(bench_file(tmp_path, "digitizer", f"{{ {other} }}, {{ {row}, {DRIFT} }}"))
    assert abs(rms(wrong) / true - 1.0) > 2 * wrong.gain_u
    for waves in (kept, replaced):
        np.testing.assert_allclose(waves["grid_l1"], gain * wrong["grid_l1"] + 0.5, rtol=1e-5, atol=1e-4)
        assert np.array_equal(waves["house_l1"], wrong["house_l1"])
        assert waves.samples.dtype == np.float32
        assert waves.resolution == (wrong.resolution[0] * gain, wrong.resolution[1])
        assert waves.noise == (wrong.noise[0] * gain, wrong.noise[1])
        assert waves.offset_u[1] == wrong.offset_u[1]
        assert waves.source == f"{wrong.source}, corrected by certificate K-7"
        assert wave(waves, "grid_l1").source.startswith(waves.source)
    assert kept.gain_u == pytest.approx(np.hypot(wrong.gain_u, 5e-4 / gain))
    assert kept.offset_u[0] == pytest.approx(np.hypot(wrong.offset_u[0] * gain, 0.1))
    assert replaced.gain_u == wrong.gain_u  # the worst channel's, which has no row
    assert replaced.offset_u[0] == pytest.approx(0.1)


def test_with_a_row_and_its_drift_the_gain_of_a_record_is_the_certificate_s(tmp_path: Path) -> None:
    row = f'quantity = "{{}}", expanded_reading = 1e-3, {DRIFT}'
    rows = ", ".join(f"{{ {row.format(port)} }}" for port in ("grid_l1", "house_l1"))
    waves, _ = record(bench_file(tmp_path, "digitizer", rows))
    assert waves.gain_u == pytest.approx(np.hypot(5e-4, 1e-4 / np.sqrt(3.0)))
    assert waves.offset_u == (0.0, 0.0)


@pytest.mark.parametrize(
    ("part", "row", "words"),
    [
        ("battery", 'quantity = "power", expanded = 1.0', "no quantity 'power'; there are current, voltage"),
        ("battery", 'quantity = "voltage", range = 500.0, expanded = 1.0', "voltage has one range; leave range out"),
        ("digitizer", 'quantity = "dc_i", expanded = 1.0', "no quantity 'dc_i'; there are grid_l1, house_l1, "),
        ("digitizer", 'quantity = "grid_l1", range = 80.0, expanded = 1.0', "grid_l1: none is for its range 400"),
    ],
)
def test_a_row_that_fits_nothing_is_told(tmp_path: Path, part: str, row: str, words: str) -> None:
    with pytest.raises(BenchConfigError) as told:
        read_bench_file(bench_file(tmp_path, part, f"{{ {row} }}"), REGISTRY)
    assert f"[{part}] corrections: " in str(told.value)
    assert words in str(told.value)
