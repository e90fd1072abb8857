"""Cyclic frames on a real bus: periodic tasks whose bytes change, that end with their author, and are told once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import can
import pytest
from can.broadcastmanager import ModifiableCyclicTaskABC

from rig.can.frame import Frame
from rig.can.hardware import HardwareBus
from rig.clock import RealClock
from rig.errors import InstrumentError

PERIOD = 0.1
QUIET, LOUD = Frame(0x102, b"\x00" * 8), Frame(0x102, b"\x01" * 8)
PATIENCE = 20.0
"""s until a test gives up; nothing is asserted about time."""


@pytest.fixture
def clock() -> Iterator[RealClock]:
    clock = RealClock()
    yield clock
    clock.close()


@pytest.fixture
def pair(clock: RealClock, request: pytest.FixtureRequest) -> Iterator[tuple[HardwareBus, HardwareBus]]:
    """Two adapters on one wire."""
    buses = tuple(HardwareBus(clock, "virtual", request.node.name) for _ in range(2))
    yield buses[0], buses[1]
    for bus in buses:
        bus.close()


def nothing(at: float, frame: Frame) -> None:
    """Hear nothing."""


def wait(clock: RealClock, true: Callable[[], bool]) -> None:
    assert clock.wait_until(true, PATIENCE) <= PATIENCE


def test_a_cycle_changes_its_bytes_without_a_restart_and_ends_with_its_author(
    clock: RealClock, pair: tuple[HardwareBus, HardwareBus]
) -> None:
    ours, theirs = pair
    got: list[Frame] = []
    theirs.attach("evse", lambda at, frame: got.append(frame))
    port, said = ours.attach("ev", nothing), [QUIET]
    stop = clock.every(PERIOD, lambda: port.cycle(said[0], PERIOD))
    wait(clock, lambda: got.count(QUIET) >= 3)
    task = ours._cycles[0x102].task
    said[0] = LOUD
    wait(clock, lambda: got.count(LOUD) >= 3)
    assert ours._cycles[0x102].task is task
    stop()
    wait(clock, lambda: not ours._cycles)
    assert got == [QUIET] * got.count(QUIET) + [LOUD] * got.count(LOUD)


def test_watchers_of_the_sending_side_hear_each_frame_of_a_cycle_once(
    clock: RealClock, pair: tuple[HardwareBus, HardwareBus]
) -> None:
    ours, theirs = pair
    told: list[str] = []
    got: list[Frame] = []
    ours.watch(lambda at, who, frame: told.append(who))
    theirs.attach("evse", lambda at, frame: got.append(frame))
    port = ours.attach("ev", nothing)
    stop = clock.every(PERIOD, lambda: port.cycle(QUIET, PERIOD))
    wait(clock, lambda: len(got) >= 5)
    stop()
    wait(clock, lambda: not ours._cycles)
    wait(clock, lambda: len(told) == len(got))
    assert set(told) == {"ev"}


def test_a_frame_sent_at_a_time_of_its_own_ends_the_cycle_of_its_id(
    clock: RealClock, pair: tuple[HardwareBus, HardwareBus]
) -> None:
    ours, _ = pair
    port = ours.attach("ev", nothing)
    port.cycle(QUIET, PERIOD)
    port.cycle(Frame(0x100, bytes(8)), PERIOD)
    port.send(LOUD)
    assert set(ours._cycles) == {0x100}
    port.close()
    assert not ours._cycles


def test_a_cycle_does_not_outlive_a_clock_that_stands_still(
    clock: RealClock, pair: tuple[HardwareBus, HardwareBus]
) -> None:
    ours, theirs = pair
    got: list[Frame] = []
    theirs.attach("evse", lambda at, frame: got.append(frame))
    port, stand, go_on = ours.attach("ev", nothing), threading.Event(), threading.Event()

    def say() -> None:
        port.cycle(QUIET, PERIOD)
        if stand.is_set():
            go_on.wait(PATIENCE)

    cancel = clock.every(PERIOD, say)
    wait(clock, lambda: len(got) >= 2)
    task = ours._cycles[0x102].task
    assert task is not None
    stand.set()
    patience = threading.Event()
    for _ in range(round(PATIENCE / 0.05)):
        if task.stopped:  # type: ignore[attr-defined]
            break
        patience.wait(0.05)
    ended, stopped = not ours._cycles, task.stopped  # type: ignore[attr-defined]
    cancel()
    go_on.set()
    assert ended
    assert stopped


def test_a_cycle_that_cannot_be_sent_comes_up_in_the_foreground(
    clock: RealClock, pair: tuple[HardwareBus, HardwareBus], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, _ = pair

    def refuse(message: can.Message, timeout: float | None = None) -> None:
        raise can.CanOperationError("transmit buffer full")

    monkeypatch.setattr(ours._bus, "send", refuse)
    port = ours.attach("ev", nothing)
    port.cycle(QUIET, PERIOD)
    with pytest.raises(InstrumentError, match="transmit buffer full"):
        clock.wait_until(lambda: False, PATIENCE)


class KernelTask(ModifiableCyclicTaskABC):
    """What the broadcast manager is told."""

    def __init__(self, message: can.Message, period: float, orders: list[str]) -> None:
        super().__init__(message, period)
        self.orders = orders

    def modify_data(self, messages: Any) -> None:
        super().modify_data(messages)
        self.orders.append(f"change {self.messages[0].data.hex()}")

    def stop(self) -> None:
        self.orders.append("stop")


class KernelBus:
    """A SocketCAN bus as far as the rig uses it: cyclic frames come back as frames of this machine."""

    def __init__(self, **arguments: object) -> None:
        self.orders: list[str] = []
        self.incoming: list[can.Message] = []
        self.arguments = arguments

    def send_periodic(self, message: can.Message, period: float) -> KernelTask:
        self.orders.append(f"start {message.data.hex()} {period:g}")
        return KernelTask(message, period, self.orders)

    def recv(self, timeout: float) -> can.Message | None:
        threading.Event().wait(0.01)
        return self.incoming.pop() if self.incoming else None

    def shutdown(self) -> None:
        self.orders.append("shutdown")


def test_on_socketcan_the_kernel_keeps_the_cycle_and_what_comes_back_is_our_own(
    clock: RealClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(can, "Bus", KernelBus)
    bus = HardwareBus(clock, "socketcan", "can0")
    try:
        kernel: Any = bus._bus
        told: list[tuple[str, Frame]] = []
        heard: list[Frame] = []
        bus.watch(lambda at, who, frame: told.append((who, frame)))
        port = bus.attach("ev", lambda at, frame: heard.append(frame))
        stop = clock.every(PERIOD, lambda: port.cycle(said[0], PERIOD))
        said = [QUIET]
        wait(clock, lambda: bool(kernel.orders))
        said[0] = LOUD
        wait(clock, lambda: len(kernel.orders) == 2)
        for number, own in ((0x102, True), (0x109, True), (0x102, False)):
            kernel.incoming.append(
                can.Message(arbitration_id=number, data=LOUD.data, is_extended_id=False, is_rx=not own)
            )
        wait(clock, lambda: len(told) == 3)
        stop()
        wait(clock, lambda: not bus._cycles)
    finally:
        bus.close()
    assert kernel.orders == [f"start {QUIET.data.hex()} 0.1", f"change {LOUD.data.hex()}", "stop", "shutdown"]
    assert sorted(told) == [("bus", LOUD), ("bus", Frame(0x109, LOUD.data)), ("ev", LOUD)]
    assert sorted(heard) == [LOUD, Frame(0x109, LOUD.data)]
