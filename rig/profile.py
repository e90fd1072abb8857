"""A device profile: what the maker of the device under test says of it. Data only; checked whole, all problems at once.

[profile]      name, title, legs, grid_code, capabilities
[ratings]      what its plate says, SI or texts with units
[declared.*]   what the maker declares where no standard gives a number: value and source of each
[not_claimed]  requirement id = why the device does not claim it
[[condition]]  surroundings the maker asks for: quantity, min, max, source (rig.conditions)
[[override]]   a limit of the catalogue replaced for this device: id, quantity, min, max, unit, source
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from rig.conditions import ConditionRow
from rig.errors import BenchConfigError
from rig.quantity import Amperes, Hertz, Volts, Watts, parse_quantity

Capability = Literal[
    "chademo",
    "charge",
    "discharge",
    "island",
    "transfer",
    "grid_parallel",
    "reserve",
    "cold_start",
    "three_phase",
    "no_export",
    "meter",
    "support",
    "manual_transfer",
    "engine",
]
"""What a device can do at all. chademo: has the connector. island: forms the house voltage. transfer: has a PCS that
moves the house between mains and EVPS. grid_parallel: charges or discharges beside live mains. reserve: a floor the
user sets. cold_start: starts from the car with no mains. three_phase: has three phases.
no_export: feeds nothing back into the mains, whatever the house draws, once told so at its meter.
meter: keeps bounds at a meter of its own at the mains connection. support: gives less to a mains that is too fast or
too high. manual_transfer: has a PCS that a person moves. engine: an
engine of its own charges its pack when that is low."""

FIGURES: Mapping[str, str] = {
    "power": "W",
    "leg_power": "W",
    "ac_current": "A",
    "charge_ac_current": "A",
    "dc_current": "A",
    "dc_voltage": "V",
    "leg_voltage": "V",
    "line_voltage": "V",
    "frequency": "Hz",
    "transfer_time": "s",
    "retransfer_delay": "s",
    "overload_time": "s",
    "cold_start_time": "s",
    "enter_ramp": "s",
    "step_deviation": "1",
    "charge_ceiling": "1",
    "efficiency": "1",
    "standby_power": "W",
}
"""Every figure a limit may be a multiple of, and its unit: ratings first, then declared values."""


class Table(BaseModel):
    """A TOML table: frozen, no key we do not know, no number that is not finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Ratings(Table):
    """The plate. Positive numbers. Voltages are nominal rms; leg_voltage leg to neutral, line_voltage across the legs.

    dc_voltage: V, the highest. dc_current: A, the most it discharges. ac_current: A rms it gives; charge_ac_current: A
    rms it takes. power: W, all legs together.
    """

    power: Watts = Field(gt=0)
    leg_power: Watts = Field(gt=0)
    ac_current: Amperes = Field(gt=0)
    charge_ac_current: Amperes = Field(gt=0)
    dc_current: Amperes = Field(gt=0)
    dc_voltage: Volts = Field(gt=0)
    leg_voltage: Volts = Field(gt=0)
    line_voltage: Volts = Field(gt=0)
    frequency: Hertz = Field(gt=0)
    source: str


class Declared(Table):
    """One declared value, SI, positive."""

    value: float = Field(gt=0)
    source: str


class Override(Table):
    """A limit of the catalogue replaced for this device."""

    id: str
    quantity: str
    unit: str
    min: float | None = None
    max: float | None = None
    source: str

    @model_validator(mode="after")
    def _has_bounds(self) -> Override:
        if self.min is None and self.max is None:
            raise ValueError("an override needs min or max; add one")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min is above max; swap them")
        return self


class Profile(Table):
    """A device profile. declared: by name, SI. not_claimed: requirement id -> why. condition: what the maker asks of
    its surroundings."""

    name: str
    title: str
    legs: Literal[1, 2]
    grid_code: str
    capabilities: tuple[Capability, ...]
    ratings: Ratings
    declared: Mapping[str, Declared] = {}
    not_claimed: Mapping[str, str] = {}
    override: tuple[Override, ...] = ()
    condition: tuple[ConditionRow, ...] = ()

    @model_validator(mode="after")
    def _overrides_once(self) -> Profile:
        named = [f"{one.id} {one.quantity}" for one in self.override]
        twice = sorted({name for name in named if named.count(name) > 1})
        if twice:
            raise ValueError(f"override: {', '.join(twice)} is replaced twice; keep one")
        return self

    @property
    def wired(self) -> bool:
        """Whether the device has a mains side at all; a portable station has none."""
        return bool({"transfer", "manual_transfer", "grid_parallel", "charge"} & set(self.capabilities))

    def figure(self, name: str) -> float | None:
        """A rating or declared value in SI (unit: FIGURES); None where the profile does not declare it."""
        if name in self.declared:
            return self.declared[name].value
        rated: Mapping[str, object] = self.ratings.model_dump(exclude={"source"})
        value = rated.get(name)
        return float(value) if isinstance(value, int | float) else None


def read_profile(path: Path) -> Profile:
    """Read and check a profile file. BenchConfigError names every problem."""
    tables = read_toml(path, "profile")
    head = tables.pop("profile", {})
    problems: list[str] = []
    if not isinstance(head, dict):
        raise BenchConfigError([f"{path}: [profile] must be a table; write [profile]"])
    tables["declared"] = _declared(path, tables.get("declared", {}), problems)
    try:
        profile = Profile.model_validate({**tables, **head})
    except ValidationError as error:
        problems += [f"{path}: {line}" for line in explain(error)]
    if problems:
        raise BenchConfigError(problems)
    return profile


def _declared(path: Path, raw: object, problems: list[str]) -> object:
    """Declared values with their texts turned into SI; what is wrong goes to problems."""
    if not isinstance(raw, dict):
        problems.append(f"{path}: declared: must be a table; write [declared.transfer_time]")
        return {}
    done: dict[str, object] = {}
    for name, table in raw.items():
        where = f"{path}: declared.{name}"
        if name not in FIGURES or name in Ratings.model_fields:
            known = ", ".join(n for n in FIGURES if n not in Ratings.model_fields)
            problems.append(f"{where}: unknown declared value; use one of {known}")
        elif not isinstance(table, dict) or "value" not in table:
            problems.append(f"{where}: needs value and source; write [declared.{name}] with both keys")
        else:
            try:
                done[name] = {**table, "value": parse_quantity(table["value"], FIGURES[name])}
            except ValueError as error:
                problems.append(f"{where}: {error}")
    return done


def read_toml(path: Path, what: str) -> dict[str, object]:
    """A TOML file as tables; BenchConfigError when it cannot be read. what: what kind of file it should be."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BenchConfigError([f"{path}: no such {what} file; check the name"]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise BenchConfigError([f"{path}: cannot be read ({error}); give a UTF-8 TOML file"]) from None
    except tomllib.TOMLDecodeError as error:
        raise BenchConfigError([f"{path}: not TOML: {error}; mend that line"]) from None


def explain(error: ValidationError) -> list[str]:
    """Each problem of a table in one line: key, what is wrong, how to mend it."""
    lines = []
    for problem in error.errors(include_url=False):
        key = ".".join(str(part) for part in problem["loc"]) or "table"
        words = {
            "missing": f"is missing; add {key.rpartition('.')[2]} = ...",
            "extra_forbidden": "unknown key; remove or rename it",
            "finite_number": "is not finite; write a number or leave the key out",
        }
        lines.append(f"{key}: {words.get(problem['type'], problem['msg'].removeprefix('Value error, '))}")
    return lines
