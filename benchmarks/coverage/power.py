"""Random loads: active power of a voltage and a current recorded together, and as a power analyzer reads it."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

import instruments.yokogawa_wt1800e
from benchmarks.coverage.digitizer import channel, time_base
from benchmarks.coverage.tally import Case, Random
from benchmarks.coverage.waves import Line, Sum, distorted
from rig.metrology.accuracy import Specimen, read_accuracy
from rig.metrology.active_power import active_power
from rig.metrology.measurement import Measurement

METER = read_accuracy(Path(instruments.yokogawa_wt1800e.__file__).with_name("accuracy.toml"))


def power_of_waves(rng: Random, _number: int) -> Case:
    """0.1 to 3 s at any angle between voltage and current, both distorted, both noisy, on channels of one record."""
    nominal = float(rng.choice([50.0, 60.0]))
    volts, amperes = (math.sqrt(2.0) * float(rng.uniform(*span)) for span in ((80.0, 250.0), (1.0, 40.0)))
    u = distorted(rng, volts, nominal * float(rng.uniform(0.98, 1.02)))
    turn = float(rng.uniform(-math.pi, math.pi))
    first, *others = u.lines
    harmonics = [
        Line(amperes * float(rng.uniform(0.0, 0.3)), line.frequency, float(rng.uniform(0.0, 2.0 * math.pi)))
        for line in others
    ]
    i = Sum((Line(amperes, first.frequency, first.phase + turn), *harmonics))
    high = sum(line.peak for line in i.lines)
    clock = time_base(rng, (20e3, 50e3, 100e3))
    seconds = float(10 ** rng.uniform(-1.0, 0.5))
    apart = float(rng.normal(0.0, clock.u(seconds))) * math.sqrt(2.0)
    noises = [float(rng.uniform(0.0, 0.02)) * peak for peak in (volts, amperes)]
    w_u = channel(rng, volts, noises[0]).wave(u, seconds, clock)
    w_i = channel(rng, high, noises[1]).wave(lambda t: i(t + apart), seconds, clock, "A")
    truth = u.power(i)
    return Case(active_power(w_u, replace(w_i, source="probe"), nominal), truth, truth, (u, i, noises, seconds))


def power_of_meter(rng: Random, _number: int) -> Case:
    """A reading of a new specimen of the power analyzer, anywhere in its range."""
    full = float(10 ** rng.uniform(2.0, 4.0))
    truth = full * float(rng.uniform(-1.0, 1.0))
    value = Specimen(METER, np.random.default_rng(rng.integers(1 << 62))).read("power", truth / full, 1.0) * full
    budget = tuple(replace(c, u=c.u * full) for c in METER.budget("power", value / full, 1.0))
    return Case(Measurement("p", value, "W", budget), truth, truth, (truth, full))
