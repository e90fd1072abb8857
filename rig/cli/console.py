"""`v2hrig console`: the operator's page, for as long as it runs. What it starts goes on without it."""

from __future__ import annotations

import ipaddress
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fixtures.depth import DEPTHS
from fixtures.library import find_bench, find_profile
from instruments.registry import REGISTRY
from rig.cli.campaign import subjects
from rig.errors import UseError
from rig.live.places import usual_folder
from rig.open_bench import read_bench_file
from rig.profile import read_profile
from rig.safety.lease import LOCAL
from rig.safety.resources import real_resources

if TYPE_CHECKING:
    from console.bench import BenchFacts

USUAL = ("emulated", "europe-230v")
PORT = 8350
Benches = Annotated[list[str] | None, typer.Argument(help="bench files, or names of fixtures/benches")]
Host = Annotated[str, typer.Option(help="address to serve at; another than loopback opens it to the network")]
Names = Annotated[list[str] | None, typer.Option("--name", help="name other machines call this one by, repeatable")]


def console(
    benches: Benches = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 for any that is free")] = PORT,
    host: Host = "127.0.0.1",
    names: Names = None,
    evidence: Annotated[Path, typer.Option(help="folder for the runs that are begun on the page")] = Path("evidence"),
    live: Annotated[Path | None, typer.Option(help="folder in which runs that can be watched leave sockets")] = None,
) -> None:
    """Serve the operator's page: benches live, runs, prompts, verdicts, emergency stop."""
    try:
        from console.access import Access
        from console.hub import Hub
        from console.serve import listen, serve, turning
    except ModuleNotFoundError as error:
        raise UseError(f"console: {error.name} is not installed; pip install 'v2hrig[console]'") from None
    facts = [bench_facts(one) for one in benches or USUAL]
    if twice := {one.name for one in facts if [two.name for two in facts].count(one.name) > 1}:
        raise UseError(f"two benches are called {', '.join(sorted(twice))}; mend [bench] name of one of them")
    hub = Hub(facts, subjects(), DEPTHS, live or usual_folder(), evidence.resolve())
    at = listen(port, host)
    port = at.getsockname()[1]
    access = Access(port, called_by(host, names or []))

    def ready(_: Callable[[], None]) -> None:
        shown = f"[{host}]" if ":" in host else host
        print(f"console     http://{shown}:{port}/#token={access.token}")
        print(f"read-only   http://{shown}:{port}/")
        print("Ctrl-C ends the page; runs go on without it.", flush=True)

    if not loopback(host):
        print(
            f"v2hrig: {host} is open to the network, and what goes over it can be read there; the token is all that "
            f"keeps others from starting a run. Safer: ssh -L {port}:127.0.0.1:{port} to this machine.",
            file=sys.stderr,
        )
    with turning(hub):
        serve(hub, access, at, ready)


def bench_facts(name: str) -> BenchFacts:
    """What the page shows of a bench file. BenchConfigError when it is wrong."""
    from console.bench import BenchFacts

    path = find_bench(name).resolve()
    config = read_bench_file(path, REGISTRY)
    profile = read_profile(find_profile(config.bench.profile))
    resources = tuple(real_resources(config, socket.gethostname()))
    return BenchFacts(
        name=config.bench.name,
        file=path,
        profile=profile.name,
        title=profile.title,
        kind=config.kind,
        clock=config.bench.clock,
        parts=tuple((str(part.name), part.driver, part.resource) for part in config.parts.values()),
        resources=resources,
        lease=Path(config.bench.lease or LOCAL) if resources else None,
    )


def loopback(host: str) -> bool:
    """Whether an address is of this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def called_by(host: str, names: list[str]) -> list[str]:
    """Names other than the loopback's. UseError for one that is none."""
    for name in names:
        if not name or any(one in name for one in "/:@ \\"):
            raise UseError(f"--name {name!r}: write a host's name or address alone")
    found = [f"[{host}]" if ":" in host else host, *names]
    return found if loopback(host) else [*found, socket.gethostname(), socket.getfqdn()]
