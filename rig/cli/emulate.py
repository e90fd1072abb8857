"""`v2hrig emulate`: the emulated parts of a bench, served in real time on real transports to a rig in another process.

v2hrig emulate --bench served --rig real.toml        in one terminal
pytest suites/transfer_timing --bench real.toml      in another
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, NoReturn, get_args

import typer
from rich.console import Console
from rich.table import Table

from instruments.registry import REGISTRY
from rig.cli.bench import read
from rig.clock import Stopwatch
from rig.errors import UseError
from rig.rig_file import rig_file
from rig.serve_bench import Served, serve_bench
from rig.visa import hislip
from rig.visa.places import Ports, Transport
from rig.visa.streams import LOOPBACK

LOOK = 0.2
"""s between two looks at whether something failed (project choice)."""


def emulate(
    bench: Annotated[
        str, typer.Option(help="bench file with emulated parts, or a name of fixtures/benches")
    ] = "served",
    only: Annotated[
        Literal["charger"] | None, typer.Option(help="just the charger and what hangs on its cable")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="seed of every noise")] = 0,
    port: Annotated[
        int,
        typer.Option(min=0, max=65_000, help="raw socket of the first instrument, others follow; 0: any for all"),
    ] = 5025,
    hislip_port: Annotated[int, typer.Option(min=0, max=65_535, help="HiSLIP; 0: any free")] = hislip.PORT,
    vxi11_port: Annotated[int, typer.Option(min=0, max=65_535, help="VXI-11 core channel; 0: any free")] = 0,
    port_mapper: Annotated[
        bool | None, typer.Option(help="the VXI-11 port mapper on port 111: insist on it, or leave it out")
    ] = None,
    first: Annotated[
        str, typer.Option(help="part that is inst0 and hislip0, for tools that cannot name another; else in order")
    ] = "",
    via: Annotated[
        list[str] | None,
        typer.Option(
            help="with --rig: how the rig reaches its message instruments: socket (the default), hislip, vxi11 or "
            "serial; PART=... for one of them; may be repeated"
        ),
    ] = None,
    host: Annotated[str, typer.Option(help="address to listen on; anything but loopback opens it to the network")] = (
        LOOPBACK
    ),
    rig: Annotated[Path | None, typer.Option(help="write the bench file of the rig's process there")] = None,
    channel: Annotated[str, typer.Option(help="with --rig: CAN channel of the rig's own adapter, if another")] = "",
    seconds: Annotated[float, typer.Option(min=0.0, help="end by itself after so many seconds; 0: never")] = 0.0,
) -> None:
    """Serve the emulated parts of a bench until Ctrl-C, then bring them to their safe state."""
    config, profile, _ = read(bench)
    if config.bench.replay:
        raise UseError(f"{config.file}: [bench] replay: a record can be run, not served; name a bench of emulators")
    if host not in (LOOPBACK, "localhost"):
        print(f"v2hrig: --host {host}: whoever reaches this address can control these instruments", file=sys.stderr)
    for number in (signal.SIGINT, signal.SIGTERM):  # started in the background it inherits an ignored SIGINT
        signal.signal(number, _interrupt)
    mapper: Literal["try", "yes", "no"] = "try" if port_mapper is None else "yes" if port_mapper else "no"
    ports = Ports(port, hislip_port if port else 0, vxi11_port, mapper)
    usual, others = read_via(via or [])
    with serve_bench(
        config, REGISTRY, profile, seed=seed, cable_only=only is not None, ports=ports, host=host, via=usual,
        others=others, first=first,
    ) as served:  # fmt: skip
        if rig is not None:
            _write(rig, rig_file(config, served.places, channel))
        _show(served)
        watch = Stopwatch()
        try:
            while not seconds or watch.seconds() < seconds:
                served.wait(LOOK)
        except KeyboardInterrupt:
            print("v2hrig: ending; bringing the emulated bench to its safe state", flush=True)


def read_via(wishes: Sequence[str]) -> tuple[Transport, dict[str, Transport]]:
    """The transport of all message instruments, and of single ones by part. UseError for none, or one named twice."""
    usual: list[Transport] = []
    others: dict[str, Transport] = {}
    for wish in wishes:
        part, _, name = wish.rpartition("=")
        known = next((one for one in get_args(Transport) if one == name), None)
        if known is None or (not part and "=" in wish):
            there = ", ".join(get_args(Transport))
            raise UseError(f"--via {wish}: {name!r} is no transport; write one of {there}, or PART=one of them")
        if part in others or (not part and usual):
            raise UseError(f"--via {wish}: {part or 'the transport of all'} is named twice; keep one")
        if part:
            others[part] = known
        else:
            usual.append(known)
    return (usual or ["socket"])[0], others


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UseError(f"--rig {path}: cannot be written ({error}); name a file in a folder that is there") from None


def _show(served: Served) -> None:
    console = Console(highlight=False)
    can = served.config.can
    table = Table("part", "driver", "resources")
    table.add_row("can", can.interface, can.channel or "its default")
    for name in served.places:
        table.add_row(name, served.config.parts[name].driver, "\n".join(served.everywhere[name]))
    console.print(table)
    for note in served.notes:
        print(f"v2hrig: {note}", file=sys.stderr, flush=True)
    print("v2hrig: serving in real time; Ctrl-C ends it", flush=True)
