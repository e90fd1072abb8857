"""Which contact bridges which button of the charger, and which input follows which of its signals. There is no maker.

A mode button pressed with no session begins one; within a session it changes direction. A charger with other buttons
needs other keys; one whose power is set by a button has none here.
"""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rig.quantity import Seconds, Watts

Button = Literal["charge", "discharge", "standby", "stop", "emergency_stop", "reset"]
BUTTONS: Final[tuple[Button, ...]] = ("charge", "discharge", "standby", "stop", "emergency_stop", "reset")
RUNNING, FAULT, BACKUP = "charger_running", "charger_fault", "charger_backup"
"""Names of the board's inputs that follow the charger's signal contacts."""
BOUNCE: Final = 0.05
"""s a button must be closed before the emulated charger takes it (project choice)."""


class Options(BaseModel):
    """Keys of a bench part. charge ... reset: number of the board's output across that button; 0: there is none.
    pulse: s a button is held. gap: s between two presses. maker, model, serial: of the charger's plate. power: W of its
    plate, at which it always works."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    charge: int = Field(0, ge=0)
    discharge: int = Field(0, ge=0)
    standby: int = Field(0, ge=0)
    stop: int = Field(ge=1)
    emergency_stop: int = Field(0, ge=0)
    reset: int = Field(0, ge=0)
    pulse: Seconds = Field(0.3, ge=0.1, le=10)
    gap: Seconds = Field(0.2, ge=0, le=10)
    maker: str = Field("unknown", min_length=1)
    model: str = Field("unknown", min_length=1)
    serial: str = Field("unknown", min_length=1)
    power: Watts = Field(6000.0, gt=0)
    transfers: bool = True

    @model_validator(mode="after")
    def _one_each(self) -> Options:
        used = [number for number in self.outputs.values() if number]
        if len(set(used)) < len(used):
            raise ValueError("one output is across two buttons; give each its own")
        return self

    @property
    def outputs(self) -> dict[Button, int]:
        """Output across each button."""
        return {
            "charge": self.charge,
            "discharge": self.discharge,
            "standby": self.standby,
            "stop": self.stop,
            "emergency_stop": self.emergency_stop,
            "reset": self.reset,
        }
