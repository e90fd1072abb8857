"""The bench file for the rig's process, made from that of a served bench: the same parts, where they are served.

Pure text. The parts' own keys stay, except what is only for an emulator (the faults it is to have, and whose it is).
"""

from __future__ import annotations

from collections.abc import Mapping

from rig.bench_config import OF_THE_EMULATOR, BenchConfig, PartName
from rig.toml_text import toml_table

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
        own = {key: value for key, value in part.options.items() if key not in OF_THE_EMULATOR}
        tables[name] = {"driver": part.driver, "resource": place, **papers, **own}
    return "\n".join([HEAD, "", *(toml_table(name, keys) for name, keys in tables.items())])
