"""Queries a second of an emulated instrument, beside what others need for the same, in one run.

In process: pyvisa on our library, beside pyvisa on pyvisa-sim (MIT), both asked for one set-point, with canned state on
the other side. Over TCP: plain sockets to our socket server, beside a bare echo server, each
in a process of its own, same bytes out and back.
Alternating, best of several: what disturbs a run only ever makes it slower.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import socket
import tempfile
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, cast

import pyvisa

from rig.clock import RealClock, Stopwatch, VirtualClock
from rig.scpi.codec import Real
from rig.scpi.command import Command
from rig.scpi.face import ScpiFace
from rig.visa.library import EmulatedVisaLibrary
from rig.visa.servers import SocketServer

POWER = Command[float]("POWer", Real("W", 0, 3600), "benchmark", "S")
QUESTION, ANSWER = "POW?", "12.5"
RESOURCE = "EMU::load::INSTR"
SIM = """\
spec: "1.1"
devices:
  load:
    eom:
      TCPIP INSTR:
        q: "\\n"
        r: "\\n"
    properties:
      power:
        default: 12.5
        getter:
          q: "POW?"
          r: "{}"
        setter:
          q: "POW {}"
        specs:
          type: float
resources:
  TCPIP0::localhost::inst0::INSTR:
    device: load
"""


def face() -> ScpiFace:
    """A load with one set-point."""
    kept = {"power": 12.5}
    return ScpiFace("ACME,3600,SN1,1.0", {POWER: (lambda v: kept.update(power=v), lambda: kept["power"])})


def rate(ask: Callable[[], str], count: int) -> float:
    """Questions a second."""
    if ask().strip() != ANSWER:
        raise SystemExit("a wrong answer; run the tests first")
    watch = Stopwatch()
    for _ in range(count):
        ask()
    return count / watch.seconds()


@contextlib.contextmanager
def in_process() -> Iterator[Callable[[], str]]:
    """Our library, in virtual time."""
    manager = pyvisa.ResourceManager(EmulatedVisaLibrary({RESOURCE: face()}, VirtualClock()))
    visa = cast(Any, manager.open_resource(RESOURCE, write_termination="\n", read_termination="\n"))
    yield lambda: cast(str, visa.query(QUESTION))
    manager.close()


@contextlib.contextmanager
def simulated() -> Iterator[Callable[[], str]]:
    """pyvisa-sim with the same instrument."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "load.yaml"
        path.write_text(SIM)
        manager = pyvisa.ResourceManager(f"{path}@sim")
        visa = cast(
            Any,
            manager.open_resource("TCPIP0::localhost::inst0::INSTR", write_termination="\n", read_termination="\n"),
        )
        yield lambda: cast(str, visa.query(QUESTION))
        manager.close()


def _serve(place: Connection) -> None:
    """Our socket server, in real time, until told to end."""
    clock = RealClock()
    server = SocketServer(face(), clock)
    place.send(server.port)
    place.recv()
    server.close()
    clock.close()


def _echo(place: Connection) -> None:
    """Say the answer whatever is heard: the floor."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        place.send(door.getsockname()[1])
        with door.accept()[0] as far:
            far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while far.recv(4096):
                far.sendall(f"{ANSWER}\n".encode())
    place.recv()


def over_tcp(serve: Callable[[Connection], None]) -> Iterator[Callable[[], str]]:
    """A plain socket to a server in a process of its own."""
    processes = multiprocessing.get_context("spawn")
    ours, theirs = processes.Pipe()
    process = processes.Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    with socket.create_connection(("127.0.0.1", ours.recv())) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def ask() -> str:
            client.sendall(f"{QUESTION}\n".encode())
            got = client.recv(4096)
            while not got.endswith(b"\n"):
                got += client.recv(4096)
            return got.decode()

        yield ask
    ours.send("end")
    process.join(10.0)


@contextlib.contextmanager
def served() -> Iterator[Callable[[], str]]:
    """Our socket server."""
    yield from over_tcp(_serve)


@contextlib.contextmanager
def echo() -> Iterator[Callable[[], str]]:
    """A bare echo server."""
    yield from over_tcp(_echo)


def rates(count: int, repeats: int) -> dict[str, float]:
    """Questions a second of each way, the best of several turns."""
    best: dict[str, float] = {}
    for _ in range(repeats):
        for way in (in_process, simulated, served, echo):
            with way() as ask:
                best[way.__name__] = max(best.get(way.__name__, 0.0), rate(ask, count))
    return best


def print_queries(count: int = 2000, repeats: int = 9) -> None:
    """Print both pairs and their ratios."""
    best = rates(count, repeats)
    ours, theirs = best["in_process"], best["simulated"]
    print(f"queries in process     {ours:8.0f} a second   pyvisa-sim {theirs:8.0f}   ratio {ours / theirs:6.2f}   "
          f"(aim 2 or more)")  # fmt: skip
    ours, theirs = best["served"], best["echo"]
    print(f"queries over TCP       {ours:8.0f} a second   bare echo  {theirs:8.0f}   ratio {ours / theirs:6.2f}   "
          f"(aim 0.7 or more)")  # fmt: skip


if __name__ == "__main__":
    print_queries()
