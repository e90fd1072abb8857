"""Random steady voltages: their rms, their distortion, their frequency."""

from __future__ import annotations

import math

from benchmarks.coverage.digitizer import channel, time_base
from benchmarks.coverage.tally import Case, Random
from benchmarks.coverage.waves import Sum, distorted
from rig.metrology.rms import frequency, rms, thd
from rig.metrology.wave import Wave

RATES = (20e3, 50e3, 100e3)


def _recorded(rng: Random, shortest: float, longest: float) -> tuple[Wave, Sum, float, float]:
    """A record of a distorted voltage with noise, what it is of, the standard deviation of the noise, V, and the
    nominal frequency."""
    nominal = float(rng.choice([50.0, 60.0]))
    peak = math.sqrt(2.0) * float(rng.uniform(80.0, 250.0))
    truth = distorted(rng, peak, nominal * float(rng.uniform(0.98, 1.02)))
    noise = float(rng.uniform(0.0, 0.02)) * peak
    seconds = float(10 ** rng.uniform(math.log10(shortest), math.log10(longest)))
    return channel(rng, peak, noise).wave(truth, seconds, time_base(rng, RATES)), truth, noise, nominal


def rms_voltage(rng: Random, _number: int) -> Case:
    """Rms over 0.1 to 3 s. The noise is the voltage's own and counts, or was picked up on the way and does not."""
    w, truth, noise, nominal = _recorded(rng, 0.1, 3.0)
    own = bool(rng.integers(2))
    value = math.hypot(truth.rms, noise) if own else truth.rms
    return Case(rms(w, nominal), value, value, (truth, noise, own))


def distortion(rng: Random, _number: int) -> Case:
    """THD over a record of 0.1 to 1 s."""
    w, truth, noise, nominal = _recorded(rng, 0.1, 1.0)
    return Case(thd(w, nominal), truth.thd, truth.thd, (truth, noise))


def frequency_of(rng: Random, _number: int) -> Case:
    """Frequency over 0.1 to 3 s."""
    w, truth, noise, nominal = _recorded(rng, 0.1, 3.0)
    value = truth.lines[0].frequency
    return Case(frequency(w, nominal), value, value, (truth, noise))
