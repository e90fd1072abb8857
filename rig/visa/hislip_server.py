"""HiSLIP as an instrument speaks it (IVI-6.1): sessions of two channels, for several instruments by sub-address. It
knows no socket.

Theory
  A client opens the synchronous channel (Initialize, with the sub-address), gets a session number and opens the
  asynchronous channel with it. Data, triggers and the end of a device clear go over the first; locks, status, the
  beginning of a device clear and remote/local over the second. When either goes, the session goes.

  Synchronized mode (what is preferred): one question, one answer. A reply carries the id of the message that asked for
  it. A client says in its next message, or in a status query, that the last reply was read to its end (RMT delivered);
  a message without that while a reply is out, or not made yet, interrupts it: the reply is dropped, both channels are
  told, and the instrument notes -410.
  Overlap mode: messages and replies are two streams; nothing interrupts, replies have ids of their own. A client asks
  for it with a device clear, the only moment at which the mode may change.

  Device clear: the asynchronous request stops everything at once; what still comes on the synchronous channel is
  ignored up to DeviceClearComplete.

  The status byte is polled: no service request is sent.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping

from rig.visa import hislip as h
from rig.visa.hislip import Kind, Message
from rig.visa.streams import Peer
from rig.visa.turns import Turns

MOST_SESSIONS = 32
"""Sessions at a time (project choice)."""
RMT_DELIVERED = 1
OVERLAP = 1
_LONG = struct.Struct("!Q")


class HislipServer:
    """What stands behind the port: connections, and which session they belong to. instruments: by sub-address, the
    first one under the empty name too."""

    def __init__(self, instruments: Mapping[str, Turns]) -> None:
        self._instruments = {name.lower(): turns for name, turns in instruments.items()}
        self._first = next(iter(instruments.values()))
        self._clock = self._first.clock
        self._sessions: dict[int, _Session] = {}
        self._number = 0
        for turns in instruments.values():
            turns.when_gone(lambda turns=turns: self._unplug(turns))  # type: ignore[misc]

    def connect(self, peer: Peer) -> _Channel:
        """A client has come; which channel it is, its first message says."""
        return _Channel(self, peer)

    def open(self, channel: _Channel, message: Message) -> _Session | None:
        """Initialize: a new session on its synchronous channel."""
        name = (message.payload or b"").decode("latin-1").lower()
        turns = self._instruments.get(name) if name else self._first
        if turns is None or turns.gone:
            channel.fatal(h.BAD_INITIALIZATION, f"no instrument {name!r} here")
        elif len(self._sessions) >= MOST_SESSIONS:
            channel.fatal(h.TOO_MANY_CLIENTS, f"{MOST_SESSIONS} sessions are open")
        else:
            self._number = self._number % 0xFFFF + 1
            while self._number in self._sessions:
                self._number = self._number % 0xFFFF + 1
            session = self._sessions[self._number] = _Session(turns, channel, self._end, self._number)
            version = min(h.VERSION, message.parameter >> 16)
            channel.send(Message(Kind.INITIALIZE_RESPONSE, 0, version << 16 | self._number))
            return session
        return None

    def join(self, channel: _Channel, message: Message) -> _Session | None:
        """AsyncInitialize: the second channel of a session."""
        session = self._sessions.get(message.parameter)
        if session is None or session.asynchronous is not None:
            channel.fatal(h.BAD_INITIALIZATION, f"no session {message.parameter} waits for its second channel")
            return None
        session.asynchronous = channel
        channel.send(Message(Kind.ASYNC_INITIALIZE_RESPONSE, 0, h.VENDOR))
        return session

    def _end(self, session: _Session) -> None:
        self._sessions.pop(session.number, None)

    def _unplug(self, turns: Turns) -> None:
        for session in [one for one in self._sessions.values() if one.turns is turns]:
            session.hang_up()

    def locked(self, call: Callable[[], None]) -> None:
        """Do something to an instrument's side of things."""
        with self._clock.lock:
            call()


class _Channel:
    """One connection: bytes to messages, and to the session once it has one."""

    def __init__(self, server: HislipServer, peer: Peer) -> None:
        self._server, self.peer = server, peer
        self._decoder = h.Decoder()
        self.session: _Session | None = None

    def feed(self, data: bytes) -> None:
        """Bytes from the client."""
        self._server.locked(lambda: self._feed(data))

    def lost(self) -> None:
        """The connection is over, and with it the session."""
        session = self.session
        if session is not None:
            self._server.locked(session.hang_up)

    def send(self, message: Message) -> None:
        """To the client."""
        self.peer.send(h.encode(message))

    def error(self, code: int, words: str) -> None:
        """The message is ignored."""
        self.send(Message(Kind.ERROR, code, 0, words.encode("latin-1", "replace")))

    def fatal(self, code: int, words: str) -> None:
        """The connection ends."""
        self.send(Message(Kind.FATAL_ERROR, code, 0, words.encode("latin-1", "replace")))
        self.peer.hang_up()

    def _feed(self, data: bytes) -> None:
        try:
            messages = self._decoder.feed(data)
        except h.OutOfStep as error:
            self.fatal(h.BAD_HEADER, str(error))
            return
        for message in messages:
            if not self.peer.open:
                return
            self._take(message)

    def _take(self, message: Message) -> None:
        if message.kind not in h.KINDS:
            vendor = message.kind >= h.FIRST_VENDOR_KIND
            self.error(h.UNKNOWN_VENDOR_KIND if vendor else h.UNKNOWN_KIND, f"message type {message.kind}")
        elif message.payload is None:
            self.error(h.TOO_LARGE, f"more than {h.LONGEST} bytes")
        elif self.session is not None:
            self.session.take(self, message)
        elif message.kind == Kind.INITIALIZE:
            self.session = self._server.open(self, message)
        elif message.kind == Kind.ASYNC_INITIALIZE:
            self.session = self._server.join(self, message)
        else:
            self.fatal(h.BAD_INITIALIZATION, "a connection begins with Initialize or AsyncInitialize")


class _Session:
    """One client of one instrument."""

    def __init__(self, turns: Turns, channel: _Channel, ended: Callable[[_Session], None], number: int) -> None:
        self.turns, self.number = turns, number
        self.synchronous = channel
        self.asynchronous: _Channel | None = None
        self._ended = ended
        self._largest = h.LONGEST - h.HEADER
        self._overlap = False
        self._asked: dict[int, int] = {}  # tag of a line -> id of its message
        self._tag = 0
        self._begin()

    def _begin(self) -> None:
        self._message = bytearray()
        self._latest = 0  # id of the last message that was complete
        self._unread = False  # a reply went out whose end the client has not read, as far as it said
        self._own_id = h.FIRST_ID
        self._clearing = False
        self._asked.clear()

    def take(self, channel: _Channel, message: Message) -> None:
        """A message on either channel."""
        if channel is self.synchronous:
            table, second = _SYNCHRONOUS, self.asynchronous
            if second is None and message.kind in table:
                channel.fatal(h.NO_ASYNC_CHANNEL, "the second channel is not open")
                return
        else:
            table = _ASYNCHRONOUS
        if message.kind in (Kind.FATAL_ERROR, Kind.ERROR):
            if message.kind == Kind.FATAL_ERROR:
                self.hang_up()
            return
        act = table.get(message.kind)
        if act is None:
            channel.error(h.UNKNOWN_KIND, f"message type {message.kind} does not belong on this channel")
        elif channel is self.asynchronous or not self._clearing or message.kind == Kind.DEVICE_CLEAR_COMPLETE:
            act(self, message)

    def hang_up(self) -> None:
        """The session is over. Idempotent."""
        for channel in (self.synchronous, self.asynchronous):
            if channel is not None:
                channel.peer.hang_up()
        self._asked.clear()
        self.turns.leave(self)
        self._ended(self)

    # -- the synchronous channel

    def _data(self, message: Message) -> None:
        self._heard(message)
        payload = message.payload or b""
        if len(self._message) + len(payload) > h.LONGEST:
            self._message.clear()
            self.synchronous.error(h.TOO_LARGE, f"a message of more than {h.LONGEST} bytes")
            return
        self._message += payload
        if message.kind == Kind.DATA_END:
            text, self._message = self._message.decode("latin-1"), bytearray()
            for line in text.split("\n"):
                if line.strip():
                    self._ask(line.rstrip("\r"), message.parameter)

    def _trigger(self, message: Message) -> None:
        """A bus trigger means what *TRG means (IEEE 488.2, 10.37)."""
        self._heard(message)
        self._ask("*TRG", message.parameter)

    def _ask(self, line: str, number: int) -> None:
        self._tag += 1
        self._latest = number
        self._asked[self._tag] = number
        self.turns.ask(self, self._tag, line)

    def _heard(self, message: Message) -> None:
        """The client goes on: with a reply unread it interrupts."""
        if message.control & RMT_DELIVERED:
            self._unread = False
        if self._unread and not self._overlap:
            self._unread = False
            self._interrupted(message.parameter)

    def _interrupted(self, by: int) -> None:
        self.turns.device.query_error(-410)
        self.synchronous.send(Message(Kind.INTERRUPTED, 0, by))
        if self.asynchronous is not None:
            self.asynchronous.send(Message(Kind.ASYNC_INTERRUPTED, 0, by))

    def answered(self, tag: int, reply: bytes | None) -> None:
        """Its line was worked on."""
        number = self._asked.pop(tag, None)
        if number is None or not reply:
            return  # cleared meanwhile, or nothing to say
        if self._overlap:
            self._send(reply, None)
        elif self._asked or number != self._latest:
            self._interrupted(self._latest)
        else:
            self._send(reply, number)
            self._unread = True

    def cut(self, part: bytes) -> None:
        """The line breaks: half a message, then nothing."""
        whole = h.encode(Message(Kind.DATA_END, 0, self._latest, part + part))
        self.synchronous.peer.send(whole[: len(whole) - len(part)])
        self.hang_up()

    def _send(self, reply: bytes, number: int | None) -> None:
        """As many messages as the client takes. number: of the question; None: ids of our own."""
        for start in range(0, len(reply), self._largest):
            piece = reply[start : start + self._largest]
            kind = Kind.DATA_END if start + self._largest >= len(reply) else Kind.DATA
            self.synchronous.send(Message(kind, 0, self._own_id if number is None else number, piece))
            self._own_id = h.next_id(self._own_id)

    def _clear_complete(self, message: Message) -> None:
        """The client has thrown away what was under way; its control code chooses the mode from now on."""
        self._overlap = bool(message.control & OVERLAP)
        self._begin()
        self.synchronous.send(Message(Kind.DEVICE_CLEAR_ACKNOWLEDGE, message.control & OVERLAP))

    # -- the asynchronous channel

    def _reply(self, kind: Kind, control: int = 0, parameter: int = 0, payload: bytes = b"") -> None:
        if self.asynchronous is not None:
            self.asynchronous.send(Message(kind, control, parameter, payload))

    def _largest_message(self, message: Message) -> None:
        payload = message.payload or b""
        if len(payload) != _LONG.size:
            self._complain("the payload of AsyncMaxMsgSize is 8 bytes")
            return
        wanted = _LONG.unpack(payload)[0]
        self._largest = max(1, min(h.LONGEST, wanted) - h.HEADER)
        self._reply(Kind.ASYNC_MAX_MESSAGE_SIZE_RESPONSE, payload=_LONG.pack(h.LONGEST))

    def _clear(self, message: Message) -> None:
        self.turns.forget(self)
        self._begin()
        self._clearing = True
        self.turns.device.clear()
        self._reply(Kind.ASYNC_DEVICE_CLEAR_ACKNOWLEDGE, OVERLAP if self._overlap else 0)

    def _status(self, message: Message) -> None:
        if message.control & RMT_DELIVERED:
            self._unread = False
        self._reply(Kind.ASYNC_STATUS_RESPONSE, self.turns.device.status_byte(self._unread))

    def _remote_local(self, message: Message) -> None:
        """Taken and answered: an emulated instrument has no front panel to lock."""
        self._reply(Kind.ASYNC_REMOTE_LOCAL_RESPONSE)

    def _lock_info(self, message: Message) -> None:
        locks = self.turns.locks
        self._reply(Kind.ASYNC_LOCK_INFO_RESPONSE, int(locks.exclusive), locks.holders)

    def _lock(self, message: Message) -> None:
        """Control code 0 gives back, 1 requests. Answers: 0 not granted in time, 1 done (exclusive), 2 done (shared),
        3 wrong."""
        locks = self.turns.locks
        if message.control == 0:
            done = {"exclusive": 1, "shared": 2, "": 3}[locks.release(self)]
            self._reply(Kind.ASYNC_LOCK_RESPONSE, done)
        elif message.control == 1:
            key = (message.payload or b"").decode("latin-1")
            wrong = locks.held(self) == "exclusive" or (key and locks.held(self))
            if wrong:
                self._reply(Kind.ASYNC_LOCK_RESPONSE, 3)
            else:
                within = message.parameter / 1000.0
                locks.request(self, key, within, lambda yes: self._reply(Kind.ASYNC_LOCK_RESPONSE, int(yes)))
        else:
            self._complain(f"lock control code {message.control}", h.UNKNOWN_CONTROL_CODE)

    def _complain(self, words: str, code: int = h.UNIDENTIFIED) -> None:
        if self.asynchronous is not None:
            self.asynchronous.error(code, words)


_Act = Callable[[_Session, Message], None]
_SYNCHRONOUS: Mapping[int, _Act] = {
    Kind.DATA: _Session._data,
    Kind.DATA_END: _Session._data,
    Kind.TRIGGER: _Session._trigger,
    Kind.DEVICE_CLEAR_COMPLETE: _Session._clear_complete,
}
_ASYNCHRONOUS: Mapping[int, _Act] = {
    Kind.ASYNC_MAX_MESSAGE_SIZE: _Session._largest_message,
    Kind.ASYNC_DEVICE_CLEAR: _Session._clear,
    Kind.ASYNC_STATUS_QUERY: _Session._status,
    Kind.ASYNC_REMOTE_LOCAL_CONTROL: _Session._remote_local,
    Kind.ASYNC_LOCK: _Session._lock,
    Kind.ASYNC_LOCK_INFO: _Session._lock_info,
}
