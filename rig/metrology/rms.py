"""RMS, Urms(1/2), frequency and harmonic distortion of a sampled voltage.

RMS is taken over whole cycles of the measured frequency. Squares are integrated by the trapezoidal rule and the
integral is read between samples, so a cycle need not be a whole number of samples. A record is walked half cycle by
half cycle and never copied whole; float32 samples are squared and summed as they are, which costs less than 1e-6.
Urms(1/2): rms over one cycle, refreshed each half cycle (IEC 61000-4-30), stamped here at the end of its window.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from rig.errors import BenchFault
from rig.metrology.measurement import Component, Measurement
from rig.metrology.sine import SineFit, fit_record, fit_sine, with_shape
from rig.metrology.wave import BLOCK, Floats, Wave, blocks

__all__ = ["HalfCycles", "SineFit", "fit_sine", "fit_wave", "frequency", "rms", "thd", "urms_half"]

FIRST_CYCLES = 5
"""Cycles of the first fit: short enough for a first guess some per cent off (project choice)."""
LAST_CYCLES = 20
"""Cycles after which the frequency is near enough to fit the rest in pieces (project choice)."""
GUESS_RATE = 50e3
"""S/s a first guess is made of (project choice)."""
HARMONIC_WINDOW = 0.2
"""s: ten cycles at 50 Hz, twelve at 60 Hz (IEC 61000-4-7)."""
SUMMED = 1 << 13
"""Samples summed at once, so that a float32 sum of squares keeps its digits."""


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
    """V rms over all whole cycles of the record."""
    per_cycle = 1 / fit_wave(w, nominal_frequency).frequency
    cycles = _cycles(w, 1 / per_cycle)
    edges = np.arange(cycles + 1, dtype=np.float64) * per_cycle
    squares = np.diff(_integral_of_squares(w, edges)) / per_cycle
    value = math.sqrt(float(np.mean(squares)))
    spread = float(np.std(np.sqrt(squares), ddof=1)) / math.sqrt(cycles) if cycles > 1 else 0.0
    budget = (
        Component("gain", w.gain_u * value, "normal", w.source or "gain"),
        Component("resolution", w.resolution / math.sqrt(12 * len(w.samples)), "rectangular", "converter step"),
        Component("repeatability", spread, "normal", f"{cycles} cycles", dof=cycles - 1),
    )
    return Measurement(name, value, "V", budget, w.source, w.start + cycles * per_cycle, w.of)


def urms_half(w: Wave, nominal_frequency: float) -> HalfCycles:
    """Urms(1/2) along the record, in steps of half a cycle of the given frequency. Works on dead stretches too."""
    half = 0.5 / nominal_frequency
    steps = int((w.seconds - 1 / w.rate) / half + 1e-9)
    if steps < 2:
        raise BenchFault(f"{w.source or 'wave'}: {w.seconds:.4g} s is shorter than a cycle; record longer")
    integral = _integral_of_squares(w, np.arange(steps + 1, dtype=np.float64) * half)
    values = np.sqrt(np.maximum(integral[2:] - integral[:-2], 0.0) / (2 * half))
    return HalfCycles(w.start + np.arange(2, steps + 1, dtype=np.float64) * half, values)


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
    n = _whole(w, fundamental, min(round(HARMONIC_WINDOW * nominal_frequency), _cycles(w, fundamental)))
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
    normal, wanted = np.zeros((2 * powers + 1,) * 2), np.zeros(2 * powers + 1)
    for low, high in blocks(0, n, size=BLOCK // 16):
        # Rows, and powers by multiplication: a hundred sines of each sample would cost more than all the rest.
        turn = np.exp(1j * math.pi * fundamental * w.times(low, high))
        columns = np.ones((2 * powers + 1, high - low))
        grown = turn.copy()
        for k in range(powers):
            columns[2 * k], columns[2 * k + 1] = grown.real, grown.imag
            grown *= turn
        normal += columns @ columns.T
        wanted += columns @ w.part(low, high)
    terms, *_ = np.linalg.lstsq(normal, wanted, rcond=1e-9)
    squares = np.asarray(terms[:-1:2] ** 2 + terms[1:-1:2] ** 2, dtype=np.float64)
    return squares[1::2][:order], _noise_floor(squares[2::2])


def _noise_floor(squares: Floats) -> float:
    """Mean of the squares that are noise: spread as an exponential, with its median at ln 2 of its mean; those far out
    are interharmonics."""
    near = squares <= 6 * float(np.median(squares)) / math.log(2)
    return float(np.mean(squares[near]))


def _integral_of_squares(w: Wave, edges: Floats) -> Floats:
    """V2s from the first sample to each edge (s since the first sample, increasing)."""
    n = len(w.samples)
    position = np.clip(edges * w.rate, 0.0, n - 1)
    low = np.minimum(position.astype(int), max(n - 2, 0))
    part = position - low
    here, there = (np.asarray(w.samples[at], dtype=np.float64) ** 2 for at in (low, np.minimum(low + 1, n - 1)))
    first = float(w.samples[0]) ** 2
    with np.errstate(invalid="ignore"):  # told in words below
        # By the trapezoidal rule: all squares before the sample, the first and this one by half.
        total = _sums_of_squares(w, low) + (here - first) / 2
        # Inside a sample interval the square runs straight from one sample to the next.
        result: Floats = (total + part * here + part**2 / 2 * (there - here)) / w.rate
    if not np.isfinite(result).all():
        raise w.no_number()
    return result


def _sums_of_squares(w: Wave, ends: npt.NDArray[np.intp]) -> Floats:
    """Sum of the squares of all samples before each of the ends (increasing)."""
    w.must_not_clip()
    sums, total, low = np.empty(len(ends)), 0.0, 0
    plain = w.samples.dtype in (np.float32, np.float64)
    for i, end in enumerate(ends.tolist()):
        while low < end:
            high = min(end, low + SUMMED)
            values = w.samples[low:high] if plain else w.samples[low:high].astype(np.float64)
            total += float(np.dot(values, values))
            low = high
        sums[i] = total
    return sums


def _cycles(w: Wave, frequency: float) -> int:
    """Whole cycles between the first and the last sample."""
    cycles = int((len(w.samples) - 1) / w.rate * frequency + 1e-6)
    if cycles < 1:
        raise BenchFault(f"{w.source or 'wave'}: {w.seconds:.4g} s holds no whole cycle; record longer")
    return cycles


def _whole(w: Wave, frequency: float, cycles: int) -> int:
    """Samples in so many cycles, no more than there are."""
    _cycles(w, frequency)
    return min(len(w.samples), round(cycles * w.rate / frequency))
