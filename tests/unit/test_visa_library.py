"""The in-process VISA library behind pyvisa's own API, and the session on top of it."""

from __future__ import annotations

import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import pyvisa
from pyvisa.constants import StatusCode
from pyvisa.resources import MessageBasedResource, SerialInstrument, TCPIPInstrument

from rig.clock import RealClock, VirtualClock
from rig.errors import InstrumentError, LostInstrument
from rig.scpi.codec import Block, Real
from rig.scpi.command import Command
from rig.scpi.face import ScpiFace, exchange_time
from rig.visa.faults import Fault, FaultyDevice
from rig.visa.library import EmulatedVisaLibrary
from rig.visa.serial_line import SerialLine
from rig.visa.session import open_session

POWER = Command[float]("POWer", Real("W", 0, 3600), "test", "S")
WAVE = Command[bytes]("WAVeform:DATA", Block(), "test", "S", "query")
SAMPLES = struct.pack("<4096f", *range(4096))  # holds line feeds
NAMES = ("EMU::grid::INSTR", "TCPIP::10.0.0.9::INSTR", "TCPIP::10.0.0.9::5025::SOCKET", "ASRL3::INSTR")


@dataclass
class Bench:
    clock: VirtualClock
    device: FaultyDevice
    manager: pyvisa.ResourceManager
    power: float = 0.0

    def open(self, name: str = NAMES[0]) -> MessageBasedResource:
        visa = self.manager.open_resource(name)
        assert isinstance(visa, MessageBasedResource)
        visa.write_termination = "\n"
        if "SOCKET" in name or "ASRL" in name:
            visa.read_termination = "\n"
        return visa


@pytest.fixture
def bench() -> Iterator[Bench]:
    clock = VirtualClock()
    made: list[Bench] = []
    face = ScpiFace(
        "ACME,3600,SN1,1.0",
        {POWER: (lambda v: setattr(made[0], "power", v), lambda: made[0].power), WAVE: (None, lambda: SAMPLES)},
        latency=exchange_time(0.010, 0.025),
    )
    device = FaultyDevice(face)
    manager = pyvisa.ResourceManager(EmulatedVisaLibrary(dict.fromkeys(NAMES, device), clock))
    made.append(Bench(clock, device, manager))
    yield made[0]
    manager.close()


def test_resources_are_listed_and_of_the_right_class(bench: Bench) -> None:
    assert set(bench.manager.list_resources("?*")) == {
        "EMU::grid::INSTR",
        "TCPIP0::10.0.0.9::inst0::INSTR",
        "TCPIP0::10.0.0.9::5025::SOCKET",
        "ASRL3::INSTR",
    }
    assert isinstance(bench.open("EMU::grid::INSTR"), TCPIPInstrument)
    assert isinstance(bench.open("ASRL3::INSTR"), SerialInstrument)


def test_two_libraries_do_not_know_each_other(bench: Bench) -> None:
    other = pyvisa.ResourceManager(EmulatedVisaLibrary({}, bench.clock))
    assert other is not bench.manager
    assert other.list_resources("?*") == ()
    with pytest.raises(pyvisa.VisaIOError) as error:
        other.open_resource(NAMES[0])
    assert error.value.error_code == StatusCode.error_resource_not_found
    other.close()


@pytest.mark.parametrize("name", NAMES)
def test_text_and_blocks_over_every_kind_of_line(bench: Bench, name: str) -> None:
    visa = bench.open(name)
    visa.write("POW 12.5")
    assert bench.power == 12.5
    assert visa.query("POW?").strip() == "12.5"
    assert list(visa.query_binary_values("WAV:DATA?")) == list(range(4096))
    assert visa.query("*IDN?").strip() == "ACME,3600,SN1,1.0"


def test_an_exchange_costs_bench_time(bench: Bench) -> None:
    visa = bench.open()
    visa.write("POW 1")
    assert bench.clock.now() == pytest.approx(0.010)
    visa.query("POW?")
    assert bench.clock.now() == pytest.approx(0.035)


def test_a_read_without_a_question_times_out_in_bench_time(bench: Bench) -> None:
    visa = bench.open()
    visa.timeout = 700
    with pytest.raises(pyvisa.VisaIOError) as error:
        visa.read()
    assert error.value.error_code == StatusCode.error_timeout
    assert bench.clock.now() == pytest.approx(0.7)
    assert visa.query("SYST:ERR?").strip() == '-420,"Query UNTERMINATED"'


def test_an_unread_reply_is_discarded_by_the_next_message(bench: Bench) -> None:
    visa = bench.open()
    visa.write("*IDN?")
    assert visa.query("POW?").strip() == "0"
    assert visa.query("SYST:ERR?").strip() == '-410,"Query INTERRUPTED"'


def test_a_stream_keeps_unread_replies(bench: Bench) -> None:
    visa = bench.open("ASRL3::INSTR")
    visa.write("*IDN?")
    visa.write("POW?")
    assert isinstance(visa, SerialInstrument)
    assert visa.bytes_in_buffer == len("ACME,3600,SN1,1.0\n0\n")
    assert (visa.read(), visa.read()) == ("ACME,3600,SN1,1.0", "0")


def test_status_byte_clear_and_chunks(bench: Bench) -> None:
    visa = bench.open()
    assert visa.read_stb() == 0
    visa.write("*IDN?")
    assert visa.read_stb() == 16
    visa.clear()
    assert visa.read_stb() == 0
    visa.write("BAD")
    assert visa.read_stb() == 4
    visa.write("*IDN?")
    assert visa.read_bytes(4) == b"ACME"
    assert visa.read_raw(3) == b",3600,SN1,1.0\n"
    visa.write_raw(b"POW 3\nPOW")
    visa.write_raw(b" 4\n")
    assert bench.power == 3.0  # END closed the second message before its number came


def test_attributes(bench: Bench) -> None:
    visa = bench.open("ASRL3::INSTR")
    assert isinstance(visa, SerialInstrument)
    visa.baud_rate = 57600
    assert visa.baud_rate == 57600
    assert visa.resource_name == "ASRL3::INSTR"
    assert visa.resource_manufacturer_name == "v2hrig"
    with pytest.raises(pyvisa.VisaIOError):
        bench.open().get_visa_attribute(pyvisa.constants.ResourceAttribute.asrl_baud_rate)
    visa.close()
    with pytest.raises(pyvisa.errors.InvalidSession):
        visa.query("*IDN?")


@pytest.mark.parametrize("name", NAMES)
def test_a_session_brings_whole_replies(bench: Bench, name: str) -> None:
    session = open_session(name, bench.manager, SerialLine(57600))
    session.write("POW 7")
    assert session.query("POW?") == "7"
    assert session.query_block("WAV:DATA?") == SAMPLES
    assert session.query("POW?") == "7"
    session.close()
    session.close()
    with pytest.raises(LostInstrument, match="closed"):
        session.query("POW?")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        (Fault.SILENCE, LostInstrument, "no answer in time"),
        (Fault.MUTE, LostInstrument, "no answer in time"),
        (Fault.LATE, LostInstrument, "no answer in time"),
        (Fault.GARBAGE, InstrumentError, "no text"),
    ],
)
def test_a_broken_reply_never_reaches_the_next_question(
    bench: Bench, name: str, fault: Fault, error: type[InstrumentError], words: str
) -> None:
    session = open_session(name, bench.manager)
    session.write("POW 7")
    bench.device.order(fault)
    with pytest.raises(error, match=words):
        session.query("*IDN?")
    assert session.query("POW?") == "7"


@pytest.mark.parametrize("name", NAMES)
def test_half_a_reply_is_no_reply(bench: Bench, name: str) -> None:
    session = open_session(name, bench.manager)
    session.write("POW 1234")
    bench.device.order(Fault.HALF, when="POW?")
    with pytest.raises(InstrumentError):
        session.query("POW?")
    bench.device.order(Fault.HALF, when="WAV")
    with pytest.raises(InstrumentError):
        session.query_block("WAV:DATA?")
    assert session.query("POW?") == "1234"


def test_a_block_that_is_none(bench: Bench) -> None:
    session = open_session(NAMES[0], bench.manager)
    for fault in (Fault.NONSENSE, Fault.EMPTY):
        bench.device.order(fault)
        with pytest.raises(InstrumentError, match="block"):
            session.query_block("WAV:DATA?")
    assert session.query_block("WAV:DATA?") == SAMPLES


def test_an_unplugged_instrument_is_lost_for_good(bench: Bench) -> None:
    session = open_session(NAMES[0], bench.manager)
    bench.device.order(Fault.UNPLUGGED)
    for _ in range(3):
        with pytest.raises(LostInstrument, match="VI_ERROR_CONN_LOST"):
            session.query("POW?")
        with pytest.raises(LostInstrument):
            session.write("POW 1")


def test_what_cannot_be_opened_says_how_to_mend_it(bench: Bench) -> None:
    with pytest.raises(LostInstrument, match="check that it is on"):
        open_session("TCPIP::10.9.9.9::INSTR", bench.manager)
    with pytest.raises(LostInstrument, match="EMU::nobody::INSTR"):
        open_session("EMU::nobody::INSTR", bench.manager)


def test_on_a_real_clock_an_exchange_holds_the_clock_s_lock() -> None:
    """The clock's thread moves the emulated world; a session must not read it in the middle of an event."""
    clock = RealClock()
    held: list[bool] = []

    def read() -> float:
        outside = threading.Thread(target=lambda: held.append(not clock.lock.acquire(blocking=False)))
        outside.start()
        outside.join()
        return 1.0

    face = ScpiFace("A,B,C,D", {POWER: (lambda _: None, read)}, latency=exchange_time(0.0, 5.0))
    manager = pyvisa.ResourceManager(EmulatedVisaLibrary({NAMES[0]: face}, clock))
    session = open_session(NAMES[0], manager)
    assert session.lock is clock.lock
    assert session.query("POW?") == "1"
    assert held == [True]
    session.close()
    manager.close()
    clock.close()
