"""The pack beside an outside witness: the same circuit as ordinary differential equations, solved by scipy.

The witness shares the figures of the pack and its rest voltage, and nothing else: its energies are integrals of power,
and it takes no step in closed form. The rest voltage has a witness of its own.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.interpolate import PchipInterpolator

from rig.plant.battery import LEAF_24KWH, LEAF_OCV, Pack

PROFILE = ((14.0, 40.0), (0.0, 20.0), (-15.0, 300.0), (-3.0, 1.0), (-30.0, 60.0), (0.0, 900.0), (30.0, 5.0))
"""(A, s)"""


def witness(soc: float, temperature: float, scale: float) -> np.ndarray:
    """soc, v1, v2, degC, J of heat, J at the terminals after each part of the profile times scale."""
    p = LEAF_24KWH

    def flow(_: float, y: np.ndarray, i: float) -> list[float]:
        s, v1, v2, warm, _heat, _energy = y
        heat = p.r0 * i * i + v1 * v1 / p.r1 + v2 * v2 / p.r2
        u = p.curve.voltage(s) + v1 + v2 + p.r0 * i
        cooling = p.thermal_conductance * (warm - p.ambient)
        return [
            i / p.capacity,
            (i * p.r1 - v1) / p.tau1,
            (i * p.r2 - v2) / p.tau2,
            (heat - cooling) / p.thermal_mass,
            heat,
            u * i,
        ]

    y, rows = np.array([soc, 0.0, 0.0, temperature, 0.0, 0.0]), []
    for current, seconds in PROFILE:
        done = solve_ivp(
            flow, (0.0, seconds), y, "DOP853", args=(current * scale,), rtol=1e-11, atol=1e-10, max_step=5.0
        )
        y = done.y[:, -1]
        rows.append(y)
    return np.array(rows)


@pytest.mark.parametrize("soc", [0.08, 0.5, 0.93])
@pytest.mark.parametrize("scale", [1.0, -0.5])
def test_the_pack_agrees_with_a_solver_of_its_equations(soc: float, scale: float) -> None:
    pack = Pack(soc=soc, temperature=18.0)
    for (current, seconds), (s, v1, v2, warm, heat, energy) in zip(PROFILE, witness(soc, 18.0, scale), strict=True):
        pack.advance(current * scale, seconds)
        assert pack.soc == pytest.approx(s, abs=1e-10)
        assert pack.source_voltage() - pack.ocv() == pytest.approx(v1 + v2, abs=1e-7)
        assert pack.temperature == pytest.approx(warm, abs=1e-8)
        assert pack.heat == pytest.approx(heat, rel=1e-8)
        assert pack.terminal == pytest.approx(energy, rel=1e-8)


def test_the_rest_voltage_is_near_another_monotone_curve_through_the_same_points() -> None:
    other = PchipInterpolator(*zip(*LEAF_OCV, strict=True))
    soc = np.linspace(0.05, 1.0, 2000)
    ours = np.array([LEAF_24KWH.curve.voltage(s) for s in soc])
    assert np.max(np.abs(ours - other(soc))) < 1.0
