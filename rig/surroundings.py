"""What a bench can say of the conditions it works under, each as a measurement, or why it cannot.

One reading of the thermometer and one of the analyzer. What no instrument measures the bench file may state ([room]),
with its uncertainty. Also how long the instruments still need to be warm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rig.bench import Bench
from rig.conditions import Asked, ConditionRow, Quantity
from rig.metrology.measurement import Component, Measurement
from rig.plant.ports import Port
from rig.roles import Function

CLOCK_U = 1.0
"""s, what a time of warm-up is uncertain by, against minutes it is asked for (project choice)."""


def of_the_bench(bench: Bench) -> list[Asked]:
    """What the instruments ask for: the room and the warm-up their accuracy is promised for."""
    found = list[Asked]()
    for name, driver in bench.drivers.items():
        if (fit := driver.fit) is None:
            continue
        low, high = fit.ambient
        source = f"{fit.source} ({fit.confidence})"
        found.append(Asked(ConditionRow(quantity="ambient", min=low, max=high, source=source), f"accuracy of [{name}]"))
        found.append(Asked(ConditionRow(quantity="warm_up", min=fit.warm_up, source=source), f"accuracy of [{name}]"))
    return found


def warms_up_for(bench: Bench, asked: Sequence[Asked]) -> float:
    """s to wait until the last instrument is warm; 0 when all are."""
    least = max((one.row.min or 0.0 for one in asked if one.row.quantity == "warm_up"), default=0.0)
    room = bench.config.room.on_before + bench.clock.now()
    return max(least + 4 * CLOCK_U - room, 0.0) if least > 0.0 else 0.0


def survey(bench: Bench) -> Mapping[Quantity, Measurement | str]:
    """Every quantity now. The mains must be on and steady. InstrumentError as the instruments raise it."""
    voltage, frequency, thd = _source(bench)
    return {
        "ambient": _ambient(bench),
        "warm_up": _warm_up(bench),
        "source_voltage": voltage,
        "source_frequency": frequency,
        "source_thd": thd,
    }


def _ambient(bench: Bench) -> Measurement | str:
    room = bench.config.room
    if bench.thermometer is not None:
        return bench.thermometer.ambient()
    if room.ambient is None:
        return "the bench has no thermometer; wire one, or state ambient and ambient_u in [room]"
    part = Component("room", room.ambient_u, "normal", room.source)
    return Measurement("ambient", room.ambient, "degC", (part,), f"stated: {room.source}", bench.clock.now())


def _warm_up(bench: Bench) -> Measurement:
    now = bench.clock.now()
    source = f"on for {bench.config.room.on_before:g} s before the run (stated), and since"
    part = Component("time on", CLOCK_U, "normal", "project choice")
    return Measurement("warm_up", bench.config.room.on_before + now, "s", (part,), source, now)


def _source(bench: Bench) -> tuple[Measurement | str, Measurement | str, Measurement | str]:
    ports: tuple[Port, ...] = ("grid_l1", "grid_l2")
    legs = [port for port in ports[: bench.profile.legs] if bench.analyzer is not None and port in bench.analyzer.ports]
    if bench.analyzer is None or not legs:
        why = "no power analyzer is wired to the mains side"
        return why, why, why
    names: tuple[Function, ...] = ("u", "f", "thd_u")
    values = bench.analyzer.read(*((leg, name) for leg in legs for name in names)).values
    ratings = bench.profile.ratings
    voltages = [_share(values[leg, "u"], ratings.leg_voltage, "source_voltage") for leg in legs]
    frequency = _share(values[legs[0], "f"], ratings.frequency, "source_frequency")
    thd = max((values[leg, "thd_u"] for leg in legs), key=lambda m: m.value)
    return max(voltages, key=lambda m: abs(m.value - 1.0)), frequency, thd.named("source_thd")


def _share(m: Measurement, nominal: float, name: str) -> Measurement:
    """A reading as a fraction of nominal."""
    budget = tuple(Component(c.name, c.contribution / nominal, c.distribution, c.source, 1.0, c.dof) for c in m.budget)
    return Measurement(name, m.value / nominal, "1", budget, m.source, m.at, m.of)
