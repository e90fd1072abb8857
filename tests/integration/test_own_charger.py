"""A charger of the user's own in a bench file: the example of docs/examples, through the same drivers as any other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fixtures.library import find_bench, find_profile
from instruments.registry import REGISTRY
from rig.bench import Bench
from rig.errors import BenchConfigError, InstrumentError
from rig.open_bench import open_bench, read_bench_file
from rig.profile import read_profile

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
OWN = 'emulator = "small_charger:SmallCharger"'


def bench_file(folder: Path, line: str) -> Path:
    """The emulated bench with one more key in [charger]."""
    text = find_bench("emulated").read_text()
    path = folder / "own.toml"
    path.write_text(text.replace('driver = "evps"\n', f'driver = "evps"\n{line}\n'))
    return path


@contextmanager
def opened(folder: Path) -> Iterator[Bench]:
    config = read_bench_file(bench_file(folder, OWN), REGISTRY)
    with open_bench(config, REGISTRY, read_profile(find_profile(config.bench.profile))) as bench:
        yield bench


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.syspath_prepend(EXAMPLES)
    with opened(tmp_path) as bench:
        yield bench


def current(bench: Bench) -> float:
    return bench.battery.reading().current


def test_a_whole_session_in_both_directions(bench: Bench) -> None:
    world, clock = bench.world, bench.clock
    assert world is not None
    bench.prepare()
    bench.charger.set_power(2000.0)
    bench.car.plug_in(0.6)
    bench.charger.start("charge")
    clock.wait_until(lambda: bench.charger.state().phase == "running", 30.0)
    clock.sleep(3.0)
    assert current(bench) == pytest.approx(2000.0 * 0.93 / world.plant.at("dc").u, abs=0.3)
    bench.charger.set_mode("discharge")
    clock.sleep(3.0)
    assert -6.5 < current(bench) < -4.0
    bench.car.set_discharge_limit(3.0)
    clock.sleep(2.0)
    assert -3.0 < current(bench) < -2.0
    bench.charger.stop()
    clock.wait_until(lambda: bench.charger.state().phase == "idle", 20.0)
    clock.sleep(1.0)
    assert bench.charger.state().fault == ""
    assert world.plant.incidents == []
    assert not world.plant.wire("lock")
    assert not any(world.plant.wire(wire) for wire in ("d1", "d2"))


def test_its_own_words_reach_the_test(bench: Bench) -> None:
    bench.charger.emergency_stop()
    assert bench.charger.state().fault == "emergency_stop"
    with pytest.raises(InstrumentError, match="fault emergency_stop is latched; reset it first"):
        bench.charger.start("charge")
    bench.charger.reset()
    bench.charger.start("charge")
    bench.charger.stop()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('emulator = "small_charger"', r'names no class; write emulator = "module:Class"'),
        ('emulator = "nowhere_to_be_found:Charger"', r"cannot be imported \(ModuleNotFoundError"),
        ('emulator = "small_charger:Big"', "has no class Big"),
        ('emulator = "broken_charger:Charger"', r"cannot be imported \(ZeroDivisionError"),
        ('emulator = "old_charger:Charger"', "written for interface 0, this rig has 1"),
        ('emulator = "half_charger:Charger"', "has no set_mode, set_power, set_transfer"),
        (f'{OWN}\ndefects = ["late_stop"]', "defects"),
    ],
)
def test_what_cannot_serve_is_told_with_file_and_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, words: str
) -> None:
    (tmp_path / "broken_charger.py").write_text("1 / 0\n")
    (tmp_path / "old_charger.py").write_text("class Charger:\n    interface = 0\n")
    (tmp_path / "half_charger.py").write_text("class Charger:\n    interface = 1\n    def start(self, mode): ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.syspath_prepend(EXAMPLES)
    with pytest.raises(BenchConfigError, match=words) as error:
        read_bench_file(bench_file(tmp_path, line), REGISTRY)
    assert ".toml:" in str(error.value)
    assert "[charger]" in str(error.value)
