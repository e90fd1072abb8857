"""The report on paper, read back from its text: what ISO/IEC 17025 asks, what it never says, what it refuses."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pypdf
import pytest
from rigs import v2hrig
from synthetic_run import CATALOGUE, Teller, build, change

from reports.laboratory import joined, missing, read_laboratory
from reports.pdf import render_pdf, write_pdf
from reports.plain import ZERO_WIDTH
from rig.errors import UseError
from rig.evidence.documents import Judged, Required
from rig.evidence.run_info import UNSTATED, Laboratory

LAB = Laboratory(
    name="Example Test Laboratory",
    address="2 Example Street, 7270 Davos",
    place="Hall 3, Davos",
    customer="Example Power K.K., j.doe@example.com",
    authorised_by="A. Person, head of laboratory",
    received="2026-11-20",
    condition="as new, seals intact",
    environment="23.4 degC, 42 % r.h.",
    issued="2026-11-26",
)


def pages(raw: bytes) -> list[str]:
    """Text of each page, with one space between words and none where a long word may be broken."""
    found = pypdf.PdfReader(io.BytesIO(raw)).pages
    return [re.sub(r"\s+", " ", one.extract_text().replace(ZERO_WIDTH, "")) for one in found]


def text_of(raw: bytes) -> str:
    return " ".join(pages(raw))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("run") / "device", "hardware", angles=(0, 315))


@pytest.fixture(scope="module")
def final(folder: Path) -> bytes:
    return render_pdf(folder, LAB, final=True)


@pytest.fixture(scope="module")
def text(final: bytes) -> str:
    return text_of(final)


# ---- what it says


@pytest.mark.parametrize(
    "words",
    [
        "Certification test report",  # a
        "Example Test Laboratory",  # b
        "2 Example Street, 7270 Davos",
        "Hall 3, Davos",  # c
        "j.doe@example.com",  # e
        "suites/transfer_timing/test_mains_loss.py::test_backup",  # f
        "EX-000123",  # g
        "as new, seals intact",
        "2026-11-20",  # h
        "2026-11-25",  # i
        "2026-11-26",  # j
        "one item was tested",  # k
        "relate only to the item",  # l
        "reproduced except in full",
        "19.70 ± 0.50 ms",  # m
        "no answer to MEAS:POW?",  # n
        "A. Person, head of laboratory",  # o
        "every value was measured on the bench",  # p
        "23.4 degC, 42 % r.h.",
        "guard band 1 U, k = 2, non-binary",
        "the bench has no second digitizer channel",
        "CHAdeMO 1.0 to 1.2, from 7 sessions of this run",
        "stop to end of power transfer 0.10 s 0.21 s 0.43 s 6 R-STOP-ANSWER",
        "K-14/26",
    ],
)
def test_what_the_standard_asks_for_is_there(text: str, words: str) -> None:
    assert words in text


def test_every_page_has_its_number_of_all_and_the_reports_own(final: bytes) -> None:
    found = pages(final)
    number = re.search(r"Report no\. (TR-20261125-[0-9A-F]{10})", found[0])
    assert number
    for n, page in enumerate(found, 1):
        assert f"Page {n} of {len(found)}" in page
        assert number[1] in page
    assert f"End of report {number[1]}" in found[-1]
    assert "DRAFT" not in " ".join(found)


def test_a_verdict_can_be_traced_from_requirement_to_evidence(text: str, folder: Path) -> None:
    where = text.rindex("6 Requirements, results and verdicts")
    row = text[text.index("XFR-002 Seamless", where) :][:600]
    for words in (
        "<= 20 ms",
        "t_transfer",
        "19.70 ± 0.50 ms",
        "≤ 20 ms",
        "accepted ≤ 19.5 ms",
        "INCONCLUSIVE",
        "hardware",
    ):
        assert words in row, words
    found = re.search(r"line (\d+) ?([0-9a-f]{16})", row)
    assert found
    line = (folder / "journal.jsonl").read_text().splitlines()[int(found[1])]
    assert '"t_transfer"' in line
    assert f'"sha":"{found[2]}' in line


def test_budgets_and_whole_digests_stand_in_the_annexes(text: str, folder: Path) -> None:
    annex = text[text.rindex("Annex B: uncertainty budgets") :]
    assert "meter, gain" in annex
    assert "(k = 2)" in annex
    sha = re.search(r'"CaptureStored".*?"sha256":"(\w{64})"', (folder / "journal.jsonl").read_text())
    assert sha
    assert sha[1] in annex.replace(" ", "")


def test_the_same_folder_gives_the_same_bytes(folder: Path, final: bytes) -> None:
    assert render_pdf(folder, LAB, final=True) == final


def test_it_is_an_archive_file_tagged_for_readers_who_listen(final: bytes) -> None:
    reader = pypdf.PdfReader(io.BytesIO(final))
    told = reader.xmp_metadata
    assert told is not None
    raw = told.stream.get_data().decode()
    assert "<pdfaid:part>2</pdfaid:part>" in raw
    assert "<pdfaid:conformance>A</pdfaid:conformance>" in raw
    assert "pdfuaid:part" in raw
    catalogue = reader.trailer["/Root"].get_object()
    assert catalogue["/MarkInfo"]["/Marked"]  # type: ignore[index]
    assert "/StructTreeRoot" in catalogue  # type: ignore[operator]


# ---- what it must never say


@pytest.mark.parametrize("kind", ["emulated", "mixed"])
def test_with_a_model_it_is_no_certificate_whoever_wrote_the_word(tmp_path: Path, kind: str) -> None:
    teller = Teller(tmp_path / "run", kind)  # type: ignore[arg-type]
    teller.begin(CATALOGUE[2:4], title="Certified charger")
    test = teller.start("s/x/t.py::t", "A CERTIFIED test", ("XFR-001",), "certified", "x")
    teller.judge(teller.measure("t_transfer", 0.01, "s", (1e-4,)), "XFR-001", 0.01, 1e-4)
    teller.stop(test, "PASS", 1.0)
    text = text_of(render_pdf(teller.end(), LAB))
    assert "certified" not in text.lower()
    assert "Certification" not in text
    assert "(word withheld)" in text
    assert "house (chroma_63804)" in text
    assert "says nothing about a physical" in text
    assert f"PASS {kind}" in text


def test_a_draft_says_so_on_every_page_and_what_is_not_stated(folder: Path) -> None:
    found = pages(render_pdf(folder))
    assert all("DRAFT" in page for page in found)
    assert "Laboratory not stated" in found[0]
    assert "not issued: this is a draft" in found[0]


def test_an_amended_report_has_a_number_of_its_own_and_names_what_changed(folder: Path, text: str) -> None:
    amended = text_of(render_pdf(folder, LAB, True, amends="TR-20261125-0123456789", reason="address corrected"))
    assert "takes the place of report no. TR-20261125-0123456789" in amended
    assert "address corrected" in amended
    numbers = [re.search(r"Report no\. (\S+)", one) for one in (text, amended)]
    assert numbers[0]
    assert numbers[1]
    assert numbers[0][1] != numbers[1][1]


def test_an_amended_report_lists_what_changed_against_the_former_run(folder: Path, tmp_path: Path) -> None:
    former = build(tmp_path / "former", "hardware", angles=(0, 90))
    text = text_of(render_pdf(folder, LAB, True, "TR-20261125-0123456789", "one more angle", former))
    assert "Changed against a former run" in text
    part = text.partition("Changed against a former run")[2].partition("10 Software and tool")[0]
    assert "Compared with run former" in part
    assert "315deg" in part
    assert "not in it" in part
    assert "Changed against a former run" not in text_of(render_pdf(folder, LAB, True))


# ---- what it refuses


@pytest.mark.parametrize(
    "key", ["name", "address", "place", "customer", "authorised_by", "received", "condition", "issued"]
)
def test_a_final_report_without_a_statement_is_refused_by_name(folder: Path, key: str) -> None:
    rest = {name: getattr(LAB, name) for name in LAB.__struct_fields__ if name != key}
    with pytest.raises(UseError, match=rf"--laboratory: {key} not stated; a final report") as error:
        render_pdf(folder, Laboratory(**rest), final=True)
    assert "\n" not in str(error.value)


def test_a_model_was_not_received(tmp_path: Path) -> None:
    rest = {name: getattr(LAB, name) for name in LAB.__struct_fields__ if name not in ("received", "condition")}
    assert missing(Laboratory(**rest), of_item=False) == []
    text = text_of(render_pdf(build(tmp_path / "run", angles=(0,)), Laboratory(**rest), final=True))
    assert "Simulation report" in text
    assert "DRAFT" not in text


def test_no_final_report_of_a_changed_journal_and_a_draft_that_says_so(tmp_path: Path) -> None:
    folder = build(tmp_path / "run", "hardware", angles=(0,))
    lines = (folder / "journal.jsonl").read_bytes().split(b"\n")
    number = next(n for n, line in enumerate(lines) if b'"Measured"' in line)
    change(folder, number, b'"unit":"s"', b'"unit":"V"')
    with pytest.raises(UseError, match=f"no final report of evidence that does not verify .line {number + 1}"):
        render_pdf(folder, LAB, final=True)
    assert "The journal does not verify." in text_of(render_pdf(folder, LAB))


def test_no_final_report_of_a_changed_capture(tmp_path: Path) -> None:
    folder = build(tmp_path / "run", "hardware", angles=(0,))
    first = sorted((folder / "captures").iterdir())[0]
    first.write_bytes(first.read_bytes()[:-1] + b"?")
    with pytest.raises(UseError, match="does not verify"):
        render_pdf(folder, LAB, final=True)


@pytest.mark.parametrize(("amends", "reason"), [("TR-1", ""), ("", "why")])
def test_an_amendment_needs_both(folder: Path, amends: str, reason: str) -> None:
    with pytest.raises(UseError, match="give --amends and --reason"):
        render_pdf(folder, LAB, False, amends, reason)


# ---- what it survives


def test_text_of_the_journal_is_never_markup(tmp_path: Path) -> None:
    evil = '#panic("x") *b* $x$ [y] \\ `c` <a> @ref // "q" ‮\x07 #sys.inputs'
    teller = Teller(tmp_path / "run")
    hostile = Required(id="XSS-001", title=evil, stated=evil, source=evil, confidence=evil, claim=evil,
                       rows=CATALOGUE[3].rows, rule=evil, selected=True)  # fmt: skip
    teller.begin((hostile,), title=evil)
    test = teller.start(evil, evil, ("XSS-001",), evil, evil)
    teller.judge_row(teller.measure(evil, 0.01, "s", (1e-4,)), hostile, hostile.rows[0], 0.01, 1e-4)
    teller.stop(test, "FAIL", 1.0, evil)
    text = text_of(render_pdf(teller.end(), Laboratory(name=evil), amends=evil, reason=evil))
    assert '#panic("x") *b* $x$ [y]' in text
    assert "[U+202E]" in text
    assert "[U+0007]" in text


def test_letters_no_font_has_are_written_as_numbers_or_set(tmp_path: Path) -> None:
    teller = Teller(tmp_path / "run", "hardware")
    teller.begin((), title="充電器 \U0001faf8")
    text = text_of(render_pdf(teller.end()))
    assert "充" in text or "[U+5145]" in text


def test_a_torn_empty_or_cut_off_run_still_gives_a_draft(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "journal.jsonl").write_bytes(b"")
    assert "No requirement was in scope." in text_of(render_pdf(tmp_path / "empty"))
    folder = build(tmp_path / "run", angles=(0,), stop=False)
    path = folder / "journal.jsonl"
    path.write_bytes(path.read_bytes()[:-40])
    text = text_of(render_pdf(folder))
    assert "The journal ends in a torn line." in text
    assert "The run did not complete" in text


# ---- the laboratory's file


def test_the_file_of_the_laboratory(tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    path.write_text('name = "Prüfstelle"\nissued = 2026-11-26\nreceived = "2026-11-20"\n', "utf-8")
    found = read_laboratory(path)
    assert (found.name, found.issued, found.received) == ("Prüfstelle", "2026-11-26", "2026-11-20")
    assert joined(Laboratory(name="A", place="B"), found).name == "Prüfstelle"
    assert joined(Laboratory(name="A", place="B"), found).place == "B"
    assert joined(LAB, UNSTATED) == LAB


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('town = "x"', "town: unknown key; there are name, address"),
        ("name = 3", "name: is no text"),
        ('issued = "tomorrow"', "issued: 'tomorrow' is no date"),
        ('issued = "2026-13-01"', "issued: '2026-13-01' is no date"),
        ("name = ", "is no TOML"),
        (None, "cannot be read"),
    ],
)
def test_a_wrong_file_is_one_line(tmp_path: Path, text: str | None, words: str) -> None:
    path = tmp_path / "lab.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UseError, match=re.escape(words)) as error:
        read_laboratory(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


# ---- the command


def test_the_command_writes_what_is_asked_and_refuses_what_cannot_be(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    made = v2hrig("report", str(folder), "--to", "html,pdf,junit,allure", "--out", str(out))
    assert made.code == 0, made.err
    assert sorted(one.name for one in out.iterdir()) == ["allure-results", "junit.xml", "report.html", "report.pdf"]
    for arguments, words in (
        (("--to", "docx"), "--to docx: no such report; there are html, pdf, junit, allure"),
        (("--to", ","), "--to: names no report"),
        (("--final",), "are of the PDF; add pdf to --to"),
        (
            ("--to", "pdf", "--final"),
            "name, address, place, customer, authorised_by, issued, received, condition not stated",
        ),
    ):
        refused = v2hrig("report", str(folder), *arguments)
        assert refused.code == 2
        assert words in refused.err
        assert len(refused.err.splitlines()) == 1


def test_a_sealed_run_is_not_written_into(tmp_path: Path) -> None:
    folder = build(tmp_path / "run", angles=(0,))
    (folder / "seal.dsse.json").write_text("{}")
    refused = v2hrig("report", str(folder))
    assert refused.code == 2
    assert "is sealed" in refused.err
    assert write_pdf(folder, tmp_path / "a.pdf").stat().st_size > 10_000


def test_a_coverage_factor_is_named_once_however_it_was_computed(tmp_path: Path) -> None:
    teller = Teller(tmp_path / "run")
    teller.begin()
    test = teller.start("suites/a/test_b.py::test_c", "Two values", ("PQ-001",), "", "a")
    for k in (2.0, 2.0000000000000004):
        number = teller.measure("v", 200.0, "V", (0.5,))
        asked = next(one for one in CATALOGUE if one.id == "PQ-001")
        row = asked.rows[0]
        teller.journal.append(
            Judged(requirement="PQ-001", quantity=row.quantity, verdict="PASS", measurement=number, limit=row.limit,
                   acceptance=row.limit, expanded=1.0, k=k, rule=asked.rule, claim=asked.claim, margin=1.0,
                   probability=1.0, reason="")
        )  # fmt: skip
    teller.stop(test, "PASS", 1.0)
    text = text_of(render_pdf(teller.end()))
    assert text.partition("Expanded uncertainty U = k · u, ")[2].startswith("k = 2. ")
