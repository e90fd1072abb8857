"""The ITIC voltage envelope: how much of the allowed time a disturbance used (standards.md 6 [OPQ][SPGS]).

Each part of the curve says how long a magnitude may last. The margin is 1 - duration / allowed duration, the least
over the curve: 1 when the voltage never left 90..110 %, 0 on the curve, negative outside it.

Durations
  below a cycle      point on wave (rig.metrology.transfer), magnitude by what is left of the sine
  a cycle and more   time with Urms(1/2) beyond the level, which is known to a cycle; where it agrees with the point-on-
                     wave interruption, which is sharp, that one
  above 120 %        also the longest stretch of samples beyond the level
A level still left when the record ends counts as left for ever. What a gain that is off by its U would make of the
margin is in its uncertainty.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rig.metrology.edges import THRESHOLD
from rig.metrology.measurement import Component, Measurement
from rig.metrology.rms import urms_half
from rig.metrology.transfer import LegTransfer, transfer_time
from rig.metrology.wave import Wave, blocks

DIPS = ((0.70, 0.020), (0.80, 0.5), (0.90, 10.0))
"""(below this fraction of nominal, s allowed), deepest first."""
SWELLS = ((1.10, 0.5), (1.20, 3e-3), (1.40, 3e-3), (2.00, 1e-3))
"""(above this fraction, s allowed). 500 % for 0.01 cycle ends the curve; between 140, 200 and 500 % it runs straight
over the logarithm of time."""
TOP, TOP_CYCLES = 5.0, 0.01


def allowed_duration(magnitude: float, frequency: float = 60.0) -> float:
    """s a voltage of this magnitude (fraction of nominal) may last; inf inside 90..110 %, 0 above 500 %."""
    for level, seconds in DIPS:
        if magnitude < level:
            return seconds
    if magnitude <= 1.10:
        return math.inf
    if magnitude > TOP:
        return 0.0
    points = (*SWELLS[2:], (TOP, TOP_CYCLES / frequency))
    if magnitude <= points[0][0]:
        return SWELLS[0][1] if magnitude <= SWELLS[1][0] else SWELLS[1][1]
    return float(
        np.exp(np.interp(magnitude, [level for level, _ in points], [math.log(seconds) for _, seconds in points]))
    )


@dataclass(frozen=True, slots=True)
class _Use:
    """Of one part of the curve: s used with its standard uncertainty, s allowed."""

    used: float
    u: float
    allowed: float
    what: str

    @property
    def margin(self) -> float:
        return 1.0 - self.used / self.allowed if self.allowed > 0 else -math.inf

    @property
    def least(self) -> float:
        """The margin less its U."""
        return self.margin - 2 * self.u / self.allowed if self.allowed > 0 else -math.inf


def itic_margin(legs: Sequence[Wave], voltage: float, frequency: float, name: str = "itic_margin") -> Measurement:
    """The least margin to the ITIC curve over all legs. voltage: V rms of a leg. BenchFault as transfer_time."""
    result = transfer_time(legs, voltage, frequency)
    pairs = tuple(zip(legs, result.legs, strict=True))
    worst = min((use for w, leg in pairs for use in _uses(w, leg, voltage, frequency)), key=lambda use: use.least)
    scale = 1 / worst.allowed if worst.allowed > 0 else 1.0
    budget = (
        Component("duration", worst.u, "rectangular", worst.what, scale),
        Component("magnitude", _by_gain(pairs, voltage, frequency, worst) / math.sqrt(3), "rectangular", "gain"),
    )
    m = result.measurement
    return Measurement(name, worst.margin, "1", budget, f"ITIC, {worst.what}; {m.source}", m.at, m.of)


def _by_gain(pairs: Sequence[tuple[Wave, LegTransfer]], voltage: float, frequency: float, worst: _Use) -> float:
    """By how much the margin is another where the gain is off by its U: a sag to 70 % may last 20 ms or 0.5 s."""
    others = [
        min(
            (use for w, leg in pairs for use in _uses(w, leg, voltage * (1 + side * 2 * w.gain_u), frequency)),
            key=lambda use: use.least,
        ).margin
        for side in (-1, +1)
    ]
    return max(abs(other - worst.margin) if other != worst.margin else 0.0 for other in others)


def _uses(w: Wave, leg: LegTransfer, voltage: float, frequency: float) -> list[_Use]:
    running = (leg.after or leg.before).frequency
    ratio = urms_half(w, running).values / voltage
    step = 0.5 / running
    u_rms = 2 * step / math.sqrt(12)
    sharp = leg.duration
    u_sharp = leg.u
    uses = [_Use(sharp, u_sharp, 20e-3, "interruption, point on wave")] if sharp < 1 / frequency else []
    if uses and sharp > 0:
        left = _left(w, leg)
        allowed = allowed_duration(left, frequency)
        uses = [_Use(sharp, u_sharp, allowed, f"{left:.0%} left, point on wave")] if math.isfinite(allowed) else []
    for level, seconds in DIPS:
        by_rms = _longest(ratio < level, step)
        if by_rms > 0 and sharp >= 1 / frequency:
            # Within a cycle of each other they time the same sag; a soft start lies below a level for much less.
            used, u = (sharp, u_sharp) if sharp - by_rms <= 1 / running else (by_rms, u_rms)
            uses.append(_Use(used, u, seconds, f"below {level:.0%}"))
    for level, seconds in SWELLS[:2]:
        if (by_rms := _longest(ratio > level, step)) > 0:
            uses.append(_Use(by_rms, u_rms, seconds, f"above {level:.0%}"))
    peak = math.sqrt(2) * voltage
    for level in (1.2, 1.4, 2.0, 3.0, TOP):
        if (by_sample := _longest_above(w, level * peak)) > 0:
            seconds = allowed_duration(level + 1e-9, frequency)
            uses.append(_Use(by_sample, 1 / w.rate / math.sqrt(6), seconds, f"peaks above {level:.0%}"))
    return uses or [_Use(0.0, u_sharp, 20e-3, "inside 90 to 110 %")]


def _left(w: Wave, leg: LegTransfer) -> float:
    """What is left of the sine between start and end, fraction; only samples that departed count."""
    low, high = round((leg.start - w.start) * w.rate), round((leg.end - w.start) * w.rate) + 1
    values, expected = w.part(low, high) - leg.before.offset, leg.before.alternating(w.times(low, high))
    away = np.abs(values - expected) > THRESHOLD * leg.before.amplitude
    power = float(expected[away] @ expected[away])
    return abs(float(values[away] @ expected[away])) / power if power > 0 else 0.0


def _longest(flags: npt.NDArray[np.bool_], step: float) -> float:
    """s of the longest run of true; inf when it is still on at the end."""
    if not flags.any():
        return 0.0
    if flags[-1] and flags.sum() > 1:
        return math.inf
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return float(np.max(edges[1::2] - edges[::2])) * step


def _longest_above(w: Wave, level: float) -> float:
    """s of the longest stretch of samples with |v| above a level (V)."""
    longest = run = 0
    for low, high in blocks(0, len(w.samples)):
        values = w.samples[low:high]
        if not (values.max() > level or values.min() < -level):
            run = 0
            continue
        under = np.flatnonzero((values <= level) & (values >= -level))
        if not len(under):
            run += high - low
            longest = max(longest, run)
            continue
        inner = int(np.max(np.diff(under))) - 1 if len(under) > 1 else 0
        longest = max(longest, run + int(under[0]), inner)
        run = high - low - 1 - int(under[-1])
    return max(longest, run) / w.rate
