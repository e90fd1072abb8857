"""What goes wrong on a line, tried on every served transport, through pyvisa-py: a clear error in bounded time, never a
wrong number, and a driver that can go on, so that outputs can still be switched off.
"""

from __future__ import annotations

import gc
import logging
import socket
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import pyvisa

from rig.clock import RealClock
from rig.errors import InstrumentError, LostInstrument
from rig.scpi.codec import Block, Real
from rig.scpi.command import Command
from rig.scpi.driver import ScpiDriver
from rig.scpi.face import ScpiFace
from rig.visa.backend import real_manager
from rig.visa.faults import Fault, FaultyDevice
from rig.visa.places import Places, Transport
from rig.visa.session import open_session

POWER = Command[float]("POWer", Real("W", 0, 3600), "test", "S")
WAVE = Command[bytes]("WAVeform:DATA", Block(), "test", "S", "query")
SAMPLES = bytes(range(256)) * 4
TRANSPORTS: tuple[Transport, ...] = ("socket", "hislip", "vxi11", "serial")
TIMEOUT = 10.0
"""s, on a machine that may be busy."""
SHORT = 0.4
"""s, where silence is waited for; below the slowness of a slow instrument."""


class Load(ScpiDriver):
    """A driver with one set-point and one wave."""

    def draw(self, power: float) -> None:
        self._set(POWER, power)

    def power(self) -> float:
        return self._get(POWER)

    def wave(self) -> bytes:
        return self._get_block(WAVE)


@dataclass
class Line:
    """A load on one transport. power: what the instrument itself holds."""

    load: Load
    device: FaultyDevice
    power: dict[str, float]


@pytest.fixture
def clock() -> Iterator[RealClock]:
    clock = RealClock()
    yield clock
    clock.close()


@pytest.fixture
def manager(caplog: pytest.LogCaptureFixture) -> Iterator[pyvisa.ResourceManager]:
    caplog.set_level(logging.CRITICAL + 1, "pyvisa")  # its records hold on to sockets
    manager = real_manager()
    yield manager
    manager.close()
    with warnings.catch_warnings():  # pyvisa-py leaves the sockets of what it could not open to the collector
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def made(clock: RealClock, manager: pyvisa.ResourceManager, kind: Transport, timeout: float) -> Iterator[Line]:
    power = {"set": 7.0}
    handlers = {POWER: (lambda v: power.update(set=v), lambda: power["set"]), WAVE: (None, lambda: SAMPLES)}
    device = FaultyDevice(ScpiFace("ACME,3600,SN1,1.0", handlers))
    places = Places({"load": device}, clock)
    session = open_session(places.resources["load"][kind], manager, timeout=timeout)
    load = Load(session, clock)
    assert load.power() == 7.0
    yield Line(load, device, power)
    load.close()
    places.close()


@pytest.fixture(params=TRANSPORTS)
def line(clock: RealClock, manager: pyvisa.ResourceManager, request: pytest.FixtureRequest) -> Iterator[Line]:
    yield from made(clock, manager, request.param, SHORT)


@pytest.fixture(params=TRANSPORTS)
def patient(clock: RealClock, manager: pyvisa.ResourceManager, request: pytest.FixtureRequest) -> Iterator[Line]:
    yield from made(clock, manager, request.param, TIMEOUT)


@pytest.mark.parametrize(
    "fault",
    [
        Fault.SILENCE, Fault.MUTE, Fault.GARBAGE, Fault.NONSENSE, Fault.EMPTY, Fault.HALF, Fault.NAN,
        Fault.OVERLOAD, Fault.DROPPED,
    ],
)  # fmt: skip
def test_a_spoilt_answer_is_an_error_and_the_next_one_is_right(line: Line, fault: Fault) -> None:
    line.device.order(fault, when="POW?")
    with pytest.raises(InstrumentError) as told:
        line.load.power()
    assert str(told.value).count("\n") == 0
    assert line.load.resource in str(told.value)
    line.load.draw(12.0)  # an output can still be switched
    assert line.power["set"] == 12.0
    assert line.load.power() == 12.0


def test_an_answer_after_the_time_out_is_not_taken_for_the_next(line: Line) -> None:
    line.device.order(Fault.SLOW, when="POW?")
    with pytest.raises(LostInstrument, match="no answer in time"):
        line.load.power()
    assert line.load.wave() == SAMPLES
    assert line.load.identity().model == "3600"
    assert line.load.power() == 7.0


@pytest.mark.parametrize("fault", [Fault.HALF, Fault.DROPPED, Fault.EMPTY])
def test_a_spoilt_wave_is_no_wave(line: Line, fault: Fault) -> None:
    line.device.order(fault, when="WAV")
    with pytest.raises(InstrumentError):
        line.load.wave()
    assert line.load.wave() == SAMPLES
    assert line.load.power() == 7.0


def test_a_full_error_queue_is_told_and_emptied(line: Line) -> None:
    line.device.order(Fault.FULL, when="POW ")
    with pytest.raises(InstrumentError, match="Queue overflow"):
        line.load.draw(12.0)
    line.load.draw(13.0)
    assert line.load.power() == 13.0


def test_a_slow_instrument_is_waited_for(patient: Line) -> None:
    patient.device.order(Fault.SLOW, when="POW?")
    assert patient.load.power() == 7.0


def test_another_box_in_its_place_says_so(line: Line) -> None:
    line.device.order(Fault.STRANGER)
    assert line.load.identity().maker == "ANOTHER MAKER"
    assert line.load.identity().maker == "ACME"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_unplugged_instrument_is_lost_each_time_it_is_asked(line: Line) -> None:
    line.device.order(Fault.UNPLUGGED)
    with pytest.raises(LostInstrument):
        line.load.power()
    with pytest.raises(LostInstrument):
        line.load.draw(1.0)
    assert line.power["set"] == 7.0


def test_two_threads_never_interleave(patient: Line) -> None:
    """One lock a session: a question and its answer belong together, and a set-point and its error."""
    wrong: list[object] = []

    def ask(number: int) -> None:
        for _ in range(10):
            if number % 2:
                wrong.extend([got for got in [patient.load.wave()] if got != SAMPLES])
            else:
                wrong.extend([got for got in [patient.load.power()] if got != 7.0])

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60.0)
    assert wrong == []
    assert patient.device.lines.count("WAV:DATA?") == 20


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


@pytest.mark.parametrize(
    "resource",
    [
        "TCPIP::127.0.0.1::{port}::SOCKET", "TCPIP::127.0.0.1::hislip0,{port}::INSTR",
        "TCPIP::127.0.0.1,{port}::inst0::INSTR", "ASRL/dev/pts/no-such-line::INSTR",
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_refused_connection_is_a_lost_instrument(
    clock: RealClock, manager: pyvisa.ResourceManager, resource: str
) -> None:
    name = resource.format(port=closed_port())
    with pytest.raises(LostInstrument) as told:
        Load(open_session(name, manager, timeout=SHORT), clock).power()
    assert name in str(told.value)
    assert str(told.value).count("\n") == 0


class Babbler:
    """A server that answers whatever it hears with the same bytes, and may hang up then."""

    def __init__(self, says: bytes, hangs_up: bool) -> None:
        self._says, self._hangs_up = says, hangs_up
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._door.getsockname()[1])
        self._all: list[socket.socket] = []
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                far = self._door.accept()[0]
            except OSError:
                return
            self._all.append(far)
            threading.Thread(target=self._talk, args=(far,), daemon=True).start()

    def _talk(self, far: socket.socket) -> None:
        try:
            while far.recv(4096):
                far.sendall(self._says)
                if self._hangs_up:
                    far.close()
                    return
        except OSError:
            return

    def close(self) -> None:
        self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        for far in self._all:
            far.close()


NONSENSE = [
    b"\x00" * 64, b"HTTP/1.1 400 Bad Request\r\n\r\n", b"HS\x01\x00\x01\x00\x00\x01" + b"\xff" * 8,
    b"HS\x01\x00\x01\x00\x00\x01" + bytes(8), b"\x80\x00\x00\x04abcd",
]  # fmt: skip
HISLIP, VXI11 = "TCPIP::127.0.0.1::hislip0,{port}::INSTR", "TCPIP::127.0.0.1,{port}::inst0::INSTR"
WAYS = [(HISLIP, says, hangs_up) for says in NONSENSE for hangs_up in (False, True)]
WAYS += [(HISLIP, b"", True), (VXI11, b"\x80\x00\x00\x04abcd", False)]


@pytest.mark.parametrize(("resource", "says", "hangs_up"), WAYS)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_far_end_that_talks_nonsense_is_a_lost_instrument(
    clock: RealClock, manager: pyvisa.ResourceManager, says: bytes, hangs_up: bool, resource: str
) -> None:
    babbler = Babbler(says, hangs_up)
    try:
        with pytest.raises(InstrumentError):
            Load(open_session(resource.format(port=babbler.port), manager, timeout=SHORT), clock).power()
    finally:
        babbler.close()
