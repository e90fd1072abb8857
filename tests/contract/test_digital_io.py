"""Every digital I/O board keeps the promises of its role. Through its line, in an emulated world."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import instruments.waveshare_relay_d.commands as relay_d
from fixtures.library import find_bench, find_profile
from instruments.registry import REGISTRY
from rig.clock import RealClock, VirtualClock
from rig.errors import BenchConfigError, BenchFault, InstrumentError, LostInstrument, UnsafeState, UseError
from rig.modbus.frame import Reader, whole
from rig.modbus.serve import serve
from rig.modbus.session import ATTEMPTS, REPLY_WITHIN, EmulatedModbus, SerialModbus
from rig.open_bench import open_bench, read_bench_file
from rig.plant.plant import Plant
from rig.plant.world import World
from rig.profile import read_profile
from rig.roles import DigitalIo

NAME = "/dev/ttyUSB1"
WIRED = {"inputs": {1: "estop", 2: "ev_contactor", 3: "pcs"}}
DRIVERS = {"waveshare_relay_d": WIRED}


@dataclass
class Wire:
    """The line, which can be spoilt: `spoil` takes a whole answer and gives another, or none."""

    device: Any
    spoil: Callable[[bytes], bytes | None] = lambda raw: raw
    asked: list[bytes] = field(default_factory=list)

    def latency(self, raw: bytes) -> float:
        return float(self.device.latency(raw))

    def process(self, raw: bytes) -> bytes | None:
        self.asked.append(raw)
        answer = self.device.process(raw)
        return None if answer is None else self.spoil(answer)


@dataclass
class Desk:
    clock: VirtualClock
    world: World
    wire: Wire
    board: DigitalIo


def desk_with(model: str, keys: dict[str, Any]) -> Desk:
    clock, driver = VirtualClock(), REGISTRY[model]
    world = World(clock, Plant(), 1, None)
    options = driver.options.model_validate(keys)
    assert driver.emulate is not None
    wire = Wire(driver.emulate(world, options))
    return Desk(clock, world, wire, driver.open(EmulatedModbus(wire, NAME, clock), options, clock))


@pytest.fixture(params=DRIVERS)
def desk(request: pytest.FixtureRequest) -> Desk:
    return desk_with(request.param, DRIVERS[request.param])


VERBS: dict[str, Callable[[DigitalIo], object]] = {
    "switch": lambda board: board.switch(3, True),
    "pulse": lambda board: board.pulse(2, 0.5),
    "outputs": lambda board: board.outputs(),
    "inputs": lambda board: board.inputs(),
    "identity": lambda board: board.identity(),
    "safe": lambda board: board.make_safe(),
}


def test_an_output_is_held_until_it_is_switched_again(desk: Desk) -> None:
    for _ in range(2):
        desk.board.switch(3, True)
        assert list(desk.board.outputs()) == [n == 3 for n in range(1, desk.board.channels + 1)]
    desk.clock.sleep(3600.0)
    assert desk.board.outputs()[2]
    desk.board.switch(3, False)
    assert not any(desk.board.outputs())


def test_a_pulse_ends_by_itself_and_is_begun_anew(desk: Desk) -> None:
    desk.board.pulse(2, 1.0)
    assert desk.board.outputs()[1]
    desk.clock.sleep(0.6)
    desk.board.pulse(2, 1.0)
    desk.clock.sleep(0.7)
    assert desk.board.outputs()[1]
    desk.clock.sleep(0.4)
    assert not any(desk.board.outputs())


def test_what_is_held_during_a_pulse_stays_held(desk: Desk) -> None:
    desk.board.pulse(1, 0.5)
    desk.board.switch(1, True)
    desk.clock.sleep(2.0)
    assert desk.board.outputs()[0]


def test_safe_is_all_open_read_back_from_any_state(desk: Desk) -> None:
    desk.board.switch(1, True)
    desk.board.pulse(8, 100.0)
    for _ in range(2):
        state = desk.board.make_safe()
        assert (state.confirmed, state.readings) == (True, ("relays open",))
    assert not any(desk.board.outputs())


def test_a_relay_that_sticks_is_told(desk: Desk) -> None:
    desk.board.switch(1, True)
    desk.wire.device._set = lambda n, on: None
    with pytest.raises(InstrumentError, match="still on"):
        desk.board.switch(1, False)
    state = desk.board.make_safe()
    assert not state.confirmed
    assert "CLOSED" in state.readings[0]


def test_inputs_follow_what_is_wired_to_them(desk: Desk) -> None:
    assert desk.board.inputs() == {"estop": True, "ev_contactor": False, "pcs": False}
    desk.world.plant.command_pcs(True)
    desk.clock.sleep(1.0)
    assert desk.board.inputs() == {"estop": True, "ev_contactor": False, "pcs": True}


@pytest.mark.parametrize("output", [0, 9, -1])
def test_an_output_that_is_not_there_is_refused_before_it_is_sent(desk: Desk, output: int) -> None:
    for verb in (lambda: desk.board.switch(output, True), lambda: desk.board.pulse(output, 1.0)):
        with pytest.raises(UseError, match=r"none of 1\.\.8"):
            verb()
    for seconds in (0.0, -1.0, 0.04, 1e6, float("nan")):
        with pytest.raises(UseError, match="must lie in"):
            desk.board.pulse(1, seconds)
    assert desk.wire.asked == []


def exception(number: int) -> Callable[[bytes], bytes]:
    return lambda raw: whole(bytes((raw[0], raw[1] | 0x80, number)), server=True)


SPOILT: dict[str, tuple[Callable[[bytes], bytes | None], str]] = {
    "silence": (lambda raw: None, "no answer to 3 requests to unit 1; check power, port, baud rate and unit$"),
    "wrong CRC": (lambda raw: raw[:-1] + bytes((raw[-1] ^ 1,)), "3 spoilt or cut short: look at the wiring"),
    "half a frame": (lambda raw: raw[: len(raw) // 2], "3 spoilt or cut short: look at the wiring"),
    "another unit": (
        lambda raw: whole(bytes((9,)) + raw[1:-2], server=True),
        "3 of another unit: look at the addresses",
    ),
}


@pytest.mark.parametrize("fault", SPOILT)
@pytest.mark.parametrize("verb", VERBS)
def test_no_answer_is_a_lost_board_in_one_line_within_a_bound(desk: Desk, verb: str, fault: str) -> None:
    desk.wire.spoil, words = SPOILT[fault]
    before = desk.clock.now()
    with pytest.raises((LostInstrument, UnsafeState), match=words.replace("$", "")) as raised:
        VERBS[verb](desk.board)
    assert "\n" not in str(raised.value)
    assert isinstance(raised.value, UnsafeState if verb == "safe" else LostInstrument)
    assert len(desk.wire.asked) == ATTEMPTS
    assert desk.clock.now() - before < 2.0 * ATTEMPTS * REPLY_WITHIN


@pytest.mark.parametrize("number", [1, 2, 3, 4, 6, 11])
@pytest.mark.parametrize("verb", VERBS)
def test_an_exception_is_told_by_its_name(desk: Desk, verb: str, number: int) -> None:
    desk.wire.spoil = exception(number)
    words = relay_d.EXCEPTIONS.get(number, "not in the standard")
    if verb == "safe":
        state = desk.board.make_safe()
        assert not state.confirmed
        assert words in state.readings[0]
        return
    with pytest.raises(InstrumentError, match=f"exception {number}: {words}") as raised:
        VERBS[verb](desk.board)
    assert not isinstance(raised.value, LostInstrument)


@pytest.mark.parametrize("verb", VERBS)
def test_one_spoilt_answer_is_asked_for_again(desk: Desk, verb: str) -> None:
    answers = iter([SPOILT["half a frame"][0], SPOILT["another unit"][0]])
    desk.wire.spoil = lambda raw: next(answers, lambda same: same)(raw)
    VERBS[verb](desk.board)


def test_another_board_s_answer_is_none(desk: Desk) -> None:
    desk.wire.spoil = lambda raw: whole(bytes((raw[0], raw[1], 2, 0, 0)), server=True)
    for verb in ("outputs", "inputs"):
        with pytest.raises(InstrumentError, match="is it this board"):
            VERBS[verb](desk.board)


def test_closing_it_changes_nothing_and_may_be_repeated(desk: Desk) -> None:
    desk.board.switch(1, True)
    desk.board.close()
    desk.board.close()
    assert desk.wire.device.relays[0]
    with pytest.raises(LostInstrument, match="open the bench again"):
        desk.board.outputs()


def test_the_driver_asks_for_what_the_table_has_only(desk: Desk) -> None:
    for verb in VERBS.values():
        verb(desk.board)
    known = {relay_d.READ_COILS: {relay_d.RELAYS}, relay_d.READ_INPUTS: {relay_d.INPUTS}}
    known[relay_d.READ_REGISTERS] = {relay_d.VERSION}
    known[relay_d.WRITE_COIL] = {*range(8), relay_d.ALL, *range(relay_d.MOMENTARY, relay_d.MOMENTARY + 8)}
    for raw in desk.wire.asked:
        assert int.from_bytes(raw[2:4], "big") in known[raw[1]]
    assert {raw[1] for raw in desk.wire.asked} == known.keys()


@given(st.binary(min_size=0, max_size=40))
@settings(max_examples=150, deadline=None)
def test_garbage_never_stops_a_board_nor_passes_for_a_reading(data: bytes) -> None:
    desk = desk_with("waveshare_relay_d", WIRED)
    board = desk.wire.device
    for frame in Reader(server=True).feed(data):
        board.process(frame)
    before = list(board.relays)
    desk.wire.spoil = lambda raw: data
    with pytest.raises(InstrumentError):
        desk.board.outputs()
    assert board.relays == before


# -- on a serial port


@pytest.fixture
def served() -> Iterator[tuple[RealClock, str]]:
    clock = RealClock()
    driver = REGISTRY["waveshare_relay_d"]
    with clock.lock:
        world = World(clock, Plant(), 1, None)
        assert driver.emulate is not None
        device = driver.emulate(world, driver.options.model_validate(WIRED))
    port, close = serve(device, clock)
    yield clock, port
    close()
    clock.close()


def test_on_a_serial_port_our_driver_and_pymodbus_s_own_client_see_one_board(served: tuple[RealClock, str]) -> None:
    from pymodbus.client import ModbusSerialClient

    clock, port = served
    driver = REGISTRY["waveshare_relay_d"]
    options = driver.options.model_validate(WIRED)
    board = driver.open(SerialModbus(port, clock), options, clock)
    board.switch(5, True)
    assert board.inputs()["estop"]
    board.close()
    theirs = ModbusSerialClient(port, baudrate=9600, timeout=2)
    assert theirs.connect()
    assert theirs.read_coils(0, count=8, device_id=1).bits == [n == 4 for n in range(8)]
    assert not theirs.write_coil(4, False, device_id=1).isError()
    assert theirs.read_coils(0, count=9, device_id=1).exception_code == 2
    theirs.close()


def test_a_port_that_is_not_there_is_lost_and_virtual_time_waits_for_none() -> None:
    clock = RealClock()
    with pytest.raises(LostInstrument, match="cannot be opened"):
        SerialModbus("/dev/no-such-port", clock)
    clock.close()
    with pytest.raises(UseError, match=r'clock = "real"'):
        SerialModbus(NAME, VirtualClock())


# -- on a bench


def test_a_bench_with_an_open_chain_is_not_fit() -> None:
    config = read_bench_file(find_bench("digital-io"), REGISTRY)
    part = config.parts["digital_io"]
    opening = type(part)(
        part.name, part.driver, part.resource, None, {**part.options, "estop_opens": 30.0}, part.faults, part.papers
    )
    parts = {**config.parts, "digital_io": opening}
    from dataclasses import replace

    with open_bench(replace(config, parts=parts), REGISTRY, read_profile(find_profile(config.bench.profile))) as bench:
        assert bench.digital_io is not None
        bench.prepare()
        assert bench.digital_io.inputs() == {"estop": True, "ev_contactor": False, "pcs": True}
        bench.digital_io.switch(4, True)
        with pytest.raises(BenchFault, match="emergency stop's chain is open; close it"):
            bench.clock.sleep(60.0)
        assert 30.0 <= bench.clock.now() < 31.0
        with pytest.raises(BenchFault, match="chain is open"):
            bench.prepare()
        outcome = bench.make_safe()
        assert outcome.confirmed
        assert "digital I/O: confirmed, relays open" in outcome.readings


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('inputs = { 9 = "estop" }', r"input 9 is none of 1\.\.8"),
        ('inputs = { 1 = "estop", 2 = "estop" }', "wired to two inputs"),
        ("unit = 0", "greater than or equal to 1"),
        ("baud = 1200", "4800"),
    ],
)
def test_a_wrong_key_is_told_with_its_line(tmp_path: Any, line: str, words: str) -> None:
    path = tmp_path / "bench.toml"
    text = find_bench("digital-io").read_text().partition("inputs = ")[0]
    path.write_text(text + line + "\n")
    with pytest.raises(BenchConfigError, match=rf"bench\.toml:{len(path.read_text().splitlines())}: .*{words}"):
        read_bench_file(path, REGISTRY)
