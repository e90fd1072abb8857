"""How the value of a command is spelt: four readings of it, one for each side and direction.

    driver --encode--> program data --decode--> instrument
    driver <--parse--- response     <--reply--- instrument

decode refuses with ScpiError (the instrument's own words for its error queue), encode and parse with ValueError (the
driver makes it an EnvelopeError or an InstrumentError). A number that is not finite is never a value: over-range and
missing data (NAN, INF, 9.91E37, 9.9E37 of SCPI-99 7.2.1) raise.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import Generic, Protocol, TypeVar

from rig.scpi.errors import Entry, ScpiError

T = TypeVar("T")
E = TypeVar("E", bound=Enum)


class Codec(Protocol[T]):
    """The spelling of one value."""

    def encode(self, value: T) -> str:
        """Program data as the driver sends it; ValueError outside the allowed range."""
        ...

    def decode(self, fields: Sequence[str]) -> T:
        """Program data as the instrument reads it, already split at commas; ScpiError when refused."""
        ...

    def reply(self, value: T) -> str | bytes:
        """Response data as the instrument sends it."""
        ...

    def parse(self, text: str) -> T:
        """Response data as the driver reads it; ValueError when it is none."""
        ...


def only(fields: Sequence[str]) -> str:
    """The one parameter of a command that takes one."""
    if not fields or not fields[0]:
        raise ScpiError(-109)
    if len(fields) > 1:
        raise ScpiError(-108)
    return fields[0]


# SCPI-99 volume 1, 7.1.2.1: M is milli, except in MHZ and MOHM where it is mega
_MULTIPLIERS = {"G": 1e9, "MA": 1e6, "K": 1e3, "": 1.0, "M": 1e-3, "U": 1e-6, "N": 1e-9}
_NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([A-Za-z/%]*)\s*\Z", re.ASCII)
_WHOLE = re.compile(r"\s*[+-]?\d{1,20}\s*\Z", re.ASCII)
"""Python's own int() would take 1_0 and the digits of every script; no register has more than 20 digits."""
_NO_DATA = 9.9e37


@lru_cache(maxsize=64)
def _scales(unit: str) -> dict[str, float]:
    """Every legal suffix of a unit, in capitals, and what it multiplies by."""
    if unit in ("", "1"):
        return {"": 1.0}
    name = unit.upper()
    if "/" in name or name in ("DEG", "%"):
        return {"": 1.0, name: 1.0}
    scales = {prefix + name: scale for prefix, scale in _MULTIPLIERS.items()}
    if name in ("HZ", "OHM"):
        scales["M" + name] = 1e6
    return {"": 1.0, **scales}


@dataclass(frozen=True)
class Real:
    """A number with a unit. unit: as in rig.units ("V", "W", "ohm", "1"). low, high: bounds of the set-point.

    form: how the instrument prints it. says_unit: its replies carry the unit ("5.00 A"). step: resolution of the
    set-point, what a read-back may differ by.
    """

    unit: str = ""
    low: float = -math.inf
    high: float = math.inf
    form: str = ".6G"
    says_unit: bool = False
    step: float = 0.0

    def encode(self, value: float) -> str:
        if not self.low <= value <= self.high:  # false for NaN too
            raise ValueError(
                f"{value:g} {self.unit} is outside {self.low:g}..{self.high:g} {self.unit}".replace(" 1", "")
            )
        if math.isinf(value):
            raise ValueError(f"{value} is no set-point")
        return f"{value:.9g}"

    def decode(self, fields: Sequence[str]) -> float:
        text = only(fields)
        value = self._named(text)
        if value is None:
            match = _NUMBER.match(text)
            if match is None:
                raise ScpiError(-104)
            scale = _scales(self.unit).get(match[2].upper())
            if scale is None:
                raise ScpiError(-138 if self.unit in ("", "1") else -131)
            value = float(match[1]) * scale
        if not self.low <= value <= self.high or math.isinf(value):
            raise ScpiError(-222)
        return value

    def reply(self, value: float) -> str:
        if math.isnan(value):
            return "NAN"
        text = format(value, self.form)
        return f"{text} {self.unit}" if self.says_unit else text

    def parse(self, text: str) -> float:
        match = _NUMBER.match(text)
        if match is None:
            raise ValueError("is no number" if text.strip() else "is empty")
        scale = _scales(self.unit).get(match[2].upper())
        if scale is None:
            raise ValueError(f"has the unit {match[2]!r} where {self.unit!r} belongs")
        value = float(match[1]) * scale
        if not abs(value) < _NO_DATA:
            raise ValueError("is the instrument's mark for a value over range or missing")
        return value

    def _named(self, text: str) -> float | None:
        """MINimum and MAXimum instead of a number (SCPI-99 volume 1, 7.2.1.2)."""
        name = text.upper()
        if name in ("MIN", "MINIMUM") and not math.isinf(self.low):
            return self.low
        if name in ("MAX", "MAXIMUM") and not math.isinf(self.high):
            return self.high
        return None


@dataclass(frozen=True)
class Reals:
    """Several numbers at once, separated by commas."""

    each: Real
    count: int | None = None

    def encode(self, value: Sequence[float]) -> str:
        self._counted(value)
        return ",".join(self.each.encode(v) for v in value)

    def decode(self, fields: Sequence[str]) -> Sequence[float]:
        if not fields or (self.count is not None and len(fields) < self.count):
            raise ScpiError(-109)
        if self.count is not None and len(fields) > self.count:
            raise ScpiError(-108)
        return tuple(self.each.decode((f,)) for f in fields)

    def reply(self, value: Sequence[float]) -> str:
        return ",".join(self.each.reply(v) for v in value)

    def parse(self, text: str) -> Sequence[float]:
        values = tuple(self.each.parse(part) for part in text.split(","))
        self._counted(values)
        return values

    def _counted(self, values: Sequence[float]) -> None:
        if self.count is not None and len(values) != self.count:
            raise ValueError(f"holds {len(values)} numbers where {self.count} belong")


@dataclass(frozen=True)
class Integer:
    """A whole number."""

    low: int = -(2**31)
    high: int = 2**31 - 1

    def encode(self, value: int) -> str:
        if not self.low <= value <= self.high:
            raise ValueError(f"{value} is outside {self.low}..{self.high}")
        return str(int(value))

    def decode(self, fields: Sequence[str]) -> int:
        number = Real("", self.low, self.high).decode(fields)
        return math.floor(number + 0.5)  # a decimal fraction is rounded (IEEE 488.2, 7.7.2.4)

    def reply(self, value: int) -> str:
        return str(value)

    def parse(self, text: str) -> int:
        return whole(text)


@dataclass(frozen=True)
class Switch:
    """On or off. on, off: how the instrument prints it; sent as ON and OFF, which every one of them takes."""

    on: str = "1"
    off: str = "0"
    sends: tuple[str, str] = ("OFF", "ON")

    def encode(self, value: bool) -> str:
        return self.sends[bool(value)]

    def decode(self, fields: Sequence[str]) -> bool:
        text = only(fields).upper()
        if text in ("ON", "OFF"):
            return text == "ON"
        match = _NUMBER.match(text)
        if match is None or match[2]:
            raise ScpiError(-224 if text.isalpha() else -104)
        number = float(match[1])
        if math.isinf(number):
            raise ScpiError(-222)
        return round(number) != 0

    def reply(self, value: bool) -> str:
        return self.on if value else self.off

    def parse(self, text: str) -> bool:
        word = text.strip().upper()
        if word in ("1", "ON", self.on.upper()):
            return True
        if word in ("0", "OFF", self.off.upper()):
            return False
        raise ValueError("is neither on nor off" if word else "is empty")


@dataclass(frozen=True)
class Choice(Generic[E]):
    """One word of a set. The enum's values are the words as the guide prints them, short form in capitals.

    reply_long: the instrument answers in the long form.
    """

    of: type[E]
    reply_long: bool = False
    _words: dict[str, E] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        words = {spelt: member for member in self.of for spelt in (short(member.value), member.value.upper())}
        object.__setattr__(self, "_words", words)

    def encode(self, value: E) -> str:
        return short(value.value)

    def decode(self, fields: Sequence[str]) -> E:
        text = only(fields).upper()
        found = self._words.get(text)
        if found is None:
            raise ScpiError(-104 if _NUMBER.match(text) else -224)
        return found

    def reply(self, value: E) -> str:
        word: str = value.value
        return word.upper() if self.reply_long else short(word)

    def parse(self, text: str) -> E:
        found = self._words.get(text.strip().upper())
        if found is None:
            known = ", ".join(sorted({short(m.value) for m in self.of}))
            raise ValueError(f"is none of {known}" if text.strip() else "is empty")
        return found


@dataclass(frozen=True)
class Text:
    """Free text. quoted: printed between double quotes, as string data must be."""

    quoted: bool = False

    def encode(self, value: str) -> str:
        if not value.isascii() or not value.isprintable():
            raise ValueError("text must be printable ASCII")
        doubled = value.replace('"', '""')
        return f'"{doubled}"' if self.quoted else value

    def decode(self, fields: Sequence[str]) -> str:
        if not fields or not fields[0]:
            raise ScpiError(-109)
        return _unquoted(only(fields)) if self.quoted else ",".join(fields)

    def reply(self, value: str) -> str:
        return self.encode(value)

    def parse(self, text: str) -> str:
        if not self.quoted:
            return text.strip()
        try:
            return _unquoted(text.strip())
        except ScpiError:
            raise ValueError("is no quoted text") from None


@dataclass(frozen=True)
class Words:
    """Several words or numbers as they stand, separated by commas: for parameters that depend on one another.

    least, most: how many the instrument takes.
    """

    least: int = 1
    most: int = 16

    def encode(self, value: Sequence[str]) -> str:
        if not self.least <= len(value) <= self.most:
            raise ValueError(f"{len(value)} parameters where {self.least}..{self.most} belong")
        return ",".join(value)

    def decode(self, fields: Sequence[str]) -> Sequence[str]:
        if len(fields) < self.least or not all(fields):
            raise ScpiError(-109)
        if len(fields) > self.most:
            raise ScpiError(-108)
        return tuple(f.upper() for f in fields)

    def reply(self, value: Sequence[str]) -> str:
        return ",".join(value)

    def parse(self, text: str) -> Sequence[str]:
        if not text.strip():
            raise ValueError("is empty")
        return tuple(part.strip() for part in text.split(","))


@dataclass(frozen=True)
class Block:
    """Bytes as a definite length block, `#<digits><count><bytes>` (IEEE 488.2, 8.7.9). Response data only.

    digits: how many the instrument uses for the count; 0 means as few as will do.
    """

    digits: int = 0

    def encode(self, value: bytes) -> str:
        raise ValueError("a block is only read here")

    def decode(self, fields: Sequence[str]) -> bytes:
        raise ScpiError(-161)

    def reply(self, value: bytes) -> bytes:
        count = str(len(value)).zfill(self.digits)
        return f"#{len(count)}{count}".encode() + value

    def parse(self, text: str) -> bytes:
        raw = text.encode("latin-1", "replace")
        if raw[:1] != b"#" or not raw[1:2].isdigit():
            raise ValueError("is no block")
        start = 2 + int(raw[1:2])
        if not raw[2:start].isdigit():
            raise ValueError("is no block")
        count = int(raw[2:start])
        if len(raw) < start + count:
            raise ValueError(f"is a block of {count} bytes of which {len(raw) - start} came")
        return raw[start : start + count]


@dataclass(frozen=True)
class Nothing:
    """No value at all: a command that acts."""

    def encode(self, value: None) -> str:
        return ""

    def decode(self, fields: Sequence[str]) -> None:
        if fields:
            raise ScpiError(-108)

    def reply(self, value: None) -> str:
        return ""

    def parse(self, text: str) -> None:
        if text.strip():
            raise ValueError("should be empty")


@dataclass(frozen=True)
class ErrorEntry:
    """One line of an error queue, `-113,"Undefined header"`. Response data only."""

    def encode(self, value: Entry) -> str:
        raise ValueError("an error queue is only read")

    def decode(self, fields: Sequence[str]) -> Entry:
        raise ScpiError(-108)

    def reply(self, value: Entry) -> str:
        return str(value)

    def parse(self, text: str) -> Entry:
        code, comma, words = text.strip().partition(",")
        if _WHOLE.match(code) is None:
            raise ValueError("is no error number" if code else "is empty")
        number = int(code)
        if not comma and number != 0:
            raise ValueError("is an error number without its words")
        return Entry(number, words.strip().strip('"'))


def plain(text: str) -> float:
    """A decimal number without a unit; ValueError for anything else, and for what a float cannot hold."""
    match = _NUMBER.match(text)
    if match is None or match[2]:
        raise ValueError("is no number" if text.strip() else "is empty")
    value = float(match[1])
    if math.isinf(value):
        raise ValueError("is beyond every number")
    return value


def whole(text: str) -> int:
    """A whole number as instruments print it; ValueError for anything else."""
    if _WHOLE.match(text) is None:
        raise ValueError("is no whole number" if text.strip() else "is empty")
    return int(text)


def short(word: str) -> str:
    """The short form of a word printed with its short form in capitals: "MAXimum" -> "MAX"."""
    return "".join(c for c in word if not c.islower())


def _unquoted(text: str) -> str:
    quote = text[:1]
    if quote not in ('"', "'") or len(text) < 2 or text[-1] != quote:
        raise ScpiError(-151)
    return text[1:-1].replace(quote * 2, quote)
