"""RMS, Urms(1/2), frequency and harmonic distortion of a sampled voltage.

RMS is taken over whole cycles of the measured frequency. Squares are integrated by the trapezoidal rule and the
integral is read between samples, so a cycle need not be a whole number of samples.
Urms(1/2): rms over one cycle, refreshed each half cycle (IEC 61000-4-30), stamped here at the end of its window.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rig.errors import BenchFault
from rig.metrology.measurement import Component, Measurement
from rig.metrology.sine import SineFit, fit_sine
from rig.metrology.wave import Floats, Wave

__all__ = ["HalfCycles", "SineFit", "fit_sine", "fit_wave", "frequency", "rms", "thd", "urms_half"]

FIRST_CYCLES = 5
"""Cycles of the first fit: short enough for a first guess some per cent off (project choice)."""


@dataclass(frozen=True, slots=True, eq=False)
class HalfCycles:
    """Urms(1/2). times: s, bench time of the end of each one-cycle window. values: V."""

    times: Floats
    values: Floats


def fit_wave(w: Wave, nominal_frequency: float) -> SineFit:
    """The fundamental of a whole record, time 0 at its first sample. The window grows so that the guess stays near."""
    values, time = w.volts(), w.time
    n = _whole(w, nominal_frequency, FIRST_CYCLES)
    fit = fit_sine(time[:n], values[:n], nominal_frequency)
    while n < len(values):
        n = min(2 * n, len(values))
        fit = fit_sine(time[:n], values[:n], fit.frequency)
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
        Component("repeatability", spread, "normal", f"{cycles} cycles"),
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

    Harmonics by least squares at multiples of the fitted frequency over whole cycles, ten where there are so many
    (IEC 61000-4-7 takes ten at 50 Hz).
    """
    fundamental = fit_wave(w, nominal_frequency).frequency
    order = min(order, math.ceil(w.rate / (2 * fundamental)) - 1)
    n = _whole(w, fundamental, min(10, _cycles(w, fundamental)))
    values, angle = w.volts()[:n], 2 * math.pi * fundamental * w.time[:n]
    orders = np.arange(1, order + 1)
    columns = np.hstack([np.cos(np.outer(angle, orders)), np.sin(np.outer(angle, orders)), np.ones((n, 1))])
    terms, *_ = np.linalg.lstsq(columns, values, rcond=None)
    amplitudes = np.hypot(terms[:order], terms[order : 2 * order])
    value = float(np.sqrt(np.sum(amplitudes[1:] ** 2)) / amplitudes[0])
    rest = values - columns @ terms
    noise = math.sqrt(2 * float(np.mean(rest**2)) / n) / float(amplitudes[0])
    # The noise of all orders adds up in the root of squares: counted whole, not only its spread.
    budget = (
        Component("noise of the harmonics", noise * math.sqrt(order), "normal", "residual of the fit"),
        Component("gain between orders", w.gain_u * value, "normal", w.source or "gain"),
    )
    return Measurement(name, value, "1", budget, w.source, w.start + n / w.rate, w.of)


def _integral_of_squares(w: Wave, edges: Floats) -> Floats:
    """V2s from the first sample to each edge (s since the first sample)."""
    squares = w.volts() ** 2
    total = np.concatenate([[0.0], np.cumsum((squares[1:] + squares[:-1]) / 2)]) / w.rate
    position = np.clip(edges * w.rate, 0.0, len(squares) - 1)
    low = np.minimum(position.astype(int), max(len(squares) - 2, 0))
    part = position - low
    # Inside a sample interval the square runs straight from one sample to the next.
    inside = part * squares[low] + part**2 / 2 * (squares[low + 1] - squares[low])
    result: Floats = total[low] + inside / w.rate
    return result


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
