"""Commands of the Hioki PW8001 (cousins: PW6001, PW3390, PW3335).

Sources
  [PW8001]  HIOKI "PW8001 Communication Command Instruction Manual", PW8001A964-03, chapter 1 (S)
  [PW3390]  HIOKI "PW3390 Communication Command Instruction Manual", PW3390A975, page (S there, M here)
  [PW3335]  HIOKI "PW3335 Communication Command Instruction Manual", PW3335A985, page (S there, M here)
  [CODE]    public programs that read a PW3390 with ":MEAS? Urms4" and a PW3335 over TCP (S)
  [M]       remembered; check against the manual before relying on it
TCP port 23 [PW8001] (3300 on the older ones [CODE]). Replies repeat the header until HEADer OFF [PW8001]; then the
values of a :MEASure? follow each other, ';' between them as [CODE] shows or ',' as [PW3335] p. 68 prints it: both are
read. There is no error queue: *ESR? tells the class of what went wrong, and reading clears it ([PW3390] p. 11).
A value over range is 999.99E+9, one that is not there 777.77E+9, a scaling error 888.88E+9 ([PW3335] p. 68).
The end of a data update sets a bit of event status register 0, which reading clears [M]. The data update rate is set at
the panel: no source for its command was found, so the driver holds it against the bench file by watching the updates.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from rig.plant.ports import Port
from rig.scpi.codec import Integer, Real, Switch, Words, whole
from rig.scpi.command import Command
from rig.scpi.errors import Entry, ScpiError

PW8001 = "PW8001A964-03 chapter 1"
PW3390 = "PW3390A975 p."
PW3335 = "PW3335A985 p."
CODE = "public programs for PW3390 and PW3335"
MEMORY = "PW8001 communication command manual (remembered)"

CHANNELS = 8
ITEMS = 180
"""Items a :MEASure? may ask for at once ([PW3335] p. 68)."""
VOLTAGE_RANGES = (6.0, 15.0, 30.0, 60.0, 150.0, 300.0, 600.0, 1500.0)
"""V (data sheet, M; 300 V: [PW8001])."""
CURRENT_RANGES = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
"""A, with a 50 A current sensor (data sheet, M)."""
UPDATES = (0.01, 0.05, 0.2)
"""s of a data update (data sheet, M)."""
OVER_RANGE = 1.5
"""Times the range above which a value is over range (data sheet: 150 %, M)."""
ZERO = 0.005
"""Fraction of the range below which U and I are shown as zero (zero suppression 0.5 %, M)."""
UPDATED = 1
"""Bit of event status register 0: a data update has ended [M]."""
OVER, SCALING, MISSING = 999.99e9, 888.88e9, 777.77e9
_MARKS = 7e11
"""From here on a figure is one of the three marks."""


class Channel(BaseModel):
    """What one channel is wired to. voltage, current: its ranges, V and A; None for the usual one of the port: 150 V
    for a leg, 600 V for DC (project choice: 450 V of a V2H session)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    port: Port
    voltage: float | None = None
    current: float = 50.0

    @model_validator(mode="before")
    @classmethod
    def _a_port_alone(cls, raw: Any) -> Any:
        return {"port": raw} if isinstance(raw, str) else raw

    @model_validator(mode="after")
    def _ranges_it_has(self) -> Channel:
        for name, value, ranges in (
            ("voltage", self.voltage_range, VOLTAGE_RANGES),
            ("current", self.current, CURRENT_RANGES),
        ):
            if value not in ranges:
                raise ValueError(f"{name} = {value:g}: no such range; there are {', '.join(f'{r:g}' for r in ranges)}")
        return self

    @property
    def voltage_range(self) -> float:
        """V."""
        return self.voltage if self.voltage is not None else 600.0 if self.port == "dc" else 150.0


def _seven_ports() -> dict[int, Channel]:
    ports: tuple[Port, ...] = ("house_l1", "house_l2", "evps_l1", "evps_l2", "grid_l1", "grid_l2", "dc")
    return {number: Channel(port=port) for number, port in enumerate(ports, 1)}


class Options(BaseModel):
    """Keys of a bench part. update: s of a data update, as set at its panel. channels: channel number -> port, or
    { port, voltage, current } with ranges of its own; every channel in wiring mode 1P2W."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    update: float = 0.2
    channels: dict[int, Channel] = Field(default_factory=_seven_ports, min_length=1)

    @field_validator("update")
    @classmethod
    def _an_update_it_has(cls, update: float) -> float:
        if update not in UPDATES:
            raise ValueError(f"{update:g} s: no such update; take one of {', '.join(f'{u:g}' for u in UPDATES)}")
        return update

    @model_validator(mode="after")
    def _each_its_port(self) -> Options:
        for number in self.channels:
            if not 1 <= number <= CHANNELS:
                raise ValueError(f"channels.{number}: a PW8001 has channels 1..{CHANNELS}")
        ports = [channel.port for channel in self.channels.values()]
        for port in ports:
            if ports.count(port) > 1:
                raise ValueError(f"channels: {port} is wired twice; give each port one channel")
        return self


def nr3(value: float) -> str:
    """As it prints a measured value: sign, seven digits and a point, an exponent in steps of three (digits: M)."""
    for power in (0, 3, 6, 9):
        mantissa = value / 10.0**power
        if abs(mantissa) < 999.99995:
            break
    whole = 1 if abs(mantissa) < 9.9999995 else 2 if abs(mantissa) < 99.999995 else 3
    return f"{mantissa:+.{7 - whole}f}E+{power:02d}"


_ITEM = re.compile(r"\s*(?:([A-Za-z]+\d+)\s)?\s*([+-]?\d+\.?\d*(?:E[+-]?\d+)?)\s*\Z", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class Readings:
    """The answer to :MEASure?: figures, with the names of their items while headers are on.

    The driver gets NaN for what is not there or wrongly scaled, and inf for what is over range.
    """

    def encode(self, value: Sequence[float]) -> str:
        raise ValueError("readings are only read")

    def decode(self, fields: Sequence[str]) -> Sequence[float]:
        raise ScpiError(-108)

    def reply(self, value: Sequence[float]) -> str:
        def spelt(one: float) -> str:
            return "+777.77E+9" if math.isnan(one) else "+999.99E+9" if math.isinf(one) else nr3(one)

        return ";".join(map(spelt, value))

    def parse(self, text: str) -> Sequence[float]:
        return tuple(map(_figure, re.split("[;,]", text)))


def _figure(text: str) -> float:
    match = _ITEM.match(text)
    if match is None:
        word = text.strip()
        raise ValueError(f"holds {word[:20]!r}, which is no number" if word else "is empty or has a gap")
    value = float(match[2])
    if abs(value) < _MARKS:
        return value
    return math.inf if math.isclose(abs(value), OVER, rel_tol=1e-3) else math.nan


_CLASSES = ((32, "command error"), (16, "execution error"), (8, "device error"), (4, "query error"))


@dataclass(frozen=True)
class Events:
    """The standard event register as the only report of errors: 0 none, else the classes that happened."""

    def encode(self, value: Entry) -> str:
        raise ValueError("the event register is only read")

    def decode(self, fields: Sequence[str]) -> Entry:
        raise ScpiError(-108)

    def reply(self, value: Entry) -> str:
        return str(value.code)

    def parse(self, text: str) -> Entry:
        try:
            bits = whole(text)
        except ValueError:
            raise ValueError("is no event register" if text.strip() else "is empty") from None
        if not 0 <= bits < 256:
            raise ValueError("is no event register")
        words = [name for bit, name in _CLASSES if bits & bit]
        return Entry(bits if words else 0, " and ".join(words) + " (*ESR?)" if words else "no error")


HEADER = Command[bool](":HEADer", Switch("ON", "OFF"), PW8001, "S")
VOLTAGE_RANGE = Command[float](
    ":VOLTage<n>:RANGe", Real("V", 1.0, 1500.0, form=".6g"), PW8001, "S", suffix=range(1, CHANNELS + 1)
)
VOLTAGE_AUTO = Command[bool](":VOLTage<n>:AUTO", Switch("ON", "OFF"), MEMORY, "M", suffix=range(1, CHANNELS + 1))
CURRENT_RANGE = Command[float](
    ":CURRent<n>:RANGe", Real("A", 0.1, 1000.0, form=".6g"), MEMORY, "M", suffix=range(1, CHANNELS + 1)
)
CURRENT_AUTO = Command[bool](":CURRent<n>:AUTO", Switch("ON", "OFF"), MEMORY, "M", suffix=range(1, CHANNELS + 1))
HOLD = Command[bool](":HOLD", Switch("ON", "OFF"), MEMORY, "M")
EVENT = Command[int](":ESR0", Integer(), MEMORY, "M", "query")
ERROR = Command[Entry]("*ESR", Events(), f"{PW3390} 11", "M", "query")
VALUES = Command[Any](":MEASure[:POWer]", Readings(), f"{PW3335} 68, {CODE}", "M", "query", argument=Words(1, ITEMS))
"""Asked with its items, e.g. Urms1, Udc7, P1, S1, PF1, FREQ1, Uthd1 (names: [CODE], [PW3390] p. 37)."""
