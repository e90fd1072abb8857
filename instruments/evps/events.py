"""The words of the charger's two machines: what is pressed, what they are told, what they tell each other.

Frames, wires and stage values are those of rig.can, rig.chademo.events and rig.plant.ports.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from rig.can.frame import Frame
from rig.chademo.events import WireChanged
from rig.plant.ports import PcsMoved, StageCommand, StageReading
from rig.roles import ChargerMode


@dataclass(frozen=True, slots=True)
class Start:
    """Start button: a session in this mode begins as soon as a car is plugged in."""

    mode: ChargerMode


@dataclass(frozen=True, slots=True)
class SetMode:
    """Change direction within the session."""

    mode: ChargerMode


@dataclass(frozen=True, slots=True)
class SetPower:
    """AC power asked for, either direction. watts: 0 or more."""

    watts: float


@dataclass(frozen=True, slots=True)
class SetReserve:
    """The user's floor for discharge. soc: 0..1."""

    soc: float


@dataclass(frozen=True, slots=True)
class SetMeter:
    """Bounds of the power taken from the mains, W, negative for feeding it; None for no bound on that side."""

    least: float | None
    most: float | None


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop button: a normal end."""


@dataclass(frozen=True, slots=True)
class EmergencyStop:
    """The red button."""


@dataclass(frozen=True, slots=True)
class Reset:
    """Acknowledge a latched fault."""


Press = Start | SetMode | SetPower | SetReserve | SetMeter | Stop | EmergencyStop | Reset


class Supply(Enum):
    """What the PCS says of the AC side, and so what the stage may do on it."""

    GRID = "grid"
    """Good mains on the house bus: work beside it."""
    CEASE = "cease"
    """No power either way: mains out of its band, the contact on its way, or the mains not good for long enough."""
    ISLAND = "island"
    """The contact is open: form the house voltage."""
    OUT = "out"
    """Mains lost and nobody forms: the session must end while the control still lives."""


@dataclass(frozen=True, slots=True)
class InsulationReading:
    """What the insulation monitor measured. ohm: DC to PE."""

    ohm: float


@dataclass(frozen=True, slots=True)
class MeasureInsulation:
    """The controller asks its insulation monitor."""


@dataclass(frozen=True, slots=True)
class Ability:
    """What the controller tells the PCS of itself. can_form: it could feed the house from the car now. feeding: it is
    discharging beside the mains."""

    can_form: bool
    feeding: bool


@dataclass(frozen=True, slots=True)
class Display:
    """What the panel shows from now on. phase, fault: words; backup: it feeds the house by itself."""

    phase: str
    fault: str
    backup: bool


ControllerIn = Frame | WireChanged | StageReading | InsulationReading | Press | Supply
ControllerOut = Frame | WireChanged | StageCommand | MeasureInsulation | Ability | Display


@dataclass(frozen=True, slots=True)
class MainsSeen:
    """The wave on the mains side of the PCS contact from now on, as its sampling sees it.

    u: V rms per leg, 0 when gone. f: Hz. angle: degrees of leg L1 at the change. decay: s time constant with which the
    voltage moves to u (a bus that lost its source), 0 for a step.
    """

    u: tuple[float, float]
    f: float
    angle: float
    decay: float = 0.0


@dataclass(frozen=True, slots=True)
class Offset:
    """Mains against house, sampled on both sides of the open contact. df: Hz. dv: fraction of nominal. dphi: degrees,
    -180..180."""

    df: float
    dv: float
    dphi: float


@dataclass(frozen=True, slots=True)
class SetTransfer:
    """Whether the PCS transfers by itself."""

    automatic: bool


@dataclass(frozen=True, slots=True)
class Transfer:
    """The operator moves the house by hand: to the car (backup) or back to the mains."""

    backup: bool


@dataclass(frozen=True, slots=True)
class PcsCoil:
    """The PCS drives its main contact."""

    closed: bool


PcsIn = MainsSeen | Offset | PcsMoved | Ability | SetTransfer | Transfer
PcsOut = PcsCoil | Supply
