"""The HTML report in a real browser: nothing complains, filters and keys do what they say, and it reads in the dark,
on a narrow screen and on paper."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "integration"))
from synthetic_run import Teller, build, transfer

from benchmarks.chromium import Chromium, Page, chromium, program
from reports.html import write_html
from rig.evidence.documents import Picture
from rig.evidence.journal import scan_journal

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not program(), reason="no chromium on this machine (Debian: apt-get install chromium)"),
]
ROWS = "Array.from(document.querySelectorAll('.row.test:not([hidden])'))"
SHOWN = f"{ROWS}.map(r => r.dataset.verdict)"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_html(build(tmp_path_factory.mktemp("run") / "a", angles=(0, 90, 315)))


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with chromium() as found:
        yield found


@pytest.fixture
def page(browser: Chromium, report: Path) -> Iterator[Page]:
    page = browser.page()
    page.open(report)
    yield page
    assert page.complaints == []


def active(page: Page) -> str:
    return str(page.does("document.activeElement.id || document.activeElement.className"))


def test_a_verdict_pressed_shows_its_rows_and_pressed_again_all(page: Page) -> None:
    all_rows = page.does(SHOWN)
    assert {"PASS", "FAIL"} <= set(all_rows)
    page.does("document.querySelector('.chip[data-verdict=FAIL]').click()")
    assert page.does(SHOWN) == ["FAIL"] * all_rows.count("FAIL")
    assert f"{all_rows.count('FAIL')} tests shown" in page.does("document.querySelector('#shown').textContent")
    page.does("document.querySelector('.chip[data-verdict=FAIL]').click()")
    assert page.does(SHOWN) == all_rows


def test_the_suite_filter_leaves_only_its_rows(page: Page) -> None:
    page.does("{const s = document.querySelector('#suite'); s.value = 'transfer_timing';"
              "s.dispatchEvent(new Event('change'))}")  # fmt: skip
    suites = page.does(f"{ROWS}.map(r => r.dataset.suites)")
    assert set(suites) == {"transfer_timing"}


def test_find_by_keyboard_alone(page: Page) -> None:
    page.key("/")
    assert active(page) == "find"
    page.type("315")
    names = page.does(
        "Array.from(document.querySelectorAll('.row.test:not([hidden]) > summary')).map(s => s.innerText)"
    )
    assert names
    assert all("315" in one for one in names)
    page.key("Escape")
    assert page.does("document.querySelector('#find').value") == ""
    assert len(page.does(SHOWN)) > len(names)


def test_tab_reaches_skip_link_chips_and_a_test_which_enter_opens(page: Page) -> None:
    page.key("Tab")
    assert active(page) == "skip"
    seen = set[str]()
    for _ in range(200):
        page.key("Tab")
        kind = page.does("document.activeElement.closest('.row.test') ? 'test' : document.activeElement.className")
        seen.add(kind.split(" ")[0])
        if kind == "test":
            break
    assert {"chip", "test"} <= seen
    was = page.does("document.activeElement.closest('.row.test').open")
    page.key("Enter")
    assert page.does("document.activeElement.closest('.row.test').open") is not was


def test_a_link_into_a_closed_test_opens_it(browser: Chromium, report: Path) -> None:
    page = browser.page()
    page.open(report, "t-0")
    assert page.does("document.querySelector('#t-0').open") is True
    assert page.complaints == []


def test_the_cursor_of_a_picture_reads_values_by_key(page: Page) -> None:
    page.does("for (const d of document.querySelectorAll('details')) d.open = true")
    page.does("document.querySelector('.plot').focus()")
    page.key("ArrowRight")
    first = page.does("document.querySelector('.read').innerText")
    assert re.search(r"-?\d", first)
    page.key("End")
    assert page.does("document.querySelector('.read').innerText") != first


def test_a_comparison_leads_to_the_requirement_that_changed(browser: Chromium, tmp_path: Path) -> None:
    now = build(tmp_path / "now", angles=(0, 315))
    former = build(tmp_path / "former", angles=(0, 90))
    page = browser.page()
    page.open(write_html(now, tmp_path / "a.html", former), "compared")
    words = page.does("document.querySelector('#compared').innerText")
    assert "Compared with former" in words
    assert "315deg" in words
    link = page.does("document.querySelector('#compared a.id').getAttribute('href')")
    page.does("document.querySelector('#compared a.id').click()")
    assert page.does(f"document.querySelector('{link}').getBoundingClientRect().top < innerHeight")
    assert page.complaints == []


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [390, 1280])
def test_no_screen_is_left_sideways(browser: Chromium, report: Path, width: int, dark: bool) -> None:
    page = browser.page(width=width, dark=dark)
    page.open(report)
    assert page.does("document.documentElement.scrollWidth") <= width
    light, ground = page.does(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )

    def brightness(text: str) -> int:
        return sum(map(int, re.findall(r"\d+", text)[:3]))

    assert (brightness(light) > brightness(ground)) is dark


def test_paper_shows_the_verdict_and_no_buttons(page: Page) -> None:
    page.emulate(paper=True)
    assert page.does("getComputedStyle(document.querySelector('.bar')).display") == "none"
    assert page.does("document.querySelector('.verdict').getClientRects().length") == 1
    assert page.pdf().startswith(b"%PDF")


TICKS = "Array.from(document.querySelector('.plot').querySelectorAll('.zk')).map(t => Number(t.textContent))"
VIEW = "document.querySelector('.plot svg.in').getAttribute('viewBox')"


def test_a_picture_is_zoomed_by_keys_and_its_cursor_still_tells_the_time_under_it(page: Page) -> None:
    page.does("for (const d of document.querySelectorAll('details')) d.open = true")
    page.does("document.querySelector('.plot').focus()")
    whole = page.does(VIEW)
    t0, t1 = page.does("[document.querySelector('.plot').dataset.t0, document.querySelector('.plot').dataset.t1]")
    page.key("End")
    page.key("+")
    page.key("+")
    assert page.does(VIEW) == "3000 0 1000 1000"
    page.key("Home")
    at = float(re.match(r"-?[\d.]+", page.does("document.querySelector('.read').innerText"))[0])
    assert at == pytest.approx(float(t0) + 0.75 * (float(t1) - float(t0)), abs=0.006)
    ticks = page.does(TICKS)
    assert len(ticks) >= 3
    assert all(at - 1e-9 <= one <= float(t1) + 1e-9 for one in ticks)
    page.key("0")
    assert page.does(VIEW) == whole
    assert page.does(TICKS) == []


def test_a_stretch_is_zoomed_by_dragging_over_it_and_sets_no_mark(page: Page) -> None:
    page.does("for (const d of document.querySelectorAll('details')) d.open = true")
    page.does("document.querySelector('.plot').scrollIntoView({block: 'center'})")
    find = "(r => [r.left, r.top, r.width, r.height])(document.querySelector('.plot svg.in').getBoundingClientRect())"
    x, y, width, height = page.does(find)
    middle = y + height / 2
    page.mouse("mousePressed", x + width * 0.25, middle)
    page.mouse("mouseMoved", x + width * 0.5, middle)
    page.mouse("mouseReleased", x + width * 0.75, middle)
    begin, _, size, _ = map(float, page.does(VIEW).split())
    assert begin == pytest.approx(1000, abs=60)
    assert size == pytest.approx(2000, abs=100)
    page.mouse("mouseMoved", x + width * 0.5, middle)
    assert "from mark" not in page.does("document.querySelector('.read').innerText")


def test_the_cursor_reads_the_bytes_of_the_bus_below_the_waveform(browser: Chromium, tmp_path: Path) -> None:
    """0x102 says 02, is silent in the middle of the stretch shown, and then says 03; 0x109 says 05 all the time."""
    teller = Teller(tmp_path / "run")
    teller.begin()
    transfer(teller, 0.5, 90, 0.015)
    picture = next(one.doc for one in scan_journal(teller.folder).lines if isinstance(one.doc, Picture))
    log = teller.captures.can_log()
    third = (picture.end - picture.start) / 3
    for k in range(300):
        t = picture.start - third + k * third / 60
        if not 1.0 <= (t - picture.start) / third < 2.0:
            log.append(t, "car", 0x102, b"\x02" if t < picture.start + third else b"\x03")
        log.append(t, "charger", 0x109, b"\x05")
    log.close()
    page = browser.page()
    page.open(write_html(teller.end()), "t-0")
    page.does("document.querySelector('.plot').focus()")
    read = []
    for key, times in (("Home", 1), ("ArrowRight", 10), ("End", 1)):
        for _ in range(times):
            page.key(key, shift=key == "ArrowRight")
        read.append(page.does("document.querySelector('.read').innerText"))
    for text, car in zip(read, ("02", "none", "03"), strict=True):
        assert re.search(rf"0x102 car +{car}$", text, re.M), text
        assert re.search(r"0x109 charger +05$", text, re.M), text
    assert page.complaints == []
