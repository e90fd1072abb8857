"""A vehicle file: one model of car, its protocol figures and its pack, each with a source. Checked whole, all at once.

[vehicle]   name (the file's own), title
[figures]   one line a figure of rig.chademo.vehicle_profile: { value = "410 V", source = "..." }; a bare number is in
            the figure's own unit; figures that hold for every car may be left out
[[frame]]   a frame sent after 0x200 whose bytes never change: id, data, source, lead (cycles before the others)
[pack]      title, ocv = [[soc, V], ...] with ocv_source, and figures: capacity Ah, r0 r1 r2 ohm, tau1 tau2 s
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path

from rig.chademo.messages import VEHICLE_IDS
from rig.chademo.vehicle_profile import LEAF_ZE0_24KWH, Figure, FixedFrame, VehicleProfile
from rig.chademo.vehicle_state import EV_FRAMES
from rig.errors import BenchConfigError
from rig.plant.battery import LEAF_24KWH, SECONDS_PER_HOUR, OcvCurve, PackParams
from rig.profile import read_toml
from rig.quantity import parse_quantity

MOST_FRAMES = 5
"""Besides the four of every car: nine frames at 10 ms fit into a cycle of 100 ms with its spacing (chademo.md 0)."""
LONGEST_LEAD = 50
"""Cycles (project choice: 5 s, below the 8 s a charger waits for permission, chademo.md 2 step 3)."""
SHORTEST_SOURCE = 5
"""Characters; less names nothing (project choice)."""
PACK_UNITS: Mapping[str, str] = {"capacity": "Ah", "r0": "ohm", "r1": "ohm", "tau1": "s", "r2": "ohm", "tau2": "s"}

FITS: Mapping[str, float] = {
    "protocol_number": 255.0, "charge_current": 255.0, "discharge_limit": 255.0, "min_charge_current": 255.0,
    "max_charging_time": 255.0, "min_discharge_level": 1.0, "max_charge_level": 1.0, "capacity": 6553.5,
    "target_voltage": 1200.0, "max_battery_voltage": 1200.0, "min_battery_voltage": 1200.0,
    "min_discharge_voltage": 1200.0,
}  # fmt: skip
"""Most of a figure in its own unit, the least is 0 (chademo.md 1): a frame could not say it."""


@dataclass(frozen=True, slots=True)
class VehicleModel:
    """What a car is: how it speaks and what it stores. name: as a bench file says it."""

    name: str
    profile: VehicleProfile
    pack: PackParams


LEAF = VehicleModel("leaf-24kwh", LEAF_ZE0_24KWH, LEAF_24KWH)
"""The car of log A, as it stands in the code: the reference its file is held against."""


def read_vehicle(path: Path) -> VehicleModel:
    """Read and check a vehicle file. BenchConfigError names every problem, one line each."""
    return _Reader(path, read_toml(path, "vehicle")).read()


class _Reader:
    """Reads one file and collects its problems."""

    def __init__(self, path: Path, tables: Mapping[str, object]) -> None:
        self._path, self._tables = path, tables
        self._problems: list[str] = []

    def read(self) -> VehicleModel:
        for name in sorted(self._tables.keys() - {"vehicle", "figures", "frame", "pack"}):
            self._say(name, "unknown table; there are [vehicle], [figures], [[frame]] and [pack]")
        head = self._table("vehicle", ("name", "title"))
        name, title = self._text("vehicle", head, "name"), self._text("vehicle", head, "title")
        if name and name != self._path.stem:
            self._say("vehicle.name", f"{name!r} is not the file's name; write {self._path.stem!r}")
        figures, frames, pack = self._figures(), self._frames(), self._pack()
        self._check_together(figures)
        if self._problems:
            raise BenchConfigError(self._problems)
        assert pack is not None
        return VehicleModel(name, VehicleProfile(name=title, frames=frames, **figures), pack)

    # -- figures

    def _figures(self) -> dict[str, Figure]:
        raw = self._table("figures", ())
        known = {one.name: one for one in fields(VehicleProfile) if one.name not in ("name", "frames")}
        for name in raw.keys() - known.keys():
            self._say(f"figures.{name}", "no such figure; look at rig/chademo/vehicle_profile.py for their names")
        found: dict[str, Figure] = {}
        for name, field in known.items():
            if name in raw:
                unit = getattr(LEAF_ZE0_24KWH, name).unit
                figure = self._figure(f"figures.{name}", raw[name], unit)
                if figure is not None:
                    found[name] = figure
            elif field.default is MISSING:
                self._say(f"figures.{name}", f'is missing; add {name} = {{ value = ..., source = "..." }}')
        return found

    def _figure(self, where: str, raw: object, unit: str) -> Figure | None:
        if not isinstance(raw, dict) or set(raw) != {"value", "source"}:
            self._say(where, 'must have value and source and nothing else; write { value = ..., source = "..." }')
            return None
        source = raw["source"]
        if not isinstance(source, str) or len(source.strip()) < SHORTEST_SOURCE:
            self._say(where, "its source names nothing; say where the figure comes from")
            return None
        try:
            return Figure(_number(raw["value"], unit), unit, source)
        except ValueError as error:
            self._say(where, str(error))
            return None

    def _check_together(self, figures: Mapping[str, Figure]) -> None:
        def value(name: str) -> float:
            figure = figures.get(name) or getattr(LEAF_ZE0_24KWH, name)
            assert isinstance(figure, Figure)
            return figure.value

        for low, high in (
            ("target_voltage", "max_battery_voltage"),
            ("charge_end_voltage", "target_voltage"),
            ("charge_end_voltage", "overvoltage"),
            ("undervoltage", "charge_end_voltage"),
            ("min_discharge_voltage", "target_voltage"),
            ("min_discharge_level", "max_charge_level"),
        ):
            if low in figures and high in figures and value(low) > value(high):
                self._say(f"figures.{low}", f"{value(low):g} is above {high} = {value(high):g}; mend one of them")
        for name, most in FITS.items():
            if name in figures and not 0.0 <= value(name) <= most:
                self._say(f"figures.{name}", f"{value(name):g} does not fit its frame; it must lie in 0..{most:g}")
        if "protocol_number" in figures and value("protocol_number") % 1:
            self._say(
                "figures.protocol_number", f"{value('protocol_number'):g} is no whole number; 102.0 counts in ones"
            )
        count = value("capacity") * 10.0 * value("max_charge_level")
        if value("level_in_energy") and "capacity" in figures and count > 254.0:
            self._say("figures.level_in_energy", f"200.7 would be {count:g} counts of 0.1 kWh; its byte ends at 254")

    # -- frames

    def _frames(self) -> tuple[FixedFrame, ...]:
        raw = self._tables.get("frame", [])
        if not isinstance(raw, list):
            self._say("frame", "must be a list of tables; write [[frame]]")
            return ()
        if len(raw) > MOST_FRAMES:
            self._say(
                "frame", f"{len(raw)} frames do not fit into a cycle; {MOST_FRAMES} besides 100, 101, 102 and 200 do"
            )
        found = [one for n, table in enumerate(raw, 1) if (one := self._frame(f"frame {n}", table)) is not None]
        ids = [one.id for one in found]
        for twice in sorted({id for id in ids if ids.count(id) > 1}):
            self._say("frame", f"0x{twice:03X} is there twice; keep one")
        return tuple(found)

    def _frame(self, where: str, raw: object) -> FixedFrame | None:
        if not isinstance(raw, dict) or not {"id", "data", "source"} <= set(raw) <= {"id", "data", "source", "lead"}:
            self._say(where, "needs id, data and source, and may have lead; nothing else")
            return None
        id, data, source, lead = raw["id"], raw["data"], raw["source"], raw.get("lead", 0)
        before = len(self._problems)
        if type(id) is not int or id not in VEHICLE_IDS or id in EV_FRAMES:
            known = ", ".join(f"0x{one:03X}" for one in sorted(VEHICLE_IDS - set(EV_FRAMES)))
            self._say(where, f"id {id!r} is none a car may add; use one of {known}")
        if type(lead) is not int or not 0 <= lead <= LONGEST_LEAD:
            self._say(where, f"lead {lead!r} must be a whole number of cycles, 0..{LONGEST_LEAD}")
        if not isinstance(source, str) or len(source.strip()) < SHORTEST_SOURCE:
            self._say(where, "its source names nothing; say where the bytes come from")
        payload = _payload(data)
        if payload is None:
            self._say(where, f'data {data!r} must be 8 bytes in hex; write "01 00 00 00 00 00 00 00"')
        return None if len(self._problems) > before or payload is None else FixedFrame(id, payload, source, lead)

    # -- pack

    def _pack(self) -> PackParams | None:
        raw = self._table("pack", ("title", "ocv", "ocv_source", *PACK_UNITS))
        title = self._text("pack", raw, "title")
        self._text("pack", raw, "ocv_source")
        values = {
            name: figure
            for name, unit in PACK_UNITS.items()
            if name in raw and (figure := self._figure(f"pack.{name}", raw[name], unit)) is not None
        }
        for name, figure in values.items():
            if not figure.value > 0:
                self._say(f"pack.{name}", f"{figure.value:g} {figure.unit} must be above 0")
        for name in PACK_UNITS.keys() - raw.keys():
            self._say(f"pack.{name}", f'is missing; add {name} = {{ value = ..., source = "..." }}')
        curve = self._curve(raw.get("ocv"))
        if curve is None or values.keys() != PACK_UNITS.keys():
            return None
        return PackParams(
            name=title,
            capacity=values["capacity"].value * SECONDS_PER_HOUR,
            curve=curve,
            r0=values["r0"].value,
            r1=values["r1"].value,
            tau1=values["tau1"].value,
            r2=values["r2"].value,
            tau2=values["tau2"].value,
            source=str(raw.get("ocv_source", "")),
        )

    def _curve(self, raw: object) -> OcvCurve | None:
        pairs = raw if isinstance(raw, list) else []
        numbers = [
            (float(one[0]), float(one[1]))
            for one in pairs
            if isinstance(one, list) and len(one) == 2 and all(type(x) in (int, float) for x in one)
        ]
        if not pairs or len(numbers) != len(pairs):
            self._say("pack.ocv", "must be points [soc, V]; write ocv = [[0.0, 300.0], [0.5, 360.0], [1.0, 400.0]]")
            return None
        if numbers[0][0] != 0.0 or numbers[-1][0] != 1.0:
            self._say("pack.ocv", "must begin at soc 0.0 and end at soc 1.0")
            return None
        try:
            return OcvCurve(tuple(numbers))
        except ValueError as error:
            self._say("pack.ocv", str(error))
            return None

    # -- words

    def _table(self, name: str, keys: tuple[str, ...]) -> dict[str, object]:
        raw = self._tables.get(name)
        if not isinstance(raw, dict):
            self._say(name, f"must be a table; write [{name}]")
            return {}
        for key in sorted(raw.keys() - set(keys)) if keys else ():
            self._say(f"{name}.{key}", f"unknown key; there are {', '.join(keys)}")
        return raw

    def _text(self, table: str, raw: Mapping[str, object], key: str) -> str:
        value = raw.get(key)
        if isinstance(value, str) and value.strip():
            return value
        if table in self._tables:
            self._say(f"{table}.{key}", f'must be a text; write {key} = "..."')
        return ""

    def _say(self, where: str, words: str) -> None:
        self._problems.append(f"{self._path}: {where}: {words}")


def _number(value: object, unit: str) -> float:
    """A number in a figure's own unit, bare or with the unit behind it. ValueError says how to write it."""
    if isinstance(value, str) and unit not in ("1", "V", "A", "s", "ohm"):
        text, _, written = value.strip().partition(" ")
        if written.strip() != unit:
            raise ValueError(f'{value!r} is no quantity in {unit}: write a number or a text like "1.5 {unit}"')
        try:
            return float(text)
        except ValueError:
            raise ValueError(f"{value!r}: {text!r} is no number; write it in {unit}") from None
    return parse_quantity(value, unit)


def _payload(value: object) -> bytes | None:
    try:
        data = bytes.fromhex(value) if isinstance(value, str) else b""
    except ValueError:
        return None
    return data if len(data) == 8 else None
