"""What makes and checks the documentation: reference pages hold what the code has; a page that is wrong is found."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from docs.check_site import elsewhere, problems
from docs.follow import Follower, blocks, follow
from docs.generate.__main__ import PAGES
from docs.generate.bench_file import WHOLE, bench_file
from docs.generate.commands import commands, walk
from docs.generate.journal import journal_format
from docs.generate.words import keys_told, prose, text
from instruments.registry import REGISTRY
from rig.bench_config import PARTS
from rig.evidence import documents


def test_every_command_and_option_is_in_the_reference() -> None:
    page = commands()
    for name, command in walk():
        if name != "v2hrig":
            assert f"# {name}\n" in page, name
        for param in command.params:
            for option in (*param.opts, *param.secondary_opts):
                if option.startswith("--") and option != "--help" and name != "v2hrig":
                    assert f"`{option}`" in page, f"{name} {option}"


def test_every_key_of_a_bench_file_is_in_the_reference() -> None:
    page = bench_file()
    models = [*WHOLE.values(), *(driver.options for driver in REGISTRY.values())]
    assert len(models) > 15
    for model in models:
        for key in model.model_fields:
            assert f"| `{key}` |" in page, f"{model.__name__}: {key}"
    for name in (*PARTS, *WHOLE):
        assert f"`[{name}]`" in page
    for name in REGISTRY:
        assert f"### {name}\n" in page


def test_every_document_and_key_of_a_journal_is_in_the_reference() -> None:
    page = journal_format()
    facts = [one for one in documents.Fact.__subclasses__() if one.__module__ == documents.__name__]
    assert len(facts) > 15
    for one in facts:
        section = page.partition(f"### {one.__name__}\n")[2].partition("\n### ")[0]
        for key in one.__struct_fields__:
            assert f"| `{key}` |" in section, f"{one.__name__}.{key}"


def test_every_reference_page_can_be_written_and_has_its_tables_whole() -> None:
    for name, write in PAGES.items():
        page, head = write(), 0
        assert page.startswith("# "), name
        in_code = False
        for line in page.splitlines():
            in_code ^= line.startswith("```")
            if in_code or not line.startswith("|"):
                head = 0
                continue
            cells = line.replace("\\|", "").count("|")
            head = head or cells
            assert cells == head, f"{name}: {line}"


@pytest.mark.parametrize(
    ("docstring", "besides", "told"),
    [
        ("The plate. power: W. low, high: of it.", "The plate.", {"power": "W", "low": "of it", "high": "of it"}),
        ("[car] power: W, all legs; low: V.", "", {"power": "W, all legs", "low": "V"}),
        ("low, high (0..1): of the pack.", "", {"low": "of the pack (0..1)", "high": "of the pack (0..1)"}),
        ("low (0..1), power (W): of it.", "", {"low": "of it (0..1)", "power": "of it (W)"}),
        ("Nothing: here. note: that is no key.", "Nothing: here. note: that is no key.", {}),
    ],
)
def test_a_docstring_tells_its_keys(docstring: str, besides: str, told: dict[str, str]) -> None:
    assert keys_told(docstring, ("power", "low", "high")) == (besides, told)


def test_text_of_the_code_never_turns_into_markup() -> None:
    assert text("a_b *IDN? <x> [y] `co_de` 50 % | z") == r"a\_b \*IDN? \<x\> \[y\] `co_de` 50 % \| z"
    assert text("an odd ` tick") == r"an odd \` tick"
    drawn = prose("One.\n\nTheory\n  simple   w = 0\n  guard    w = r*U\n")
    assert drawn == "One.\n\nTheory\n\n```text\nsimple   w = 0\nguard    w = r*U\n```"


def test_a_site_with_dead_links_or_foreign_assets_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<h1 id="top">A</h1><a href="b.html#here">b</a><a href="b.html#gone">b</a><a href="c.html">c</a><a href="#top">'
        '</a><a href="https://example.org/">x</a><script src="https://cdn.example.org/x.js"></script><img src="p.png">'
    )
    (tmp_path / "b.html").write_text('<p id="here"></p><link rel="stylesheet" href="s.css">')
    (tmp_path / "s.css").write_text("@font-face { src: url(https://fonts.example.org/f.woff2) } a { b: url(data:x) }")
    assert sorted(problems(tmp_path)) == [
        "a.html: b.html#gone: no such anchor",
        "a.html: c.html leads to no file",
        "a.html: fetches https://cdn.example.org/x.js; put it into docs/_static",
        "a.html: p.png leads to no file",
        "s.css: fetches https://fonts.example.org/f.woff2",
    ]
    assert elsewhere(tmp_path) == ["https://example.org/"]
    assert list(problems(tmp_path / "nothing"))


PAGE = """
```console
$ mkdir -p deep/er
$ cd deep/er
$ echo one; echo two
one
two
```

```text note.txt
kept
```

```console
$ cat note.txt
kept
```

<!-- follow: exits 3 -->

```console
$ echo long \\
   way && (exit 3)
long way
```

<!-- follow: not here, it would never end -->

```console
$ sleep 1000
```
"""


def test_a_page_is_followed_literally(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    assert [one.kind for one in blocks(PAGE)] == ["console", "text", "console", "console", "console"]
    (tmp_path / "try").mkdir()
    assert follow(page, tmp_path / "try") == []
    assert (tmp_path / "try" / "deep" / "er" / "note.txt").read_text() == "kept\n"


@pytest.mark.parametrize(
    ("before", "after", "stumble"),
    [
        ("one\ntwo", "two\none", "does not print 'one'"),
        ("exits 3", "exits 1", "exit code 3"),
        ("$ cat note.txt", "$ cat other.txt", "exit code 1"),
    ],
)
def test_a_page_that_is_wrong_stumbles(tmp_path: Path, before: str, after: str, stumble: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        PAGE.replace(f"\n{before}\n" if "\n" in before else before, f"\n{after}\n" if "\n" in after else after)
    )
    (tmp_path / "try").mkdir()
    found = follow(page, tmp_path / "try")
    assert len(found) == 1
    assert stumble in found[0]


def test_what_runs_in_another_terminal_ends_with_the_page(tmp_path: Path) -> None:
    follower = Follower(tmp_path)
    log = Path(follower.beside("bash -c 'trap \"echo ended; exit\" INT; echo ready; while :; do sleep 0.05; done'"))
    for _ in range(200):
        if "ready" in log.read_text():
            break
        subprocess.run(["sleep", "0.05"], check=True)
    follower.end()
    assert log.read_text().split() == ["ready", "ended"]
