"""Many samples as a line of few points that looks the same: the least and the greatest of each column are kept, so a
spike of one sample stays. Knows arrays only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


_AS_IS = 3
"""Samples a column up to which a line is not thinned: it would gain nothing. Project choice."""


def min_max(t: Floats, values: Floats, start: float, end: float, columns: int) -> tuple[Floats, Floats]:
    """Points of the line through the samples of start..end (s), at most three a column; NaN where there is a gap.

    t: s, shape (n,), never falling. values: shape (n,). A sample on either side of the window is kept, so that the line
    reaches its border. Few samples come back as they are.
    """
    if not t.size or not end > start:
        return np.empty(0), np.empty(0)
    low = max(0, int(np.searchsorted(t, start, "left")) - 1)
    high = min(t.size, int(np.searchsorted(t, end, "right")) + 1)
    t, values = t[low:high], values[low:high].astype(np.float64, copy=False)
    if t.size <= _AS_IS * columns:
        return t, values
    width = (end - start) / columns
    column = np.clip(np.floor((t - start) / width), -1, columns).astype(np.int64)
    firsts = np.concatenate(([0], np.flatnonzero(np.diff(column)) + 1))
    with np.errstate(invalid="ignore"):
        least, most = np.fmin.reduceat(values, firsts), np.fmax.reduceat(values, firsts)
    rising = np.arange(firsts.size) % 2 == 0  # least first, then greatest first: joins stay on one side
    pairs = np.empty((firsts.size, 2))
    pairs[:, 0], pairs[:, 1] = np.where(rising, least, most), np.where(rising, most, least)
    middle = start + (column[firsts] + 0.5) * width
    return np.repeat(middle, 2), pairs.reshape(-1)


def stepped(t: Floats, values: Floats) -> tuple[Floats, Floats]:
    """The same line for a quantity that holds its value until the next row."""
    if t.size < 2:
        return t, values
    return np.repeat(t, 2)[1:], np.repeat(values, 2)[:-1]
