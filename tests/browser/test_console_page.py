"""The operator's page in a real browser: a run is begun, the transfer is seen as it happens, and one press of E-STOP in
mid discharge brings the bench to a safe state that the journal confirms."""

from __future__ import annotations

import re
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.chromium import Chromium, Page, chromium, program
from rig.clock import Stopwatch
from rig.evidence.documents import Incident, RunStop, SafeStateReached, TestStop
from rig.evidence.journal import read_journal

TOP = Path(__file__).parents[2]
LIMIT = 120.0
pytestmark = [
    pytest.mark.browser,
    pytest.mark.long,
    pytest.mark.skipif(not program(), reason="no chromium is installed"),
]
CLICK = "document.querySelector('{}').click()"
TEXT = "document.querySelector('{}').textContent"
MIDDLE = "(r => [r.left + r.width / 2, r.top + r.height / 2])(document.querySelector('{}').getBoundingClientRect())"


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with chromium() as one:
        yield one


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """With the token, of a console of its own."""
    command = [sys.executable, "-m", "rig.cli", "console", "emulated", "europe-230v", "--port", "0"]
    command += ["--live", str(tmp_path / "live"), "--evidence", str(tmp_path / "evidence")]
    with subprocess.Popen(command, cwd=TOP, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as ran:
        assert ran.stdout is not None
        said = ""
        while "#token=" not in said:
            assert select.select([ran.stdout], [], [], LIMIT)[0], said
            line = ran.stdout.readline().decode()
            assert line, said
            said += line
        yield re.findall(r"http\S+#token=\S+", said)[0]
        ran.send_signal(signal.SIGINT)
        rest, _ = ran.communicate(timeout=LIMIT)
        assert ran.returncode == 0, rest
        assert b"Traceback" not in rest


def until(page: Page, script: str, holds: Callable[[Any], object] = bool) -> Any:
    """The value of an expression once it is as wanted."""
    watch = Stopwatch()
    while not holds(found := page.does(script)):
        assert watch.seconds() < LIMIT, f"{script} is still {found!r}; {page.does('document.body.innerText')}"
        page.does("new Promise(done => setTimeout(done, 50))")  # a page behind another one is not painted
    return found


def test_a_run_is_begun_seen_live_and_stopped_in_mid_discharge(browser: Chromium, address: str, tmp_path: Path) -> None:
    page = browser.page(1440, 1200)
    page.go(address)
    until(page, TEXT.format("#access"), lambda text: text == "may act")
    assert "token" not in page.does("location.href")
    until(page, "document.querySelectorAll('#benches button').length", lambda count: count == 2)
    assert page.does("document.querySelector('#estop').disabled") is True
    page.does(CLICK.format("#suites input[value=power_handling]"))
    page.does("document.querySelector('#keyword').value = 'rated_power_for_an_hour'")
    page.does("document.querySelector('#pace').value = '20'")
    page.does(CLICK.format("#start"))

    until(page, TEXT.format("#run-state"), lambda text: text == "running")
    until(page, TEXT.format("#d-transfer-state"), lambda text: text == "open")
    until(page, TEXT.format("#phase"), lambda text: text == "discharging")
    until(page, TEXT.format("#d-evps_p"), lambda text: float(text.split()[1]) > 5.5)
    assert page.does(TEXT.format("#d-contactor-state")) == "closed"
    shown = page.does("Array.from(document.querySelectorAll('#events li')).map(one => one.innerText).join('|')")
    assert "mains: interrupt" in shown
    looks = page.does("Plots.rows().length")
    until(page, "Plots.rows().length", lambda count: count > looks)

    other = browser.page()  # whoever has no token sees the same, and can press nothing
    other.go(address.partition("#")[0].replace("127.0.0.1", "localhost"))
    until(other, TEXT.format("#phase"), lambda text: text == "discharging")
    assert other.does(TEXT.format("#access")) == "read-only"
    assert other.does("document.querySelector('#estop').disabled") is True

    page.ask("Page.bringToFront")
    x, y = page.does(MIDDLE.format("#estop"))
    page.mouse("mousePressed", x, y)
    page.mouse("mouseReleased", x, y)
    until(page, TEXT.format("#emergency-state"), lambda text: "CONFIRMED" in text)
    assert page.does(TEXT.format("#emergency-state")) == "Emergency stop: Safe state CONFIRMED"
    until(page, TEXT.format("#run-state"), lambda text: text == "ended")
    assert page.does(TEXT.format("#d-contactor-state")) == "open"
    until(other, TEXT.format("#emergency-state"), lambda text: "CONFIRMED" in text)
    until(page, "document.querySelector('#report').hidden", lambda hidden: hidden is False)
    picture = tmp_path / "console.png"
    page.picture(picture)
    assert picture.stat().st_size > 50_000

    (folder,) = [one for one in (tmp_path / "evidence").iterdir() if one.is_dir()]
    documents = read_journal(folder).documents
    (pressed,) = [n for n, one in enumerate(documents) if isinstance(one, Incident)]
    assert documents[pressed] == Incident(
        kind="emergency stop", what="emergency stop pressed: at the console", fault="bench"
    )
    rests = [one for one in documents[pressed:] if isinstance(one, SafeStateReached)]
    assert rests
    assert all(one.confirmed for one in rests)
    assert [one.outcome for one in documents if isinstance(one, TestStop)] == ["INVALID"]
    stop = documents[-1]
    assert isinstance(stop, RunStop)
    assert (stop.status, stop.reason) == ("interrupted", "emergency stop pressed: at the console")
    assert page.complaints == []
    assert other.complaints == []

    for width, dark in ((390, True), (390, False), (1280, True)):
        stands_on(browser.page(width=width, height=800, dark=dark), address, width)


def stands_on(page: Page, address: str, width: int) -> None:
    """The stop is on the screen wherever one has scrolled to, and nothing is left sideways."""
    page.go(address)
    until(page, TEXT.format("#access"), lambda text: text == "may act")
    assert page.does("document.documentElement.scrollWidth") <= width
    page.does("scrollTo(0, document.body.scrollHeight)")
    left, top, right, bottom = page.does(
        "(r => [r.left, r.top, r.right, r.bottom])(document.querySelector('#estop').getBoundingClientRect())"
    )
    assert left >= 0
    assert top >= 0
    assert right <= width
    assert bottom <= 800
    assert page.complaints == []
