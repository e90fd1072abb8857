"""Variables of a charger that is an FMU. Interface 1, as rig.own_charger's: the same terminals and buttons, as values.

Signals of frames are `<Frame>.<Signal>` of the DBC file, in its units: Boolean for one bit, Real for more. Everything
else is in SI units. Who sets a variable is said from the FMU's side, as in its modelDescription.xml.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from rig.chademo.messages import FRAMES, FrameSpec, Side, signals_of
from rig.plant.ports import StageMode
from rig.roles import ChargerMode

Kind = Literal["Real", "Integer", "Boolean", "String"]
Causality = Literal["input", "output", "parameter"]

VERSION_NAME: Final = "interface"
"""Integer with a fixed start value: the interface the FMU was made for."""

MODES: Final[tuple[ChargerMode, ...]] = ("standby", "charge", "discharge")
"""By the number in set.mode and display.mode."""
STAGE_MODES: Final = (StageMode.OFF, StageMode.VOLTAGE, StageMode.CURRENT, StageMode.FORM)
"""By the number in command.mode."""
BUTTONS: Final = ("start", "stop", "emergency_stop", "reset")
"""Pressed: true for one step."""
NO_FAULT: Final = ("", "none")
"""Words of display.fault for: there is none."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable. must: the FMU has to have it. frame: of which all signals must be there when one is."""

    name: str
    kind: Kind
    causality: Causality
    unit: str = ""
    must: bool = False
    frame: str = ""


def frames_of(side: Side) -> tuple[FrameSpec, ...]:
    """The decoded frames one side says."""
    return tuple(spec for spec in FRAMES if spec.sender == side and spec.decoded)


SAID_ALWAYS: Final = ("ChargerCapability", "ChargerStatus")
"""Frames without which there is no CHAdeMO charger; the other two only a V2H one has."""


def _signals(side: Side, causality: Causality) -> list[Variable]:
    return [
        Variable(
            f"{spec.name}.{signal.name}",
            "Boolean" if signal.length == 1 else "Real",
            causality,
            signal.unit,
            must=spec.name in SAID_ALWAYS,
            frame=spec.name if causality == "output" else "",
        )
        for spec in frames_of(side)
        for signal in signals_of(spec.id)
    ]


def _legs(name: str, unit: str) -> list[Variable]:
    return [Variable(f"mains.{name}_l{leg}", "Real", "input", unit) for leg in (1, 2)]


_ALL = [
    Variable("service.legs", "Integer", "parameter"),
    Variable("service.u_nominal", "Real", "parameter", "V"),
    Variable("service.f_nominal", "Real", "parameter", "Hz"),
    *(Variable(f"button.{name}", "Boolean", "input", must=True) for name in BUTTONS),
    Variable("set.mode", "Integer", "input", must=True),
    Variable("set.power", "Real", "input", "W", must=True),
    Variable("set.reserve", "Real", "input", "1", must=True),
    Variable("set.transfer", "Boolean", "input", must=True),
    Variable("wire.k", "Boolean", "input", must=True),
    Variable("wire.proximity", "Boolean", "input", must=True),
    Variable("stage.u_out", "Real", "input", "V", must=True),
    Variable("stage.u_node", "Real", "input", "V"),
    Variable("stage.i_out", "Real", "input", "A", must=True),
    Variable("stage.u_house_l1", "Real", "input", "V"),
    Variable("stage.u_house_l2", "Real", "input", "V"),
    Variable("stage.p_ac", "Real", "input", "W"),
    Variable("stage.alive", "Boolean", "input"),
    Variable("insulation", "Real", "input", "ohm"),
    *_legs("u", "V"),
    *_legs("i", "A"),
    *_legs("p", "W"),
    *_legs("f", "Hz"),
    *_signals("vehicle", "input"),
    *(Variable(f"{spec.name}.count", "Integer", "input") for spec in frames_of("vehicle")),
    *(Variable(f"wire.{name}", "Boolean", "output", must=True) for name in ("d1", "d2", "lock")),
    Variable("command.mode", "Integer", "output", must=True),
    Variable("command.u_ref", "Real", "output", "V", must=True),
    Variable("command.i_ref", "Real", "output", "A", must=True),
    Variable("command.i_discharge_max", "Real", "output", "A"),
    Variable("command.contactor", "Boolean", "output", must=True),
    Variable("command.bleed", "Boolean", "output", must=True),
    Variable("command.sync", "Boolean", "output"),
    Variable("pcs.closed", "Boolean", "output"),
    Variable("can.speaks", "Boolean", "output", must=True),
    *_signals("charger", "output"),
    Variable("display.phase", "String", "output", must=True),
    Variable("display.mode", "Integer", "output", must=True),
    Variable("display.fault", "String", "output", must=True),
    Variable("display.on_backup", "Boolean", "output", must=True),
]

VARIABLES: Final = {one.name: one for one in _ALL}
PREFIXES: Final = frozenset(name.partition(".")[0] for name in VARIABLES)
"""First words that are the interface's own: what else begins with one of them is a slip of the pen."""
