"""Commands of the Yokogawa WT1800E (its cousins WT500, WT1600, WT3000, WT5000 speak nearly the same).

Sources
  [WT3000]  IM WT3001E-17EN, communication manual of the WT3000E, public as text in
            seekae5/wt3000_treiber_V3_experimentell, docs/WT3000_Communication_Commands.md; page of the manual (S)
  [EOL]     Soochol/WF_EOL_TESTER: a summary of IM WT1801-17EN and a program run against a WT1806E (S)
  [WT]      manual of the WT1800, remembered (M)
What [EOL] gives for the WT1800E agrees with [WT3000] but for three things, where [WT3000] is taken: the binary format
is FLOAT and not REAL, RATE is a time and not a frequency, and errors are asked by STATus:ERRor?.

Manners ([WT3000] chapter 6): replies to settings repeat the header until COMMunicate:HEADer OFF; values and status
replies never do. Error numbers are positive ("113, Undefined header"). A value that does not exist is NAN (binary
9.91E+37), one over range INF (9.9E+37), p. 6-97. The end of an update sets bit 0 (UPD) of the extended event register
when FILTer1 is FALL; reading the register clears it.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from rig.plant.ports import Port
from rig.scpi.codec import Block, Choice, ErrorEntry, Integer, Real, Switch, Words
from rig.scpi.command import Command
from rig.scpi.errors import Entry, ScpiError

WT3000 = "IM WT3001E-17EN"
EOL = "Soochol/WF_EOL_TESTER"
BOTH = f"{WT3000} and {EOL}, p."

ELEMENTS = 6
"""Input elements of the WT1806E."""
ITEMS = 200
"""Numeric items that can be sent at once ([EOL]; 255 on the WT3000E)."""
VOLTAGE_RANGES = (15.0, 30.0, 60.0, 100.0, 150.0, 300.0, 600.0, 1000.0)
"""V rms, crest factor 3 ([WT3000] p. 6-72, [EOL])."""
CURRENT_RANGES = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
"""A rms of a 50 A element, crest factor 3 ([EOL])."""
UPDATES = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
"""s between two updates ([WT]: 200 ms where the WT3000E has 250 ms)."""
OVER_RANGE = 1.4
"""Times the range above which a value is over range, crest factor 3 ([WT])."""
ZERO = 0.003
"""Fraction of the range below which U and I are shown as zero ([WT])."""
UPDATED = 1
"""Bit 0 of the extended event register, UPD ([WT3000] chapter 7)."""
NO_DATA, TOO_LARGE = 0x7E951BEE, 0x7E94F56A
"""Binary marks of NAN and INF ([WT3000] p. 6-97)."""


class Element(BaseModel):
    """What one element is wired to. voltage, current: its ranges, V and A rms (DC: mean); None for the usual one of
    the port: 150 V and 50 A for a leg, 600 V and 50 A for DC (project choice: 450 V and 30 A of a V2H session)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    port: Port
    voltage: float | None = None
    current: float = 50.0

    @model_validator(mode="before")
    @classmethod
    def _a_port_alone(cls, raw: Any) -> Any:
        return {"port": raw} if isinstance(raw, str) else raw

    @model_validator(mode="after")
    def _ranges_it_has(self) -> Element:
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


def _two_legs() -> dict[int, Element]:
    ports: tuple[Port, ...] = ("house_l1", "house_l2", "evps_l1", "evps_l2", "grid_l1", "dc")
    return {number: Element(port=port) for number, port in enumerate(ports, 1)}


class Options(BaseModel):
    """Keys of a bench part. update: s between two updates (0.2 s is 10 cycles at 50 Hz, the window of IEC 61000-4-30).

    elements: element number -> port, or { port, voltage, current } with ranges of its own. A bench has seven ports and
    the WT1806E six elements: which six is the bench's choice. With the contact closed a grid leg carries what its house
    and EVPS legs carry together, so by default grid_l2 is left out. transfer: ASCII text or IEEE single precision.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    update: float = 0.2
    elements: dict[int, Element] = Field(default_factory=_two_legs, min_length=1)
    transfer: Literal["ascii", "float"] = "ascii"
    misreads: dict[str, float] = {}
    """Function of accuracy.toml -> gain error of the emulated one, as a fraction: an instrument out of its limits."""

    @field_validator("update")
    @classmethod
    def _an_update_it_has(cls, update: float) -> float:
        if update not in UPDATES:
            raise ValueError(f"{update:g} s: no such update; take one of {', '.join(f'{u:g}' for u in UPDATES)}")
        return update

    @model_validator(mode="after")
    def _six_elements_each_its_port(self) -> Options:
        for number in self.elements:
            if not 1 <= number <= ELEMENTS:
                raise ValueError(f"elements.{number}: a WT1806E has elements 1..{ELEMENTS}; choose six ports")
        ports = [element.port for element in self.elements.values()]
        for port in ports:
            if ports.count(port) > 1:
                raise ValueError(f"elements: {port} is wired twice; give each port one element")
        return self


class Format(Enum):
    """How numeric data is sent."""

    ASCII = "ASCii"
    FLOAT = "FLOat"


class Edge(Enum):
    """Which change of a condition bit sets its event ([WT3000] p. 6-103)."""

    RISE = "RISE"
    FALL = "FALL"
    BOTH = "BOTH"
    NEVER = "NEVer"


def nr3(value: float, digits: int = 6) -> str:
    """As the instrument prints a number: exponent a multiple of three, two digits ("103.79E+00")."""
    size = abs(value)
    if 1.0 <= size < 999.0:
        return f"{value:.{digits - (1 if size < 10.0 else 2 if size < 100.0 else 3)}f}E+00"
    if size == 0.0:
        return "0.0000E+00"
    power = 3 * ((math.frexp(value)[1] - 1) * 100 // 996)  # log2(1000) = 9.966
    mantissa = value / 10.0**power
    if abs(mantissa) < 1.0:
        power, mantissa = power - 3, mantissa * 1000.0
    elif abs(mantissa) >= 999.9995:
        power, mantissa = power + 3, mantissa / 1000.0
    whole = 1 if abs(mantissa) < 10.0 else 2 if abs(mantissa) < 100.0 else 3
    return f"{mantissa:.{digits - whole}f}E{power:+03d}"


@dataclass(frozen=True)
class Engineering(Real):
    """A number printed as the WT prints it."""

    def reply(self, value: float) -> str:
        return nr3(value, 4)


@dataclass(frozen=True)
class Readings:
    """The answer to VALue?: text or a block of singles, most significant byte first ([WT3000] p. 6-91).

    The instrument hands over (values, format); the driver gets values, NaN for what does not exist and inf for what is
    over range: whether that matters depends on which values were asked for.
    """

    def encode(self, value: tuple[Sequence[float], Format]) -> str:
        raise ValueError("readings are only read")

    def decode(self, fields: Sequence[str]) -> tuple[Sequence[float], Format]:
        raise ScpiError(-108)

    def reply(self, value: tuple[Sequence[float], Format]) -> str | bytes:
        values, form = value
        if form is Format.ASCII:
            return ",".join("NAN" if v != v else "INF" if math.isinf(v) else nr3(v) for v in values)
        return Block(4).reply(b"".join(map(_single, values)))

    def parse(self, text: str) -> Sequence[float]:
        words = text.split(",")
        try:
            values = tuple(map(float, words))
        except ValueError:
            values = (math.nan,)
        if math.isfinite(sum(values)) and "_" not in text:
            return values
        return tuple(map(_number, words))

    def unpack(self, block: bytes) -> Sequence[float]:
        """The values of a block."""
        if len(block) % 4 or not block:
            raise ValueError(f"is a block of {len(block)} bytes, no whole number of singles")
        marks = {NO_DATA: math.nan, TOO_LARGE: math.inf}
        words = struct.unpack(f">{len(block) // 4}I", block)
        values = struct.unpack(f">{len(block) // 4}f", block)
        found = tuple(marks.get(word, value) for word, value in zip(words, values, strict=True))
        if any(word not in marks and not math.isfinite(v) for word, v in zip(words, found, strict=True)):
            raise ValueError("holds bytes that are no number")
        return found


def _single(value: float) -> bytes:
    if math.isfinite(value):
        return struct.pack(">f", value)
    return struct.pack(">I", NO_DATA if math.isnan(value) else TOO_LARGE)


def _number(text: str) -> float:
    word = text.strip()
    try:
        value = float(word)
    except ValueError:
        raise ValueError(f"holds {word[:20]!r}, which is no number" if word else "is empty or has a gap") from None
    if "_" not in word and (math.isfinite(value) or word in ("NAN", "INF")):
        return value
    raise ValueError(f"holds {word[:20]!r}, which is no number")


HEADER = Command[bool](":COMMunicate:HEADer", Switch(), f"{BOTH} 6-24", "S")
VERBOSE = Command[bool](":COMMunicate:VERBose", Switch(), f"{BOTH} 6-24", "S")
REMOTE = Command[bool](":COMMunicate:REMote", Switch(), f"{BOTH} 6-24", "S")
LOCKOUT = Command[bool](":COMMunicate:LOCKout", Switch(), f"{BOTH} 6-24", "S")
WAIT = Command[int](":COMMunicate:WAIT", Integer(0, 65_535), f"{BOTH} 6-24", "S", "set")
ERROR = Command[Entry](":STATus:ERRor", ErrorEntry(), f"{BOTH} 6-103", "S", "query")
CONDITION = Command[int](":STATus:CONDition", Integer(), f"{BOTH} 6-103", "S", "query")
EVENT = Command[int](":STATus:EESR", Integer(), f"{BOTH} 6-103", "S", "query")
EVENT_ENABLE = Command[int](":STATus:EESE", Integer(0, 65_535), f"{BOTH} 6-103", "S")
FILTER = Command[Edge](":STATus:FILTer<n>", Choice(Edge, reply_long=True), f"{BOTH} 6-103", "S", suffix=range(1, 17))

RATE = Command[float](":RATE", Engineering("s", 0.05, 20.0, step=1e-4), f"{WT3000} p. 6-102", "S")
WIRING = Command[Sequence[str]]("[INPut:]WIRing", Words(1, ELEMENTS), f"{BOTH} 6-73", "S")
VOLTAGE_RANGE = Command[float](
    "[INPut:]VOLTage:RANGe:ELEMent<n>", Engineering("V", 1.0, 1000.0), f"{BOTH} 6-72", "S", suffix=range(1, 7)
)
CURRENT_RANGE = Command[float](
    "[INPut:]CURRent:RANGe:ELEMent<n>", Engineering("A", 0.01, 50.0), f"{BOTH} 6-66", "S", suffix=range(1, 7)
)
VOLTAGE_AUTO = Command[bool]("[INPut:]VOLTage:AUTO:ELEMent<n>", Switch(), f"{BOTH} 6-71", "S", suffix=range(1, 7))
CURRENT_AUTO = Command[bool]("[INPut:]CURRent:AUTO:ELEMent<n>", Switch(), f"{BOTH} 6-64", "S", suffix=range(1, 7))

FORMAT = Command[Format](":NUMeric:FORMat", Choice(Format, reply_long=True), f"{WT3000} p. 6-91", "S")
HOLD = Command[bool](":NUMeric:HOLD", Switch(), f"{BOTH} 6-92", "S")
NUMBER = Command[int](":NUMeric[:NORMal]:NUMber", Integer(1, ITEMS), f"{BOTH} 6-95", "S")
ITEM = Command[Sequence[str]](":NUMeric[:NORMal]:ITEM<n>", Words(1, 3), f"{BOTH} 6-95", "S", suffix=range(1, ITEMS + 1))
VALUES = Command[Any](":NUMeric[:NORMal]:VALue", Readings(), f"{BOTH} 6-96", "S", "query", argument=Integer(1, ITEMS))
