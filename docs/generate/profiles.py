"""Profile files and vehicle files, and those that come with the rig."""

from __future__ import annotations

from dataclasses import MISSING
from dataclasses import fields as fields_of

from docs.generate.models import fields, inner
from docs.generate.words import code, page, prose, table, text
from fixtures.library import HERE
from rig import profile, vehicle_model
from rig.chademo.vehicle_profile import LEAF_ZE0_24KWH, VehicleProfile
from rig.profile import FIGURES, Profile, Ratings, read_profile
from rig.vehicle_model import PACK_UNITS, read_vehicle


def profile_file() -> str:
    """The page of device profiles."""
    known = [read_profile(path) for path in sorted((HERE / "profiles").glob("*.toml"))]
    blocks = [
        prose(profile.__doc__),
        table(
            ("profile", "device", "power", "grid code", "capabilities"),
            [
                (
                    code(one.name),
                    text(one.title),
                    f"{one.ratings.power:g} W",
                    text(one.grid_code),
                    ", ".join(map(code, one.capabilities)),
                )
                for one in known
            ],
        ),
        "## \\[profile\\]",
        "`name`, `title`, `legs`, `grid_code` and `capabilities` stand in `[profile]`, the others in tables of "
        "their own.",
        fields(Profile),
    ]
    for one in inner(Profile):
        blocks += [f"## {one.__name__}", fields(one)]
    declared = [
        (code(f"[declared.{name}]"), unit) for name, unit in FIGURES.items() if name not in Ratings.model_fields
    ]
    blocks += ["## Declared values", "Each has `value` and `source`.", table(("table", "unit"), declared)]
    return page("Device profile", *blocks)


def vehicle_file() -> str:
    """The page of vehicle files."""
    known = [read_vehicle(path) for path in sorted((HERE / "vehicles").glob("*.toml"))]
    figures = []
    for one in fields_of(VehicleProfile):
        if one.name in ("name", "frames"):
            continue
        leaf = getattr(LEAF_ZE0_24KWH, one.name)
        needed = "**needed**" if one.default is MISSING else f"{one.default.value:g}"
        figures.append((code(one.name), text(leaf.unit), f"{leaf.value:g}", needed))
    blocks = [
        prose(vehicle_model.__doc__),
        table(
            ("vehicle", "car", "capacity"),
            [(code(v.name), text(v.profile.name), f"{v.pack.capacity / 3600:g} Ah") for v in known],
        ),
        "## \\[figures\\]",
        table(("figure", "unit", "a 24 kWh LEAF has", "default"), figures),
        "## \\[pack\\]",
        table(("figure", "unit"), [(code(name), unit) for name, unit in PACK_UNITS.items()]),
    ]
    return page("Vehicle file", *blocks)
