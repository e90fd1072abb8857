"""What an engineer at a desk expects of pytest and of the shell: -n, -x, --lf, --pdb, --show, a bench in IPython."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import webbrowser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rigs import LIMIT, TOP, bench_with
from synthetic_run import build

from fixtures.library import find_bench
from fixtures.workers import refuse_workers
from reports.show import way_for
from reports.showing import show_from
from rig.evidence.documents import RunStart, SafeStateReached, TestStop
from rig.evidence.journal import read_journal

QUICK = "nominal-half-turn"


def suites(*arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    """`pytest suites/transfer_timing ...`, with something typed at it."""
    command = [sys.executable, "-m", "pytest", "suites/transfer_timing", "-q", "--rootdir", str(TOP), *arguments]
    return subprocess.run(command, cwd=TOP, input=typed, capture_output=True, text=True, timeout=LIMIT, check=False)


@pytest.mark.long
def test_workers_share_the_tests_of_an_emulated_bench_each_with_a_run_of_its_own(tmp_path: Path) -> None:
    done = suites("-k", QUICK, "-n", "2", "-p", "no:cacheprovider", "--out", str(tmp_path / "run"))
    assert done.returncode == 0, done.stdout + done.stderr
    folders = sorted((tmp_path / "run").iterdir())
    assert {one.name for one in folders} <= {"gw0", "gw1"}
    journals = [read_journal(one).documents for one in folders]
    assert all(isinstance(one[0], RunStart) for one in journals)
    ended = [doc.test for one in journals for doc in one if isinstance(doc, TestStop)]
    assert len(ended) == len(set(ended))
    assert f"{len(ended)} passed" in done.stdout


class Config:
    """What is read of pytest's own."""

    rootpath = TOP

    def __init__(self, bench: str, workers: int | None, arg: str = "suites/transfer_timing", record: str = "") -> None:
        self.option = SimpleNamespace(numprocesses=workers)
        self.args = [str(TOP / arg)]
        self._options = {"--bench": bench, "--record": record}

    def getoption(self, name: str) -> str:
        return self._options[name]


def refused(*facts: Any) -> str:
    """Why the suites are refused to several processes; empty when they are not."""
    try:
        refuse_workers(Config(*facts), TOP / "suites")  # type: ignore[arg-type]
    except pytest.UsageError as error:
        return str(error)
    return ""


def test_a_bench_there_is_but_one_of_is_refused_to_several_processes(tmp_path: Path) -> None:
    real = tmp_path / "real.toml"
    text = find_bench("emulated").read_text().replace('clock = "virtual"', 'clock = "real"')
    text = text.replace('interface = "virtual"', 'interface = "udp_multicast"\nchannel = "239.74.163.2"')
    real.write_text(text.replace('driver = "ea_psb_10000"\nresource = "emulated"',
                                 'driver = "ea_psb_10000"\nresource = "TCPIP::192.0.2.7::INSTR"'))  # fmt: skip
    assert refused("emulated", 2) == ""
    assert refused(str(real), None) == ""
    assert refused(str(real), 2, "tests/unit") == ""
    assert refused(str(real), 2) == (
        "-n: the bench emulated is real (battery): one bench, one journal, one process; run the suites without it"
    )
    assert "runs in real time" in refused("served", 2)
    assert "no such bench file" in refused("nowhere", 2)
    assert "--record" in refused("emulated", 2, "suites", "folder")


@pytest.mark.long
def test_last_failed_runs_what_failed_and_the_debugger_opens_on_a_safe_bench(tmp_path: Path) -> None:
    bench = bench_with(tmp_path, "charger", 'defects = ["returns-house-late=900 ms"]')
    common = ("--bench", str(bench), "-o", f"cache_dir={tmp_path / 'cache'}")
    first = suites(*common, "-k", "test_backup_supplies and standby and 315deg or nominal-half-turn", "--out",
                   str(tmp_path / "first"))  # fmt: skip
    outcomes = {d.test: d.outcome for d in read_journal(tmp_path / "first").documents if isinstance(d, TestStop)}
    failed = {test for test, outcome in outcomes.items() if outcome != "PASS"}
    assert first.returncode == 1
    assert failed
    assert failed < outcomes.keys()

    again = suites(*common, "--lf", "-x", "--pdb", "--out", str(tmp_path / "again"), typed="!print('one', 1 + 1)\nq\n")
    documents = read_journal(tmp_path / "again").documents
    stops = [n for n, one in enumerate(documents) if isinstance(one, TestStop)]
    (stop,) = stops  # -x: no other was begun
    ended = documents[stop]
    assert isinstance(ended, TestStop)
    assert ended.test in failed
    assert "one 2" in again.stdout
    assert "before the debugger opens, safe state CONFIRMED" in again.stdout + again.stderr
    rests = [one for one in documents[stop + 1 :] if isinstance(one, SafeStateReached)]
    assert len(rests) >= 2  # before the debugger, and at the end
    assert all(one.confirmed for one in rests)
    assert any(line.startswith("mains: confirmed") for line in rests[0].readings)


def test_pictures_are_drawn_on_the_terminal_and_opened_where_there_is_a_desktop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, opened = build(tmp_path / "run", angles=(0, 90)), list[str]()
    count = show_from(folder, 0, "terminal")
    drawn = capsys.readouterr().out
    assert sum(0x2800 < ord(one) < 0x2900 for one in drawn) > 300
    assert show_from(folder, count, "terminal") == count
    assert capsys.readouterr().out == ""  # each test is shown once
    monkeypatch.setattr(webbrowser, "open", lambda url: opened.append(url) or True)
    monkeypatch.setattr(tempfile, "mkdtemp", lambda prefix: str(tmp_path))
    show_from(folder, 0, "browser")
    assert opened
    page = (tmp_path / "pictures.html").read_text()
    assert "default-src 'none'" in page
    assert "<svg" in page
    assert "<script" not in page
    assert way_for("auto", {}) == ("browser" if sys.platform == "darwin" else "terminal")
    assert way_for("auto", {"WAYLAND_DISPLAY": "wayland-0"}) == "browser"
    assert way_for("auto", {"DISPLAY": ":10", "SSH_CONNECTION": "192.0.2.7 1 192.0.2.8 22"}) == "terminal"
    assert way_for("browser", {}) == "browser"


@pytest.mark.long
def test_a_bench_in_the_shell_obeys_its_clock_and_is_left_at_rest() -> None:
    typed = (
        'car.plug_in(0.5)\ncharger.start("discharge")\nsleep(20)\nprint("flows", battery.reading().current < -5)\n1/0\n'
    )
    command = [sys.executable, "-m", "rig.cli", "shell"]
    done = subprocess.run(command, cwd=TOP, input=typed, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert done.returncode == 0, done.stderr
    assert "flows True" in done.stdout
    assert done.stdout.splitlines()[-1] == "safe state CONFIRMED"
