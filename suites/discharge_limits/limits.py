"""What the vehicle allows, and how far the current went beyond it: the words of this suite.

Allowance  A limit that falls may be followed with 20 A/s, begun a cycle of lag and a cycle of the bus later; one that
           rises counts at once. A limit of 0 A stands for less than half a count: neither side can say less on the
           wire, and no meter can show that a current of 0 A is not above 0 A.
Signs      Limits and discharge currents are positive numbers here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Literal

import numpy as np
import pytest

from fixtures.words import Bench, EventsLog, Evps, Recording
from rig.chademo.codec import VehicleDischarge, VehicleDischargeEnergy, VehicleTimes
from rig.errors import DutViolation
from rig.metrology.measurement import Component, Measurement
from rig.metrology.series import Series, worst_excess

Side = Literal["grid", "island"]
SIDES = [
    pytest.param("grid", marks=pytest.mark.needs("grid_parallel"), id="grid"),
    pytest.param("island", marks=pytest.mark.needs("island", "house", "outage"), id="island"),
]
"""As a parameter: each only for a device and a bench that have it."""

RAMP = 20.0
"""A/s, the slope both sides follow (chademo.md 2 step 10, 3)."""
LAG = 0.2
"""s, the output follows with about one cycle's delay (chademo.md 2 step 10), and what a frame says may be one old."""
HALF_COUNT = 0.5
"""A, half of what one bit of 0x200 byte 0 and 0x208 byte 0 stands for (chademo.md 1)."""
LOW_PACK = 280.0
"""V the pack is pulled to, so that the power asked for is as much current as can be (project choice: above the 250 V
and what a charger keeps clear of it; chademo.md 4)."""
OVERLOAD = 1.2
"""Of rated power drawn on the island: more than a limit of 25 A gives at LOW_PACK, within what a device carries for
30 s (standards.md PWR-008)."""
LEAST = 0.5
"""Of the limit that must flow, or of what rated power makes at LOW_PACK where the limit is higher, before it is worth
looking for more (project choice: the limit must be what holds the current, and a device that gives nothing keeps every
limit)."""
PULLED_WITHIN = 30.0
"""s for the pack to be where it is pulled (project choice: 100 V at 20 V/s, and room)."""
SETTLES = 3.0
"""s from a change until all is steady (project choice: 30 A at 20 A/s, and as much again)."""
HALF_PERCENT = 0.005
"""102.6 is whole per cent, truncated: what it stands for lies this much above it, give or take as much."""


@contextmanager
def discharging(
    bench: Bench, evps: Evps, side: Side, limit: float, *, pack: float | None = LOW_PACK, load: float = OVERLOAD
) -> Iterator[None]:
    """A discharge in which the car's limit (A) is all that holds the current: rated power asked for beside the mains,
    or `load` (of rated power) drawn on the island. DutViolation when next to nothing flows."""
    car, power = bench.car, evps.ratings.power
    if side == "grid":
        evps.in_session("discharge", discharge_limit=limit)
        pull(bench, pack)
        bench.clock.sleep(SETTLES)
        _must_flow(bench, limit, power)
        yield
        return
    assert bench.house is not None
    with evps.island(discharge_limit=limit):
        car.hold_pack(pack)
        bench.clock.wait_until(lambda: not car.pulling, PULLED_WITHIN)
        with bench.house.drawing(load * power):
            bench.clock.sleep(SETTLES)
            _must_flow(bench, limit, power)
            yield


def _must_flow(bench: Bench, limit: float, power: float) -> None:
    flows, least = -bench.battery.reading().current, LEAST * min(limit, power / LOW_PACK)
    if flows < least:
        raise DutViolation(f"the car allows {limit:g} A and more is asked for, but only {flows:.1f} A flow")


def pull(bench: Bench, pack: float | None) -> None:
    """Pull the pack to so many V, and wait until it is there."""
    bench.car.hold_pack(pack)
    bench.clock.wait_until(lambda: not bench.car.pulling, PULLED_WITHIN)


def limit_of(record: Recording) -> Series:
    """A, what 200.0 allowed, with a limit of nothing as half a count."""
    return record["discharge_limit"].at_least(HALF_COUNT)


def excess(record: Recording, limit: Series | None = None) -> Measurement:
    """A, discharge current above the limit, worst, outside the ramp allowance."""
    allowed = limit_of(record) if limit is None else limit
    return worst_excess(record["source_i"].reversed, allowed, "excess_over_limit", RAMP, LAG)


def withdrawn(limit: Series, at: float) -> Series:
    """The same limit, and nothing allowed from a moment (s) on."""
    before = limit.t < at
    t, y = np.append(limit.t[before], at), np.append(limit.y[before], HALF_COUNT)
    return replace(limit, t=t, y=y)


def excess_over_request(record: Recording) -> Measurement:
    """A, charging current above 102.3, worst, outside the ramp allowance."""
    asked = record["asked_current"].at_least(HALF_COUNT)
    return worst_excess(record["source_i"], asked, "excess_over_request", RAMP, LAG)


def level_sent(events: EventsLog) -> float:
    """State of charge (0..1) the car's 200.6 stands for: per cent where it also sends 0x201, else 0.1 kWh of 101.5-6
    (chademo.md 1, 0x200: unit rule)."""
    level = events.messages(VehicleDischarge)[-1][1].min_discharge_level
    if events.messages(VehicleDischargeEnergy):
        return level / 100.0
    return level * 0.1 * 3.6e6 / events.messages(VehicleTimes)[-1][1].rated_capacity


def below(floor: float, soc: float, name: str, at: float, of: tuple[str, ...] = ()) -> Measurement:
    """A floor minus a state of charge as 102.6 said it (fractions)."""
    shown = Component("102.6", HALF_PERCENT / math.sqrt(3), "rectangular", "whole per cent, truncated")
    return Measurement(name, floor - (soc + HALF_PERCENT), "1", (shown,), "102.6", at, of)


def discharge_to_stop(bench: Bench, within: float) -> None:
    """Wait until next to nothing flows out of the battery any more. DutViolation when it still does."""

    def stopped() -> bool:
        reading = bench.car.reading
        return reading is not None and reading.current > -1.0

    if math.isinf(bench.clock.wait_until(stopped, within)):
        raise DutViolation(f"still discharging {within:g} s after it began, at {bench.car.soc:.1%} state of charge")
