"""Conditions under which a test may begin, and whether they were met. Knows no bench and no file.

Theory
  Who asks       the laboratory for every test, the maker of the device, each instrument whose accuracy is promised for
                 some room and after some warm-up, and a requirement for the tests that verify it.
  What counts    of all who ask the same quantity the narrowest band; which of them is told with it.
  How            the reading is held against that band moved inwards by its expanded uncertainty (k = 2): where it may
                 be outside it counts as outside, since a condition that is only probably met proves nothing.
  Not known      a quantity nobody measures or states: told in the report. Where a requirement asks for it, outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rig.errors import UseError
from rig.metrology.decision import Limit, Rule, Verdict, judge
from rig.metrology.measurement import Measurement

Quantity = Literal["ambient", "warm_up", "source_voltage", "source_frequency", "source_thd"]
QUANTITIES: tuple[Quantity, ...] = get_args(Quantity)
UNITS: Mapping[Quantity, str] = {
    "ambient": "degC",
    "warm_up": "s",
    "source_voltage": "1",
    "source_frequency": "1",
    "source_thd": "1",
}
"""ambient: the room's temperature. warm_up: how long every instrument has been on. source_*: of the mains before the
test: voltage and frequency as fractions of nominal (the leg that is further off), total harmonic distortion."""
RULE = Rule("guard_band", binary=True)


class ConditionRow(BaseModel):
    """[[condition]] of a file: a quantity and its bounds. source: where they come from."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    quantity: Quantity
    min: float | None = None
    max: float | None = None
    source: str = Field(min_length=1)

    @model_validator(mode="after")
    def _bounded(self) -> ConditionRow:
        if self.min is None and self.max is None:
            raise ValueError(f"{self.quantity}: a condition needs min or max; add one")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"{self.quantity}: min {self.min:g} is above max {self.max:g}; swap them")
        return self


@dataclass(frozen=True, slots=True)
class Asked:
    """A row, and who asks. strict: it has to be known."""

    row: ConditionRow
    by: str
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """What holds for a test. asked: who sets the bounds, and from where."""

    quantity: Quantity
    limit: Limit
    asked: str
    strict: bool


@dataclass(frozen=True, slots=True)
class Stood:
    """How a condition stood. measured: None where it is not known; reason: why it is not met."""

    condition: Condition
    state: Literal["met", "outside", "not known"]
    measured: Measurement | None
    reason: str

    @property
    def fit(self) -> bool:
        """Whether the test may begin."""
        return self.state == "met" or (self.state == "not known" and not self.condition.strict)


def narrowest(asked: Iterable[Asked]) -> list[Condition]:
    """One condition a quantity, in the order of QUANTITIES. UseError where two who ask cannot both be served."""
    rows: dict[Quantity, list[Asked]] = {}
    for one in asked:
        rows.setdefault(one.row.quantity, []).append(one)
    return [_joined(quantity, rows[quantity]) for quantity in QUANTITIES if quantity in rows]


def _joined(quantity: Quantity, rows: Sequence[Asked]) -> Condition:
    low = max((one for one in rows if one.row.min is not None), key=lambda one: one.row.min or 0.0, default=None)
    high = min((one for one in rows if one.row.max is not None), key=lambda one: one.row.max or 0.0, default=None)
    least, most = low.row.min if low else None, high.row.max if high else None
    if low and high and least is not None and most is not None and least > most:
        raise UseError(
            f"condition {quantity}: {low.by} asks for {least:g} at least, {high.by} for {most:g} at most; mend one"
        )
    said = dict.fromkeys(f"{one.by}: {one.row.source}" for one in (low, high) if one is not None)
    return Condition(quantity, Limit(least, most, UNITS[quantity]), "; ".join(said), any(one.strict for one in rows))


def stood(condition: Condition, found: Measurement | str) -> Stood:
    """Hold a reading, or why there is none, against a condition."""
    if isinstance(found, str):
        return Stood(condition, "not known", None, f"{condition.quantity}: not known: {found}")
    judged = judge(found.named(condition.quantity), condition.limit, RULE)
    if judged.verdict is Verdict.PASS:
        return Stood(condition, "met", found, "")
    words = f"{found.value:.6g} {found.unit}".removesuffix(" 1")
    reason = (
        f"{condition.quantity} was {words} (U {judged.expanded:.2g}), asked for {condition.limit}: {condition.asked}"
    )
    return Stood(condition, "outside", found, reason)
