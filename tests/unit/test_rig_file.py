"""The bench file `v2hrig emulate` writes for the rig: the same bench, real resources in the place of emulated ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.library import find_bench
from instruments.registry import REGISTRY
from rig.bench_config import BenchConfig
from rig.errors import UseError
from rig.open_bench import read_bench_file
from rig.profile import read_profile
from rig.rig_file import rig_file
from rig.serve_bench import serve_bench


def served() -> BenchConfig:
    return read_bench_file(find_bench("served"), REGISTRY)


def written(folder: Path, text: str) -> BenchConfig:
    path = folder / "rig.toml"
    path.write_text(text)
    return read_bench_file(path, REGISTRY)


def test_it_is_the_served_bench_with_other_resources(tmp_path: Path) -> None:
    config = served()
    places = {name: f"/dev/pts/{n}" for n, name in enumerate(config.parts)}
    read = written(tmp_path, rig_file(config, places))
    assert read.kind == "hardware"
    assert (read.bench, read.can, read.car, read.room) == (config.bench, config.can, config.car, config.room)
    assert read.parts == {name: replace(part, resource=places[name]) for name, part in config.parts.items()}


def test_faults_of_an_emulator_stay_with_it_and_the_rig_may_have_another_adapter(tmp_path: Path) -> None:
    text = find_bench("served").read_text().replace('"udp_multicast"', '"slcan"').replace('"239.74.163.2"', '"/dev/a"')
    text = text.replace("[battery]", '[battery]\nfaults = [{ fault = "mute", at = "10 s" }]')
    (tmp_path / "bench.toml").write_text(text)
    config = read_bench_file(tmp_path / "bench.toml", REGISTRY)
    read = written(tmp_path, rig_file(config, {name: f"/dev/pts/{n}" for n, name in enumerate(config.parts)}, "/dev/b"))
    assert config.parts["battery"].faults
    assert not read.parts["battery"].faults
    assert (read.can.channel, read.can.options) == ("/dev/b", config.can.options)


def test_only_the_parts_that_are_served_are_in_it(tmp_path: Path) -> None:
    cable = {"charger": "/dev/pts/1", "vehicle": "/dev/pts/2", "battery": "TCPIP::127.0.0.1::5025::SOCKET"}
    assert set(written(tmp_path, rig_file(served(), cable)).parts) == set(cable)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("was", "now", "words"),
    [
        (
            '[charger]\ndriver = "evps"\nresource = "emulated"',
            '[charger]\ndriver = "evps"\nresource = "/dev/ttyUSB0"',
            r"\[charger\] resource: no emulated charger to serve",
        ),
        (
            '[vehicle]\ndriver = "vehicle_interface"\nresource = "emulated"',
            '[vehicle]\ndriver = "vehicle_interface"\nresource = "/dev/ttyUSB0"',
            r"\[vehicle\] resource: it hangs on the emulated charger's cable",
        ),
    ],
)
def test_what_cannot_be_served_is_refused_before_anything_is_opened(
    tmp_path: Path, was: str, now: str, words: str
) -> None:
    text = find_bench("served").read_text()
    assert was in text
    (tmp_path / "bench.toml").write_text(text.replace(was, now))
    config = read_bench_file(tmp_path / "bench.toml", REGISTRY)
    profile = read_profile(Path(find_bench("served")).parents[1] / "profiles" / "leaf-to-home-6kw.toml")
    with pytest.raises(UseError, match=words), serve_bench(config, REGISTRY, profile):
        pass
