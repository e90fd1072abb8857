"""A rig, its supervisor and an emulated bench in three processes, in real time: who is killed, and what becomes of it.

The long form of the first is `make chaos`.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from rigs import LIMIT, TOP

from benchmarks.chaos import Chaos, Victim, served_bench
from rig.evidence.documents import Incident, RunStop, SafeStateReached, TestStop
from rig.evidence.journal import read_journal
from rig.evidence.safety_log import last_word, safety_logs
from rig.evidence.verify import verify_run
from rig.serve_bench import Served

pytestmark = pytest.mark.realtime


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Path]]:
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton("239.74.163.2") + bytes(4))
    except OSError as error:
        pytest.skip(f"no multicast on this machine: {error}")
    with served_bench(tmp_path_factory.mktemp("served")) as opened:
        yield opened


def test_whoever_is_killed_the_bench_comes_to_rest(served: tuple[Served, Path], tmp_path: Path) -> None:
    chaos = Chaos(*served, tmp_path, seed=0)
    try:
        for kind, moment in (("rig", 12.5), ("supervisor", 1.0), ("both", 0.5), ("rig", 0.0)):
            chaos.attack(kind, moment)
    finally:
        chaos.close()
    assert not chaos.told.wrong
    assert chaos.told.kills == {"rig": 2, "supervisor": 1, "both": 1}
    # killed with its supervisor the third run let nobody down: the fourth found it so, and had it brought down first
    (log,) = safety_logs(tmp_path / "run-4")
    words = [one.what if isinstance(one, Incident) else type(one).__name__ for one in log.documents]
    assert words[0] == "the run before this one ended without letting go"
    assert words[1] == "SafeStateReached"


def test_an_emergency_stop_ends_the_run_and_the_supervisor_says_so(served: tuple[Served, Path], tmp_path: Path) -> None:
    chain, rig, folder = tmp_path / "estop", tmp_path / "rig.toml", tmp_path / "run"
    chain.write_text("1")
    rig.write_text(f'{served[1].read_text()}\n[safety]\nestop = "file:{chain}"\n')
    victim = Victim(rig, folder)
    assert victim.begin(), victim.last_words()
    chain.write_text("0")
    assert victim.end() == 3, victim.last_words()
    documents = read_journal(folder).documents
    assert [one.outcome for one in documents if isinstance(one, TestStop)] == ["INVALID"]
    assert any(isinstance(one, Incident) and "shows '0'" in one.what for one in documents)
    assert all(one.confirmed for one in documents if isinstance(one, SafeStateReached))
    (log,) = safety_logs(folder)
    said = last_word(log)
    assert said is not None
    assert said.confirmed


def test_a_left_envelope_makes_a_procedure_invalid_and_ends_its_run(
    served: tuple[Served, Path], tmp_path: Path
) -> None:
    rig, folder = tmp_path / "rig.toml", tmp_path / "run"
    rig.write_text(f'{served[1].read_text()}\n[safety]\nvoltage = "100 V"\n')  # no pack is below that
    command = [sys.executable, "-m", "pytest", "suites/discharge_limits", "-k", "discharge_ends_at_the_floor", "-q"]
    command += ["-p", "no:cacheprovider", "--bench", str(rig), "--out", str(folder)]
    done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, timeout=LIMIT, check=False)
    documents = read_journal(folder).documents
    outcomes = [one.outcome for one in documents if isinstance(one, TestStop)]
    assert outcomes == ["INVALID"], done.stdout
    assert done.returncode == 3
    assert isinstance(documents[-1], RunStop)
    assert "voltage" in documents[-1].reason
    assert not verify_run(folder).problems
    said = last_word(safety_logs(folder)[0])
    assert said is not None
    assert said.confirmed


@pytest.mark.long
def test_a_supervisor_that_is_told_to_end_takes_the_bench_with_it(served: tuple[Served, Path], tmp_path: Path) -> None:
    victim = Victim(served[1], tmp_path / "run")
    assert victim.begin(), victim.last_words()
    os.kill(victim.supervisor, signal.SIGTERM)
    assert victim.end() == 3, victim.last_words()
    said = last_word(safety_logs(tmp_path / "run")[0])
    assert said is not None
    assert said.confirmed
