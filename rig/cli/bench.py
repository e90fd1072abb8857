"""`v2hrig bench`: look at a bench file before a night depends on it."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from fixtures.library import find_bench, find_profile, find_vehicle
from instruments.registry import REGISTRY
from rig.bench import Bench
from rig.bench_config import PARTS, BenchConfig
from rig.clock import Stopwatch
from rig.errors import UnsafeState
from rig.open_bench import open_bench, read_bench_file
from rig.profile import Profile, read_profile
from rig.vehicle_model import VehicleModel, read_vehicle

app = typer.Typer(help="Check and show a bench.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="bench file, or a name of fixtures/benches")]


@app.command("show")
def show(bench: Name = "emulated") -> None:
    """What the file says, without opening anything."""
    config, profile, car = read(bench)
    console = Console(highlight=False)
    console.print(f"bench {config.bench.name}: {config.kind}, {config.bench.clock} clock, profile {profile.title}")
    console.print(f"car {car.name}: {car.profile.name}")
    table = Table("part", "driver", "resource", "calibrated until", "met hardware")
    for name in PARTS:
        part = config.parts.get(name)
        if part is None:
            table.add_row(name, "-", "absent", "", "")
            continue
        until = part.calibrated_until.isoformat() if part.calibrated_until else ""
        table.add_row(name, part.driver, part.resource, until, "yes" if REGISTRY[part.driver].met_hardware else "never")
    console.print(table)


@app.command("check")
def check(
    bench: Name = "emulated", drill: Annotated[bool, typer.Option(help="bring it to its safe state")] = True
) -> None:
    """Open it, ask every instrument who it is, look at calibration dates, and drill the safe state."""
    config, profile, car = read(bench)
    console = Console(highlight=False)
    with open_bench(
        config, REGISTRY, profile, today=Stopwatch().begun.date(), car=car, purpose="bench check"
    ) as opened:
        answers(opened, console)
        for name, day in opened.expired.items():
            console.print(f"[{name}] out of calibration since {day.isoformat()}".replace("[", r"\["))
        if drill:
            outcome = opened.make_safe()
            console.print(f"safe state {'CONFIRMED' if outcome.confirmed else 'UNCONFIRMED'}")
            for reading in outcome.readings:
                console.print(f"  {reading}", markup=False)
            if not outcome.confirmed:
                raise UnsafeState(f"bench {config.bench.name}: the drill did not reach a confirmed safe state")


def answers(bench: Bench, console: Console) -> None:
    """Who answers in each place."""
    table = Table("part", "maker", "model", "serial", "firmware")
    for name, who in bench.identities().items():
        table.add_row(name, who.maker, who.model, who.serial, who.firmware)
    console.print(table)


def read(name: str) -> tuple[BenchConfig, Profile, VehicleModel]:
    """A bench file, the device's profile and the car it names, all checked."""
    config = read_bench_file(find_bench(name), REGISTRY)
    profile = read_profile(find_profile(config.bench.profile))
    return config, profile, read_vehicle(find_vehicle(config.car.profile))
