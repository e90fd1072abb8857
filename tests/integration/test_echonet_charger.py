"""A charger commanded through ECHONET Lite: driver and node in virtual time, over UDP, under garbage, in a suite."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.library import find_bench, find_profile
from instruments.echonet_lite import commands as c
from instruments.echonet_lite.driver import EchonetCharger, open_driver
from instruments.echonet_lite.emulator import EmulatedNode, build
from instruments.echonet_lite.frame import Eoj, Esv, Frame, Prop, decode, encode, read_map
from instruments.registry import REGISTRY
from rig.can.bus import VirtualBus
from rig.clock import RealClock, VirtualClock
from rig.datagrams.serve import serve
from rig.datagrams.session import EmulatedDatagrams, UdpSession, read_address
from rig.errors import InstrumentError, LostInstrument, UseError
from rig.open_bench import open_bench, read_bench_file
from rig.plant.plant import Plant
from rig.plant.ports import Mains
from rig.plant.world import World
from rig.profile import read_profile
from rig.roles import ChargerState

NAME = "udp://node:3610"
OWN = {"reserve": 0xF0, "transfer": 0xF1, "emergency_stop": 0xF2, "reset": 0xF3}
OPTIONS = c.Options.model_validate({"own": OWN})
NODE = Eoj(*c.CHARGER, 1)


@dataclass
class Network:
    """Between driver and node: loses requests, or puts something in an answer's place."""

    device: EmulatedNode
    thinking: float = 0.05
    lose: int = 0
    instead: Callable[[Frame], bytes] | None = None
    asked: list[Frame] = field(default_factory=list)

    def process(self, datagram: bytes) -> bytes | None:
        self.asked.append(decode(datagram))
        if self.lose:
            self.lose -= 1
            return None
        answer = self.device.process(datagram)
        return answer if answer is None or self.instead is None else self.instead(decode(answer))


@dataclass
class Desk:
    clock: VirtualClock
    world: World
    net: Network
    charger: EchonetCharger


def desk_with(options: c.Options = OPTIONS) -> Desk:
    clock = VirtualClock()
    world = World(clock, Plant(), 1, VirtualBus(clock))
    net = Network(build(world, options))
    world.plant.set_mains(Mains(on=True))
    clock.sleep(2.0)
    return Desk(clock, world, net, open_driver(EmulatedDatagrams(net, NAME, clock), options, clock))


@pytest.fixture
def desk() -> Desk:
    return desk_with()


VERBS: dict[str, Callable[[EchonetCharger], object]] = {
    "start": lambda charger: charger.start("charge"),
    "mode": lambda charger: charger.set_mode("discharge"),
    "power": lambda charger: charger.set_power(1500.0),
    "transfer": lambda charger: charger.set_transfer(True),
    "reserve": lambda charger: charger.set_reserve(0.3),
    "stop": lambda charger: charger.stop(),
    "emergency stop": lambda charger: charger.emergency_stop(),
    "reset": lambda charger: charger.reset(),
    "state": lambda charger: charger.state(),
    "identity": lambda charger: charger.identity(),
    "power now": lambda charger: charger.power(),
    "remaining": lambda charger: charger.remaining(),
}


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_is_one_request_and_may_be_repeated(desk: Desk, verb: str) -> None:
    VERBS[verb](desk.charger)
    assert len(desk.net.asked) == 1
    once = desk.charger.state()
    VERBS[verb](desk.charger)
    assert desk.charger.state() == once


@pytest.mark.parametrize("verb", VERBS)
def test_a_lost_datagram_is_asked_for_again_with_another_tid(desk: Desk, verb: str) -> None:
    desk.net.lose = 2
    before = desk.clock.now()
    VERBS[verb](desk.charger)
    assert len({one.tid for one in desk.net.asked}) == 3
    assert desk.clock.now() - before == pytest.approx(2 * OPTIONS.within + desk.net.thinking)


@pytest.mark.parametrize("verb", VERBS)
def test_silence_is_a_lost_instrument_within_a_bound(desk: Desk, verb: str) -> None:
    desk.net.lose = 100
    before = desk.clock.now()
    with pytest.raises(LostInstrument, match="no answer to 3 requests; check that the node is on"):
        VERBS[verb](desk.charger)
    assert desk.clock.now() - before == pytest.approx(3 * OPTIONS.within)


def another_tid(frame: Frame) -> bytes:
    return encode(frame._replace(tid=frame.tid ^ 1))


def another_object(frame: Frame) -> bytes:
    return encode(frame._replace(source=Eoj(0x02, 0x7D, 1)))


def other_properties(frame: Frame) -> bytes:
    return encode(frame._replace(props=(*frame.props, Prop(0x80, b"\x30"))))


def half(frame: Frame) -> bytes:
    return encode(frame)[:-1]


@pytest.mark.parametrize("spoil", [another_tid, another_object, other_properties, half])
@pytest.mark.parametrize("verb", VERBS)
def test_what_is_no_answer_is_not_taken_for_one(desk: Desk, verb: str, spoil: Callable[[Frame], bytes]) -> None:
    desk.net.instead = spoil
    with pytest.raises(LostInstrument):
        VERBS[verb](desk.charger)


def test_a_refusal_names_the_property(desk: Desk) -> None:
    desk.charger.emergency_stop()
    assert desk.charger.state() == ChargerState("fault", "standby", desk.charger.state().fault, False)
    assert desk.charger.state().fault.startswith("code_")
    with pytest.raises(InstrumentError, match=r"refuses operation mode setting \(0xDA\) = 66"):
        desk.charger.start("charge")
    desk.charger.reset()
    assert desk.charger.state() == ChargerState("idle", "standby", "", False)


def test_a_node_that_is_none_of_this_class_is_told(desk: Desk) -> None:
    def nothing(frame: Frame) -> bytes:
        return encode(frame._replace(service=Esv.GET_SNA, props=tuple(Prop(one.epc) for one in frame.props)))

    desk.net.instead = nothing
    with pytest.raises(InstrumentError, match=r"does not give operation mode setting \(0xDA\).*charger/discharger"):
        desk.charger.state()


@pytest.mark.parametrize(("epc", "data"), [(0xDA, b"\x42\x42"), (0x88, b"\x30"), (0xE1, b"\x99"), (0xDB, b"\0\0")])
def test_a_value_that_is_none_is_no_state(desk: Desk, epc: int, data: bytes) -> None:
    desk.net.instead = lambda frame: encode(
        frame._replace(props=tuple(Prop(epc, data) if one.epc == epc else one for one in frame.props))
    )
    with pytest.raises(InstrumentError, match=f"0x{epc:02X}"):
        desk.charger.state()


def test_what_the_class_has_not_is_an_error_of_the_bench_unless_it_is_the_usual() -> None:
    desk = desk_with(c.Options())
    desk.charger.set_transfer(True)
    desk.charger.set_reserve(0.0)
    assert desk.net.asked == []
    for verb in (lambda one: one.set_transfer(False), lambda one: one.set_reserve(0.2), EchonetCharger.reset):
        with pytest.raises(InstrumentError, match=r"name the maker's own in the bench file: own = \{"):
            verb(desk.charger)


@pytest.mark.parametrize("power", [-1.0, 6001.0, float("nan")])
def test_a_power_beyond_its_rating_is_refused_before_it_is_sent(desk: Desk, power: float) -> None:
    with pytest.raises(UseError, match="rating"):
        desk.charger.set_power(power)
    with pytest.raises(UseError, match="fraction"):
        desk.charger.set_reserve(power)
    assert desk.net.asked == []


def test_the_node_gives_every_row_of_the_table_and_says_so_in_its_maps(desk: Desk) -> None:
    def get(epc: int) -> Frame:
        raw = desk.net.device.process(encode(Frame(1, c.CONTROLLER, NODE, Esv.GET, (Prop(epc),))))
        assert raw is not None
        return decode(raw)

    readable, settable = (read_map(get(row.epc).props[0].data) for row in (c.READABLE, c.SETTABLE))
    assert readable == set(c.TABLE) | set(OWN.values())
    assert settable <= readable
    for row in c.TABLE.values():
        answer = get(row.epc)
        assert answer.service is Esv.GET_RES
        assert not row.size or len(answer.props[0].data) == row.size
    assert get(0xCD).service is Esv.GET_SNA


def test_some_properties_of_a_request_may_be_refused(desk: Desk) -> None:
    request = Frame(
        5, c.CONTROLLER, NODE, Esv.SET_C, (Prop(0xEB, (99_999).to_bytes(4, "big")), Prop(0xEC, b"\0\0\x03\xe8"))
    )
    raw = desk.net.device.process(encode(request))
    assert raw is not None
    assert decode(raw) == Frame(5, NODE, c.CONTROLLER, Esv.SET_C_SNA, (request.props[0], Prop(0xEC)))
    assert desk.net.device.process(encode(request._replace(service=Esv.SET_I, props=request.props[1:]))) is None
    asked = desk.net.device.process(encode(request._replace(service=Esv.INF_REQ, props=(Prop(0xEC),))))
    assert asked is not None
    assert decode(asked) == Frame(5, NODE, c.CONTROLLER, Esv.INF, (request.props[1],))


def test_closing_it_may_be_repeated_and_ends_it(desk: Desk) -> None:
    desk.charger.close()
    desk.charger.close()
    with pytest.raises(LostInstrument, match="open the bench again"):
        desk.charger.stop()


# -- garbage


SETTINGS = [Prop(epc) for epc in (0xDA, 0xDC, 0xDD, 0xEB, 0xEC, *OWN.values())]


def set_points(node: EmulatedNode) -> bytes | None:
    return node.process(encode(Frame(9, c.CONTROLLER, NODE, Esv.GET, tuple(SETTINGS))))


GOOD = encode(Frame(3, c.CONTROLLER, NODE, Esv.SET_C, (Prop(0xDA, b"\x42"), Prop(0xEB, b"\0\0\x03\xe8"))))


@cache
def _hardy() -> Desk:
    """One node for all the garbage."""
    return desk_with(OPTIONS.model_copy(update={"attempts": 1}))


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A good order cut short, or with something behind it."""
    if draw(st.booleans()):
        return GOOD[: draw(st.integers(0, len(GOOD) - 1))]
    return GOOD + draw(st.binary(min_size=1, max_size=30))


@given(st.lists(st.binary(max_size=80) | damaged(), max_size=20))
@settings(max_examples=60, deadline=None)
def test_garbage_never_stops_the_node_and_never_changes_a_set_point(datagrams: list[bytes]) -> None:
    desk = _hardy()
    before = set_points(desk.net.device)
    for data in datagrams:
        desk.net.device.process(data)
    assert set_points(desk.net.device) == before
    assert desk.charger.state().phase == "idle"


@given(st.binary(max_size=120))
@settings(max_examples=100, deadline=None)
def test_garbage_never_passes_for_an_answer(data: bytes) -> None:
    desk = _hardy()
    desk.net.instead = lambda _: data
    for verb in ("start", "state"):
        with pytest.raises(InstrumentError):
            VERBS[verb](desk.charger)
    desk.net.instead = None


# -- over UDP


@pytest.fixture
def served() -> Iterator[tuple[RealClock, EmulatedNode, str]]:
    clock = RealClock()
    with clock.lock:
        world = World(clock, Plant(), 1, _NoBus())
        node = build(world, OPTIONS)
        world.plant.set_mains(Mains(on=True))
    resource, close = serve(node, clock, "127.0.0.1")
    yield clock, node, resource
    close()
    clock.close()


class _NoBus(VirtualBus):
    """A bus nobody speaks on."""

    def __init__(self) -> None:
        super().__init__(VirtualClock())


def test_over_udp_a_request_is_answered_whatever_else_comes(served: tuple[RealClock, EmulatedNode, str]) -> None:
    clock, _, resource = served
    session = UdpSession(resource, clock, c.PORT)
    charger = open_driver(session, OPTIONS, clock)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for data in (b"", b"\x10\x81", GOOD[:-2], b"x" * 1400):
            stranger.sendto(data, read_address(resource))
            stranger.sendto(data, ("127.0.0.1", session._socket.getsockname()[1]))
    assert charger.identity().model == "EMULATED"
    charger.set_reserve(0.4)
    assert charger.state().phase in ("idle", "other")
    charger.close()
    charger.close()


def test_a_node_that_is_gone_is_lost_over_udp() -> None:
    clock = RealClock()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        options = c.Options(within=0.05)
        session = UdpSession(f"udp://127.0.0.1:{deaf.getsockname()[1]}", clock, c.PORT)
        with pytest.raises(LostInstrument, match="no answer to 3 requests"):
            open_driver(session, options, clock).stop()
        session.close()
    clock.close()


@pytest.mark.parametrize("resource", ["10.0.0.7", "udp://10.0.0.7", "udp://10.0.0.7:0", "udp://:3610", "tcp://a:1"])
def test_an_address_that_is_none_is_told(resource: str) -> None:
    with pytest.raises(UseError, match=r"write it as"):
        read_address(resource)


def test_virtual_time_cannot_wait_for_a_network() -> None:
    with pytest.raises(UseError, match=r'clock = "real"'):
        UdpSession("udp://127.0.0.1:3610", VirtualClock(), c.PORT)


# -- on a bench


def test_a_session_both_ways_and_what_the_charger_says_of_it() -> None:
    config = read_bench_file(find_bench("echonet"), REGISTRY)
    with open_bench(config, REGISTRY, read_profile(find_profile(config.bench.profile))) as bench:
        bench.prepare()
        bench.charger.set_power(2000.0)
        bench.car.plug_in(0.6)
        bench.charger.start("charge")
        assert bench.clock.wait_until(lambda: bench.battery.reading().current > 4.0, 30.0) < 30.0
        said = bench.instruments["charger"]
        assert isinstance(said, EchonetCharger)
        bench.clock.sleep(3.0)
        assert said.power() == pytest.approx(2000.0, rel=0.1)
        assert said.remaining() == pytest.approx(0.6, abs=0.02)
        assert bench.charger.state() == ChargerState("running", "charge", "", False)
        bench.charger.set_mode("discharge")
        assert bench.clock.wait_until(lambda: bench.battery.reading().current < -4.0, 30.0) < 30.0
        assert said.power() < -1000.0
        assert bench.car.in_session
        bench.charger.stop()
        assert bench.clock.wait_until(lambda: not bench.car.in_session, 15.0) < 15.0
        assert bench.clock.wait_until(lambda: bench.charger.state().phase == "idle", 15.0) < 15.0
