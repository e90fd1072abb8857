"""HiSLIP as IVI-6.1 has it: initialization, both modes, device clear, locks, status, errors. No socket."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import pytest
from lan_bench import IDENTITY, Far, clock, instrument

from rig.clock import RealClock
from rig.visa import hislip as h
from rig.visa.faults import Fault, FaultyDevice
from rig.visa.hislip import Kind, Message
from rig.visa.hislip_server import HislipServer
from rig.visa.turns import Turns

__all__ = ["clock"]
PATIENCE = 10.0


@dataclass
class Client:
    """Both channels of one client. next: id of its next message."""

    server: HislipServer
    name: str = "hislip0"
    next: int = h.FIRST_ID
    sync: Far = field(default_factory=Far)
    second: Far = field(default_factory=Far)

    def __post_init__(self) -> None:
        self.to_sync, self.to_second = self.server.connect(self.sync), self.server.connect(self.second)
        self.tell(Message(Kind.INITIALIZE, 0, 0x0100 << 16 | 0x7878, self.name.encode()))
        (self.answer,) = self.heard()

    def begin(self) -> Client:
        self.tell_second(Message(Kind.ASYNC_INITIALIZE, 0, self.answer.parameter & 0xFFFF))
        assert [m.kind for m in self.heard_second()] == [Kind.ASYNC_INITIALIZE_RESPONSE]
        return self

    def tell(self, message: Message) -> None:
        self.to_sync.feed(h.encode(message))

    def tell_second(self, message: Message) -> None:
        self.to_second.feed(h.encode(message))

    def say(self, text: str, rmt: bool = True, kind: Kind = Kind.DATA_END) -> int:
        number = self.next
        self.tell(Message(kind, int(rmt), number, text.encode()))
        self.next = h.next_id(number)
        return number

    def heard(self) -> list[Message]:
        return h.Decoder().feed(self.sync.took())

    def heard_second(self) -> list[Message]:
        return h.Decoder().feed(self.second.took())

    def asked(self, kind: Kind, control: int = 0, parameter: int = 0, payload: bytes = b"") -> Message:
        self.tell_second(Message(kind, control, parameter, payload))
        (answer,) = self.heard_second()
        return answer


@pytest.fixture
def both(clock: RealClock) -> tuple[Turns, FaultyDevice]:
    return instrument(clock)


@pytest.fixture
def server(both: tuple[Turns, FaultyDevice]) -> HislipServer:
    return HislipServer({"hislip0": both[0]})


def test_a_session_is_opened_in_two_steps_and_prefers_synchronized_mode(server: HislipServer) -> None:
    client = Client(server)
    assert (client.answer.kind, client.answer.control, client.answer.parameter >> 16) == (
        Kind.INITIALIZE_RESPONSE, 0, 0x0100,
    )  # fmt: skip
    client.begin()
    number = client.say("*IDN?\n")
    assert client.heard() == [Message(Kind.DATA_END, 0, number, f"{IDENTITY}\n".encode())]


def test_two_clients_have_sessions_of_their_own_and_one_instrument(server: HislipServer) -> None:
    one, two = Client(server).begin(), Client(server, "").begin()
    assert one.answer.parameter != two.answer.parameter
    one.say("POW 12")
    two.say("POW?")
    assert [m.payload for m in two.heard()] == [b"12\n"]
    assert one.heard() == []


@pytest.mark.parametrize("name", ["hislip1", "HISLIP", "\xff"])
def test_a_sub_address_that_is_not_there_is_refused(server: HislipServer, name: str) -> None:
    client = Client(server, name)
    assert (client.answer.kind, client.answer.control) == (Kind.FATAL_ERROR, h.BAD_INITIALIZATION)
    assert not client.sync.open


def test_a_message_may_come_in_pieces_and_be_answered_in_pieces(server: HislipServer) -> None:
    client = Client(server).begin()
    size = struct.pack("!Q", h.HEADER + 8)
    answer = client.asked(Kind.ASYNC_MAX_MESSAGE_SIZE, payload=size)
    assert answer.payload == struct.pack("!Q", h.LONGEST)
    client.say("*ID", kind=Kind.DATA)
    number = client.say("N?")
    pieces = client.heard()
    assert [m.kind for m in pieces] == [Kind.DATA, Kind.DATA, Kind.DATA_END]
    assert {m.parameter for m in pieces} == {number}
    assert all(len(m.payload or b"") <= 8 for m in pieces)
    assert b"".join(m.payload or b"" for m in pieces) == f"{IDENTITY}\n".encode()


def test_an_unread_reply_is_interrupted_by_the_next_message(server: HislipServer) -> None:
    client = Client(server).begin()
    client.say("*IDN?")
    second = client.say("POW?", rmt=False)
    kinds = [(m.kind, m.parameter) for m in client.heard()]
    assert kinds[1:] == [(Kind.INTERRUPTED, second), (Kind.DATA_END, second)]
    assert [(m.kind, m.parameter) for m in client.heard_second()] == [(Kind.ASYNC_INTERRUPTED, second)]
    client.say("SYST:ERR?")
    assert client.heard()[0].payload == b'-410,"Query INTERRUPTED"\n'


def test_a_reply_that_was_read_to_its_end_interrupts_nothing(server: HislipServer) -> None:
    client = Client(server).begin()
    client.say("*IDN?")
    assert client.asked(Kind.ASYNC_STATUS_QUERY, control=0).control == 16  # a reply waits
    assert client.asked(Kind.ASYNC_STATUS_QUERY, control=1).control == 0  # it was read
    client.say("POW?", rmt=False)
    assert Kind.INTERRUPTED not in [m.kind for m in client.heard()]


def test_overlap_mode_is_chosen_by_a_device_clear_and_nothing_interrupts(server: HislipServer) -> None:
    client = Client(server).begin()
    assert client.asked(Kind.ASYNC_DEVICE_CLEAR) == Message(Kind.ASYNC_DEVICE_CLEAR_ACKNOWLEDGE)
    client.tell(Message(Kind.DEVICE_CLEAR_COMPLETE, 1))
    assert client.heard() == [Message(Kind.DEVICE_CLEAR_ACKNOWLEDGE, 1)]
    client.next = h.FIRST_ID
    for text in ("POW 3", "POW?", "*IDN?", "POW?"):
        client.say(text, rmt=False)
    heard = client.heard()
    assert [m.payload for m in heard] == [b"3\n", f"{IDENTITY}\n".encode(), b"3\n"]
    assert [m.parameter for m in heard] == [h.FIRST_ID, h.FIRST_ID + 2, h.FIRST_ID + 4]
    assert client.heard_second() == []


def test_a_device_clear_throws_away_what_is_half_said(server: HislipServer) -> None:
    client = Client(server).begin()
    client.say("POW 9", kind=Kind.DATA)
    client.asked(Kind.ASYNC_DEVICE_CLEAR)
    client.say("99")  # still on its way when the clear began
    client.tell(Message(Kind.DEVICE_CLEAR_COMPLETE, 0))
    client.heard()
    client.say("POW?")
    assert client.heard()[0].payload == b"0\n"


def test_the_exclusive_lock_keeps_others_waiting(server: HislipServer) -> None:
    one, two = Client(server).begin(), Client(server).begin()
    assert one.asked(Kind.ASYNC_LOCK, 1, 0).control == 1
    assert one.asked(Kind.ASYNC_LOCK, 1, 0).control == 3  # it has it already
    assert two.asked(Kind.ASYNC_LOCK_INFO) == Message(Kind.ASYNC_LOCK_INFO_RESPONSE, 1, 1)
    assert two.asked(Kind.ASYNC_LOCK, 1, 0).control == 0  # at once or not at all
    two.say("POW 5")
    two.say("POW?")
    assert two.heard() == []
    one.say("POW?")
    assert one.heard()[0].payload == b"0\n"
    assert one.asked(Kind.ASYNC_LOCK, 0).control == 1
    assert two.heard()[0].payload == b"5\n"
    assert one.asked(Kind.ASYNC_LOCK, 0).control == 3  # it has none


def test_a_shared_lock_is_for_all_who_know_its_key(server: HislipServer) -> None:
    one, two, three = (Client(server).begin() for _ in range(3))
    assert one.asked(Kind.ASYNC_LOCK, 1, 0, b"key").control == 1
    assert two.asked(Kind.ASYNC_LOCK, 1, 0, b"key").control == 1
    assert three.asked(Kind.ASYNC_LOCK, 1, 0, b"other").control == 0
    assert three.asked(Kind.ASYNC_LOCK_INFO) == Message(Kind.ASYNC_LOCK_INFO_RESPONSE, 0, 2)
    assert one.asked(Kind.ASYNC_LOCK, 0).control == 2


def test_a_lock_goes_with_its_client(server: HislipServer) -> None:
    one, two = Client(server).begin(), Client(server).begin()
    one.asked(Kind.ASYNC_LOCK, 1)
    two.say("POW?")
    assert two.heard() == []
    one.to_second.lost()
    assert not one.sync.open
    assert two.heard()[0].payload == b"0\n"


def test_what_the_instrument_took_it_does_though_its_client_has_gone(
    server: HislipServer, both: tuple[Turns, FaultyDevice], clock: RealClock
) -> None:
    both[1].order(Fault.SLOW)
    one, two = Client(server).begin(), Client(server).begin()
    one.say("*IDN?")
    one.say("POW 7")  # taken, and behind what takes its time
    one.to_sync.lost()
    two.say("POW?")
    assert clock.wait_until(lambda: bool(two.sync.got), PATIENCE) < PATIENCE
    assert two.heard()[0].payload == b"7\n"
    assert one.heard() == []


def test_a_line_that_a_lock_kept_out_goes_with_its_client(
    server: HislipServer, both: tuple[Turns, FaultyDevice]
) -> None:
    one, two = Client(server).begin(), Client(server).begin()
    one.asked(Kind.ASYNC_LOCK, 1)
    two.say("POW 9")
    two.to_sync.lost()
    one.asked(Kind.ASYNC_LOCK, 0)
    one.say("POW?")
    assert one.heard()[0].payload == b"0\n"
    assert both[1].lines == ["POW?"]


def test_a_lock_that_is_not_granted_in_time_is_said_so(server: HislipServer, clock: RealClock) -> None:
    one, two = Client(server).begin(), Client(server).begin()
    one.asked(Kind.ASYNC_LOCK, 1)
    two.tell_second(Message(Kind.ASYNC_LOCK, 1, 5))
    assert clock.wait_until(lambda: bool(two.second.got), PATIENCE) < PATIENCE
    assert two.heard_second() == [Message(Kind.ASYNC_LOCK_RESPONSE, 0)]


def test_a_trigger_means_trg(server: HislipServer, both: tuple[Turns, FaultyDevice]) -> None:
    client = Client(server).begin()
    client.tell(Message(Kind.TRIGGER, 1, client.next))
    assert both[1].lines == ["*TRG"]


@pytest.mark.parametrize(
    ("message", "answer", "code"),
    [
        (Message(77), Kind.ERROR, h.UNKNOWN_KIND),
        (Message(200), Kind.ERROR, h.UNKNOWN_VENDOR_KIND),
        (Message(Kind.ASYNC_LOCK), Kind.ERROR, h.UNKNOWN_KIND),
        (Message(Kind.DATA_END, 1, 0, bytes(h.LONGEST + 1)), Kind.ERROR, h.TOO_LARGE),
    ],
)
def test_what_cannot_be_is_told_and_the_session_goes_on(
    server: HislipServer, message: Message, answer: Kind, code: int
) -> None:
    client = Client(server).begin()
    client.tell(message)
    assert [(m.kind, m.control) for m in client.heard()] == [(answer, code)]
    client.say("POW?")
    assert client.heard()[0].payload == b"0\n"


def test_what_breaks_the_protocol_ends_the_session(server: HislipServer) -> None:
    lost = Client(server).begin()
    lost.to_sync.feed(b"GET / HTTP/1.1\r\n\r\n")
    early = Client(server)
    early.say("*IDN?")  # the second channel is missing
    stranger = server.connect(far := Far())
    stranger.feed(h.encode(Message(Kind.DATA_END, 0, 0, b"*IDN?")))
    codes = [(m.kind, m.control) for m in (*lost.heard(), *early.heard(), *h.Decoder().feed(far.took()))]
    assert codes == [
        (Kind.FATAL_ERROR, h.BAD_HEADER),
        (Kind.FATAL_ERROR, h.NO_ASYNC_CHANNEL),
        (Kind.FATAL_ERROR, h.BAD_INITIALIZATION),
    ]
    assert [lost.sync.open, early.sync.open, far.open] == [False] * 3


def test_sessions_are_numbered_and_limited(server: HislipServer) -> None:
    clients = [Client(server).begin() for _ in range(32)]
    assert len({client.answer.parameter for client in clients}) == 32
    assert (Client(server).answer.kind, Client(server).answer.control) == (Kind.FATAL_ERROR, h.TOO_MANY_CLIENTS)
    clients[3].to_sync.lost()
    assert Client(server).answer.kind == Kind.INITIALIZE_RESPONSE


def test_an_unplugged_instrument_hangs_up_and_takes_nobody_any_more(
    server: HislipServer, both: tuple[Turns, FaultyDevice]
) -> None:
    client = Client(server).begin()
    both[1].order(Fault.UNPLUGGED)
    client.say("POW?")
    assert not client.sync.open
    assert not client.second.open
    assert Client(server).answer.kind == Kind.FATAL_ERROR
