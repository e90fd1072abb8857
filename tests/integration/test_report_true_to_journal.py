"""A report says what the journal says: of a run that was killed at any moment, and of one that somebody changed.

What the journal says is read here from its bytes as JSON, by none of the code that makes reports.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path

import pytest
from synthetic_run import build
from typer.testing import CliRunner, Result

from benchmarks.true_reports import differences
from reports.gather import gather
from reports.history.store import open_store
from reports.html import render_html
from reports.pdf import render_pdf
from rig.cli.main import app
from rig.errors import UseError
from rig.evidence.journal import FILE, scan_journal
from rig.evidence.keys import new_keys, read_private
from rig.evidence.run_info import Laboratory
from rig.evidence.seal import seal_run

LAB = Laboratory(name="A", address="B", place="C", customer="D", authorised_by="E", issued="2026-11-26")


def v2hrig(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("run") / "a", angles=(315,))


@pytest.fixture
def sealed(whole: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A sealed run, and the public key."""
    private, public = new_keys(tmp_path / "key")
    folder = tmp_path / "run"
    shutil.copytree(whole, folder)
    seal_run(folder, read_private(private), "FAIL")
    return folder, public


def test_a_run_cut_off_at_any_line_is_reported_as_far_as_it_went(whole: Path, tmp_path: Path) -> None:
    lines = (whole / FILE).read_bytes().count(b"\n")
    assert differences(whole, range(1, lines + 1), tmp_path / "cut", to=("junit",)) == []


@pytest.mark.parametrize("share", [0.4, 1.0])
def test_a_run_cut_off_inside_a_line_is_reported_up_to_it(whole: Path, tmp_path: Path, share: float) -> None:
    raw = (whole / FILE).read_bytes()
    places = [m.end() for m in re.finditer(b'"(Measured|Judged|TestStop)"', raw)]
    moment = places[round(share * (len(places) - 1))]
    assert differences(whole, [], tmp_path / "cut", bytes_kept=[moment], to=("html", "junit", "allure")) == []


def change_a_measurement(folder: Path) -> int:
    """Make a FAIL look better in the journal; the number of its line, from 1."""
    lines = (folder / FILE).read_bytes().split(b"\n")
    found = next(n for n, one in enumerate(lines) if b'"soc_end"' in one and b'"Measured"' in one)
    assert b"0.103" in lines[found]
    lines[found] = lines[found].replace(b"0.103", b"0.153")
    (folder / FILE).write_bytes(b"\n".join(lines))
    return found + 1


def test_a_changed_measurement_reported_again_is_refused_by_verify(sealed: tuple[Path, Path], tmp_path: Path) -> None:
    folder, public = sealed
    assert v2hrig("verify", folder, "--pub", public).exit_code == 0
    line = change_a_measurement(folder)
    assert "would break the seal" in str(v2hrig("report", folder).exception)
    made = v2hrig("report", folder, "--to", "html,pdf", "--out", tmp_path / "out")
    assert made.exit_code == 0
    assert f"line {line} of journal.jsonl" in (tmp_path / "out" / "report.html").read_text()
    with pytest.raises(UseError, match="does not verify"):
        render_pdf(folder, LAB, final=True)
    refused = v2hrig("verify", folder, "--pub", public)
    assert refused.exit_code == 1
    assert f"NOT VERIFIED: first of what differs: line {line} of journal.jsonl" in refused.output


def chain_anew(folder: Path) -> None:
    """Give every line the digests of a chain that is whole, as the journal's format says."""
    before, made = "0" * 64, list[bytes]()
    for line in (folder / FILE).read_bytes().split(b"\n")[:-1]:
        body = re.sub(rb'"prev":"[0-9a-f]{64}"', b'"prev":"' + before.encode() + b'"', line, count=1)
        body = body[: body.rindex(b',"sha":"')]
        before = hashlib.sha256(body).hexdigest()
        made.append(body + b',"sha":"' + before.encode() + b'"}\n')
    (folder / FILE).write_bytes(b"".join(made))


def test_a_journal_whose_chain_was_made_anew_is_not_the_sealed_one_to_any_report(sealed: tuple[Path, Path]) -> None:
    folder, public = sealed
    assert "not the one that was sealed" not in render_html(folder)
    change_a_measurement(folder)
    chain_anew(folder)
    assert scan_journal(folder).flaw == ""
    assert "The journal is not the one that was sealed." in render_html(folder)
    assert gather(scan_journal(folder)).verdict == "FAIL"
    with pytest.raises(UseError, match="not the sealed one"):
        render_pdf(folder, LAB, final=True)
    refused = v2hrig("verify", folder, "--pub", public)
    assert refused.exit_code == 1
    assert "is the last of a chain that is whole but not the sealed one" in refused.output


def test_a_run_sealed_later_is_sealed_in_the_index_too(whole: Path, tmp_path: Path) -> None:
    private, _ = new_keys(tmp_path / "key")
    folder, db = tmp_path / "run", tmp_path / "history.sqlite"
    shutil.copytree(whole, folder)
    assert v2hrig("history", "add", folder, "--db", db).exit_code == 0
    for sealed in (0, 1):
        with open_store(str(db)) as store:
            assert store.ask("SELECT sealed FROM runs") == [(sealed,)]
        if not sealed:
            assert v2hrig("seal", folder, "--key", private).exit_code == 0
