"""Commands of the AMETEK California Instruments MX and RS series (cousins: Sequoia, Lx, iX).

Sources
  [SVP]     sandialabs/svp_energy_lab, Lib/svpelab/gridsim_ametek.py (S)
  [MX]      a public driver `AmetekMX30` run against an MX30, headers printed long (S)
  [SEQUOIA] Sequoia series SCPI manual, 4.23 (phase), page (S)
  [LX]      Lx/Ls series II programming manual, 4.20 (phase), page (S)
  [DROPOUT] public scripts that drop a wave at an angle on sources of this dialect (S)
  [MANUAL]  MX/RS series SCPI programming manual 7003-961, remembered (M)
A transient is armed with INITiate and started with TRIGger; with TRIGger:SYNChronize:SOURce PHASe it waits for the
angle of TRIGger:SYNChronize:PHASe ([MX], [DROPOUT]). What a quantity does in it is told by its MODE: FIXed, STEP to the
triggered value and stay, or PULSe there and come back ([SEQUOIA] p. 101). ABORt ends it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from rig.scpi.codec import Choice, Integer, Nothing, Real, Switch, only, plain
from rig.scpi.command import Command
from rig.scpi.errors import ScpiError

SVP = "svp_energy_lab gridsim_ametek.py"
MX = "public driver AmetekMX30"
SEQUOIA = "AMETEK Sequoia SCPI manual 4.23, p. 101"
DROPOUT = "public drop-out scripts of this dialect"
MANUAL = "AMETEK MX/RS SCPI programming manual 7003-961"

AT_ONCE = 9.9e37
"""Slew from which on a change is not slewed at all ([DROPOUT])."""
PHASE_POWER = 15_000.0
"""VA a phase (45 kVA in three, data sheet of the MX45, M)."""
PHASE_CURRENT = {150: 100.0, 300: 50.0}
"""A rms a phase by range (15 kVA at full range, M)."""


class Options(BaseModel):
    """Keys of a bench part. legs: how many phases feed the house. range: V rms, 150 or 300 (cannot change under way).

    current: A rms limit of each phase, 0 for what the range allows.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    legs: Literal[1, 2] = 2
    range: Literal[150, 300] = 150
    current: float = Field(0.0, ge=0, le=100.0)

    @property
    def limit(self) -> float:
        """A rms of a phase."""
        most = PHASE_CURRENT[self.range]
        return min(self.current, most) if self.current else most


class Coupling(Enum):
    """Whether a set-point goes to all phases or to the selected one."""

    ALL = "ALL"
    NONE = "NONE"


class Shape(Enum):
    """Waveforms."""

    SINE = "SINusoid"
    SQUARE = "SQUare"
    CLIPPED = "CSINusoid"


class Mode(Enum):
    """What a quantity does in a transient."""

    FIXED = "FIXed"
    STEP = "STEP"
    PULSE = "PULSe"
    LIST = "LIST"


class Sync(Enum):
    """Whether a transient waits for an angle."""

    AT_ONCE = "IMMediate"
    PHASE = "PHASe"


class Trigger(Enum):
    """Where the trigger comes from."""

    BUS = "BUS"
    AT_ONCE = "IMMediate"


class Transient(Enum):
    """What the transient system is doing."""

    IDLE = "IDLE"
    ARMED = "ARM"
    BUSY = "BUSY"


@dataclass(frozen=True)
class Slew:
    """A rate in V/s or Hz/s; inf is "at once", which the source spells 9.9E37 both ways ([DROPOUT])."""

    def encode(self, value: float) -> str:
        if not value > 0.0:
            raise ValueError(f"{value:g} is no slew; it must be above 0")
        return "9.9E37" if math.isinf(value) else f"{value:.6g}"

    def decode(self, fields: Sequence[str]) -> float:
        try:
            value = plain(only(fields))
        except ValueError:
            raise ScpiError(-104) from None
        if not value > 0.0:
            raise ScpiError(-222)
        return math.inf if value >= AT_ONCE else value

    def reply(self, value: float) -> str:
        return "9.9E+37" if math.isinf(value) else f"{value:.6G}"

    def parse(self, text: str) -> float:
        value = plain(text)
        if not 0.0 < value <= 1.001 * AT_ONCE:
            raise ValueError("is no slew")
        return math.inf if value >= AT_ONCE else value


VOLTS = Real("V", 0.0, 300.0, form=".2f", step=0.1)
HERTZ = Real("Hz", 16.0, 819.0, form=".3f", step=0.01)
SLOPE = Slew()
ANGLE = Real("deg", 0.0, 360.0, form=".1f", step=0.1)

COUPLING = Command[Coupling]("INSTrument:COUPle", Choice(Coupling), SVP, "S")
SELECT = Command[int]("INSTrument:NSELect", Integer(1, 3), SVP, "S")
VOLTAGE = Command[float]("[SOURce:]VOLTage[:LEVel][:IMMediate][:AMPLitude]", VOLTS, MX, "S")
RANGE = Command[float]("[SOURce:]VOLTage:RANGe", Real("V", 0.0, 300.0, form=".0f", step=0.5), f"{SVP}, {MX}", "S")
VOLTAGE_MODE = Command[Mode]("[SOURce:]VOLTage:MODE", Choice(Mode), f"{MX}, {DROPOUT}", "S")
VOLTAGE_TRIGGERED = Command[float]("[SOURce:]VOLTage:TRIGgered", VOLTS, DROPOUT, "S")
VOLTAGE_SLEW = Command[float]("[SOURce:]VOLTage:SLEW[:IMMediate]", SLOPE, MX, "S")
"""V/s."""
FREQUENCY = Command[float]("[SOURce:]FREQuency[:IMMediate]", HERTZ, f"{SVP}, {MX}", "S")
FREQUENCY_SLEW = Command[float]("[SOURce:]FREQuency:SLEW[:IMMediate]", SLOPE, MX, "S")
"""Hz/s."""
CURRENT = Command[float]("[SOURce:]CURRent", Real("A", 0.0, 100.0, form=".2f", step=0.01), f"{SVP}, {MX}", "S")
CURRENT_TRIPS = Command[bool]("[SOURce:]CURRent:PROTection:STATe", Switch(), MX, "S")
PHASE = Command[float](
    "[SOURce:]PHASe[:IMMediate]", Real("deg", -360.0, 360.0, form=".1f", step=0.1), f"{SVP}, {SEQUOIA}", "S"
)
SHAPE = Command[Shape]("[SOURce:]FUNCtion[:SHAPe]", Choice(Shape), f"{SVP}, {MX}", "S")
REGENERATE = Command[bool]("REGENerate:STATe", Switch(), SVP, "S")
PULSE_WIDTH = Command[float]("[SOURce:]PULSe:WIDTh", Real("s", 0.0, 90_000.0, form=".4f", step=1e-4), DROPOUT, "S")
PULSE_COUNT = Command[int]("[SOURce:]PULSe:COUNt", Integer(1, 200_000), MANUAL, "M")
OUTPUT = Command[bool]("OUTPut[:STATe]", Switch(), SVP, "S")
CLEAR_PROTECTION = Command[None]("OUTPut:PROTection:CLEar", Nothing(), MANUAL, "M", "set")
ABORT = Command[None]("ABORt", Nothing(), f"{SVP}, {MX}", "S", "set")
INITIATE = Command[None]("INITiate[:IMMediate]", Nothing(), f"{DROPOUT}, {MANUAL}", "S", "set")
TRIGGER = Command[None]("TRIGger[:IMMediate]", Nothing(), DROPOUT, "S", "set")
TRIGGER_SOURCE = Command[Trigger]("TRIGger:SOURce", Choice(Trigger), MX, "S")
TRIGGER_STATE = Command[Transient]("TRIGger:STATe", Choice(Transient), MANUAL, "M", "query")
SYNC_SOURCE = Command[Sync]("TRIGger:SYNChronize:SOURce", Choice(Sync), f"{MX}, {DROPOUT}", "S")
SYNC_PHASE = Command[float]("TRIGger:SYNChronize:PHASe", ANGLE, f"{MX}, {DROPOUT}", "S")
MEASURED_VOLTAGE = Command[float]("MEASure[:SCALar]:VOLTage[:AC]", Real("V", form=".2f"), SVP, "S", "query")
MEASURED_CURRENT = Command[float]("MEASure[:SCALar]:CURRent[:AC]", Real("A", form=".3f"), SVP, "S", "query")
MEASURED_POWER = Command[float]("MEASure[:SCALar]:POWer[:AC][:REAL]", Real("W", form=".1f"), SVP, "S", "query")
MEASURED_FREQUENCY = Command[float]("MEASure[:SCALar]:FREQuency", Real("Hz", form=".3f"), SVP, "S", "query")
