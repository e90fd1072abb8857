"""The documentation keeps up with the house: links and anchors lead somewhere, every page is in the navigation, and
every command, option, target and file it names is there. `make docs` holds the built pages to the same."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

from docs.follow import blocks, missing, steps
from docs.generate.__main__ import PAGES
from docs.generate.commands import EXITS
from rig.cli import main

TOP = Path(__file__).parents[2]
DOCS = TOP / "docs"
OUTSIDE = [TOP / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "tests/README.md")]
WRITTEN = sorted(path for path in DOCS.rglob("*.md") if path.parent.name != "reference" and "build" not in path.parts)
GENERATED = {DOCS / "reference" / f"{name}.md" for name in PAGES}
ROOMS = ("rig", "instruments", "suites", "fixtures", "reports", "tests", "benchmarks", "docs", "console")
MADE = re.compile(r"suites/(kettle|NAME|mine)|fixtures/requirements/lab\.toml|\.venv/")
"""What a reader makes, or fills in, while following a page."""

_FENCE = re.compile(r"^(```+|:::+)(.*?)\n(.*?)^\1$", re.M | re.S)
_LINK = re.compile(r"(?<!\!)\[[^\]\[]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
_COMMAND = re.compile(r"(?:^|[\s`$(/])(v2hrig(?: [^\n`]*)?)")


def prose(path: Path) -> str:
    """A page without its blocks of code."""
    return _FENCE.sub("", path.read_text(encoding="utf-8"))


def anchors(path: Path) -> set[str]:
    """Names of a page's headings, as readers of Markdown make them."""
    found = re.findall(r"^#{1,6} (.+)$", prose(path), re.M)
    plain = [re.sub(r"\[([^\]]*)\]\([^)]*\)|[`*]", r"\1", one).lower() for one in found]
    return {re.sub(r"[^\w\- ]", "", one).strip().replace(" ", "-") for one in plain}


def wrong_links(path: Path) -> Iterator[str]:
    """Links of a page that lead nowhere."""
    for link, image in _LINK.findall(prose(path)):
        address, _, anchor = (link or image).partition("#")
        if re.match(r"[a-z]+:", address):
            continue
        target = (path.parent / address).resolve() if address else path
        if target in GENERATED:
            continue
        if not target.exists():
            yield f"{address}: no such file"
        elif anchor and anchor not in anchors(target):
            yield f"{address}#{anchor}: no such heading"


@pytest.mark.parametrize("path", [*OUTSIDE, *WRITTEN], ids=lambda p: str(p.relative_to(TOP)))
def test_links_and_anchors_lead_somewhere(path: Path) -> None:
    assert not list(wrong_links(path))


def test_every_page_is_in_the_navigation_once() -> None:
    named: list[Path] = []
    for index in (DOCS / "index.md", DOCS / "decisions" / "index.md"):
        for _, head, body in _FENCE.findall(index.read_text(encoding="utf-8")):
            if head == "{toctree}":
                lines = [line for line in body.splitlines() if line and not line.startswith(":")]
                named += [(index.parent / f"{line}.md").resolve() for line in lines]
    wanted = {*WRITTEN, *GENERATED} - {DOCS / "index.md"}
    lost = sorted(str(one.relative_to(DOCS)) for one in wanted - set(named))
    assert not lost, f"add to a toctree of docs/index.md: {', '.join(lost)}"
    assert not set(named) - wanted, "docs/index.md names a page that is not there"
    assert len(named) == len(set(named))


def commands_of(text: str) -> Iterator[str]:
    """Every use of v2hrig in a page; what a block says beside a command stands behind two blanks."""
    for line in text.replace("\\\n", " ").splitlines():
        for found in _COMMAND.findall(line):
            yield re.split(r" {2,}|[`;|>]| #", found.strip())[0].strip()


@cache
def command(*words: str) -> Any:
    """A command by its words; None where it is none."""
    found: Any = typer.main.get_command(main.app)
    for word in words:
        found = found.get_command(typer.Context(found), word) if hasattr(found, "get_command") else None
        if found is None:
            return None
    return found


def wrong_use(line: str) -> str | None:
    """What of a line the command line does not know."""
    try:
        words = shlex.split(line)[1:]
    except ValueError:
        words = line.split()[1:]
    path: list[str] = []
    for word in words:
        if command(*path) is None or not hasattr(command(*path), "get_command"):
            break
        if not re.fullmatch(r"[a-z][a-z-]*", word):
            break
        path.append(word)
    one = command(*path)
    if one is None:
        return f"{line}: no command {' '.join(path)!r}"
    known = {name for param in one.params for name in (*param.opts, *param.secondary_opts)} | {"--help"}
    if not path:
        known |= {"--install-completion", "--show-completion"}
    for word in words[len(path) :]:
        option = word.partition("=")[0].rstrip(",.:)")
        if re.fullmatch(r"--?[a-zA-Z][\w-]*", option) and option not in known:
            return f"{line}: v2hrig {' '.join(path)} has no option {option}"
    return None


SENTENCE = re.compile(r"v2hrig(?:$|[.,:)\]'\"]| (?:is|may|knows|needs|has|and|pre-|0\.|test|vehicle|\[)|, |_)")


def test_every_command_that_is_shown_is_there() -> None:
    seen, wrong = 0, list[str]()
    for path in (*OUTSIDE, *WRITTEN):
        for line in commands_of(path.read_text(encoding="utf-8")):
            if SENTENCE.match(line) or "..." in line.split()[:2]:
                continue
            seen += 1
            if problem := wrong_use(line):
                wrong.append(f"{path.relative_to(TOP)}: {problem}")
    assert not wrong, "\n".join(wrong)
    assert seen > 80


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("v2hrig certify --benches x", "has no option --benches"),
        ("v2hrig certifi", "no command 'certifi'"),
        ("v2hrig bench shown", "no command 'bench shown'"),
        ("v2hrig history trend XFR-002 --drift", "has no option --drift"),
    ],
)
def test_a_command_that_is_not_there_is_seen(line: str, problem: str) -> None:
    found = wrong_use(line)
    assert found is not None
    assert problem in found


def test_every_target_of_make_that_is_named_is_there() -> None:
    targets = set(re.findall(r"^([a-z]+):", (TOP / "Makefile").read_text(), re.M))
    for path in (*OUTSIDE, *WRITTEN):
        text = path.read_text(encoding="utf-8")
        named = re.findall(r"`make ([a-z]+)", text) + re.findall(r"^(?:\$ )?make ([a-z]+)", text, re.M)
        assert not set(named) - targets, f"{path.relative_to(TOP)}: make {sorted(set(named) - targets)}"


def test_every_file_that_is_named_is_there() -> None:
    wrong = []
    for path in (*OUTSIDE, *WRITTEN):
        for name in re.findall(r"`((?:" + "|".join(ROOMS) + r")/[^`\s]*)`", prose(path)):
            if MADE.search(name):
                continue
            asked = re.sub(r"<[^>]*>", "*", name.split(":")[0]).rstrip("/")
            asked = re.sub(r"\{([^}]*)\}", lambda m: "*", asked)
            if not (TOP / asked).exists() and not any(TOP.glob(asked)):
                wrong.append(f"{path.relative_to(TOP)}: {name}")
    assert not wrong, "\n".join(wrong)


def test_a_tutorial_can_be_followed() -> None:
    """Each begins with a clone, and every block of it is read as commands and what they print, or as a file."""
    tutorials = sorted((DOCS / "tutorials").glob("*.md"))
    assert len(tutorials) >= 3
    for path in tutorials:
        text = path.read_text(encoding="utf-8")
        found = list(blocks(text))
        assert found[0].body.startswith("$ git clone ADDRESS v2hrig\n"), path
        assert text.count("```console") == sum(one.kind == "console" for one in found), path
        assert text.count("<!-- follow:") == sum(bool(one.word) for one in found), path
        for block in found:
            if block.kind == "console":
                assert list(steps(block.body)), f"{path}:{block.line}"
                assert set(block.codes) <= {int(code) for code, _ in EXITS} | {137}


def test_a_shown_line_that_is_not_printed_is_missed() -> None:
    printed = "one 1.25 s\ntwo\n  three   words\n"
    assert missing(["one ... s", "three words"], printed) is None
    assert missing(["two", "one ... s"], printed) == "one ... s"
    assert missing(["four"], printed) == "four"
    assert missing(["..."], "") is None


def test_every_folder_says_what_lives_there() -> None:
    """In its package's docstring, or in a README; a folder of plain data is told by the one above."""
    silent = []
    for room in ("rig", "instruments", "suites", "fixtures", "reports", "benchmarks", "docs/generate"):
        for folder in {path.parent for path in (TOP / room).rglob("*.py")}:
            init = folder / "__init__.py"
            told = init.exists() and ast.get_docstring(ast.parse(init.read_text(encoding="utf-8")))
            if not told and not (folder / "README.md").exists():
                silent.append(str(folder.relative_to(TOP)))
    assert not silent, f"say in __init__.py what lives there and what never does: {', '.join(sorted(silent))}"
