"""House voltages whose truth is known because they are written down: no plant, no emulator, no metrology.

    mains           gap                                     EVPS
    A1 sin(w1 t+p)  what the dead bus still shows           A2 e(t) sin(w2 t + p + jump), e: soft start 0..1
                |start                                 |end

The instants are those of the formulas, not of samples: start is when the contact opens, end is when the voltage is back
for good; with a soft start, when its envelope has reached 90 %.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from rig.metrology.wave import Wave

BACK = 0.90


@dataclass(frozen=True)
class Scene:
    """One interruption. angle: degrees of the mains when its contact opens. gap: s; inf for never back.

    jump: degrees, EVPS against mains. left: fraction of the sine that stays during the gap (a sag, or a motor's
    back-EMF with time constant `decay` s and frequency `slip` of the mains'). soft: s in which the EVPS goes from 0 to
    full. bounce: (s after the opening, s after it) stretches in which the mains contact closed again; end_bounce:
    stretches after the first return in which the EVPS contact opened again. noise, offset: of the peak. harmonics:
    order -> share.
    """

    gap: float
    angle: float = 90.0
    frequency: float = 50.0
    rate: float = 20e3
    voltage: float = 100.0
    jump: float = 0.0
    after: float = 1.0
    after_frequency: float | None = None
    left: float = 0.0
    decay: float = math.inf
    slip: float = 1.0
    soft: float = 0.0
    bounce: tuple[tuple[float, float], ...] = ()
    end_bounce: tuple[tuple[float, float], ...] = ()
    noise: float = 0.0
    offset: float = 0.0
    harmonics: Mapping[int, float] = field(default_factory=dict)
    lead: float = 0.25
    tail: float = 0.35
    seed: int = 0

    @property
    def start(self) -> float:
        """s since the first sample at which the contact opens; its place between two samples is any."""
        return self.lead + (self.seed % 97) / 97 / self.rate

    @property
    def returns(self) -> float:
        """s at which voltage first comes back."""
        return self.start + self.gap

    @property
    def end(self) -> float:
        """s at which it is back for good."""
        if self.end_bounce:
            return self.returns + max(b for _, b in self.end_bounce)
        return self.returns + BACK * self.soft if self.soft else self.returns

    @property
    def duration(self) -> float:
        """s, the truth."""
        return self.end - self.start

    @property
    def out_of_tolerance(self) -> float:
        """s between the first and the last moment of the gap at which the voltage differs from the live one by more
        than 10 % of the peak: less than the duration where a residual voltage happens to look like the live one."""
        t = np.linspace(self.start, self.end, 20001)[:-1]
        level = 0.1 * math.sqrt(2) * self.voltage
        gone = np.flatnonzero(np.abs(self._gap(t) - self._mains(t)) > level)
        back = np.flatnonzero(np.abs(self._gap(t) - self._evps(t, whole=True)) > level)
        return max(0.0, float(t[back[-1]] - t[gone[0]])) if len(gone) and len(back) else 0.0

    @property
    def seconds(self) -> float:
        """Length of the record, s."""
        return self.lead + (self.gap if math.isfinite(self.gap) else 0.3) + self.soft + self.tail

    def wave(self, source: str = "leg") -> Wave:
        """As an ideal digitizer would bring it home: float32, at bench time 100 s."""
        t = np.arange(round(self.seconds * self.rate)) / self.rate
        peak = math.sqrt(2) * self.voltage
        v = self.volts(t) + self.offset * peak
        if self.noise:
            v = v + np.random.default_rng(self.seed).normal(0.0, self.noise * peak, len(v))
        return Wave(v.astype(np.float32), self.rate, start=100.0, source=source)

    def volts(self, t: np.ndarray) -> np.ndarray:
        """The voltage at times t, s, without noise."""
        v = np.where(t < self.start, self._mains(t), self._gap(t))
        for a, b in self.bounce:
            v = np.where((t >= self.start + a) & (t < self.start + b), self._mains(t), v)
        if math.isfinite(self.gap):
            live = t >= self.returns
            for a, b in self.end_bounce:
                live &= ~((t >= self.returns + a) & (t < self.returns + b))
            v = np.where(live, self._evps(t), v)
        return v

    def _sine(self, t: np.ndarray, frequency: float, degrees: float) -> np.ndarray:
        angle = 2 * math.pi * frequency * (t - self.start) + math.radians(degrees)
        v = np.sin(angle)
        for order, share in self.harmonics.items():
            v = v + share * np.sin(order * angle)
        return math.sqrt(2) * self.voltage * v

    def _mains(self, t: np.ndarray) -> np.ndarray:
        return self._sine(t, self.frequency, self.angle)

    def _gap(self, t: np.ndarray) -> np.ndarray:
        if not self.left:
            return np.zeros_like(t)
        fade = np.exp(-np.maximum(t - self.start, 0.0) / self.decay) if math.isfinite(self.decay) else 1.0
        return self.left * fade * self._sine(t, self.frequency * self.slip, self.angle)

    def _evps(self, t: np.ndarray, whole: bool = False) -> np.ndarray:
        since = np.maximum(t - self.returns, 0.0)
        envelope = np.minimum(since / self.soft, 1.0) if self.soft and not whole else 1.0
        turned = self.angle + self.jump + 360.0 * self.frequency * (self.returns - self.start)
        f = self.after_frequency or self.frequency
        angle = turned - 360.0 * f * (self.returns - self.start)
        return self.after * envelope * self._sine(t, f, angle)
