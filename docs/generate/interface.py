"""What a procedure speaks to, from the code: fixtures, roles, the bench, and the metrology. Read, never run."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from docs.generate.words import page, prose

FIXTURES = (
    "fixtures.bench", "fixtures.check", "fixtures.capture", "fixtures.contact", "fixtures.events",
    "fixtures.grid_code", "fixtures.profile", "fixtures.plugin",
)  # fmt: skip
BENCH = ("rig.bench", "rig.car", "rig.run", "rig.roles", "rig.clock", "rig.own_charger")
METROLOGY = tuple(
    f"rig.metrology.{path.stem}"
    for path in sorted((Path(__file__).parents[2] / "rig" / "metrology").glob("*.py"))
    if not path.stem.startswith("_")
)


def fixtures_page() -> str:
    """Fixtures and marks of the pytest plugin."""
    return page(
        "Fixtures",
        "What a procedure of `suites/` may ask for by name. [Write a suite](../howto/write-a-suite.md) uses them.",
        *_modules(FIXTURES, only_fixtures=True),
    )


def bench_page() -> str:
    """Bench, car, roles."""
    return page("Bench, car and roles", "What the fixtures hand out.", *_modules(BENCH))


def metrology_page() -> str:
    """Functions that make a measurement."""
    words = "Each returns a `Measurement` (value, unit, budget) or what one is made of; none knows a bench or a limit."
    return page("Metrology", words, *_modules(METROLOGY))


def _modules(names: tuple[str, ...], only_fixtures: bool = False) -> Iterator[str]:
    for name in names:
        module = importlib.import_module(name)
        yield f"## {name}"
        yield prose(module.__doc__)
        for one in _tree(module).body:
            if isinstance(one, ast.ClassDef) and not one.name.startswith("_"):
                yield from _class(one)
            elif isinstance(one, ast.FunctionDef) and not one.name.startswith("_"):
                fixture = _is_fixture(one)
                if fixture or not only_fixtures:
                    yield from _function(one, fixture)


def _tree(module: ModuleType) -> ast.Module:
    return ast.parse(inspect.getsource(module))


def _is_fixture(one: ast.FunctionDef) -> bool:
    return any("fixture" in ast.unparse(mark) for mark in one.decorator_list)


def _class(one: ast.ClassDef) -> Iterator[str]:
    bases = ", ".join(ast.unparse(base) for base in one.bases)
    yield f"### {one.name}"
    if bases:
        yield f"```python\nclass {one.name}({bases})\n```"
    yield prose(ast.get_docstring(one, clean=True))
    fields = [
        ast.unparse(item)
        for item in one.body
        if isinstance(item, ast.AnnAssign) and not ast.unparse(item.target).startswith("_")
    ]
    if fields:
        yield "```python\n" + "\n".join(fields) + "\n```"
    for item in one.body:
        if isinstance(item, ast.FunctionDef) and not item.name.startswith("_"):
            yield from _function(item)


def _function(one: ast.FunctionDef, fixture: bool = False) -> Iterator[str]:
    marks = [
        f"@{ast.unparse(mark)}" for mark in one.decorator_list if ast.unparse(mark) in ("property", "contextmanager")
    ]
    returns = f" -> {ast.unparse(one.returns)}" if one.returns else ""
    if fixture:
        yield f"### {one.name}"
        yield f"```python\n{one.name}{returns.replace(' ->', ':', 1)}\n```"
    else:
        head = f"def {one.name}({ast.unparse(one.args)}){returns}"
        yield "```python\n" + "\n".join([*marks, head]) + "\n```"
    yield prose(ast.get_docstring(one, clean=True))
