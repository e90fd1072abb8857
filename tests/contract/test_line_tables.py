"""The tables of what is no message instrument: boxes on a line, a Modbus board, an ECHONET node, buttons and prompts.

As test_tables.py does for message instruments: every public verb of every driver is done once against its emulator;
what passes must be a row of the table, every row must be used, and the emulator must answer each as the table says.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import instruments.echonet_lite.commands as echonet
import instruments.operator.commands as operator
import instruments.relay_contacts.commands as contacts
import instruments.waveshare_relay_d.commands as relay_d
from instruments.echonet_lite.frame import Esv
from instruments.echonet_lite.frame import decode as read_frame
from instruments.registry import REGISTRY
from rig.can.bus import VirtualBus
from rig.clock import VirtualClock
from rig.datagrams.session import EmulatedDatagrams
from rig.errors import InstrumentError
from rig.lines.emulated import emulated_lines
from rig.lines.frame import Line, decode, encode
from rig.lines.table import body_pattern
from rig.modbus.session import EmulatedModbus
from rig.plant.plant import Plant
from rig.plant.ports import DcSupply, Mains
from rig.plant.world import World
from rig.prompts import EmulatedPrompter, Prompt
from rig.roles import DigitalIo

Verb = Callable[[Any], object]
CHARGER: dict[str, Verb] = {
    "identity": lambda one: one.identity(),
    "start": lambda one: one.start("charge"),
    "set_mode": lambda one: one.set_mode("discharge"),
    "set_power": lambda one: one.set_power(1500.0),
    "set_transfer": lambda one: (one.set_transfer(False), one.set_transfer(True)),
    "move_house": lambda one: (one.move_house(True), one.move_house(False)),
    "keep_meter": lambda one: (one.keep_meter(-500.0, 2000.0), one.keep_meter(None, None)),
    "set_reserve": lambda one: one.set_reserve(0.3),
    "state": lambda one: one.state(),
    "stop": lambda one: one.stop(),
    "emergency_stop": lambda one: one.emergency_stop(),
    "reset": lambda one: one.reset(),
}
VERBS: dict[str, dict[str, Verb]] = {
    "vehicle_interface": {
        "identity": lambda box: box.identity(),
        "subscribe": lambda box: box.subscribe(lambda at, change: None),
        "set_wire": lambda box: (box.set_wire("proximity", True), box.set_wire("k", True)),
        "move_contactor": lambda box: box.move_contactor(True),
        "wires": lambda box: box.wires(),
        "contactor_closed": lambda box: box.contactor_closed(),
        "inlet_voltage": lambda box: box.inlet_voltage(),
        "inlet": lambda box: box.inlet(),
        "bench_time": lambda box: box.bench_time(0),
        "make_safe": lambda box: box.make_safe(),
    },
    "evps": {**CHARGER, "last_stop": lambda one: one.last_stop()},
    "waveshare_relay_d": {
        "identity": lambda board: board.identity(),
        "switch": lambda board: board.switch(3, True),
        "pulse": lambda board: board.pulse(2, 0.5),
        "outputs": lambda board: board.outputs(),
        "inputs": lambda board: board.inputs(),
        "make_safe": lambda board: board.make_safe(),
    },
    "echonet_lite": {**CHARGER, "power": lambda one: one.power(), "remaining": lambda one: one.remaining()},
    "relay_contacts": CHARGER,
    "operator": CHARGER,
    "car_outlets": CHARGER,
}
"""By driver: how each of its verbs is done, in this order. Beside them every driver has close."""
LACKS = {
    "echonet_lite": {"move_house", "keep_meter"},
    "relay_contacts": {"set_power", "set_transfer", "move_house", "keep_meter", "set_reserve"},
    "car_outlets": {"set_mode", "set_power", "set_transfer", "move_house", "keep_meter", "set_reserve"},
}
"""Verbs for which a bench like these has no way: told as an error of the bench, nothing sent."""
OWN = {"reserve": 0xF0, "transfer": 0xF1, "emergency_stop": 0xF2, "reset": 0xF3}
BUTTONS: dict[str, Any] = {one: n for n, one in enumerate(contacts.BUTTONS, 1)}
KEYS: dict[str, dict[str, Any]] = {
    "echonet_lite": {"own": OWN},
    "relay_contacts": BUTTONS,
    "waveshare_relay_d": {
        "inputs": {1: "estop", 2: contacts.RUNNING, 3: contacts.FAULT, 4: contacts.BACKUP},
    },
}


def test_every_driver_that_is_no_message_instrument_is_here() -> None:
    assert VERBS.keys() == {name for name, one in REGISTRY.items() if one.transport != "visa"}


@dataclass
class Spy:
    """Between driver and emulator: keeps what passes. before: what becomes of an answer."""

    device: Any
    passed: list[tuple[bytes, bytes | None]] = field(default_factory=list)

    @property
    def thinking(self) -> float:
        return float(self.device.thinking)

    def latency(self, raw: bytes) -> float:
        return float(self.device.latency(raw))

    def listen(self, send: Callable[[bytes], None] | None) -> None:
        self.device.listen(send)

    def process(self, raw: bytes) -> bytes | None:
        answer: bytes | None = self.device.process(raw)
        self.passed.append((raw, answer))
        return answer


@dataclass
class Desk:
    clock: VirtualClock
    world: World
    spy: Spy
    driver: Any


def desk(model: str) -> Desk:
    known, clock = REGISTRY[model], VirtualClock()
    world = World(clock, Plant(), 1, VirtualBus(clock))
    world.plant.set_mains(Mains(on=True))
    world.plant.set_dc_supply(DcSupply(on=True, u_set=380.0, i_source_max=30.0, i_sink_max=30.0))
    options = known.options.model_validate(KEYS.get(model, {}))
    assert known.emulate is not None
    if model == "relay_contacts":
        board = desk("waveshare_relay_d")
        return Desk(board.clock, board.world, board.spy, known.open(board.driver, options, board.clock))
    spy = Spy(known.emulate(world, options))
    session: Any
    if known.transport == "lines":
        session = emulated_lines(spy, model, clock)
    elif known.transport == "modbus":
        session = EmulatedModbus(spy, model, clock)
    elif known.transport == "datagrams":
        session = EmulatedDatagrams(spy, model, clock)
    else:
        session = EmulatedPrompter(spy.device, model, clock)
    clock.sleep(2.0)
    return Desk(clock, world, spy, known.open(session, options, clock))


def do_all(model: str, at: Desk) -> None:
    """Every verb, in order; what a bench like this has no way for, sends nothing."""
    public = {name for name in dir(type(at.driver)) if name[0] != "_" and callable(getattr(type(at.driver), name))}
    assert public == VERBS[model].keys() | {"close"}
    for name, verb in VERBS[model].items():
        if name in LACKS.get(model, ()):
            before = len(at.spy.passed)
            with pytest.raises(InstrumentError):
                verb(at.driver)
            assert len(at.spy.passed) == before
        else:
            verb(at.driver)


# -- boxes on a line

BOXES = ["vehicle_interface", "evps"]
UNUSED = {"vehicle_interface": {"RESET", "EVENT <nn>"}, "evps": {"SETTINGS?"}}
"""Rows that a whole session in order has no use for; tried below, and RESET and EVENT in the role's own contract."""


def commands(model: str) -> ModuleType:
    return importlib.import_module(f"instruments.{model}.commands")


def rows_of(model: str, body: str) -> list[str]:
    """Rows a request is of."""
    module = commands(model)
    return [row.asked for row in module.TABLE if body_pattern(row.asked, module.FIELDS).fullmatch(body)]


@pytest.mark.parametrize("model", BOXES)
def test_a_box_is_asked_rows_of_its_table_and_answers_as_they_say(model: str) -> None:
    at, module = desk(model), commands(model)
    do_all(model, at)
    used = set()
    for raw, answer in at.spy.passed:
        body = decode(raw).body
        (row,) = rows_of(model, body)
        used.add(row)
        assert answer is not None
        said = decode(answer)
        assert said.kind == "<", (body, said.body)
        form = next(one.answered for one in module.TABLE if one.asked == row)
        assert body_pattern(form, module.FIELDS).fullmatch(said.body), (body, said.body)
    assert {row.asked for row in module.TABLE} - used == UNUSED[model]


def filled(form: str) -> str:
    """A request of a form, in order for any box."""
    words = {
        "wire": "k", "bit": "0", "s": "2.5", "mode": "charge", "watts": "1000", "fraction": "0.2", "bound": "-",
        "how": "auto", "where": "mains", "nn": "00",
    }  # fmt: skip
    return re.sub(r"<(\w+)>", lambda found: words[found[1]], form)


@pytest.mark.parametrize("model", BOXES)
def test_a_box_knows_every_row_and_nothing_else(model: str) -> None:
    at, module = desk(model), commands(model)
    if model == "vehicle_interface":
        at.spy.process(encode(Line(">", 0, "WIRE k 1")))  # so that there is an event to ask for
    unknown = module.REFUSALS[module.UNKNOWN]
    for row in module.TABLE:
        answer = at.spy.process(encode(Line(">", 1, filled(row.asked))))
        assert answer is not None
        said = decode(answer)
        assert unknown not in said.body, row
        if said.kind == "<":
            assert body_pattern(row.answered, module.FIELDS).fullmatch(said.body), (row, said.body)
    words = {row.asked.split(" ")[0] for row in module.TABLE}
    for word in {"RESTART", "WIRES", "MODES?", "VOLTS?", "*IDN?", "id?"} - words:
        answer = at.spy.process(encode(Line(">", 2, word)))
        assert answer is not None
        assert unknown in decode(answer).body


def test_the_page_for_builders_has_the_same_requests() -> None:
    page = (Path(__file__).parents[2] / "docs" / "vehicle-interface.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `([^`]+)` \|", page.partition("## Requests")[2].partition("## Events")[0], re.M)
    assert told == [row.asked for row in commands("vehicle_interface").TABLE]


# -- a Modbus board


def registers(function: int, address: int) -> list[str]:
    return [row.name for row in relay_d.TABLE if row.function == function and 0 <= address - row.first < row.count]


def test_a_board_is_asked_rows_of_its_table_all_of_them() -> None:
    at = desk("waveshare_relay_d")
    do_all("waveshare_relay_d", at)
    used = set()
    for raw, answer in at.spy.passed:
        (row,) = registers(raw[1], int.from_bytes(raw[2:4], "big"))
        used.add(row)
        assert answer is not None
        assert answer[1] == raw[1]
    assert used == {row.name for row in relay_d.TABLE}
    assert all(row.source and row.confidence for row in relay_d.TABLE)


def test_a_board_answers_every_address_of_its_table_and_no_other() -> None:
    at = desk("waveshare_relay_d")
    functions = {row.function for row in relay_d.TABLE}
    known = {(row.function, row.first + n) for row in relay_d.TABLE for n in range(row.count)}
    near = {(f, a + d) for f, a in known for d in (-1, 0, 1) if a + d >= 0} | {(f, 0x1234) for f in functions}
    for function, address in sorted(near):
        value = relay_d.OFF if function == relay_d.WRITE_COIL else 1
        if registers(function, address) == ["momentary"]:
            value = 1
        raw = bytes((1, function)) + address.to_bytes(2, "big") + value.to_bytes(2, "big")
        answer = at.spy.process(raw)
        assert answer is not None
        assert (answer[1] == function) is ((function, address) in known), (function, hex(address))


# -- a node


def test_a_node_is_asked_for_rows_of_its_table_as_they_may_be() -> None:
    at = desk("echonet_lite")
    do_all("echonet_lite", at)
    asked: dict[Esv, set[int]] = {Esv.GET: set(), Esv.SET_C: set()}
    for raw, _ in at.spy.passed:
        frame = read_frame(raw)
        for one in frame.props:
            asked[frame.service].add(one.epc)
            row = echonet.TABLE.get(one.epc)
            if row is None:
                assert one.epc in OWN.values()
            else:
                assert ("g" if frame.service is Esv.GET else "s") in row.access, row
                assert frame.service is Esv.GET or len(one.data) == row.size
    used = (asked[Esv.GET] | asked[Esv.SET_C]) - set(OWN.values())
    assert used == {row.epc for row in USED}
    assert asked[Esv.SET_C] >= set(OWN.values())
    assert all(row.source and row.confidence for row in echonet.TABLE.values())


USED: Iterable[echonet.Property] = (
    echonet.STANDARD, echonet.FAULT, echonet.FAULT_CODE, echonet.MAKER, echonet.PRODUCT, echonet.SERIAL,
    echonet.POWER_NOW, echonet.MODE, echonet.INTERCONNECTED, echonet.CHARGING_METHOD, echonet.DISCHARGING_METHOD,
    echonet.ACTUAL, echonet.REMAINING, echonet.CHARGE_POWER, echonet.DISCHARGE_POWER,
)  # fmt: skip
"""What the driver needs of the class. The others a node must have, which test_echonet_charger.py asks it for."""


# -- buttons and prompts


class Pressed:
    """A board whose pulses are kept."""

    def __init__(self, board: DigitalIo) -> None:
        self.board, self.pulses = board, list[int]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.board, name)

    def pulse(self, output: int, seconds: float) -> None:
        self.pulses.append(output)
        self.board.pulse(output, seconds)


def test_every_button_is_pressed_by_its_own_verb_and_by_no_other() -> None:
    at = desk("relay_contacts")
    at.driver._board = pressed = Pressed(at.driver._board)
    do_all("relay_contacts", at)
    at.driver.set_mode("standby")
    assert pressed.pulses == [
        BUTTONS[one] for one in ("charge", "discharge", "stop", "emergency_stop", "reset", "standby")
    ]


@pytest.mark.parametrize("model", ["operator", "car_outlets"])
def test_every_prompt_is_of_the_table_and_every_row_is_asked(model: str) -> None:
    at, module = desk(model), commands(model)
    asked: list[Prompt] = []
    ask = at.driver._session.ask

    def keep(prompt: Prompt, within: float) -> str:
        asked.append(prompt)
        return str(ask(prompt, within))

    at.driver._session.ask = keep
    do_all(model, at)
    assert {prompt.verb for prompt in asked} == module.WORDS.keys() | {"display"}
    for prompt in asked:
        form = module.DISPLAY if prompt.verb == "display" else module.WORDS[prompt.verb] + operator.HOW
        assert prompt.words == form.format(value=prompt.value)
