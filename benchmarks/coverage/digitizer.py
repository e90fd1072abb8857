"""What an oscilloscope makes of a voltage written down as a formula, by the figures of its accuracy file.

One specimen a case: its gain and its zero are drawn once from inside their limits, its time base too; each sample has
noise and is a whole number of converter steps. The figures are those of accuracy.toml; the emulator is not used.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import instruments.keysight_dsox
from rig.metrology.accuracy import RangeSpec, read_accuracy
from rig.metrology.wave import Floats, Wave

ACCURACY = read_accuracy(Path(instruments.keysight_dsox.__file__).with_name("accuracy.toml"))
ROOT3 = math.sqrt(3.0)
CREST = (0.4, 0.9)
"""Peak of the voltage over the half of the range it is recorded in."""


@dataclass(frozen=True)
class Channel:
    """One channel of one specimen. full: range, unit. gain, zero: its errors, 1 and unit. noise: of a sample, unit.
    extra: standard deviation of more noise. known: whether the record states that too, as the digitizer's own."""

    spec: RangeSpec
    full: float
    gain: float
    zero: float
    scale: float = 1.0
    extra: float = 0.0
    known: bool = False

    @property
    def noise(self) -> float:
        """Standard deviation of a sample, as stated, unit."""
        return self.spec.noise / 100.0 * self.full

    def wave(self, volts: Callable[[Floats], Floats], seconds: float, time: TimeBase, unit: str = "V") -> Wave:
        """The record of a voltage, a function of the true time (s)."""
        rng, true = time.rng, volts(time.instants(seconds))
        shown = true * (1.0 + self.gain) + self.zero
        shown += rng.normal(0.0, math.hypot(self.noise, self.extra), len(true))
        step = self.spec.resolution * self.full
        shown = np.rint(shown / step) * step
        return Wave(
            shown.astype(np.float32),
            time.rate,
            100.0,
            resolution=step,
            gain_u=self.scale * self.spec.reading / 100.0 / ROOT3,
            time_u=time.u(seconds),
            source="scope",
            unit=unit,
            offset_u=self.scale * self.spec.range / 100.0 * self.full / ROOT3,
            noise=math.hypot(self.noise, self.extra if self.known else 0.0),
        )


@dataclass(frozen=True)
class TimeBase:
    """The clock of one specimen: rate as stated, S/s, and what it is wrong by, s/s."""

    rate: float
    slow: float
    rng: np.random.Generator

    def instants(self, seconds: float) -> Floats:
        """s, true, of each sample of a record that states `seconds`."""
        return np.arange(round(seconds * self.rate)) / (self.rate * (1.0 + self.slow))

    def u(self, seconds: float) -> float:
        """s, as a driver states it: sqrt(2) times it is that of an interval as long as the record."""
        return seconds * ACCURACY["time"].ranges[0].reading / 100.0 / math.sqrt(6.0)


def time_base(rng: np.random.Generator, rates: tuple[float, ...]) -> TimeBase:
    """A specimen's clock at one of these rates."""
    limit = ACCURACY["time"].ranges[0].reading / 100.0
    return TimeBase(float(rng.choice(rates)), float(rng.uniform(-limit, limit)), rng)


def channel(rng: np.random.Generator, peak: float, extra: float = 0.0, known: bool = False) -> Channel:
    """A specimen's channel, 8 or 12 bit, its range around a peak (unit). Half of them with the gain and the zero of the
    data sheet; half of them adjusted before, to a twentieth of that, so that the finer parts of a budget show."""
    spec = ACCURACY[str(rng.choice(["voltage", "voltage_high_resolution"]))].ranges[0]
    full = 2.0 * peak / float(rng.uniform(*CREST))
    scale = float(rng.choice([1.0, 0.05]))
    gain, zero = (float(x) * scale / 100.0 for x in rng.uniform(-1.0, 1.0, 2))
    return Channel(spec, full, gain * spec.reading, zero * spec.range * full, scale, extra, known)
