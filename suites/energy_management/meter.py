"""What the procedures at the meter share: power from the mains, and how it is judged in the steps of a schedule."""

from dataclasses import replace

import numpy as np

from rig.metrology.power import share
from rig.metrology.series import Series, mean
from rig.metrology.timing import duration

SETTLES = 10.0
"""s after a change of load or bounds until a mean is taken (project choice: twice the 5 s of EMS-001)."""
NEAR = 0.02
"""Of rated power: a demand so near to its set point counts as at it when time is taken (project choice: noise)."""


def from_mains(recorded, profile) -> Series:
    """W from the mains, all legs (the house draws the same on each)."""
    leg = recorded["grid_l1_p"]
    return replace(leg, y=leg.y * profile.legs, u=leg.u * profile.legs)


def out_of_evps(recorded, profile) -> Series:
    """W out of the EVPS into the house, all legs."""
    leg = recorded["evps_l1_p"]
    return replace(leg, y=leg.y * profile.legs, u=leg.u * profile.legs)


def over(demand, rated, set_point, since, until):
    """How far the mean demand of a step lies over its set point, of rated power."""
    settled = mean(demand, "demand", since=since + SETTLES, until=until)
    return share(settled, rated, "demand_over_set_point", less=set_point)


def below_after(demand, rated, set_point, since, until):
    """s from the change until the demand is at its set point for good."""
    part = demand.between(since, until)
    beyond = np.flatnonzero(part.y > set_point + NEAR * rated)
    seconds = float(part.t[beyond[-1]]) + part.step - since if len(beyond) else 0.0
    took = duration("demand_limit_time", 0.0, seconds, part.step / 3.5, part.step / 3.5, part.source)
    return replace(took, of=part.of)
