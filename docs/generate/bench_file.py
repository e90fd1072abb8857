"""Bench files: the tables of the bench as a whole, what every part may have, and the keys of every driver."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel

from docs.generate.models import fields, inner
from docs.generate.words import code, page, prose, table, text
from instruments.registry import REGISTRY
from rig import quantity
from rig.bench_config import (
    PARTS,
    ROLE_OF_PART,
    BenchTable,
    CanTable,
    CarTable,
    FaultTable,
    PaperTable,
    RoomTable,
)
from rig.can.interfaces import NAMES, interface
from rig.drivers import Driver
from rig.metrology.calibration import Correction
from rig.safety.settings import SafetyTable

WHOLE: Mapping[str, type[BaseModel]] = {
    "bench": BenchTable,
    "can": CanTable,
    "car": CarTable,
    "room": RoomTable,
    "safety": SafetyTable,
}
NEEDED = ("bench", "charger", "vehicle", "battery")


def bench_file() -> str:
    """The page."""
    blocks = [
        "How such a file is written and checked is told in [bench files](../bench-files.md); "
        "`v2hrig bench new FILE` writes one by asking, and `v2hrig bench schema` prints a JSON schema for editors. "
        "Keys not listed here are refused. A bare number is SI.",
        prose(quantity.__doc__),
        table(
            ("table", "needed", "driver serves as"),
            [(code(f"[{one}]"), "yes" if one in NEEDED else "", "the bench as a whole") for one in WHOLE]
            + [(code(f"[{one}]"), "yes" if one in NEEDED else "", text(ROLE_OF_PART[one])) for one in PARTS],
        ),
        "## The bench as a whole",
    ]
    for name, model in WHOLE.items():
        blocks += [f"### [{name}]".replace("[", "\\["), fields(model)]
    blocks += ["### Keys of a CAN interface", _interfaces()]
    blocks += [
        "## What every part may have",
        table(
            ("key", "type", "", ""),
            [
                ("`driver`", "name of a driver below", "", "**needed**"),
                ("`resource`", 'VISA or serial resource, or `"emulated"`', "", "**needed**"),
                ("`faults`", "list of table FaultTable", "", "-"),
            ],
        ),
        "### Papers",
        fields(PaperTable),
        "### Correction",
        fields(Correction),
        "### Faults of an emulated part",
        fields(FaultTable),
        "## Drivers",
    ]
    for name, driver in sorted(REGISTRY.items()):
        blocks += [f"### {name}", *_driver(driver)]
    return page("Bench file", *blocks)


def _driver(driver: Driver) -> list[str]:
    serves = [part for part, role in ROLE_OF_PART.items() if role == driver.role]
    said = f"For {', '.join(code(f'[{one}]') for one in serves)}. "
    said += "Has met its instrument." if driver.met_hardware else "**Has never met its instrument.**"
    if driver.accuracy:
        said += f" Accuracy: {code(driver.accuracy)}."
    return [said, fields(driver.options), *(f"`{one.__name__}`\n\n{fields(one)}" for one in inner(driver.options))]


def _interfaces() -> str:
    rows = []
    for name in sorted(NAMES):
        does = interface(name)
        if does.keys is not None and does.keys.model_fields:
            rows.append((code(name), ", ".join(map(code, does.keys.model_fields))))
    return "Any other interface takes the keys python-can gives it.\n\n" + table(("interface", "own keys"), rows)
