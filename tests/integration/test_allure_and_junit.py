"""JUnit XML, Allure's results and what GitHub is told, read back as those programs read them."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest
from synthetic_run import CATALOGUE, Teller, build, transfer

from reports.allure import write_allure
from reports.formats import formats
from reports.github import tell_github
from reports.html import render_html
from reports.junit import render_junit, write_junit
from rig.errors import TraceError, UseError
from rig.evidence.documents import Incident, Required, Resumed, RuleFound, Stimulus, TestStop
from rig.evidence.journal import scan_journal

EVIL = "]]> <script>alert(1)</script> & \" ' \x00\x1b[31m\x85 \ud7ff \u202e \ufffe ```\n::error::no\n| x |"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("run") / "a", angles=(0, 315))


@pytest.fixture(scope="module")
def junit(folder: Path) -> Xml.Element:
    return Xml.fromstring(render_junit(folder))


@pytest.fixture(scope="module")
def allure(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_allure(folder, tmp_path_factory.mktemp("allure") / "results")


def results(out: Path) -> list[dict[str, Any]]:
    return [json.loads(one.read_text("utf-8")) for one in sorted(out.glob("*-result.json"))]


def labels(result: dict[str, Any], name: str) -> list[str]:
    return [one["value"] for one in result["labels"] if one["name"] == name]


def verdict(result: dict[str, Any]) -> str:
    return labels(result, "verdict")[0]


def hostile(folder: Path) -> Path:
    """A run in which every text is hostile."""
    teller = Teller(folder)
    asked = Required(id="XSS-001", title=EVIL, stated=EVIL, source=EVIL, confidence=EVIL, claim=EVIL,
                     rows=CATALOGUE[3].rows, rule=EVIL, selected=True)  # fmt: skip
    teller.begin((asked,), title=EVIL)
    test = teller.start(f"a/../../{EVIL}::t[{EVIL}]", EVIL, ("XSS-001",), EVIL, EVIL)
    teller.journal.append(Stimulus(what=EVIL, values={EVIL: EVIL}, units={EVIL: EVIL}))
    teller.judge_row(teller.measure(EVIL, 0.03, "s", (1e-4,)), asked, asked.rows[0], 0.03, 1e-4)
    teller.journal.append(Incident(kind=EVIL, what=EVIL, fault="use"))
    teller.journal.append(
        RuleFound(rule=EVIL, title=EVIL, state="broken", duty="charger", source=EVIL, confidence=EVIL, frame=EVIL,
                  message=EVIL, unit=EVIL, count=1)
    )  # fmt: skip
    teller.stop(test, "FAIL", 1.0, EVIL)
    return teller.end()


# ---- JUnit


def test_each_verdict_is_the_element_servers_know(junit: Xml.Element) -> None:
    found = {}
    for case in junit.iter("testcase"):
        (word,) = [one.get("value") for one in case.iter("property") if one.get("name") == "verdict"] or [None]
        child = [one for one in case if one.tag in ("failure", "error", "skipped")]
        found.setdefault(word, (child[0].tag, child[0].get("type")) if child else None)
    assert found == {
        "PASS": None,
        "FAIL": ("failure", "FAIL"),
        "INCONCLUSIVE": ("failure", "INCONCLUSIVE"),
        "INVALID": ("error", "INVALID"),
        "NOT RUN": ("skipped", "NOT RUN"),
        None: ("failure", "FAIL"),  # the run as a whole
    }


def test_counts_are_those_of_the_cases(junit: Xml.Element) -> None:
    for element in (junit, *junit.iter("testsuite")):
        cases = list(element.iter("testcase"))
        assert element.get("tests") == str(len(cases))
        for plural, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert element.get(plural) == str(sum(one.find(tag) is not None for one in cases))
    assert {one.get("name") for one in junit} >= {"transfer_timing", "power_handling", "run"}


def test_reasons_requirements_and_measurements_are_told(junit: Xml.Element) -> None:
    (case,) = [one for one in junit.iter("testcase") if one.get("name") == "test_backup[100%-315deg]"]
    facts = [(one.get("name"), one.get("value")) for one in case.iter("property")]
    assert ("requirement", "XFR-002") in facts
    assert ("measurement.t_transfer", "19.70 ± 0.50 ms") in facts
    assert ("verdict.XFR-002.t_transfer", "INCONCLUSIVE, limit ≤ 20 ms") in facts
    assert case.get("classname") == "suites.transfer_timing.test_mains_loss"
    skipped = junit.find(".//skipped")
    assert skipped is not None
    assert "the bench has no second digitizer channel" in skipped.get("message", "")
    assert "EMULATED BENCH" in (case.findtext("system-out") or "")


def test_a_rule_broken_outside_every_test_is_no_green_file(tmp_path: Path) -> None:
    teller = Teller(tmp_path / "run")
    teller.begin(())
    test = teller.start("s/x/t.py::t", "T", (), "", "x")
    teller.stop(test, "PASS", 1.0)
    teller.journal.append(
        RuleFound(rule="R", title="r", state="broken", duty="charger", source="s", confidence="S", count=1)
    )
    top = Xml.fromstring(render_junit(teller.end()))
    assert top.get("failures") == "1"


def test_hostile_text_leaves_junit_whole(tmp_path: Path) -> None:
    raw = render_junit(hostile(tmp_path / "run"))
    top = Xml.fromstring(raw)
    assert len(list(top.iter("testcase"))) == 2
    assert {one.tag for one in top.iter()} == {
        "testsuites", "testsuite", "testcase", "properties", "property", "system-out", "failure",
    }  # fmt: skip
    assert b"\x1b" not in raw
    assert "[U+0000]" in raw.decode()


# ---- Allure


def test_each_verdict_has_its_status_and_its_category(allure: Path) -> None:
    rules = json.loads((allure / "allurerc.json").read_text())["categories"]["rules"]
    old = json.loads((allure / "categories.json").read_text())
    found = {}
    for one in results(allure):
        word = verdict(one)
        new = [rule["name"] for rule in rules if re.search(rule["matchers"]["labels"]["verdict"], word)]
        assert [name.partition(":")[0] for name in new] == [word]
        if word != "PASS":
            message = one["statusDetails"]["message"]
            hits = [r["name"] for r in old if one["status"] in r["matchedStatuses"]
                    and re.fullmatch(r["messageRegex"], message)]  # fmt: skip
            assert hits == new
        found[word] = one["status"]
    assert found == {
        "PASS": "passed", "FAIL": "failed", "INCONCLUSIVE": "broken", "INVALID": "broken", "NOT RUN": "skipped",
    }  # fmt: skip


def test_results_have_the_shape_the_reader_reads(allure: Path) -> None:
    """@allurereport/reader, src/allure2/model.ts."""
    keys = {"uuid", "historyId", "testCaseId", "fullName", "titlePath", "name", "description", "status", "stage",
            "start", "stop", "parameters", "labels", "links", "steps", "attachments"}  # fmt: skip
    for one in results(allure):
        assert set(one) - {"statusDetails"} == keys
        assert (allure / f"{one['uuid']}-result.json").is_file()
        assert isinstance(one["start"], int)
        assert one["start"] <= one["stop"]
        stack = list(one["steps"])
        while stack:
            step = stack.pop()
            assert step["status"] in ("passed", "failed", "broken", "skipped")
            assert step["start"] <= step["stop"]
            stack += step["steps"]
    assert all(n == 1 for n in Counter(one["historyId"] for one in results(allure)).values())


def test_steps_links_suite_and_requirement_are_there(allure: Path) -> None:
    (one,) = [one for one in results(allure) if "[100%-315deg]" in one["fullName"]]
    assert labels(one, "epic") == ["Transfer timing"]
    assert labels(one, "story")[1] == "XFR-002 Seamless / ITE-compatible transfer (optional class)"
    assert labels(one, "severity") == ["normal"]
    assert [link["name"] for link in one["links"]] == ["XFR-001", "XFR-002"]
    procedure, verdicts = one["steps"]
    assert [step["name"] for step in procedure["steps"]] == ["Draw power from the house", "Open the mains at an angle"]
    assert procedure["steps"][1]["parameters"] == [{"name": "angle", "value": "315 deg"}]
    assert "XFR-002 t_transfer 19.70 ± 0.50 ms, limit ≤ 20 ms: INCONCLUSIVE" in [s["name"] for s in verdicts["steps"]]
    assert {"name": "case", "value": "100%-315deg"} in one["parameters"]
    (safety,) = [one for one in results(allure) if "SAF-003" in str(one["links"])]
    assert labels(safety, "severity") == ["blocker"]


def test_attachments_are_there_once_and_captures_only_of_what_did_not_pass(allure: Path) -> None:
    used = Counter(a["source"] for one in results(allure) for a in one["attachments"])
    there = {path.name for path in allure.iterdir() if "-attachment." in path.name}
    assert set(used) == there
    assert set(used.values()) == {1}
    for one in results(allure):
        kinds = {a["source"].rpartition(".")[2] for a in one["attachments"]}
        assert kinds <= ({"svg"} if verdict(one) in ("PASS", "NOT RUN") else {"svg", "arrow", "log"})
    assert any(a.endswith(".arrow") for a in there)
    for name in there:
        if name.endswith(".svg"):
            assert Xml.parse(allure / name).getroot().tag == "{http://www.w3.org/2000/svg}svg"


def test_the_bus_of_a_test_that_did_not_pass_is_attached_and_nothing_else_of_it(tmp_path: Path) -> None:
    teller = Teller(tmp_path / "run")
    teller.begin(CATALOGUE[2:4])
    log = teller.captures.can_log()
    for outcome in ("PASS", "INVALID"):
        test = teller.start(f"s/x/t.py::{outcome}", outcome, (), "", "x")
        log.append(teller.t + 0.1, "charger", 0x109, bytes([2, 0, 0, 0, 0, len(outcome), 0, 0]))
        teller.stop(test, outcome, 0.4)  # type: ignore[arg-type]
        teller.t += 1.0
    log.close()
    out = write_allure(teller.end())
    found = {verdict(one): one["attachments"] for one in results(out)}
    assert found["PASS"] == []
    (log_of,) = found["INVALID"]
    assert (out / log_of["source"]).read_text() == "(0000000001.600000) can0 109#0200000000070000\n"


def test_equal_folders_give_equal_files_and_an_old_report_goes(folder: Path, allure: Path, tmp_path: Path) -> None:
    out = tmp_path / "results"
    out.mkdir()
    (out / "0-result.json").write_text("{}")
    (out / "notes.txt").write_text("mine")
    write_allure(folder, out)
    assert (out / "notes.txt").read_text() == "mine"
    (out / "notes.txt").unlink()
    assert {p.name: p.read_bytes() for p in out.iterdir()} == {p.name: p.read_bytes() for p in allure.iterdir()}


def test_a_simulation_is_no_history_of_a_device(folder: Path, allure: Path, tmp_path: Path) -> None:
    real = write_allure(build(tmp_path / "a", "hardware", angles=(0, 315)), tmp_path / "results")
    ours, theirs = ({one["historyId"] for one in results(out)} for out in (allure, real))
    again = write_allure(build(tmp_path / "b", angles=(0, 315)), tmp_path / "again")
    assert not ours & theirs
    assert ours == {one["historyId"] for one in results(again)}


def test_hostile_text_stays_text_in_allure(tmp_path: Path) -> None:
    out = write_allure(hostile(tmp_path / "run"))
    (one,) = results(out)
    assert "descriptionHtml" not in one
    assert one["description"].count("```") == 2
    assert "[U+202E]" in one["name"]
    for line in (out / "environment.properties").read_text().splitlines():
        assert re.match(r"[A-Z][A-Za-z.]*=", line)
    assert {p.suffix for p in out.iterdir()} <= {".json", ".properties"}


# ---- GitHub


def test_github_gets_a_summary_and_annotations_only_where_it_is(folder: Path, tmp_path: Path) -> None:
    assert tell_github(folder, {}) == []
    file = tmp_path / "summary.md"
    lines = tell_github(folder, {"GITHUB_STEP_SUMMARY": str(file)})
    told = file.read_text()
    assert told.startswith("## FAIL: Charger model, 6 kW CHAdeMO V2H")
    assert "EMULATED BENCH" in told
    assert "|Tests|1|1|0|1|1|4|" in told
    assert "::error title=FAIL PWR-001::" in "\n".join(lines)
    assert all(re.match(r"::(error|warning|notice) title=[^:,]*::", line) for line in lines)


def test_hostile_text_gives_github_no_command_and_no_markup(tmp_path: Path) -> None:
    file = tmp_path / "summary.md"
    lines = tell_github(hostile(tmp_path / "run"), {"GITHUB_STEP_SUMMARY": str(file)})
    assert lines
    assert not [line for line in "\n".join(lines).splitlines() if line.startswith("::error::")]
    assert "<script" not in file.read_text()


# ---- all of them


@pytest.mark.parametrize("write", [write_junit, write_allure])
def test_no_journal_is_one_clear_line(tmp_path: Path, write: Any) -> None:
    with pytest.raises(TraceError, match="no journal here"):
        write(tmp_path)


def test_names_of_reports() -> None:
    assert formats("pdf, html,pdf") == ("pdf", "html")
    with pytest.raises(UseError, match="--to word: no such report; there are html, pdf, junit, allure"):
        formats("html,word")


def test_frames_of_one_part_of_a_run_are_never_shown_beside_a_test_of_another(tmp_path: Path) -> None:
    """Bench time begins again with each part: the same second is another moment. The first part lost its log."""
    teller = Teller(tmp_path / "run")
    teller.begin()
    begun = teller.t
    transfer(teller, 0.5, 0, 0.03, name="[first]")
    kept = tuple(one.doc.test for one in scan_journal(teller.folder).lines if isinstance(one.doc, TestStop))
    teller.journal.append(
        Resumed(part=2, head=teller.journal.head, lines=teller.journal.count, kept=kept, torn=0, aside="")
    )
    teller.t = begun
    log = teller.captures.can_log()
    transfer(teller, 0.5, 0, 0.03, name="[second]")
    for k in range(200):
        log.append(begun + 0.1 * k, "car", 0x102, b"\x01")
    log.close()
    folder = teller.end()
    out = write_allure(folder, tmp_path / "allure")
    found = {"[" + one["fullName"].rpartition("[")[2]: one.get("attachments", []) for one in results(out)}
    logs = {name: [one["name"] for one in some if "candump" in one["name"]] for name, some in found.items()}
    assert logs == {"[first]": [], "[second]": ["CAN while the test ran, candump log"]}
    rows = re.split(r'(?=<details class="test row" id="t-\d+")', render_html(folder))[1:]
    assert ["data-can" in one for one in rows] == [False, True]
