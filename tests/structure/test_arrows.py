"""Imports run one way: the arrows of docs/architecture.md, checked on every file."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
ROOMS = ("rig", "instruments", "suites", "fixtures", "reports", "console")

OUTERMOST = "rig.cli"
"""The commands: they put the rooms together, so they may know all of them, and nobody may know them."""

# importer prefix -> what it may never import (module prefixes)
FORBIDDEN = {
    "rig": ("instruments", "suites", "fixtures", "reports", "console", "pytest", OUTERMOST),
    "fixtures": ("suites", "reports", "console", "rig.plant.plant", "rig.plant.world", OUTERMOST),
    "rig.errors": ("rig",),
    "rig.units": ("rig",),
    "rig.scpi": ("socket", "pyvisa", "can", "serial", "pytest", "time", "rig.visa", "rig.plant", "rig.chademo"),
    "rig.chademo": ("socket", "pyvisa", "can", "serial", "pytest", "time", "rig.plant", "rig.visa", "rig.bench"),
    "rig.plant": ("socket", "pyvisa", "can", "serial", "pytest", "time", "rig.visa", "rig.scpi", "rig.bench"),
    "rig.metrology": ("socket", "pyvisa", "can", "serial", "pytest", "time", "rig.visa", "rig.scpi", "rig.plant.plant"),
    "rig.chademo.rules": ("rig.chademo.vehicle", "rig.car"),
    "rig.chademo.vehicle": ("rig.chademo.rules", "rig.chademo.session"),
    "instruments": (
        "suites",
        "fixtures",
        "reports",
        "console",
        "rig.bench",
        "rig.chademo.rules",
        "rig.chademo.vehicle",
        "rig.car",
    ),
    "suites": ("rig.plant.plant", "rig.plant.world", "rig.visa", "rig.scpi", "rig.bench", "instruments"),
    "reports": (
        "instruments",
        "suites",
        "fixtures",
        "rig.plant",
        "rig.chademo",
        "rig.bench",
        "rig.run",
        OUTERMOST,
        "rig.metrology",
        "rig.requirements",
        "console",
    ),
    "console": (
        "instruments",
        "suites",
        "fixtures",
        "reports",
        "pytest",
        "rig.plant",
        "rig.chademo",
        "rig.bench",
        "rig.run",
        "rig.live.view",
        "rig.live.watched",
        OUTERMOST,
    ),
}


def modules() -> Iterator[tuple[str, Path]]:
    for room in ROOMS:
        for path in sorted((TOP / room).rglob("*.py")):
            name = ".".join(path.relative_to(TOP).with_suffix("").parts)
            yield name.removesuffix(".__init__"), path


def imports(path: Path, module: str) -> set[str]:
    """Absolute names of everything a file imports, `from a import b` counted as a and a.b."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import; write the whole name"
            found.add(node.module or "")
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def below(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(prefix + ".")


@pytest.mark.parametrize(("module", "path"), [pytest.param(m, p, id=m) for m, p in modules()])
def test_no_forbidden_arrow(module: str, path: Path) -> None:
    used = imports(path, module)
    for importer, banned in FORBIDDEN.items():
        if below(module, importer) and not (importer == "rig" and below(module, OUTERMOST)):
            wrong = {name for name in used for ban in banned if below(name, ban) and not below(name, module)}
            allowed = {"rig.units"} if importer == "rig.errors" else set()
            assert not wrong - allowed, f"{module} imports {sorted(wrong)}, which {importer} never may"


def test_driver_and_emulator_never_meet() -> None:
    for module, path in modules():
        if module.endswith((".driver", ".control")):
            assert not {n for n in imports(path, module) if n.rpartition(".")[2] == "emulator" or ".emulator." in n}, (
                module
            )
        if module.endswith(".emulator"):
            assert not {n for n in imports(path, module) if n.split(".")[-1] in ("driver", "control")}, module


def test_only_the_registry_joins_drivers_and_emulators() -> None:
    for module, path in modules():
        if below(module, "rig") and not below(module, OUTERMOST):
            assert not {n for n in imports(path, module) if below(n, "instruments")}, module


def test_nobody_asks_the_operating_system_for_the_time() -> None:
    for module, path in modules():
        if module != "rig.clock":
            assert not {n for n in imports(path, module) if n == "time" or n.startswith("time.")}, module
            text = path.read_text()
            assert "datetime.now" not in text, module
            assert "asyncio.sleep" not in text, module
