"""What goes wrong on the transports that are not VISA's, each on its own real one: a box and a board on serial ports, a
node on UDP, frames on a bus. A clear error in bounded time, never a wrong number, and a driver that can go on.

Which fault is tried where stands in docs/faults.md; VISA's four transports are tried in test_served_faults.py.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import can
import pytest

from instruments.echonet_lite import commands as echonet
from instruments.echonet_lite.frame import Prop, decode, encode
from instruments.registry import REGISTRY
from rig.can.bus import VirtualBus
from rig.can.frame import Frame
from rig.can.hardware import HardwareBus
from rig.chademo.codec import decode as message_of
from rig.clock import RealClock, VirtualClock
from rig.datagrams.serve import serve as serve_datagrams
from rig.datagrams.session import UdpSession
from rig.errors import InstrumentError, LostInstrument
from rig.lines.frame import Line
from rig.lines.frame import decode as read_line
from rig.lines.frame import encode as write_line
from rig.lines.serve import PtyServer
from rig.lines.serve import serve as serve_lines
from rig.lines.session import open_lines
from rig.modbus.frame import Reader, whole
from rig.modbus.session import SerialModbus
from rig.plant.plant import Plant
from rig.plant.ports import DcSupply, Mains
from rig.plant.world import World

PATIENCE = 20.0
"""s until a test gives up; nothing is asserted about time."""
Spoil = Callable[[bytes], bytes | None]


@dataclass
class Spoilt:
    """An emulated device whose next answers are spoilt, one order each. late: s the answers take."""

    device: Any
    clock: RealClock
    orders: list[Spoil] = field(default_factory=list)
    late: float = 0.0
    thinking: float = 0.0
    send: Callable[[bytes], None] | None = None

    def latency(self, raw: bytes) -> float:
        return 0.0

    def listen(self, send: Callable[[bytes], None] | None) -> None:
        self.send = send
        if hasattr(self.device, "listen"):
            self.device.listen(send)

    def process(self, raw: bytes) -> bytes | None:
        answer: bytes | None = self.device.process(raw)
        if answer is None:
            return None
        if self.orders:
            return self.orders.pop(0)(answer)
        if self.late:
            late, self.late = self.late, 0.0
            assert self.send is not None
            self.clock.at(self.clock.now() + late, partial(self.send, answer))
            return None
        return answer


@dataclass
class Reached:
    """One driver on one real transport. ask: a reading, and what it must be; act: switch something, and whether the
    device itself has it. attempts: times a request is sent. hang_up: the far end goes away."""

    device: Spoilt
    ask: Callable[[], object]
    right: object
    act: Callable[[], None]
    acted: Callable[[], bool]
    resource: str
    attempts: int
    hang_up: Callable[[], None]

    def spoil(self, how: Spoil) -> None:
        """Every answer of the next request."""
        self.device.orders = [how] * self.attempts


def emulated(model: str, clock: RealClock, keys: dict[str, Any]) -> tuple[Spoilt, World, Any]:
    driver = REGISTRY[model]
    options = driver.options.model_validate(keys)
    with clock.lock:
        world = World(clock, Plant(), 1, VirtualBus(VirtualClock()))
        world.plant.set_mains(Mains(on=True))
        world.plant.set_dc_supply(DcSupply(on=True, u_set=380.0, i_source_max=30.0, i_sink_max=30.0))
        assert driver.emulate is not None
        return Spoilt(driver.emulate(world, options), clock), world, options


def on_box(clock: RealClock, stack: ExitStack) -> Reached:
    device, world, options = emulated("vehicle_interface", clock, {"watchdog": 60.0})
    port, close = serve_lines(device, clock)
    stack.callback(close)
    box = REGISTRY["vehicle_interface"].open(open_lines(port, clock), options, clock)
    stack.callback(box.close)
    box.wires()
    return Reached(
        device, box.wires, {"d1": False, "d2": False, "k": False, "proximity": False, "lock": False},
        lambda: box.set_wire("proximity", False), lambda: not world.plant.wire("proximity"), port, 3, close,
    )  # fmt: skip


def on_board(clock: RealClock, stack: ExitStack) -> Reached:
    device, _, options = emulated("waveshare_relay_d", clock, {"inputs": {2: "estop"}})
    server = PtyServer(device, clock, Reader(server=True))
    port, close = server.port, server.close
    stack.callback(close)
    board = REGISTRY["waveshare_relay_d"].open(SerialModbus(port, clock), options, clock)
    stack.callback(board.close)
    return Reached(
        device, board.inputs, {"estop": True}, lambda: board.switch(4, True), lambda: device.device.relays[3],
        port, 3, close,
    )  # fmt: skip


def on_node(clock: RealClock, stack: ExitStack) -> Reached:
    device, _, options = emulated("echonet_lite", clock, {"within": 0.1, "own": {"reserve": 0xF0}})
    resource, close = serve_datagrams(device, clock, "127.0.0.1")
    stack.callback(close)
    charger = REGISTRY["echonet_lite"].open(UdpSession(resource, clock, echonet.PORT), options, clock)
    stack.callback(charger.close)
    return Reached(
        device, charger.remaining, 0.0, lambda: charger.set_power(1200.0),
        lambda: set(device.device._power.values()) == {1200}, resource, 3, close,
    )  # fmt: skip


LINES = {"box": on_box, "board": on_board, "node": on_node}


@pytest.fixture
def clock() -> Iterator[RealClock]:
    clock = RealClock()
    yield clock
    clock.close()


@pytest.fixture(params=LINES)
def line(request: pytest.FixtureRequest, clock: RealClock) -> Iterator[Reached]:
    with ExitStack() as stack:
        yield LINES[request.param](clock, stack)


ANSWERS: dict[str, Spoil] = {
    "time-out": lambda raw: None,
    "half a reply": lambda raw: raw[: len(raw) // 2],
    "garbage": lambda raw: b"\x00\xfe\xff7\n",
    "a wrong bit": lambda raw: raw[:4] + bytes((raw[4] ^ 0x10,)) + raw[5:],
}


@pytest.mark.parametrize("fault", ANSWERS)
def test_a_line_that_stays_bad_is_a_lost_instrument_and_the_next_answer_is_right(line: Reached, fault: str) -> None:
    line.spoil(ANSWERS[fault])
    with pytest.raises(LostInstrument) as told:
        line.ask()
    assert line.resource in str(told.value)
    assert "\n" not in str(told.value)
    line.act()
    assert line.acted()
    assert line.ask() == line.right


@pytest.mark.parametrize("fault", ANSWERS)
def test_one_spoilt_answer_is_asked_for_again(line: Reached, fault: str) -> None:
    line.device.orders = [ANSWERS[fault]]
    assert line.ask() == line.right


def other_body(body: str) -> Spoil:
    """A well-formed answer of another box."""

    def answer(raw: bytes) -> bytes:
        asked = read_line(raw)
        return write_line(Line("<", asked.tag, body))

    return answer


def other_properties(data: bytes) -> Spoil:
    """Each property with these bytes."""

    def answer(raw: bytes) -> bytes:
        frame = decode(raw)
        return encode(frame._replace(props=tuple(Prop(one.epc, data) for one in frame.props)))

    return answer


OTHERS: list[tuple[str, Spoil, str]] = [
    ("box", other_body("acme,scale,1,1,1"), "makes no sense"),
    ("box", other_body("1 2 1111111"), "makes no sense"),
    ("board", lambda raw: whole(bytes((raw[0], raw[1], 2, 0, 0)), server=True), "is it this board"),
    ("board", lambda raw: whole(bytes((raw[0], raw[1] | 0x80, 1)), server=True), "exception 1: illegal function"),
    ("board", lambda raw: whole(bytes((raw[0], raw[1] | 0x80, 6)), server=True), "exception 6: busy"),
    ("node", other_properties(b""), "is it a charger/discharger"),
    ("node", other_properties(b"\xff"), "0xFF is the mark for no value"),
    ("node", other_properties(b"\x01\x00"), "has 2 bytes instead of 1"),
]
"""Whole answers that are none: another box in its place, a refusal, the mark for a value over its range."""


@pytest.mark.parametrize(("place", "how", "words"), OTHERS, ids=lambda one: one if isinstance(one, str) else "")
def test_a_whole_answer_that_is_none_is_told_and_never_a_number(
    clock: RealClock, place: str, how: Spoil, words: str
) -> None:
    with ExitStack() as stack:
        line = LINES[place](clock, stack)
        line.device.orders = [how]
        with pytest.raises(InstrumentError, match=words) as told:
            line.ask()
        assert not isinstance(told.value, LostInstrument)
        assert line.resource in str(told.value)
        assert line.ask() == line.right


@pytest.mark.parametrize("place", ["box", "board"])
def test_an_answer_after_its_time_is_not_taken_for_the_next(clock: RealClock, place: str) -> None:
    """Late, but before the last repetition: whatever of the three is taken, it is right."""
    with ExitStack() as stack:
        line = LINES[place](clock, stack)
        line.device.late = 0.4
        assert line.ask() == line.right
        line.act()
        assert line.acted()
        assert line.ask() == line.right


def test_a_node_s_answer_after_its_time_is_not_taken_for_the_next(clock: RealClock) -> None:
    with ExitStack() as stack:
        line = on_node(clock, stack)
        held: list[bytes] = []

        def hold(raw: bytes) -> None:
            held.append(raw)

        wrong = other_properties(b"\x63")  # what it said then is not so any more
        line.device.orders = [hold, lambda raw: wrong(held[0])]
        assert line.ask() == line.right
        assert len(held) == 1


@pytest.mark.parametrize("place", ["box", "board"])
def test_a_far_end_that_hangs_up_in_the_middle_is_lost_each_time(clock: RealClock, place: str) -> None:
    with ExitStack() as stack:
        line = LINES[place](clock, stack)
        line.hang_up()
        for _ in range(2):
            with pytest.raises(LostInstrument) as told:
                line.ask()
            assert line.resource in str(told.value)


def test_marks_for_a_power_over_under_or_without_a_value_are_no_power() -> None:
    for mark in (0x7FFFFFFF, 0x80000000, 0x7FFFFFFE):
        with pytest.raises(ValueError, match=f"0x{mark:08X} is the mark for no value"):
            echonet.POWER_NOW.unpack(mark.to_bytes(4, "big"))
    assert echonet.POWER_NOW.unpack((-5000).to_bytes(4, "big", signed=True)) == -5000


def test_a_node_that_goes_in_the_middle_is_lost_each_time(clock: RealClock) -> None:
    with ExitStack() as stack:
        line = on_node(clock, stack)
        assert line.ask() == line.right
        line.hang_up()
        for _ in range(2):
            with pytest.raises(LostInstrument, match="no answer to 3 requests"):
                line.ask()


def test_what_is_not_there_is_a_lost_instrument(clock: RealClock) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        closed = f"udp://127.0.0.1:{one.getsockname()[1]}"
    node = REGISTRY["echonet_lite"]
    options = node.options.model_validate({"within": 0.05})
    charger = node.open(UdpSession(closed, clock, echonet.PORT), options, clock)
    openings: list[tuple[str, Callable[[], object]]] = [
        ("/dev/pts/none", lambda: open_lines("/dev/pts/none", clock)),
        ("/dev/pts/none", lambda: SerialModbus("/dev/pts/none", clock)),
        (closed, charger.state),
        ("socketcan:none", lambda: HardwareBus(clock, "socketcan", "none")),
    ]
    for name, opens in openings:
        with pytest.raises(LostInstrument) as told:
            opens()
        assert name in str(told.value)
    charger.close()


# -- frames on a bus


@dataclass
class Wire:
    """The rig's adapter, and a raw one of somebody else on the same wire."""

    clock: RealClock
    bus: HardwareBus
    other: can.BusABC
    heard: list[Frame]

    def hears(self, message: can.Message) -> None:
        """The last of these is heard, whatever became of those before."""
        before = len(self.heard)
        self.other.send(message)
        assert self.clock.wait_until(lambda: len(self.heard) > before, PATIENCE) <= PATIENCE


@pytest.fixture
def wire(clock: RealClock, request: pytest.FixtureRequest) -> Iterator[Wire]:
    heard: list[Frame] = []
    bus = HardwareBus(clock, "virtual", request.node.name)
    other = can.Bus(interface="virtual", channel=request.node.name)
    bus.attach("ev", lambda at, frame: heard.append(frame))
    yield Wire(clock, bus, other, heard)
    bus.close()
    other.shutdown()


GOOD = can.Message(arbitration_id=0x108, data=bytes(8), is_extended_id=False)


def test_frames_that_are_cut_or_garbage_are_no_message_and_the_next_is_heard(wire: Wire) -> None:
    for id, data in ((0x108, b""), (0x108, b"\x01\xff\xff"), (0x109, bytes(7)), (0x7FF, b"\xff" * 8)):
        wire.hears(can.Message(arbitration_id=id, data=data, is_extended_id=False))
        assert message_of(wire.heard[-1]) is None
    wire.hears(GOOD)
    assert message_of(wire.heard[-1]) is not None


def test_frames_no_node_hears_are_dropped(wire: Wire) -> None:
    """Of errors on the wire, of remote requests, of another kind of bus: none is data, none stops the reception."""
    wire.other.send(can.Message(is_error_frame=True))
    wire.other.send(can.Message(arbitration_id=0x108, is_remote_frame=True, is_extended_id=False))
    wire.other.send(can.Message(arbitration_id=0x108, data=bytes(12), is_fd=True, is_extended_id=False))
    wire.hears(GOOD)
    assert wire.heard == [Frame(0x108, bytes(8))]


def test_a_full_buffer_of_the_adapter_is_told_by_its_own_words(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    port = wire.bus.attach("car", lambda at, frame: None)

    def full(message: can.Message, timeout: float | None = None) -> None:
        raise can.CanOperationError("transmit buffer full")

    monkeypatch.setattr(wire.bus._bus, "send", full)
    with pytest.raises(InstrumentError, match="transmit buffer full") as told:
        port.send(Frame(0x102, bytes(8)))
    assert wire.bus.resource in str(told.value)


def test_a_reception_that_fails_once_goes_on_and_one_that_stays_so_is_lost(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failures = wire.bus._bus.recv, [can.CanOperationError("bus-off")]

    def recv(timeout: float | None = None) -> can.Message | None:
        if failures:
            raise failures.pop()
        return real(timeout)

    monkeypatch.setattr(wire.bus._bus, "recv", recv)
    wire.hears(GOOD)
    failures.extend(can.CanOperationError("bus-off") for _ in range(50))
    with pytest.raises(LostInstrument, match="the interface failed") as told:
        wire.clock.wait_until(lambda: False, PATIENCE)
    assert wire.bus.resource in str(told.value)
