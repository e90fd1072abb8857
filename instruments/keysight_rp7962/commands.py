"""Commands of the Keysight RP7900 series (regenerative power system).

Sources
  [GUIDE]  Keysight "RP7900 Series Operating and Service Guide", SCPI reference; page (S)
  [SISTER] Keysight "N6900/N7900 Series Operating and Service Guide": the same command set; page (S there, M here)
  [CLASS]  a public pyvisa class `RP790x` (S)
  [M]      remembered; check against the guide before relying on it
After a protection the output is latched off, but OUTPut? still says what was programmed ([GUIDE] p. 226): whether there
is an output is told by the questionable status. Clearing the latch brings back the state there was before ([GUIDE]
p. 226), so the output is programmed off before it is cleared.
"""

from __future__ import annotations

from enum import Enum, IntFlag

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rig.scpi.codec import Choice, Integer, Nothing, Real, Switch
from rig.scpi.command import Command

GUIDE = "Keysight RP7900 guide, p."
SISTER = "Keysight N6900/N7900 guide (same command set), p."
CLASS = "public pyvisa class RP790x"
MEMORY = "Keysight RP7900 guide, SCPI reference (remembered)"


class Options(BaseModel):
    """Keys of a bench part. voltage, current, power: rating of the model (V, A, W; default RP7962A).

    ovp: V at which it switches itself off. ocp, opp: A and W, both directions; the series has no levels for them, its
    current limits are never set higher than either allows. watchdog: s of silence after which it switches its output
    off by itself, 0 never.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    voltage: float = Field(500.0, gt=0)
    current: float = Field(40.0, gt=0)
    power: float = Field(10_000.0, gt=0)
    ovp: float = Field(480.0, gt=0)
    ocp: float = Field(40.0, gt=0)
    opp: float = Field(18_000.0, gt=0)
    watchdog: int = Field(10, ge=0, le=3600)

    @model_validator(mode="after")
    def _protections_below_what_it_can(self) -> Options:
        for name, value, most in (("ovp", self.ovp, 1.2 * self.voltage), ("ocp", self.ocp, 1.02 * self.current)):
            if value > most:
                raise ValueError(f"{name} = {value:g} is above what the model takes ({most:g}); lower it")
        return self


class Function(Enum):
    """Which quantity is held: voltage priority or current priority."""

    VOLTAGE = "VOLTage"
    CURRENT = "CURRent"


class Questionable(IntFlag):
    """Bits of the questionable condition register ([SISTER] p. 286; PROT p. 287: disabled by the watchdog)."""

    OVP = 1 << 0
    OCP = 1 << 1
    POWER_FAIL = 1 << 2
    OT = 1 << 4
    LIMIT_POSITIVE = 1 << 7
    LIMIT_NEGATIVE = 1 << 8
    INHIBIT = 1 << 9
    WATCHDOG = 1 << 11

    @property
    def alarms(self) -> tuple[str, ...]:
        """Names of what disables the output, the watchdog left out."""
        return tuple(flag.name for flag in _ALARMS if flag in self and flag.name)


_ALARMS = (Questionable.OVP, Questionable.OCP, Questionable.POWER_FAIL, Questionable.OT, Questionable.INHIBIT)


def _level(unit: str, step: float, low: float = 0.0) -> Real:
    """A set-point; its bounds depend on the model and are checked by both sides themselves."""
    return Real(unit, low, 1e6, form="+.5E", step=step)


FUNCTION = Command[Function]("[SOURce:]FUNCtion", Choice(Function), MEMORY, "M")
VOLTAGE = Command[float]("[SOURce:]VOLTage[:LEVel][:IMMediate][:AMPLitude]", _level("V", 0.01), CLASS, "S")
LIMIT_POSITIVE = Command[float](
    "[SOURce:]CURRent:LIMit[:POSitive][:IMMediate][:AMPLitude]", _level("A", 0.002), CLASS, "S"
)
LIMIT_NEGATIVE = Command[float](
    "[SOURce:]CURRent:LIMit:NEGative[:IMMediate][:AMPLitude]", _level("A", 0.002, -1e6), MEMORY, "M"
)
"""A, 0 or less: the current it may take."""
RESISTANCE = Command[float](
    "[SOURce:]VOLTage:RESistance[:LEVel][:IMMediate][:AMPLitude]", _level("ohm", 0.001), f"{GUIDE} 238", "S"
)
OVP = Command[float]("[SOURce:]VOLTage:PROTection[:LEVel]", _level("V", 0.02), f"{GUIDE} 237 (LOW: 238)", "S")
OCP_STATE = Command[bool]("[SOURce:]CURRent:PROTection:STATe", Switch(), MEMORY, "M")
WATCHDOG = Command[bool]("OUTPut:PROTection:WDOG[:STATe]", Switch(), f"{GUIDE} 226", "S")
WATCHDOG_TIME = Command[int]("OUTPut:PROTection:WDOG:DELay", Integer(1, 3600), f"{GUIDE} 226", "S")
CLEAR_PROTECTION = Command[None]("OUTPut:PROTection:CLEar", Nothing(), f"{GUIDE} 226", "S", "set")
OUTPUT = Command[bool]("OUTPut[:STATe]", Switch(), CLASS, "S")
MEASURED_VOLTAGE = Command[float]("MEASure[:SCALar]:VOLTage[:DC]", Real("V", form="+.5E"), CLASS, "S", "query")
"""Starts a measurement of voltage and current together and tells the voltage."""
FETCHED_CURRENT = Command[float]("FETCh[:SCALar]:CURRent[:DC]", Real("A", form="+.5E"), MEMORY, "M", "query")
"""The current of the measurement made last; negative when it takes."""
QUESTIONABLE = Command[int]("STATus:QUEStionable:CONDition", Integer(), f"{SISTER} 286", "M", "query")
