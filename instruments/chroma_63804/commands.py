"""Commands of the Chroma 63800 series (programmable AC/DC electronic load).

Sources
  [CLASS]  a public pyvisa class `Chroma63800` written for a 63802 and its example script (S)
  [MANUAL] 63800 Series Operation and Programming Manual, remembered; check before relying on it (M)
The series listens on GPIB and RS-232 (57600 baud, line feed both ways [CLASS]).
"""

from __future__ import annotations

from enum import Enum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from rig.roles import Rating
from rig.scpi.codec import Choice, Real, Switch
from rig.scpi.command import Command
from rig.visa.serial_line import SerialLine

CLASS = "public pyvisa class Chroma63800 (63802)"
MANUAL = "63800 Series Operation & Programming Manual"

RATING = Rating(voltage=350.0, current=45.0, power=4500.0)
"""Data sheet of the 63800 series, model 63804 (S: 1800/3600/4500 W, 50-350 Vrms, up to 45 Arms, 135 A peak)."""

SERIAL = SerialLine(baud=57600)


class Options(BaseModel):
    """Keys of a bench part. leg: 0 or 1, where the load is wired. boxes: how many of it stand in parallel there, told
    and read through their master (the family's parallel operation [MANUAL]): its figures are those of one box."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    leg: Literal[0, 1]
    boxes: int = Field(1, ge=1, le=4)
    misreads: dict[str, float] = {}
    """Function of accuracy.toml -> gain error of the emulated one, as a fraction: an instrument out of its limits."""


class Mode(Enum):
    """What the load keeps constant. CURR and POW: [CLASS]; the others: [MANUAL]."""

    CURRENT = "CURRent"
    POWER = "POWer"
    RESISTANCE = "RESistance"


class Shape(Enum):
    """Which of crest factor and power factor is programmed."""

    CREST = "CF"
    POWER_FACTOR = "PF"
    BOTH = "BOTH"


MODE = Command[Mode](":LOAD:MODE", Choice(Mode), CLASS, "S")
POWER = Command[float](":LOAD:POWer", Real("W", 0.0, RATING.power, form=".1f", step=0.1), CLASS, "S")
PEAK_CURRENT = Command[float](":LOAD:CURRent:PEAK:MAXimum", Real("A", 0.0, 135.0, form=".1f", step=0.1), CLASS, "S")
SHAPE = Command[Shape](":SYSTem:SET:CFPF:MODE", Choice(Shape), CLASS, "S")
POWER_FACTOR = Command[float](":PFACtor", Real("1", -1.0, 1.0, form=".3f", step=0.001), CLASS, "S")
LOAD = Command[bool](":LOAD[:STATe]", Switch(), CLASS, "S")
MEASURED_VOLTAGE = Command[float](":MEASure:VOLTage", Real("V", form=".3f"), CLASS, "S", "query")
MEASURED_CURRENT = Command[float](":MEASure:CURRent", Real("A", form=".4f"), CLASS, "S", "query")
MEASURED_POWER = Command[float](":MEASure:POWer[:REAL]", Real("W", form=".2f"), CLASS, "S", "query")
MEASURED_APPARENT = Command[float](":MEASure:POWer:APParent", Real("VA", form=".2f"), CLASS, "S", "query")
MEASURED_POWER_FACTOR = Command[float](":MEASure:POWer:PFACtor", Real("1", form=".4f"), CLASS, "S", "query")
MEASURED_FREQUENCY = Command[float](":MEASure:FREQuency", Real("Hz", form=".2f"), MANUAL, "M", "query")
