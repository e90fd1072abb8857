"""The bench file for the rig's process, made from that of a served bench: the same parts, where they are served.

Pure text. The parts' own keys stay, except what is only for an emulator (the faults it is to have).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date

from rig.bench_config import BenchConfig, PartName

HEAD = "# Written by `v2hrig emulate`: the bench it serves, as the rig's own process opens it. Good while it runs."


def rig_file(config: BenchConfig, places: Mapping[PartName, str], channel: str = "") -> str:
    """TOML text. channel: of the rig's own CAN adapter, where it has another than the emulated charger's."""
    can, bench = config.can, config.bench
    names = {"channel": channel or can.channel} if channel or can.channel else {}
    tables: dict[str, dict[str, object]] = {
        "bench": {**bench.model_dump(), "clock": "real"},
        "can": {"interface": can.interface, **names, "bitrate": can.bitrate, **can.options},
        "car": config.car.model_dump(),
    }
    if room := config.room.model_dump(exclude_defaults=True):
        tables["room"] = room
    if wishes := config.safety.model_dump(exclude_defaults=True):
        tables["safety"] = wishes
    for name, place in places.items():
        part = config.parts[name]
        papers = part.papers.model_dump(exclude_defaults=True)
        tables[name] = {"driver": part.driver, "resource": place, **papers, **part.options}
    return "\n".join([HEAD, *(_table(name, keys) for name, keys in tables.items())])


def _table(name: str, keys: Mapping[str, object]) -> str:
    return "\n".join([f"\n[{name}]", *(f"{key} = {_value(value)}" for key, value in keys.items()), ""])


def _value(value: object) -> str:
    """A value in TOML, as it was read from one."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value)  # TOML's basic strings know JSON's escapes
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(key)} = {_value(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(one) for one in value) + "]"
    if isinstance(value, date):
        return value.isoformat()
    return repr(value)
