"""`python -m docs.follow [PAGE ...]`: does what a tutorial says, literally, in a fresh clone, as a new user would.

Every ```console block is done line by line in one shell: `$ ` begins a command, lines below it are what it prints. A
shown line must be printed, in order; `...` stands for anything. A fence with a file's name
(```python suites/mine/test_it.py) is written to that file. A comment above a block says what is different about it:

    <!-- follow: exits 3 -->           its last command ends with that exit code; otherwise 0
    <!-- follow: exits 0 or 3 -->
    <!-- follow: second terminal -->   done beside the others until the page ends, as in another terminal
    <!-- follow: not here, why -->     left out

What is cloned is the last commit. The environment is made anew by the page's own commands.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rig.clock import Stopwatch

TOP = Path(__file__).parents[1]
TUTORIALS = Path("docs/tutorials")
CLONE = re.compile(r"git clone \S+( v2hrig)?$")
"""The clone a page begins with; done from this folder, so that nothing is fetched."""
_BLOCK = re.compile(
    r"(?:^<!-- follow: (?P<word>[^\n]*?) -->\n+)?"
    r"^(?P<fence>```+)(?P<kind>\w+)(?: (?P<file>\S+))?\n(?P<body>.*?)^(?P=fence)$",
    re.M | re.S,
)


@dataclass(frozen=True)
class Block:
    """Something a page asks for. kind: console, or the language of a file; file: where it goes; word: the comment's."""

    line: int
    kind: str
    body: str
    file: str = ""
    word: str = ""

    @property
    def codes(self) -> tuple[int, ...]:
        """Exit codes its last command may have."""
        found = re.match(r"exits (\d+(?: or \d+)*)", self.word)
        return tuple(map(int, found[1].split(" or "))) if found else (0,)


def blocks(text: str) -> Iterator[Block]:
    """What a page asks for, in order."""
    for match in _BLOCK.finditer(text):
        if match["kind"] == "console" or match["file"]:
            line = text[: match.start("kind")].count("\n") + 1
            yield Block(line, match["kind"], match["body"], match["file"] or "", match["word"] or "")


def steps(body: str) -> Iterator[tuple[str, list[str]]]:
    """Commands of a console block, each with the lines it is shown to print."""
    command: str | None = None
    shown: list[str] = []
    for line in body.splitlines():
        if line.startswith("$ "):
            if command is not None:
                yield command, shown
            command, shown = line[2:], []
        elif command is not None and command.endswith("\\"):
            command = f"{command}\n{line}"
        elif command is None:
            raise ValueError(f"{line!r} stands before any command; begin the command with '$ '")
        elif line.strip():
            shown.append(line)
    if command is not None:
        yield command, shown


def missing(shown: list[str], printed: str) -> str | None:
    """The first shown line that was not printed where it should have been; None when all were."""
    squeezed = [" ".join(line.split()) for line in printed.splitlines()]
    at = 0
    for line in shown:
        wanted = " ".join(line.split())
        if wanted == "...":
            continue
        pattern = re.compile(".*".join(map(re.escape, wanted.split("..."))))
        found = next((n for n in range(at, len(squeezed)) if pattern.search(squeezed[n])), None)
        if found is None:
            return line
        at = found + 1
    return None


def _hears_ctrl_c() -> None:
    """A follower that was itself put into the background ignores it, and would hand that on."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Follower:
    """One page in one folder: where the shell is, what it has set, and what runs beside it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._state = folder / ".shell"
        self._beside: list[subprocess.Popen[bytes]] = []
        self._state.write_text(f"cd {shlex.quote(str(folder))}\n")

    def command(self, line: str) -> tuple[int, str]:
        """Exit code and all that was printed."""
        clone = CLONE.match(line.strip())
        said = f"git clone --quiet {shlex.quote(str(TOP))} v2hrig" if clone else line
        keep = "{ pwd | sed \"s/.*/cd '&'/\"; declare -p PATH VIRTUAL_ENV 2>/dev/null; }"
        script = f"source {self._state}\n{said}\n__code=$?; {keep} > {self._state}; exit $__code"
        done = subprocess.run(
            ["bash", "-c", script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace", env=self._environment(), check=False,
        )  # fmt: skip
        return done.returncode, done.stdout

    def beside(self, line: str) -> str:
        """Start what another terminal has; what it printed once it has said something for a while."""
        log = self._folder / f"beside-{len(self._beside)}.log"
        with log.open("wb") as file:
            self._beside.append(
                subprocess.Popen(
                    ["bash", "-c", f"source {self._state}\nexec {line}"],
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=subprocess.STDOUT,
                    env=self._environment(),
                    start_new_session=True,
                    preexec_fn=_hears_ctrl_c,
                )
            )
        return str(log)

    def write(self, name: str, body: str) -> None:
        """A file the page shows, where the shell is."""
        where = subprocess.run(
            ["bash", "-c", f"source {self._state}; pwd"], stdout=subprocess.PIPE, text=True, check=True
        )
        path = Path(where.stdout.strip()) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(body, encoding="utf-8")

    def end(self) -> None:
        """Ctrl-C in every other terminal."""
        for process in self._beside:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
                process.wait(60)

    def _environment(self) -> dict[str, str]:
        outside = {
            key: os.environ[key] for key in os.environ if not key.startswith(("VIRTUAL_ENV", "PYTEST", "PYTHON"))
        }
        path = [one for one in os.environ["PATH"].split(":") if "/.venv/" not in f"{one}/"]
        return {**outside, "PATH": ":".join(path), "COLUMNS": "120", "NO_COLOR": "1"}


def follow(page: Path, folder: Path) -> list[str]:
    """Do a page in a folder; one line a stumble."""
    follower, wrong = Follower(folder), []
    try:
        for block in blocks(page.read_text(encoding="utf-8")):
            where = f"{page.name}:{block.line}"
            if block.word.startswith("not here"):
                continue
            if block.file:
                follower.write(block.file, block.body)
                continue
            wrong += _console(block, follower, where)
            if wrong:
                return wrong
    finally:
        follower.end()
    return wrong


def _console(block: Block, follower: Follower, where: str) -> list[str]:
    done = list(steps(block.body))
    allowed: tuple[int, ...]
    for n, (command, shown) in enumerate(done):
        print(f"{where}: $ {command}", flush=True)
        if block.word == "second terminal":
            printed, watch = "", Stopwatch()
            log = Path(follower.beside(command))
            while missing(shown, printed) is not None and watch.seconds() < 60:
                subprocess.run(["sleep", "0.2"], check=True)
                printed = log.read_text(errors="replace")
            code, allowed = 0, (0,)
        else:
            code, printed = follower.command(command)
            allowed = block.codes if n == len(done) - 1 else (0,)
        if code not in allowed:
            return [f"{where}: {command}: exit code {code}\n{printed[-3000:]}"]
        if (line := missing(shown, printed)) is not None:
            return [f"{where}: {command}: does not print {line!r}\n{printed[-3000:]}"]
    return []


def main(pages: list[Path]) -> int:
    """Follow pages, each in a folder of its own; 1 when one stumbles."""
    wrong = []
    for page in pages or sorted((TOP / TUTORIALS).glob("*.md")):
        watch = Stopwatch()
        with tempfile.TemporaryDirectory(prefix="tutorial-") as folder:
            stumbles = follow(page, Path(folder))
        print(f"{page.name}: {'stumbles' if stumbles else 'no stumble'}, {watch.seconds():.0f} s", flush=True)
        wrong += stumbles
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main([Path(one) for one in sys.argv[1:]]))
