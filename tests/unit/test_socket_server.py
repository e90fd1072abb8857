"""An emulated instrument on a TCP port, as plain sockets and pyvisa-py see it. Loopback, a free port each."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
import pyvisa

from rig.clock import RealClock
from rig.errors import LostInstrument, UseError
from rig.visa.device import Disconnected
from rig.visa.servers import LONGEST, SocketServer
from rig.visa.session import open_session

PATIENCE = 20.0


class Echo:
    """Answers every question with itself. lines: everything it was told."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.thinking = 0.0
        self.go_on, self.answered = threading.Event(), threading.Event()

    def latency(self, line: str) -> float:
        return self.thinking

    def process(self, line: str) -> bytes | None:
        self.lines.append(line)
        if line == "UNPLUG":
            raise Disconnected
        if line == "SLOW?":
            self.go_on.wait(PATIENCE)
            self.answered.set()
        if line == "CURVE?":
            return b"#6300000" + bytes(range(250)) * 1200 + b"\n"
        return line.encode("latin-1") + b"\n" if line.endswith("?") else None

    def status_byte(self, pending: bool = False) -> int:
        return 0

    def query_error(self, code: int) -> None:
        raise AssertionError("a plain stream knows no such error")

    def clear(self) -> None:
        raise AssertionError("a plain stream knows no device clear")


@pytest.fixture
def clock() -> Iterator[RealClock]:
    clock = RealClock()
    yield clock
    clock.close()


@pytest.fixture
def device() -> Echo:
    return Echo()


@pytest.fixture
def server(clock: RealClock, device: Echo) -> Iterator[SocketServer]:
    server = SocketServer(device, clock)
    yield server
    server.close()
    server.close()


def connect(server: SocketServer) -> socket.socket:
    return socket.create_connection((server.host, server.port), PATIENCE)


def line(client: socket.socket) -> bytes:
    got = b""
    while not got.endswith(b"\n"):
        piece = client.recv(4096)
        assert piece, f"hung up after {got!r}"
        got += piece
    return got


def test_lines_come_in_pieces_and_several_at_once(server: SocketServer, device: Echo) -> None:
    with connect(server) as client:
        for piece in (b"VOL", b"T 5\r\nVOLT?\nCU", b"RR?\n"):
            client.sendall(piece)
        got = b""
        while got.count(b"\n") < 2:
            got += line(client)
        assert got == b"VOLT?\nCURR?\n"
    assert device.lines == ["VOLT 5", "VOLT?", "CURR?"]


def test_each_client_gets_its_own_answers(server: SocketServer) -> None:
    with connect(server) as one, connect(server) as two:
        for number in range(20):
            one.sendall(f"ONE{number}?\n".encode())
            two.sendall(f"TWO{number}?\n".encode())
            assert line(two) == f"TWO{number}?\n".encode()
            assert line(one) == f"ONE{number}?\n".encode()


def test_an_instrument_works_on_one_line_after_another_and_takes_its_time(server: SocketServer, device: Echo) -> None:
    device.thinking = 0.01
    with connect(server) as one, connect(server) as two:
        one.sendall(b"FIRST\nSECOND\nTHIRD?\n")
        assert line(one) == b"THIRD?\n"
        two.sendall(b"FOURTH?\n")
        assert line(two) == b"FOURTH?\n"
    assert device.lines == ["FIRST", "SECOND", "THIRD?", "FOURTH?"]


def test_a_client_that_goes_takes_its_half_line_with_it(server: SocketServer, device: Echo) -> None:
    with connect(server) as client:
        client.sendall(b"*IDN?\nOUTP ")
        assert line(client) == b"*IDN?\n"
    with connect(server) as client:
        client.sendall(b"ON?\n")
        assert line(client) == b"ON?\n"
    assert device.lines == ["*IDN?", "ON?"]


def test_whoever_sends_without_end_is_hung_up_on_and_nobody_else(server: SocketServer) -> None:
    with connect(server) as good, connect(server) as bad:
        with suppress(ConnectionError):  # it may be told while it still sends
            bad.sendall(b"x" * (LONGEST + 65_536))
        with suppress(ConnectionError):
            assert bad.recv(10) == b""
        good.sendall(b"*IDN?\n")
        assert line(good) == b"*IDN?\n"


def test_an_unplugged_instrument_hangs_up_and_answers_no_more(server: SocketServer) -> None:
    with connect(server) as client:
        client.sendall(b"UNPLUG\n*IDN?\n")
        assert client.recv(10) == b""
    server.close()
    with pytest.raises(ConnectionError):
        connect(server)


def test_a_port_in_use_is_told_in_one_line(server: SocketServer, clock: RealClock) -> None:
    with pytest.raises(UseError, match=rf"127.0.0.1:{server.port} cannot be listened on .*; choose another port"):
        SocketServer(Echo(), clock, server.port)


def test_a_client_that_is_not_ours_sets_asks_and_fetches_a_block(server: SocketServer, device: Echo) -> None:
    manager = pyvisa.ResourceManager("@py")
    try:
        session = open_session(server.resource, manager)
        session.write("VOLT 5")
        assert session.query("VOLT?") == "VOLT?"
        assert session.query_block("CURVE?") == bytes(range(250)) * 1200
        assert session.query("VOLT?") == "VOLT?"
        server.close()
        with pytest.raises(LostInstrument):
            session.query("VOLT?")
        session.close()
    finally:
        manager.close()
    assert device.lines == ["VOLT 5", "VOLT?", "CURVE?", "VOLT?"]


def test_a_session_whose_far_end_is_gone_stays_a_lost_instrument_and_never_hangs(server: SocketServer) -> None:
    manager = pyvisa.ResourceManager("@py")
    try:
        session = open_session(server.resource, manager, timeout=0.2)
        assert session.query("VOLT?") == "VOLT?"
        server.close()
        for _ in range(3):
            with pytest.raises(LostInstrument):
                session.query("VOLT?")
        session.close()
    finally:
        manager.close()


def test_a_late_answer_on_a_socket_is_not_taken_for_the_next_one(server: SocketServer, device: Echo) -> None:
    manager = pyvisa.ResourceManager("@py")
    try:
        session = open_session(server.resource, manager, timeout=0.2)
        with pytest.raises(LostInstrument, match="no answer in time"):
            session.query("SLOW?")
        device.go_on.set()
        assert device.answered.wait(PATIENCE)
        assert session.query("SECOND?") == "SECOND?"
        session.close()
    finally:
        manager.close()
