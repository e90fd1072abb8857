"""The table of commands: each is there, and bringing one in brings in no other's module."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from rig.cli.main import COMMANDS, app

TOP = Path(__file__).parents[2]


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_is_found_and_says_what_its_line_says(name: str) -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    command = group.get_command(typer.Context(group), name)
    assert command is not None
    line = COMMANDS[name][1].rstrip(".")
    helped = " ".join((command.help or "").split())
    assert helped[: len(line) // 2] == line[: len(line) // 2]


def test_help_brings_in_no_command() -> None:
    asked = "import sys; from rig.cli.main import app; app(['--help'], standalone_mode=False)\n"
    asked += "print([one for one in sys.modules if one.startswith(('rig.cli.', 'numpy', 'pytest'))])"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=60)
    assert all(f"  {name} " in done.stdout for name in COMMANDS)
    assert done.stdout.splitlines()[-1] == "['rig.cli.main']"


def test_the_version_stands_in_one_place() -> None:
    """What the command says is what pyproject.toml has, and the changelog knows it."""
    stated = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    said = CliRunner().invoke(app, ["--version"])
    assert (said.exit_code, said.stdout) == (0, f"v2hrig {stated}\n")
    assert f"## {stated} - " in (TOP / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("typed", "found"),
    [("v2hrig cons", "console"), ("v2hrig certify --dep", "--depth"), ("v2hrig bench disc", "discover")],
)
def test_tab_completes_commands_and_their_options(
    typed: str, found: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("_V2HRIG_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", typed)
    monkeypatch.setenv("COMP_CWORD", str(len(typed.split()) - 1))
    with pytest.raises(SystemExit) as ended:
        app(prog_name="v2hrig")
    assert ended.value.code in (0, None)
    assert capsys.readouterr().out.split() == [found]
