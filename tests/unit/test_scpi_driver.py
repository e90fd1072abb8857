"""The driver's half: ranges before sending, the instrument's own words after, never a wrong number."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any

import pytest

from rig.clock import VirtualClock
from rig.errors import EnvelopeError, InstrumentError, LostInstrument
from rig.scpi.codec import Block, Integer, Nothing, Real, Reals, Switch
from rig.scpi.command import Command
from rig.scpi.driver import ErrorQueue, ScpiDriver

POWER = Command[float]("[SOURce:]POWer[:LEVel]", Real("W", 0, 3600, says_unit=True, step=0.1), "test", "S")
INPUT = Command[bool]("INPut[:STATe]", Switch(), "test", "S")
COUNT = Command[int]("COUNt", Integer(0, 9), "test", "S")
RANGE = Command[float]("CHANnel<n>:RANGe", Real("V", 0, 9), "test", "S", suffix=range(1, 5))
ALL = Command("MEASure:ARRay", Reals(Real("V", says_unit=True), 2), "test", "S", "query")
MAXIMUM = Command[float]("LIMit", Real("A"), "test", "S", "query", argument=Integer(1, 3))
GO = Command[None]("TRIGger", Nothing(), "test", "S", "set")
WAVE = Command[bytes]("WAVe", Block(), "test", "S", "query")


class Script:
    """A session that answers as told and remembers what was sent."""

    resource = "TEST::1"

    def __init__(self, *answers: str) -> None:
        self.lock: Any = threading.RLock()
        self.answers, self.sent, self.errors = deque(answers), list[str](), deque[str]()

    def write(self, line: str) -> None:
        self.sent.append(line)

    def query(self, line: str) -> str:
        if line == "SYST:ERR?":
            return self.errors.popleft() if self.errors else '0,"No error"'
        self.sent.append(line)
        return self.answers.popleft()

    def query_block(self, line: str) -> bytes:
        self.sent.append(line)
        return b"abc"

    def close(self) -> None:
        self.sent.append("closed")


class Driver(ScpiDriver):
    set, do, get, block = ScpiDriver._set, ScpiDriver._do, ScpiDriver._get, ScpiDriver._get_block


def driver(*answers: str) -> tuple[Driver, Script]:
    script = Script(*answers)
    return Driver(script, VirtualClock()), script


def test_the_short_form_is_sent() -> None:
    box, script = driver()
    box.set(POWER, 12.5)
    box.set(INPUT, True)
    box.set(RANGE, 2.0, 3)
    box.do(GO)
    assert box.block(WAVE) == b"abc"
    box.close()
    assert script.sent == ["POW 12.5", "INP ON", "CHAN3:RANG 2", "TRIG", "WAV?", "closed"]


@pytest.mark.parametrize("value", [-1.0, 3600.1, float("nan"), float("inf")])
def test_out_of_range_is_refused_before_it_is_sent(value: float) -> None:
    box, script = driver()
    with pytest.raises(EnvelopeError, match=r"TEST::1.*POWer.*0\.\.3600 W"):
        box.set(POWER, value)
    assert script.sent == []


def test_the_instrument_s_own_words_are_in_the_error() -> None:
    box, script = driver()
    script.errors.extend(['-221,"Settings conflict"', '10,"Over temperature"', '0,"No error"'])
    with pytest.raises(InstrumentError, match=r"Settings conflict.*Over temperature") as error:
        box.set(POWER, 1.0)
    assert error.value.command == "POW 1"
    assert error.value.resource == "TEST::1"


def test_a_queue_that_never_empties_is_a_fault() -> None:
    box, script = driver()
    script.errors.extend(['-113,"Undefined header"'] * 200)
    with pytest.raises(InstrumentError, match="does not empty"):
        box.do(GO)


def test_errors_are_asked_the_way_the_model_wants() -> None:
    asked = Command("STATus:ERRor", ErrorQueue().query.value, "test", "S", "query")
    script = Script('0,"No error"')
    Driver(script, VirtualClock(), ErrorQueue(asked)).do(GO)
    assert script.sent == ["TRIG", "STAT:ERR?"]


def test_replies_with_units_lists_and_arguments() -> None:
    box, script = driver("1.25 kW", "1.0 V, 2000 mV", "5", "0 W")
    assert box.get(POWER) == 1250.0
    assert box.get(ALL) == (1.0, 2.0)
    assert box.get(MAXIMUM, argument=2) == 5.0
    assert box.get(POWER) == 0.0
    assert script.sent == ["POW?", "MEAS:ARR?", "LIM? 2", "POW?"]


@pytest.mark.parametrize("answer", ["", " ", "NAN", "INF", "9.91E37", "12 V", "%&?7,", "12 W W", "1,2", "0x10", "--"])
def test_what_is_no_number_is_never_one(answer: str) -> None:
    box, _ = driver(answer)
    with pytest.raises(InstrumentError, match=r"POW\?"):
        box.get(POWER)


@pytest.mark.parametrize(
    ("command", "answer"), [(INPUT, "2"), (INPUT, ""), (COUNT, "1.5"), (COUNT, ""), (ALL, "1,2,3")]
)
def test_other_replies_that_cannot_be_right(command: Command[Any], answer: str) -> None:
    box, _ = driver(answer)
    with pytest.raises(InstrumentError):
        box.get(command)


def test_a_checked_set_point_must_read_back() -> None:
    box, _ = driver("12.45 W", "11.9 W", "OFF")
    box.set(POWER, 12.5, check=True)  # within half a step
    with pytest.raises(InstrumentError, match=r"asked for 12.5, reads back 11.9"):
        box.set(POWER, 12.5, check=True)
    with pytest.raises(InstrumentError, match="reads back False"):
        box.set(INPUT, True, check=True)


def test_identity() -> None:
    box, _ = driver("ACME, 3600 ,SN1, 1.0, 2.0", "ACME 3600")
    assert box.identity().model == "3600"
    with pytest.raises(InstrumentError, match="four fields"):
        box.identity()


def test_what_a_broken_exchange_left_in_the_queue_is_not_blamed_on_the_next_command() -> None:
    box, script = driver()

    def lost(line: str) -> str:
        raise LostInstrument("TEST::1", line, "no answer in time")

    answering, script.query = script.query, lost  # type: ignore[method-assign]
    with pytest.raises(LostInstrument):
        box.get(POWER)
    script.query = answering  # type: ignore[method-assign]
    script.errors.append('-420,"Query UNTERMINATED"')
    box.set(POWER, 5.0)
    assert script.sent == ["POW 5"]
