"""Every command of every model names its source, and what the driver sends is what the table prints."""

from __future__ import annotations

import importlib
import pkgutil
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import pytest

import instruments
from rig.scpi.command import Command


def tables() -> list[ModuleType]:
    packages = [p.name for p in pkgutil.iter_modules(instruments.__path__, "instruments.") if p.ispkg]
    return [importlib.import_module(f"{p}.commands") for p in packages if find_spec(f"{p}.commands") is not None]


def commands() -> list[Any]:
    rows = []
    for table in tables():
        for name, value in vars(table).items():
            if isinstance(value, Command):
                rows.append(pytest.param(value, id=f"{table.__name__.split('.')[1]}-{name}"))
    return rows


@pytest.mark.parametrize("command", commands())
def test_every_command_has_a_source_and_a_confidence(command: Command[Any]) -> None:
    assert len(command.source.strip()) > 5
    assert command.confidence in ("S", "M")


@pytest.mark.parametrize("command", commands())
def test_what_the_driver_sends_is_the_short_form_the_grammar_allows(command: Command[Any]) -> None:
    sent = command.spelt(*[command.suffix[0]] * command.numbers)
    assert sent == sent.upper()
    assert command.pattern.match(sent)
    printed = command.header.replace("[", "").replace("]", "").replace("<n>", str(command.suffix[0]))
    assert command.pattern.match(printed.upper())


def test_no_two_commands_of_a_table_answer_to_the_same_line() -> None:
    for table in tables():
        mine = [v for v in vars(table).values() if isinstance(v, Command)]
        for one in mine:
            sent = one.spelt(*[one.suffix[0]] * one.numbers)
            twins = [
                other.header
                for other in mine
                if other is not one and other.pattern.match(sent) and {one.access, other.access} != {"set", "query"}
            ]
            assert not twins, f"{table.__name__}: {one.header} and {twins}"
