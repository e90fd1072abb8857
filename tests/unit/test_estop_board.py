"""The emergency stop's chain on a board of the supervisor's own: closed, open, lost, another board, a line that is
shared; and a supervisor's process that watches one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fixtures.library import find_bench
from instruments.registry import REGISTRY
from rig.clock import RealClock
from rig.errors import BenchConfigError, BenchFault, InstrumentError, LostInstrument
from rig.modbus.frame import whole
from rig.modbus.serve import serve
from rig.open_bench import read_bench_file
from rig.plant.plant import Plant
from rig.plant.world import World
from rig.safety.estop import EstopBoard, estop_board, open_estop
from rig.safety.guard import Guard
from rig.safety.orders import Orders
from rig.safety.resources import real_resources

WITHIN = 30.0
"""s, on a machine that may be busy."""


class Chain:
    """An emulated board whose input 3 follows a chain that a test opens. spoil: what becomes of its answers."""

    def __init__(self, clock: RealClock) -> None:
        driver = REGISTRY["waveshare_relay_d"]
        assert driver.emulate is not None
        with clock.lock:
            world = World(clock, Plant(), 1, None)
            self._board: Any = driver.emulate(world, driver.options.model_validate({"inputs": {3: "estop"}}))
        self.closed = True
        self.spoil: Callable[[bytes], bytes | None] = lambda raw: raw
        self._board._input = lambda channel: channel == 3 and self.closed

    def latency(self, raw: bytes) -> float:
        return float(self._board.latency(raw))

    def process(self, raw: bytes) -> bytes | None:
        answer = self._board.process(raw)
        return None if answer is None else self.spoil(answer)


@dataclass
class Wired:
    clock: RealClock
    chain: Chain
    where: str

    def stays_closed(self, look: Callable[[], str]) -> bool:
        return self.clock.wait_until(lambda: bool(look()), 0.5) == float("inf")

    def opens(self, look: Callable[[], str]) -> str:
        assert self.clock.wait_until(lambda: bool(look()), WITHIN) <= WITHIN
        return look()


@pytest.fixture
def wired() -> Iterator[Wired]:
    clock = RealClock()
    chain = Chain(clock)
    port, close = serve(chain, clock)
    yield Wired(clock, chain, f"modbus:{port}?input=3")
    clock.close()
    close()


def test_an_input_that_goes_off_counts_as_pressed(wired: Wired) -> None:
    look = open_estop(wired.where, wired.clock)
    assert wired.stays_closed(look)
    wired.chain.closed = False
    assert "E-stop input 3 of " in wired.opens(look)
    assert look().endswith(" is off")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda raw: None, "no answer to 3 requests to unit 1"),
        (lambda raw: raw[:-1] + bytes((raw[-1] ^ 1,)), "spoilt or cut short"),
        (lambda raw: whole(bytes((raw[0], raw[1] | 0x80, 2)), server=True), "answers 82 02, which is no input"),
    ],
)
def test_a_board_that_is_lost_or_another_counts_as_pressed(
    wired: Wired, spoil: Callable[[bytes], bytes | None], words: str
) -> None:
    look = open_estop(wired.where, wired.clock)
    wired.chain.spoil = spoil
    told = wired.opens(look)
    assert told.startswith("E-stop input cannot be read")
    assert words in told


def test_one_spoilt_answer_stops_nobody(wired: Wired) -> None:
    look = open_estop(wired.where, wired.clock)
    answers = iter([None])
    wired.chain.spoil = lambda raw: next(answers, raw)
    assert wired.stays_closed(look)


def test_a_board_that_does_not_answer_at_the_start_is_no_input(wired: Wired) -> None:
    with pytest.raises(InstrumentError, match="answers 82 02, which is no input; check"):
        open_estop(wired.where.replace("input=3", "input=9"), wired.clock)
    with pytest.raises(LostInstrument, match="no answer to 3 requests to unit 2"):
        open_estop(f"{wired.where}&unit=2", wired.clock)
    with pytest.raises(LostInstrument, match="cannot be opened"):
        open_estop("modbus:/dev/none?input=1", wired.clock)


def test_a_reading_that_never_comes_counts_as_pressed(wired: Wired, monkeypatch: pytest.MonkeyPatch) -> None:
    look = open_estop(wired.where, wired.clock)
    begun = wired.clock.now()
    monkeypatch.setattr(wired.clock, "now", lambda: begun + 100.0)
    assert "has not been read for" in look()


def test_the_bench_file_s_words() -> None:
    assert estop_board("modbus:/dev/ttyUSB2?input=8&unit=3&baud=19200") == EstopBoard("/dev/ttyUSB2", 8, 3, 19200)
    assert estop_board("modbus:socket://10.0.0.9:4001?input=1") == EstopBoard("socket://10.0.0.9:4001", 1)
    assert estop_board("cts:/dev/ttyS0") is None


def real_bench(folder: Path, estop: str, board: str) -> Path:
    """The digital I/O bench with a real board."""
    path = folder / "bench.toml"
    text = find_bench("digital-io").read_text().replace('clock = "virtual"', 'clock = "real"')
    text = text.replace('interface = "virtual"', 'interface = "udp_multicast"')
    head, _, tail = text.partition("[digital_io]")
    tail = tail.replace('"emulated"', f'"{board}"', 1)
    path.write_text(f'{head}[digital_io]{tail}\n[safety]\nestop = "{estop}"\n')
    return path


def test_a_line_that_a_part_of_the_bench_is_on_is_refused(tmp_path: Path) -> None:
    for board, estop in (
        ("/dev/ttyUSB1", "modbus:/dev/ttyUSB1?input=1"),
        ("socket://10.0.0.9:4001", "modbus:socket://10.0.0.9:4001?input=1"),
    ):
        with pytest.raises(BenchConfigError) as told:
            read_bench_file(real_bench(tmp_path, estop, board), REGISTRY)
        (problem,) = told.value.problems
        assert "[safety] estop: " in problem
        assert (
            "is the line of [digital_io], and a line has one owner; put the chain's board on a line of its" in problem
        )
    config = read_bench_file(real_bench(tmp_path, "modbus:/dev/ttyUSB2?input=1", "/dev/ttyUSB1"), REGISTRY)
    assert "lab1 /dev/ttyUSB2" in real_resources(config, "lab1")


def test_two_names_of_one_port_are_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.path.realpath", lambda path: path.replace("/dev/serial/by-id/usb-chain", "/dev/ttyUSB1"))
    path = real_bench(tmp_path, "modbus:/dev/serial/by-id/usb-chain?input=1", "/dev/ttyUSB1")
    with pytest.raises(BenchConfigError, match="is the line of"):
        read_bench_file(path, REGISTRY)


def test_a_supervisor_s_process_watches_the_board_and_stops_the_run(wired: Wired) -> None:
    orders = Orders(
        bench="b", origin=wired.clock.origin, pid=os.getpid(), parts=(), levels=(),
        heartbeat=WITHIN, clock=WITHIN, conductor=300.0, estop=wired.where,
    )  # fmt: skip
    guard = Guard(wired.clock, orders)
    try:
        guard.await_armed()
        guard.check()
        wired.chain.closed = False
        with pytest.raises(BenchFault, match=r"the supervisor stops the bench: E-stop input 3 of .* is off"):
            wired.clock.wait_until(lambda: False, WITHIN)
    finally:
        guard.rest()
