"""VXI-11 and its port mapper, call by call. No socket."""

from __future__ import annotations

import pytest
from lan_bench import IDENTITY, Far, clock, instrument

from rig.clock import RealClock
from rig.visa import portmap, rpc, vxi11
from rig.visa.faults import Fault, FaultyDevice
from rig.visa.rpc import Reader, opaque, words
from rig.visa.turns import Turns
from rig.visa.vxi11 import Vxi11Server

__all__ = ["clock"]
PATIENCE = 10.0
WAIT = 100
"""ms that a read waits for nothing."""


class Client:
    """One connection to the core channel (or the abort channel), a link where it asks for one."""

    def __init__(self, server: Vxi11Server, abort: bool = False) -> None:
        self.far = Far()
        self.connection = server.connect_abort(self.far) if abort else server.connect(self.far)
        self.number, self.link = 0, 0

    def call(self, procedure: int, body: bytes, program: int = vxi11.CORE, version: int = vxi11.VERSION) -> None:
        self.number += 1
        record = words(self.number, rpc.CALL, rpc.RPC_VERSION, program, version, procedure, 0, 0, 0, 0) + body
        self.connection.feed(rpc.marked(record))

    def result(self) -> Reader:
        (record,) = rpc.Records().feed(self.far.took())
        reader = Reader(record)
        assert [reader.word() for _ in range(6)] == [self.number, rpc.REPLY, 0, 0, 0, rpc.SUCCESS]
        return reader

    def ask(self, procedure: int, body: bytes) -> Reader:
        self.call(procedure, body)
        return self.result()

    def open(self, name: str = "inst0", lock: int = 0) -> int:
        made = self.ask(vxi11.CREATE_LINK, words(7, lock, 0) + opaque(name.encode()))
        error, self.link = made.word(), made.signed()
        return error

    def write(self, text: str, flags: int = vxi11.END_FLAG) -> int:
        done = self.ask(vxi11.WRITE, words(self.link, 0, 0, flags) + opaque(text.encode()))
        error, size = done.word(), done.word()
        assert size == (0 if error else len(text))
        return error

    def wants(self, count: int = 1000, stop: str = "", wait: int = WAIT) -> None:
        flags, character = (vxi11.TERMCHAR_SET, ord(stop)) if stop else (0, 0)
        self.call(vxi11.READ, words(self.link, count, wait, 0, flags, character))

    def read(self, count: int = 1000, stop: str = "") -> tuple[int, int, bytes]:
        self.wants(count, stop)
        got = self.result()
        return got.word(), got.word(), got.opaque()

    def query(self, text: str) -> bytes:
        assert self.write(text) == 0
        return self.read()[2]

    def generic(self, procedure: int, flags: int = 0, wait: int = 0) -> Reader:
        return self.ask(procedure, words(self.link, flags, wait, 0))


@pytest.fixture
def both(clock: RealClock) -> tuple[Turns, FaultyDevice]:
    return instrument(clock)


@pytest.fixture
def server(both: tuple[Turns, FaultyDevice]) -> Vxi11Server:
    return Vxi11Server({"inst0": both[0]})


@pytest.fixture
def client(server: Vxi11Server) -> Client:
    client = Client(server)
    assert client.open() == 0
    return client


def test_text_in_text_out_and_why_a_read_ended(client: Client) -> None:
    assert client.write("*ID", flags=0) == 0
    assert client.write("N?\n") == 0
    assert client.read(4) == (0, 1, b"ACME")
    assert client.read(100, stop=",") == (0, 2, b",")
    assert client.read(100, stop="N") == (0, 2, b"3600,SN")
    assert client.read(6) == (0, 1 | 4, b"1,1.0\n")


def test_two_links_have_replies_of_their_own_and_one_instrument(server: Vxi11Server, client: Client) -> None:
    other = Client(server)
    assert other.open("INST0") == 0
    assert other.link != client.link
    client.write("POW 12")
    client.write("*IDN?")
    assert other.query("POW?") == b"12\n"
    assert client.read()[2] == f"{IDENTITY}\n".encode()


def test_a_device_that_is_not_there(server: Vxi11Server) -> None:
    client = Client(server)
    assert client.open("inst1") == 3
    assert client.write("*IDN?") == 4
    assert client.read() == (4, 0, b"")
    assert client.generic(vxi11.READ_STB).word() == 4
    assert client.ask(vxi11.DESTROY_LINK, words(9)).word() == 4


def test_an_unread_reply_is_discarded_and_a_read_for_nothing_times_out(client: Client, clock: RealClock) -> None:
    client.write("*IDN?")
    assert client.query("SYST:ERR?") == b'-410,"Query INTERRUPTED"\n'
    client.wants(wait=5)
    assert clock.wait_until(lambda: bool(client.far.got), PATIENCE) < PATIENCE
    assert client.result().word() == 15
    assert client.query("SYST:ERR?") == b'-420,"Query UNTERMINATED"\n'


def test_status_trigger_and_clear(client: Client, both: tuple[Turns, FaultyDevice]) -> None:
    client.write("*IDN?")
    status = client.generic(vxi11.READ_STB)
    assert (status.word(), status.word()) == (0, 16)
    assert client.write("POW 9", flags=0) == 0
    assert client.generic(vxi11.CLEAR).word() == 0
    status = client.generic(vxi11.READ_STB)
    assert (status.word(), status.word()) == (0, 0)
    assert client.generic(vxi11.TRIGGER).word() == 0
    assert both[1].lines[-1] == "*TRG"
    assert client.generic(vxi11.REMOTE).word() == client.generic(vxi11.LOCAL).word() == 0
    client.write("*CLS")
    assert client.query("POW?") == b"0\n"


def test_a_lock_keeps_others_out_and_goes_with_its_client(server: Vxi11Server, client: Client) -> None:
    other = Client(server)
    assert other.open() == 0
    assert client.ask(vxi11.LOCK, words(client.link, 0, 0)).word() == 0
    assert other.ask(vxi11.LOCK, words(other.link, 0, 0)).word() == 11
    assert other.write("POW 5") == 11
    assert other.generic(vxi11.READ_STB).word() == 11
    third = Client(server)
    assert third.open(lock=1) == 11
    other.call(vxi11.WRITE, words(other.link, 0, 60_000, vxi11.END_FLAG | vxi11.WAIT_LOCK) + opaque(b"POW 5"))
    assert other.far.got == b""
    assert client.query("POW?") == b"0\n"
    client.connection.lost()
    assert other.result().word() == 0
    assert other.query("POW?") == b"5\n"
    assert other.ask(vxi11.UNLOCK, words(other.link)).word() == 12


def test_what_the_instrument_took_it_does_though_its_client_has_gone(
    server: Vxi11Server, client: Client, both: tuple[Turns, FaultyDevice], clock: RealClock
) -> None:
    both[1].order(Fault.SLOW)
    client.write("*IDN?")
    client.write("POW 7")  # taken, and behind what takes its time
    client.ask(vxi11.DESTROY_LINK, words(client.link))
    other = Client(server)
    other.open()
    other.write("POW?")
    other.wants(wait=10_000)
    clock.wait_until(lambda: bool(other.far.got), PATIENCE)
    assert [other.result().word(), other.far.took()] == [0, b""]
    assert other.query("POW?") == b"7\n"
    assert both[1].lines[:3] == ["*IDN?", "POW 7", "POW?"]


def test_a_read_that_waits_is_ended_by_an_abort(server: Vxi11Server, client: Client) -> None:
    client.wants(wait=60_000)
    aborting = Client(server, abort=True)
    aborting.call(vxi11.ABORT, words(client.link), vxi11.ASYNC)
    assert aborting.result().word() == 0
    assert client.result().word() == 23


def test_what_is_not_offered_says_so(client: Client) -> None:
    assert client.ask(vxi11.ENABLE_SRQ, words(client.link, 1, 0)).word() == 8
    assert client.ask(vxi11.CREATE_INTERRUPT, words(0, 0, 0, 0, 0)).word() == 8
    assert client.ask(vxi11.DO_COMMAND, words(client.link)).word() == 8


def states(client: Client) -> list[int]:
    reader = Reader(rpc.Records().feed(client.far.took())[0])
    assert reader.word() == client.number
    return [reader.word() for _ in range(5)]


def test_calls_that_cannot_be(client: Client) -> None:
    client.call(vxi11.CREATE_LINK, b"", program=1)
    assert states(client)[-1] == rpc.NO_PROGRAM
    client.call(vxi11.CREATE_LINK, b"", version=2)
    assert states(client)[-1] == rpc.WRONG_VERSION
    client.call(99, b"")
    assert states(client)[-1] == rpc.NO_PROCEDURE
    client.call(vxi11.WRITE, words(client.link))
    assert states(client)[-1] == rpc.GARBAGE
    client.call(0, b"")
    assert states(client)[-1] == rpc.SUCCESS
    client.connection.feed(rpc.marked(words(5, rpc.CALL, 3, vxi11.CORE)))
    refused = Reader(rpc.Records().feed(client.far.took())[0])
    assert [refused.word() for _ in range(6)] == [5, rpc.REPLY, rpc.DENIED, rpc.RPC_MISMATCH, 2, 2]


def test_an_unplugged_instrument_hangs_up(
    server: Vxi11Server, client: Client, both: tuple[Turns, FaultyDevice]
) -> None:
    both[1].order(Fault.UNPLUGGED)
    client.call(vxi11.WRITE, words(client.link, 0, 0, vxi11.END_FLAG) + opaque(b"POW?"))
    assert not client.far.open
    assert Client(server).open() == 3


def mapped(procedure: int, body: bytes, version: int = 2) -> Reader:
    programs = portmap.port_mapper({(vxi11.CORE, 1): 1024})
    call = words(3, rpc.CALL, rpc.RPC_VERSION, portmap.PROGRAM, version, procedure, 0, 0, 0, 0) + body
    answer = portmap.datagram(programs)(call)
    assert answer is not None
    reader = Reader(answer)
    for _ in range(5):
        reader.word()
    return reader


def test_the_port_mapper_says_where_the_core_channel_is() -> None:
    found = mapped(portmap.GET_PORT, words(vxi11.CORE, 1, portmap.TCP, 0))
    assert (found.word(), found.word()) == (rpc.SUCCESS, 1024)
    for program, version, protocol in ((vxi11.CORE, 2, 6), (vxi11.ASYNC, 1, 6), (vxi11.CORE, 1, 17)):
        found = mapped(portmap.GET_PORT, words(program, version, protocol, 0))
        assert (found.word(), found.word()) == (rpc.SUCCESS, 0)
    listed = mapped(portmap.DUMP, b"")
    assert [listed.word() for _ in range(7)] == [rpc.SUCCESS, 1, vxi11.CORE, 1, portmap.TCP, 1024, 0]
    entry = mapped(portmap.SET, words(1, 1, 6, 99))
    assert (entry.word(), entry.word()) == (rpc.SUCCESS, 0)
    newer = mapped(portmap.GET_PORT, b"", version=4)
    assert [newer.word() for _ in range(3)] == [rpc.WRONG_VERSION, 2, 2]
