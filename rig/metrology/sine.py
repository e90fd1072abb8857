"""A sine through samples by least squares, frequency fitted too (IEEE 1057, four parameters), and what repeats with it.

v(t) = a cos wt + b sin wt + c, + shape(wt). With w unknown the model is linearised about the last w (Gauss-Newton). The
first w must be near: the phase it is wrong by at the ends of the window stays well below half a turn.

shape: what is left of the fit and comes again each cycle, averaged in steps of phase: all harmonics at once. With it a
distorted mains departs from its reference by its noise only.

Products of whole records are einsum's, not those of BLAS: that takes several threads for so little, and on a busy
machine waits for them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from rig.metrology.wave import BLOCK, Floats, Wave

ROUNDS = 8
STILL = 1e-7
"""Of the frequency: a step so small ends a fit; five cycles off its middle it is a few millionths of a radian."""
NEAR = 1e-4
"""Of the frequency: pieces fitted with one so near lose nothing (2 pi * 2 cycles * NEAR is a milliradian)."""
SHAPE_STEPS = 200
"""Steps of phase of a shape: the 50th harmonic has four of them (project choice)."""


@dataclass(frozen=True, slots=True, eq=False)
class SineFit:
    """amplitude: V peak. phase: rad at time 0 of v = amplitude * sin(wt + phase) + offset. residual: V rms about it.

    shape: V, what repeats each cycle beside the sine, at equal steps of phase from 0; None when it was not asked for.
    """

    amplitude: float
    frequency: float
    phase: float
    offset: float
    residual: float
    begin: float
    end: float
    shape: Floats | None = None

    def at(self, time: Floats) -> Floats:
        """V at times (s, of the same time base as the fit)."""
        return self.alternating(time) + self.offset

    def alternating(self, time: Floats) -> Floats:
        """The same without its offset: what vanishes when a contact opens, whatever the digitizer's zero."""
        angle = 2 * math.pi * self.frequency * time + self.phase
        values: Floats = self.amplitude * np.sin(angle)
        if self.shape is not None:
            values += shape_at(self.shape, angle / (2 * math.pi))
        return values

    def phase_at(self, time: float) -> float:
        """Phase angle at a time, degrees, not wrapped."""
        return math.degrees(2 * math.pi * self.frequency * time + self.phase)


def fit_sine(time: Floats, values: Floats, frequency: float) -> SineFit:
    """Fit a sine. time: s. frequency: Hz, a first guess."""
    middle = float(time[0] + time[-1]) / 2
    t = time - middle
    w = 2 * math.pi * frequency
    rows = np.ones((4, len(t)))  # cos, sin, what a step of w changes, 1
    cos, sin, turned, _ = rows
    a = b = c = 0.0
    solved: Floats = np.zeros(4)
    for round_ in range(ROUNDS):
        np.cos(np.multiply(w, t, out=cos), out=cos)
        np.sin(np.multiply(w, t, out=sin), out=sin)
        if round_ == 0:
            a, b, c = _least_squares(rows[[0, 1, 3]], values)
        np.multiply(b, cos, out=turned)
        turned -= a * sin
        turned *= t
        a, b, step, c = solved = _least_squares(rows, values)
        w += float(np.clip(step, -0.05 * w, 0.05 * w))
        if abs(step) < STILL * w:
            break
    # The last step is in the terms and in what is left, to the first order.
    rest = values - np.einsum("i,in->n", solved, rows)
    return SineFit(
        amplitude=math.hypot(a, b),
        frequency=w / (2 * math.pi),
        phase=math.atan2(a, b) - w * middle,
        offset=float(c),
        residual=math.sqrt(float(np.mean(np.square(rest)))),
        begin=float(time[0]),
        end=float(time[-1]),
    )


def _least_squares(rows: Floats, values: Floats) -> Floats:
    """By the normal equations, each row scaled to length 1; singular ones (a dead voltage) by the least answer."""
    products = np.einsum("in,jn->ij", rows, rows)
    length = np.sqrt(np.diagonal(products))
    length = np.where(length > 0, length, 1.0)
    terms, *_ = np.linalg.lstsq(
        products / np.outer(length, length), np.einsum("in,n->i", rows, values) / length, rcond=1e-12
    )
    return np.asarray(terms / length, dtype=np.float64)


def with_shape(fit: SineFit, time: Floats, values: Floats) -> SineFit:
    """The fit with what repeats each cycle of the very samples it was made of, and the residual about both.

    Harmonics pull at the frequency of a few cycles: the sine is fitted once more without them.
    """
    shape, turn, _ = _shape(fit, time, values)
    fit = fit_sine(time, values - shape_at(shape, turn), fit.frequency)
    shape, turn, rest = _shape(fit, time, values)
    left = rest - shape_at(shape, turn)
    # Each step of the shape took a share of the noise with it.
    free = max(1, len(time) - len(shape))
    return replace(fit, shape=shape, residual=math.sqrt(float(np.sum(np.square(left))) / free))


def shape_at(shape: Floats, turn: Floats) -> Floats:
    """A shape at phases, in turns."""
    steps = np.linspace(0.0, 1.0, len(shape) + 1)
    values: Floats = np.interp(turn % 1.0, steps, np.append(shape, shape[0]))
    return values


def _shape(fit: SineFit, time: Floats, values: Floats) -> tuple[Floats, Floats, Floats]:
    """What repeats beside the sine, the phase of each sample, turns, and what the sine leaves of it."""
    rest = values - fit.at(time)
    turn = fit.frequency * time + fit.phase / (2 * math.pi)
    steps = min(SHAPE_STEPS, max(4, int(len(time) / (5 * max(1.0, fit.frequency * (fit.end - fit.begin))))))
    nearest = np.rint(turn * steps).astype(np.intp) % steps
    counted = np.bincount(nearest, minlength=steps)
    summed = np.bincount(nearest, weights=rest, minlength=steps)
    return summed / np.maximum(counted, 1), turn, rest


def fit_record(w: Wave, guess: SineFit) -> SineFit:
    """The fundamental of a whole record of any length, from a fit of its beginning; time 0 at its first sample.

    Each two cycles are fitted at a fixed frequency; the frequency comes from how their phases run on (a straight line
    by least squares loses nothing against one fit over all samples). The residual is about these pieces.
    """
    f = guess.frequency
    length = max(8, round(2 * w.rate / f))
    pieces = len(w.samples) // length
    if pieces < 3:
        return fit_sine(w.time, w.volts(), f)
    number = np.arange(pieces)
    for _ in range(3):
        a, b, c, rest = _pieces(w, f, length, pieces)
        angle = np.unwrap(np.arctan2(a, b) - _turns(f, length, pieces, w.rate))
        slope = float(np.polyfit(number, angle, 1)[0])  # rad a piece that f is wrong by
        step = slope * w.rate / length / (2 * math.pi)
        f += step
        if abs(step) < NEAR * f:
            break
    # Each piece has its true phase in its middle, whatever f was: half a piece's slope lies between that and its begin.
    phasor = complex(np.mean(np.hypot(a, b) * np.exp(1j * (angle - slope * (number + 0.5)))))
    return SineFit(
        amplitude=abs(phasor),
        frequency=f,
        phase=math.atan2(phasor.imag, phasor.real),
        offset=float(np.mean(c)),
        residual=math.sqrt(float(np.sum(rest)) / (pieces * length)),
        begin=0.0,
        end=(len(w.samples) - 1) / w.rate,
    )


def _turns(f: float, length: int, pieces: int, rate: float) -> Floats:
    """Phase a sine of frequency f has run by the begin of each piece, rad, whole turns dropped."""
    return np.asarray(2 * math.pi * ((np.arange(pieces) * (length * f / rate)) % 1.0), dtype=np.float64)


def _pieces(w: Wave, f: float, length: int, pieces: int) -> tuple[Floats, Floats, Floats, Floats]:
    """a, b, c of each piece on its own time, and its sum of squares about them."""
    angle = 2 * math.pi * f / w.rate * np.arange(length)
    columns = np.column_stack([np.cos(angle), np.sin(angle), np.ones(length)])
    inverse = np.linalg.inv(columns.T @ columns)
    w.must_not_clip()
    terms = np.empty((pieces, 3))
    rest = np.empty(pieces)
    several = max(1, BLOCK // length)
    for begin in range(0, pieces, several):
        end = min(pieces, begin + several)
        values = w.samples[begin * length : end * length].astype(np.float64).reshape(end - begin, length)
        with np.errstate(invalid="ignore"):  # told in words below
            projected = np.stack([np.einsum("pn,n->p", values, column) for column in columns.T.copy()], axis=1)
            terms[begin:end] = projected @ inverse
            squares = np.einsum("ij,ij->i", values, values)
            rest[begin:end] = np.maximum(squares - np.einsum("ij,ij->i", projected, terms[begin:end]), 0.0)
    if not np.isfinite(rest).all():
        raise w.no_number()
    return terms[:, 0], terms[:, 1], terms[:, 2], rest
