"""Where a voltage leaves one sine and where it joins another, with what cannot be seen about it.

A deviation counts when it stands above the threshold for at least PERSISTENCE, in at least SHARE of the samples.

Blind spans
  Near a zero crossing a dead voltage and a live one differ by less than the threshold, so an edge that falls there is
  seen only when the sine grows out of the band: up to 2 asin(0.1)/w = 0.64 ms late at 50 Hz, never early. The span is
  known from the fit: the true start lies in the stretch before the seen start in which the reference is small, the
  true end in such a stretch after the seen end. Outside such a stretch the edge is sharp. So the one-sided method
  term is taken edge by edge: the reading is moved by half the span and the span is its rectangular width.
  (Taken as a whole it is the 0 to +1 ms of a plain point-on-wave reading, standards.md 2.3.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rig.metrology.sine import SineFit
from rig.metrology.wave import Floats

THRESHOLD = 0.10
"""Of the nominal peak (standards.md 2.3)."""
PERSISTENCE = 0.5e-3
"""s (standards.md 2.3)."""
SHARE = 0.8
"""Of the samples in that time (standards.md 2.3)."""
LEAST_DROP = 0.15
"""A change of voltage below this fraction is no interruption; it bounds the blind span of shallow ones (project
choice, above the 10 % threshold)."""

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge as a sample index and what is blind about it. seen: index. blind: s, how far the true edge may lie
    outwards (before a start, after an end)."""

    seen: int
    blind: float


def persistent(over: Flags, rate: float) -> Flags:
    """Where a deviation begins that persists. over: samples above the threshold."""
    width = max(2, math.ceil(PERSISTENCE * rate - 1e-9))
    if len(over) < width:
        return np.zeros(len(over), dtype=np.bool_)
    total = np.concatenate([[0], np.cumsum(over)])
    share = (total[width:] - total[:-width]) / width
    begins = np.zeros(len(over), dtype=np.bool_)
    begins[: len(share)] = share >= SHARE - 1e-9
    return begins & over


def first(flags: Flags) -> int | None:
    """Index of the first true."""
    where = np.flatnonzero(flags)
    return int(where[0]) if len(where) else None


def start_edge(values: Floats, time: Floats, reference: SineFit, peak: float, rate: float) -> Edge | None:
    """The first persistent departure from the reference; None when there is none."""
    expected = reference.at(time)
    over = np.abs(values - expected) > THRESHOLD * peak
    core = first(persistent(over, rate))
    if core is None:
        return None
    seen = _reach(over[: core + 1][::-1], _hole(reference, peak, rate))
    return Edge(core - seen, _blind(values, expected, over, core - seen, -1, peak, rate, reference))


def end_edge(values: Floats, time: Floats, reference: SineFit, peak: float, rate: float) -> Edge:
    """The last sample of the last persistent departure from the reference; sample 0 when it never departs.

    values begin at the start edge: a departure too short to persist counts when it hangs together with that edge.
    """
    expected = reference.at(time)
    over = np.abs(values - expected) > THRESHOLD * peak
    core = first(persistent(over[::-1], rate))
    near = first(over[: _hole(reference, peak, rate)])
    last = len(values) - 1 - core if core is not None else near or 0
    last += _reach(over[last:], _hole(reference, peak, rate))
    return Edge(last, _blind(values, expected, over, last, +1, peak, rate, reference))


def _reach(over: Flags, hole: int) -> int:
    """How far outwards from over[0] deviation goes on, holes of no more than `hole` samples overlooked."""
    where = np.flatnonzero(over)
    if not len(where):
        return 0
    gaps = np.flatnonzero(np.diff(where) > hole)
    return int(where[gaps[0]] if len(gaps) else where[-1])


def _hole(reference: SineFit, peak: float, rate: float) -> int:
    """Samples a dead voltage stays within the threshold of the reference about a zero crossing."""
    return math.ceil(1.1 * _span(reference, THRESHOLD * peak) * rate) + 2


def _span(reference: SineFit, within: float) -> float:
    """s per zero crossing in which the reference is smaller than `within` (V)."""
    ratio = min(within / reference.amplitude, 1.0)
    return 2 * math.asin(ratio) / (2 * math.pi * reference.frequency)


def _blind(
    values: Floats, expected: Floats, over: Flags, seen: int, outwards: int, peak: float, rate: float, fit: SineFit
) -> float:
    """s outwards of the seen edge in which the edge could lie unseen, by how far the voltage departs inside of it."""
    half = max(2, round(0.5 * rate / fit.frequency))
    inside = slice(seen, seen + half) if outwards < 0 else slice(max(0, seen - half + 1), seen + 1)
    there, wanted = values[inside][over[inside]], expected[inside][over[inside]]
    left = float(there @ wanted) / float(wanted @ wanted) if len(wanted) else 0.0
    # What is left is no less than nothing: a voltage that comes back turned over may have been dead before.
    small = THRESHOLD * peak / max(abs(1.0 - max(left, 0.0)), LEAST_DROP) + 3 * fit.residual
    outside = expected[:seen][::-1] if outwards < 0 else expected[seen + 1 :]
    beyond = first(np.abs(outside[: 2 * half]) > small)
    return min(beyond if beyond is not None else half, half) / rate
