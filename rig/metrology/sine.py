"""A sine through samples by least squares, frequency fitted too (IEEE 1057, four parameters).

v(t) = a cos wt + b sin wt + c. With w unknown the model is linearised about the last w (Gauss-Newton). The first w
must be near: the phase it is wrong by at the ends of the window stays well below half a turn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rig.metrology.wave import Floats

ROUNDS = 8


@dataclass(frozen=True, slots=True)
class SineFit:
    """amplitude: V peak. phase: rad at time 0 of v = amplitude * sin(wt + phase) + offset. residual: V rms about it."""

    amplitude: float
    frequency: float
    phase: float
    offset: float
    residual: float
    begin: float
    end: float

    def at(self, time: Floats) -> Floats:
        """V at times (s, of the same time base as the fit)."""
        w = 2 * math.pi * self.frequency
        values: Floats = self.amplitude * np.sin(w * time + self.phase) + self.offset
        return values

    def phase_at(self, time: float) -> float:
        """Phase angle at a time, degrees, not wrapped."""
        return math.degrees(2 * math.pi * self.frequency * time + self.phase)


def fit_sine(time: Floats, values: Floats, frequency: float) -> SineFit:
    """Fit a sine. time: s. frequency: Hz, a first guess."""
    middle = float(time[0] + time[-1]) / 2
    t = time - middle
    w = 2 * math.pi * frequency
    columns = np.ones((len(t), 4))
    a = b = c = 0.0
    for round_ in range(ROUNDS):
        columns[:, 0], columns[:, 1] = np.cos(w * t), np.sin(w * t)
        if round_ == 0:
            (a, b, c), *_ = np.linalg.lstsq(columns[:, :3], values, rcond=None)
            continue
        columns[:, 3] = t * (b * columns[:, 0] - a * columns[:, 1])
        (a, b, c, step), *_ = np.linalg.lstsq(columns, values, rcond=None)
        w += float(np.clip(step, -0.05 * w, 0.05 * w))
        if abs(step) < 1e-9 * w:
            break
    columns[:, 0], columns[:, 1] = np.cos(w * t), np.sin(w * t)
    (a, b, c), *_ = np.linalg.lstsq(columns[:, :3], values, rcond=None)
    rest = values - columns[:, :3] @ np.array([a, b, c])
    return SineFit(
        amplitude=math.hypot(a, b),
        frequency=w / (2 * math.pi),
        phase=math.atan2(a, b) - w * middle,
        offset=float(c),
        residual=float(np.sqrt(np.mean(rest**2))),
        begin=float(time[0]),
        end=float(time[-1]),
    )
