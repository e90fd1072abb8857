"""Whether a measured value keeps a limit, and how sure one may be. Knows values, limits and rules, no requirement.

Theory (ILAC-G8:09/2019; JCGM 106:2012; ISO/IEC 17025:2017, 7.8.6)
  TL  tolerance limit, the number of the requirement          AL  acceptance limit, TL moved inwards by w
  U   expanded uncertainty k*u, k from Student's t where the  w   guard band r*U
      degrees of freedom are few (JCGM 100, G.6.4)

  simple      w = 0. At the limit a false acceptance is as likely as not.
  guard_band  w = r*U. With r = 1, k = 2 a value at AL is wrongly accepted in less than 2.5 % of cases.
              binary:      PASS up to AL, FAIL beyond it.
              non-binary:  PASS up to AL, FAIL from TL + w; between them INCONCLUSIVE, named conditional pass (inside
                           TL) or conditional fail (outside it) in the reason.
  inherent    the standard brings its own rule (7.8.6.2 c): IEEE 1547.1 widens its pass band by 1.5 x MRA, the minimum
              required accuracy. No second guard band is added and U is reported only.

  Two-sided limits are judged on the side with less room; the conformance probability is that of both sides
  (JCGM 106, 7.4, normal). Where U is above a quarter of the width, PASS also needs that probability to be what a
  guard band of r*U gives on one side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from rig.errors import UseError
from rig.metrology.measurement import Measurement

UNITS = frozenset({"1", "V", "A", "W", "VA", "J", "s", "Hz", "ohm", "A/s", "W/s", "Hz/s", "K", "degC", "deg"})
"""Units a limit or a measurement may have: SI, fractions as "1", angles in degrees at this edge."""

MRA_FACTOR = 1.5
"""IEEE 1547.1-2020 pass bands (standards.md 3 [SVP][UL1741SB])."""


class Verdict(Enum):
    """Only FAIL speaks of a bad device."""

    PASS = "PASS"
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    INVALID = "INVALID"
    NOT_RUN = "NOT RUN"

    def __str__(self) -> str:
        return self.value


SEVERITY = (Verdict.PASS, Verdict.NOT_RUN, Verdict.INCONCLUSIVE, Verdict.INVALID, Verdict.FAIL)
"""From good to bad: the verdict of several judgements is the last of these that occurs."""


@dataclass(frozen=True, slots=True)
class Limit:
    """Tolerance limits in an SI unit. Neither bound: the value is reported and nothing is claimed."""

    min: float | None = None
    max: float | None = None
    unit: str = "1"

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise UseError(f"limit {self}: unknown unit {self.unit!r}; use one of {', '.join(sorted(UNITS))}")
        if any(bound is not None and math.isnan(bound) for bound in (self.min, self.max)):
            raise UseError(f"limit {self}: a bound is not a number; leave a bound out instead")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise UseError(f"limit {self}: min is above max; swap them")

    def __str__(self) -> str:
        unit = "" if self.unit == "1" else f" {self.unit}"
        if self.min is None and self.max is None:
            return "no limit"
        if self.min is None:
            return f"<= {self.max:.6g}{unit}"
        if self.max is None:
            return f">= {self.min:.6g}{unit}"
        return f"{self.min:.6g} to {self.max:.6g}{unit}"

    @property
    def reports_only(self) -> bool:
        """Whether there is nothing to keep."""
        return self.min is None and self.max is None

    def margin(self, value: float) -> float:
        """Room to the nearest bound in the limit's unit; negative outside, inf without a bound."""
        low = math.inf if self.min is None else value - self.min
        high = math.inf if self.max is None else self.max - value
        return min(low, high)

    def moved(self, inwards: float) -> Limit:
        """The limit with each bound moved inwards (negative: outwards). Bounds that cross meet in the middle."""
        low = None if self.min is None else self.min + inwards
        high = None if self.max is None else self.max - inwards
        if low is not None and high is not None and low > high:
            low = high = (low + high) / 2
        return Limit(low, high, self.unit)


@dataclass(frozen=True, slots=True)
class Rule:
    """A decision rule, agreed before the test. r: guard band in U. k: coverage factor. mra: in the limit's unit."""

    kind: Literal["simple", "guard_band", "inherent"] = "guard_band"
    r: float = 1.0
    k: float = 2.0
    binary: bool = False
    mra: float = 0.0

    def __post_init__(self) -> None:
        if not (self.r >= 0 and self.k > 0 and self.mra >= 0):
            raise UseError(f"{self}: r and mra must be 0 or more, k above 0")

    def __str__(self) -> str:
        if self.kind == "simple":
            return "simple acceptance"
        if self.kind == "inherent":
            return f"the standard's own rule, {MRA_FACTOR:g} x MRA {self.mra:g}"
        return f"guard band {self.r:g} U, k = {self.k:g}, {'binary' if self.binary else 'non-binary'}"

    def guard(self, expanded: float) -> float:
        """How far acceptance lies inside the limit, in its unit; negative where the rule widens. expanded: U."""
        if self.kind == "simple":
            return 0.0
        return -MRA_FACTOR * self.mra if self.kind == "inherent" else self.r * expanded


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict and all it rests on.

    acceptance: the limit the value was compared with. expanded: U = k*u in the measurand's unit. margin: room to the
    tolerance limit (not to the acceptance limit), negative outside. probability: of conformance, JCGM 106. k: coverage
    factor of `expanded`, the rule's or a wider one.
    """

    verdict: Verdict
    measurement: Measurement
    limit: Limit
    acceptance: Limit
    rule: Rule
    expanded: float
    margin: float
    probability: float
    reason: str
    k: float


def judge(m: Measurement, limit: Limit, rule: Rule = Rule()) -> Judgement:
    """Judge a value. UseError when its unit is not the limit's, or when a rule needs an uncertainty nobody stated."""
    if m.unit != limit.unit:
        raise UseError(f"{m.name}: measured in {m.unit!r}, its limit is in {limit.unit!r}; convert it")
    u, expanded = m.u, m.expanded(rule.k)
    needs_budget = rule.kind == "guard_band" and not limit.reports_only
    if needs_budget and not m.budget and math.isfinite(m.value):
        raise UseError(f"{m.name}: {rule} needs an uncertainty budget and the measurement has none; add its components")
    guard = rule.guard(expanded) if math.isfinite(expanded) else 0.0
    acceptance = limit.moved(guard)
    probability = conformance_probability(m.value, u, limit, m.dof)
    verdict, why = _decide(m.value, expanded, limit, acceptance, rule, guard, probability)
    return Judgement(
        verdict=verdict,
        measurement=m,
        limit=limit,
        acceptance=acceptance,
        rule=rule,
        expanded=expanded,
        margin=math.nan if math.isnan(m.value) else limit.margin(m.value),
        probability=probability,
        reason=f"{m.name} {why}; {rule}",
        k=m.factor(rule.k),
    )


def _decide(
    value: float, expanded: float, limit: Limit, acceptance: Limit, rule: Rule, guard: float, probability: float
) -> tuple[Verdict, str]:
    shown = f"{value:.6g}{'' if limit.unit == '1' else ' ' + limit.unit} (U {expanded:.2g})"
    if math.isnan(value):
        return Verdict.INVALID, f"{shown} is no number"
    if not math.isfinite(expanded):
        return Verdict.INVALID, f"{shown} is uncertain without bound; see which line of its budget is"
    if limit.reports_only:
        return Verdict.PASS, f"{shown} recorded for the report; no limit is set and nothing is claimed"
    if math.isinf(value):
        return _decide_never(value, limit)
    if acceptance.margin(value) >= 0 and _narrow_enough(probability, expanded, limit, rule):
        return Verdict.PASS, f"{shown} keeps {limit}"
    if rule.kind != "guard_band" or rule.binary or limit.margin(value) <= -guard:
        return Verdict.FAIL, f"{shown} breaks {limit}" + _beyond(limit, acceptance, value)
    zone = "conditional pass" if limit.margin(value) >= 0 else "conditional fail"
    return Verdict.INCONCLUSIVE, f"{shown} is too near to {limit} to tell ({zone})"


def _decide_never(value: float, limit: Limit) -> tuple[Verdict, str]:
    kept = limit.max is None if value > 0 else limit.min is None
    if kept:
        return Verdict.PASS, f"did not happen while it was watched, which keeps {limit}"
    if value < 0:
        return Verdict.FAIL, f"is below any bound; {limit} asks for more"
    return Verdict.FAIL, f"never happened while it was watched; {limit} asks for it"


def _narrow_enough(probability: float, expanded: float, limit: Limit, rule: Rule) -> bool:
    """Whether the far bound of a two-sided limit adds no risk: looked at exactly when U is above width/4."""
    if rule.kind != "guard_band" or limit.min is None or limit.max is None:
        return True
    return expanded <= (limit.max - limit.min) / 4 or probability >= _phi(rule.r * rule.k)


def _beyond(limit: Limit, acceptance: Limit, value: float) -> str:
    return f" with its guard band ({acceptance})" if limit.margin(value) >= 0 else ""


def conformance_probability(value: float, u: float, limit: Limit, dof: float = math.inf) -> float:
    """Probability that the measurand lies inside the limit (JCGM 106, 7.4): normal about the value, or Student's t with
    the degrees of freedom of u. NaN for NaN."""
    if math.isnan(value) or math.isnan(u):
        return math.nan
    if u == 0 or math.isinf(value):
        return 1.0 if limit.margin(value) >= 0 else 0.0
    below_max = 1.0 if limit.max is None else _phi((limit.max - value) / u, dof)
    below_min = 0.0 if limit.min is None else _phi((limit.min - value) / u, dof)
    return max(0.0, below_max - below_min)


def _phi(z: float, dof: float = math.inf) -> float:
    if math.isinf(dof):
        return 0.5 * math.erfc(-z / math.sqrt(2.0))
    from scipy.special import stdtr  # as in measurement.py

    return float(stdtr(dof, z))


def worst_of(verdicts: list[Verdict]) -> Verdict:
    """The verdict of several: NOT RUN for none."""
    return max(verdicts, key=SEVERITY.index, default=Verdict.NOT_RUN)
