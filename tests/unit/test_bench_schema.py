"""The schema editors get: it takes every bench we have, and refuses what the rig refuses for its keys and types.

The judge is jsonschema, which knows nothing of the rig."""

from __future__ import annotations

import json
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from fixtures.library import find_bench
from instruments.registry import REGISTRY
from rig.bench_config import PARTS
from rig.cli.main import app
from rig.errors import BenchConfigError
from rig.open_bench import read_bench_file

BENCHES = sorted(find_bench("emulated").parent.glob("*.toml"))
EMULATED = find_bench("emulated").read_text()


def printed() -> Any:
    done = CliRunner().invoke(app, ["bench", "schema"])
    assert done.exit_code == 0
    return json.loads(done.output)


SCHEMA = printed()


def plain(value: Any) -> Any:
    """As JSON has it: a date of TOML is its text."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value


def refused(text: str) -> list[list[Any]]:
    found = Draft202012Validator(SCHEMA).iter_errors(plain(tomllib.loads(text)))
    return [list(error.absolute_path) for error in found]


def test_it_is_a_schema_and_knows_every_part_and_driver() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert set(PARTS) <= SCHEMA["properties"].keys()
    assert all(f'"const": "{name}"' in json.dumps(SCHEMA) for name in REGISTRY)


@pytest.mark.parametrize("path", BENCHES, ids=lambda path: path.stem)
def test_every_bench_we_have_is_taken(path: Path) -> None:
    assert refused(path.read_text()) == []


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ('name = "emulated"', "name = 3", ["bench", "name"]),
        ('clock = "virtual"', 'clock = "sundial"', ["bench", "clock"]),
        ("[grid]\n", "[grid]\nrange = 3\n", ["grid"]),
        ('driver = "chroma_61845"', 'driver = "chroma_63804"', ["grid"]),
        ("leg = 1\n", 'leg = "left"\n', ["house_l2"]),
        ("[grid]\n", 'faults = [{ fault = "sleepy" }]\n[grid]\n', ["battery"]),
        ("[grid]\n", "[gird]\n", []),
        ("[charger]\n", "[charge]\n", []),
        ("[grid]\n", "[grid]\ncertificate = 12\n", ["grid"]),
    ],
)
def test_what_the_rig_refuses_for_a_key_or_a_type_the_editor_shows(
    tmp_path: Path, old: str, new: str, where: list[str]
) -> None:
    text = EMULATED.replace(old, new, 1)
    assert text != EMULATED
    path = tmp_path / "bench.toml"
    path.write_text(text)
    with pytest.raises(BenchConfigError):
        read_bench_file(path, REGISTRY)
    assert where in refused(text)
