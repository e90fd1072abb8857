"""Every charger's driver keeps the promises of its role. Through its line, on an emulated world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

import instruments.evps.commands as evps
import instruments.evps.control as evps_control
import instruments.evps.emulator as evps_emulator
from rig.can.bus import VirtualBus
from rig.clock import VirtualClock
from rig.errors import InstrumentError, LostInstrument, UseError
from rig.lines.emulated import emulated_lines
from rig.lines.frame import Line, decode, encode
from rig.plant.plant import Plant
from rig.plant.ports import Mains
from rig.plant.world import World
from rig.roles import Charger, ChargerState

NAME = "service port"
DRIVERS: dict[str, tuple[Callable[..., Any], Callable[..., Any], Any]] = {
    "evps": (evps_control.open_driver, evps_emulator.build, evps.Options())
}


class Wire:
    """The line to the box, which can be spoilt: answers replaced, or none."""

    def __init__(self, device: Any) -> None:
        self.device = device
        self.answers: list[str | None] = []

    def latency(self, raw: bytes) -> float:
        return float(self.device.latency(raw))

    def listen(self, send: Callable[[bytes], None] | None) -> None:
        self.device.listen(send)

    def process(self, raw: bytes) -> bytes | None:
        reply: bytes | None = self.device.process(raw)
        if not self.answers:
            return reply
        body = self.answers.pop(0)
        return None if body is None else encode(Line("<", decode(raw).tag, body))


@dataclass
class Desk:
    clock: VirtualClock
    world: World
    wire: Wire
    charger: Charger


@pytest.fixture(params=DRIVERS)
def desk(request: pytest.FixtureRequest) -> Desk:
    open_driver, build, options = DRIVERS[request.param]
    clock = VirtualClock()
    world = World(clock, Plant(), 1, VirtualBus(clock))
    wire = Wire(build(world, options))
    desk = Desk(clock, world, wire, open_driver(emulated_lines(wire, NAME, clock), options, clock))
    world.plant.set_mains(Mains(on=True))
    clock.sleep(2.0)
    return desk


VERBS: dict[str, Callable[[Charger], None]] = {
    "start": lambda charger: charger.start("charge"),
    "mode": lambda charger: charger.set_mode("discharge"),
    "power": lambda charger: charger.set_power(1500.0),
    "transfer": lambda charger: charger.set_transfer(True),
    "reserve": lambda charger: charger.set_reserve(0.3),
    "stop": lambda charger: charger.stop(),
    "emergency stop": lambda charger: charger.emergency_stop(),
    "reset": lambda charger: charger.reset(),
}


def test_it_says_who_it_is(desk: Desk) -> None:
    who = desk.charger.identity()
    assert all((who.maker, who.model, who.serial, who.firmware))


@pytest.mark.parametrize("verb", VERBS)
def test_verbs_are_idempotent(desk: Desk, verb: str) -> None:
    VERBS[verb](desk.charger)
    once = desk.charger.state()
    VERBS[verb](desk.charger)
    assert desk.charger.state() == once


@pytest.mark.parametrize("verb", VERBS)
def test_a_dead_line_is_a_lost_instrument(desk: Desk, verb: str) -> None:
    desk.wire.answers = [None] * 3
    with pytest.raises(LostInstrument, match=NAME):
        VERBS[verb](desk.charger)


@pytest.mark.parametrize("verb", VERBS)
def test_a_wrong_answer_is_not_taken_for_done(desk: Desk, verb: str) -> None:
    desk.wire.answers = ["something else"]
    with pytest.raises(InstrumentError, match="something else"):
        VERBS[verb](desk.charger)


@pytest.mark.parametrize("body", ["idle", "idle charge 2 -", "idle sideways 0 -", "idle charge 0 - -"])
def test_a_state_that_is_none_is_an_error(desk: Desk, body: str) -> None:
    desk.wire.answers = [body]
    with pytest.raises(InstrumentError, match="no state"):
        desk.charger.state()


@pytest.mark.parametrize("body", ["acme,scale,1,1,1", "v2hrig,evps,1,1", "v2hrig,evps,1,1,9"])
def test_another_box_on_the_port_is_noticed(desk: Desk, body: str) -> None:
    desk.wire.answers = [body]
    with pytest.raises(InstrumentError, match=r"no charger|protocol 9"):
        desk.charger.identity()


@pytest.mark.parametrize("power", [-1.0, 6001.0, float("nan")])
def test_a_power_beyond_its_rating_is_refused_before_it_is_sent(desk: Desk, power: float) -> None:
    with pytest.raises(UseError, match="rating"):
        desk.charger.set_power(power)


@pytest.mark.parametrize("soc", [-0.1, 1.1, float("nan")])
def test_a_reserve_that_is_no_fraction_is_refused(desk: Desk, soc: float) -> None:
    with pytest.raises(UseError, match="fraction"):
        desk.charger.set_reserve(soc)


def test_the_emergency_stop_is_latched_until_reset(desk: Desk) -> None:
    desk.charger.emergency_stop()
    assert desk.charger.state() == ChargerState("fault", "standby", "emergency_stop", False)
    with pytest.raises(InstrumentError, match="RESET"):
        desk.charger.start("charge")
    desk.charger.reset()
    assert desk.charger.state() == ChargerState("idle", "standby", "", False)


def test_a_running_session_must_be_stopped_before_a_reset(desk: Desk) -> None:
    desk.world.plant.set_wire("proximity", True)
    desk.clock.sleep(0.1)
    desk.charger.start("charge")
    assert desk.world.plant.wire("d1")
    with pytest.raises(InstrumentError, match="STOP"):
        desk.charger.reset()
    desk.charger.stop()
    desk.clock.sleep(5.0)
    assert not desk.world.plant.wire("d1")
    desk.charger.reset()


def test_closing_it_changes_nothing_and_may_be_repeated(desk: Desk) -> None:
    desk.charger.close()
    desk.charger.close()
    with pytest.raises(LostInstrument, match="closed"):
        desk.charger.state()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("HELLO", "unknown"),
        ("HELLO?", "unknown"),
        ("STATE? now", "malformed"),
        ("START", "malformed"),
        ("START sideways", "charge, discharge"),
        ("MODE off", "charge, discharge"),
        ("POWER much", "number"),
        ("POWER 1e9", "6000"),
        ("RESERVE 2", "0..1"),
        ("TRANSFER maybe", "auto, manual"),
        ("HOUSE there", "backup, mains"),
        ("STOP now", "malformed"),
    ],
)
def test_the_box_refuses_what_it_does_not_understand(desk: Desk, body: str, words: str) -> None:
    session = emulated_lines(desk.wire, NAME, desk.clock)
    with pytest.raises(InstrumentError, match=words):
        session.request(body)


def test_the_display_is_told_by_event_lines(desk: Desk) -> None:
    session = emulated_lines(desk.wire, NAME, desk.clock)
    told: list[str] = []
    session.subscribe(lambda number, body: told.append(body))
    session.request("ESTOP")
    desk.clock.sleep(0.1)
    assert told == ["phase fault", "fault emergency_stop"]
