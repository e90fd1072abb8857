"""What no file of the rig may do, however convenient: run what was given to it as data, or listen to the whole world.
Read from the code itself (docs/security.md)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
ROOMS = ("rig", "instruments", "suites", "fixtures", "reports", "console", "benchmarks")
MODULES = {
    "pickle": "runs code", "cPickle": "runs code", "marshal": "runs code", "shelve": "is pickle",
    "dill": "is pickle", "cloudpickle": "is pickle", "joblib": "is pickle", "yaml": "has tags that make objects",
    "code": "runs code", "xmlrpc": "runs what it is told", "telnetlib": "says everything in clear",
    "xml.sax": "expands entities", "lxml": "expands entities",
}  # fmt: skip
CALLS = {"eval", "exec", "compile", "__import__", "execfile"}
ATTRIBUTES = {
    "system": {"os"}, "popen": {"os"}, "mktemp": {"tempfile"}, "read_pickle": {"pd", "pandas"},
    "getoutput": {"subprocess"}, "getstatusoutput": {"subprocess"},
}  # fmt: skip
ANYWHERE = "0.0.0.0"
WORTH_A_LOOK = re.compile(
    rf"(?:import|from) +(?:{'|'.join(map(re.escape, MODULES))})\b|(?<![.\w])(?:{'|'.join(CALLS)})\("
    rf"|\.(?:{'|'.join(ATTRIBUTES)})\(|(?:shell|allow_pickle|autoescape|verify) *=|(?:bind|create_server)\(|0\.0\.0\.0"
)
"""What a file that does any of it must hold; only such a file is parsed."""


def files() -> Iterator[Path]:
    for room in ROOMS:
        yield from sorted((TOP / room).rglob("*.py"))


def found_in(text: str) -> list[str]:
    """What a file does that it must not, with its line."""
    out = list[str]()
    for node in ast.walk(ast.parse(text)):
        line = getattr(node, "lineno", 0)
        match node:
            case ast.Import(names):
                out += [f"{line}: imports {one.name}: {MODULES[one.name]}" for one in names if one.name in MODULES]
            case ast.ImportFrom(module=str(name)) if name in MODULES or name.split(".")[0] in MODULES:
                out.append(f"{line}: imports {name}")
            case ast.Call(func=ast.Name(id=name)) if name in CALLS:
                out.append(f"{line}: calls {name}")
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=name)) if owner in ATTRIBUTES.get(name, ()):
                out.append(f"{line}: calls {owner}.{name}")
            case _:
                pass
        if isinstance(node, ast.Call):
            for keyword in node.keywords:
                true = isinstance(keyword.value, ast.Constant) and keyword.value.value is True
                false = isinstance(keyword.value, ast.Constant) and keyword.value.value is False
                if (keyword.arg in ("shell", "allow_pickle") and not false) or (
                    keyword.arg == "autoescape" and not true
                ):
                    out.append(f"{line}: {keyword.arg}=")
                if keyword.arg == "verify" and false:
                    out.append(f"{line}: verify=False")
            bound = node.args[0] if node.args and _name(node.func) in ("bind", "create_server") else None
            if (
                isinstance(bound, ast.Tuple)
                and isinstance(at := bound.elts[0], ast.Constant)
                and at.value in ("", "::")
            ):
                out.append(f"{line}: bound to every address")
        if isinstance(node, ast.Constant) and node.value == ANYWHERE:
            out.append(f"{line}: {node.value!r}")
    return out


def test_nothing_given_as_data_is_run() -> None:
    every = [(path, path.read_text()) for path in files()]
    assert len(every) > 300
    wrong = [f"{path}: {one}" for path, text in every if WORTH_A_LOOK.search(text) for one in found_in(text)]
    assert not wrong, "\n".join(wrong)


def _name(of: ast.expr) -> str:
    """The last word of what is called."""
    return of.attr if isinstance(of, ast.Attribute) else of.id if isinstance(of, ast.Name) else ""


@pytest.mark.parametrize(
    "bad",
    [
        "import pickle", "from yaml import load", "eval('1')", "exec(text)", "import os\nos.system('ls')",
        "subprocess.run('ls', shell=True)", "np.load(f, allow_pickle=True)", "Environment(autoescape=False)",
        "s.bind(('0.0.0.0', 1))", "s.bind(('', 1))", "socket.create_server(('::', 1))",
        "compile(text, 'f', 'exec')", "subprocess.run(x, shell=wanted)",
    ],
)  # fmt: skip
def test_what_is_banned_is_seen(bad: str) -> None:
    assert found_in(bad)
    assert WORTH_A_LOOK.search(bad)


def test_what_is_usual_is_not_taken_for_it() -> None:
    assert not found_in("import re\nre.compile('a')\nsubprocess.run(['ls'])\nEnvironment(autoescape=True)\nx.eval")


def test_no_template_switches_its_escaping_off() -> None:
    for path in sorted((TOP / "reports").rglob("*.j2")):
        text = path.read_text()
        assert not re.search(r"\|\s*safe\b|autoescape\s+false", text), path


def test_every_server_listens_on_loopback_unless_told_otherwise() -> None:
    """Every parameter `host` that is bound has loopback as its default, or none."""
    seen = 0
    for path in files():
        text = path.read_text()
        if not re.search(r"\b(host|address|bind)\b", text):
            continue
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.FunctionDef):
                continue
            arguments = node.args.args
            for argument, default in zip(reversed(arguments), reversed(node.args.defaults), strict=False):
                if argument.arg in ("host", "address", "bind"):
                    seen += 1
                    words = ast.unparse(default)
                    assert words in ("LOOPBACK", "'127.0.0.1'", "'localhost'"), f"{path}:{node.lineno}: {words}"
    assert seen > 3


def test_a_page_leaves_its_policy_to_nobody() -> None:
    """Every page the reports write has a content security policy: no script of a run's text can run."""
    heads = [path for path in (TOP / "reports" / "templates").glob("*.j2") if "<head>" in path.read_text()]
    assert heads
    for path in heads:
        assert "Content-Security-Policy" in path.read_text(), path
