"""JSON schema of a bench file, for editors: they complete and check keys while one writes. Made from the models that
check the file, so it knows the same keys. It is the more lenient of the two: whether a quantity's text has the right
unit, and what goes together (virtual time, a part twice), only the rig checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from rig.bench_config import (
    EMULATED,
    PARTS,
    ROLE_OF_PART,
    BenchTable,
    CanTable,
    CarTable,
    FaultTable,
    PaperTable,
    RoomTable,
)
from rig.drivers import Driver, Registry
from rig.safety.settings import SafetyTable

DIALECT = "https://json-schema.org/draft/2020-12/schema"
QUANTITY = {"type": "string", "pattern": "^\\s*[-+]?[0-9.]"}
_Schema = dict[str, Any]


def bench_schema(registry: Registry) -> _Schema:
    """The schema, ready for json.dumps."""
    definitions: _Schema = {}
    tables: _Schema = {
        "bench": _model(BenchTable, definitions),
        "can": _can(definitions),
        "car": _model(CarTable, definitions),
        "room": _model(RoomTable, definitions),
        "safety": _model(SafetyTable, definitions),
    }
    for name in PARTS:
        fit = {key: driver for key, driver in registry.items() if driver.role == ROLE_OF_PART[name]}
        tables[name] = {"oneOf": [_part(key, driver, definitions) for key, driver in sorted(fit.items())]}
    return {
        "$schema": DIALECT,
        "title": "Bench file of v2hrig",
        "type": "object",
        "properties": tables,
        "required": ["bench", "charger", "vehicle", "battery"],
        "additionalProperties": False,
        "$defs": definitions,
    }


def _part(name: str, driver: Driver, definitions: _Schema) -> _Schema:
    """The table of one part with one driver: keys all have, and its own."""
    own = _model(driver.options, definitions)
    properties: _Schema = {
        "driver": {"const": name},
        "resource": {"type": "string", "minLength": 1, "description": f'VISA or serial resource, or "{EMULATED}"'},
        "faults": {"type": "array", "items": _model(FaultTable, definitions)},
        **_papers(definitions),
        **own.get("properties", {}),
    }
    return {
        "title": name,
        "type": "object",
        "properties": properties,
        "required": ["driver", "resource", *own.get("required", [])],
        "additionalProperties": False,
    }


def _can(definitions: _Schema) -> _Schema:
    """Which keys there are besides depends on the interface."""
    schema = _model(CanTable, definitions)
    schema["properties"].pop("options")
    return {**schema, "additionalProperties": True}


def _papers(definitions: _Schema) -> Mapping[str, Any]:
    found: Mapping[str, Any] = _model(PaperTable, definitions)["properties"]
    return found


def _model(model: type[BaseModel], definitions: _Schema) -> _Schema:
    """The schema of one table; what it refers to goes into the definitions."""
    schema = model.model_json_schema(ref_template="#/$defs/{model}", mode="validation")
    definitions.update({name: _as_written(one) for name, one in schema.pop("$defs", {}).items()})
    written: _Schema = _as_written(schema)
    return written


def _as_written(schema: Any) -> Any:
    """A number may be written as a quantity ("0.3 kV"), and an inner table by its one telling word (3 = "pcs_aux")."""
    if isinstance(schema, list):
        return [_as_written(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: _as_written(one) for key, one in schema.items()}
    if schema.get("type") == "number":
        return {"anyOf": [inner, QUANTITY]}
    if "$ref" in schema:
        return {"anyOf": [inner, {"type": "string"}]}
    return inner
