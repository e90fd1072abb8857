"""Conditions of a test: the narrowest of all who ask counts, and what may be outside it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.library import CONDITIONS
from instruments.registry import REGISTRY
from rig.conditions import UNITS, Asked, ConditionRow, Quantity, narrowest, stood
from rig.errors import BenchConfigError, UseError
from rig.metrology.measurement import Component, Measurement
from rig.requirements import read_conditions


def asked(
    by: str, low: float | None, high: float | None, quantity: Quantity = "ambient", strict: bool = False
) -> Asked:
    return Asked(ConditionRow(quantity=quantity, min=low, max=high, source=f"as {by} says"), by, strict)


def reading(value: float, u: float, quantity: Quantity = "ambient") -> Measurement:
    return Measurement(quantity, value, UNITS[quantity], (Component("all", u, "normal", "test"),), "a thermometer")


def test_the_narrowest_of_all_who_ask_counts_and_is_named() -> None:
    (one,) = narrowest([asked("all", 15.0, 35.0), asked("meter", 18.0, 40.0), asked("row", None, 30.0, strict=True)])
    assert (one.limit.min, one.limit.max, one.limit.unit) == (18.0, 30.0, "degC")
    assert one.asked == "meter: as meter says; row: as row says"
    assert one.strict


def test_who_asks_for_what_cannot_be_is_told_both() -> None:
    with pytest.raises(UseError, match="row asks for 40 at least, meter for 28 at most"):
        narrowest([asked("meter", 18.0, 28.0), asked("row", 40.0, None)])


@pytest.mark.parametrize(
    ("value", "u", "state"),
    [(23.0, 0.5, "met"), (28.5, 0.1, "outside"), (27.5, 0.2, "met"), (27.5, 0.4, "outside"), (17.9, 0.01, "outside")],
)
def test_a_reading_counts_with_its_uncertainty(value: float, u: float, state: str) -> None:
    (condition,) = narrowest([asked("meter", 18.0, 28.0)])
    found = stood(condition, reading(value, u))
    assert found.state == state
    assert found.fit == (state == "met")
    if state == "outside":
        assert f"ambient was {value:g} degC" in found.reason
        assert "asked for 18 to 28 degC: meter: as meter says" in found.reason


def test_what_is_not_known_stops_only_who_has_to_know_it() -> None:
    (loose,) = narrowest([asked("meter", 18.0, 28.0)])
    (strict,) = narrowest([asked("meter", 18.0, 28.0), asked("PWR-001", 20.0, 30.0, strict=True)])
    assert [stood(one, "no thermometer").fit for one in (loose, strict)] == [True, False]
    assert stood(strict, "no thermometer").reason == "ambient: not known: no thermometer"


def test_every_instrument_with_figures_says_what_room_they_hold_for() -> None:
    without = ("charger", "vehicle", "digital_io")  # they say yes and no, or count by themselves
    measuring = {name: one for name, one in REGISTRY.items() if one.role not in without}
    assert measuring
    for name, driver in measuring.items():
        assert driver.fit is not None, name
        assert driver.fit.warm_up > 0.0
        assert driver.fit.ambient[0] < 23.0 < driver.fit.ambient[1]


def test_a_wrong_file_of_conditions_is_told_whole(tmp_path: Path) -> None:
    assert {one.quantity for one in read_conditions(CONDITIONS)} <= UNITS.keys()
    path = tmp_path / "conditions.toml"
    path.write_text(
        '[[condition]]\nquantity = "humidity"\nmax = 1.0\nsource = "x"\n'
        '[[condition]]\nquantity = "ambient"\nsource = "x"\n'
        '[[condition]]\nquantity = "ambient"\nmin = 3.0\nmax = 2.0\nsource = ""\n'
    )
    with pytest.raises(BenchConfigError) as told:
        read_conditions(path)
    text = str(told.value)
    for words in ("condition 1: quantity", "condition 2: table: ambient: a condition needs min or max", "3: source"):
        assert words in text, text
