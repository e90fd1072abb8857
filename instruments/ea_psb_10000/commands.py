"""Commands of the EA PSB 9000 and 10000 series.

Sources
  [GUIDE] EA Elektro-Automatik, "Programming guide ModBus & SCPI", edition with the 10000 series; section and page (S)
  [INSTRO] public hardware tests of a PSB 10080-60 driver: resistance 0.04..80 ohm, raw socket on port 5025 (S)
Line feed ends every message; set-points may carry a unit, replies do. Remote control must be taken (SYST:LOCK ON)
before any set command is obeyed; queries are always answered ([GUIDE] 5.3.2). Errors have their own numbers: an
unknown command is -100, a set command without remote -221 ([GUIDE] 5.2.5). Asking for errors acknowledges alarms whose
cause is gone ([GUIDE] 5.4.5.4), so alarms are read before errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, IntFlag

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rig.scpi.codec import Choice, Integer, Nothing, Real, Switch, Words
from rig.scpi.command import Command

GUIDE = "EA programming guide ModBus & SCPI,"

REPLY = ".2f"
"""Two decimals and the unit, as in the guide's examples ("43.50V")."""


class Options(BaseModel):
    """Keys of a bench part. voltage, current, power: rating of the model (V, A, W; default EA-PSB 10500-90 4U).

    ovp, ocp, opp: V, A, W at which it switches itself off, both directions (project choice: above the 450 V and 30 A
    of a CHAdeMO V2H session, below what its cable bears). watchdog: s of silence after which it switches its output
    off by itself, 0 never.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    voltage: float = Field(500.0, gt=0)
    current: float = Field(90.0, gt=0)
    power: float = Field(30_000.0, gt=0)
    ovp: float = Field(480.0, gt=0)
    ocp: float = Field(45.0, gt=0)
    opp: float = Field(18_000.0, gt=0)
    watchdog: int = Field(10, ge=0, le=36_000)
    misreads: dict[str, float] = {}
    """Function of accuracy.toml -> gain error of the emulated one, as a fraction: an instrument out of its limits."""

    @model_validator(mode="after")
    def _protections_below_what_it_can(self) -> Options:
        for name, value, rated in (
            ("ovp", self.ovp, self.voltage),
            ("ocp", self.ocp, self.current),
            ("opp", self.opp, self.power),
        ):
            if value > 1.1 * rated:
                raise ValueError(f"{name} = {value:g} is above 1.1 times the rating ({1.1 * rated:g}); lower it")
        return self


class Mode(Enum):
    """Which set-points act: with power only, or with resistance too."""

    POWER = "UIP"
    RESISTANCE = "UIR"


class Owner(Enum):
    """Who is in control."""

    REMOTE = "REMOTE"
    NONE = "NONE"
    LOCAL = "LOCAL"


class Questionable(IntFlag):
    """Bits of the questionable status register ([GUIDE] 5.4.2, register model)."""

    OVP = 1 << 0
    OCP = 1 << 1
    OPP = 1 << 2
    OT = 1 << 3
    LOCAL = 1 << 9
    REMOTE = 1 << 10
    OUTPUT_ON = 1 << 11
    POWER_FAIL = 1 << 13

    @property
    def alarms(self) -> tuple[str, ...]:
        """Names of the device alarms that are set."""
        return tuple(flag.name for flag in _ALARMS if flag in self and flag.name)


_ALARMS = (Questionable.OVP, Questionable.OCP, Questionable.OPP, Questionable.OT, Questionable.POWER_FAIL)


class Operation(IntFlag):
    """Bits of the operation status register ([GUIDE] 5.4.2). CTO: interface monitoring ran out."""

    CTO = 1 << 7
    CV = 1 << 8
    CC = 1 << 9
    CP = 1 << 10
    SINK = 1 << 12


def _level(unit: str) -> Real:
    """A set-point; its bounds depend on the model and are checked by both sides themselves."""
    return Real(unit, 0.0, 1e6, form=REPLY, says_unit=True, step=0.02)


LOCK = Command[bool]("SYSTem:LOCK", Switch(), f"{GUIDE} 5.4.5.1 p. 49", "S", "set")
OWNER = Command[Owner]("SYSTem:LOCK:OWNer", Choice(Owner), f"{GUIDE} 5.4.5.1 p. 49", "S", "query")
OUTPUT = Command[bool]("OUTPut", Switch("ON", "OFF"), f"{GUIDE} 5.4.5.3 p. 49", "S")
MODE = Command[Mode]("SYSTem:CONFig:MODe", Choice(Mode), f"{GUIDE} 5.4.11 p. 59", "S")

VOLTAGE = Command[float]("[SOURce:]VOLTage", _level("V"), f"{GUIDE} 5.4.3.1 p. 45", "S")
CURRENT = Command[float]("[SOURce:]CURRent", _level("A"), f"{GUIDE} 5.4.3.2 p. 45", "S")
POWER = Command[float]("[SOURce:]POWer", _level("W"), f"{GUIDE} 5.4.3.3 p. 45", "S")
RESISTANCE = Command[float](
    "[SOURce:]RESistance", Real("ohm", 0.0, 1e6, ".3f", says_unit=True, step=0.002), f"{GUIDE} 5.4.3.4 p. 46", "S"
)
SINK_CURRENT = Command[float]("SINK:CURRent", _level("A"), f"{GUIDE} 5.4.3.5 p. 46", "S")
SINK_POWER = Command[float]("SINK:POWer", _level("W"), f"{GUIDE} 5.4.3.6 p. 46", "S")
SINK_RESISTANCE = Command[float](
    "SINK:RESistance", Real("ohm", 0.0, 1e6, ".3f", says_unit=True, step=0.002), f"{GUIDE} 5.4.3.7 p. 47", "S"
)

OVP = Command[float]("[SOURce:]VOLTage:PROTection[:LEVel]", _level("V"), f"{GUIDE} 5.4.6.1 p. 51", "S")
OCP = Command[float]("[SOURce:]CURRent:PROTection[:LEVel]", _level("A"), f"{GUIDE} 5.4.6.2 p. 51", "S")
OPP = Command[float]("[SOURce:]POWer:PROTection[:LEVel]", _level("W"), f"{GUIDE} 5.4.6.3 p. 51", "S")
SINK_OCP = Command[float]("SINK:CURRent:PROTection[:LEVel]", _level("A"), f"{GUIDE} 5.4.6.4 p. 52", "S")
SINK_OPP = Command[float]("SINK:POWer:PROTection[:LEVel]", _level("W"), f"{GUIDE} 5.4.6.5 p. 52", "S")

MEASURED = Command[Sequence[str]]("MEASure:[SCALar:]ARRay", Words(3, 3), f"{GUIDE} 5.4.4.4 p. 48", "S", "query")
"""Voltage, current, power with units; current and power negative in sink mode."""
MEASURED_VOLTAGE = Command[float]("MEASure:[SCALar:]VOLTage[:DC]", _level("V"), f"{GUIDE} 5.4.4.1 p. 48", "S", "query")
MEASURED_CURRENT = Command[float]("MEASure:[SCALar:]CURRent[:DC]", _level("A"), f"{GUIDE} 5.4.4.2 p. 48", "S", "query")
MEASURED_POWER = Command[float]("MEASure:[SCALar:]POWer[:DC]", _level("W"), f"{GUIDE} 5.4.4.3 p. 48", "S", "query")

NOMINAL_VOLTAGE = Command[float]("SYSTem:NOMinal:VOLTage", _level("V"), f"{GUIDE} 5.4.10 p. 57", "S", "query")
NOMINAL_CURRENT = Command[float]("SYSTem:NOMinal:CURRent", _level("A"), f"{GUIDE} 5.4.10 p. 57", "S", "query")
NOMINAL_POWER = Command[float]("SYSTem:NOMinal:POWer", _level("W"), f"{GUIDE} 5.4.10 p. 57", "S", "query")
SMALLEST_RESISTANCE = Command[float](
    "SYSTem:NOMinal:RESistance:MINimum",
    Real("ohm", form=".3f", says_unit=True),
    f"{GUIDE} 5.4.10 p. 57",
    "S",
    "query",
)

QUESTIONABLE = Command[int]("STATus:QUEStionable:CONDition", Integer(), f"{GUIDE} 5.4.2.1 p. 43", "S", "query")
OPERATION = Command[int]("STATus:OPERation:CONDition", Integer(), f"{GUIDE} 5.4.2.3 p. 43", "S", "query")

WATCHDOG_TIME = Command[int]("SYSTem:COMMunicate:MONitoring:TIMeout", Integer(1, 36_000), f"{GUIDE} 5.4.11 p. 60", "S")
WATCHDOG = Command[bool]("SYSTem:COMMunicate:MONitoring:ACTion", Switch("ON", "OFF"), f"{GUIDE} 5.4.11 p. 60", "S")
RESET = Command[None]("*RST", Nothing(), f"{GUIDE} 5.4.1.3 p. 40", "S", "set")
