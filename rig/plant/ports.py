"""The terminals of the one circuit, as values: what is set on it and what is read from it.

This is the vocabulary between rig.plant, the emulated instruments and the emulated charger's controllers.
Signs: DC current positive into the battery; AC power positive from mains to home; EVPS AC power positive into home.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal, NamedTuple

Port = Literal["grid_l1", "grid_l2", "house_l1", "house_l2", "evps_l1", "evps_l2", "dc"]
"""grid_*: at the mains side of the PCS contact. house_*: the house bus, current into the house load.
evps_*: the house bus, current out of the EVPS into the bus. dc: the CHAdeMO connector, current into the vehicle."""

WavePort = Literal["grid_l1", "grid_l2", "house_l1", "house_l2", "dc", "dc_i", "pcs_aux"]
"""What a digitizer can be wired to: voltages, and with dc_i a current probe about the positive wire of the CHAdeMO
cable, A, positive into the vehicle. pcs_aux: the PCS main contact's auxiliary contact, 12 V closed, 0 V open."""


def wave_unit(port: str) -> Literal["V", "A"]:
    """Unit of what a digitizer shows of a port."""
    return "A" if port == "dc_i" else "V"


class Operating(NamedTuple):
    """What a perfect meter at a port would read now. AC: u, i in V and A rms, p in W, f in Hz (0 when dead).

    DC: f is 0, p = u*i. i carries the sign of the port's direction for DC, and is 0 or more for AC with p signed.
    """

    u: float
    i: float
    p: float
    f: float


@dataclass(frozen=True, slots=True)
class Mains:
    """What the mains source (grid simulator) puts on its terminals from now on.

    on: output relay. u: V rms of each leg to neutral. f: Hz. phase: degrees jumped at this change (0: continuous).
    third: third harmonic in its waves, of the fundamental.
    A three-wire 100/200 V service has leg L2 in antiphase to L1.
    """

    on: bool = False
    u: tuple[float, float] = (100.0, 100.0)
    f: float = 50.0
    phase: float = 0.0
    third: float = 0.0


@dataclass(frozen=True, slots=True)
class DcSupply:
    """What the bi-directional DC source (the battery's place) imposes behind the vehicle contactors.

    u_set: V at no current. resistance: ohm; terminal voltage = u_set + resistance * i (i positive charging).
    i_source_max: A it can give (EVPS discharging). i_sink_max: A it can take (EVPS charging). Positive numbers.
    """

    on: bool = False
    u_set: float = 0.0
    resistance: float = 0.0
    i_source_max: float = 0.0
    i_sink_max: float = 0.0


class StageMode(Enum):
    """What the EVPS power stage is told to do."""

    OFF = "off"
    """Gates blocked; only standby draw. The output node bleeds down."""
    VOLTAGE = "voltage"
    """Raise or lower the DC output node to u_ref (insulation test, pre-charge); no power into the battery."""
    CURRENT = "current"
    """Follow i_ref on the DC side, the AC side in parallel with the mains."""
    FORM = "form"
    """Form the house voltage (island); the DC current is what the house needs."""


@dataclass(frozen=True, slots=True)
class StageCommand:
    """What the charger's controller asks of its power stage, its DC contactor and its output discharge.

    u_ref: V, mode VOLTAGE. i_ref: A, positive charging, mode CURRENT. i_discharge_max: A, positive; in mode FORM the
    stage never takes more than this from the battery, the house voltage gives way instead.
    contactor: the EVPS's own DC output contactor. bleed: discharge resistor across the DC output. sync: mode FORM
    drifts into step with a mains that is there.
    """

    mode: StageMode = StageMode.OFF
    u_ref: float = 0.0
    i_ref: float = 0.0
    i_discharge_max: float = 0.0
    contactor: bool = False
    bleed: bool = False
    sync: bool = True


class StageReading(NamedTuple):
    """What the EVPS's own sensors tell its controller.

    u_out: V at the connector, the cable side of the EVPS's own contactor. u_node: V at the stage's side of it (what
    mode VOLTAGE drives). i_out: A, positive charging. u_house: V rms per leg.
    p_ac: W, EVPS into home. alive: control power is there (from mains, from the battery, or still from hold-up).
    p_mains, f_mains: W into the house and Hz at the connection to the mains, where a meter of its own is read; 0 else.
    """

    u_out: float
    i_out: float
    u_house: tuple[float, float]
    p_ac: float
    alive: bool
    u_node: float = 0.0
    p_mains: float = 0.0
    f_mains: float = 0.0


@dataclass(frozen=True, slots=True)
class MainsChanged:
    """The mains source took a new state. angle: degrees of leg L1's voltage wave at that moment, 0..360."""

    mains: Mains
    before: Mains
    angle: float


@dataclass(frozen=True, slots=True)
class PcsMoved:
    """The PCS main contact (mains to house bus) has moved."""

    closed: bool
