"""How steadily a vehicle's frames leave a real bus, beside bare periodic tasks of python-can, in one run.

Frames go over udp_multicast on this machine; the operating system stamps them as they arrive, so nothing of the
listener is in the figures. Each way of sending has its turn: four frames, 10 ms apart, every 100 ms.
"""

from __future__ import annotations

import statistics
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import pairwise

import can

from rig.can.frame import Frame
from rig.can.hardware import HardwareBus
from rig.chademo.events import VehicleOut, WireChanged
from rig.chademo.messages import PERIOD
from rig.chademo.vehicle import Vehicle
from rig.clock import RealClock, Stopwatch
from rig.machine import run_on

CHANNEL = "239.74.163.2"
OPTIONS = {"port": 43_213, "hop_limit": 0}
"""A port beside the usual one, so that no bench is disturbed."""
IDS = (0x100, 0x101, 0x102, 0x200)
SPACING = 0.01
HELD_UP = 0.04
"""s the clock's thread is held up once a second: what setting a source and reading it back takes over a network."""
WARM = 2 * PERIOD
"""s at the beginning that do not count."""


def print_jitter(seconds: float) -> None:
    """A line for each way of sending. seconds: of each turn."""
    print(f"period of the vehicle's frames, udp_multicast, {seconds:g} s each; off 100 ms by (ms)")
    print(f"{'':<44}{'median':>8}{'99 %':>8}{'worst':>8}{'frames':>8}")
    for name, sender in (
        ("bare python-can periodic tasks", _bare),
        ("vehicle, periodic tasks (as on a bench)", lambda: _vehicle(cyclic=True)),
        ("vehicle, each frame sent by the clock", lambda: _vehicle(cyclic=False)),
        ("periodic tasks, clock held up 40 ms a second", lambda: _vehicle(cyclic=True, held_up=True)),
        ("sent by the clock, held up 40 ms a second", lambda: _vehicle(cyclic=False, held_up=True)),
        ("bare tasks, a busy thread beside", lambda: _beside_busy(_bare())),
        ("vehicle, a busy thread beside", lambda: _beside_busy(_vehicle(cyclic=True))),
    ):
        off, frames = _listen(sender, seconds)
        figures = (statistics.median(off), off[round(0.99 * (len(off) - 1))], off[-1])
        print(f"{name:<44}" + "".join(f"{1e3 * one:8.2f}" for one in figures) + f"{frames:8d}")


def _listen(sender: Callable[[], AbstractContextManager[None]], seconds: float) -> tuple[list[float], int]:
    """s each period was off, sorted; and how many frames came."""
    at: dict[int, list[float]] = {number: [] for number in IDS}
    pause = RealClock()
    with _bus() as ear, sender():
        watch = Stopwatch()
        while watch.seconds() < seconds:
            pause.sleep(0.5)  # what comes meanwhile waits in the socket with its stamp
            while (message := ear.recv(0.0)) is not None:
                at[message.arbitration_id].append(message.timestamp)
    pause.close()
    off = [
        abs(later - before - PERIOD)
        for times in at.values()
        for before, later in pairwise(time for time in times if time >= times[0] + WARM)
    ]
    return sorted(off), sum(map(len, at.values()))


def _bus() -> can.BusABC:
    return can.Bus(interface="udp_multicast", channel=CHANNEL, fd=False, **OPTIONS)  # type: ignore[arg-type]


@contextmanager
def _bare() -> Iterator[None]:
    pause = RealClock()
    with _bus() as bus:
        for number in IDS:
            bus.send_periodic(can.Message(arbitration_id=number, data=bytes(8), is_extended_id=False), PERIOD)
            pause.sleep(SPACING)
        yield
        bus.stop_all_periodic_tasks()
        pause.sleep(2 * PERIOD)  # their threads see it at their next frame
    pause.close()


@contextmanager
def _beside_busy(sender: AbstractContextManager[None]) -> Iterator[None]:
    """As when the rig analyses a wave or writes its journal meanwhile."""
    over = threading.Event()

    def compute() -> None:
        while not over.is_set():
            sum(range(1000))

    thread = threading.Thread(target=compute)
    with sender:
        thread.start()
        yield
        over.set()
        thread.join()


@contextmanager
def _vehicle(cyclic: bool, held_up: bool = False) -> Iterator[None]:
    clock, pause = RealClock(), RealClock()
    bus = HardwareBus(clock, "udp_multicast", CHANNEL, options=OPTIONS)
    port = bus.attach("car", lambda *_: None)

    def emit(out: VehicleOut) -> None:
        if isinstance(out, Frame):
            if cyclic:
                port.cycle(out, PERIOD)
            else:
                port.send(out)

    def wake() -> None:
        runner = run_on(clock, Vehicle(), emit)
        runner.tell(WireChanged("proximity", True))
        runner.tell(WireChanged("d1", True))

    clock.at(clock.now(), wake)
    if held_up:
        clock.every(1.0, lambda: pause.sleep(HELD_UP))
    yield
    bus.close()
    clock.close()
    pause.close()


if __name__ == "__main__":
    print_jitter(6.0)
