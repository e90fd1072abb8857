"""One accuracy file, two readings: a specimen's error is inside the limits its model's budget is made of."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from rig.errors import UseError
from rig.metrology.accuracy import Specimen, read_accuracy

FILE = """
model = "acme"
[functions.voltage]
unit = "V"
update = 0.1
[[functions.voltage.ranges]]
full = 150.0
reading = 0.1
range = 0.2
resolution = 0.01
noise = 0.0
source = "data sheet"
confidence = "M"
[[functions.voltage.ranges]]
full = 300.0
reading = 0.1
range = 0.2
resolution = 0.0
noise = 0.01
source = "data sheet"
confidence = "S"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "accuracy.toml"
    file.write_text(FILE)
    return file


def test_the_budget_of_a_reading(path: Path) -> None:
    budget = read_accuracy(path).budget("voltage", 100.0)
    figures = {c.name.partition(": ")[2]: c.u for c in budget}
    assert figures == {
        "of reading": pytest.approx(0.1 / math.sqrt(3)),
        "of range": pytest.approx(0.3 / math.sqrt(3)),
        "resolution": pytest.approx(0.01 / math.sqrt(12)),
    }
    assert all(c.source == "data sheet (M)" for c in budget)


def test_the_range_in_use(path: Path) -> None:
    spec = read_accuracy(path)["voltage"]
    assert spec.range_for(-150.0).full == 150.0
    assert spec.range_for(151.0).full == 300.0
    assert spec.range_for(999.0).full == 300.0
    assert spec.range_for(10.0, 300.0).full == 300.0
    with pytest.raises(UseError, match="no 200 V range; there are 150, 300"):
        spec.range_for(10.0, 200.0)


def test_specimens_differ_are_constant_and_stay_inside_the_limits(path: Path) -> None:
    accuracy = read_accuracy(path)
    limit = accuracy["voltage"].ranges[0].limit(100.0) + 0.005
    shown = set()
    for seed in range(200):
        box = Specimen(accuracy, np.random.default_rng(seed))
        reading = box.read("voltage", 100.0)
        assert reading == box.read("voltage", 100.0)
        assert abs(reading - 100.0) <= limit + 1e-9
        shown.add(reading)
    assert len(shown) > 20
    assert max(abs(r - 100.0) for r in shown) > 0.5 * limit


def test_noise_is_its_own_and_seeded(path: Path) -> None:
    accuracy = read_accuracy(path)
    one, same = (Specimen(accuracy, np.random.default_rng(5)) for _ in range(2))
    series = [one.read("voltage", 200.0) for _ in range(500)]
    assert series == [same.read("voltage", 200.0) for _ in range(500)]
    assert np.std(series) == pytest.approx(0.03, rel=0.15)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("full = 300.0", "full = 100.0", "full scales must rise"),
        ("reading = 0.1", "reading = -0.1", "functions.voltage.ranges.0.reading"),
        ('source = "data sheet"', 'source = ""', "source"),
        ("unit =", "units =", "functions.voltage.unit"),
        ("[functions.voltage]", "[functions", "cannot be read"),
    ],
)
def test_a_wrong_file_is_told_with_its_key(path: Path, old: str, new: str, words: str) -> None:
    path.write_text(FILE.replace(old, new, 1))
    with pytest.raises(UseError, match=words):
        read_accuracy(path)


def test_a_function_that_is_not_there(path: Path) -> None:
    with pytest.raises(UseError, match=r"acme: accuracy\.toml has no function 'power'"):
        read_accuracy(path)["power"]
