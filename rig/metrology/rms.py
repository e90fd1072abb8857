"""RMS, Urms(1/2), frequency and harmonic distortion of a sampled voltage.

RMS is taken over whole cycles of the measured frequency, which need not be whole numbers of samples (integral.py). For
the length of a cycle a thinned record does: every sample of a fast one would tell it no better than is needed.
Urms(1/2): rms over one cycle, refreshed each half cycle (IEC 61000-4-30), stamped here at the end of its window.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from rig.errors import BenchFault
from rig.metrology.integral import integral_of_squares
from rig.metrology.measurement import Component, Measurement
from rig.metrology.sine import SineFit, fit_record, fit_sine, with_shape
from rig.metrology.wave import BLOCK, Floats, Wave, blocks

__all__ = ["HalfCycles", "SineFit", "fit_sine", "fit_wave", "frequency", "rms", "thd", "urms_budget", "urms_half"]

FIRST_CYCLES = 5
"""Cycles of the first fit: short enough for a first guess some per cent off (project choice)."""
LAST_CYCLES = 20
"""Cycles after which the frequency is near enough to fit the rest in pieces (project choice)."""
GUESS_RATE = 50e3
"""S/s a first guess is made of (project choice)."""
HARMONIC_WINDOW = 0.2
"""s: ten cycles at 50 Hz, twelve at 60 Hz (IEC 61000-4-7)."""


@dataclass(frozen=True, slots=True, eq=False)
class HalfCycles:
    """Urms(1/2). times: s, bench time of the end of each one-cycle window. values: V."""

    times: Floats
    values: Floats


def fit_wave(w: Wave, nominal_frequency: float) -> SineFit:
    """The fundamental of a whole record, time 0 at its first sample. The window grows so that the guess stays near."""
    n = _whole(w, nominal_frequency, FIRST_CYCLES)
    enough = min(len(w.samples), _whole(w, nominal_frequency, LAST_CYCLES))
    # Where the rest is fitted in pieces anyway, the first guess need not be made of every sample of a fast record.
    every = max(1, int(w.rate / GUESS_RATE)) if enough < len(w.samples) else 1
    fit = fit_sine(w.times(0, n)[::every], w.part(0, n)[::every], nominal_frequency)
    while n < enough:
        n = min(2 * n, enough)
        fit = fit_sine(w.times(0, n)[::every], w.part(0, n)[::every], fit.frequency)
    if n < len(w.samples):
        n = len(w.samples)
        fit = fit_record(w, fit)
    else:
        fit = replace(with_shape(fit, w.time, w.volts()), shape=None)
    if fit.amplitude < 4 * fit.residual / math.sqrt(n) or fit.amplitude == 0.0:
        raise BenchFault(f"{w.source or 'wave'}: no fundamental in it; is the circuit live?")
    return fit


def frequency(w: Wave, nominal_frequency: float, name: str = "frequency") -> Measurement:
    """Hz of the fundamental over the whole record, by least squares."""
    fit = fit_wave(w, nominal_frequency)
    # Cramer-Rao bound of the frequency of a sine in noise (IEEE 1057).
    noise = math.sqrt(6 / len(w.samples)) * fit.residual / (math.pi * w.seconds * fit.amplitude)
    edge = fit.frequency * math.sqrt(2) * max(w.time_u, 1e-9) / w.seconds
    budget = (
        Component("noise of the fit", noise, "normal", "residual of the fit"),
        Component("time base", edge, "normal", w.source or "time base"),
    )
    return Measurement(name, fit.frequency, "Hz", budget, w.source, w.start + w.seconds, w.of)


def rms(w: Wave, nominal_frequency: float, name: str = "u") -> Measurement:
    """Rms over all whole cycles of the record, in its unit. Noise counts as part of it."""
    thin = w.thinned(GUESS_RATE)
    fit = fit_wave(thin, nominal_frequency)
    per_cycle = 1 / fit.frequency
    cycles = cycles_in(w, fit.frequency)
    edges = np.arange(cycles + 1, dtype=np.float64) * per_cycle
    squares = np.diff(integral_of_squares(w, edges)) / per_cycle
    value = math.sqrt(float(np.mean(squares)))
    noise = _noise(thin, fit)
    # Of a single cycle nothing repeats: what its noise makes of it is all there is to say.
    alone = noise / math.sqrt(len(w.samples))
    spread = float(np.std(np.sqrt(squares), ddof=1)) / math.sqrt(cycles) if cycles > 1 else alone
    # A zero error adds its square, and twice itself times the level that is really there.
    zero = math.hypot(w.offset_u * fit.offset, math.sqrt(3) / 2 * w.offset_u**2) / value
    added = noise**2 / (2 * value)
    budget = (
        Component("gain", w.gain_u * value, "normal", w.source or "gain"),
        Component("zero", zero, "rectangular", w.source or "zero"),
        Component("noise in it", added / math.sqrt(3), "one-sided", "the voltage's own or the digitizer's"),
        Component("resolution", w.resolution / math.sqrt(12 * len(w.samples)), "rectangular", "converter step"),
        Component("repeatability", spread, "normal", f"{cycles} cycles", dof=cycles - 1 if cycles > 1 else math.inf),
    )
    return Measurement(name, value, w.unit, budget, w.source, w.start + cycles * per_cycle, w.of)


def _noise(w: Wave, fit: SineFit) -> float:
    """Standard deviation of what does not come again in the first cycles, unit."""
    n = _whole(w, fit.frequency, FIRST_CYCLES)
    time, values = w.times(0, n), w.part(0, n)
    return with_shape(fit_sine(time, values, fit.frequency), time, values).residual


def urms_half(w: Wave, nominal_frequency: float) -> HalfCycles:
    """Urms(1/2) along the record, in steps of half a cycle of the given frequency. Works on dead stretches too."""
    half = 0.5 / nominal_frequency
    steps = int((w.seconds - 1 / w.rate) / half + 1e-9)
    if steps < 2:
        raise BenchFault(f"{w.source or 'wave'}: {w.seconds:.4g} s is shorter than a cycle; record longer")
    integral = integral_of_squares(w, np.arange(steps + 1, dtype=np.float64) * half)
    values = np.sqrt(np.maximum(integral[2:] - integral[:-2], 0.0) / (2 * half))
    return HalfCycles(w.start + np.arange(2, steps + 1, dtype=np.float64) * half, values)


def urms_budget(w: Wave, value: float, scale: float = 1.0) -> tuple[Component, ...]:
    """Of one Urms(1/2), in its unit. scale: of the measurand per unit.

    The digitizer's zero and its noise add their squares: of a value near to them there may be nothing else in it.
    """
    added = math.hypot(math.sqrt(3) * w.offset_u, w.noise)
    beside = value - math.sqrt(max(value**2 - added**2, 0.0))
    return (
        Component("gain", w.gain_u * value, "normal", w.source or "gain", scale),
        Component("zero and noise", beside / math.sqrt(3), "one-sided", f"0 to {beside:.2g} {w.unit}", scale),
        Component("resolution", w.resolution / math.sqrt(12), "rectangular", "converter step", scale),
    )


def thd(w: Wave, nominal_frequency: float, order: int = 40, name: str = "thd_u") -> Measurement:
    """Total harmonic distortion, fraction of the fundamental, orders 2..order below the Nyquist frequency.

    Harmonics by least squares at multiples of the fitted frequency over 200 ms, ten cycles at 50 Hz and twelve at 60
    (IEC 61000-4-7), or over the whole cycles there are. What noise adds to a sum of squares is taken off it; how much
    there is of it is seen between the harmonics.
    """
    fundamental = fit_wave(w, nominal_frequency).frequency
    order = min(order, math.ceil(w.rate / (2 * fundamental)) - 1)
    if order < 2:
        raise BenchFault(f"{w.source or 'wave'}: {w.rate:g} S/s shows no harmonic; record faster")
    n = _whole(w, fundamental, min(round(HARMONIC_WINDOW * nominal_frequency), cycles_in(w, fundamental)))
    squares, floor = _harmonics(w, n, fundamental, order)
    above = max(float(np.sum(squares[1:])) - floor * (order - 1), 0.0)
    # Of the sum itself, and of the floor, which so many squares tell to little more than 1/sqrt(order).
    spread = math.sqrt(2 * above * floor + 2.5 * floor**2 * (order - 1))
    first = math.sqrt(float(squares[0]))
    value = math.sqrt(above) / first
    # A root is steep where nothing is under it: half its step over two standard uncertainties, not its slope.
    up = math.sqrt(above + 2 * spread) / first - value
    down = value - math.sqrt(max(above - 2 * spread, 0.0)) / first
    noise = max(up, down) / 2
    budget = (
        Component("noise of the harmonics", noise, "normal", "what stands between the harmonics"),
        Component("gain between orders", w.gain_u * value, "normal", w.source or "gain"),
    )
    return Measurement(name, value, "1", budget, w.source, w.start + n / w.rate, w.of)


def _harmonics(w: Wave, n: int, fundamental: float, order: int) -> tuple[Floats, float]:
    """Squares of the amplitudes of orders 1..order in the first n samples, V2, and what noise adds to one of them."""
    powers = 2 * order + 1  # of half the fundamental: even ones are harmonics, odd ones stand between them
    step = math.pi * fundamental / w.rate
    sums = np.zeros(powers + 1, dtype=np.complex128)
    for low, high in blocks(0, n, size=BLOCK // 16):
        # Powers by multiplication: a hundred sines of each sample would cost more than all the rest.
        values = w.part(low, high).astype(np.complex128)
        turn = np.exp(1j * step * np.arange(high - low))
        grown = np.ones_like(turn)
        begin = np.exp(1j * ((step * low * np.arange(powers + 1)) % (2 * math.pi)))
        for k in range(powers + 1):
            sums[k] += begin[k] * (grown @ values)
            grown *= turn
    normal = _normal(step, n, powers)
    wanted = np.empty(2 * powers + 1)
    wanted[:-1:2], wanted[1::2], wanted[-1] = sums[1:].real, sums[1:].imag, sums[0].real
    terms, *_ = np.linalg.lstsq(normal, wanted, rcond=1e-9)
    squares = np.asarray(terms[:-1:2] ** 2 + terms[1:-1:2] ** 2, dtype=np.float64)
    return squares[1::2][:order], _noise_floor(squares[2::2])


def _normal(step: float, n: int, powers: int) -> Floats:
    """Sums of products of the columns cos k*step*t, sin k*step*t (k from 1) and 1 over n samples: each is made of sums
    of one cosine or one sine, which are geometric series."""
    m = np.arange(1, 2 * powers + 1)
    one = np.exp(1j * ((step * m) % (2 * math.pi)))
    series = np.concatenate([[n], (np.exp(1j * ((step * m * n) % (2 * math.pi))) - 1) / (one - 1)])
    k = np.arange(1, powers + 1)
    apart, together = k[:, None] - k[None, :], k[:, None] + k[None, :]
    c_apart, c_together = series.real[np.abs(apart)], series.real[together]
    s_apart, s_together = np.sign(apart) * series.imag[np.abs(apart)], series.imag[together]
    normal = np.empty((2 * powers + 1,) * 2)
    normal[:-1:2, :-1:2], normal[1::2, 1::2] = (c_apart + c_together) / 2, (c_apart - c_together) / 2
    normal[1::2, :-1:2] = (s_together + s_apart) / 2  # sine of the row, cosine of the column
    normal[:-1:2, 1::2] = normal[1::2, :-1:2].T
    normal[-1, :-1:2], normal[-1, 1::2], normal[-1, -1] = series.real[k], series.imag[k], n
    normal[:, -1] = normal[-1]
    return normal


def _noise_floor(squares: Floats) -> float:
    """Mean of the squares that are noise: spread as an exponential, with its median at ln 2 of its mean; those far out
    are interharmonics."""
    near = squares <= 6 * float(np.median(squares)) / math.log(2)
    return float(np.mean(squares[near]))


def cycles_in(w: Wave, frequency: float) -> int:
    """Whole cycles between the first and the last sample."""
    cycles = int((len(w.samples) - 1) / w.rate * frequency + 1e-6)
    if cycles < 1:
        raise BenchFault(f"{w.source or 'wave'}: {w.seconds:.4g} s holds no whole cycle; record longer")
    return cycles


def _whole(w: Wave, frequency: float, cycles: int) -> int:
    """Samples in so many cycles, no more than there are."""
    cycles_in(w, frequency)
    return min(len(w.samples), round(cycles * w.rate / frequency))
