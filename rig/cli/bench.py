"""`v2hrig bench`: look at a bench file before a night depends on it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from fixtures.library import find_bench, find_profile, find_vehicle
from instruments.registry import REGISTRY
from rig.bench import Bench
from rig.bench_config import PARTS, BenchConfig
from rig.bench_schema import bench_schema
from rig.cli.bench_new import new
from rig.clock import Stopwatch
from rig.errors import BenchFault, InstrumentError, UnsafeState
from rig.identify import mistaken, refuse_mistaken
from rig.open_bench import open_bench, read_bench_file
from rig.profile import Profile, read_profile
from rig.range_fit import misfits
from rig.replay.bench_file import BENCH
from rig.replay.record import Exchange, lines, read_head
from rig.safety.begin import OUTPUTS
from rig.safety.envelope import UNITS, levels
from rig.vehicle_model import VehicleModel, read_vehicle

app = typer.Typer(help="Check and show a bench.", no_args_is_help=True)
app.command("new")(new)
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
    for line in guarded(config, profile):
        console.print(line)


def guarded(config: BenchConfig, profile: Profile) -> list[str]:
    """What watches over this bench, one line each."""
    outputs = [one for one in OUTPUTS if one in config.parts and not config.parts[one].emulated and one != "charger"]
    if config.bench.clock == "virtual" or not outputs:
        return ["supervisor: none, no real output"]
    if not config.safety.supervisor:
        return ["supervisor: none, the bench file wants none ([safety] supervisor = false)"]
    bounds = ", ".join(
        f"{one.quantity} {one.low:g}..{one.high:g} {UNITS[one.quantity]}"
        for one in levels(config.safety, profile.ratings)
    )
    estop = config.safety.estop or "no input wired; its chain acts by itself, and the supervisor hears nothing of it"
    return [f"supervisor: {', '.join(outputs)}", f"envelope: {bounds}", f"E-stop: {estop}"]


@app.command("check")
def check(
    bench: Name = "emulated", drill: Annotated[bool, typer.Option(help="bring it to its safe state")] = True
) -> None:
    """Open it, ask every instrument who it is, look at calibration dates, drill the safe state, have each instrument
    test itself, and compare the ranges with the device. Exit code 3 when the bench is not fit: another instrument in a
    place, one out of calibration that the file does not allow, a failed self-test, or a range too small."""
    config, profile, car = read(bench)
    console = Console(highlight=False)
    with open_bench(
        config, REGISTRY, profile, today=Stopwatch().begun.date(), car=car, purpose="bench check", drill=drill
    ) as opened:
        wrong = answers(opened, console)
        for name, day in opened.expired.items():
            console.print(f"[{name}] out of calibration since {day.isoformat()}".replace("[", r"\["))
        if drill:
            outcome = opened.make_safe()
            console.print(f"safe state {'CONFIRMED' if outcome.confirmed else 'UNCONFIRMED'}")
            for reading in outcome.readings:
                console.print(f"  {reading}", markup=False)
            if not outcome.confirmed:
                raise UnsafeState(f"bench {config.bench.name}: the drill did not reach a confirmed safe state")
        problems = [f"[{part}] {words}" for part, words in misfits(opened.instruments, opened.options, profile)]
        problems += self_tests(opened, console) if drill else []
        for line in problems:
            console.print(line, markup=False)
        refuse_mistaken(wrong, config.file)
        opened.check_calibration()
        if problems:
            count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
            raise BenchFault(f"{config.file}: not fit for {profile.name}: {count}, see above; mend each")


@app.command("discover")
def look_around(
    network: Annotated[bool, typer.Option(help="ask the network too: a VXI-11 broadcast, mDNS for HiSLIP")] = False,
) -> None:
    """What could be put into a bench file here: serial ports, CAN interfaces and, with --network, VISA resources."""
    from rig.discover import discover  # pyvisa-py and python-can take their time

    found = discover(network)
    table = Table("kind", "write", "what it is")
    for port, what in found.serial.items():
        table.add_row("serial", f'resource = "ASRL{port}::INSTR" (a box of ours: "{port}")', what)
    for resource in found.visa:
        table.add_row("visa", f'resource = "{resource}"', "")
    for interface, channel in found.can:
        table.add_row("can", f'interface = "{interface}", channel = "{channel}"', "")
    console = Console(highlight=False, markup=False)
    console.print(table)
    for note in found.notes:
        console.print(note)


@app.command("replay")
def replay(folder: Annotated[Path, typer.Argument(help="folder of a record (certify --record)")]) -> None:
    """What was recorded, and how it is run again from its record."""
    head = read_head(folder)
    console = Console(highlight=False, markup=False, soft_wrap=True)
    console.print(f"bench {head.bench}, profile {head.profile}, seed {head.seed}")
    table = Table("part", "driver", "resource", "exchanges")
    for name, part in head.parts.items():
        count = sum(1 for _ in lines(folder / f"{name}.jsonl", Exchange))
        table.add_row(name, part.driver, part.resource, str(count))
    console.print(table)
    console.print(f"recorded   {head.command or 'no command is known'}")
    console.print(f"replay     --bench {folder / BENCH} in the place of its bench, everything else as it was")


@app.command("schema")
def schema() -> None:
    """The JSON schema of bench files, for an editor (docs/bench-files.md)."""
    print(json.dumps(bench_schema(REGISTRY), indent=1))


def self_tests(bench: Bench, console: Console) -> list[str]:
    """What each instrument says of itself, with everything at no energy. What is wrong, one line each."""
    said, wrong = [], []
    for name, one in bench.instruments.items():
        if (test := getattr(one, "self_test", None)) is None:
            continue
        try:
            code = test()
        except InstrumentError as error:
            said.append(f"{name} no answer that counts")
            wrong.append(f"[{name}] self-test: {error}; look at the instrument")
            continue
        said.append(
            f"{name} {'has none that answers' if code is None else 'passed' if code == 0 else f'FAILED ({code})'}"
        )
        if code:
            wrong.append(f"[{name}] self-test: *TST? answers {code}, and 0 is passed; have it looked at")
    console.print(f"self-test: {', '.join(said)}", markup=False)
    return wrong


def answers(bench: Bench, console: Console) -> Mapping[str, str]:
    """Who answers in each place, beside what the file says. What is wrong, by part."""
    who = bench.identities()
    wrong = mistaken(bench.config, bench.drivers, who)
    table = Table("part", "maker", "model", "serial", "firmware", "calibrated until", "certificate", "as the file says")
    for name, one in who.items():
        part = bench.config.parts[name]
        until = part.calibrated_until.isoformat() if part.calibrated_until else "not stated"
        overdue = " OVERDUE" if name in bench.expired else ""
        dates = ("", "") if part.emulated else (until + overdue, part.papers.certificate or "not stated")
        table.add_row(name, one.maker, one.model, one.serial, one.firmware, *dates, "NO" if name in wrong else "yes")
    console.print(table)
    return wrong


def read(name: str) -> tuple[BenchConfig, Profile, VehicleModel]:
    """A bench file, the device's profile and the car it names, all checked."""
    config = read_bench_file(find_bench(name), REGISTRY)
    profile = read_profile(find_profile(config.bench.profile))
    return config, profile, read_vehicle(find_vehicle(config.car.profile))
