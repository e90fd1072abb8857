"""What an instrument's data sheet promises, read once and used twice.

accuracy.toml beside a driver holds, for each function and range, the limit of error (per cent of reading + per cent of
range), the resolution, the noise, the update interval, and where each figure comes from. Two readings of that file:

  the driver     takes the limits as rectangular components of the uncertainty of each reading (JCGM 100, 4.3.7: only
                 limits are known, nothing inside them is more likely);
  the emulator   is one specimen of the model: it draws a gain and an offset error inside the limits once, keeps them
                 for life, and adds noise and resolution at each reading.

So a reading of an emulated instrument is wrong by an amount its budget covers, and never by the same amount for two
specimens.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from rig.errors import UseError
from rig.metrology.calibration import LIMITS
from rig.metrology.measurement import Component
from rig.quantity import Seconds


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RangeSpec(_Table):
    """One range of one function. full: full scale, in the function's unit.

    reading: limit of error, % of reading. range: limit of error, % of full. resolution: smallest step. noise: standard
    deviation of one reading, % of full. confidence: S seen in the source, M from memory.
    """

    full: float = Field(gt=0)
    reading: float = Field(ge=0)
    range: float = Field(ge=0)
    resolution: float = Field(ge=0)
    noise: float = Field(ge=0)
    source: str = Field(min_length=1)
    confidence: Literal["S", "M"]

    def limit(self, value: float) -> float:
        """Largest error at a reading, in the function's unit, without noise and resolution."""
        return (self.reading * abs(value) + self.range * self.full) / 100.0


class FunctionSpec(_Table):
    """One function: what it measures, how often it makes a new value (s), its ranges from small to large."""

    unit: str
    update: float = Field(ge=0)
    ranges: tuple[RangeSpec, ...] = Field(min_length=1)

    def range_for(self, value: float, full: float | None = None) -> RangeSpec:
        """The range in use: the one with that full scale, or without one the smallest that holds the value."""
        if full is not None:
            for spec in self.ranges:
                if math.isclose(spec.full, full, rel_tol=1e-9):
                    return spec
            raise UseError(f"no {full:g} {self.unit} range; there are {', '.join(f'{r.full:g}' for r in self.ranges)}")
        size, spec = abs(value), self.ranges[-1]
        for spec in self.ranges:
            if size <= spec.full:
                return spec
        return spec


class FitSpec(_Table):
    """[fit]: what its figures hold for. ambient: degC, lowest and highest. warm_up: s after switching on."""

    ambient: tuple[float, float]
    warm_up: Seconds = Field(ge=0.0)
    source: str = Field(min_length=1)
    confidence: Literal["S", "M"]

    @model_validator(mode="after")
    def _rising(self) -> FitSpec:
        if not self.ambient[0] < self.ambient[1]:
            raise ValueError("ambient: write the lower temperature first")
        return self


class _File(_Table):
    model: str
    fit: FitSpec | None = None
    functions: dict[str, FunctionSpec]


@dataclass(frozen=True)
class Accuracy:
    """All functions of one model. fit: under which conditions its figures hold, None where nobody says."""

    model: str
    functions: Mapping[str, FunctionSpec]
    fit: FitSpec | None = None
    _kept: dict[tuple[str, float], tuple[str, str, tuple[Component, ...]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """What of a budget does not depend on the reading, by function and full scale."""

    def __getitem__(self, function: str) -> FunctionSpec:
        try:
            return self.functions[function]
        except KeyError:
            raise UseError(f"{self.model}: accuracy.toml has no function {function!r}; add it") from None

    def budget(self, function: str, value: float, full: float | None = None) -> tuple[Component, ...]:
        """The components of the uncertainty of one reading. full: full scale of the range in use."""
        used = self[function].range_for(value, full)
        kept = self._kept.get((function, used.full))
        if kept is None:
            kept = self._kept[function, used.full] = self._of_range(function, used)
        name, source, rest = kept
        of_reading = used.reading * abs(value) / 100.0 / math.sqrt(3.0)
        return (Component(name, of_reading, "rectangular", source), *rest) if of_reading > 0.0 else rest

    def _of_range(self, function: str, used: RangeSpec) -> tuple[str, str, tuple[Component, ...]]:
        """Name and source of the component that depends on the reading, and those that do not."""
        source, of = f"{used.source} ({used.confidence})", f"{self.model} {function}"
        rest = (
            Component(f"{of}: of range", used.range * used.full / 100.0 / math.sqrt(3.0), "rectangular", source),
            Component(f"{of}: resolution", used.resolution / math.sqrt(12.0), "rectangular", source),
            Component(f"{of}: noise", used.noise * used.full / 100.0, "normal", source),
        )
        return f"{of}: of reading", source, tuple(one for one in rest if one.u > 0.0)

    def u(self, function: str, value: float) -> tuple[float, float]:
        """Standard uncertainty of one reading, and that of its limits of error alone; in the function's unit."""
        parts = self.budget(function, value)
        limits = [part.u for part in parts if part.name.endswith(LIMITS)]
        return math.hypot(*(part.u for part in parts)), math.hypot(*limits)


class _Line(NamedTuple):
    """One range of a specimen: how it shows a true value. noise: standard deviation, in the function's unit."""

    full: float
    slope: float
    offset: float
    noise: float
    step: float


class Specimen:
    """One box of a model, with its own fixed errors inside the model's limits. Deterministic for a given generator.

    misreads: function -> a gain error beside those, as a fraction: a box that is out of its limits. UseError for a
    function it does not have.
    """

    def __init__(
        self, accuracy: Accuracy, rng: np.random.Generator, misreads: Mapping[str, float] | None = None
    ) -> None:
        wrong = dict(misreads or {})
        if unknown := sorted(wrong.keys() - accuracy.functions.keys()):
            known = ", ".join(sorted(accuracy.functions))
            raise UseError(f"{accuracy.model}: misreads: no function {unknown[0]!r}; use one of {known}")
        self._accuracy, self._rng = accuracy, rng
        self._draw = rng.standard_normal
        self._errors: dict[tuple[str, float], tuple[float, float]] = {}
        self._lines: dict[str, list[_Line]] = {}
        for name in sorted(accuracy.functions):  # drawn at once: what is asked first must not matter
            for spec in accuracy.functions[name].ranges:
                gain, offset = rng.uniform(-1.0, 1.0, 2)
                self._errors[name, spec.full] = (
                    float(gain) * spec.reading / 100.0 + wrong.get(name, 0.0),
                    float(offset) * spec.range * spec.full / 100.0,
                )
            self._lines[name] = [self._line(name, spec) for spec in accuracy.functions[name].ranges]

    def read(self, function: str, true: float, full: float | None = None) -> float:
        """What this box shows for a true value. full: full scale of the range in use."""
        if full is None and (lines := self._lines.get(function)):
            size, line = abs(true), lines[-1]
            for line in lines:
                if size <= line.full:
                    break
        else:
            line = self._line(function, self._accuracy[function].range_for(true, full))
        shown = true * line.slope + line.offset
        if line.noise:
            shown += self._draw() * line.noise
        return round(round(shown / line.step) * line.step, 12) if line.step else shown

    def _line(self, function: str, spec: RangeSpec) -> _Line:
        gain, offset = self._errors[function, spec.full]
        return _Line(spec.full, 1.0 + gain, offset, spec.noise * spec.full / 100.0, spec.resolution)

    def row(self, functions: Sequence[str], full: float) -> Callable[[Sequence[float]], list[float]]:
        """Several functions read at one instant, over and over: true values in, shown values out, in this order."""
        lines = []
        for function in functions:
            spec = self._accuracy[function].range_for(0.0, full)
            gain, offset = self._errors[function, spec.full]
            lines.append((1.0 + gain, offset, spec.noise * spec.full / 100.0, spec.resolution or 1e-12))
        draw, count = self._rng.standard_normal, len(lines)

        def shows(true: Sequence[float]) -> list[float]:
            return [
                round(round((value * slope + offset + noise * z) / step) * step, 12)
                for value, z, (slope, offset, noise, step) in zip(true, draw(count).tolist(), lines, strict=True)
            ]

        return shows

    def errors(self, function: str, full: float) -> tuple[float, float]:
        """(gain as a fraction, offset in the function's unit) of a range; for set-points that share its reference."""
        return self._errors[function, full]


def read_accuracy(path: Path) -> Accuracy:
    """Read and check an accuracy.toml (UseError with file and key)."""
    try:
        file = _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UseError(f"{path}: cannot be read ({error}); restore the file of the package") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise UseError(f"{path}: {where}: {first['msg']}; mend that key") from None
    for name, spec in file.functions.items():
        if [r.full for r in spec.ranges] != sorted({r.full for r in spec.ranges}):
            raise UseError(f"{path}: functions.{name}.ranges: full scales must rise; sort them")
    return Accuracy(file.model, file.functions, file.fit)
