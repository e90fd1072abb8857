"""A test that would begin outside its conditions is INVALID with the reason; the report says what surrounded all."""

from __future__ import annotations

import re
from pathlib import Path

from rigs import bench_with, certify

from fixtures.library import find_bench
from rig.evidence.documents import Incident, Judged, Stimulus, Surroundings, TestStop

ONE = ("--suite", "transfer_timing", "-k", "nominal-half-turn")


def bench(tmp_path: Path, *changes: tuple[str, str]) -> str:
    text = find_bench("emulated").read_text()
    for pattern, new in changes:
        text, count = re.subn(pattern, new, text, flags=re.M | re.S)
        assert count == 1, pattern
    path = tmp_path / "bench.toml"
    path.write_text(text)
    return str(path)


def test_a_hot_room_makes_it_invalid_before_anything_is_done(tmp_path: Path) -> None:
    hot = bench_with(tmp_path, "thermometer", 'room = "40 degC"')
    ran = certify(tmp_path / "run", "--bench", str(hot), *ONE)
    assert ran.code == 3
    (stop,) = [doc for doc in ran.documents if isinstance(doc, TestStop)]
    assert stop.outcome == "INVALID"
    assert re.search(r"begun outside its conditions: ambient was 39\.\d+ degC|40\.\d+ degC", stop.reason)
    assert "asked for 18 to 28 degC" in stop.reason
    assert not [doc for doc in ran.documents if isinstance(doc, Stimulus) and doc.what.startswith("car: plug in")]
    (incident,) = [doc for doc in ran.documents if isinstance(doc, Incident)]
    assert (incident.kind, incident.fault) == ("OutsideConditions", "bench")
    page = (tmp_path / "run" / "report.html").read_text()
    assert "Conditions it began under: not met" in page


def test_cold_instruments_are_waited_for_and_a_stated_room_counts(tmp_path: Path) -> None:
    """Without a thermometer the analyzer's half hour is the longest; the room is what the file states."""
    file = bench(
        tmp_path,
        (r"^\[thermometer\].*\Z", ""),
        (r'^on_before = "2 h"$', 'ambient = "22 degC"\nambient_u = "0.5 K"\nsource = "wall thermometer"'),
    )
    ran = certify(tmp_path / "run", "--bench", file, *ONE)
    assert list(ran.outcomes.values()) == ["PASS"]
    (waited,) = [doc.what for doc in ran.documents if isinstance(doc, Stimulus) and "instrument is warm" in doc.what]
    assert waited.startswith("180")
    (found,) = [doc for doc in ran.documents if isinstance(doc, Surroundings)]
    assert found.fit
    by = {one.quantity: one for one in found.conditions}
    assert by["ambient"].value == 22.0
    assert by["ambient"].source == "stated: wall thermometer"
    assert (by["warm_up"].value or 0.0) > 1800.0
    assert all(one.state == "met" for one in found.conditions)


def test_what_nobody_knows_is_said_in_the_report(tmp_path: Path) -> None:
    """PWR-008 asks for 25 degC and is INVALID; a test that asks for nothing of its own goes on with an alarm."""
    file = bench(tmp_path, (r"^\[thermometer\].*\Z", ""))
    asked = ("--suite", "power_handling", "--suite", "transfer_timing", "-k", "short_overload or nominal-half-turn")
    ran = certify(tmp_path / "run", "--bench", file, *asked)
    outcomes = {name.partition("[")[0]: word for name, word in ran.outcomes.items()}
    assert outcomes.pop("test_closes_in_step") == "PASS"
    assert set(outcomes.values()) == {"INVALID"}
    page = (tmp_path / "run" / "report.html").read_text()
    assert "A condition of the tests is not known." in page
    assert "temperature of the room" in page


def test_a_thermometer_that_is_silent_is_no_fine_room(tmp_path: Path) -> None:
    """It is a lost instrument, and its test INVALID."""
    mute = bench_with(tmp_path, "thermometer", 'faults = [{ fault = "silence", when = "READ", times = 3 }]')
    ran = certify(tmp_path / "run", "--bench", str(mute), *ONE)
    assert list(ran.outcomes.values()) == ["INVALID"]
    assert any(isinstance(doc, Incident) and "EMU::thermometer::INSTR" in doc.what for doc in ran.documents)


def test_a_bad_source_makes_it_invalid_and_nothing_is_said_of_the_device(tmp_path: Path) -> None:
    """Voltage, frequency and distortion of the mains, each outside, are each named; a good mains is every other run."""
    keys = "misreads = { voltage_set = 0.03, frequency_set = -0.008 }\nthird_harmonic = 0.03"
    ran = certify(tmp_path / "run", "--bench", str(bench_with(tmp_path, "grid", keys)), *ONE)
    assert ran.code == 3
    (stop,) = [doc for doc in ran.documents if isinstance(doc, TestStop)]
    assert stop.outcome == "INVALID"
    for reason in (
        r"source_voltage was 1\.0[23]\d+ \(U [^)]*\), asked for 0\.98 to 1\.02",
        r"source_frequency was 0\.99\d+ \(U [^)]*\), asked for 0\.995 to 1\.005",
        r"source_thd was 0\.0[23]\d+ \(U [^)]*\), asked for <= 0\.02",
    ):
        assert re.search(reason, stop.reason), stop.reason
    assert not [doc for doc in ran.documents if isinstance(doc, Judged)]
    assert not [doc for doc in ran.documents if isinstance(doc, Stimulus) and doc.what.startswith("car: plug in")]
