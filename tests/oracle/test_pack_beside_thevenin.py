"""The pack beside NREL's `thevenin` (BSD-3-Clause), an equivalent-circuit model by others with a solver of its own.

It is given the pack's figures and its rest voltage and nothing else, and is driven over a two-hour discharge. Its sign
of current is the other way round: positive discharging.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import thevenin

from rig.plant.battery import LEAF_24KWH, SECONDS_PER_HOUR, Pack

BOUND = 1e-3
"""Of voltage, at every instant."""
HOURS = 2
KELVIN = 273.15
HOUSE = (3.0, 16.0, 8.0, 0.0, 22.0, 5.0, 16.0, 9.0)
COURSES: dict[str, tuple[tuple[float, float], ...]] = {
    "constant 15 A": ((15.0, 7200.0),),
    "a house that changes every quarter of an hour": tuple((amperes, 900.0) for amperes in HOUSE),
    "peaks of a minute": tuple((a, s) for _ in range(12) for a, s in ((6.0, 540.0), (30.0, 60.0))),
}
"""(A discharging, s)"""
LOOK = {7200.0: 300.0, 900.0: 150.0, 540.0: 180.0, 60.0: 20.0}
"""s between two looks in a stretch of so many."""
FULL = 0.95


def witness(soc: float) -> thevenin.Prediction:
    p = LEAF_24KWH

    def constant(value: float) -> Callable[[float, float], float]:
        return lambda _soc, _kelvin: value

    model = thevenin.Prediction(
        {
            "num_RC_pairs": 2, "soc0": soc, "capacity": p.capacity / SECONDS_PER_HOUR, "ce": 1.0, "gamma": 0.0,
            "mass": 1.0, "isothermal": True, "Cp": p.thermal_mass, "T_inf": p.ambient + KELVIN,
            "h_therm": p.thermal_conductance, "A_therm": 1.0, "ocv": np.vectorize(p.curve.voltage),
            "M_hyst": lambda _soc: 0.0, "R0": constant(p.r0),
            "R1": constant(p.r1), "C1": constant(p.tau1 / p.r1), "R2": constant(p.r2), "C2": constant(p.tau2 / p.r2),
        }
    )  # fmt: skip
    model.set_options(rtol=1e-7, atol=1e-8)
    return model


@pytest.mark.parametrize("course", COURSES.values(), ids=COURSES.keys())
def test_the_voltage_of_a_two_hour_discharge(course: tuple[tuple[float, float], ...]) -> None:
    assert sum(seconds for _, seconds in course) == HOURS * SECONDS_PER_HOUR
    model, pack = witness(FULL), Pack(soc=FULL)
    state = thevenin.TransientState(soc=FULL, T_cell=LEAF_24KWH.ambient + KELVIN, hyst=0.0, eta_j=np.zeros(2))
    errors = []
    for amperes, seconds in course:
        for _ in range(round(seconds / LOOK[seconds])):
            pack.advance(-amperes, LOOK[seconds])
            state = model.take_step(state, amperes, LOOK[seconds])
            errors.append(pack.voltage(-amperes) / float(state.voltage) - 1.0)
    assert len(errors) >= 24
    assert pack.soc < FULL - 0.2
    assert max(map(abs, errors)) <= BOUND
    assert pack.soc == pytest.approx(float(state.soc), abs=1e-6)


def test_a_witness_with_another_resistance_is_told_apart() -> None:
    """The bound is tight enough to see 20 % of R0."""
    model, pack = witness(FULL), Pack(soc=FULL)
    model.R0 = lambda _soc, _kelvin: 1.2 * LEAF_24KWH.r0
    state = thevenin.TransientState(soc=FULL, T_cell=LEAF_24KWH.ambient + KELVIN, hyst=0.0, eta_j=np.zeros(2))
    pack.advance(-22.0, 600.0)
    state = model.take_step(state, 22.0, 600.0)
    assert abs(pack.voltage(-22.0) / float(state.voltage) - 1.0) > BOUND
