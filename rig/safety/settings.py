"""[safety] of a bench file: what the supervisor watches, and how long it waits. A figure left out is the device's own.

Only a bench in real time with a real output has a supervisor; in virtual time nothing outlives the process.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from rig.quantity import Amperes, Fraction, Seconds, Volts, Watts
from rig.safety.estop import estop_board


class SafetyTable(BaseModel):
    """[safety].

    supervisor: whether there is one. voltage, current, power: V, A, W at the battery source that must not be exceeded
    for longer than `hold` s, either direction; None: of the device's profile. soc_min, soc_max (0..1), temperature_min,
    temperature_max (degC): of the pack the rig imitates; None: not watched. heartbeat, clock, conductor: s the rig's
    process, its clock's thread, and the thread that conducts the test may be silent; what a test sleeps does not count.
    estop: an input that follows the emergency stop's chain; empty: none (rig.safety.estop). alone: parts that serve one
    session at a time, so that the supervisor reaches them only once the rig is gone.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    supervisor: bool = True
    voltage: Volts | None = Field(None, gt=0)
    current: Amperes | None = Field(None, gt=0)
    power: Watts | None = Field(None, gt=0)
    soc_min: Fraction | None = Field(None, ge=0, le=1)
    soc_max: Fraction | None = Field(None, ge=0, le=1)
    temperature_min: float | None = None
    temperature_max: float | None = None
    hold: Seconds = Field(0.3, ge=0, le=10)
    heartbeat: Seconds = Field(2.0, ge=0.5, le=60)
    clock: Seconds = Field(10.0, ge=2, le=600)
    conductor: Seconds = Field(300.0, ge=10, le=86_400)
    estop: str = Field("", pattern=r"^$|^file:/.+$|^(cts|dsr|cd|ri|modbus):.+$")
    alone: tuple[Literal["battery", "grid", "house_l1", "house_l2"], ...] = ()

    @field_validator("estop")
    @classmethod
    def _a_board_s_input(cls, estop: str) -> str:
        estop_board(estop)
        return estop

    @model_validator(mode="after")
    def _in_order(self) -> SafetyTable:
        for name, low, high in (
            ("soc", self.soc_min, self.soc_max),
            ("temperature", self.temperature_min, self.temperature_max),
        ):
            if low is not None and high is not None and low >= high:
                raise ValueError(f"{name}_min = {low:g} is not below {name}_max = {high:g}; mend them")
        return self
