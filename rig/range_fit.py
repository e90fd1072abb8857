"""Do the ranges of a bench's instruments fit the device? Before a night is spent on a range that clips.

Ranges come from the drivers' ratings (their command tables) and from the options of a part; what the device needs comes
from the plate in its profile. A waveform is compared by its peak, everything else by its rms or mean.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from rig.profile import Profile
from rig.roles import Rating

OVER = 1.1
"""Times the nominal leg voltage that must still fit (project choice: EN 50160 has +10 %)."""
LOSSES = 0.85
"""Least efficiency a device is taken to have, for what its DC side may take at rated AC power (project choice)."""


def misfits(
    instruments: Mapping[Any, object], options: Mapping[Any, BaseModel], profile: Profile
) -> Iterator[tuple[str, str]]:
    """(part, one line) for each range that is too small for the device. options: of the parts, checked."""
    for name, instrument in instruments.items():
        part = str(name)
        rating = getattr(instrument, "rating", None)
        if isinstance(rating, Rating):
            for quantity, unit, has, needs in _rated(part, rating, profile):
                if has < needs:
                    yield part, _line(f"{quantity} up to {has:g} {unit}", f"{needs:.4g} {unit}", "another instrument")
        frequencies = getattr(instrument, "frequencies", None)
        if frequencies and profile.wired and not frequencies[0] <= profile.ratings.frequency <= frequencies[1]:
            low, high = frequencies
            yield part, _line(f"{low:g}..{high:g} Hz", f"{profile.ratings.frequency:g} Hz", "another instrument")
        for words in _inputs(options[name], profile):
            yield part, words


def _rated(part: str, rating: Rating, profile: Profile) -> Iterator[tuple[str, str, float, float]]:
    """Quantity, unit, what an output has, what the device needs."""
    plate = profile.ratings
    leg_current = plate.leg_power / plate.leg_voltage
    if part == "battery":
        power = min(plate.dc_voltage * plate.dc_current, plate.power / LOSSES)
        needs = plate.dc_voltage, plate.dc_current, power
    elif part == "grid":
        current = max(plate.charge_ac_current, leg_current)
        needs = OVER * plate.leg_voltage, current, current * plate.leg_voltage
    else:
        needs = OVER * plate.leg_voltage, leg_current, plate.leg_power
    yield from zip(
        ("voltage", "current", "power"),
        ("V", "A", "W"),
        (rating.voltage, rating.current, rating.power),
        needs,
        strict=True,
    )


def _inputs(options: BaseModel, profile: Profile) -> Iterator[str]:
    """Of an instrument whose inputs are wired to ports, each with ranges of its own."""
    plate = profile.ratings
    wired = getattr(options, "elements", None) or getattr(options, "channels", None)
    if not isinstance(wired, Mapping):
        return
    for number, one in wired.items():
        port = str(getattr(one, "port", ""))
        dc = port.startswith("dc")
        if not dc and not port.endswith(("_l1", "_l2")):
            continue
        volts = plate.dc_voltage if dc else OVER * plate.leg_voltage
        amperes = plate.dc_current if dc else max(plate.leg_power / plate.leg_voltage, _taken(port, profile))
        if (full := getattr(one, "full", None)) is not None:
            unit, peak = ("A", amperes) if port == "dc_i" else ("V", volts if dc else math.sqrt(2.0) * volts)
            if full / 2.0 < peak:
                yield _line(
                    f"{number} on {port} shows {full / 2.0:g} {unit} peak", f"{peak:.4g} {unit}", "a larger range"
                )
            continue
        for unit, has, needs in (("V", one.voltage_range, volts), ("A", one.current, amperes)):
            if has < needs:
                yield _line(f"{number} on {port} has range {has:g} {unit}", f"{needs:.4g} {unit}", "a larger range")


def _taken(port: str, profile: Profile) -> float:
    """A rms the device itself draws there when it charges."""
    return 0.0 if port.startswith("house") else profile.ratings.charge_ac_current


def _line(has: str, needs: str, mend: str) -> str:
    return f"{has}, and {needs} must fit; take {mend}"
