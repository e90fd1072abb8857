"""A bench recorded, and replayed from its record: the same numbers, or it says where they part."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from rigs import certify, v2hrig

from fixtures.library import find_bench, find_profile
from instruments.registry import REGISTRY
from rig.bench import Bench
from rig.errors import BenchConfigError, Diverged, UseError
from rig.evidence.documents import CaptureStored, Judged, SafeStateReached
from rig.open_bench import open_bench, read_bench_file
from rig.profile import read_profile

SOME = ("--seed", "1", "--suite", "transfer_timing", "-k", "test_charging_turns_into_discharging")


def with_bench(path: Path, do: Callable[[Bench], object], record: Path | None = None) -> object:
    config = read_bench_file(path, REGISTRY)
    profile = read_profile(find_profile(config.bench.profile))
    with open_bench(config, REGISTRY, profile, seed=4, record=record, purpose="a test") as bench:
        return do(bench)


def session(bench: Bench) -> list[object]:
    """Text, blocks, requests, event lines and frames; what was read."""
    bench.prepare()
    assert bench.analyzer is not None
    assert bench.grid is not None
    digitizer = bench.records("grid_l1")
    assert digitizer is not None
    digitizer.start(("grid_l1",), 0.2, 10_000.0)
    bench.grid.interrupt(at_angle=90.0)
    waves = digitizer.fetch()
    bench.grid.supply(100.0, 50.0)
    bench.car.plug_in(0.5)
    bench.charger.start("standby")
    bench.clock.sleep(20.0)
    read = [bench.car.phase, bench.battery.reading().current, bench.vehicle.inlet_voltage()]
    read += [one.value for one in bench.analyzer.read(("grid_l1", "u"), ("dc", "u")).values.values()]
    return [*read, bench.clock.now(), bench.charger.state(), waves["grid_l1"]]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[object]]:
    folder = tmp_path_factory.mktemp("record") / "rec"
    read = with_bench(find_bench("emulated"), session, folder)
    assert isinstance(read, list)
    return folder, read


def test_a_replay_reads_what_was_read(recorded: tuple[Path, list[object]]) -> None:
    folder, read = recorded
    again = with_bench(folder / "bench.toml", session)
    assert isinstance(again, list)
    assert again[:-1] == read[:-1]
    np.testing.assert_array_equal(again[-1], read[-1])


def test_the_first_divergence_is_told_and_nothing_is_answered_after_it(recorded: tuple[Path, list[object]]) -> None:
    folder, _ = recorded

    def other(bench: Bench) -> None:
        bench.prepare()
        assert bench.house is not None
        with pytest.raises(Diverged) as found:
            bench.house.draw(123.0)
        assert "[house_l1]" in str(found.value)
        assert "exchange " in str(found.value)
        assert "came write" in str(found.value)
        with pytest.raises(Diverged) as after:
            bench.vehicle.inlet_voltage()
        assert bench.replay is not None
        assert bench.replay.diverged in str(after.value)
        outcome = bench.make_safe()
        assert outcome.confirmed
        assert outcome.readings[0].startswith("nothing is energised")

    with_bench(folder / "bench.toml", other)


def test_a_replay_that_comes_late_has_diverged(recorded: tuple[Path, list[object]]) -> None:
    def late(bench: Bench) -> None:
        bench.prepare()
        bench.clock.sleep(5.0)
        assert bench.grid is not None
        with pytest.raises(Diverged, match="s later than recorded"):
            bench.grid.interrupt(at_angle=90.0)

    with_bench(recorded[0] / "bench.toml", late)


@pytest.mark.parametrize(
    ("text", "to", "error", "words"),
    [
        ('replay = "."', 'replay = "nowhere"', UseError, "name the folder of a record"),
        ('clock = "virtual"', 'clock = "real"', BenchConfigError, "a record answers in virtual time, for every part"),
        ('driver = "chroma_61845"', 'driver = "evps"', BenchConfigError, "serves as charger, not as grid"),
    ],
)
def test_a_replay_that_cannot_be_is_told(
    recorded: tuple[Path, list[object]], text: str, to: str, error: type[Exception], words: str
) -> None:
    path = recorded[0] / "wrong.toml"
    path.write_text((recorded[0] / "bench.toml").read_text().replace(text, to))
    with pytest.raises(error, match=words):
        with_bench(path, session)


def test_a_part_that_was_not_recorded_is_told(recorded: tuple[Path, list[object]]) -> None:
    folder, _ = recorded
    head = folder / "record.json"
    kept = head.read_text()
    head.write_text(kept.replace('"thermometer"', '"elsewhere"'))
    try:
        with pytest.raises(UseError, match=r"holds no part \[thermometer\]"):
            with_bench(folder / "bench.toml", session)
    finally:
        head.write_text(kept)


@pytest.mark.long
def test_a_recorded_run_and_its_replay_give_the_same_verdicts(tmp_path: Path) -> None:
    folder = tmp_path / "rec"
    first = certify(tmp_path / "first", *SOME, "--record", str(folder))
    again = certify(tmp_path / "again", *SOME, "--bench", str(folder / "bench.toml"))
    assert (again.code, again.outcomes) == (first.code, first.outcomes)
    assert set(first.outcomes.values()) == {"PASS"}

    def told(ran: object) -> list[object]:
        documents = ran.documents  # type: ignore[attr-defined]
        judged = [one for one in documents if isinstance(one, Judged | SafeStateReached)]
        waves = [one.sha256 for one in documents if isinstance(one, CaptureStored) and one.kind != "can"]
        return [*judged, *waves]

    assert told(again) == told(first)
    assert any(isinstance(one, str) for one in told(first))


@pytest.mark.long
def test_another_run_than_the_recorded_one_is_invalid_and_says_where(tmp_path: Path) -> None:
    folder = tmp_path / "rec"
    certify(tmp_path / "first", *SOME, "--record", str(folder))
    other = certify(
        tmp_path / "other", "--suite", "power_handling", "-k", "test_", "--bench", str(folder / "bench.toml")
    )
    assert other.code == 3
    assert set(other.outcomes.values()) <= {"INVALID", "NOT RUN"}
    assert "INVALID" in other.outcomes.values()
    assert "exchange " in other.out
    assert (tmp_path / "other" / "report.html").is_file()
    shown = v2hrig("bench", "replay", str(folder))
    assert shown.code == 0
    assert "v2hrig certify" in shown.out
    assert f"--bench {folder / 'bench.toml'}" in shown.out
