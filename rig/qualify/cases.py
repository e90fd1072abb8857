"""What is planted in a qualification: a defect of the device or of an instrument, or a pair that masks itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from rig.qualify.units import Plant

Kind = Literal["device", "instrument", "pair"]


@dataclass(frozen=True, slots=True)
class Case:
    """gross: the severity everything must be caught at. nil: the one at which there is no defect, None for what is
    there or not. plant: severity -> what is put into the bench file. breaks: requirements it breaks; of an instrument
    those its error falsifies. beyond: why no procedure catches it, "" where one must."""

    name: str
    kind: Kind
    description: str
    breaks: tuple[str, ...]
    gross: float
    nil: float | None
    unit: str
    plant: Callable[[float], tuple[Plant, ...]]
    source: str = ""
    when: str = ""
    beyond: str = ""
