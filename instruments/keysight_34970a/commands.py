"""Commands of the Keysight (HP, Agilent) 34970A data acquisition unit, as far as one platinum resistor needs them.

Sources
  [UG]   34970A user's guide, chapters 4 and 5: 4-wire RTD on a channel of the 34901A, alpha 0.00385 is the default; a
         scan is set up by CONFigure with a channel list and started by READ? (S), parameters by name (M)
  [34980A] command help of the sister model, FRTD and RTD types 85 and 91 (S)
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from rig.quantity import Celsius
from rig.scpi.codec import Real, Words
from rig.scpi.command import Command

UG = "34970A user's guide, chapter 5"


class Options(BaseModel):
    """Keys of a bench part. channel: of the sensor, slot and channel as the box counts. room: degC, of the emulated
    room; a real box has its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    channel: int = Field(101, ge=101, le=310)
    room: Celsius = Field(23.0, ge=-40.0, le=70.0)


CONFIGURE = Command[Sequence[str]]("CONFigure:TEMPerature", Words(3, 4), UG, "M", "set")
"""Probe, type, channel list: FRTD,85,(@101)."""
READ = Command[float]("READ", Real("degC", form="+.8E"), UG, "S", "query")
PROBE = ("FRTD", "85")
"""Four wires, alpha 0.00385 of IEC 60751 ([34980A])."""
