"""The HTML report, read back as a browser would: what it says, what it must never say, what it survives."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import time
from pathlib import Path

import pytest
import synthetic_run
from page import Element, parse
from synthetic_run import CATALOGUE, Teller, build, change, many

from reports.html import render_html, write_html
from rig.errors import TraceError
from rig.evidence.documents import (
    Bounds,
    Incident,
    NotRun,
    Panel,
    Picture,
    Required,
    Row,
    RuleFound,
    RunStop,
    SafeStateReached,
    Stimulus,
    Trace,
)

KINDS = ("hardware", "emulated", "mixed")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("run") / "2026-11-25-a", angles=(0, 90, 315))


@pytest.fixture(scope="module")
def text(folder: Path) -> str:
    return render_html(folder)


@pytest.fixture(scope="module")
def page(text: str) -> Element:
    return parse(text)


def shown_verdict(row: Element) -> str:
    return row.all("summary")[0].all(cls="v")[0].text


def told(teller: Teller, **requirements: tuple[Required, ...]) -> Element:
    """The report of what was told so far, ended in order."""
    return parse(render_html(teller.end()))


# ---- what it says


def test_the_head_says_item_profile_bench_verdict_and_identity(page: Element, folder: Path) -> None:
    head = page.all("header")[0].text
    for word in ("Charger model, 6 kW CHAdeMO V2H", "firmware 2.4.1", "leaf-to-home-6kw", "Seed 7", "c41f0e6b92aa"):
        assert word in head
    last = (folder / "journal.jsonl").read_text().splitlines()[-1]
    sha = re.search(r'"sha":"(\w+)"', last)
    assert sha
    assert sha[1][:16] in head
    assert sha[1] in page.id("run").text
    assert page.all(cls="verdict")[0].all("h2")[0].text == "FAIL"


def test_requirements_in_scope_and_tests_are_counted_by_verdict(page: Element) -> None:
    legends = [one.text for one in page.all(cls="tally")[0].all("ul")]
    assert legends == [
        "1 FAIL 1 INVALID 2 INCONCLUSIVE 1 NOT RUN 5 PASS",
        "1 FAIL 1 INVALID 1 INCONCLUSIVE 1 NOT RUN 6 PASS",
    ]


@pytest.mark.parametrize(
    ("requirement", "verdict"),
    [
        ("PWR-001", "FAIL"),
        ("PQ-001", "PASS"),
        ("XFR-001", "PASS"),
        ("XFR-002", "INCONCLUSIVE"),
        ("EFF-001", "INCONCLUSIVE"),
        ("PWR-008", "INVALID"),
        ("QLT-002", "NOT RUN"),
        ("GRD-001", "NOT RUN"),
    ],
)
def test_each_requirement_carries_its_verdict_by_word(page: Element, requirement: str, verdict: str) -> None:
    row = page.id(f"r-{requirement}")
    assert row.attributes["data-verdict"] == verdict
    assert shown_verdict(row) == verdict


def test_a_requirement_row_has_all_its_decision_rests_on(page: Element) -> None:
    row = page.id("r-XFR-002").text
    for word in (
        "<= 20 ms",
        "ITIC curve",
        "Confidence S",
        "Point on wave",
        ">= 8 phase angles",
        "≤ 20 ms",
        "≤ 19.5 ms",
    ):
        assert word in row, word
    assert "guard band 1 U, k = 2, non-binary" in row
    assert "19.70 ± 0.50 ms" in row
    assert "worst of 6" in row
    assert page.id("r-XFR-002").all(cls="g")


def test_every_test_has_procedure_steps_measurement_and_capture(page: Element, folder: Path) -> None:
    (test,) = [one for one in page.all(cls="test") if "[100%-315deg]" in one.text]
    for word in (
        "Open the mains at the point of common coupling",
        "angle = 315 deg",
        "power = 6000 W",
        "19.70 ± 0.50 ms",
    ):
        assert word in test.text, word
    assert len(test.all(cls="meas")[0].all(cls="g")) == 2
    link = test.all(cls="files")[0].all("a")[0].attributes["href"]
    assert (folder / link).is_file()


def test_budgets_stand_in_a_fold_out_with_shares(page: Element) -> None:
    (test,) = [one for one in page.all(cls="test") if "[100%-315deg]" in one.text]
    fold = test.all(cls="why")[0]
    assert "open" not in fold.attributes
    rows = [row.text for row in fold.all("tbody")[0].all("tr")]
    assert rows[0].startswith("meter, gain rectangular 0.0002 1 0.2 ms 64 %")


def test_rules_incidents_safe_state_and_bench_are_listed(page: Element) -> None:
    rules = [row.text for row in page.id("rules").all("tbody")[0].all("tr")]
    assert rules[0].startswith("FAIL broken TIM-03")
    assert "109 02 00 00 00 00 05 00 00" in rules[0]
    assert [row.split()[0] for row in rules[1:]] == ["kept", "kept", "unknown"]
    incidents = page.id("incidents").text
    assert "house: no answer to MEAS:POW? in 2 s" in incidents
    assert "safe state confirmed" in incidents
    assert "EV contactors open" in incidents
    assert "chroma_61845" in page.id("bench").text


def test_the_charger_has_its_card(page: Element, tmp_path: Path) -> None:
    card = page.id("charger").text
    assert "CHAdeMO 1.0 to 1.2, from 7 sessions of this run; 2 more" in card
    assert "offered current 30 A 108.3, first" in card
    assert "stop to end of power transfer 0.10 s 0.21 s 0.43 s 6 R-STOP-ANSWER The charger answers kept" in card
    assert "mean -0.25 A, at most -1.0 A, over 12.5 s" in card
    assert "Rules of the charger broken: TIM-03" in card
    older = parse(render_html(build(tmp_path / "older", angles=(0,), stop=False)))
    assert older.id("charger").text.startswith("Charger identity card None:")


def test_what_was_not_run_is_said_with_its_reason(page: Element) -> None:
    gaps = [one.text for one in page.all(cls="gap")]
    assert "3 requirements the profile's grid code is jeac-9701 GRD-001, GRD-002, GRD-003" in gaps
    assert any("1 test the bench has no second digitizer channel" in gap for gap in gaps)


def test_a_broken_rule_needs_attention_as_a_failed_requirement_does(page: Element) -> None:
    needs = [one.text for one in page.all(cls="attention")[0].all("a")]
    assert "TIM-03: 0x109 came 412 ms after the one before" in needs[0]
    assert [one.split()[0] for one in needs[1:]] == ["PWR-001", "PWR-008", "XFR-002", "EFF-001", "QLT-002"]
    assert "19.70 ± 0.50 ms limit ≤ 20 ms" in needs[3]


def test_a_quantity_without_limit_shows_its_largest_value(tmp_path: Path) -> None:
    row = Row(quantity="t_transfer", limit=Bounds(unit="s"))
    free = Required(id="XFR-004", title="Benchmark", stated="typ 6-8 ms", source="[SIG]", confidence="S",
                    claim="reported, no limit", rows=(row,), selected=True)  # fmt: skip
    teller = Teller(tmp_path / "run")
    teller.begin((free,))
    test = teller.start("t.py::t[a-1]", "Runs.", ("XFR-004",), "", "transfer_timing")
    for value in (0.011, 0.019, 0.012):
        teller.judge_row(teller.measure("t_transfer", value, "s", (1e-3,)), free, row, value, 1e-3, "PASS")
    teller.stop(test, "PASS", 1.0)
    page = told(teller)
    assert "19.0 ± 2.0 ms , largest of 3" in page.id("r-XFR-004").text
    assert "A PASS may say reported, no limit" in page.id("r-XFR-004").text
    assert "Runs [a-1]" in page.id("t-0").text


def test_a_held_value_holds_to_the_end_of_the_record_and_a_gap_stays_empty(tmp_path: Path) -> None:
    teller = Teller(tmp_path / "run")
    teller.begin(())
    test = teller.start("t.py::t", "Record", (), "", "chademo_protocol")
    nan = float("nan")
    read = teller.captures.series("readings", [0, 1, 2, 3, 4, 5, 6, 7, 8], {"i": [1, 1, 1, nan, nan, nan, 1, 1, 1]}, {})
    sent = teller.captures.series("frames", [0, 2], {"asked": [5, 9]}, {})
    lines = (Trace(channel="i"), Trace(channel="asked", role="asked", step=True), Trace(channel="nowhere"))
    teller.journal.append(
        Picture(name="p", title="P", kind="ramp", captures=(read.sha256, sent.sha256),
                panels=(Panel(title="I", unit="A", traces=lines),))
    )  # fmt: skip
    teller.stop(test, "PASS", 8.0)
    page = told(teller)
    measured, asked = page.all(cls="plot")[0].all("svg", "in")[0].all("path")
    assert measured.attributes["d"].count("M") == 2
    assert asked.attributes["data-step"] == "1"
    held = synthetic_run.points(asked.attributes["d"])
    assert [x for x, _ in held] == [0, 1000, 1000, 4000]
    assert "no capture of this picture has nowhere" in page.all(cls="note")[0].text


# ---- what it must never say


@pytest.mark.parametrize("kind", KINDS)
def test_the_kind_of_bench_is_unmistakable(tmp_path: Path, kind: str) -> None:
    page = parse(render_html(build(tmp_path / "run", kind, angles=(0,))))  # type: ignore[arg-type]
    strip = page.all(cls="strip")[0].text
    assert strip.startswith(f"{kind.upper()} BENCH")
    assert ("simulated plant" in strip) == (kind != "hardware")
    passed = page.id("r-XFR-001")
    assert shown_verdict(passed) == "PASS"
    says = next(one.text for one in passed.all("div") if one.text.startswith("A PASS may say"))
    claim = "conforms to NFPA 110 Type 10 [ESM]"
    assert says == f"A PASS may say {claim}" if kind == "hardware" else "no claim; on hardware" in says


def test_an_emulated_run_never_says_certified(text: str) -> None:
    assert "certified" not in text.lower()


def test_a_limit_from_memory_or_of_our_own_is_a_project_limit(tmp_path: Path) -> None:
    page = parse(render_html(build(tmp_path / "run", "hardware", angles=(0,))))
    row = page.id("r-BAT-007").text
    assert "A PASS may say meets project limit" in row
    assert "conforms" not in row


def test_names_in_the_journal_can_never_act(tmp_path: Path) -> None:
    evil = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"' onload='x"
    teller = Teller(tmp_path / "run")
    hostile = Required(
        id="XSS-001", title=evil, stated=evil, source=evil, confidence=evil, claim=evil, selected=True,
        rows=(Row(quantity=evil, limit=CATALOGUE[3].rows[0].limit),), rule=evil,
    )  # fmt: skip
    teller.begin((hostile,), title=evil)
    test = teller.start(evil, evil, ("XSS-001",), evil, evil)
    teller.journal.append(Stimulus(what=evil, values={evil: evil}, units={evil: evil}))
    stored = teller.captures.series(evil, [0.0, 1.0, 2.0], {evil: [1.0, 2.0, 3.0]}, {evil: evil}, note=evil)
    panel = Panel(title=evil, unit=evil, traces=(Trace(channel=evil, label=evil),))
    teller.journal.append(
        Picture(name=evil, title=evil, kind="plot", captures=(stored.sha256,), panels=(panel,), caption=evil)
    )
    teller.judge_row(teller.measure(evil, 0.01, "s", (1e-4,)), hostile, hostile.rows[0], 0.01, 1e-4)
    teller.journal.append(Incident(kind=evil, what=evil, fault="use"))
    teller.journal.append(
        RuleFound(rule=evil, title=evil, state="broken", duty="charger", source=evil, confidence=evil, frame=evil,
                  message=evil, unit=evil, count=1)
    )  # fmt: skip
    teller.stop(test, "FAIL", 1.0, evil)
    page = told(teller)
    assert len(page.all("script")) == 1
    assert not page.all("img")
    assert not [one for one in page for key in one.attributes if key.startswith("on")]
    assert evil in page.all("h1")[0].text
    assert page.all(cls="plot")


def test_it_asks_nothing_of_a_network_and_runs_only_its_own_script(page: Element) -> None:
    policy = next(one.attributes["content"] for one in page.all("meta") if "http-equiv" in one.attributes)
    assert policy.startswith("default-src 'none'")
    for tag in ("script", "style"):
        (asset,) = page.all(tag)
        body = "".join(map(str, asset.children))
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
        assert "url(" not in body
        assert "@import" not in body
    links = [one.attributes.get(key, "#") for one in page for key in ("href", "src")]
    assert not [link for link in links if not link.startswith(("#", "./"))]
    assert not [one for one in page if "style" in one.attributes]


# ---- what it survives


def test_a_torn_journal_is_reported_up_to_its_tear_and_says_so(tmp_path: Path) -> None:
    folder = build(tmp_path / "run", angles=(0, 90), stop=False)
    path = folder / "journal.jsonl"
    raw = path.read_bytes()
    path.write_bytes(raw[: raw.rindex(b'"type":"TestStop"')])
    page = parse(render_html(folder))
    alarms = " ".join(one.text for one in page.all(cls="alarm"))
    assert "The journal ends in a torn line." in alarms
    assert "cut off" in alarms
    assert "Current follows a falling limit" in alarms
    (cut,) = [one for one in page.all(cls="test") if one.attributes["data-verdict"] == "ERROR"]
    assert "the journal ends inside this test" in cut.text
    assert shown_verdict(page.id("r-PWR-001")) == "FAIL"


def test_a_changed_line_is_an_alarm_and_nothing_after_it_is_believed(tmp_path: Path) -> None:
    folder = build(tmp_path / "run", angles=(0, 90, 180))
    lines = (folder / "journal.jsonl").read_bytes().split(b"\n")
    number = next(n for n, line in enumerate(lines) if b'"requirement":"XFR-002"' in line and b'"Judged"' in line)
    change(folder, number, b'"PASS"', b'"FAIL"')
    page = parse(render_html(folder))
    assert page.all(cls="grave")[0].text.startswith(f"The journal does not verify. line {number + 1} of journal.jsonl")
    assert page.all(cls="verdict")[0].all("h2")[0].text == "INVALID"
    assert "chain broken" in page.all(cls="ident")[0].text
    assert shown_verdict(page.id("r-PWR-001")) == "NOT RUN"


def test_a_missing_and_a_changed_capture_are_named_and_the_rest_is_drawn(tmp_path: Path) -> None:
    folder = build(tmp_path / "run", angles=(0, 90))
    gone, changed, *_ = sorted((folder / "captures").iterdir())
    gone.unlink()
    changed.write_bytes(changed.read_bytes()[:-1] + b"?")
    page = parse(render_html(folder))
    assert "2 of the captures cannot be trusted." in page.all(cls="grave")[0].text
    notes = [one.text for one in page.all(cls="note")]
    assert f"captures/{gone.name} cannot be drawn: captures/{gone.name}: is missing" in notes
    assert any(changed.name in note and "SHA-256" in note for note in notes)
    assert len(page.all(cls="plot")) == len(page.all("figure")) - 2


def test_an_empty_journal_and_no_run_json_still_give_a_report(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").write_bytes(b"")
    page = parse(render_html(tmp_path))
    assert page.all(cls="strip")[0].text.startswith("BENCH NOT DESCRIBED")
    assert page.all(cls="verdict")[0].all("h2")[0].text == "NOT RUN"


def test_an_unreadable_run_json_is_an_alarm(tmp_path: Path) -> None:
    folder = build(tmp_path / "run", angles=())
    (folder / "run.json").write_text("{")
    page = parse(render_html(folder))
    assert "run.json cannot be read." in " ".join(one.text for one in page.all(cls="alarm"))
    assert str(tmp_path) not in page.text


def test_no_journal_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="no journal here"):
        write_html(tmp_path)


# ---- the verdict over all


def test_all_kept_is_a_pass_and_needs_no_attention(tmp_path: Path) -> None:
    teller = Teller(tmp_path / "run", "hardware")
    teller.begin(CATALOGUE[2:4])
    synthetic_run.transfer(teller, 0.5, 90, 0.015)
    page = told(teller)
    assert page.all(cls="verdict")[0].all("h2")[0].text == "PASS"
    assert not page.all(cls="attention")


def test_a_test_that_does_not_apply_spoils_no_pass(tmp_path: Path) -> None:
    teller = Teller(tmp_path / "run", "hardware")
    teller.begin(CATALOGUE[2:4])
    synthetic_run.transfer(teller, 0.5, 90, 0.015)
    teller.journal.append(NotRun(subject="test", id="suites/islanding/test_a.py::test_b", reason="another grid code"))
    page = told(teller)
    assert page.all(cls="verdict")[0].all("h2")[0].text == "PASS"


@pytest.mark.parametrize(
    ("what", "verdict"),
    [
        (SafeStateReached(confirmed=False, readings=("battery |I| 3 A",)), "INVALID"),
        (RuleFound(rule="A", title="a", state="broken", duty="vehicle", source="s", confidence="S", count=1), "PASS"),
        (RuleFound(rule="A", title="a", state="broken", duty="charger", source="s", confidence="S", count=1), "FAIL"),
        (RuleFound(rule="A", title="a", state="unknown", duty="charger", source="s", confidence="S"), "PASS"),
    ],
)
def test_a_good_set_of_measurements_is_spoilt_by(
    tmp_path: Path, what: SafeStateReached | RuleFound, verdict: str
) -> None:
    teller = Teller(tmp_path / "run", "hardware")
    teller.begin(CATALOGUE[2:4])
    synthetic_run.transfer(teller, 0.5, 90, 0.015)
    teller.journal.append(what)
    page = told(teller)
    assert page.all(cls="verdict")[0].all("h2")[0].text == verdict
    alarms = " ".join(one.text for one in page.all(cls="grave"))
    assert ("without a confirmed safe state" in alarms) == isinstance(what, SafeStateReached)


def test_a_run_that_was_interrupted_is_no_pass(tmp_path: Path) -> None:
    teller = Teller(tmp_path / "run", "hardware")
    teller.begin(CATALOGUE[2:4])
    synthetic_run.transfer(teller, 0.5, 90, 0.015)
    teller.journal.append(RunStop(status="interrupted", reason="the operator pressed Ctrl-C"))
    page = parse(render_html(teller.end(stop=False)))
    assert page.all(cls="verdict")[0].all("h2")[0].text == "NOT RUN"
    assert "the operator pressed Ctrl-C" in page.all(cls="alarm")[-1].text + page.all(cls="alarm")[0].text


def test_a_quantity_nobody_measured_keeps_its_requirement_from_passing(tmp_path: Path) -> None:
    teller = Teller(tmp_path / "run", "hardware")
    teller.begin((CATALOGUE[1],))
    test = teller.start("t.py::t", "Voltage only", ("PQ-001",), "", "power_handling")
    teller.judge_row(teller.measure("v_leg", 100.0, "V", (0.1,)), CATALOGUE[1], CATALOGUE[1].rows[0], 100.0, 0.1)
    teller.stop(test, "PASS", 1.0)
    row = told(teller).id("r-PQ-001")
    assert shown_verdict(row) == "NOT RUN"
    assert "no verdict on frequency" in row.text


@pytest.mark.parametrize("summed", [False, True])
def test_breaches_told_as_they_happen_and_summed_at_the_end_count_once(tmp_path: Path, summed: bool) -> None:
    def breach(at: float, count: int) -> RuleFound:
        return RuleFound(
            rule="A", title="a", state="broken", duty="charger", source="s", confidence="S", at=at, count=count
        )

    teller = Teller(tmp_path / "run", "hardware")
    teller.begin(())
    for first in (1.0, 10.0):
        test = teller.start(f"t.py::t{first}", "Watch", (), "", "chademo_protocol")
        for at in (first, first + 1):
            teller.journal.append(breach(at, 1))
        teller.stop(test, "FAIL", 1.0)
    if summed:
        teller.journal.append(breach(1.0, 4))
    page = told(teller)
    cells = page.id("rules").all("tbody")[0].all("td")
    assert cells[3].text == "4"
    assert [one.attributes["href"] for one in cells[4].all("a")] == ["#t-0", "#t-1"]
    assert len(page.all(cls="incident")) == 2


def test_runs_of_which_only_the_worst_was_judged_are_all_shown(tmp_path: Path) -> None:
    teller = Teller(tmp_path / "run", "hardware")
    teller.begin((CATALOGUE[3],))
    test = teller.start("t.py::t", "Five runs", ("XFR-002",), "", "transfer_timing")
    for value in (0.011, 0.012, 0.013, 0.014):
        teller.measure("t_transfer", value, "s", (1e-4,))
    teller.judge(teller.measure("t_transfer", 0.015, "s", (1e-4,)), "XFR-002", 0.015, 1e-4)
    teller.stop(test, "PASS", 1.0)
    page = told(teller)
    assert "worst of 5" in page.id("r-XFR-002").text
    (ticks,) = page.id("r-XFR-002").all("summary")[0].all("path", "zt")
    assert ticks.attributes["d"].count("M") == 5


# ---- how it is made


def test_the_same_folder_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    first = write_html(folder).read_bytes()
    assert write_html(folder).read_bytes() == first
    assert str(folder).encode() not in first
    again = build(tmp_path / folder.name, angles=(0, 90, 315))
    assert write_html(again).read_bytes() == first


def test_a_report_elsewhere_still_links_to_its_captures(folder: Path, tmp_path: Path) -> None:
    out = write_html(folder, tmp_path / "out" / "r.html")
    links = [one.attributes["href"] for one in parse(out.read_text()).all("a")]
    files = [link for link in links if link.startswith("./")]
    assert files
    assert all((out.parent / link).is_file() for link in files)


def test_every_link_inside_leads_somewhere_and_ids_are_unique(page: Element) -> None:
    ids = [one.attributes["id"] for one in page if "id" in one.attributes]
    assert len(set(ids)) == len(ids)
    targets = {one.attributes["href"][1:] for one in page if one.attributes.get("href", "").startswith("#")}
    assert not targets - set(ids)


def test_a_picture_reads_back_to_the_samples_it_was_drawn_from(page: Element) -> None:
    (test,) = [one for one in page.all(cls="test") if "[50%-90deg]" in one.text]
    plot = test.all(cls="plot")[0]
    assert [one.text for one in plot.all("text", "el")] == ["mains opened", "voltage back", "limit 20 ms"]
    panel = plot.all("svg", "in")[0]
    low, high = float(panel.attributes["data-low"]), float(panel.attributes["data-high"])
    t0, t1 = float(plot.attributes["data-t0"]), float(plot.attributes["data-t1"])
    assert (t0, t1) == (-40.0, 80.0)
    (path,) = panel.all("path")
    line = [
        (t0 + x / 4000 * (t1 - t0), low + (1000 - y) / 1000 * (high - low))
        for x, y in synthetic_run.points(path.attributes["d"])
    ]
    assert max(v for t, v in line if t < 0) == pytest.approx(141.4, abs=1.5)
    away = [v for t, v in line if 5.0 < t < 12.0]
    assert away
    assert max(map(abs, away)) < 3.0


def test_a_long_record_stays_small(tmp_path: Path) -> None:
    teller = Teller(tmp_path / "run")
    teller.begin(CATALOGUE[2:4])
    before = len(render_html(build(tmp_path / "none", angles=())))
    for k in range(4):
        synthetic_run.transfer(teller, 1.0, 45 * k, 0.015, seconds=12.0, name=f"[{k}]")
    text = render_html(teller.end())
    assert len(text) < before + 4 * 100_000
    assert len(parse(text).all(cls="plot")) == 4


@pytest.mark.long
def test_two_thousand_tests_in_one_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    folder = many(tmp_path / "run", 2000)
    begun = time.perf_counter()
    text = render_html(folder)
    with capsys.disabled():
        print(f"\n2,000 tests: {len(text) / 1e6:.1f} MB in {time.perf_counter() - begun:.1f} s")
    assert len(re.findall(r'class="test row"', text)) == 2000
    assert "not drawn, to keep this file small" in text
