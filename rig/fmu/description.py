"""What an FMU says of itself, checked against the interface before any of its code is loaded.

Read when the bench file is, so that everything an FMU lacks is told with file, line and key; one problem a line is
enough there, so several of one kind are named together.
"""

from __future__ import annotations

import difflib
import importlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal
from zipfile import ZipFile

from rig.fmu import archive
from rig.fmu.variables import PREFIXES, SAID_ALWAYS, VARIABLES, VERSION_NAME, Kind, Variable, frames_of
from rig.own_charger import INTERFACE

SUFFIX = ".fmu"
SHORTEST, LONGEST = 0.000_1, 0.1
"""s of a communication step: below, a run does not end; above, a frame's period is over (project choice)."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A variable of the interface that an FMU has. items: words of an enumeration by number, where a word is one."""

    number: int
    kind: Kind | Literal["Enumeration"]
    items: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Description:
    """An FMU that can serve. step: s, of its default experiment; fixed: it can do no other. digest: of the file."""

    path: Path
    digest: str
    name: str
    version: str
    guid: str
    identifier: str
    step: float | None
    fixed: bool
    variables: Mapping[str, Reference]

    def step_of(self, wanted: float | None) -> float:
        """s of a communication step. wanted: of the bench file. ValueError for one the FMU cannot do."""
        step = self.step if wanted is None else wanted
        if step is None:
            raise ValueError(f'{self.path.name}: has no stepSize in its DefaultExperiment; add step = "10 ms"')
        if not SHORTEST <= step <= LONGEST:
            raise ValueError(
                f"{self.path.name}: a step of {step:g} s is outside {SHORTEST:g} to {LONGEST:g} s; give another"
            )
        if self.fixed and self.step is not None and step != self.step:
            raise ValueError(f"{self.path.name}: can only be stepped by its own {self.step:g} s; remove step")
        return step


def is_fmu(emulator: str) -> bool:
    """Whether `emulator` of a bench file names an FMU, not a class."""
    return emulator.lower().endswith(SUFFIX)


def read_fmu(path: Path) -> Description:
    """The checked description. ValueError, in one line, for an FMU that cannot serve."""
    try:
        found = path.stat()
        return _read(path, found.st_mtime_ns, found.st_size)
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file; mend the path, which begins at the bench file's folder") from None
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror}); mend its permissions") from None
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from None


def fmpy_module(name: str = "fmpy") -> Any:
    """fmpy, or a module of it. ValueError where the extra is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ValueError(f"needs fmpy ({error}); install it: pip install 'v2hrig[fmu]'") from None


@lru_cache(maxsize=16)
def _read(path: Path, _written: int, _size: int) -> Description:
    """As often as a bench file's options are looked at, an unchanged FMU is read once."""
    fmpy = fmpy_module()
    with archive.opened(path) as zipped:
        text, names = archive.description_text(zipped), set(zipped.namelist())
    model = _parsed(text)
    if model.fmiVersion != "2.0":
        raise ValueError(f"is FMI {model.fmiVersion}, this rig steps FMI 2.0; export it as that")
    if model.coSimulation is None:
        raise ValueError("has no co-simulation, only model exchange; export it with its solver")
    identifier = str(model.coSimulation.modelIdentifier)
    binary = f"binaries/{fmpy.platform}/{identifier}{fmpy.sharedLibraryExtension}"
    if binary not in names:
        have = sorted({one.split("/")[1] for one in names if one.startswith("binaries/") and one.count("/") > 1})
        raise ValueError(f"has no {binary} (it has: {', '.join(have) or 'no binary'}); build it for {fmpy.platform}")
    variables = _checked({one.name: one for one in model.modelVariables})
    experiment = model.defaultExperiment
    step = None if experiment is None or experiment.stepSize is None else _seconds(experiment.stepSize)
    fixed = str(model.coSimulation.canHandleVariableCommunicationStepSize).lower() not in ("true", "1")
    about = str(model.modelName), str(model.version or ""), str(model.guid)
    return Description(path, archive.digest(path), *about, identifier, step, fixed, variables)


def _parsed(text: bytes) -> Any:
    """fmpy's reading of it, against the schema of the standard. fmpy reads an archive, so it is given one."""
    packed = io.BytesIO()
    with ZipFile(packed, "w") as only:
        only.writestr(archive.DESCRIPTION, text)
    packed.seek(0)
    try:
        return fmpy_module("fmpy.model_description").read_model_description(packed)
    except Exception as error:  # noqa: BLE001 (fmpy raises plain Exceptions, lxml its own)
        words = " ".join(str(error).split())
        raise ValueError(f"{archive.DESCRIPTION} cannot be read ({words[:200]}); export the FMU anew") from None


def _seconds(text: Any) -> float:
    try:
        return float(text)
    except (TypeError, ValueError):
        raise ValueError(f"its DefaultExperiment has stepSize {text!r}, which is no number; mend it") from None


def _checked(found: Mapping[str, Any]) -> dict[str, Reference]:
    _refuse_another_interface(found.get(VERSION_NAME))
    missing = [name for name, one in VARIABLES.items() if one.must and name not in found]
    missing += [name for frame in _half_frames(found) for name in _of(frame) if name not in found]
    if missing:
        raise ValueError(f"lacks {_some(missing)}; add what docs/bring-your-charger.md names")
    strange = [name for name, one in found.items() if _is_strange(name, one)]
    if strange:
        near = difflib.get_close_matches(strange[0], VARIABLES, 1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise ValueError(f"has {_some(strange)}, which this rig does not know{hint}; rename it, or make it local")
    return {name: _reference(VARIABLES[name], one) for name, one in found.items() if name in VARIABLES}


def _refuse_another_interface(variable: Any) -> None:
    """A fixed Integer with a start value, so that it can be read without running anything."""
    start = None if variable is None or variable.type != "Integer" else variable.start
    if start is None:
        raise ValueError(f"has no Integer {VERSION_NAME!r} with a start value; add it, with start {INTERFACE}")
    if str(start) != str(INTERFACE):
        raise ValueError(f"is made for interface {start}, this rig has {INTERFACE}; see docs/bring-your-charger.md")


def _half_frames(found: Mapping[str, Any]) -> list[str]:
    """Frames the charger says in part: what is not there would be sent as 0."""
    frames = [spec.name for spec in frames_of("charger") if spec.name not in SAID_ALWAYS]
    return [frame for frame in frames if any(name in found for name in _of(frame))]


def _of(frame: str) -> list[str]:
    return [name for name, one in VARIABLES.items() if one.frame == frame]


def _is_strange(name: str, variable: Any) -> bool:
    """An input nobody would ever set, or an output that looks like one of ours and is none."""
    if name in VARIABLES:
        return False
    ours = variable.causality == "output" and name.partition(".")[0] in PREFIXES - {VERSION_NAME}
    return bool(variable.causality == "input" or ours)


def _reference(wanted: Variable, variable: Any) -> Reference:
    name, is_a, kind = wanted.name, variable.causality, str(variable.type)
    if is_a != wanted.causality:
        raise ValueError(f"{name} has causality {is_a}; make it {wanted.causality}")
    word = wanted.kind == "String" and kind == "Enumeration"
    if kind != wanted.kind and not word and (wanted.kind, kind) != ("Integer", "Enumeration"):
        raise ValueError(f"{name} is of type {kind}; make it {wanted.kind}")
    declared = variable.declaredType
    unit = variable.unit or (declared.unit if declared is not None else None)
    if unit and unit != wanted.unit:
        raise ValueError(f"{name} is in {unit!r}, the rig's is in {wanted.unit!r}; convert it")
    items = {} if declared is None else {int(one.value): str(one.name) for one in declared.items}
    if word and not items:
        raise ValueError(f"{name} is an enumeration without items; declare its words")
    return Reference(int(variable.valueReference), variable.type, items if word else {})


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:4])
    return shown if len(names) <= 4 else f"{shown} and {len(names) - 4} more"
