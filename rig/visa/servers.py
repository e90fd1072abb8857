"""Emulated instruments on real transports: what the listed ones offer (facts: instruments.md), on loopback unless told
otherwise. Bytes to lines to the device and back; what they say lies in hislip_server, vxi11 and here for raw streams.

A raw stream (TCP socket, serial line) knows neither device clear nor status query; a client that goes takes its half
line and its unread replies with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import NoReturn

from rig.clock import RealClock
from rig.errors import UseError
from rig.visa import portmap, rpc, vxi11
from rig.visa.device import Device
from rig.visa.hislip_server import HislipServer
from rig.visa.streams import LONGEST, LOOPBACK, Listener, Peer, Streams
from rig.visa.turns import Turns


class Lines:
    """A stream of bytes, cut into messages at LF. Pure."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        """Every message that ended in these bytes, without its end. ValueError for one that grows beyond LONGEST."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LONGEST:
            raise ValueError(f"more than {LONGEST} bytes without an end")
        return [line.rstrip(b"\r").decode("latin-1") for line in lines]


class _Raw:
    """One client on a raw stream. wired: it cannot be hung up on."""

    def __init__(self, turns: Turns, wired: bool, peer: Peer) -> None:
        self._turns, self._peer, self._wired, self._lines = turns, peer, wired, Lines()

    def feed(self, data: bytes) -> None:
        try:
            lines = self._lines.feed(data)
        except ValueError:
            if not self._wired:
                raise
            self._lines = Lines()
            return
        with self._turns.clock.lock:
            for line in lines:
                self._turns.ask(self, 0, line)

    def lost(self) -> None:
        return  # what it told the instrument still happens

    def answered(self, tag: int, reply: bytes | None) -> None:
        if reply:
            self._peer.send(reply)

    def cut(self, part: bytes) -> None:
        self._peer.send(part)
        if not self._wired:
            self._peer.hang_up()


def streams_on(clock: RealClock) -> Streams:
    """The thread that looks after all of a bench's places. An error in it is raised in the foreground of the clock."""

    def failed(error: BaseException) -> None:
        clock.at(clock.now(), partial(_throw, error))

    return Streams(failed)


class SocketServer:
    """One instrument on one TCP port until closed. port: 0 lets the system choose; `port` says which it is."""

    def __init__(
        self,
        device: Device | Turns,
        clock: RealClock,
        port: int = 0,
        host: str = LOOPBACK,
        streams: Streams | None = None,
    ) -> None:
        turns = device if isinstance(device, Turns) else Turns(device, clock)
        self._close: Callable[[], None] = lambda: None
        own = streams is None
        used = streams_on(clock) if streams is None else streams
        try:
            listener = used.listen(host, port, partial(_Raw, turns, False))
        except UseError:
            if own:
                used.close()
            raise
        self._close = used.close if own else listener.close
        self.host, self.port = listener.host, listener.port
        turns.when_gone(self._close)  # unplugged: whoever is connected is hung up on, and its port answers no more

    @property
    def resource(self) -> str:
        """The VISA resource a client opens."""
        return f"TCPIP::{self.host}::{self.port}::SOCKET"

    def close(self) -> None:
        """Hang up on everybody. Idempotent."""
        self._close()


def serve_terminal(turns: Turns, streams: Streams) -> Listener:
    """An instrument on a serial line, a pseudo-terminal: its name is the listener's host."""
    return streams.terminal(partial(_Raw, turns, True))


def serve_hislip(instruments: Mapping[str, Turns], streams: Streams, port: int = 0, host: str = LOOPBACK) -> Listener:
    """Instruments by sub-address on one port."""
    return streams.listen(host, port, HislipServer(instruments).connect)


def serve_vxi11(instruments: Mapping[str, Turns], streams: Streams, port: int = 0, host: str = LOOPBACK) -> Listener:
    """Instruments by device name on one core channel. port: of the core channel; clients that do not know it ask a port
    mapper."""
    server = vxi11.Vxi11Server(instruments)
    core = streams.listen(host, port, server.connect)
    try:
        server.abort_port = streams.listen(host, 0, server.connect_abort).port
    except UseError:
        core.close()
        raise
    return core


def serve_port_mapper(core: Listener, streams: Streams, port: int = portmap.PORT) -> Listener:
    """Tells clients where the core channel is, on TCP and UDP. UseError says what is needed where it cannot be had."""
    programs = portmap.port_mapper({(vxi11.CORE, vxi11.VERSION): core.port})

    try:
        listener = streams.listen(core.host, port, lambda peer: _Mapper(programs, peer))
        try:
            streams.datagrams(core.host, listener.port, portmap.datagram(programs))
        except UseError:
            listener.close()
            raise
    except UseError as error:
        words = str(error).removesuffix("; choose another port")
        raise UseError(
            f"the VXI-11 port mapper: {words}; clients look for it on port {portmap.PORT} only: stop what has it, or "
            f"start with the right to it (root, or Linux: sysctl net.ipv4.ip_unprivileged_port_start={portmap.PORT})"
        ) from None
    return listener


class _Mapper:
    """One client of the port mapper."""

    def __init__(self, programs: Mapping[int, rpc.Program], peer: Peer) -> None:
        self._programs, self._peer, self._records = programs, peer, rpc.Records()

    def feed(self, data: bytes) -> None:
        for record in self._records.feed(data):
            rpc.answer(record, self._programs, lambda reply: self._peer.send(rpc.marked(reply)))

    def lost(self) -> None:
        return


def _throw(error: BaseException) -> NoReturn:
    raise error
