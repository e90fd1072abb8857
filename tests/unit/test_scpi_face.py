"""The face answers as the standard says: grammar, error queue, status, compound messages."""

from __future__ import annotations

from enum import Enum

import pytest

from rig.scpi.codec import Block, Choice, Integer, Nothing, Real, Reals, Switch, Text, Words
from rig.scpi.command import Command
from rig.scpi.errors import Entry, ScpiError
from rig.scpi.face import ScpiFace


class Mode(Enum):
    CURRENT = "CURRent"
    POWER = "POWer"


POWER = Command[float]("[SOURce:]POWer[:LEVel]", Real("W", 0, 3600), "test", "S")
INPUT = Command[bool]("INPut[:STATe]", Switch(), "test", "S")
MODE = Command[Mode]("LOAD:MODE", Choice(Mode), "test", "S")
RANGE = Command[float]("CHANnel<n>:RANGe", Real("V", 0.1, 100), "test", "S", suffix=range(1, 5))
LABEL = Command[str]("DISPlay:TEXT", Text(quoted=True), "test", "S")
PAIR = Command("LIST:VOLTage", Reals(Real("V", 0, 300)), "test", "S")
ITEM = Command("ITEM<n>", Words(1, 3), "test", "S", suffix=range(1, 201))
COUNT = Command[int]("COUNt", Integer(1, 9), "test", "S")
TRIGGER = Command[None]("TRIGger", Nothing(), "test", "S", "set")
MEASURED = Command[float]("MEASure:POWer", Real("W", form=".2f", says_unit=True), "test", "S", "query")
WAVE = Command[bytes]("WAVeform:DATA", Block(8), "test", "S", "query")


class Box:
    def __init__(self) -> None:
        self.values: dict[object, object] = {}
        self.fired = 0
        self.hot = False

    def keep(self, key: object):
        def setter(value: object, *suffix: int) -> None:
            self.values[(key, *suffix)] = value

        return setter, lambda *suffix: self.values.get((key, *suffix), 0.0)

    def fire(self) -> None:
        if self.hot:
            raise ScpiError(-221)
        self.fired += 1


@pytest.fixture
def box() -> Box:
    return Box()


@pytest.fixture
def face(box: Box) -> ScpiFace:
    return ScpiFace(
        "ACME,3600,SN1,1.0",
        {
            POWER: box.keep("power"),
            INPUT: box.keep("input"),
            MODE: box.keep("mode"),
            RANGE: box.keep("range"),
            LABEL: box.keep("label"),
            PAIR: box.keep("pair"),
            ITEM: box.keep("item"),
            COUNT: box.keep("count"),
            TRIGGER: (box.fire, None),
            MEASURED: (None, lambda: 12.5),
            WAVE: (None, lambda: b"\n;\x00ab"),
        },
        depth=4,
    )


def errors(face: ScpiFace) -> list[str]:
    found = []
    while (reply := face.process("SYST:ERR?")) != b'0,"No error"\n':
        assert reply is not None
        found.append(reply.decode().strip())
        assert len(found) < 100
    return found


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("POW 12", 12.0),
        ("power:level 12", 12.0),
        (":SOUR:POW 12 W", 12.0),
        ("SOURCE:POWER:LEV 1.2kW", 1200.0),
        ("POW 500MW", 0.5),  # M is milli for watts
        ("POW\t+.5E3", 500.0),
        ("POW MAX", 3600.0),
        ("POW MINimum", 0.0),
    ],
)
def test_a_set_point_in_all_its_spellings(face: ScpiFace, box: Box, line: str, value: float) -> None:
    assert face.process(line) is None
    assert errors(face) == []
    assert box.values[("power",)] == value


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("POWE 12", -113, "Undefined header"),
        ("POW:LEV:IMM 12", -113, "Undefined header"),
        ("MEAS:POW 12", -113, "Undefined header"),
        ("TRIG?", -113, "Undefined header"),
        ("CHAN7:RANG 1", -114, "Header suffix out of range"),
        ("POW", -109, "Missing parameter"),
        ("POW 1,2", -108, "Parameter not allowed"),
        ("TRIG 1", -108, "Parameter not allowed"),
        ("POW? 3", -108, "Parameter not allowed"),
        ("POW 12 V", -131, "Invalid suffix"),
        ("COUN 3 A", -138, "Suffix not allowed"),
        ("POW twelve", -104, "Data type error"),
        ("POW 3601", -222, "Data out of range"),
        ("POW -1", -222, "Data out of range"),
        ("POW 1E999", -222, "Data out of range"),
        ("LOAD:MODE VOLT", -224, "Illegal parameter value"),
        ("LOAD:MODE 3", -104, "Data type error"),
        ("INP MAYBE", -224, "Illegal parameter value"),
        ('DISP:TEXT "open', -151, "Invalid string data"),
        ("DISP:TEXT open", -151, "Invalid string data"),
    ],
)
def test_what_is_refused_and_in_which_words(face: ScpiFace, box: Box, line: str, code: int, words: str) -> None:
    assert face.process(line) is None
    assert errors(face) == [f'{code},"{words}"']
    assert box.values == {}
    assert box.fired == 0


def test_a_unit_continues_at_the_node_of_the_one_before(face: ScpiFace, box: Box) -> None:
    face.process("SOUR:POW:LEV 5;LEV 6;*WAI;LEV 7;:INP ON")
    assert errors(face) == []
    assert box.values == {("power",): 7.0, ("input",): True}
    face.process("SOUR:POW 5;INP ON")
    assert errors(face) == ['-113,"Undefined header"']


def test_the_rest_of_a_line_is_dropped_at_the_first_error(face: ScpiFace, box: Box) -> None:
    reply = face.process("POW 5;POW?;POWX;POW 9;*IDN?")
    assert reply == b"5\n"
    assert box.values[("power",)] == 5.0


def test_numeric_suffix_strings_lists_and_blocks(face: ScpiFace, box: Box) -> None:
    face.process("CHAN3:RANG 2;:CHANNEL:RANGE 4")
    assert box.values == {("range", 3): 2.0, ("range", 1): 4.0}
    face.process('DISP:TEXT "a;b,""c"""')
    assert box.values[("label",)] == 'a;b,"c"'
    face.process("LIST:VOLT 1, 200 MV")
    assert box.values[("pair",)] == (1.0, 0.2)
    face.process("*CLS;ITEM12 urms,1")
    assert box.values[("item", 12)] == ("URMS", "1")
    assert face.process("WAV:DATA?;:MEAS:POW?") == b"#800000005\n;\x00ab;12.50 W\n"
    assert face.process("LIST:VOLT?") == b"1,0.2\n"


def test_queue_overflow_says_so(face: ScpiFace) -> None:
    for _ in range(9):
        face.process("NONSENSE")
    assert errors(face) == ['-113,"Undefined header"'] * 3 + ['-350,"Queue overflow"']


def test_status_registers(face: ScpiFace) -> None:
    assert face.process("*ESR?") == b"128\n"  # power on
    face.process("BAD")
    face.process("POW 9999")
    assert face.process("*STB?") == b"4\n"
    face.process("*ESE 48;*SRE 32")
    assert face.process("*STB?") == b"100\n"  # error queue, event summary, master summary
    assert face.process("*IDN?;*STB?") == b"ACME,3600,SN1,1.0;116\n"  # and a reply is waiting
    assert face.process("*ESR?") == b"48\n"
    assert face.process("*ESR?") == b"0\n"
    face.process("*CLS")
    assert face.process("*STB?;*OPC?;*TST?") == b"0;1;0\n"
    face.process("*OPC")
    assert face.process("*ESR?") == b"1\n"


def test_a_device_refuses_in_its_own_words(face: ScpiFace, box: Box) -> None:
    box.hot = True
    face.process("TRIG")
    assert errors(face) == ['-221,"Settings conflict"']
    face.fail(Entry(10, "Over temperature"))
    assert face.process("*ESR?") == str(128 + 16 + 8).encode() + b"\n"
    assert errors(face) == ['10,"Over temperature"']


def test_gate_prefix_and_translation(box: Box) -> None:
    def shut(command: Command[object]) -> None:
        raise ScpiError(-203)

    face = ScpiFace(
        "A,B,C,D",
        {POWER: box.keep("power")},
        gate=shut,
        prefix=lambda command, suffixes: ":" + command.spelt(*suffixes) + " ",
        translate={-113: Entry(-100, "Command error")},
    )
    face.process("POW 3")
    face.process("BAD")
    face.process("*RST")  # a common command passes the gate
    assert face.process("POW?") == b":POW 0\n"
    assert face.process("SYST:ERR?") == b':SYST:ERR -203,"Command protected"\n'
    assert face.process("SYST:ERR?") == b':SYST:ERR -100,"Command error"\n'


def test_a_missing_handler_is_found_when_the_face_is_built() -> None:
    with pytest.raises(ValueError, match="handlers do not fit"):
        ScpiFace("A,B,C,D", {POWER: (None, lambda: 1.0)})


@pytest.mark.parametrize("header", ["", "POW er", "POW[:LEV", "12", "POW:LEV]"])
def test_a_header_that_is_none_is_refused(header: str) -> None:
    with pytest.raises(ValueError):
        Command[float](header, Real("W"), "test", "S").pattern  # noqa: B018


def test_a_command_without_a_source_is_refused() -> None:
    with pytest.raises(ValueError, match="source"):
        Command[float]("POWer", Real("W"), " ", "S")
