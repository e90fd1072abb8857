"""A farm loses nothing and counts nothing twice: on processes of this machine, and on a Dask cluster of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import farm_work
import pytest
from distributed import Client
from rigs import v2hrig

from rig.errors import BenchFault, UseError
from rig.qualify.dask_pool import DaskPool, dask_pool
from rig.qualify.ledger import RUN, Ledger
from rig.qualify.pool import LocalPool
from rig.qualify.units import Result, Unit

UNITS = [Unit(seed=seed, case=case) for case in ("odd", "good") for seed in range(8)]


def matrix(results: list[tuple[Unit, Result]]) -> dict[str, dict[str, str]]:
    assert len({unit.id for unit, _ in results}) == len(results)
    return {unit.id: result.outcomes for unit, result in results}


EXPECTED = {unit.id: farm_work.outcome(unit).outcomes for unit in UNITS}


def test_a_worker_process_that_is_killed_takes_no_unit_with_it(tmp_path: Path) -> None:
    pool = LocalPool(2)
    assert matrix(list(pool.run(partial(farm_work.die_once, str(tmp_path)), UNITS))) == EXPECTED
    assert pool.lost == 1


def test_a_unit_that_kills_every_worker_is_given_up_and_the_others_come(tmp_path: Path) -> None:
    came: list[tuple[Unit, Result]] = []
    with pytest.raises(BenchFault, match="worker processes died"):
        came.extend(LocalPool(1).run(partial(farm_work.die_always, str(tmp_path)), UNITS[:8]))
    assert {unit.seed for unit, _ in came} == {0, 1, 2, 4, 5, 6, 7}


ABANDON = """
import os, signal, sys
from functools import partial
import farm_work
from rig.qualify.pool import LocalPool
from rig.qualify.units import Unit
if __name__ == "__main__":
    for _ in LocalPool(1).run(partial(farm_work.log, sys.argv[1]), [Unit(seed=seed) for seed in range(3)]):
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_workers_end_with_the_process_that_hands_out_the_units(tmp_path: Path) -> None:
    script = tmp_path / "abandon.py"
    script.write_text(ABANDON)
    here = str(Path(farm_work.__file__).parent)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([here, str(Path(here).parents[1])])}
    subprocess.run([sys.executable, str(script), str(tmp_path)], env=environment, timeout=120, check=False)
    (worker, *_) = {int(line) for one in tmp_path.glob("*.begun") for line in one.read_text().split()}
    for _ in range(600):
        if not Path(f"/proc/{worker}").exists():
            break
        subprocess.run([sys.executable, "-c", "pass"], check=True)
    assert not Path(f"/proc/{worker}").exists()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[str]:
    """Address of a scheduler with two workers, each a process of its own."""
    file = tmp_path / "scheduler.json"
    here = Path(farm_work.__file__).parent
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(here), str(here.parents[1])])}
    alone = ["--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", str(file)]
    scheduler = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--port", "0", *alone]
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", "--nthreads", "1", "--no-nanny",
              "--local-directory", str(tmp_path), *alone]  # fmt: skip
    running: list[subprocess.Popen[bytes]] = []

    def begin(command: list[str]) -> None:
        quiet = subprocess.DEVNULL
        running.append(subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=quiet, stderr=quiet))

    try:
        begin(scheduler)
        for _ in range(2):
            begin(worker)
        yield _address(file)
    finally:
        for process in running:
            process.send_signal(signal.SIGKILL)
        for process in running:
            process.wait(timeout=30)


def _address(file: Path) -> str:
    """What the scheduler wrote down, once both workers have come to it."""
    for _ in range(600):
        if file.is_file() and (text := file.read_text()).rstrip().endswith("}"):
            address = str(json.loads(text)["address"])
            with Client(address, timeout="30 s", set_as_default=False) as client:
                client.wait_for_workers(2, timeout=60)
            return address
        subprocess.run([sys.executable, "-c", "pass"], check=True)
    raise AssertionError("the scheduler did not come up")


def test_a_killed_worker_of_a_cluster_changes_nothing(cluster: str, tmp_path: Path) -> None:
    with dask_pool(cluster) as pool:
        assert pool.workers == 2
        assert matrix(list(pool.run(partial(farm_work.die_once, str(tmp_path)), UNITS))) == EXPECTED
        assert pool.workers == 1
        assert pool.lost == 1
    assert (tmp_path / "died").exists()


def test_a_result_that_is_lost_with_its_worker_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its worker dies before it is fetched: there is no error, and a result later."""

    class Lost:
        status = "lost"

        def result(self) -> int:
            return 5

        def exception(self) -> None:
            return None

        def release(self) -> None:
            return

    class Scheduler:
        def nthreads(self) -> dict[str, int]:
            return {"a": 1}

        def submit(self, *_: object, **__: object) -> Lost:
            return Lost()

    monkeypatch.setattr("distributed.as_completed", iter)
    assert list(DaskPool(Scheduler()).run(lambda _: 5, UNITS[:1])) == [(UNITS[0], 5)]


@pytest.mark.long
def test_the_same_campaign_comes_out_the_same_on_a_cluster(cluster: str, tmp_path: Path) -> None:
    chosen = ("--suite", "endurance", "--defect", "derates=0.01", "--defect", "relocks", "--seeds", "0-1", "-q")
    here = v2hrig("farm", *chosen, "--out", str(tmp_path / "here"), "--workers", "1")
    there = v2hrig("farm", *chosen, "--out", str(tmp_path / "there"), "--scheduler", cluster)
    assert (here.code, there.code) == (1, 1), here.out + here.err + there.out + there.err
    mine, theirs = (Ledger(tmp_path / name).taken for name in ("here", "there"))
    assert len(mine) == 4
    assert {id: (one.outcomes, one.found) for id, one in mine.items()} == {
        id: (one.outcomes, one.found) for id, one in theirs.items()
    }
    for id in mine:
        journals = [(tmp_path / name / id / RUN / "journal.jsonl").read_bytes() for name in ("here", "there")]
        assert journals[0] == journals[1]
    again = v2hrig("farm", *chosen, "--out", str(tmp_path / "here"), "--workers", "1")
    assert "4 have their evidence already" in again.out


def test_a_scheduler_that_is_not_there_is_told_in_a_line() -> None:
    with pytest.raises(UseError, match=r"--scheduler nonsense://127.0.0.1:1: no scheduler answers"), \
            dask_pool("nonsense://127.0.0.1:1"):  # fmt: skip
        pass
