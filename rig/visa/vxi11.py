"""VXI-11 as instruments speak it (VXI-11 revision 1.0, and VXI-11.3 for IEEE 488.2 messages). It knows no socket.

Theory
  One server answers for several instruments by device name, as a gateway does; a link (rig.visa.vxi11_link) is one
  client's way to one of them. A message is collected from device_write up to its END flag and handed to the instrument;
  device_read waits for a reply, at most its io_timeout.

  A lock belongs to a link. Whoever is kept out waits lock_timeout when its flags say so, else is refused at once.
  device_abort, on a channel of its own, ends a read that waits. Links end with the connection they were made on.

  No interrupt channel: the status byte is polled (the calls for it answer "operation not supported").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rig.visa.rpc import Procedure, Program, Reader, Records, answer, marked, opaque, words
from rig.visa.streams import Peer
from rig.visa.turns import Turns
from rig.visa.vxi11_link import (
    BAD_LINK,
    LOCKED_OUT,
    NO_ERROR,
    NO_LOCK,
    NO_RESOURCES,
    NOT_ACCESSIBLE,
    NOT_SUPPORTED,
    Link,
    Reply,
)

CORE, ASYNC, VERSION = 0x0607AF, 0x0607B0, 1
ABORT = 1
CREATE_LINK, WRITE, READ, READ_STB, TRIGGER, CLEAR, REMOTE, LOCAL, LOCK, UNLOCK, ENABLE_SRQ = range(10, 21)
DO_COMMAND, DESTROY_LINK, CREATE_INTERRUPT, DESTROY_INTERRUPT = 22, 23, 25, 26
WAIT_LOCK, END_FLAG, TERMCHAR_SET = 1, 8, 128

MOST_LINKS = 64
"""Links at a time (project choice)."""
LARGEST_WRITE = 1 << 16
"""Bytes that one device_write may bring (project choice)."""


class Vxi11Server:
    """What stands behind the core and the abort channel. instruments: by device name."""

    def __init__(self, instruments: Mapping[str, Turns]) -> None:
        self._instruments = {name.lower(): turns for name, turns in instruments.items()}
        self.clock = next(iter(instruments.values())).clock
        self.abort_port = 0
        """Told to every client."""
        self.links: dict[int, Link] = {}
        self._number = 0
        for turns in instruments.values():
            turns.when_gone(lambda turns=turns: self._unplug(turns))  # type: ignore[misc]

    def connect(self, peer: Peer) -> _Connection:
        """A client on the core channel."""
        return _Connection(self, peer, lambda one: _Core(self, one).program())

    def connect_abort(self, peer: Peer) -> _Connection:
        """A client on the abort channel."""
        return _Connection(self, peer, lambda _: _abort_program(self))

    def open(self, name: str, connection: _Connection) -> Link | int:
        """A new link, or why not."""
        turns = self._instruments.get(name.lower())
        if turns is None or turns.gone:
            return NOT_ACCESSIBLE
        if len(self.links) >= MOST_LINKS:
            return NO_RESOURCES
        self._number += 1
        link = self.links[self._number] = Link(self._number, turns, connection)
        return link

    def destroy(self, link: Link) -> None:
        """End a link."""
        self.links.pop(link.number, None)
        link.end()

    def _unplug(self, turns: Turns) -> None:
        for link in [one for one in self.links.values() if one.turns is turns]:
            link.connection.peer.hang_up()


class _Connection:
    """One connection: records in, records out, and the links made on it."""

    def __init__(self, server: Vxi11Server, peer: Peer, program: Callable[[_Connection], Program]) -> None:
        self.server, self.peer = server, peer
        served = program(self)
        self._records, self._programs = Records(), {served.number: served}

    def feed(self, data: bytes) -> None:
        """Bytes from the client."""
        records = self._records.feed(data)
        with self.server.clock.lock:
            for record in records:
                answer(record, self._programs, lambda reply: self.peer.send(marked(reply)))

    def lost(self) -> None:
        """The connection is over, and with it its links."""
        with self.server.clock.lock:
            for link in [one for one in self.server.links.values() if one.connection is self]:
                self.server.destroy(link)


class _Core:
    """The procedures of the core channel on one connection. Arguments and results: VXI-11, appendix C."""

    def __init__(self, server: Vxi11Server, connection: _Connection) -> None:
        self._server, self._connection = server, connection

    def program(self) -> Program:
        """By procedure number."""
        procedures: dict[int, Procedure] = {
            CREATE_LINK: self._create,
            WRITE: self._write,
            READ: self._read,
            READ_STB: self._status,
            TRIGGER: self._generic(lambda link: link.ask("*TRG")),
            CLEAR: self._generic(Link.clear),
            REMOTE: self._generic(_nothing),
            LOCAL: self._generic(_nothing),
            LOCK: self._lock,
            UNLOCK: self._unlock,
            ENABLE_SRQ: _refuse,
            DO_COMMAND: lambda _, reply: reply(words(NOT_SUPPORTED) + opaque(b"")),
            DESTROY_LINK: self._destroy,
            CREATE_INTERRUPT: _refuse,
            DESTROY_INTERRUPT: _refuse,
        }
        return Program(CORE, VERSION, procedures)

    def _create(self, arguments: Reader, reply: Reply) -> None:
        arguments.signed()
        lock, within, name = arguments.word(), arguments.word() / 1000.0, arguments.opaque().decode("latin-1")
        link = self._server.open(name, self._connection)
        if isinstance(link, int):
            reply(words(link, 0, 0, 0))
            return
        made = words(NO_ERROR, link.number, self._server.abort_port, LARGEST_WRITE)

        def granted(yes: bool) -> None:
            if not yes:
                self._server.destroy(link)
            reply(made if yes else words(LOCKED_OUT, 0, 0, 0))

        if lock:
            link.turns.locks.request(link, "", within, granted)
        else:
            reply(made)

    def _write(self, arguments: Reader, reply: Reply) -> None:
        link = self._link(arguments)
        arguments.word()
        within, flags, data = arguments.word() / 1000.0, arguments.word(), arguments.opaque()

        def go(link: Link) -> None:
            error = link.write(data, bool(flags & END_FLAG))
            reply(words(error, 0 if error else len(data)))

        _when_free(link, flags, within, go, lambda error: reply(words(error, 0)))

    def _read(self, arguments: Reader, reply: Reply) -> None:
        link = self._link(arguments)
        count, io, within = max(arguments.word(), 1), arguments.word() / 1000.0, arguments.word() / 1000.0
        flags, character = arguments.word(), arguments.word() & 0xFF
        stop = character if flags & TERMCHAR_SET else None

        def go(link: Link) -> None:
            link.read(count, io, stop, reply)

        _when_free(link, flags, within, go, lambda error: reply(words(error, 0) + opaque(b"")))

    def _status(self, arguments: Reader, reply: Reply) -> None:
        link = self._link(arguments)
        flags, within, _ = arguments.word(), arguments.word() / 1000.0, arguments.word()

        def go(link: Link) -> None:
            reply(words(NO_ERROR, link.status()))

        _when_free(link, flags, within, go, lambda error: reply(words(error, 0)))

    def _generic(self, act: Callable[[Link], None]) -> Procedure:
        def call(arguments: Reader, reply: Reply) -> None:
            link = self._link(arguments)
            flags, within, _ = arguments.word(), arguments.word() / 1000.0, arguments.word()

            def go(link: Link) -> None:
                act(link)
                reply(words(NO_ERROR))

            _when_free(link, flags, within, go, lambda error: reply(words(error)))

        return call

    def _lock(self, arguments: Reader, reply: Reply) -> None:
        link = self._link(arguments)
        flags, within = arguments.word(), arguments.word() / 1000.0
        if link is None:
            reply(words(BAD_LINK))
        elif link.turns.locks.held(link):
            reply(words(LOCKED_OUT))
        else:
            wait = within if flags & WAIT_LOCK else 0.0
            link.turns.locks.request(link, "", wait, lambda yes: reply(words(NO_ERROR if yes else LOCKED_OUT)))

    def _unlock(self, arguments: Reader, reply: Reply) -> None:
        link = self._link(arguments)
        if link is None:
            reply(words(BAD_LINK))
        else:
            reply(words(NO_ERROR if link.turns.locks.release(link) else NO_LOCK))

    def _destroy(self, arguments: Reader, reply: Reply) -> None:
        link = self._link(arguments)
        if link is not None:
            self._server.destroy(link)
        reply(words(BAD_LINK if link is None else NO_ERROR))

    def _link(self, arguments: Reader) -> Link | None:
        return self._server.links.get(arguments.signed())


def _abort_program(server: Vxi11Server) -> Program:
    def abort(arguments: Reader, reply: Reply) -> None:
        link = server.links.get(arguments.signed())
        if link is not None:
            link.abort()
        reply(words(BAD_LINK if link is None else NO_ERROR))

    return Program(ASYNC, VERSION, {ABORT: abort})


def _when_free(
    link: Link | None, flags: int, within: float, go: Callable[[Link], None], fail: Callable[[int], None]
) -> None:
    """Go on with a link as soon as no lock keeps it out."""
    if link is None:
        fail(BAD_LINK)
        return
    wait = within if flags & WAIT_LOCK else 0.0
    link.turns.locks.when_allowed(link, wait, lambda yes: go(link) if yes else fail(LOCKED_OUT))


def _nothing(link: Link) -> None:
    """Remote and local: an emulated instrument has no front panel to lock."""


def _refuse(_: Reader, reply: Reply) -> None:
    reply(words(NOT_SUPPORTED))
