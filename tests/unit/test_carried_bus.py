"""A bus in a process of its own: it keeps the pace, tells what left, and falls silent with whoever it serves."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import can
import pytest

from rig.can.carrier import (
    BEGIN,
    ENDED,
    FAILED,
    HEARD,
    LEFT,
    RECORD,
    REFUSED,
    SEND,
    Carrier,
    Echoes,
    next_record,
    record,
)
from rig.can.frame import EXTENDED, Frame
from rig.can.hardware import HardwareBus
from rig.can.python_can import message_of
from rig.clock import RealClock
from rig.errors import InstrumentError, LostInstrument

GROUP = "239.74.163.2"
PERIOD = 0.05
PATIENCE = 20.0
"""s until a test gives up; nothing is asserted about time."""
QUIET, LOUD = Frame(0x102, b"\x00" * 8), Frame(0x102, b"\x01" * 8)
CAR = """
import sys
from rig.can.frame import Frame
from rig.can.hardware import HardwareBus
from rig.clock import RealClock
clock = RealClock()
bus = HardwareBus(clock, "udp_multicast", "239.74.163.2", options={"port": int(sys.argv[1]), "hop_limit": 0})
port = bus.attach("ev", lambda at, frame: None)
clock.every(0.05, lambda: port.cycle(Frame(0x102, bytes(8)), 0.05))
clock.wait_until(lambda: False, 60.0)
"""


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def nothing(at: float, frame: Frame) -> None:
    """Hear nothing."""


@pytest.fixture
def clock() -> Iterator[RealClock]:
    clock = RealClock()
    yield clock
    clock.close()


@pytest.fixture
def options() -> dict[str, object]:
    return {"port": free_port(), "hop_limit": 0}


@pytest.fixture
def bus(clock: RealClock, options: dict[str, object]) -> Iterator[HardwareBus]:
    bus = HardwareBus(clock, "udp_multicast", GROUP, options=options)
    yield bus
    bus.close()


@pytest.fixture
def ear(options: dict[str, object]) -> Iterator[can.BusABC]:
    with can.Bus(interface="udp_multicast", channel=GROUP, fd=False, **options) as ear:  # type: ignore[arg-type]
        yield ear


def frames(ear: can.BusABC, enough: Callable[[list[bytes]], bool]) -> list[bytes]:
    got: list[bytes] = []
    for _ in range(round(PATIENCE / PERIOD)):
        if enough(got):
            return got
        if (message := ear.recv(PERIOD)) is not None:
            got.append(bytes(message.data))
    raise AssertionError(f"{len(got)} frames came")


def silent(ear: can.BusABC) -> bool:
    """Whether frames end to come, for 20 periods together."""
    pause = threading.Event()
    for _ in range(round(PATIENCE / PERIOD)):
        while ear.recv(0.0) is not None:
            pass
        pause.wait(20.0 * PERIOD)
        if ear.recv(0.0) is None:
            return True
    return False


def test_a_cycle_changes_its_bytes_and_each_frame_that_left_is_told_once(
    clock: RealClock, bus: HardwareBus, ear: can.BusABC
) -> None:
    told: list[tuple[float, str, Frame]] = []
    bus.watch(lambda at, who, frame: told.append((at, who, frame)))
    port, said = bus.attach("ev", nothing), [QUIET]
    stop = clock.every(PERIOD, lambda: port.cycle(said[0], PERIOD))
    got = frames(ear, lambda got: len(got) >= 3)
    said[0] = LOUD
    got += frames(ear, lambda got: got.count(LOUD.data) >= 3)
    stop()
    assert clock.wait_until(lambda: not bus._cycles, PATIENCE) <= PATIENCE
    while (message := ear.recv(4.0 * PERIOD)) is not None:
        got.append(bytes(message.data))
    assert clock.wait_until(lambda: len(told) >= len(got), PATIENCE) <= PATIENCE
    assert [frame.data for _, _, frame in told] == got  # its own echo is no second one
    assert {who for _, who, _ in told} == {"ev"}
    assert [at for at, _, _ in told] == sorted(at for at, _, _ in told)
    assert got == [QUIET.data] * got.count(QUIET.data) + [LOUD.data] * got.count(LOUD.data)


def test_frames_of_others_arrive_with_their_stamps_and_own_frames_go_out_once(
    clock: RealClock, bus: HardwareBus, ear: can.BusABC
) -> None:
    got: list[tuple[float, Frame]] = []
    port = bus.attach("ev", lambda at, frame: got.append((at, frame)))
    port.send(Frame(EXTENDED | 0x123, b"\x07"))
    message = ear.recv(PATIENCE)
    assert message is not None
    assert (message.arbitration_id, message.is_extended_id, bytes(message.data)) == (0x123, True, b"\x07")
    ear.send(message_of(LOUD))
    ear.send(message_of(LOUD))
    assert clock.wait_until(lambda: len(got) >= 2, PATIENCE) <= PATIENCE
    assert [frame for _, frame in got] == [LOUD, LOUD]
    assert 0.0 < got[0][0] <= got[1][0] <= clock.now()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_car_whose_process_is_killed_or_stands_still_falls_silent(
    ear: can.BusABC, options: dict[str, Any], number: signal.Signals
) -> None:
    with subprocess.Popen([sys.executable, "-c", CAR, str(options["port"])], cwd=Path(__file__).parents[2]) as car:
        try:
            frames(ear, lambda got: len(got) >= 3)
            car.send_signal(number)
            assert silent(ear)
            if number == signal.SIGSTOP:
                car.send_signal(signal.SIGCONT)
                frames(ear, lambda got: len(got) >= 3)  # its author begins it anew
        finally:
            car.kill()


def test_a_bus_whose_own_process_is_killed_is_a_lost_instrument(clock: RealClock, bus: HardwareBus) -> None:
    carried: Any = bus._bus
    port = bus.attach("ev", nothing)
    port.cycle(QUIET, PERIOD)
    os.kill(carried._process.pid, signal.SIGKILL)
    with pytest.raises(LostInstrument, match="the process that keeps the bus in time has ended"):
        clock.wait_until(lambda: False, PATIENCE)
    with pytest.raises(InstrumentError, match="the process that keeps the bus in time has ended"):
        port.send(LOUD)


def test_a_bus_that_cannot_be_opened_says_why_and_leaves_no_process(clock: RealClock) -> None:
    with pytest.raises(LostInstrument, match=r"slcan:/dev/nothing.*open.*check \[can\]"):
        HardwareBus(clock, "slcan", "/dev/nothing", options={"sleep_after_open": 0.0})


class Wire:
    """A python-can bus as far as a carrier uses it."""

    def __init__(self, refuses: bool = False) -> None:
        self.refuses = refuses
        self.incoming: list[can.Message | Exception] = []

    def send(self, message: can.Message, timeout: float | None = None) -> None:
        if self.refuses:
            raise can.CanOperationError("transmit buffer full")

    def recv(self, timeout: float) -> can.Message | None:
        threading.Event().wait(0.005)
        one = self.incoming.pop(0) if self.incoming else None
        if isinstance(one, Exception):
            raise one
        return one


@pytest.fixture
def carried() -> Iterator[Callable[[Any], tuple[socket.socket, Callable[[], tuple[int, Frame, bytes]]]]]:
    """A carrier in a thread: the rig's end of its socket, and what reads the next record there: kind, frame, text."""
    ends: list[tuple[socket.socket, BinaryIO, threading.Thread]] = []

    def start(wire: Any) -> tuple[socket.socket, Callable[[], tuple[int, Frame, bytes]]]:
        ours, theirs = socket.socketpair()
        ours.settimeout(PATIENCE)
        stream, mine = theirs.makefile("rb"), ours.makefile("rb")

        def serve() -> None:
            with theirs, stream:
                Carrier(theirs, wire, echoes=False, stamps=False).serve(lambda: next_record(stream))

        thread = threading.Thread(target=serve)
        thread.start()
        ends.append((ours, mine, thread))

        def read() -> tuple[int, Frame, bytes]:
            got = next_record(mine)
            assert got is not None
            return *got[:2], mine.read(int(got[2])) if got[0] in (REFUSED, FAILED) else b""

        return ours, read

    yield start
    for ours, mine, thread in ends:
        ours.shutdown(socket.SHUT_RDWR)
        thread.join(PATIENCE)
        mine.close()
        ours.close()
        assert not thread.is_alive()


def test_what_cannot_be_sent_is_told_with_the_frame(carried: Any) -> None:
    ours, read = carried(Wire(refuses=True))
    for order in (record(SEND, LOUD), record(BEGIN, LOUD, PERIOD)):
        ours.sendall(order)
        kind, _, text = read()
        assert kind == REFUSED
        assert text.startswith(b"102 ")
        assert b"transmit buffer full" in text


def test_receptions_that_fail_are_told_and_one_good_one_forgives_them(carried: Any) -> None:
    wire = Wire()
    bad = [can.CanOperationError("spoilt line")] * 2
    wire.incoming = [*bad, message_of(LOUD), *bad]
    _, read = carried(wire)
    seen = []
    for _ in range(5):
        kind, frame, text = read()
        seen.append(kind)
        assert text == b"spoilt line" if kind == FAILED else frame == LOUD
    assert seen == [FAILED, FAILED, HEARD, FAILED, FAILED]


def test_cycles_that_begin_together_go_out_in_that_order_every_time(carried: Any) -> None:
    ours, read = carried(Wire())
    group = [Frame(number, bytes(8)) for number in (0x208, 0x108, 0x109, 0x209)]
    ours.sendall(b"".join(record(BEGIN, frame, 0.005) for frame in group))
    order = [read()[1] for _ in range(10 * len(group))]
    assert order == group * 10


def test_a_silent_rig_has_its_cycles_ended_and_is_told(carried: Any) -> None:
    ours, read = carried(Wire())
    ours.sendall(record(BEGIN, QUIET, PERIOD))
    kinds = []
    while not kinds or kinds[-1] != ENDED:
        kind, frame, _ = read()
        assert frame.id == QUIET.id
        kinds.append(kind)
        assert len(kinds) < 1000
    assert kinds[0] == LEFT


def test_a_second_copy_of_an_own_frame_is_somebody_elses() -> None:
    echoes = Echoes()
    echoes.expect(LOUD, 0.0)
    assert [echoes.is_one(LOUD, 0.1), echoes.is_one(LOUD, 0.2), echoes.is_one(QUIET, 0.2)] == [True, False, False]
    echoes.expect(LOUD, 1.0)
    assert not echoes.is_one(LOUD, 2.0)  # too late to be its copy


def test_a_record_that_is_cut_off_is_the_end(tmp_path: Path) -> None:
    whole = record(HEARD, LOUD, 1.5)
    assert RECORD.size == len(whole)
    path = tmp_path / "records"
    path.write_bytes(whole + whole[:-1])
    with path.open("rb") as stream:
        assert next_record(stream) == (HEARD, LOUD, 1.5)
        assert next_record(stream) is None
