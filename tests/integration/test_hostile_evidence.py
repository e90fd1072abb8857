"""A folder of evidence that somebody made to do harm: nothing outside it is read or written, and no text of it acts."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from synthetic_run import Teller, build
from test_allure_and_junit import hostile
from typer.testing import CliRunner

from reports.export.export import export
from reports.export.tables import inert
from reports.formats import write_reports
from reports.html import render_html
from rig.cli.main import app
from rig.errors import RigError, TraceError, UseError
from rig.evidence.captures import read_series
from rig.evidence.documents import CaptureStored, Channel
from rig.evidence.reopen import reopen
from rig.evidence.verify import verify_run

UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Control characters, and what turns a line round."""
SECRET = "what stands outside"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("run") / "a", angles=(0,))


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    file = tmp_path / "victim"
    file.write_text(SECRET)
    return file


def run_with_capture(folder: Path, file: str) -> Path:
    """A run whose journal names a capture in this place."""
    teller = Teller(folder)
    teller.begin(())
    teller.journal.append(
        CaptureStored(name="c", file=file, sha256="0" * 64, kind="series", channels=(Channel("u", "V"),), start=0.0,
                      rate=0.0, rows=1)
    )  # fmt: skip
    return teller.end()


WAYS_OUT = ("../victim", "captures/../../victim", "/etc/hostname", "captures//etc/hostname", "captures\\..\\victim",
            "captures/", "captures/..", "file:///etc/hostname", "captures/a/b", "captures/.hidden", "")  # fmt: skip


@pytest.mark.parametrize("file", WAYS_OUT)
def test_a_capture_that_leads_out_is_named_and_never_opened(file: str, tmp_path: Path, victim: Path) -> None:
    folder = run_with_capture(tmp_path / "run", file)
    problems = verify_run(folder).problems
    assert any("leads out of the folder" in one or "is missing" in one for one in problems), problems
    stored = CaptureStored(name="c", file=file, sha256="0" * 64, kind="series", channels=(), start=0, rate=0, rows=1)
    with pytest.raises(TraceError):
        read_series(folder, stored)
    export(folder, ["csv"], tmp_path / "out")
    if file == WAYS_OUT[0]:
        write_reports(folder, ["html"], tmp_path / "out" / "page.html")
    written = "".join(path.read_text(errors="replace") for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert SECRET not in written
    with pytest.raises(RigError):
        reopen(folder)


def test_a_link_in_the_evidence_is_named_and_nothing_is_written_through_it(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    for path in whole.rglob("*"):
        target = folder / path.relative_to(whole)
        if path.is_dir():
            target.mkdir(exist_ok=True)
        else:
            target.write_bytes(path.read_bytes())
    away = tmp_path / "away"
    away.mkdir()
    victim = away / "victim"
    victim.write_text(SECRET)
    for name in ("report.html.part", "report.pdf.part", "junit.xml.part"):
        (folder / name).symlink_to(victim)
    for name in ("allure-results", "export"):
        (folder / name).symlink_to(away, target_is_directory=True)
    assert sum("symbolic link" in one for one in verify_run(folder).problems) == 5
    write_reports(folder, ["html", "junit"])
    with pytest.raises(UseError, match="symbolic link"):
        write_reports(folder, ["allure"])
    with pytest.raises(UseError, match="symbolic link"):
        export(folder, ["csv"])
    with pytest.raises(RigError):
        reopen(folder)
    assert victim.read_text() == SECRET
    assert [path.name for path in away.iterdir()] == ["victim"]


def test_no_text_of_a_run_moves_a_cursor_or_turns_a_line_on_the_terminal(tmp_path: Path) -> None:
    folder = hostile(tmp_path / "run")
    (folder / "a\u202egnp.exe").write_text("x")
    (folder / "b\x9b2J").write_text("x")
    runner = CliRunner()
    for words in (["verify", str(folder)], ["report", str(folder), "--out", str(tmp_path / "r.html")]):
        result = runner.invoke(app, words)
        assert not UNSEEN.findall(result.output), (words, result.output)
    assert "\\u202e" in runner.invoke(app, ["verify", str(folder)]).output


def test_a_page_shows_what_cannot_be_seen(tmp_path: Path) -> None:
    page = render_html(hostile(tmp_path / "run"))
    assert not UNSEEN.findall(page)
    assert "[U+202E]" in page
    assert "<script>alert(1)" not in page


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_a_text_that_begins_as_a_formula_is_none_in_a_table(sign: str, tmp_path: Path) -> None:
    evil = f"{sign}cmd|' /C calc'!A0"
    teller = Teller(tmp_path / "run")
    teller.begin((), title=evil)
    test = teller.start("a.py::t", evil, (), evil, evil)
    teller.stop(test, "ERROR", 1.0, evil)
    export(teller.end(), ["csv"], tmp_path / "out")
    cells = []
    for path in (tmp_path / "out").glob("*.csv"):
        with path.open(newline="") as file:
            cells += [cell for row in csv.reader(file) for cell in row]
    assert any(evil.strip() in cell for cell in cells)
    assert not [cell for cell in cells if cell.startswith(sign) and "calc" in cell]


def test_numbers_stay_numbers_in_a_table() -> None:
    assert [inert(one) for one in (-1.5, -3, 0, "a", "=1")] == [-1.5, -3, 0, "a", "'=1"]
