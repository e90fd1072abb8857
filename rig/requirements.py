"""The requirement catalogue: every requirement as data, and what of it a machine can judge.

A row carries what its source says, in words (`stated`, `method`, `conditions`), and how far that source may be trusted
(`confidence`). Where a procedure can judge it, `[[requirement.limit]]` gives the quantity a suite measures and its
bounds in SI. A limit with `of = "power"` is a multiple of that rating or declared value of the device profile, one with
grid_codes is of these codes only, and one with a setting says at which set value of a protection it is measured. A row
without limits says in `not_run` why.

A requirement whose number was not seen in a source, or is our own, may never be called conformity, and one whose source
is no standard conforms to nothing: it keeps a limit taken from there (`claim`). references.toml says what the keys in
brackets of a source stand for.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from rig.conditions import ConditionRow
from rig.errors import BenchConfigError, UseError
from rig.metrology.decision import SEVERITY, UNITS, Judgement, Limit, Rule, judge
from rig.metrology.measurement import Measurement
from rig.profile import FIGURES, Capability, Override, Profile, Table, explain, read_toml
from rig.references import FILE, keys_in, read_references

Grade = Literal["seen", "second-hand", "memory", "project"]
_GRADES: Mapping[str, Grade] = {
    "S": "seen",
    "S2": "second-hand",
    "M": "memory",
    "P": "project",
    "derived": "project",
}
_PART = re.compile(r"(\w+)(?:\s*\(([^()]+)\))?")


@dataclass(frozen=True, slots=True)
class Confidence:
    """How far the numbers of a row may be trusted. raw: as written; parts: (grade, what it is said of)."""

    raw: str
    parts: tuple[tuple[Grade, str], ...]

    @property
    def may_claim(self) -> bool:
        """Whether every part was seen in a source, at least second-hand."""
        return all(grade in ("seen", "second-hand") for grade, _ in self.parts)


def parse_confidence(raw: str) -> Confidence:
    """Read "S (6 kW) / P (duration)": S seen, S2 second-hand, M memory, P or derived project. ValueError otherwise."""
    parts: list[tuple[Grade, str]] = []
    for piece in raw.split("/"):
        match = _PART.fullmatch(piece.strip())
        if match is None or match[1] not in _GRADES:
            raise ValueError(f'{raw!r}: {piece.strip()!r} is no confidence; write S, S2, M or P, as in "S (band) / P"')
        parts.append((_GRADES[match[1]], match[2] or ""))
    return Confidence(raw, tuple(parts))


class RuleTable(Table):
    """rule = { kind = "guard_band", r = 1.0, k = 2.0, binary = false, mra = 0.0 }"""

    kind: Literal["simple", "guard_band", "inherent"] = "guard_band"
    r: float = Field(default=1.0, ge=0)
    k: float = Field(default=2.0, gt=0)
    binary: bool = False
    mra: float = Field(default=0.0, ge=0)

    def rule(self) -> Rule:
        """As the decision knows it."""
        return Rule(self.kind, self.r, self.k, self.binary, self.mra)


class Setting(Table):
    """At which set value of a grid protection, or along which course of the mains, a quantity is measured.

    figure: u voltage, f frequency, rocof its rate of change. unit: "1" of nominal voltage, "V" across the legs, "Hz",
    "Hz/s". at: the set value. before, beyond: where the mains stands before the step and where it is stepped to, in
    the same unit; before left out: nominal. seconds: how long it is held there, left out: as long as the trip may take.
    """

    figure: Literal["u", "f", "rocof"]
    unit: Literal["1", "V", "Hz", "Hz/s"]
    at: float = Field(gt=0)
    before: float | None = Field(default=None, gt=0)
    beyond: float = Field(gt=0)
    seconds: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _of_its_figure(self) -> Setting:
        units = {"u": ("1", "V"), "f": ("Hz",), "rocof": ("Hz/s",)}[self.figure]
        if self.unit not in units:
            raise ValueError(f"setting: figure {self.figure!r} is not in {self.unit!r}; use {' or '.join(units)}")
        if self.before is not None and (self.before - self.at) * (self.beyond - self.at) > 0:
            raise ValueError("setting: before and beyond lie on the same side of `at`; put one on each")
        return self


class LimitRow(Table):
    """One quantity of a requirement.

    min, max: SI, or multiples of the profile's figure `of`. aggregate: of several runs, "worst" judges the one with
    the worst verdict, "each" every one. source: of these very bounds, where the row's own source does not say it all.
    grid_codes: the codes this limit belongs to, empty for all of the row's. setting: see there.
    """

    quantity: Annotated[str, Field(pattern=r"^[a-z][a-zA-Z0-9_]*$")]
    unit: str
    min: float | None = None
    max: float | None = None
    of: str | None = None
    aggregate: Literal["worst", "each"] = "worst"
    source: str = ""
    grid_codes: tuple[str, ...] = ()
    setting: Setting | None = None

    @field_validator("unit")
    @classmethod
    def _known_unit(cls, unit: str) -> str:
        if unit not in UNITS:
            raise ValueError(f"unknown unit {unit!r}; use one of {', '.join(sorted(UNITS))}")
        return unit

    @model_validator(mode="after")
    def _sound(self) -> LimitRow:
        if any(bound is not None and not math.isfinite(bound) for bound in (self.min, self.max)):
            raise ValueError(f"{self.quantity}: a bound is not finite; leave it out instead")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"{self.quantity}: min {self.min:g} is above max {self.max:g}; swap them")
        if self.of is not None and FIGURES.get(self.of) != self.unit:
            known = ", ".join(name for name, unit in FIGURES.items() if unit == self.unit)
            raise ValueError(f"{self.quantity}: of = {self.of!r} is no figure in {self.unit}; use {known or 'none'}")
        return self

    @property
    def limit(self) -> Limit:
        """For the decision. UseError while it still waits for a profile."""
        if self.of is not None:
            raise UseError(f"{self.quantity}: its limit is a multiple of {self.of!r}; take it from for_profile()")
        return Limit(self.min, self.max, self.unit)

    def scaled(self, figure: float) -> LimitRow:
        """The same limit with its figure put in."""
        low = None if self.min is None else self.min * figure
        high = None if self.max is None else self.max * figure
        source = f"{self.source + '; ' if self.source else ''}{self.of} = {figure:g} {self.unit} of the profile"
        return self.model_copy(update={"min": low, "max": high, "of": None, "source": source})


class Requirement(Table):
    """One row of the catalogue.

    stated: the limit in the words of the catalogue's source, in stated_unit. needs: capabilities without which it does
    not apply. grid_codes: the codes it belongs to, empty for all. limits: what can be judged. begins: conditions a test
    of it begins under, beside those of every test. not_run: why it cannot be judged. normative: the limit is a
    standard's own, which its source names.
    references: what the keys of its sources stand for (set by read_catalogue). overridden: a profile replaced a limit;
    applies: the device has a part in it (both set by for_profile).
    """

    id: Annotated[str, Field(pattern=r"^[A-Z]{2,3}-\d{3}$")]
    title: str
    stated: str
    stated_unit: str
    method: str
    conditions: str
    source: str
    confidence: Confidence
    normative: bool = False
    needs: tuple[Capability, ...] = ()
    grid_codes: tuple[str, ...] = ()
    rule: RuleTable = RuleTable()
    limits: tuple[LimitRow, ...] = Field(default=(), alias="limit")
    begins: tuple[ConditionRow, ...] = Field(default=(), alias="condition")
    not_run: str | None = None
    references: Mapping[str, str] = Field(default={}, exclude=True)
    overridden: bool = False
    applies: bool = True

    @field_validator("confidence", mode="before")
    @classmethod
    def _read_confidence(cls, raw: object) -> Confidence:
        return raw if isinstance(raw, Confidence) else parse_confidence(str(raw))

    @model_validator(mode="after")
    def _judged_or_not(self) -> Requirement:
        if not self.limits and not self.not_run:
            raise ValueError('neither a limit nor a reason; add [[requirement.limit]] or not_run = "why"')
        if self.limits and self.not_run:
            raise ValueError("has limits and not_run; keep one of them")
        strangers = sorted({code for row in self.limits for code in row.grid_codes} - set(self.grid_codes))
        if strangers:
            raise ValueError(f"a limit is of {', '.join(strangers)}, the row is not; add it to the row's grid_codes")
        names = [(row.quantity, code) for row in self.limits for code in row.grid_codes or self.grid_codes or ("",)]
        if len(set(names)) < len(names):
            twice = ", ".join(dict.fromkeys(name for name, _ in names))
            raise ValueError(f"a quantity stands twice in {twice}; give each its own name, or its own grid codes")
        return self

    @property
    def family(self) -> str:
        """PWR of PWR-001."""
        return self.id.partition("-")[0]

    @property
    def quantities(self) -> tuple[str, ...]:
        """Names of what is judged, in order."""
        return tuple(row.quantity for row in self.limits)

    @property
    def reports_only(self) -> bool:
        """Whether it has quantities and none of them a bound."""
        return bool(self.limits) and all(row.min is None and row.max is None for row in self.limits)

    @property
    def claim(self) -> str:
        """The most a report may print of a PASS."""
        if self.reports_only:
            return "reported, no limit"
        if self.overridden or not self.confidence.may_claim:
            return "meets project limit"
        return f"conforms to {self.source}" if self.normative else f"keeps the limit from {self.source}"

    @property
    def sources(self) -> tuple[str, ...]:
        """Keys its own source and those of its limits name."""
        return keys_in(" ".join([self.source, *(row.source for row in self.limits)]))

    def row(self, quantity: str) -> LimitRow:
        """The limit of a quantity. UseError for one it does not have, or when it cannot be judged here."""
        if self.not_run:
            raise UseError(f"{self.id} cannot be judged: {self.not_run}; take it out of this test")
        for row in self.limits:
            if row.quantity == quantity:
                return row
        raise UseError(f"{self.id} has no quantity {quantity!r}; name the measurement {' or '.join(self.quantities)}")

    def judge(self, m: Measurement, quantity: str | None = None) -> Judgement:
        """Judge a measurement under the quantity it is named after (or the one given), by this row's rule."""
        return judge(m, self.row(quantity or m.name).limit, self.rule.rule())

    def worst(self, measurements: Iterable[Measurement], quantity: str | None = None) -> Measurement:
        """Of several runs the one with the worst verdict, among equals the one with the least margin: a run too
        uncertain to pass is not hidden by one nearer to the limit that does."""

        def badness(m: Measurement) -> tuple[int, float]:
            judgement = self.judge(m, quantity)
            room = -math.inf if math.isnan(judgement.margin) else judgement.margin
            return SEVERITY.index(judgement.verdict), -room

        runs = list(measurements)
        if not runs:
            raise UseError(f"{self.id}: no measurement to take the worst of; measure first")
        return max(runs, key=badness)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All requirements, by id, in the order of their files."""

    requirements: Mapping[str, Requirement]

    def __getitem__(self, id: str) -> Requirement:
        try:
            return self.requirements[id]
        except KeyError:
            raise UseError(f"no requirement {id!r} in the catalogue; mend the id or add it to its file") from None

    def for_profile(self, profile: Profile) -> Mapping[str, Requirement]:
        """Every requirement as it applies to a device: figures put in, overrides taken, and what does not apply said.

        BenchConfigError when the profile speaks of a requirement or quantity that does not exist.
        """
        problems = [
            f"profile {profile.name}: not_claimed.{id}: no such requirement; mend the id"
            for id in profile.not_claimed
            if id not in self.requirements
        ]
        problems += [line for one in profile.override if (line := self._wrong_override(profile, one))]
        codes = sorted({code for r in self.requirements.values() for code in r.grid_codes})
        if codes and profile.grid_code not in (*codes, "none"):
            problems.append(
                f"profile {profile.name}: grid_code: no requirement belongs to {profile.grid_code!r}; use one of "
                f'{", ".join(codes)}, or "none"'
            )
        if problems:
            raise BenchConfigError(problems)
        return {id: _applied(r, profile) for id, r in self.requirements.items()}

    def _wrong_override(self, profile: Profile, one: Override) -> str | None:
        where = f"profile {profile.name}: override of {one.id} {one.quantity}"
        row = self.requirements.get(one.id)
        if row is None:
            return f"{where}: no such requirement; mend the id"
        units = {limit.quantity: limit.unit for limit in row.limits}
        if one.quantity not in units:
            return f"{where}: no such quantity; use one of {', '.join(units) or '(none: it has no limit)'}"
        if units[one.quantity] != one.unit:
            return f"{where}: unit {one.unit!r} is not the catalogue's {units[one.quantity]!r}; convert it"
        return None


def _applied(r: Requirement, profile: Profile) -> Requirement:
    if reason := _does_not_apply(r, profile):
        return r.model_copy(update={"limits": (), "not_run": reason, "applies": False})
    overrides = {one.quantity: one for one in profile.override if one.id == r.id}
    mine = [row for row in r.limits if not row.grid_codes or profile.grid_code in row.grid_codes]
    if r.limits and not mine:
        reason = f"its text has limits for {_codes(r.limits)} only; the profile's grid code is {profile.grid_code}"
        return r.model_copy(update={"limits": (), "not_run": reason, "applies": False})
    rows = tuple(_row_for(row, profile, overrides.get(row.quantity)) for row in mine)
    missing = sorted({row.of for row in rows if row.of is not None})
    if missing:
        reason = f"the profile declares no {' and no '.join(missing)}"
        return r.model_copy(update={"limits": (), "not_run": reason})
    return r.model_copy(update={"limits": rows, "overridden": bool(overrides)})


def _codes(rows: Iterable[LimitRow]) -> str:
    return " and ".join(dict.fromkeys(code for row in rows for code in row.grid_codes))


def _does_not_apply(r: Requirement, profile: Profile) -> str | None:
    if r.id in profile.not_claimed:
        return f"not claimed: {profile.not_claimed[r.id]}"
    lacking = [need for need in r.needs if need not in profile.capabilities]
    if lacking:
        return f"the device has no {' and no '.join(lacking)}"
    if r.grid_codes and profile.grid_code not in r.grid_codes:
        return f"belongs to grid code {' or '.join(r.grid_codes)}; the profile's is {profile.grid_code}"
    return None


def _row_for(row: LimitRow, profile: Profile, override: Override | None) -> LimitRow:
    if override is not None:
        return row.model_copy(update={"min": override.min, "max": override.max, "of": None, "source": override.source})
    figure = None if row.of is None else profile.figure(row.of)
    return row if figure is None else row.scaled(figure)


def read_catalogue(folder: Path) -> Catalogue:
    """Read every *.toml of a folder. BenchConfigError names every problem of every file."""
    found: dict[str, Requirement] = {}
    home: dict[str, str] = {}
    problems: list[str] = []
    known = read_references(folder)
    files = sorted(path for path in folder.glob("*.toml") if path.name != FILE)
    if not files:
        raise BenchConfigError([f"{folder}: no requirement file (*.toml); name the folder of the catalogue"])
    for path in files:
        for row in _read_file(path, problems):
            if row.id in found:
                problems.append(f"{path}: {row.id}: stands already in {home[row.id]}; give it an id of its own")
            else:
                found[row.id], home[row.id] = row, path.name
                problems += _unknown(row, known, path)
    if problems:
        raise BenchConfigError(problems)
    if known is None:
        return Catalogue(found)
    return Catalogue(
        {
            id: row.model_copy(update={"references": {key: known[key] for key in row.sources}})
            for id, row in found.items()
        }
    )


def _unknown(row: Requirement, known: Mapping[str, str] | None, path: Path) -> list[str]:
    """Keys nobody explains."""
    strangers = [key for key in row.sources if known is not None and key not in known]
    return [f"{path}: {row.id}: source [{key}] stands for nothing; add {key} to {FILE}" for key in strangers]


def read_conditions(path: Path) -> tuple[ConditionRow, ...]:
    """The [[condition]] rows of a file. BenchConfigError names every problem."""
    rows = read_toml(path, "condition").get("condition")
    if not isinstance(rows, list) or not rows:
        raise BenchConfigError([f"{path}: holds no condition; add [[condition]]"])
    found, problems = list[ConditionRow](), list[str]()
    for number, raw in enumerate(rows, 1):
        try:
            found.append(ConditionRow.model_validate(raw))
        except ValidationError as error:
            problems += [f"{path}: condition {number}: {line}" for line in explain(error)]
    if problems:
        raise BenchConfigError(problems)
    return tuple(found)


def _read_file(path: Path, problems: list[str]) -> list[Requirement]:
    try:
        tables = read_toml(path, "requirement")
    except BenchConfigError as error:
        problems += error.problems
        return []
    for key in tables.keys() - {"family", "requirement"}:
        problems.append(f"{path}: {key}: unknown key; remove or rename it")
    family, raw_rows = tables.get("family"), tables.get("requirement")
    if not isinstance(family, str):
        problems.append(f'{path}: family: is missing; add family = "PWR" or whichever it is')
    if not isinstance(raw_rows, list) or not raw_rows:
        problems.append(f"{path}: holds no requirement; add [[requirement]]")
        return []
    rows = []
    for number, raw in enumerate(raw_rows, 1):
        name = raw.get("id", f"requirement {number}") if isinstance(raw, dict) else f"requirement {number}"
        try:
            row = Requirement.model_validate(raw)
        except ValidationError as error:
            problems += [f"{path}: {name}: {line}" for line in explain(error)]
            continue
        if isinstance(family, str) and row.family != family:
            problems.append(f"{path}: {name}: is not of family {family}; move it to its own file")
        rows.append(row)
    return rows
