"""The bench file beside a record: the recorded bench with the record in the place of every instrument."""

from __future__ import annotations

from rig.bench_config import EMULATED, OF_THE_EMULATOR, BenchConfig
from rig.toml_text import toml_table

BENCH = "bench.toml"


def replay_bench(config: BenchConfig, profile: str) -> str:
    """Its text. profile: of the run. What only hardware needs (lease, supervisor, CAN interface) the faults, which
    are in the record already, and whose emulator it was are left out."""
    bench = {
        "name": f"{config.bench.name}-replayed",
        "profile": config.bench.profile if config.bench.profile.endswith(f"{profile}.toml") else profile,
        "clock": "virtual",
        "replay": ".",
    }
    tables = [
        "# A record in the place of every instrument; it stands beside this file.\n",
        toml_table("bench", bench),
        toml_table("can", {"interface": "virtual", "bitrate": config.can.bitrate}),
        toml_table("car", config.car.model_dump(exclude_unset=True)),
        toml_table("room", config.room.model_dump(exclude_unset=True)),
    ]
    for name, part in config.parts.items():
        # What a part's papers say of today is the recorded run's to judge.
        papers = part.papers.model_dump(exclude={"calibrated", "calibrated_until"}, exclude_unset=True)
        own = {key: value for key, value in part.options.items() if key not in OF_THE_EMULATOR}
        keys = {"driver": part.driver, "resource": EMULATED, **papers, **own}
        note = "" if part.emulated else f"# recorded at {part.resource}\n"
        tables.append(note.replace("\r", " ") + toml_table(name, keys))
    return "\n".join(tables)
