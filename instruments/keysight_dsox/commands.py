"""Commands of the Keysight InfiniiVision 4000 X-Series (2000 X, 3000 X and 6000 X: the same dialect).

Sources
  [PG]       Keysight InfiniiVision 4000 X-Series Programmer's Guide, page; as quoted in the public notes of a power
             quality bench with a DSOX4034A, which checked its commands against the guide and the oscilloscope (S)
  [EXAMPLE]  Keysight's own example AnalogWaveformGrab.py, public in FuturePhotonInitiative/PTCS (S)
  [PYM]      pymeasure, keysightDSOX1102G.py (S)
  [OPEN]     public code that arms, forces and polls a 3000 X or 4000 X (S)

What matters here
  The time reference LEFT is one division from the left edge, so the edge lies at POSition - RANGe/10 after the trigger
  (p. 1334 to 1337). A single acquisition takes the whole memory, half of it a channel when both of a pair (1 and 2, 3
  and 4) are on (p. 320). RAW brings the raw record, up to 4,000,000 points, of a stopped oscilloscope; NORMal the
  measurement record of at most 62,500 points (p. 1458). High resolution shows in the measurement record only; in RAW
  its effect is (mostly) that of NORMal [EXAMPLE]. Value = (code - yreference) * yincrement + yorigin, 0 is a hole
  (p. 1448). The instrument returns as close to the points asked for as it can (p. 1456).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rig.plant.ports import WavePort
from rig.scpi.codec import Block, Choice, Integer, Nothing, Real, Switch
from rig.scpi.command import Command
from rig.scpi.errors import ScpiError

PG = "4000 X-Series Programmer's Guide p."
EXAMPLE = "Keysight example AnalogWaveformGrab.py (FuturePhotonInitiative/PTCS)"
PYM = "pymeasure keysightDSOX1102G.py"
OPEN = "public code for the 3000 X and 4000 X"

CHANNELS = range(1, 5)
MEMORY = 4_000_000
"""Points of one channel of a pair ([PG] 1459)."""
MEASUREMENT_RECORD = 62_500
"""Points the measurement record has at most ([PG] 1458)."""
LONGEST = 500.0
"""s across the screen at 50 s a division (data sheet, M)."""
DIVISIONS = 10.0
"""Of the time axis ([PG] 1335)."""
SMALLEST, LARGEST = 0.008, 40.0
"""V of 8 divisions at the input, 1 mV and 5 V a division at 1 Mohm (data sheet, M)."""
RUN = 1 << 3
"""Bit of the operation status condition: not stopped ([PG] 293)."""


class Channel(BaseModel):
    """What one channel is wired to. probe: attenuation. range: V across 8 divisions at the probe's tip, symmetric
    about 0 V; None for the usual one of the port: 400 V of a 100 V leg, 1000 V of DC, 40 V of the auxiliary contact
    (project choices: the peak of 1.4 times the rated voltage stays on the screen)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    port: WavePort
    range: float | None = Field(None, gt=0)
    probe: float = Field(100.0, ge=0.1, le=1000.0)

    @model_validator(mode="before")
    @classmethod
    def _a_port_alone(cls, raw: Any) -> Any:
        return {"port": raw} if isinstance(raw, str) else raw

    @model_validator(mode="after")
    def _a_range_it_has(self) -> Channel:
        if self.port == "dc_i":
            raise ValueError("dc_i needs a current probe this driver has no accuracy of; wire it to a tektronix_mso5")
        low, high = SMALLEST * self.probe, LARGEST * self.probe
        if not low <= self.full <= high:
            raise ValueError(f"range = {self.full:g} V is outside {low:g}..{high:g} V of probe = {self.probe:g}")
        return self

    @property
    def full(self) -> float:
        """V across 8 divisions."""
        return self.range or {"dc": 1000.0, "pcs_aux": 40.0}.get(self.port, 400.0)


def _two_legs() -> dict[int, Channel]:
    ports: tuple[WavePort, ...] = ("house_l1", "house_l2", "grid_l1", "pcs_aux")
    return {number: Channel.model_validate(port) for number, port in enumerate(ports, 1)}


class Options(BaseModel):
    """Keys of a bench part. channels: channel number -> port, or { port, range, probe }.

    high_resolution: records short enough for it are taken at 12 bit; others at 8 bit in any case.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    channels: dict[int, Channel] = Field(default_factory=_two_legs, min_length=1)
    high_resolution: bool = True
    misreads: dict[str, float] = {}
    """Function of accuracy.toml -> gain error of the emulated one, as a fraction: an instrument out of its limits."""

    @model_validator(mode="after")
    def _four_channels_each_its_port(self) -> Options:
        for number in self.channels:
            if number not in CHANNELS:
                raise ValueError(f"channels.{number}: a DSOX4024A has channels 1..{CHANNELS[-1]}; choose four ports")
        ports = [channel.port for channel in self.channels.values()]
        for port in ports:
            if ports.count(port) > 1:
                raise ValueError(f"channels: {port} is wired twice; give each port one channel")
        return self


class Coupling(Enum):
    """Of an input."""

    DC = "DC"
    AC = "AC"


class Acquire(Enum):
    """How samples become points. PEAK and AVERage are not used here."""

    NORMAL = "NORMal"
    HIGH_RESOLUTION = "HRESolution"


class Reference(Enum):
    """Where the time reference stands on the screen."""

    LEFT = "LEFT"
    CENTER = "CENTer"
    RIGHT = "RIGHt"


class Sweep(Enum):
    """Whether a trigger that does not come is replaced."""

    AUTO = "AUTO"
    NORMAL = "NORMal"


class Source(Enum):
    """Of the trigger and of a waveform."""

    CHANNEL1 = "CHANnel1"
    CHANNEL2 = "CHANnel2"
    CHANNEL3 = "CHANnel3"
    CHANNEL4 = "CHANnel4"
    EXTERNAL = "EXTernal"


ANALOG = (Source.CHANNEL1, Source.CHANNEL2, Source.CHANNEL3, Source.CHANNEL4)
"""Sources by channel number - 1."""


class Form(Enum):
    """How points are sent."""

    BYTE = "BYTE"
    WORD = "WORD"


class Order(Enum):
    """Which byte of a word comes first."""

    LSB_FIRST = "LSBFirst"
    MSB_FIRST = "MSBFirst"


class Points(Enum):
    """Which record is sent."""

    NORMAL = "NORMal"
    MAXIMUM = "MAXimum"
    RAW = "RAW"


@dataclass(frozen=True, slots=True)
class Preamble:
    """The ten fields of a preamble ([PG] 1460). form: 0 BYTE, 1 WORD. kind: 0 normal, 3 high resolution."""

    form: int
    kind: int
    points: int
    count: int
    x_increment: float
    x_origin: float
    x_reference: float
    y_increment: float
    y_origin: float
    y_reference: float


@dataclass(frozen=True)
class PreambleText:
    """Ten numbers separated by commas. Response data only."""

    def encode(self, value: Preamble) -> str:
        raise ValueError("a preamble is only read")

    def decode(self, fields: Sequence[str]) -> Preamble:
        raise ScpiError(-108)

    def reply(self, value: Preamble) -> str:
        whole = f"{value.form:+d},{value.kind:+d},{value.points:+d},{value.count:+d}"
        return (
            f"{whole},{value.x_increment:+.8E},{value.x_origin:+.8E},{value.x_reference:+.0f},"
            f"{value.y_increment:+.8E},{value.y_origin:+.8E},{value.y_reference:+.0f}"
        )

    def parse(self, text: str) -> Preamble:
        words = text.split(",")
        if len(words) != 10:
            raise ValueError(f"has {len(words)} fields where a preamble has 10")
        whole = [Integer().parse(word) for word in words[:4]]
        real = [Real().parse(word) for word in words[4:]]
        return Preamble(whole[0], whole[1], whole[2], whole[3], real[0], real[1], real[2], real[3], real[4], real[5])


def _channel(header: str, value: Any, source: str) -> Command[Any]:
    return Command(f":CHANnel<n>:{header}", value, source, "S", suffix=CHANNELS)


DISPLAY: Command[bool] = _channel("DISPlay", Switch(), EXAMPLE)
RANGE: Command[float] = _channel("RANGe", Real("V", 0.0, 1e6, ".5E"), PYM)
OFFSET: Command[float] = _channel("OFFSet", Real("V", -1e6, 1e6, ".5E"), PYM)
COUPLING: Command[Coupling] = _channel("COUPling", Choice(Coupling), PYM)
PROBE: Command[float] = _channel("PROBe", Real("1", 0.1, 1000.0, ".5E"), PYM)

ACQUIRE = Command[Acquire](":ACQuire:TYPE", Choice(Acquire), EXAMPLE, "S")
REFERENCE = Command[Reference](":TIMebase:REFerence", Choice(Reference), f"{PG} 1337", "S")
TIME_RANGE = Command[float](":TIMebase:RANGe", Real("s", 2e-8, LONGEST, ".8E"), f"{PG} 1335", "S")
POSITION = Command[float](":TIMebase:POSition", Real("s", -LONGEST, LONGEST, ".8E"), f"{PG} 1334", "S")
SWEEP = Command[Sweep](":TRIGger:SWEep", Choice(Sweep), f"{PG} 1345", "S")
TRIGGER_SOURCE = Command[Source](":TRIGger:EDGE:SOURce", Choice(Source), OPEN, "S")
FORCE = Command[None](":TRIGger:FORCe", Nothing(), OPEN, "S", "set")
SINGLE = Command[None](":SINGle", Nothing(), f"{PG} 320", "S", "set")
STOP = Command[None](":STOP", Nothing(), f"{PG} 1458", "S", "set")
ARMED = Command[int](":AER", Integer(), f"{PG} 272", "S", "query")
TRIGGERED = Command[int](":TER", Integer(), f"{PG} 309", "S", "query")
CONDITION = Command[int](":OPERegister:CONDition", Integer(), f"{PG} 293", "S", "query")

WAVE_SOURCE = Command[Source](":WAVeform:SOURce", Choice(Source), EXAMPLE, "S")
WAVE_FORM = Command[Form](":WAVeform:FORMat", Choice(Form), EXAMPLE, "S")
WAVE_ORDER = Command[Order](":WAVeform:BYTeorder", Choice(Order), EXAMPLE, "S")
WAVE_UNSIGNED = Command[bool](":WAVeform:UNSigned", Switch(), EXAMPLE, "S")
WAVE_RECORD = Command[Points](":WAVeform:POINts:MODE", Choice(Points), f"{PG} 1458", "S")
WAVE_POINTS = Command[int](":WAVeform:POINts", Integer(100, 10_000_000), f"{PG} 1456", "S")
PREAMBLE = Command[Preamble](":WAVeform:PREamble", PreambleText(), f"{PG} 1460", "S", "query")
DATA = Command[bytes](":WAVeform:DATA", Block(8), f"{PG} 1448", "S", "query")
