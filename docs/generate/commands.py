"""The command line, from the typer app that is run: every command, argument and option."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from docs.generate.models import kind
from docs.generate.words import code, page, prose, table, text
from rig.cli.main import app

EXITS = (
    ("0", "all required verdicts PASS"),
    ("1", "a FAIL"),
    ("2", "usage, or a wrong file"),
    ("3", "INCONCLUSIVE, INVALID, an error, or required work NOT RUN; the bench was not available"),
    ("4", "the bench could not be brought to a confirmed safe state"),
)


def walk() -> Iterator[tuple[str, Any]]:
    """Every command by its words (`v2hrig bench show`) with its click command, groups included, in their order."""
    root = typer.main.get_command(app)
    yield from _below("v2hrig", root, typer.Context(root, info_name="v2hrig"))


def _below(name: str, command: Any, context: Any) -> Iterator[tuple[str, Any]]:
    yield name, command
    for one in command.list_commands(context) if hasattr(command, "list_commands") else ():
        inner = command.get_command(context, one)
        yield from _below(f"{name} {one}", inner, typer.Context(inner, info_name=one, parent=context))


def commands() -> str:
    """The page."""
    blocks = [
        "`v2hrig COMMAND --help` says the same on the terminal; `v2hrig --install-completion` teaches it to the shell.",
        "## Exit codes",
        table(("code", "means"), EXITS),
        "`v2hrig trace`, `verify`, `qualify` and `farm` use the same codes for their own questions; "
        "[evidence](../evidence.md) has the ones of `verify`.",
    ]
    for name, command in walk():
        if name == "v2hrig":
            continue
        group = hasattr(command, "list_commands")
        blocks.append(f"## {name}" if name.count(" ") == 1 else f"### {name}")
        blocks.append(prose(command.help))
        if group:
            continue
        blocks.append(f"```text\n{_usage(name, command)}\n```")
        blocks.append(_parameters(command))
    return page("Command line", *blocks)


def _usage(name: str, command: Any) -> str:
    words = [name]
    if any(one.param_type_name == "option" for one in command.params):
        words.append("[OPTIONS]")
    for one in command.params:
        if one.param_type_name == "argument":
            shown = _shown(one) + ("..." if one.nargs == -1 else "")
            words.append(shown if one.required else f"[{shown}]")
    return " ".join(words)


def _parameters(command: Any) -> str:
    rows = []
    for one in command.params:
        if one.name == "help":
            continue
        annotation = one.type_descriptor.annotation
        flag = annotation is bool
        names = [_shown(one)] if one.param_type_name == "argument" else [*one.opts, *one.secondary_opts]
        repeated = "; may be repeated" if getattr(one, "multiple", False) else ""
        takes = "" if flag else kind(annotation).removeprefix("list of ") + repeated
        rows.append((", ".join(map(code, names)), takes, _default(one, flag), text(one.help or "")))
    return table(("", "takes", "default", ""), rows)


def _shown(argument: Any) -> str:
    return str(argument.metavar or argument.name.upper())


def _default(one: Any, flag: bool) -> str:
    if one.required:
        return "**needed**"
    if one.default in (None, "") or callable(one.default):
        return ""
    if flag:
        return code(one.opts[0]) if one.default else code(one.secondary_opts[0]) if one.secondary_opts else ""
    return code(str(one.default))
