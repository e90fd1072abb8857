"""A bench with two digitizers: who records what, and what a bench without the channel says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from rigs import certify

from fixtures.library import find_bench, find_profile
from instruments.registry import REGISTRY
from rig.bench import Bench
from rig.chademo.rules import ALL
from rig.errors import BenchConfigError, UseError
from rig.evidence.captures import read_waveform
from rig.evidence.documents import CaptureStored, NotRun
from rig.evidence.journal import read_journal
from rig.open_bench import open_bench, read_bench_file
from rig.profile import read_profile
from rig.run import Run

SECOND = "# A second one is welcome"


@contextmanager
def bench_of(path: Path) -> Iterator[Bench]:
    config = read_bench_file(path, REGISTRY)
    with open_bench(config, REGISTRY, read_profile(find_profile(config.bench.profile)), seed=1) as bench:
        yield bench


@pytest.fixture
def without(tmp_path: Path) -> Path:
    """The emulated bench with its first digitizer only."""
    text = find_bench("emulated").read_text()
    path = tmp_path / "one.toml"
    path.write_text(text[: text.index(SECOND)])
    return path


def test_each_capture_goes_to_who_is_wired_to_it(tmp_path: Path) -> None:
    with bench_of(find_bench("emulated")) as bench:
        run = Run(bench, {}, tmp_path / "run", ALL)
        with run.capture("legs", ["house_l1", "grid_l1"], 0.1, 20e3) as legs, run.capture("cable", ["dc_i"], 0.1) as dc:
            bench.clock.sleep(0.2)
        assert "digitizer::" in legs["house_l1"].source
        assert "digitizer2::" in dc["dc_i"].source
        assert (legs["house_l1"].unit, dc["dc_i"].unit) == ("V", "A")
        both, other = run.capture("both", ["house_l1", "dc_i"], 0.1), run.capture("other", ["house_l1", "grid_l2"], 0.1)
        with pytest.raises(UseError, match=r"no single digitizer has house_l1, dc_i .*\[digitizer2\] dc, dc_i.*apart"):
            both.__enter__()
        with pytest.raises(UseError, match=r"wired to grid_l2 .*needs\(\"digitizer:house_l1,grid_l2\"\)"):
            other.__enter__()
        run.end("completed")
    stored = [d for d in read_journal(tmp_path / "run").documents if isinstance(d, CaptureStored)]
    units = {one.name: one.unit for d in stored for one in d.channels}
    assert units["dc_i"] == "A"
    assert units["house_l1"] == "V"
    cable = next(d for d in stored if d.name == "cable")
    assert read_waveform(tmp_path / "run", cable).channels[0].unit == "A"


def test_needs_name_channels() -> None:
    with bench_of(find_bench("emulated")) as bench:
        assert bench.missing(("digitizer", "digitizer:dc_i", "digitizer:dc,dc_i", "digitizer:house_l1,pcs_aux")) == ""
        assert bench.missing(("digitizer:house_l1,dc_i",)) == (
            "the bench emulated has no digitizer wired to house_l1 and dc_i"
        )


def test_a_bench_without_the_channel_says_so(without: Path) -> None:
    with bench_of(without) as bench:
        assert bench.missing(("digitizer",)) == ""
        assert bench.missing(("digitizer:dc_i",)) == "the bench emulated has no digitizer wired to dc_i"
        assert bench.digitizer2 is None


def test_the_second_one_alone_is_a_digitizer(tmp_path: Path) -> None:
    text = find_bench("emulated").read_text()
    path = tmp_path / "second.toml"
    path.write_text(text[: text.index("[digitizer]")] + text[text.index(SECOND) :])
    with bench_of(path) as bench:
        assert bench.missing(("digitizer",)) == ""
        assert bench.records("dc") is bench.digitizer2


def test_a_wrong_driver_in_its_place_is_told(tmp_path: Path) -> None:
    path = tmp_path / "bench.toml"
    path.write_text(find_bench("emulated").read_text().replace('"tektronix_mso5"', '"chroma_63804"'))
    with pytest.raises(BenchConfigError, match=r"\[digitizer2\] driver: 'chroma_63804' serves as load, not as digit"):
        read_bench_file(path, REGISTRY)


def test_a_stop_is_judged_without_a_probe_too(tmp_path: Path, without: Path) -> None:
    """From the source's meter: a good charger is no worse off, the report says how well it is known."""
    ran = certify(
        tmp_path / "run", "--bench", str(without), "--suite", "battery_protection", "-k", "charge-stop-button"
    )
    assert ran.code == 0, ran.out
    assert set(ran.verdicts("CHA-026")) == {"PASS"}
    assert not [d for d in ran.documents if isinstance(d, NotRun) and d.subject == "test"]
