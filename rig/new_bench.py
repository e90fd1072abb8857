"""A bench file written by asking. Asks through a function, reads no terminal: rig/cli/bench_new.py does.

Every table is checked as soon as its answers are there, by the very reader of bench files, and asked again with its
words where it is wrong. The keys a driver has besides stand in the file as comments with their usual values.
"""

from __future__ import annotations

import tempfile
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from pydantic_core import PydanticUndefined

from rig.bench_config import EMULATED, PARTS, ROLE_OF_PART, PartName
from rig.can.interfaces import NAMES
from rig.discover import Discovered
from rig.drivers import Registry
from rig.errors import BenchConfigError
from rig.open_bench import read_bench_file
from rig.toml_text import toml_table, toml_value

NEEDED: tuple[PartName, ...] = ("charger", "vehicle", "battery")
NONE = "none"
ORDER: tuple[PartName, ...] = (*NEEDED, *(name for name in PARTS if name not in NEEDED))
LEGS = {"house_l1": "0", "house_l2": "1"}
_HIDDEN = {"misreads", "defects"}
"""Keys for an emulator only."""


class Ask(Protocol):
    """question: its words. default: what an empty answer means. offers: what may be answered; open_ended: anything else
    may too."""

    def __call__(self, question: str, default: str, offers: Sequence[str] = (), open_ended: bool = True) -> str: ...


class NewBench:
    """One file under way. say: shows a line. profiles, vehicles: names that are known."""

    def __init__(
        self,
        registry: Registry,
        found: Discovered,
        ask: Ask,
        say: Callable[[str], None],
        profiles: Sequence[str],
        vehicles: Sequence[str],
    ) -> None:
        self._registry, self._found, self._ask, self._say = registry, found, ask, say
        self._profiles, self._vehicles = profiles, vehicles
        self._tables: dict[str, dict[str, object]] = {}

    def write(self, path: Path) -> str:
        """Ask everything; the text of the file. BenchConfigError when the whole does not fit together."""
        name = self._ask("name of the bench", path.stem)
        device = self._ask("device profile", "leaf-to-home-6kw", self._profiles)
        self._tables["bench"] = {"name": name, "profile": device, "clock": "virtual"}
        self._tables["can"] = {"interface": "virtual"}
        self._tables["car"] = {"profile": self._ask("car the rig plays", "leaf-24kwh", self._vehicles)}
        for part in ORDER:
            self._until_right(part, lambda part=part: self._part(part))  # type: ignore[misc]
        real = [one for one in self._parts() if self._tables[one]["resource"] != EMULATED]
        if real:
            self._tables["bench"]["clock"] = "real"
            self._until_right("can", self._can)
        else:
            self._tables["room"] = {"on_before": "2 h"}
        text = self._text()
        self._check(text)
        return text

    def _part(self, part: PartName) -> Mapping[str, object] | None:
        drivers = [key for key, one in self._registry.items() if one.role == ROLE_OF_PART[part]]  # the usual one first
        choices = drivers if part in NEEDED else [*drivers, NONE]
        driver = self._ask(f"[{part}] driver", drivers[0] if part in NEEDED else NONE, choices, open_ended=False)
        if driver == NONE:
            return None
        keys: dict[str, object] = {"driver": driver, "resource": self._resource(part, driver)}
        model = self._registry[driver].options
        for key, field in model.model_fields.items():
            if field.is_required():
                keys[key] = _value(self._ask(f"[{part}] {key}", LEGS.get(part, "")))
        if keys["resource"] != EMULATED:
            for key, question in (
                ("serial", "serial number it must answer, empty for any"),
                ("certificate", "number of its calibration certificate, empty for none"),
                ("calibrated_until", "calibrated until, as 2027-03-31, empty where nobody says"),
            ):
                if answer := self._ask(f"[{part}] {question}", ""):
                    keys[key] = _value(answer) if key == "calibrated_until" else answer
        return keys

    def _resource(self, part: PartName, driver: str) -> str:
        lines = self._registry[driver].transport == "lines"
        ports = [port if lines else f"ASRL{port}::INSTR" for port in self._found.serial]
        offers = [EMULATED, *(ports if lines else [*self._found.visa, *ports])]
        if self._registry[driver].transport == "prompts":
            offers = [EMULATED, "terminal", "console"]
        return self._ask(f"[{part}] resource", EMULATED, offers)

    def _can(self) -> Mapping[str, object]:
        found = self._found.can
        interface = self._ask("[can] interface", found[0][0] if found else "socketcan", sorted(NAMES), open_ended=False)
        channels = [channel for kind, channel in found if kind == interface]
        return {
            "interface": interface,
            "channel": self._ask("[can] channel", channels[0] if channels else "", channels),
        }

    def _until_right(self, table: str, ask: Callable[[], Mapping[str, object] | None]) -> None:
        while True:
            keys = ask()
            self._tables.pop(table, None)
            if keys is None:
                return
            self._tables[table] = dict(keys)
            try:
                self._check(self._text())
            except BenchConfigError as error:
                wrong = [one.partition(": ")[2] for one in error.problems if f": [{table}]" in one]
                wrong = [one for one in wrong if "a bench needs" not in one]  # not asked yet
                if not wrong:
                    return
                for line in wrong:
                    self._say(line)
                continue
            return

    def _check(self, text: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "bench.toml"
            path.write_text(text, encoding="utf-8")
            try:
                read_bench_file(path, self._registry)
            except BenchConfigError as error:
                raise BenchConfigError([one.replace(f"{folder}/", "") for one in error.problems]) from None

    def _parts(self) -> list[PartName]:
        return [name for name in ORDER if name in self._tables]

    def _text(self) -> str:
        names = [name for name in ("bench", "can", "car", "room") if name in self._tables]
        blocks = ["# A bench (docs/bench-files.md). `v2hrig bench check` opens it and drills its safe state.\n"]
        blocks += [toml_table(name, self._tables[name]) for name in names]
        for part in self._parts():
            keys = self._tables[part]
            text = toml_table(part, keys)
            if driver := self._registry.get(str(keys["driver"])):
                text += "".join(_usual(driver.options.model_fields, keys))
            blocks.append(text)
        return "\n".join(blocks)


def _usual(fields: Mapping[str, object], keys: Mapping[str, object]) -> list[str]:
    """The other keys of a driver, as comments."""
    lines = []
    for key, field in fields.items():
        usual = getattr(field, "default", PydanticUndefined)
        if key not in keys and key not in _HIDDEN and isinstance(usual, bool | int | float | str) and usual != "":
            lines.append(f"# {key} = {toml_value(usual)}\n")
    return lines


def _value(answer: str) -> object:
    """An answer as TOML would read it; what is no TOML is a text."""
    try:
        return tomllib.loads(f"x = {answer}")["x"]
    except tomllib.TOMLDecodeError:
        return answer
