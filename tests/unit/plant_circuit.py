"""Circuits in a known state, for the tests of the plant."""

from __future__ import annotations

from dataclasses import replace

from rig.plant.params import JAPAN_50HZ, PlantParams
from rig.plant.plant import Plant
from rig.plant.ports import DcSupply, Mains, StageCommand, StageMode
from rig.units import to_ns, to_s

U_DC, R_DC = 377.0, 0.1
"""V, ohm of the pack's place."""
PACK = DcSupply(on=True, u_set=U_DC, resistance=R_DC, i_source_max=60.0, i_sink_max=60.0)


def service(params: PlantParams, on: bool = True) -> Mains:
    return Mains(on, (params.u_nominal, params.u_nominal), params.f_nominal)


def at_rest(plant: Plant, seconds: float = 2.0) -> Plant:
    plant.advance(to_s(to_ns(plant.now + seconds)))  # the bench counts whole nanoseconds
    return plant


def on_mains(params: PlantParams = JAPAN_50HZ) -> Plant:
    """Mains on the house bus, the control alive, its link full."""
    plant = Plant(params)
    plant.set_mains(service(params))
    plant.command_pcs(True)
    return at_rest(plant)


def connected(params: PlantParams = JAPAN_50HZ, supply: DcSupply = PACK) -> Plant:
    """As on_mains, the battery on the stage, no current."""
    plant = on_mains(params)
    plant.set_dc_supply(supply)
    plant.command_stage(StageCommand(StageMode.VOLTAGE, u_ref=supply.u_set))
    at_rest(plant)
    plant.set_wire("d1", True)
    plant.set_wire("d2", True)
    plant.command_ev_contactor(True)
    at_rest(plant, 0.1)
    plant.command_stage(StageCommand(StageMode.CURRENT, contactor=True))
    at_rest(plant)
    assert plant.ev_contactor_closed
    assert plant.incidents == []
    return plant


def running(plant: Plant, current: float) -> Plant:
    """Beside the mains at a DC current (A, positive charging), settled."""
    plant.command_stage(StageCommand(StageMode.CURRENT, i_ref=current, contactor=True))
    return at_rest(plant)


def forming(
    demand: tuple[float, float] = (0.0, 0.0),
    params: PlantParams = JAPAN_50HZ,
    supply: DcSupply = PACK,
    i_discharge_max: float = 30.0,
) -> Plant:
    """The house cut off from the mains and fed by the stage."""
    plant = connected(params, supply)
    plant.command_pcs(False)
    at_rest(plant, 0.1)
    plant.command_stage(StageCommand(StageMode.FORM, i_discharge_max=i_discharge_max, contactor=True))
    at_rest(plant)
    for leg, power in enumerate(demand):
        plant.set_house_load(leg, power)
    return at_rest(plant)


def command(plant: Plant, **changes: object) -> None:
    """The stage's last command with these changes."""
    plant.command_stage(replace(plant._stage.command, **changes))  # type: ignore[arg-type]
