"""Who may energise a bench: refusals that say who, since when, until when; recovery after death and after expiry."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.race_lease import race
from fixtures.library import find_bench, find_profile
from instruments.registry import REGISTRY
from rig.bench_config import BenchConfig
from rig.clock import VirtualClock
from rig.errors import BenchConfigError, BenchFault, UseError
from rig.open_bench import _Builder, open_bench, read_bench_file
from rig.profile import read_profile
from rig.safety import lease as module
from rig.safety.lease import CLOCKS_AGREE, LASTS, OLD_KEPT, RENEWED_EVERY, Claim, Lease, read_holder
from rig.safety.resources import real_resources, resource_name
from rig.vehicle_model import LEAF

TOP = Path(__file__).parents[2]
PROFILE = read_profile(find_profile("leaf-to-home-6kw"))
A, B = "10.0.0.7 INST0", "lab1 /dev/ttyUSB0"
T0 = 1_800_000_000.0
"""s since 1970: 2027-01-15 08:00:00 UTC."""


class Wall:
    """A wall clock that is set by hand."""

    def __init__(self) -> None:
        self.t = T0

    def __call__(self) -> float:
        return self.t


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture(params=["another host", "this host"])
def elsewhere(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether holder and asker have no kernel in common, so that only files and times can tell."""
    if request.param == "another host":
        monkeypatch.setattr(module, "BOOT", Path("/nowhere"))
    return bool(request.param == "another host")


def lease(folder: Path, wall: Wall, user: str = "anna") -> Lease:
    return Lease(folder, Claim(user, "lab1", 4711, "certify night 12"), wall)


def test_a_refusal_says_who_since_when_until_when_and_what_for(tmp_path: Path, wall: Wall, elsewhere: bool) -> None:
    held = lease(tmp_path, wall).take([A])
    wall.t += 10.0
    with pytest.raises(BenchFault) as refused:
        lease(tmp_path, wall, "bert").take([A])
    words = str(refused.value)
    assert "10.0.0.7 INST0: held by anna on lab1, process 4711" in words
    assert "since 2027-01-15 08:00:00 UTC, until 2027-01-15 08:00:30 UTC" in words
    assert "certify night 12" in words
    held.give_back()
    lease(tmp_path, wall, "bert").take([A]).give_back()


def test_all_resources_of_a_bench_or_none(tmp_path: Path, wall: Wall, elsewhere: bool) -> None:
    held = lease(tmp_path, wall).take([B])
    with pytest.raises(BenchFault, match="ttyUSB0: held by anna"):
        lease(tmp_path, wall, "bert").take([A, B])
    free = lease(tmp_path, wall, "cora").take([A])  # bert's refusal left it free
    free.give_back()
    held.give_back()


def test_renewed_it_lasts_and_unrenewed_it_can_be_taken_at_its_expiry(
    tmp_path: Path, wall: Wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BOOT", Path("/nowhere"))
    held = lease(tmp_path, wall).take([A])
    for _ in range(20):
        wall.t += LASTS / 2
        held.renew()
        with pytest.raises(BenchFault, match="held by anna"):
            lease(tmp_path, wall, "bert").take([A])
    wall.t += LASTS - 0.001
    with pytest.raises(BenchFault, match="held by anna"):
        lease(tmp_path, wall, "bert").take([A])
    wall.t += 0.001
    new = lease(tmp_path, wall, "bert").take([A])
    with pytest.raises(BenchFault, match="lost"):
        held.renew()
    with pytest.raises(BenchFault, match="lost"):
        held.check()
    held.give_back()  # gives nothing of bert's away
    with pytest.raises(BenchFault, match="held by bert"):
        lease(tmp_path, wall, "cora").take([A])
    new.check()
    new.renew()


def test_a_holder_counts_it_as_lost_before_another_hosts_clock_can(
    tmp_path: Path, wall: Wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BOOT", Path("/nowhere"))
    held = lease(tmp_path, wall).take([A])
    held.check()
    wall.t += LASTS - CLOCKS_AGREE + 0.001
    with pytest.raises(BenchFault, match="was not renewed before 2027-01-15 08:00:30 UTC"):
        held.renew()
    held.renew()  # told once; check() goes on telling
    with pytest.raises(BenchFault):
        held.check()


def test_a_living_holder_of_this_machine_keeps_it_whatever_a_stepped_clock_says(tmp_path: Path, wall: Wall) -> None:
    held = lease(tmp_path, wall).take([A])
    wall.t += 86_400.0
    with pytest.raises(BenchFault, match="until its process ends"):
        lease(tmp_path, wall, "bert").take([A])
    held.give_back()


def test_numbers_never_fall_and_the_past_is_forgotten(tmp_path: Path, wall: Wall, elsewhere: bool) -> None:
    for _ in range(2 * OLD_KEPT):
        lease(tmp_path, wall).take([A]).give_back()
    numbers = sorted(int(path.suffix[1:]) for path in tmp_path.iterdir())
    assert numbers[-1] == 2 * OLD_KEPT
    assert len(numbers) == OLD_KEPT


def test_a_sleeper_whose_number_has_become_free_again_is_refused(
    tmp_path: Path, wall: Wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """He looked when number 1 was the last, and wakes when 1 to 39 have come and gone and 40 is held."""
    monkeypatch.setattr(module, "BOOT", Path("/nowhere"))
    for _ in range(39):
        lease(tmp_path, wall).take([A]).give_back()
    lease(tmp_path, wall).take([A])
    truth, looks = module._highest, iter([1])
    monkeypatch.setattr(module, "_highest", lambda folder, stem: next(looks, None) or truth(folder, stem))
    monkeypatch.setattr(module.Lease, "_refuse_if_held", _second_look(module.Lease._refuse_if_held))
    with pytest.raises(BenchFault, match="held by anna"):
        lease(tmp_path, wall, "bert").take([A])
    assert truth(tmp_path, module.key(A)) == 40


def _second_look(real: object) -> object:
    """Skip the sleeper's first look, which he took long ago."""
    skipped: list[int] = []

    def look(self: Lease, path: Path, resource: str) -> None:
        if skipped:
            real(self, path, resource)  # type: ignore[operator]
        skipped.append(1)

    return look


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds A."""
    code = (
        "import sys; from pathlib import Path; from rig.safety.lease import Claim, Lease\n"
        f"held = Lease(Path(sys.argv[1]), Claim.of_this_process('night')).take([{A!r}])\n"
        "print('held', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], cwd=TOP, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.stdin.close()
    process.wait(60)
    process.stdout.close()


def test_a_killed_holder_of_this_machine_is_recovered_from_at_once(
    tmp_path: Path, holder: subprocess.Popen[str]
) -> None:
    here = Claim.of_this_process("day")
    with pytest.raises(BenchFault, match=f"process {holder.pid}, since .* for: night"):
        Lease(tmp_path, here).take([A])
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait(60)
    Lease(tmp_path, here).take([A]).give_back()


def test_a_killed_holder_of_another_host_is_recovered_from_at_its_expiry(
    tmp_path: Path, holder: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch, wall: Wall
) -> None:
    monkeypatch.setattr(module, "BOOT", Path("/nowhere"))
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait(60)
    (path,) = tmp_path.iterdir()
    found = read_holder(path)
    assert found is not None
    assert found.until == pytest.approx(found.since + LASTS)
    wall.t = found.until - 0.001
    with pytest.raises(BenchFault, match="held by"):
        lease(tmp_path, wall).take([A])
    wall.t = found.until
    lease(tmp_path, wall).take([A]).give_back()


def test_of_many_processes_one_holds_it_each_time(tmp_path: Path) -> None:
    raced = race(12, 8, tmp_path)
    assert raced.winners == (1,) * 8
    assert raced.crowded == 0


def test_a_folder_that_is_none_is_a_use_error(tmp_path: Path, wall: Wall) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(UseError, match=r"\[bench\] lease"):
        lease(tmp_path / "file", wall).take([A])
    with pytest.raises(UseError, match=r"\[bench\] lease"):
        lease(tmp_path / "file" / "below", wall).take([A])


# -- what a bench's resources are called


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("TCPIP::10.0.0.7::INSTR", "TCPIP0::10.0.0.7::inst0::INSTR"),
        ("TCPIP::Analyzer.lab::INSTR", "tcpip0::analyzer.lab::INST0"),
        ("ASRL/dev/ttyUSB0::INSTR", "/dev/ttyUSB0"),
        ("USB0::0x1::0x2::SN::INSTR", "usb0::0x1::0x2::sn"),
    ],
)
def test_one_resource_has_one_name_however_it_is_spelt(one: str, other: str) -> None:
    assert resource_name(one, "lab1") == resource_name(other, "lab1")


def test_the_network_is_shared_and_a_machines_own_ports_are_not() -> None:
    for shared in ("TCPIP::10.0.0.7::INSTR", "TCPIP::10.0.0.7::5025::SOCKET", "socket://10.0.0.7:4001"):
        assert resource_name(shared, "lab1") == resource_name(shared, "lab2")
    for own in ("/dev/ttyUSB0", "GPIB0::5::INSTR", "TCPIP::127.0.0.1::5025::SOCKET", "TCPIP::localhost::INSTR"):
        assert resource_name(own, "lab1") != resource_name(own, "lab2")
    assert resource_name("TCPIP::10.0.0.7::5025::SOCKET", "a") != resource_name("TCPIP::10.0.0.7::5026::SOCKET", "a")


@pytest.fixture
def mixed(tmp_path: Path) -> BenchConfig:
    """A bench whose analyzer is real, with its leases in a folder of the test."""
    text = find_bench("served").read_text()
    for old, new in (
        ('name = "served"', f'name = "mixed"\nlease = "{tmp_path}/leases"'),
        ('"yokogawa_wt1800e"\nresource = "emulated"', '"yokogawa_wt1800e"\nresource = "TCPIP::10.0.0.7::INSTR"'),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    path = tmp_path / "mixed.toml"
    path.write_text(text)
    return read_bench_file(path, REGISTRY)


def test_an_emulated_bench_needs_none_and_a_mixed_one_its_real_parts_and_bus(mixed: BenchConfig) -> None:
    for name in ("emulated", "served"):
        assert real_resources(read_bench_file(find_bench(name), REGISTRY), "lab1") == []
    assert real_resources(mixed, "lab1") == ["lab1 CAN udp_multicast 239.74.163.2", "10.0.0.7 INST0"]


def test_a_bench_renews_its_lease_while_it_is_open_and_gives_it_back(mixed: BenchConfig, tmp_path: Path) -> None:
    with ExitStack() as stack:
        builder = _Builder(mixed, REGISTRY, PROFILE, 0, None, LEAF, stack, "try")
        builder.clock = clock = VirtualClock()
        assert builder._lease() is not None
        (path, other) = sorted((tmp_path / "leases").iterdir())
        first = read_holder(path)
        clock.sleep(RENEWED_EVERY)
        renewed = read_holder(path)
        assert first is not None
        assert renewed is not None
        assert renewed.until > first.until
        assert renewed.purpose == "try"
    assert [holder.until for one in (path, other) if (holder := read_holder(one))] == [0.0, 0.0]


def test_a_bench_whose_lease_is_lost_prepares_no_further_test(
    tmp_path: Path, wall: Wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BOOT", Path("/nowhere"))
    held = lease(tmp_path, wall).take([A])
    with open_bench(read_bench_file(find_bench("emulated"), REGISTRY), REGISTRY, PROFILE) as opened:
        bench = replace(opened, lease=held)
        bench.prepare()
        bench.make_safe()
        wall.t += LASTS
        with pytest.raises(BenchFault, match="lost"):
            held.renew()
        with pytest.raises(BenchFault, match="lost"):
            bench.prepare()
        assert bench.world is not None
        assert bench.make_safe().confirmed


@pytest.mark.parametrize("folder", ["leases", "./leases", "~/leases"])
def test_a_lease_folder_is_named_from_the_root(tmp_path: Path, folder: str) -> None:
    path = tmp_path / "bench.toml"
    path.write_text(find_bench("served").read_text().replace('name = "served"', f'name = "served"\nlease = "{folder}"'))
    with pytest.raises(BenchConfigError, match=r"\[bench\] lease"):
        read_bench_file(path, REGISTRY)
