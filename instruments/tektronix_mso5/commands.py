"""Commands of the Tektronix 5 Series MSO (4 and 6 Series: the same dialect).

Sources
  [TMD]      Tektronix's own tm_devices, commands/gen_7n037o_lpdmso and gen_7iy04z_dpolpdmso, generated from the
             4/5/6 Series programmer manuals, description and syntax of each command (S)
  [PM]       MSO54, MSO56, MSO58, MSO58LP Programmer Manual, public copies of single pages, page (S)
  [TDS]      TDS5000B Online Programmer Guide, page: what an older family says of the same command (S)
  [OPEN]     public code that reads waveforms of this family and scales them (S)

What matters here
  Replies repeat their header until HEADer OFF. An event becomes readable (EVMsg?) by reading *ESR?; before that the
  queue says 1, empty it says 0. Value = (code - YOFf) * YMUlt + YZEro; YOFf is 0 in this family. The first point lies
  PT_Off points before the trigger, XZEro is what is left between the trigger and the sample after it [OPEN]. DATa:STOP
  does not follow the record length and is sent anew [TMD]. A forced trigger is ignored unless the state is READY.
  HIRes averages what is sampled in between, up to 16 bit. Units are those of the TekVPI probe that is plugged in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rig.plant.ports import WavePort, wave_unit
from rig.scpi.codec import Block, Choice, ErrorEntry, Integer, Real, Switch, Text, only
from rig.scpi.command import Command
from rig.scpi.errors import Entry

TMD = "tm_devices, 5 Series MSO: "
PM = "MSO54/56/58 Programmer Manual p. "

CHANNELS = range(1, 9)
DIVISIONS = 10.0
"""Of a channel's range (data sheet, M)."""
LEVELS = 6400.0
"""Steps of a 16 bit word to a division: 25 of 8 bit (as its replies in public code show, [OPEN])."""
MEMORY = 62_500_000
"""Points a channel (data sheet, standard record length, M)."""
SHORTEST = 1000
"""Points a record has at least (data sheet, M)."""
LONGEST = 500.0
"""s, ten divisions of 50 s (project choice: what the other digitizer of a bench takes)."""
SMALLEST, LARGEST = {"V": 15.0, "A": 1.0}, {"V": 3000.0, "A": 500.0}
"""Range at the probe's tip: THDP0200 and TCP0150 (data sheets, M)."""
USUAL: dict[str, float] = {"dc": 1000.0, "dc_i": 100.0, "pcs_aux": 40.0}
"""Range of a port where the bench file names none, 400 V of an AC leg (project choices: 1.4 times what is rated)."""


class Channel(BaseModel):
    """What one channel is wired to, through a TekVPI probe: differential for a voltage, current for dc_i. range: V or A
    across 10 divisions at the probe's tip, symmetric about 0; None for the usual one of the port."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    port: WavePort
    range: float | None = Field(None, gt=0)

    @model_validator(mode="before")
    @classmethod
    def _a_port_alone(cls, raw: Any) -> Any:
        return {"port": raw} if isinstance(raw, str) else raw

    @model_validator(mode="after")
    def _a_range_it_has(self) -> Channel:
        low, high = SMALLEST[self.unit], LARGEST[self.unit]
        if not low <= self.full <= high:
            raise ValueError(f"range = {self.full:g} {self.unit} is outside {low:g}..{high:g} {self.unit} of its probe")
        return self

    @property
    def unit(self) -> str:
        """Of its probe."""
        return wave_unit(self.port)

    @property
    def full(self) -> float:
        """V or A across 10 divisions."""
        return self.range or USUAL.get(self.port, 400.0)


def _direct_current() -> dict[int, Channel]:
    return {1: Channel.model_validate("dc"), 2: Channel.model_validate("dc_i")}


class Options(BaseModel):
    """Keys of a bench part. channels: channel number -> port, or { port, range }. One channel stays free: nothing on it
    can trigger a record, so that each begins when it is told to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    channels: dict[int, Channel] = Field(default_factory=_direct_current, min_length=1)

    @model_validator(mode="after")
    def _each_its_port_and_one_free(self) -> Options:
        for number in self.channels:
            if number not in CHANNELS:
                raise ValueError(f"channels.{number}: an MSO58 has channels 1..{CHANNELS[-1]}; choose other numbers")
        if len(self.channels) >= len(CHANNELS):
            raise ValueError("channels: one of the eight must stay free, the trigger is put on it; unwire one")
        ports = [channel.port for channel in self.channels.values()]
        for port in ports:
            if ports.count(port) > 1:
                raise ValueError(f"channels: {port} is wired twice; give each port one channel")
        return self

    @property
    def free(self) -> int:
        """The highest channel that nothing is wired to."""
        return max(set(CHANNELS) - set(self.channels))


class Acquire(Enum):
    """How samples become points. PEAKdetect, AVErage and ENVelope are not used here."""

    SAMPLE = "SAMple"
    HIGH_RESOLUTION = "HIRes"


class StopAfter(Enum):
    """Whether one acquisition follows the other."""

    RUN_STOP = "RUNSTop"
    SEQUENCE = "SEQuence"


class Horizontal(Enum):
    """Who chooses the sample rate and the record length."""

    AUTO = "AUTO"
    MANUAL = "MANual"


class TriggerMode(Enum):
    """Whether a trigger that does not come is replaced."""

    AUTO = "AUTO"
    NORMAL = "NORMal"


class TriggerType(Enum):
    """What it waits for."""

    EDGE = "EDGE"


class Force(Enum):
    """The one argument of TRIGger."""

    FORCE = "FORCe"


class TriggerState(Enum):
    """Where an acquisition stands ([TDS] 790)."""

    ARMED = "ARMed"
    AUTO = "AUTO"
    READY = "REAdy"
    SAVE = "SAVe"
    TRIGGERED = "TRIGger"


class Source(Enum):
    """Of the trigger and of a waveform."""

    CH1 = "CH1"
    CH2 = "CH2"
    CH3 = "CH3"
    CH4 = "CH4"
    CH5 = "CH5"
    CH6 = "CH6"
    CH7 = "CH7"
    CH8 = "CH8"


ANALOG = tuple(Source)
"""Sources by channel number - 1."""


class Coupling(Enum):
    """Of an input."""

    AC = "AC"
    DC = "DC"


class Encoding(Enum):
    """How points are sent. S: least significant byte first. RI: signed, RP: positive integers."""

    SIGNED_MSB = "RIBinary"
    SIGNED_LSB = "SRIbinary"
    POSITIVE_MSB = "RPBinary"
    POSITIVE_LSB = "SRPbinary"


@dataclass(frozen=True)
class RunStop(Switch):
    """On or off that also answers to RUN and STOP."""

    def decode(self, fields: Sequence[str]) -> bool:
        word = only(fields).upper()
        return word == "RUN" if word in ("RUN", "STOP") else super().decode(fields)


def _tmd(header: str, value: Any, access: Any = "both", suffix: range = range(1, 2)) -> Command[Any]:
    return Command(header, value, TMD + header, "S", access, suffix)


EVENT: Command[Entry] = _tmd("EVMsg", ErrorEntry(), "query")
HEADER: Command[bool] = _tmd("HEADer", Switch())

SCALE = Command[float](
    "CH<n>:SCAle", Real("1", 1e-3, 500.0, ".4E"), TMD + "CH<x>:SCAle, V or A to a division", "S", suffix=CHANNELS
)
POSITION: Command[float] = _tmd("CH<n>:POSition", Real("1", -5.0, 5.0, ".4E"), suffix=CHANNELS)
OFFSET: Command[float] = _tmd("CH<n>:OFFSet", Real("1", -1e4, 1e4, ".4E"), suffix=CHANNELS)
COUPLING: Command[Coupling] = _tmd("CH<n>:COUPling", Choice(Coupling), suffix=CHANNELS)
PROBE_UNITS: Command[str] = _tmd("CH<n>:PRObe:UNIts", Text(quoted=True), "query", CHANNELS)
DISPLAY: Command[bool] = _tmd("DISplay:GLObal:CH<n>:STATE", Switch(), suffix=CHANNELS)

ACQUIRE: Command[Acquire] = _tmd("ACQuire:MODe", Choice(Acquire, reply_long=True))
STOP_AFTER: Command[StopAfter] = _tmd("ACQuire:STOPAfter", Choice(StopAfter, reply_long=True))
RUN: Command[bool] = _tmd("ACQuire:STATE", RunStop())
HORIZONTAL: Command[Horizontal] = _tmd("HORizontal:MODe", Choice(Horizontal, reply_long=True))
DELAY: Command[bool] = _tmd("HORizontal:DELay:MODe", Switch())
TRIGGER_AT: Command[float] = _tmd("HORizontal:POSition", Real("%", 0.0, 100.0, ".4E"))
RATE: Command[float] = _tmd("HORizontal:SAMPLERate", Real("1", 1e-2, 6.25e9, ".6E"))
POINTS: Command[int] = _tmd("HORizontal:RECOrdlength", Integer(SHORTEST, MEMORY))

TRIGGER_TYPE: Command[TriggerType] = _tmd("TRIGger:A:TYPe", Choice(TriggerType, reply_long=True))
TRIGGER_MODE: Command[TriggerMode] = _tmd("TRIGger:A:MODe", Choice(TriggerMode, reply_long=True))
TRIGGER_SOURCE: Command[Source] = _tmd("TRIGger:A:EDGE:SOUrce", Choice(Source, reply_long=True))
TRIGGER_LEVEL: Command[float] = _tmd("TRIGger:A:LEVel:CH<n>", Real("1", -1e4, 1e4, ".4E"), suffix=CHANNELS)
FORCE: Command[Force] = _tmd("TRIGger", Choice(Force), "set")
TRIGGER_STATE = Command[TriggerState](
    "TRIGger:STATE", Choice(TriggerState, reply_long=True), f"{TMD}TRIGger:STATE; TDS5000B guide p. 790", "S", "query"
)

DATA_SOURCE: Command[Source] = _tmd("DATa:SOUrce", Choice(Source, reply_long=True))
DATA_ENCODING: Command[Encoding] = _tmd("DATa:ENCdg", Choice(Encoding, reply_long=True))
DATA_WIDTH: Command[int] = _tmd("DATa:WIDth", Integer(1, 2))
DATA_START: Command[int] = _tmd("DATa:STARt", Integer(1, MEMORY))
DATA_STOP: Command[int] = _tmd("DATa:STOP", Integer(1, 2**31 - 1))
OUT_POINTS: Command[int] = _tmd("WFMOutpre:NR_Pt", Integer(), "query")
OUT_BEFORE: Command[int] = _tmd("WFMOutpre:PT_Off", Integer(), "query")
OUT_STEP: Command[float] = _tmd("WFMOutpre:XINcr", Real("s", form=".9E"), "query")
OUT_REST: Command[float] = _tmd("WFMOutpre:XZEro", Real("s", form=".9E"), "query")
OUT_SCALE: Command[float] = _tmd("WFMOutpre:YMUlt", Real("1", form=".9E"), "query")
OUT_CENTRE: Command[float] = _tmd("WFMOutpre:YOFf", Real("1", form=".4E"), "query")
OUT_ZERO: Command[float] = _tmd("WFMOutpre:YZEro", Real("1", form=".9E"), "query")
OUT_UNIT: Command[str] = _tmd("WFMOutpre:YUNit", Text(quoted=True), "query")
CURVE: Command[bytes] = _tmd("CURVe", Block(), "query")
