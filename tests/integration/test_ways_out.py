"""However a run ends: the bench at rest, the journal closed, nobody blamed for it, and an exit code that says it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rigs import LIMIT, TOP, bench_with, certify

from rig.evidence.documents import Incident, Judged, RunStop, SafeStateReached, TestStart, TestStop
from rig.evidence.journal import read_journal


def interrupted(folder: Path, times: int, number: signal.Signals) -> tuple[int, list[object]]:
    """Exit code and documents of a run that gets so many signals, from its first verdict on."""
    command = [sys.executable, "-m", "rig.cli", "certify", "--suite", "power_handling", "--out", str(folder)]
    command += ["-k", "not for_an_hour"]  # its verdict would come an hour of the bench later
    with subprocess.Popen(command, cwd=TOP, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as ran:
        assert ran.stdout is not None
        for line in ran.stdout:
            if "PASS  " in line:
                break
        for _ in range(times):
            ran.send_signal(number)
            time.sleep(0.05)
        ran.communicate(timeout=LIMIT)
    return ran.returncode, list(read_journal(folder).documents)


@pytest.mark.parametrize(("times", "number"), [(1, signal.SIGTERM), (5, signal.SIGINT), (2, signal.SIGHUP)])
def test_an_interrupt_ends_in_a_confirmed_safe_state_and_blames_nobody(
    tmp_path: Path, times: int, number: signal.Signals
) -> None:
    code, documents = interrupted(tmp_path / "run", times, number)
    assert code == 3
    assert isinstance(documents[-1], RunStop)
    assert documents[-1].status == "interrupted"
    assert all(d.confirmed for d in documents if isinstance(d, SafeStateReached))
    begun = [d.test for d in documents if isinstance(d, TestStart)]
    ended = {d.test: d.outcome for d in documents if isinstance(d, TestStop)}
    assert set(begun) == set(ended)
    assert ended[begun[-1]] in ("NOT RUN", "PASS")
    assert "FAIL" not in ended.values()


def test_fixtures_of_an_interrupted_test_end_before_the_bench_is_closed(tmp_path: Path) -> None:
    plugin = "def pytest_pyfunc_call(pyfuncitem):\n    raise KeyboardInterrupt\n"
    (tmp_path / "interrupting.py").write_text(plugin)
    command = [sys.executable, "-m", "pytest", "suites/power_handling", "-q", "-p", "no:cacheprovider"]
    command += ["-p", "interrupting", "-k", "test_set_points", "--out", str(tmp_path / "run")]
    paths = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, cwd=TOP, env=paths, capture_output=True, text=True, timeout=LIMIT, check=False)
    documents = read_journal(tmp_path / "run").documents
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
    assert isinstance(documents[-1], RunStop)
    assert documents[-1].status == "interrupted"
    assert not [d for d in documents if isinstance(d, Incident)]


def test_a_silent_source_takes_the_rules_their_readings_and_the_test_its_pass(tmp_path: Path) -> None:
    bench = bench_with(tmp_path, "battery", 'faults = [{ fault = "mute", at = "14 s", when = "MEAS" }]')
    ran = certify(tmp_path / "run", "--bench", str(bench), "--suite", "discharge_limits", "-k", "start_keeps")
    assert ran.code == 3
    assert "INVALID" in ran.outcomes.values()
    assert "FAIL" not in ran.outcomes.values()


def test_a_failing_test_beside_the_procedures_is_not_covered_up(tmp_path: Path) -> None:
    bad = tmp_path / "test_beside.py"
    bad.write_text("def test_beside():\n    assert False\n")
    command = [sys.executable, "-m", "pytest", "suites/transfer_timing", str(bad), "-q", "-p", "no:cacheprovider"]
    command += ["-k", "nominal-half-turn or beside", "--rootdir", str(TOP), "--out", str(tmp_path / "run")]
    done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert "1 failed, 1 passed" in done.stdout
    assert done.returncode != 0


def test_stopping_at_the_first_failure_is_no_completed_run(tmp_path: Path) -> None:
    bench = bench_with(tmp_path, "charger", 'defects = ["returns-house-late=900 ms"]')
    command = [sys.executable, "-m", "pytest", "suites/transfer_timing", "-x", "-q", "-p", "no:cacheprovider"]
    command += ["-k", "test_backup_supplies and standby and 315deg or nominal-half-turn"]
    command += ["--bench", str(bench), "--out", str(tmp_path / "run")]
    done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, timeout=LIMIT, check=False)
    documents = read_journal(tmp_path / "run").documents
    assert done.returncode == 1
    assert [d.verdict for d in documents if isinstance(d, Judged) and d.verdict == "FAIL"]
    assert isinstance(documents[-1], RunStop)
    assert documents[-1].status == "interrupted"
