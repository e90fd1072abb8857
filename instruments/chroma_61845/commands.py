"""Commands of the Chroma 61845 (and its cousins 61500, 61600, 61700, 61800: one dialect).

Sources
  [SVP]   sandialabs/svp_energy_lab, Lib/svpelab/chroma_61845.py and gridsim_chroma.py (S)
  [61512] a public driver class of a Chroma 61512 (S)
  [PANEL] a public control panel for the same family, headers printed long (S)
  [MANUAL] user's manual of the family, remembered (M)
After every command the error queue is asked with SYSTem:ERRor? [SVP]. To go safe: TRIG OFF, OUTPut:STATe OFF,
OUTPut:RELay OFF, in this order [SVP].

A leg's start and stop on the wave are the set-points PHASe:ON and PHASe:OFF [61512, PANEL]; 360 means at once [MANUAL].
LIST mode runs a table of points; each has start and end values, a dwell time in ms and a start angle [61512, PANEL].
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from rig.scpi.codec import Choice, Integer, Nothing, Real, Reals, Switch, Words
from rig.scpi.command import Command

SVP = "svp_energy_lab chroma_61845.py"
C61512 = "public driver class of a Chroma 61512"
PANEL = "public control panel of the Chroma 61500 family"
MANUAL = "user's manual of the Chroma 61500/61800 family"

PHASE_CURRENT = 75.0
"""A rms a phase of the 61845 (data sheet, M; 15 kVA a phase)."""
PHASE_POWER = 15_000.0
"""VA a phase (45 kVA in three [SVP])."""
POINTS = 100
"""Points a list may hold [61512]."""


class Options(BaseModel):
    """Keys of a bench part. legs: how many phases feed the house. range: V rms, 150 or 300 (cannot change under way).

    current: A rms limit of each phase. slew: V/ms of a voltage step, 0 for at once. Of an emulated one: misreads,
    function of accuracy.toml -> gain error, as a fraction; third_harmonic, in its waves, of the fundamental.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    legs: Literal[1, 2] = 2
    range: Literal[150, 300] = 150
    current: float = Field(PHASE_CURRENT, gt=0, le=PHASE_CURRENT)
    slew: float = Field(0.0, ge=0, le=1200.0)
    misreads: dict[str, float] = {}
    third_harmonic: float = Field(0.0, ge=0, le=0.3)


class Phases(Enum):
    """One output, or three with their own angles."""

    SINGLE = "SINGLE"
    THREE = "THREE"


class Edit(Enum):
    """Whether a set-point goes to all phases or to the selected one."""

    ALL = "ALL"
    EACH = "EACH"


class VoltageRange(Enum):
    """150 V and 300 V full scale."""

    LOW = "LOW"
    HIGH = "HIgh"


class Shape(Enum):
    """Waveform buffers."""

    A = "A"
    B = "B"


class Wave(Enum):
    """What a waveform buffer holds."""

    SINE = "SINE"
    SQUARE = "SQUA"
    CLIPPED = "CSIN"


class Mode(Enum):
    """Where the output takes its values from."""

    FIXED = "FIXED"
    LIST = "LIST"


class Trigger(Enum):
    """The list runs or stands. RUNNING is a reply only."""

    ON = "ON"
    OFF = "OFF"
    RUNNING = "RUNNING"


class Base(Enum):
    """Unit of the dwell times."""

    TIME = "TIME"
    CYCLE = "CYCLE"


ANGLE = Real("deg", 0.0, 360.0, form=".1f", step=0.1)
VOLTS = Real("V", 0.0, 300.0, form=".1f", step=0.1)
HERTZ = Real("Hz", 30.0, 100.0, form=".2f", step=0.01)

PHASES = Command[Phases]("INSTrument:PHASe", Choice(Phases), SVP, "S")
EDIT = Command[Edit]("INSTrument:EDIT", Choice(Edit), SVP, "S")
SELECT = Command[int]("INSTrument:NSELect", Integer(1, 3), C61512, "S")
PHASE_12 = Command[float]("[SOURce:]PHASe:P12", Real("deg", 0.0, 359.9, form=".1f", step=0.1), SVP, "S")
PHASE_13 = Command[float]("[SOURce:]PHASe:P13", Real("deg", 0.0, 359.9, form=".1f", step=0.1), SVP, "S")
START_ANGLE = Command[float]("[SOURce:]PHASe:ON", ANGLE, C61512, "S")
STOP_ANGLE = Command[float]("[SOURce:]PHASe:OFF", ANGLE, C61512, "S")
SHAPE = Command[Shape]("[SOURce:]FUNCtion:SHAPe", Choice(Shape), SVP, "S")
SHAPE_A = Command[Wave]("[SOURce:]FUNCtion:SHAPe:A", Choice(Wave), SVP, "S")
RANGE = Command[VoltageRange]("[SOURce:]VOLTage:RANGe", Choice(VoltageRange), SVP, "S")
VOLTAGE = Command[float]("[SOURce:]VOLTage:LEVel:IMMediate:AMPLitude:AC", VOLTS, SVP, "S")
VOLTAGE_LIMIT = Command[float]("[SOURce:]VOLTage:LIMit:AC", VOLTS, SVP, "S")
FREQUENCY = Command[float]("[SOURce:]FREQuency[:IMMediate]", HERTZ, SVP, "S")
CURRENT_LIMIT = Command[float]("[SOURce:]CURRent:LIMit", Real("A", 0.0, PHASE_CURRENT, form=".2f", step=0.01), SVP, "S")
SLEW = Command[float]("OUTPut:SLEW:VOLTage:AC", Real("V/ms", 0.0, 1200.0, form=".3f", step=0.001), SVP, "S")
OUTPUT_MODE = Command[Mode]("OUTPut:MODE", Choice(Mode), SVP, "S")
STATE = Command[bool]("OUTPut[:STATe]", Switch(), SVP, "S")
RELAY = Command[bool]("OUTPut:RELay", Switch(), SVP, "S")
CLEAR_PROTECTION = Command[None]("OUTPut:PROTection:CLEar", Nothing(), C61512, "S", "set")
TRIGGER = Command[Trigger]("TRIG", Choice(Trigger), SVP, "S")

LIST_COUPLING = Command[Sequence[str]]("[SOURce:]LIST:COUPling", Words(1, 1), SVP, "S", "set")
LIST_COUNT = Command[int]("[SOURce:]LIST:COUNt", Integer(0, 65_535), SVP, "S")
LIST_BASE = Command[Base]("[SOURce:]LIST:BASE", Choice(Base), SVP, "S")
LIST_DWELL = Command[Sequence[float]]("[SOURce:]LIST:DWELl", Reals(Real("ms", 0.0, 99_999_999.9)), C61512, "S")
LIST_SHAPE = Command[Sequence[str]]("[SOURce:]LIST:SHAPe", Words(1, POINTS), SVP, "S")
LIST_VOLTAGE_START = Command[Sequence[float]]("[SOURce:]LIST:VOLTage:AC:STARt", Reals(VOLTS), SVP, "S")
LIST_VOLTAGE_END = Command[Sequence[float]]("[SOURce:]LIST:VOLTage:AC:END", Reals(VOLTS), SVP, "S")
LIST_FREQUENCY_START = Command[Sequence[float]]("[SOURce:]LIST:FREQuency:STARt", Reals(HERTZ), SVP, "S")
LIST_FREQUENCY_END = Command[Sequence[float]]("[SOURce:]LIST:FREQuency:END", Reals(HERTZ), SVP, "S")
LIST_ANGLE = Command[Sequence[float]]("[SOURce:]LIST:DEGRee", Reals(ANGLE), PANEL, "S")

MEASURED_VOLTAGE = Command[float]("FETCh[:SCALar]:VOLTage:ACDC", Real("V", form=".2f"), PANEL, "S", "query")
MEASURED_CURRENT = Command[float]("FETCh[:SCALar]:CURRent:AC", Real("A", form=".3f"), PANEL, "S", "query")
MEASURED_POWER = Command[float]("FETCh[:SCALar]:POWer:AC[:REAL]", Real("W", form=".1f"), PANEL, "S", "query")
MEASURED_FREQUENCY = Command[float]("FETCh[:SCALar]:FREQuency", Real("Hz", form=".2f"), PANEL, "S", "query")
