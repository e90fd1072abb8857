"""`v2hrig shell`: a bench in IPython, with the clock in hand. Leaving it brings the bench to its safe state."""

from __future__ import annotations

import signal
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer

from fixtures.library import find_bench, find_profile, find_vehicle
from instruments.registry import REGISTRY
from rig.bench import Bench
from rig.errors import UseError
from rig.open_bench import open_bench, read_bench_file
from rig.profile import read_profile
from rig.vehicle_model import read_vehicle

WORDS = """\
bench {bench}, device {device}, {clock} time; mains on, house live, no car. Nothing here is judged or on record.
  sleep(s)   let the bench run        wait(true, within)   run it until true() holds        now()   bench s
  car.plug_in(0.5)   charger.start("discharge")   house.draw(3000)   grid.interrupt(at_angle=90)   battery.reading()
  bench.stand_by() ends a session; leaving (Ctrl-D) brings everything to no energy.\
"""


def shell(
    bench: Annotated[str, typer.Option(help="bench file, or a name of fixtures/benches")] = "emulated",
    profile: Annotated[str, typer.Option(help="device profile, file or name; default: the bench file's")] = "",
    seed: Annotated[int, typer.Option(min=0, help="seed of every noise on an emulated bench")] = 0,
    run: Annotated[Path | None, typer.Option(help="Python file to run first, with the same names")] = None,
) -> None:
    """A bench in IPython, with the clock in hand."""
    try:
        from IPython.terminal.ipapp import TerminalIPythonApp
    except ModuleNotFoundError as error:
        raise UseError(f"shell: {error.name} is not installed; pip install 'v2hrig[shell]'") from None
    if run is not None and not run.is_file():
        raise UseError(f"--run {run}: no such file")
    config = read_bench_file(find_bench(bench), REGISTRY)
    device = read_profile(find_profile(profile or config.bench.profile))
    vehicle = read_vehicle(find_vehicle(config.car.profile))
    with open_bench(config, REGISTRY, device, seed, car=vehicle, purpose="v2hrig shell") as opened:
        opened.check_calibration()
        opened.prepare()
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _leave)
        app: Any = TerminalIPythonApp.instance(user_ns=names(opened), display_banner=False)
        app.initialize([] if run is None else ["-i", str(run)])
        print(WORDS.format(bench=config.bench.name, device=device.name, clock=config.bench.clock), flush=True)
        app.start()
    print("safe state CONFIRMED")


def _leave(number: int, _: FrameType | None) -> NoReturn:
    """Through the block's end, so that the bench comes to rest."""
    raise SystemExit(128 + number)


def names(bench: Bench) -> dict[str, Any]:
    """What a person has at hand. Parts the bench lacks are None."""
    clock = bench.clock
    return {
        "bench": bench,
        "clock": clock,
        "now": clock.now,
        "sleep": clock.sleep,
        "wait": clock.wait_until,
        "car": bench.car,
        "charger": bench.charger,
        "battery": bench.battery,
        "vehicle": bench.vehicle,
        "house": bench.house,
        "grid": bench.grid,
        "analyzer": bench.analyzer,
        "digitizer": bench.digitizer,
        "profile": bench.profile,
    }
