"""What the emulated circuit is made of: three services, one EVPS. Every figure has its source beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from rig.plant.house import FormingLimits
from rig.plant.stage_params import StageParams


@dataclass(frozen=True)
class PlantParams:
    """The circuit around and including the EVPS. SI."""

    legs: Literal[1, 2] = 2
    """2: three-wire, leg L2 in antiphase; 1: two-wire, leg L2 dead (profiles)."""
    u_nominal: float = 100.0
    """V rms of a leg to neutral (chademo.md 4 [NICH])."""
    f_nominal: float = 50.0
    """Hz the EVPS forms (chademo.md 4 [NICH])."""
    p_rated: float = 6000.0
    """W, all legs (chademo.md 4 [NICH])."""
    mains_resistance: float = 0.005
    """ohm a leg; project choice: a grid simulator with short cables."""
    residual_tau: float = 0.002
    """s with which a bus that has lost its source decays; project choice: filter capacitors on a household load."""
    pcs_operate: float = 0.008
    """s from coil to contact; project choice, fast enough for the declared 20 ms class (profile)."""
    pcs_release: float = 0.004
    """s; project choice, as pcs_operate."""
    ev_operate: float = 0.030
    """s; project choice: a usual traction contactor."""
    ev_release: float = 0.015
    """s from loss of d1 or d2 to open contacts; project choice, as ev_operate."""
    stage: StageParams = field(default_factory=StageParams)
    horizon: float = 60.0
    """s of waveform history kept."""

    def forming(self) -> FormingLimits:
        """What the stage can do when it forms the house bus."""
        stage = self.stage
        rated = self.p_rated / self.legs
        droops = (stage.droop, stage.droop + stage.weak_leg)
        return FormingLimits(self.u_nominal, droops, rated, stage.i_form_max, self.legs, stage.form_level)


JAPAN_50HZ = PlantParams()
"""100/200 V three-wire, eastern Japan."""
JAPAN_60HZ = PlantParams(f_nominal=60.0)
"""100/200 V three-wire, western Japan."""
EUROPE_230V = PlantParams(legs=1, u_nominal=230.0)
"""230 V two-wire (profile europe-6kw-230v)."""
