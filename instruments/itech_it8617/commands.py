"""Commands of the ITECH IT8600 series (AC/DC electronic load).

Sources
  [IT8615]  a public C# driver class `ItechIt8615` run against an IT8615 (S)
  [SOCKET]  a public Node.js class `IT8615` over a raw socket, port 30000 (S)
  [MANUAL]  IT8600 programming guide, remembered; check before relying on it (M)
[IT8615] and [SOCKET] were written by different hands and agree wherever both use a command. Line feed ends every
message. Remote control is taken with SYSTem:REMote before anything is set [both]; errors are asked by SYSTem:ERRor?.
"""

from __future__ import annotations

from enum import Enum
from typing import Literal

from pydantic import BaseModel, ConfigDict

from rig.roles import Rating
from rig.scpi.codec import Choice, Nothing, Real, Switch
from rig.scpi.command import Command

IT8615 = "public driver class ItechIt8615 (IT8615)"
SOCKET = "public socket class IT8615 (IT8615)"
MANUAL = "ITECH IT8600 programming guide"

RATING = Rating(voltage=420.0, current=60.0, power=5400.0)
"""Data sheet of the IT8600 series, model IT8617 (M: 420 V rms, 60 A rms, 5.4 kVA)."""


class Options(BaseModel):
    """Keys of a bench part. leg: 0 or 1, where the load is wired."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    leg: Literal[0, 1]


class Coupling(Enum):
    """What the input is fed with."""

    AC = "AC"
    DC = "DC"


class Function(Enum):
    """What the load keeps constant [IT8615]."""

    CURRENT = "CURRent"
    POWER = "POWer"
    RESISTANCE = "RESistance"
    VOLTAGE = "VOLTage"


class Priority(Enum):
    """Which of crest factor and power factor gives way to the other [SOCKET]."""

    CREST = "CF"
    POWER_FACTOR = "PF"


REMOTE = Command[None]("SYSTem:REMote", Nothing(), f"{IT8615}, {SOCKET}", "S", "set")
LOCAL = Command[None]("SYSTem:LOCal", Nothing(), f"{IT8615}, {SOCKET}", "S", "set")
COUPLING = Command[Coupling]("SYSTem:MODE", Choice(Coupling), IT8615, "S")
PRIORITY = Command[Priority]("SYSTem:CFPF:PRIority", Choice(Priority), SOCKET, "S")
FUNCTION = Command[Function]("[SOURce:]FUNCtion", Choice(Function), IT8615, "S")
POWER = Command[float](
    "[SOURce:]POWer[:LEVel][:IMMediate][:AMPLitude]",
    Real("W", 0.0, RATING.power, form=".2f", step=0.1),
    f"{IT8615}, {SOCKET}",
    "S",
)
POWER_FACTOR = Command[float](
    "[SOURce:]PFACtor[:LEVel][:IMMediate][:AMPLitude]",
    Real("1", -1.0, 1.0, form=".3f", step=0.001),
    f"{IT8615}, {SOCKET}",
    "S",
)
CURRENT_PROTECTION = Command[float](
    "[SOURce:]CURRent:PROTection[:LEVel]", Real("A", 0.0, 1.1 * RATING.current, form=".2f", step=0.01), MANUAL, "M"
)
POWER_PROTECTION = Command[float](
    "[SOURce:]POWer:PROTection[:LEVel]", Real("W", 0.0, 1.1 * RATING.power, form=".1f", step=0.1), MANUAL, "M"
)
INPUT = Command[bool]("INPut[:STATe]", Switch(), f"{IT8615}, {SOCKET}", "S")
CLEAR_PROTECTION = Command[None]("INPut:PROTection:CLEar", Nothing(), MANUAL, "M", "set")
MEASURED_VOLTAGE = Command[float]("MEASure:VOLTage[:RMS]", Real("V", form=".3f"), IT8615, "S", "query")
MEASURED_CURRENT = Command[float]("MEASure:CURRent[:RMS]", Real("A", form=".4f"), IT8615, "S", "query")
MEASURED_POWER = Command[float]("MEASure:POWer[:ACTive]", Real("W", form=".2f"), IT8615, "S", "query")
MEASURED_POWER_FACTOR = Command[float]("MEASure:POWer:PFACtor", Real("1", form=".4f"), IT8615, "S", "query")
MEASURED_CREST = Command[float]("MEASure:CURRent:CFACtor", Real("1", form=".3f"), IT8615, "S", "query")
MEASURED_FREQUENCY = Command[float]("MEASure:FREQuency", Real("Hz", form=".2f"), IT8615, "S", "query")
