"""A bench file: which instrument serves which role, and where it is. Checked whole before anything is opened.

One table a part; `resource = "emulated"` puts the emulator of that driver in its place. Keys a part does not share
with the others belong to its driver and are checked by the driver's own options model.
"""

from __future__ import annotations

import difflib
import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rig.can.interfaces import NAMES, interface
from rig.errors import BenchConfigError
from rig.fmu.description import is_fmu
from rig.metrology.calibration import Correction
from rig.quantity import Celsius, Kelvins, Seconds
from rig.safety.settings import SafetyTable

Model = TypeVar("Model", bound=BaseModel)

PartName = Literal[
    "house_l1",
    "house_l2",
    "grid",
    "battery",
    "analyzer",
    "digitizer",
    "digitizer2",
    "thermometer",
    "digital_io",
    "vehicle",
    "charger",
]
"""digitizer2: a second one, on channels of its own or on another time base."""
PARTS: tuple[PartName, ...] = get_args(PartName)
TABLES = ("bench", "can", "car", "room", "safety")
"""Of the bench as a whole."""
EMULATED = "emulated"
OF_THE_EMULATOR = frozenset({"emulator", "step"})
"""Keys of who stands in an emulated part's place; they mean nothing where it is real, or a record answers."""
CONTACTS = "digital_io"
"""The resource of what is reached through the contacts of the bench's own board."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BenchTable(_Table):
    """[bench] lease: folder that every host of this bench sees, for its leases; empty: one of this host.
    overdue_allowed: parts whose calibration may be overdue; of all others it makes every verdict INVALID. replay:
    folder of a record that answers in every part's place, from the file's own folder if relative; empty: none."""

    name: str
    profile: str
    clock: Literal["virtual", "real"] = "virtual"
    check_calibration: bool = True
    overdue_allowed: tuple[PartName, ...] = ()
    lease: str = Field("", pattern=r"^(/.*)?$")
    replay: str = ""


class CanTable(_Table):
    """[can] interface: "virtual" (in virtual time) or any python-can interface. options: the other keys, those of the
    interface (rig/can/interfaces.py)."""

    interface: str = "virtual"
    channel: str = ""
    bitrate: int = Field(500_000, gt=0)
    options: Mapping[str, object] = {}


class CarTable(_Table):
    """[car] profile: the vehicle the rig plays, a file or the name of one in fixtures/vehicles. pack_period: s between
    two steps of the imitated battery."""

    profile: str = "leaf-24kwh"
    pack_period: Seconds = Field(1.0, gt=0.0)


class RoomTable(_Table):
    """[room] What is stated where no instrument measures it. ambient: degC, and ambient_u, its standard uncertainty,
    K; source: who says so. on_before: s for which every instrument had been on when the run began."""

    ambient: Celsius | None = Field(None, ge=-40.0, le=70.0)
    ambient_u: Kelvins = Field(1.0, gt=0.0)
    source: str = "the bench file"
    on_before: Seconds = Field(0.0, ge=0.0)


class FaultTable(_Table):
    """One entry of `faults`: an emulated instrument is to fail, for drills and tests of the rig. at: s of bench time.
    when: only exchanges whose line holds this text; times: so many of them. fault: as rig.visa.faults."""

    fault: Literal[
        "silence", "mute", "late", "garbage", "nonsense", "empty", "half", "nan", "overload", "stranger",
        "full", "slow", "dropped", "unplugged",
    ]  # fmt: skip
    at: Seconds = Field(0.0, ge=0.0)
    times: int = Field(1, ge=1)
    when: str = ""


class PaperTable(_Table):
    """What a part's papers say. certificate: number of its calibration. calibrated: day it was made, calibrated_until:
    when the next is due. corrections: rows of that certificate. serial, firmware: what the instrument must answer;
    empty: anything."""

    certificate: str = ""
    calibrated: date | None = None
    calibrated_until: date | None = None
    serial: str = ""
    firmware: str = ""
    corrections: tuple[Correction, ...] = ()


PAPERS = frozenset(PaperTable.model_fields)
NO_PAPERS = PaperTable()


@dataclass(frozen=True, slots=True)
class PartConfig:
    """One part. options: the keys of its own driver, not yet checked by it when the file is only read. faults: how its
    emulator is to fail. papers: of its calibration, and who it must be."""

    name: PartName
    driver: str
    resource: str
    calibrated_until: date | None
    options: Mapping[str, object]
    faults: tuple[FaultTable, ...] = ()
    papers: PaperTable = NO_PAPERS

    @property
    def emulated(self) -> bool:
        """Whether the emulator stands in this part's place."""
        return self.resource == EMULATED

    @property
    def session_resource(self) -> str:
        """The resource name to open: an emulated part has one of its own."""
        return f"EMU::{self.name}::INSTR" if self.emulated else self.resource


NO_WISHES = SafetyTable.model_validate({})


@dataclass(frozen=True, slots=True)
class BenchConfig:
    """A whole bench file, checked. digest: of the file's bytes."""

    file: str
    bench: BenchTable
    can: CanTable
    car: CarTable
    parts: Mapping[PartName, PartConfig]
    digest: str
    room: RoomTable
    safety: SafetyTable = NO_WISHES

    @property
    def kind(self) -> Literal["hardware", "emulated", "mixed"]:
        """What the results of this bench may be called."""
        emulated = {part.emulated for part in self.parts.values()}
        return "mixed" if len(emulated) == 2 else "emulated" if True in emulated else "hardware"


def read_bench(path: Path, known: Mapping[str, type[BaseModel]], roles: Mapping[str, str]) -> BenchConfig:
    """Read and check a bench file; every problem at once (BenchConfigError).

    known: driver name -> its options model. roles: driver name -> the role it serves ("load" for house_l1 ...).
    """
    return _Reader(path, known, roles).read()


ROLE_OF_PART: Mapping[PartName, str] = {
    "house_l1": "load",
    "house_l2": "load",
    "grid": "grid",
    "battery": "dc_source",
    "analyzer": "analyzer",
    "digitizer": "digitizer",
    "digitizer2": "digitizer",
    "thermometer": "thermometer",
    "digital_io": "digital_io",
    "vehicle": "vehicle",
    "charger": "charger",
}


class _Reader:
    """Reads one file and collects its problems."""

    def __init__(self, path: Path, known: Mapping[str, type[BaseModel]], roles: Mapping[str, str]) -> None:
        self._path, self._known, self._roles = path, known, roles
        self._problems: list[str] = []
        self._text = ""

    def read(self) -> BenchConfig:
        tables = self._load()
        bench = self._table(tables, "bench", BenchTable)
        if bench is not None and bench.replay:
            bench = bench.model_copy(update={"replay": str((self._path.parent / bench.replay).resolve())})
        can = self._can(tables)
        car = self._table(tables, "car", CarTable)
        room = self._table(tables, "room", RoomTable)
        safety = self._table(tables, "safety", SafetyTable)
        parts = {name: part for name in PARTS if (part := self._part(tables, name)) is not None}
        for name in tables.keys() - {*TABLES, *PARTS}:
            self._say(name, None, f"unknown table{_hint(name, [*TABLES, *PARTS])}; remove or rename it")
        self._check_together(bench, can, parts)
        if self._problems or bench is None or can is None or car is None or room is None or safety is None:
            raise BenchConfigError(sorted(self._problems, key=_line_of))
        return BenchConfig(self._path.name, bench, can, car, parts, _digest(self._text), room, safety)

    def _load(self) -> dict[str, object]:
        try:
            self._text = self._path.read_text(encoding="utf-8")
            return tomllib.loads(self._text)
        except FileNotFoundError:
            raise BenchConfigError(
                [f"{self._path}: no such bench file; name a file or a bench of fixtures/benches"]
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            raise BenchConfigError([f"{self._path}: cannot be read ({error}); give a UTF-8 TOML file"]) from None
        except tomllib.TOMLDecodeError as error:
            raise BenchConfigError([f"{self._path}: not TOML: {error}; mend that line"]) from None

    def _table(self, tables: Mapping[str, object], name: str, model: type[Model]) -> Model | None:
        raw = tables.get(name, {})
        if not isinstance(raw, dict):
            self._say(name, None, f"must be a table: write [{name}]")
            return None
        return self._validated(name, raw, model)

    def _validated(self, table: str, raw: Mapping[str, object], model: type[Model]) -> Model | None:
        try:
            return model.model_validate(raw)
        except ValidationError as error:
            for problem in error.errors(include_url=False):
                self._explain(table, model, problem["loc"], problem["type"], problem["msg"])
            return None

    def _explain(self, table: str, model: type[BaseModel], loc: tuple[int | str, ...], kind: str, words: str) -> None:
        key = str(loc[0]) if loc else ""
        inner = "".join(f".{part}" for part in loc[1:])
        if kind == "missing":
            field = f"{key}{inner}"
            self._say(table, None, f"key {field!r} is missing; add {field} = ...")
        elif kind == "extra_forbidden":
            self._say(table, key, f"unknown key{_hint(key, list(model.model_fields))}; remove or rename it")
        else:
            self._say(table, key, f"{inner.lstrip('.') + ': ' if inner else ''}{words.removeprefix('Value error, ')}")

    def _can(self, tables: Mapping[str, object]) -> CanTable | None:
        """[can]: the keys every interface has, and those of the one it names."""
        raw = tables.get("can", {})
        if not isinstance(raw, dict):
            self._say("can", None, "must be a table: write [can]")
            return None
        own = {key: value for key, value in raw.items() if key in ("interface", "channel", "bitrate")}
        others = {key: value for key, value in raw.items() if key not in own}
        can = self._validated("can", own, CanTable)
        if can is None:
            return None
        if can.interface not in NAMES:
            self._say("can", "interface", f"unknown interface {can.interface!r}{_hint(can.interface, sorted(NAMES))}; "
                      f"python-can knows {', '.join(sorted(NAMES))}")  # fmt: skip
            return None
        does = interface(can.interface)
        if does.channel and not can.channel:
            self._say("can", None, f"key 'channel' is missing; {can.interface} needs {does.channel}")
        if does.keys is None:
            return can.model_copy(update={"options": others})
        options = self._validated("can", others, does.keys)
        return can if options is None else can.model_copy(update={"options": options.model_dump()})

    def _part(self, tables: Mapping[str, object], name: PartName) -> PartConfig | None:
        raw = tables.get(name)
        if raw is None:
            return None
        if not isinstance(raw, dict):
            self._say(name, None, f"must be a table: write [{name}]")
            return None
        before = len(self._problems)
        driver = self._text_key(name, raw, "driver", "a name of the driver list")
        resource = self._text_key(name, raw, "resource", 'a VISA or serial resource, or "emulated"')
        papers = self._papers(name, raw)
        faults = self._faults(name, raw.get("faults", []), resource)
        options = {k: v for k, v in raw.items() if k not in {"driver", "resource", "faults", *PAPERS}}
        if isinstance(fmu := options.get("emulator"), str) and is_fmu(fmu):
            options["emulator"] = str((self._path.parent / fmu).resolve())
        if driver is not None and driver not in self._known:
            self._say(
                name,
                "driver",
                f"unknown driver {driver!r}{_hint(driver, list(self._known))}; known: {', '.join(sorted(self._known))}",
            )
        elif driver is not None:
            if self._roles[driver] != ROLE_OF_PART[name]:
                self._say(
                    name,
                    "driver",
                    f"{driver!r} serves as {self._roles[driver]}, not as {ROLE_OF_PART[name]}; choose another driver",
                )
            self._validated(name, options, self._known[driver])
        if len(self._problems) > before or driver is None or resource is None or papers is None:
            return None
        return PartConfig(name, driver, resource, papers.calibrated_until, options, faults, papers)

    def _papers(self, name: PartName, raw: Mapping[str, object]) -> PaperTable | None:
        """Dates are TOML dates: one in quotes, or with a time, is none."""
        before = len(self._problems)
        for key in ("calibrated", "calibrated_until"):
            day = raw.get(key)
            if day is not None and type(day) is not date:
                self._say(name, key, f"{day!r} is no date; write it as 2027-03-31, without quotes")
        if len(self._problems) > before:
            return None
        papers = self._validated(name, {key: value for key, value in raw.items() if key in PAPERS}, PaperTable)
        if papers and papers.calibrated and papers.calibrated_until and papers.calibrated_until < papers.calibrated:
            self._say(name, "calibrated_until", "lies before the day of the calibration; mend one of the two")
        return papers

    def _faults(self, name: PartName, raw: object, resource: str | None) -> tuple[FaultTable, ...]:
        if not isinstance(raw, list) or not all(isinstance(one, dict) for one in raw):
            self._say(name, "faults", 'must be a list of tables; write faults = [{ fault = "silence", at = "10 s" }]')
            return ()
        if raw and resource != EMULATED:
            self._say(name, "faults", "only an emulated part can be told to fail; remove it")
            return ()
        read = [self._validated(name, one, FaultTable) for one in raw]
        return tuple(one for one in read if one is not None)

    def _text_key(self, table: str, raw: Mapping[str, object], key: str, what: str) -> str | None:
        value = raw.get(key)
        if value is None:
            self._say(table, None, f"key {key!r} is missing; add {key} = {what}")
        elif not isinstance(value, str) or not value:
            self._say(table, key, f"{value!r} is no text; write {what}")
        else:
            return value
        return None

    def _check_together(
        self, bench: BenchTable | None, can: CanTable | None, parts: Mapping[PartName, PartConfig]
    ) -> None:
        used: dict[str, str] = {}
        for part in parts.values():
            if part.emulated:
                continue
            if part.resource in used:
                self._say(
                    part.name,
                    "resource",
                    f"{part.resource!r} is used twice, also by [{used[part.resource]}]; give each part its own",
                )
            used.setdefault(part.resource, part.name)
        for number in () if bench is None else bench.overdue_allowed:
            if number not in parts:
                self._say("bench", "overdue_allowed", f"names {number!r}, which this bench does not have; remove it")
        if bench is None or can is None:
            return
        if "charger" not in parts or "vehicle" not in parts or "battery" not in parts:
            missing = [n for n in ("charger", "vehicle", "battery") if n not in parts]
            if not any(p.startswith(f"{self._path}: [{n}]") or f"[{n}]" in p for n in missing for p in self._problems):
                self._say(missing[0], None, f"a bench needs [charger], [vehicle] and [battery]; add [{missing[0]}]")
        real = sorted(p.name for p in parts.values() if not p.emulated)
        if bench.clock == "virtual" and real:
            self._say(
                "bench", "clock", f'virtual time cannot move real parts ({", ".join(real)}); write clock = "real"'
            )
        if bench.replay and (real or bench.clock != "virtual" or any(one.faults for one in parts.values())):
            words = 'a record answers in virtual time, for every part; write clock = "virtual", resource = "emulated"'
            self._say("bench", "replay", f"{words}, and no faults")
        if (can.interface == "virtual") != (bench.clock == "virtual"):
            self._say(
                "can",
                "interface",
                f'{can.interface!r} does not go with clock = "{bench.clock}"; use "virtual" with virtual time only',
            )

    def _say(self, table: str, key: str | None, words: str) -> None:
        line = _find_line(self._text, table, key)
        where = f"[{table}] {key}" if key else f"[{table}]"
        self._problems.append(f"{self._path}:{line}: {where}: {words}")


def _find_line(text: str, table: str, key: str | None) -> int:
    """Line of a key in its table, of the table's head without a key; 1 where neither stands."""
    inside, head = False, 1
    for number, line in enumerate(text.splitlines(), 1):
        if match := re.match(r"\s*\[\s*([^\]]+?)\s*\]", line):
            inside = match[1] == table or match[1].startswith(f"{table}.")
            head = number if match[1] == table else head
        elif inside and key and re.match(rf"\s*\"?{re.escape(key)}\"?\s*[.=]", line):
            return number
    return head


def _line_of(problem: str) -> int:
    match = re.search(r":(\d+): ", problem)
    return int(match[1]) if match else 0


def _hint(word: str, known: list[str]) -> str:
    near = difflib.get_close_matches(word, known, 1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
