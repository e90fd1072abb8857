"""Integrals of squares and products of waves over stretches that begin and end between samples.

By the trapezoidal rule; inside a sample interval the product runs straight from one sample to the next. A record is
walked in pieces and never copied whole; float32 samples are multiplied and summed as they are, which costs less than
1e-6.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rig.metrology.wave import Floats, Wave

SUMMED = 1 << 13
"""Samples summed at once, so that a float32 sum keeps its digits."""


def integral_of_squares(w: Wave, edges: Floats) -> Floats:
    """Unit squared times s, from the first sample to each edge (s since the first sample, increasing)."""
    return integral_of_products(w, w, edges)


def integral_of_products(w: Wave, other: Wave, edges: Floats) -> Floats:
    """Product of the units times s, from the first sample to each edge (s since the first sample, increasing). Both of
    one rate and length. BenchFault for records that are clipped or hold no numbers."""
    n = len(w.samples)
    position = np.clip(edges * w.rate, 0.0, n - 1)
    low = np.minimum(position.astype(int), max(n - 2, 0))
    part = position - low
    next_ = np.minimum(low + 1, n - 1)
    here, there = (_float(w.samples[at]) * _float(other.samples[at]) for at in (low, next_))
    first = float(w.samples[0]) * float(other.samples[0])
    with np.errstate(invalid="ignore"):  # told in words below
        # By the trapezoidal rule: all products before the sample, the first and this one by half.
        total = _sums(w, other, low) + (here - first) / 2
        result: Floats = (total + part * here + part**2 / 2 * (there - here)) / w.rate
    if not np.isfinite(result).all():
        raise (w if other is w or not np.isfinite(_sums(w, w, low[-1:])).all() else other).no_number()
    return result


def _sums(w: Wave, other: Wave, ends: npt.NDArray[np.intp]) -> Floats:
    """Sum of the products of all samples before each of the ends (increasing)."""
    w.must_not_clip()
    other.must_not_clip()
    sums, total, low = np.empty(len(ends)), 0.0, 0
    plain = all(x.samples.dtype in (np.float32, np.float64) for x in (w, other))
    a, b = w.samples, other.samples
    for i, end in enumerate(ends.tolist()):
        while low < end:
            high = min(end, low + SUMMED)
            one = a[low:high]
            two = one if b is a else b[low:high]
            total += float(np.dot(one, two) if plain else np.dot(_float(one), _float(two)))
            low = high
        sums[i] = total
    return sums


def _float(values: npt.NDArray[np.generic]) -> Floats:
    return np.asarray(values, dtype=np.float64)
