"""A day of the emulated circuit: what came in is what went out and what is stored, to a millionth.

A house with a daily course is fed by the mains, by the battery beside the mains, and by the battery alone in two
outages; the battery is charged at night. Mains, house, car, losses and what is stored must come to nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from rig.plant.params import JAPAN_50HZ
from rig.plant.plant import Plant
from rig.plant.ports import DcSupply, Mains, StageCommand, StageMode

HOUR = 3600.0
DAY = 24 * HOUR
STEP = 300.0
BOUND = 1e-6
"""Of what was turned over."""
BATTERY = DcSupply(on=True, u_set=380.0, resistance=0.2, i_source_max=40.0, i_sink_max=40.0)
OUTAGES = ((7.5 * HOUR, 8.25 * HOUR), (18.0 * HOUR, 20.0 * HOUR))


@dataclass(frozen=True)
class Wanted:
    """demand: W a leg. out: the mains is gone. current: A beside the mains."""

    demand: tuple[float, float]
    out: bool
    current: float


def wanted(t: float) -> Wanted:
    """What the day asks for at t (s)."""
    level = 700.0 + 500.0 * math.sin(2.0 * math.pi * (t / DAY - 0.3)) ** 2
    out = any(begin <= t < end for begin, end in OUTAGES)
    current = 14.0 if t < 5 * HOUR else -8.0 if 16 * HOUR <= t < 22 * HOUR else 0.0
    return Wanted((level, 0.6 * level), out, current)


def test_the_account_of_a_day_closes() -> None:
    plant = Plant(JAPAN_50HZ)
    plant.set_mains(Mains(on=True))
    plant.command_pcs(True)
    plant.set_dc_supply(BATTERY)
    plant.advance(10.0)
    plant.command_ev_contactor(True)
    for wire in ("d1", "d2"):
        plant.set_wire(wire, True)
    plant.command_stage(StageCommand(StageMode.VOLTAGE, u_ref=380.0))
    plant.advance(20.0)
    plant.command_stage(StageCommand(StageMode.CURRENT, contactor=True))
    plant.advance(30.0)
    assert plant.ev_contactor_closed
    formed, reversed_ = 0.0, set[bool]()
    for number in range(1, round(DAY / STEP) + 1):
        now = wanted(plant.now)
        for leg in (0, 1):
            plant.set_house_load(leg, now.demand[leg])
        plant.command_pcs(not now.out)
        plant.set_mains(Mains(on=not now.out))
        plant.advance(plant.now + 0.1)
        mode = StageMode.FORM if now.out else StageMode.CURRENT
        plant.command_stage(StageCommand(mode, i_ref=now.current, i_discharge_max=30.0, contactor=True))
        plant.advance(number * STEP + 30.0)
        formed += STEP if now.out and plant.at("house_l1").u > 90.0 else 0.0
        reversed_ |= {plant.at("dc").i > 0.0} if abs(plant.at("dc").i) > 1.0 else set()
    account = plant.energy()
    assert formed >= 2.5 * HOUR
    assert reversed_ == {True, False}
    assert account.turnover() > 10e3 * HOUR
    assert abs(account.residual()) <= BOUND * account.turnover()
