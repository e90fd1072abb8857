"""A run killed on the way and gone on with, as a user sees it; and a bench that another run has."""

from __future__ import annotations

import re
from pathlib import Path

from rigs import certify, v2hrig

from benchmarks.kill_certify import kill_again_and_again
from fixtures.library import find_bench
from reports.gather import gather
from rig.evidence.documents import Resumed, RunStop, Stimulus, TestStart, TestStop
from rig.evidence.journal import FILE, read_journal
from rig.evidence.keys import new_keys, read_public
from rig.evidence.run_info import read_run_info
from rig.evidence.verify import verify_run
from rig.safety.lease import Claim, Lease
from rig.safety.resources import resource_name

TWO = ("--suite", "transfer_timing", "-k", "nominal-quarter-turn or nominal-half-turn")


def test_killed_at_random_moments_it_loses_no_verdict_and_ends_as_if_nothing_had_been(tmp_path: Path) -> None:
    """The same with hundreds of kills: python -m benchmarks.kill_certify."""
    found = kill_again_and_again(2, 7, tmp_path, TWO)
    assert found.wrong == []
    assert found.kills == 2
    assert found.ended >= 1
    assert found.announced >= 2


def test_what_is_left_is_run_and_a_second_time_there_is_nothing_to_do(tmp_path: Path) -> None:
    """The journal is cut after the first verdict, with half a line behind it; then before its last line."""
    key, public = new_keys(tmp_path / "key")
    whole = certify(tmp_path / "run", "--seed", "1", *TWO)
    folder = tmp_path / "run"
    lines = (folder / FILE).read_bytes().splitlines(keepends=True)
    first = next(n for n, line in enumerate(read_journal(folder).lines) if isinstance(line.doc, TestStop))
    told = gather(read_journal(folder))
    (folder / FILE).write_bytes(b"".join(lines[: first + 1]) + lines[first + 1][:30])
    for path in (folder / "captures").iterdir():
        if path.name.encode() not in b"".join(lines[: first + 1]):
            path.unlink()

    ran = v2hrig("resume", str(folder), "--key", str(key), folder=folder)
    assert ran.code == whole.code
    assert "unfinished last line of 30 bytes was set aside" in ran.out
    assert "1 of 2 tests have their outcome and stand" in ran.out
    now = gather(read_journal(folder))
    assert [(test.start.test, test.outcome) for test in now.tests] == [(t.start.test, t.outcome) for t in told.tests]
    assert {id: one.verdict for id, one in now.requirements.items()} == {
        id: one.verdict for id, one in told.requirements.items()
    }
    assert {id: one.state for id, one in now.rules.items()} == {id: one.state for id, one in told.rules.items()}
    assert now.card is not None
    assert told.card is not None
    assert now.card.sessions == told.card.sessions
    assert [(row.key, row.count) for row in now.card.course] == [(row.key, row.count) for row in told.card.course]
    assert "The run was cut off and gone on with" in (folder / "report.html").read_text()
    assert verify_run(folder, read_public(public)).proven

    (folder / "seal.dsse.json").unlink()
    part = folder / "journal-2.jsonl"
    part.write_bytes(b"".join(part.read_bytes().splitlines(keepends=True)[:-1]))
    again = v2hrig("resume", str(folder), folder=folder)
    assert again.code == whole.code
    assert isinstance(again.documents[-1], RunStop)
    assert [doc.part for doc in again.documents if isinstance(doc, Resumed)] == [2, 3]
    assert verify_run(folder).problems == ()


def test_it_is_gone_on_with_at_its_own_depth(tmp_path: Path) -> None:
    """At full depth a procedure does five times what it does once else."""
    folder, asked = tmp_path / "run", ("--seed", "1", "--suite", "transfer_timing", "--depth", "full")
    certify(folder, *asked, "-k", "backup_supplies and 315deg and standby and 25")
    whole = [doc.what for doc in read_journal(folder).documents if isinstance(doc, Stimulus)]
    lines = (folder / FILE).read_bytes().splitlines(keepends=True)
    first = next(n for n, line in enumerate(read_journal(folder).lines) if isinstance(line.doc, TestStart))
    (folder / FILE).write_bytes(b"".join(lines[: first + 1]))
    for path in (folder / "captures").iterdir():
        path.unlink()

    ran = v2hrig("resume", str(folder), folder=folder)
    assert ran.code in (0, 3)
    assert [doc.what for doc in ran.documents if isinstance(doc, Stimulus)] == whole
    assert whole.count("mains: interrupt") == 5
    info = read_run_info(folder)
    assert info is not None
    for words in ("--depth full", "--suite transfer_timing", "-k 'backup_supplies and 315deg and standby and 25'"):
        assert words in info.command


def test_a_bench_that_another_run_has_is_refused_before_anything_of_it_is_opened(tmp_path: Path) -> None:
    where = "TCPIP::127.0.0.1::9::SOCKET"
    text, count = re.subn(
        r'^name = "served"$(.*)^driver = "yokogawa_wt1800e"\nresource = "emulated"$',
        rf'name = "mine"\nlease = "{tmp_path}/leases"\1driver = "yokogawa_wt1800e"\nresource = "{where}"',
        find_bench("served").read_text(),
        flags=re.M | re.S,
    )
    assert count == 1
    bench = tmp_path / "bench.toml"
    bench.write_text(text)
    claim = Claim.of_this_process("the other run")
    held = Lease(tmp_path / "leases", claim).take([resource_name(where, claim.host)])
    ran = certify(tmp_path / "run", "--bench", str(bench), *TWO)
    assert ran.code == 3
    assert f"held by {claim.user} on {claim.host}, process {claim.pid}, since 20" in ran.err
    assert "for: the other run; wait, or end that run" in ran.err
    assert not (tmp_path / "run").exists()
    held.give_back()
