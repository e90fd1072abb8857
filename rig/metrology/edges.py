"""Where a voltage leaves one reference and where it joins another, with what cannot be seen about it.

A deviation counts when it stands above the threshold for at least PERSISTENCE, in at least SHARE of the samples
(standards.md 2.3). That finds an edge as a sample (`start_edge`, `end_edge`); `bracket` then says in which stretch the
true edge lies, inwards of it nowhere, outwards as far as an edge can hide.

How an edge hides
  near a zero crossing  a dead voltage and a live one are the same there, whatever the sample rate. Taken as a whole
                        this is the 0 to +1 ms of a plain point-on-wave reading (standards.md 2.3). Less is unknown when
                        the noise is low: outwards of the seen edge each sample r of the reference says with weight
                        (depth*r/noise)^2 whether the voltage is still missing. The stretch holds every place of the
                        edge whose sum of squares is no more than 16 noise^2 above the best one's (four standard
                        deviations).
  gradual               a residual voltage decays, an inverter starts softly: the depth goes through 10 % between two
                        peaks of the wave. The stretch reaches from the last sample seen outside to the first moment at
                        which the depth of the last quarter cycle is known to be below 10 %.
  behind a hole         a residual voltage turns against the live one and looks like it for a millisecond or two. What
                        stands out of tolerance within half a cycle outwards, too short to persist, may be its end: the
                        stretch reaches as far.

The depth is what is missing of the reference: 1 of a dead voltage, 0.3 of a sag to 0.7.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from rig.metrology.sine import SineFit
from rig.metrology.wave import Floats, Wave, blocks

THRESHOLD = 0.10
"""Of the nominal peak (standards.md 2.3)."""
PERSISTENCE = 0.5e-3
"""s (standards.md 2.3)."""
SHARE = 0.8
"""Of the samples in that time (standards.md 2.3)."""
SHARP = 0.15
"""An edge with less depth than this is taken as gradual (project choice, above the threshold)."""
STEADY = 0.10
"""Growth of the depth from one quarter cycle to the next inwards, of the depth, above which an edge is gradual (project
choice)."""
VISIBLE = 0.03
"""Of the nominal peak: a mean departure over 0.1 ms that is no ripple of the reference (project choice)."""
NEARLY = 0.7
"""Of the threshold, of a mean over 0.1 ms: it may have been above it (project choice: the slope of half a sine)."""
SURE = 16.0
"""Squares of the noise: four standard deviations (project choice)."""
LOOKED = 1 << 13
"""Samples looked at at once: an edge is near where it is looked for (project choice)."""
LEAST_NOISE = 1e-3
"""Of the nominal peak: no reference is known better (project choice; 10 bit of a converter at full scale)."""

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge as a sample index and what is hidden about it.

    seen: the outermost sample that is still inside the disturbance. near, far: samples the true edge may lie outwards
    of it, at least and at most. outwards: -1 for a start, +1 for an end. drift: samples it moves by a threshold that is
    wrong by its whole self; 0 of a step, which passes any threshold at once.
    """

    seen: int
    outwards: int
    near: int = 0
    far: int = 0
    drift: float = 0.0

    def at(self, rate: float) -> float:
        """s since the first sample: the middle of all places the edge may have, one sample included."""
        return (self.seen + self.outwards * (self.near + self.far + 1) / 2) / rate

    def hidden(self, rate: float) -> float:
        """s, how wide the stretch of places is beyond one sample."""
        return (self.far - self.near) / rate


def persistent(over: Flags, width: int, share: float = SHARE) -> Flags:
    """Where a deviation begins that persists: `share` of the next `width` samples are over, this one too."""
    begins = np.zeros(len(over), dtype=np.bool_)
    if len(over) < width or not over.any():
        return begins
    total = np.concatenate([[0], np.cumsum(over, dtype=np.int32)])
    begins[: len(over) - width + 1] = total[width:] - total[:-width] >= share * width - 1e-9
    return begins & over


def samples_of(seconds: float, rate: float) -> int:
    """Samples in which something persists."""
    return max(2, math.ceil(seconds * rate - 1e-9))


def first(flags: Flags) -> int | None:
    """Index of the first true."""
    where = int(np.argmax(flags)) if len(flags) else 0
    return where if len(flags) and flags[where] else None


def first_persistent(
    over: Callable[[int, int], Flags], low: int, high: int, width: int, share: float = SHARE
) -> int | None:
    """The first sample of low..high at which a deviation begins that persists. over: flags of a stretch."""
    for begin, end in blocks(low, high, width - 1, size=LOOKED):
        where = first(persistent(over(begin, end), width, share))
        if where is not None:
            return begin + where
    return None


def last_persistent(over: Callable[[int, int], Flags], low: int, high: int, width: int) -> int | None:
    """The same from the end: the last sample of a deviation that persists."""
    for begin, end in blocks(low, high, width - 1, backwards=True, size=LOOKED):
        where = first(persistent(over(begin, end)[::-1], width))
        if where is not None:
            return end - 1 - where
    return None


def start_edge(w: Wave, low: int, reference: SineFit, peak: float) -> Edge | None:
    """The first persistent departure from the reference at or after sample low; None when there is none."""
    over = _over(w, reference, peak)
    core = first_persistent(over, low, len(w.samples), samples_of(PERSISTENCE, w.rate))
    if core is None:
        return None
    near = max(low, core - cycle_of(w, reference))
    return Edge(core - _reach(over(near, core + 1)[::-1], _hole(reference, peak, w.rate)), -1)


def end_edge(w: Wave, start: int, stop: int, reference: SineFit, peak: float) -> Edge:
    """The last sample of the last persistent departure from the reference in start..stop; start when it never departs.

    start: of the start edge. A departure too short to persist counts when it hangs together with that edge.
    """
    over, hole = _over(w, reference, peak), _hole(reference, peak, w.rate)
    last = last_persistent(over, start, stop, samples_of(PERSISTENCE, w.rate))
    if last is None:
        last = start + (first(over(start, min(stop, start + hole))) or 0)
    near = min(stop, last + 1 + cycle_of(w, reference))
    return Edge(last + _reach(over(last, near), hole), +1)


def farther(w: Wave, edge: Edge, reference: SineFit, other: SineFit, peak: float) -> Edge:
    """The edge moved outwards to a departure that does not persist and is cut off from it by a stretch in which the
    voltage on the other side of the disturbance (`other`) looks like the reference: longer than a zero crossing where
    the two are nearly in phase."""
    cycle = cycle_of(w, reference)
    low, high = (max(0, edge.seen - cycle), edge.seen + 1) if edge.outwards < 0 else (edge.seen, edge.seen + cycle)
    high = min(high, len(w.samples))
    time = w.times(low, high)
    expected = reference.at(time)
    alike = np.abs(other.at(time) - expected) <= THRESHOLD * peak
    far = np.abs(w.part(low, high) - expected) > THRESHOLD * peak
    step = edge.outwards
    pairs = (far & np.roll(far, 1) & (np.arange(len(far)) > 0))[::step]
    # Outwards of the edge, over everything in which the two look alike, as far as half a cycle.
    apart = first(~alike[::step][1:])
    hole = min(len(alike) - 1 if apart is None else apart + 1, cycle // 2)
    if hole <= _hole(reference, peak, w.rate):
        return edge
    return replace(edge, seen=edge.seen + step * _reach(np.concatenate([[True], pairs[1:]]), hole))


def cycle_of(w: Wave, reference: SineFit) -> int:
    """Samples of a cycle."""
    return max(4, round(w.rate / reference.frequency))


def _over(w: Wave, reference: SineFit, peak: float) -> Callable[[int, int], Flags]:
    def over(low: int, high: int) -> Flags:
        return np.abs(w.part(low, high) - reference.at(w.times(low, high))) > THRESHOLD * peak

    return over


def _reach(over: Flags, hole: int) -> int:
    """How far outwards from over[0] deviation goes on, holes of no more than `hole` samples overlooked."""
    where = np.flatnonzero(over)
    if not len(where):
        return 0
    gaps = np.flatnonzero(np.diff(where) > hole)
    return int(where[gaps[0]] if len(gaps) else where[-1])


def _hole(reference: SineFit, peak: float, rate: float) -> int:
    """Samples a dead voltage stays within the threshold of the reference about a zero crossing."""
    ratio = min(THRESHOLD * peak / reference.amplitude, 1.0)
    return math.ceil(1.1 * 2 * math.asin(ratio) / (2 * math.pi * reference.frequency) * rate) + 2


def bracket(w: Wave, edge: Edge, other: int, reference: SineFit, peak: float) -> Edge:
    """The edge with where it may lie in truth. other: sample of the edge at the disturbance's other side."""
    half = max(8, cycle_of(w, reference) // 2)
    quarter = half // 2
    noise = math.hypot(max(reference.residual, LEAST_NOISE * peak), w.resolution)
    inside, sine, turned = _walk(w, edge.seen, -edge.outwards, min(half, abs(edge.seen - other) + 1), reference)
    here, there = _depths(inside, sine, quarter, noise, edge.outwards)
    models = [(here, 0.0)] + [_residual(inside[:n], sine[:n], turned[:n]) for n in (quarter, quarter // 2)]
    away, sine, turned = _walk(w, edge.seen + edge.outwards, edge.outwards, half + quarter, reference)
    if not len(away):
        return edge
    depth, growth = abs(here), max(abs(there) - abs(here), 0.0)
    drift = 0.0
    if growth < STEADY * depth and depth >= SHARP:
        if max(abs(there - here), *(abs(aside) for _, aside in models)) > STEADY * depth / 4:
            # It moves: at the edge it may be half of that.
            models += [(part / 2, aside / 2) for part, aside in models]
        places = [_sharp(away, part * sine + aside * turned, noise) for part, aside in models]
        near, far = min(a for a, _ in places), max(b for _, b in places)
        far = max(far, _visible(away, 0.0 * sine, noise, peak, w.rate))
        if edge.outwards > 0 and growth > STEADY * depth / 4:
            # Near a zero crossing a fast soft start shows this little of itself.
            far = max(far, _gradual(away, sine, quarter, noise))
    else:
        # Noise may have carried the seen edge outwards as well, by the largest of many samples.
        early = 3 * noise / reference.amplitude * quarter / growth if growth > STEADY * depth / 2 else 0.0
        near, far = -round(min(early, quarter, len(inside) - 1)), _gradual(away, sine, quarter, noise)
        far = max(far, _visible(away, THRESHOLD * sine, noise, peak, w.rate))
        drift = THRESHOLD * quarter / growth if growth > STEADY * depth / 2 else 0.0
    return Edge(edge.seen, edge.outwards, near, max(far, _stray(away[:half], noise, peak, w.rate)), drift)


def _walk(w: Wave, begin: int, step: int, n: int, reference: SineFit) -> tuple[Floats, Floats, Floats]:
    """Of n samples from `begin` on in steps of +1 or -1: what is missing, the reference, the reference a quarter cycle
    before. Without the reference's offset."""
    n = min(n, len(w.samples) - begin if step > 0 else begin + 1)
    if n <= 0:
        return np.empty(0), np.empty(0), np.empty(0)
    low, high = (begin, begin + n) if step > 0 else (begin - n + 1, begin + 1)
    sine = reference.alternating(w.times(low, high))
    turned = reference.alternating(w.times(low, high) - 0.25 / reference.frequency)
    missing = sine - (w.part(low, high) - reference.offset)
    return missing[::step], sine[::step], turned[::step]


def _depth(missing: Floats, sine: Floats) -> float:
    """Part of the reference that is missing, negative of a swell; no more than all: a voltage that comes back turned
    over may have been dead before."""
    power = float(sine @ sine)
    return min(float(missing @ sine) / power, 1.0) if power > 0 else 1.0


def _depths(inside: Floats, sine: Floats, quarter: int, noise: float, outwards: int) -> tuple[float, float]:
    """Depth of the last quarter cycle before the edge and of the one before that; of a departure too short for both, of
    its halves, where it ends and noise lets them be told apart: a start soft as that looks sharp as a whole."""
    if len(inside) > quarter + quarter // 2:
        return _depth(inside[:quarter], sine[:quarter]), _depth(inside[quarter:], sine[quarter:])
    whole, middle = _depth(inside, sine), len(inside) // 2
    near, far = float(sine[:middle] @ sine[:middle]), float(sine[middle:] @ sine[middle:])
    if outwards < 0 or min(near, far) <= 0 or noise * math.sqrt(SURE * (1 / near + 1 / far)) > STEADY:
        return whole, whole
    return _depth(inside[:middle], sine[:middle]), _depth(inside[middle:], sine[middle:])


def _residual(missing: Floats, sine: Floats, turned: Floats) -> tuple[float, float]:
    """(depth, what is missing in quadrature): a motor's residual voltage turns against the reference."""
    if len(missing) < 4:
        return 1.0, 0.0
    terms, *_ = np.linalg.lstsq(np.column_stack([sine, turned]), missing, rcond=1e-2)
    return min(float(terms[0]), 1.0), float(terms[1])


def _visible(missing: Floats, allowed: Floats, noise: float, peak: float, rate: float) -> int:
    """Samples outwards up to which plainly more is missing than allowed, without a hole longer than the persistence."""
    width = max(3, round(0.1e-3 * rate))
    if len(missing) < width:
        return 0
    level = max(math.sqrt(SURE / width) * noise, VISIBLE * peak) + np.abs(allowed[width - 1 :])
    over = np.abs(_means(missing, width)) > level
    reach = _reach(np.concatenate([[True], over]), samples_of(PERSISTENCE, rate))
    return reach + width - 1 if reach else 0


def _stray(missing: Floats, noise: float, peak: float, rate: float) -> int:
    """Samples outwards to the last 0.1 ms that may be out of tolerance, whatever hole lies before it.

    Too short to persist, and yet perhaps the end of a residual voltage that looked like the live one on the way: the
    edge may be there or not. What only just comes out of tolerance is less than that in its mean.
    """
    width = max(3, round(0.1e-3 * rate))
    if len(missing) < width:
        return 0
    level = max(NEARLY * THRESHOLD * peak, 1.2 * math.sqrt(SURE / width) * noise)
    where = np.flatnonzero(np.abs(_means(missing, width)) > level)
    return int(where[-1]) + width if len(where) else 0


def _means(values: Floats, width: int) -> Floats:
    """Mean of every `width` neighbours."""
    total = np.cumsum(np.concatenate([[0.0], values]))
    means: Floats = (total[width:] - total[:-width]) / width
    return means


def _sharp(missing: Floats, lost: Floats, noise: float) -> tuple[int, int]:
    """Nearest and farthest number of samples outwards that may still lie inside. lost: what is missing there."""
    cost = np.concatenate([[0.0], np.cumsum((missing - lost) ** 2 - missing**2)])  # of calling the first k so
    places = np.flatnonzero(cost <= cost.min() + SURE * noise**2)
    return int(places[0]), int(places[-1])


def _gradual(missing: Floats, sine: Floats, quarter: int, noise: float) -> int:
    """Samples outwards until the depth of the last quarter cycle is known to be below the threshold."""
    power = np.concatenate([[0.0], np.cumsum(sine**2)])
    lost = np.concatenate([[0.0], np.cumsum(missing * sine)])
    low = np.maximum(np.arange(1, len(power)) - quarter, 0)
    window = power[1:] - power[low]
    known = window >= SURE * noise**2 / (THRESHOLD / 2) ** 2
    inside = first(known & (np.abs(lost[1:] - lost[low]) + 2 * noise * np.sqrt(window) <= THRESHOLD * window))
    return len(missing) if inside is None else inside
