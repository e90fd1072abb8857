"""What the charger's service port understands and says: protocol 1, our own.

Lines are framed, tagged and checked as rig/lines/frame.py says. Bodies: TABLE; and by itself

  event line           phase <phase> | fault <fault> | backup <bit>

Every request may be repeated without harm. mode: charge, discharge, standby. phase and fault are single words.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from instruments.evps.defects import Planted, read_planted
from instruments.evps.grid_codes import CodeName
from rig.fmu.description import is_fmu, read_fmu
from rig.lines.session import BAUD
from rig.lines.table import Request
from rig.own_charger import load_charger
from rig.quantity import Amperes, Seconds, Volts, Watts
from rig.roles import ChargerMode

PROTOCOL: Final = 1
IDENTITY: Final = "v2hrig,evps"

MODES: Final[tuple[ChargerMode, ...]] = ("charge", "discharge", "standby")
TRANSFERS: Final = ("auto", "manual")
PLACES: Final = ("backup", "mains")
NONE: Final = "-"

TABLE: Final = (
    Request("ID?", "v2hrig,evps,<serial>,<firmware>,<protocol>", "who answers"),
    Request("STATE?", "<word> <mode> <bit> <none>", "phase, mode, backup, fault, as on the panel; - for no fault"),
    Request("LAST?", "<none>", "what ended the last session, - when nothing did"),
    Request("SETTINGS?", "<mode> <watts> <fraction> <how>", "as they are"),
    Request("START <mode>", "start <mode>", "a session as soon as a car is plugged in"),
    Request("MODE <mode>", "mode <mode>", "other direction, same session"),
    Request("POWER <watts>", "power <watts>", "AC power, either direction"),
    Request("RESERVE <fraction>", "reserve <fraction>", "floor for discharge"),
    Request("METER <bound> <bound>", "meter <bound> <bound>", "least and most W from the mains, - for no bound"),
    Request("TRANSFER <how>", "transfer <how>", "who moves the house at a mains loss"),
    Request("HOUSE <where>", "house <where>", "the operator moves the house"),
    Request("STOP", "stop", "normal end"),
    Request("ESTOP", "estop", "emergency stop"),
    Request("RESET", "reset", "acknowledges a latched fault"),
)
FIELDS: Final = {
    "serial": r"[^,]+", "firmware": r"[^,]+", "protocol": r"\d+", "word": r"\w+", "none": r"[\w-]+", "bit": "[01]",
    "mode": "|".join(MODES), "watts": r"\d+(?:\.\d+)?", "fraction": r"[01](?:\.\d+)?",
    "bound": r"-?\d+(?:\.\d+)?|-", "how": "|".join(TRANSFERS), "where": "|".join(PLACES),
}  # fmt: skip

FORM, UNKNOWN, VALUE, STATE, DEAD = 1, 2, 3, 4, 5
REFUSALS: Final = {
    FORM: "malformed request",
    UNKNOWN: "unknown request",
    VALUE: "value not allowed",
    STATE: "not in this state",
    DEAD: "no control power; switch the mains on",
}


class Options(BaseModel):
    """Keys of a bench part. The ratings are those of the device's plate (profile); defects are for the emulated charger
    only. baud: bit/s of the port. minimum_voltage: V below which it does not discharge. transfers: it has a PCS.
    mains: it is wired to a mains; a portable station is not. grid_code: by which the emulated charger leaves the mains;
    None for the usual one of its service. supports: it gives less to a mains too fast or too high. emulator:
    "module:Class" or the path of an FMU, a charger of your own in the emulated one's place (rig/own_charger.py,
    rig/fmu). step: s between two steps of an FMU; None for its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    baud: int = Field(BAUD, ge=9600, le=4_000_000)
    power: Watts = Field(6000.0, gt=0)
    dc_current: Amperes = Field(30.0, gt=0, le=255)
    dc_voltage: Volts = Field(450.0, gt=0, le=1000)
    minimum_voltage: Volts = Field(170.0, ge=0)
    retransfer_delay: Seconds = Field(5.0, ge=0)
    mains: bool = True
    transfers: bool = True
    supports: bool = False
    grid_code: CodeName | None = None
    defects: tuple[Annotated[Planted, BeforeValidator(read_planted)], ...] = ()
    emulator: str = ""
    step: Seconds | None = Field(None, gt=0)

    @field_validator("emulator")
    @classmethod
    def _one_that_can_serve(cls, emulator: str) -> str:
        if is_fmu(emulator):
            read_fmu(Path(emulator))
        elif emulator:
            load_charger(emulator)
        return emulator

    @field_validator("step")
    @classmethod
    def _a_step_it_can_do(cls, step: float | None, info: ValidationInfo) -> float | None:
        emulator = info.data.get("emulator")
        if step is not None and emulator is not None:
            if not is_fmu(emulator):
                raise ValueError("only an FMU is stepped; remove it")
            read_fmu(Path(emulator)).step_of(step)
        return step

    @model_validator(mode="after")
    def _an_fmu_has_a_step(self) -> Options:
        if is_fmu(self.emulator):
            read_fmu(Path(self.emulator)).step_of(self.step)
        return self

    @model_validator(mode="after")
    def _defects_in_our_own_only(self) -> Options:
        if self.emulator and self.defects:
            raise ValueError("defects are planted in the rig's own emulated charger; remove them or emulator")
        return self
