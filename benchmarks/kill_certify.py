"""`python -m benchmarks.kill_certify`: a run is killed (SIGKILL) at random moments and gone on with, again and again.

After each kill: every verdict that was announced on the terminal is in the journal, and the journal verifies. Whenever
a run comes to its end: its verdicts, of every test and requirement, are those of the run that nobody killed.

A line every SHOWN kills; cut off by Ctrl-C or SIGTERM it prints what it has found by then, and ends with 1.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from reports.gather import gather
from rig.clock import Stopwatch
from rig.errors import TraceError
from rig.evidence.journal import read_journal, scan_journal
from rig.evidence.verify import verify_run

TOP = Path(__file__).parents[1]
SOME = ("--suite", "transfer_timing", "-k", "test_closes_in_step and nominal")
"""Four short procedures: many kills in little time."""
LINE = re.compile(r"^\[ *\d+/\d+\] (PASS|FAIL|INCONCLUSIVE|INVALID|ERROR|NOT RUN) +(\S+)", re.M)
COMPLETE = "this run is complete"
UNBEGUN = "before its journal said which tests"
ENOUGH = 20
"""Things that must not be after which no more is tried (project choice)."""
SHOWN = 25
"""Kills between two lines."""
LIMIT = 600.0
"""s a run that nobody kills may take before it counts as hanging."""


@dataclass
class Killed:
    """What came of it. kills: of running processes; others came to their end first. wrong: what must not be."""

    kills: int = 0
    resumed: int = 0
    ended: int = 0
    announced: int = 0
    torn: int = 0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        words = f"certify killed {self.kills} times: resumed {self.resumed}, ended {self.ended}; "
        words += f"{self.announced} verdicts announced, {self.torn} unfinished lines set aside, wrong {len(self.wrong)}"
        return words

    def killed(self) -> None:
        """One more; a line every SHOWN."""
        self.kills += 1
        if self.kills % SHOWN == 0:
            print(self, flush=True)


@dataclass(frozen=True)
class Ended:
    """Verdicts of a whole run: of the run, its tests, its requirements; its exit code."""

    verdict: str
    tests: dict[str, str]
    requirements: dict[str, str]
    code: int


def kill_again_and_again(
    kills: int, seed: int, folder: Path, arguments: Sequence[str] = SOME, found: Killed | None = None
) -> Killed:
    """Kill so many runs. folder: for their evidence. seed: of the moments. found: to be added to, for whoever wants to
    see it though this is cut off."""
    moments, found = random.Random(seed), found or Killed()
    watch = Stopwatch()
    code, _ = _start(_certify(folder / "whole", arguments), None)
    seconds, whole = watch.seconds(), _verdicts(folder / "whole", code)
    number = 0
    while found.kills < kills and len(found.wrong) < ENOUGH:
        number += 1
        _campaign(folder / f"run-{number}", arguments, moments, seconds, whole, kills, found)
    return found


def _campaign(
    folder: Path, arguments: Sequence[str], moments: random.Random, seconds: float, whole: Ended, kills: int,
    found: Killed,
) -> None:  # fmt: skip
    """One run to its end, killed on the way. What it announced in all its parts is gathered and looked for."""
    announced: dict[str, str] = {}
    command = _certify(folder, arguments)
    while True:
        moment = _moment(moments, seconds, len(whole.tests)) if found.kills < kills else None
        code, out = _start(command, moment)
        announced |= {test: word for word, test in LINE.findall(out)}
        if UNBEGUN in out or (code < 0 and not (folder / "journal.jsonl").exists()):
            if code < 0:
                found.killed()
            shutil.rmtree(folder, ignore_errors=True)  # killed before it had said a word
            command = _certify(folder, arguments)
            continue
        if not folder.exists():
            found.wrong.append(f"{folder}: {' '.join(command)} ended with {code} before it began: {out[-500:]}")
            return
        found.wrong += _look(folder, announced)
        if code >= 0:
            if "unfinished last line" in out:
                found.torn += 1
            # Killed between its last line and its report, a run is complete: there is no exit code to compare.
            if _verdicts(folder, whole.code if COMPLETE in out else code) != whole:
                found.wrong.append(f"{folder}: ended otherwise than a run nobody killed: {out[-500:]}")
            found.ended += 1
            found.announced += len(announced)
            return
        found.killed()
        found.resumed += 1
        command = ["resume", str(folder)]


def _look(folder: Path, announced: dict[str, str]) -> list[str]:
    """What is wrong with a run that was killed a moment ago."""
    problems = [f"{folder}: {one}" for one in verify_run(folder).problems]
    outcomes = {test.start.test: test.outcome for test in gather(scan_journal(folder)).tests if test.ended}
    lost = [test for test, word in announced.items() if outcomes.get(f"suites/{test}") != word]
    return problems + [
        f"{folder}: {test} was announced as {announced[test]} and is not in the journal" for test in lost
    ]


def _verdicts(folder: Path, code: int) -> Ended:
    """Of a run that has ended."""
    try:
        run = gather(read_journal(folder))
    except TraceError as error:
        return Ended(str(error), {}, {}, code)
    tests = {test.start.test: test.outcome for test in run.tests}
    return Ended(run.verdict, tests, {id: one.verdict for id, one in run.requirements.items()}, code)


def _certify(folder: Path, arguments: Sequence[str]) -> list[str]:
    return ["certify", "--out", str(folder), "--seed", "1", *arguments]


@dataclass(frozen=True)
class Moment:
    """When to kill: so many s (delay) after so many verdicts were announced. Counted in verdicts, since by the clock
    alone a run on a busy machine is killed before it has said anything."""

    announced: int
    delay: float


def _moment(moments: random.Random, seconds: float, tests: int) -> Moment:
    """seconds: of a whole run of so many tests. Every second one falls upon a verdict that was just announced."""
    announced = moments.randrange(tests)
    most = seconds if announced == 0 else seconds / tests
    return Moment(announced, moments.choice((0.0, moments.uniform(0.0, most))))


def _start(arguments: Sequence[str], moment: Moment | None) -> tuple[int, str]:
    """Run the command; kill it at that moment, None for never. Its exit code, negative when it was killed, and all it
    showed: unbuffered, as on a terminal."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "rig.cli", *arguments],
        cwd=TOP,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "COLUMNS": "200"},
    )
    shown: list[str] = []
    reached = threading.Event()

    def read() -> None:
        said = 0
        assert process.stdout is not None
        for line in process.stdout:
            shown.append(line)
            said += LINE.match(line) is not None
            if moment is not None and said >= moment.announced:
                reached.set()
        reached.set()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        if moment is None:
            process.wait(LIMIT)
        else:
            if moment.announced:
                reached.wait(LIMIT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(moment.delay)
    finally:
        process.kill()  # nothing, where it has ended
        process.wait()
        reader.join()
        if process.stdout is not None:
            process.stdout.close()
    return process.returncode, "".join(shown)


@contextmanager
def told_when_cut_off() -> Iterator[None]:
    """SIGTERM is Ctrl-C in here, and both only end the block."""

    def cut_off(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, cut_off)
    try:
        with suppress(KeyboardInterrupt):
            yield
    finally:
        signal.signal(signal.SIGTERM, before)


def main() -> None:
    """Kill and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kill_certify", description=__doc__)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    found = Killed()
    with tempfile.TemporaryDirectory() as folder, told_when_cut_off():
        kill_again_and_again(chosen.kills, chosen.seed, Path(folder), found=found)
    cut_off = found.kills < chosen.kills and len(found.wrong) < ENOUGH
    print(f"{'cut off: ' if cut_off else ''}{found}", *found.wrong[:ENOUGH], sep="\n")
    raise SystemExit(cut_off or bool(found.wrong))


if __name__ == "__main__":
    main()
