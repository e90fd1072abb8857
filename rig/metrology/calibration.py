"""What a calibration certificate says of a reading: its correction, and what is left unsure of it.

    corrected = gain * reading + offset

The certificate's uncertainty is of the day and the conditions of the calibration; the maker's limits of error hold for
its whole interval and for the conditions of their page. So a correction by itself only adds to the budget: the limits
stay, and the value is better than they say. Whoever knows how the instrument moves between two calibrations (from its
former certificates) states it as `drift`; then certificate and drift take the place of the limits, and resolution,
noise and all influences stay (JCGM 100, 3.2.4: a known error is corrected, and what the correction leaves unsure is a
component; F.2.4.1: a calibrated instrument).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rig.metrology.measurement import Component, Measurement

LIMITS = (": of reading", ": of range")
"""How the components end that are a maker's limits of error (rig.metrology.accuracy)."""


class Correction(BaseModel):
    """One row of a certificate. quantity: of the part's readings ("dc u", "house_l1 p", "power"). range: full scale it
    was made on, in the quantity's unit; None: the only one. gain, offset: the latter in the quantity's unit.

    expanded: U of the correction in the quantity's unit; expanded_reading: what of U grows with the reading, as a
    fraction; k: their coverage factor. drift: limit of what the gain may have moved since, as a fraction, and the
    source of that figure; None where nobody knows.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    quantity: str = Field(min_length=1)
    range: float | None = Field(None, gt=0.0)
    gain: float = Field(1.0, ge=0.5, le=2.0)
    offset: float = 0.0
    expanded: float = Field(0.0, ge=0.0)
    expanded_reading: float = Field(0.0, ge=0.0)
    k: float = Field(2.0, ge=1.0, le=4.0)
    drift: float | None = Field(None, ge=0.0)
    drift_source: str = ""

    @model_validator(mode="after")
    def _uncertain(self) -> Correction:
        if not self.expanded and not self.expanded_reading:
            raise ValueError("a correction without uncertainty is none; give expanded or expanded_reading")
        if self.drift is not None and not self.drift_source:
            raise ValueError("drift without drift_source; say where the figure comes from")
        return self

    def __str__(self) -> str:
        on = "" if self.range is None else f" at {self.range:g}"
        grows = f"{self.expanded_reading:g} of reading"
        unsure = " + ".join(
            ([f"{self.expanded:g}"] if self.expanded else []) + ([grows] if self.expanded_reading else [])
        )
        kept = "limits of error kept" if self.drift is None else f"drift {self.drift:g} ({self.drift_source})"
        return f"{self.quantity}{on}: x {self.gain:.9g} {self.offset:+.6g}, U {unsure} (k = {self.k:g}), {kept}"

    def apply(self, m: Measurement, certificate: str) -> Measurement:
        """The corrected measurement. certificate: its number, for the budget."""
        source = named(certificate)
        kept = [
            replace(one, sensitivity=one.sensitivity * self.gain)
            for one in m.budget
            if self.drift is None or not one.name.endswith(LIMITS)
        ]
        own = [
            Component("calibration", self.expanded / self.k, "normal", source),
            Component("calibration, of reading", self.expanded_reading * abs(m.value) / self.k, "normal", source),
        ]
        if self.drift is not None:
            moved = self.drift * abs(m.value) / math.sqrt(3.0)
            own.append(Component("drift since calibration", moved, "rectangular", self.drift_source))
        return replace(
            m,
            value=self.gain * m.value + self.offset,
            budget=(*kept, *(one for one in own if one.u > 0.0)),
            source=f"{m.source}, corrected by {source}",
        )


def named(certificate: str) -> str:
    """A certificate as a source."""
    return f"certificate {certificate}"


def chosen(corrections: Sequence[Correction], quantity: str, full: float | None) -> Correction | None:
    """The row for a quantity on a range; None where there is none."""
    for one in corrections:
        fits = one.range is None or full is None or math.isclose(one.range, full, rel_tol=1e-6)
        if one.quantity == quantity and fits:
            return one
    return None
