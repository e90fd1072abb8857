"""How long the reports of a long run take, beside Allure 3 generating its own from the same results; and how soon the
HTML report stands on the screen.

    python -m benchmarks.reports [--tests 5000] [--allure "npx allure"]

Each test of the run has a capture, a picture and two judged measurements: 5,000 tests are 10,000 measurements. Allure
is the npm package `allure`, and its time that of the whole command.
Ratios are of processor time, which a busy machine does not change much. The page is opened several times in headless
Chromium, and the best counts: what disturbs a load only ever makes it slower.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.chromium import chromium, program
from reports.formats import FORMATS, write_reports
from rig.clock import Stopwatch
from tests.integration.synthetic_run import many

OPENED = 5
"""Loads of the page. Project choice."""
INSTALLED = "npx --no-install allure"
"""Allure 3 where it is on this machine; nothing is fetched."""


def timed(name: str, what: Callable[[], object], beside: float = 0.0) -> float:
    """Do it, print how long it took and return its s of processor, children's too. beside: s, of what it is compared
    with."""
    watch = Stopwatch()
    spent = used(what)
    ratio = f"   {spent / beside:6.2f} of Allure 3" if beside else ""
    print(f"{name:<28}{watch.seconds():8.2f} s wall   {spent:8.2f} s of processor{ratio}", flush=True)
    return spent


def beside_allure(tests: int, allure: str = INSTALLED) -> tuple[float, float | None, str]:
    """s of processor of the HTML report, and of Allure 3 with the results it is made of; None and why, where there is
    no Allure."""
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        run, results = many(top / "run", tests), top / "allure-results"
        ours = used(lambda: write_reports(run, ["html"], top / "report.html"))
        command = shlex.split(allure)
        if not shutil.which(command[0]):
            return ours, None, f"{command[0]} is not here"
        try:
            theirs = used(lambda: write_reports(run, ["allure"], results))
            words = [*command, "generate", str(results), "-o", str(top / "allure-report")]
            theirs += used(lambda: subprocess.run(words, check=True, capture_output=True))
        except subprocess.CalledProcessError:
            return ours, None, "Allure 3 is not here (npm package allure)"
        return ours, theirs, ""


def used(what: Callable[[], object]) -> float:
    """s of processor, children's too."""
    before = sum(os.times()[:4])
    what()
    return sum(os.times()[:4]) - before


def opened(report: Path) -> list[float]:
    """s until the page was loaded and its next frame painted, of each load."""
    with chromium() as browser:
        found = []
        for _ in range(OPENED):
            page = browser.page()
            page.open(report)
            found.append(page.painted() / 1000.0)
        return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reports", description=__doc__)
    parser.add_argument("--tests", type=int, default=5000, help="tests of the long run, two measurements each")
    parser.add_argument("--page", type=int, default=2000, help="tests of the run whose page is opened")
    parser.add_argument("--allure", default="npx allure", help="command of Allure 3; left out where it is not found")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        run = many(top / "run", chosen.tests)
        print(f"{2 * chosen.tests} measurements in {chosen.tests} tests")
        results = top / "allure-results"
        ours = timed("allure results", lambda: write_reports(run, ["allure"], results))
        command, theirs = shlex.split(chosen.allure), 0.0
        if shutil.which(command[0]):
            words = [*command, "generate", str(results), "-o", str(top / "allure-report")]
            theirs = timed("Allure 3, from those", lambda: subprocess.run(words, check=True, capture_output=True))
        for name in FORMATS:
            if name != "allure":
                timed(name, lambda name=name: write_reports(run, [name], top / FORMATS[name]), theirs)  # type: ignore[misc]
        if theirs:
            print(f"{'Allure 3 with its results':<46}{ours + theirs:8.2f} s of processor")
        if program():
            report = write_reports(many(top / "page", chosen.page), ["html"], top / "page.html")[0]
            loads = opened(report)
            size = report.stat().st_size / 1e6
            print(
                f"{chosen.page} tests, {size:.1f} MB of HTML: on the screen after {min(loads):.2f} s, best of {OPENED}"
            )


if __name__ == "__main__":
    main()
