"""What a pydantic model takes, as a table: key, type with its unit, bounds, default."""

from __future__ import annotations

import re
import types
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic import BaseModel, BeforeValidator
from pydantic.fields import FieldInfo

from docs.generate.words import code, keys_told, table, text
from rig import quantity

UNITS = {"V": quantity.Volts, "A": quantity.Amperes, "W": quantity.Watts, "ohm": quantity.Ohms, "s": quantity.Seconds,
         "Hz": quantity.Hertz, "J": quantity.Joules, "degC": quantity.Celsius, "K": quantity.Kelvins,
         "fraction": quantity.Fraction}  # fmt: skip
_UNIT_OF = {id(one): unit for unit, kind in UNITS.items() for one in get_args(kind)[1:]}
PLAIN: Mapping[Any, str] = {
    str: "text", int: "whole number", float: "number", bool: "true or false", date: "date", Path: "path",
    object: "anything"
}  # fmt: skip


def fields(model: type[BaseModel], leave_out: Collection[str] = ()) -> str:
    """What a model is, and a table of its keys, as its docstring tells them. leave_out: fields no file may set."""
    besides, told = keys_told(model.__doc__, model.model_fields)
    rows = [
        (
            code(one.alias or name),
            kind(one.annotation, one.metadata),
            bounds(one.metadata),
            "**needed**" if one.is_required() else default(one),
            text(told.get(name, "")),
        )
        for name, one in model.model_fields.items()
        if not one.exclude and name not in leave_out
    ]
    parts = (
        text(besides.removeprefix("Keys of a bench part.").strip()),
        table(("key", "type", "bounds", "default", ""), rows),
    )
    return "\n\n".join(part for part in parts if part)


def kind(annotation: Any, metadata: Sequence[object] = ()) -> str:
    """A type in words."""
    for one in metadata:
        if isinstance(one, BeforeValidator) and id(one) in _UNIT_OF:
            unit = _UNIT_OF[id(one)]
            return "fraction, or text in %" if unit == "fraction" else f"{unit}, or text with a unit"
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return kind(args[0], args[1:])
    if origin is Literal:
        return " or ".join(code(word(one)) for one in args)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(kind(one) for one in args if one is not type(None)))
    if origin in (tuple, list, Sequence) or getattr(origin, "__name__", "") == "Sequence":
        return f"list of {kind(args[0])}"
    if origin is dict or getattr(origin, "__name__", "") == "Mapping":
        return f"table: {kind(args[0])} = {kind(args[1])}"
    if annotation in PLAIN:
        return PLAIN[annotation]
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " or ".join(code(word(one.value)) for one in annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"table {text(annotation.__name__)}"
    return text(getattr(annotation, "__name__", str(annotation)))


def inner(model: type[BaseModel]) -> list[type[BaseModel]]:
    """Models that stand in a model's fields, at any depth, itself left out."""
    found: list[type[BaseModel]] = []
    wanted: list[Any] = [one.annotation for one in model.model_fields.values()]
    while wanted:
        one = wanted.pop(0)
        if isinstance(one, type) and issubclass(one, BaseModel) and one is not model:
            if one not in found:
                found.append(one)
                wanted += [field.annotation for field in one.model_fields.values()]
        else:
            wanted += get_args(one)
    return found


def bounds(metadata: Sequence[object]) -> str:
    """What a value must keep."""
    said = []
    for one in metadata:
        match one:
            case Ge(ge=low):
                said.append(f"at least {low:g}")
            case Gt(gt=low):
                said.append(f"above {low:g}")
            case Le(le=high):
                said.append(f"at most {high:g}")
            case Lt(lt=high):
                said.append(f"below {high:g}")
            case MinLen():
                said.append("not empty")
            case MaxLen(max_length=most):
                said.append(f"{most} at most")
            case _ if getattr(one, "pattern", None):
                said.append(f"matches {code(str(one.pattern))}")  # type: ignore[attr-defined]
    return ", ".join(said)


def default(field: FieldInfo) -> str:
    """A default as one would write it; a dash where leaving the key out is the only way to say it."""
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is None or isinstance(value, BaseModel) or (isinstance(value, tuple | list | dict | str) and not value):
        return "-"
    return code(word(value)) if isinstance(value, str | int | float | tuple | list) else code(str(value))


def word(value: object) -> str:
    """A value as TOML has it."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f'"{value}"'
        case float():
            return re.sub(r"\.0$", ".0", f"{value!r}")
        case tuple() | list():
            return "[" + ", ".join(map(word, value)) + "]"
        case _:
            return str(value)
