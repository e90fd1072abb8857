"""Voltage waveforms, rendered when somebody looks, from what has been recorded: no sample is computed in advance.

Theory
  Each AC bus (mains terminals, house) is a row of segments. A segment has the rms voltage of both legs, a frequency,
  the phase at its beginning, and a shape:
    STEADY   the sine
    RISE     the sine times a ramp 0..1 over `span` (soft start), then steady
    FALL     the sine times exp(-t/span): what a dead bus still holds (filter capacitors, running-down motors)
  Within a segment v = sqrt(2)*u*shape(t)*sin(2*pi*(turns + f*t)); leg L2 is the antiphase.
  The DC connector is a row of points joined by straight lines, with a ripple of twice the AC frequency in proportion
  to the current. The auxiliary contact is a row of moves, each with its bounce.

  A segment or point older than the horizon is dropped when a new one comes, except the one the horizon lies in, so
  memory stays flat over days; who asks for older samples is refused.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from rig.errors import UseError
from rig.plant.pcs import CLOSING_BOUNCE, OPENING_BOUNCE

RIPPLE = 0.3
"""V peak at 30 A (project choice: a few tenths of a volt on a 360 V output)."""
RIPPLE_CURRENT = 30.0
AUX_VOLTAGE = 12.0
"""V of a closed auxiliary contact (ports: pcs_aux)."""
SLACK = 1e-9
"""s: bench times are whole nanoseconds."""

Samples = npt.NDArray[np.float32]


class Shape(Enum):
    """Envelope of a segment."""

    STEADY = "steady"
    RISE = "rise"
    FALL = "fall"


@dataclass(frozen=True, slots=True)
class Segment:
    """An AC bus from `at` (s) on. u: V rms per leg. turns: phase of leg L1 at `at`. span: s of RISE or FALL."""

    at: float
    u: tuple[float, float]
    f: float
    turns: float
    shape: Shape = Shape.STEADY
    span: float = 0.0

    def turns_at(self, t: float) -> float:
        """Phase of leg L1 at t (s) in turns, 0..1."""
        return (self.turns + self.f * (t - self.at)) % 1.0

    def scale_at(self, t: float) -> float:
        """Envelope at t (s), 0..1."""
        if self.shape is Shape.STEADY:
            return 1.0
        if self.span <= 0.0:
            return 1.0 if self.shape is Shape.RISE else 0.0
        share = (t - self.at) / self.span
        return min(share, 1.0) if self.shape is Shape.RISE else math.exp(-share)

    def render(self, leg: int, since: float, k: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """V at since + k (s)."""
        t = k + (since - self.at)
        phase = self.turns_at(since) + self.f * k
        v: npt.NDArray[np.float64] = np.sin((2.0 * math.pi) * phase) * (math.sqrt(2.0) * self.u[leg] * (1 - 2 * leg))
        if self.shape is Shape.STEADY:
            return v
        if self.span <= 0.0:
            return v if self.shape is Shape.RISE else np.zeros_like(v)
        share = np.maximum(t, 0.0) / self.span
        v *= np.minimum(share, 1.0) if self.shape is Shape.RISE else np.exp(-share)
        return v


class DcPoint(NamedTuple):
    """The DC connector at a moment: V, A."""

    at: float
    u: float
    i: float


class AuxMove(NamedTuple):
    """The auxiliary contact moved."""

    at: float
    closed: bool


Timed = TypeVar("Timed", Segment, DcPoint, AuxMove)


class History:
    """What has been, as far back as `horizon` (s)."""

    def __init__(self, start: float, f: float, horizon: float) -> None:
        dead = Segment(start, (0.0, 0.0), f, 0.0)
        self.start, self.horizon = start, horizon
        self._f = f
        self.grid: deque[Segment] = deque([dead])
        self.house: deque[Segment] = deque([dead])
        self.dc: deque[DcPoint] = deque([DcPoint(start, 0.0, 0.0)])
        self.aux: deque[AuxMove] = deque([AuxMove(start, False)])

    def add_grid(self, segment: Segment) -> None:
        """The mains terminals from now on."""
        _append(self.grid, segment, self.horizon)

    def add_house(self, segment: Segment) -> None:
        """The house bus from now on."""
        _append(self.house, segment, self.horizon)
        if segment.u[0] > 0.0:
            self._f = segment.f

    def add_dc(self, at: float, u: float, i: float) -> None:
        """A point the DC voltage runs to in a straight line."""
        _append(self.dc, DcPoint(at, u, i), self.horizon)

    def step_dc(self, at: float, u: float, i: float) -> None:
        """The DC voltage held until now and is this from now on."""
        last = self.dc[-1]
        if last.at < at:
            self.add_dc(at, last.u, last.i)
        self.add_dc(at, u, i)

    def add_aux(self, at: float, closed: bool) -> None:
        """The auxiliary contact moved."""
        _append(self.aux, AuxMove(at, closed), self.horizon)

    def refuse_unknown(self, start: float, seconds: float, now: float) -> None:
        """UseError for a window that is not (or no longer, or not yet) recorded."""
        oldest = max(self.start, now - self.horizon)
        if start < oldest - SLACK:
            why = "before the bench was opened" if start < self.start else f"the history holds {self.horizon:g} s"
            raise UseError(
                f"waves(start={start:g} s): {why}; ask from {oldest:g} s on, or give PlantParams a longer horizon"
            )
        if start + seconds > now + SLACK:
            raise UseError(f"waves(until={start + seconds:g} s): it is {now:g} s now; advance the plant first")

    def ac(self, row: deque[Segment], leg: int, start: float, n: int, rate: float) -> Samples:
        """V, n samples of a bus from start (s) at rate (S/s)."""
        out = np.zeros(n, dtype=np.float32)
        end, stop = start + n / rate, n
        for segment in reversed(row):
            if segment.at >= end:
                continue
            first = max(_first_sample(segment.at, start, rate), 0)
            if first < stop:
                since = start + first / rate
                k = np.arange(stop - first, dtype=np.float64) / rate
                out[first:stop] = segment.render(leg, since, k)
                stop = first
            if stop == 0:
                break
        return out

    def dc_wave(self, start: float, n: int, rate: float) -> Samples:
        """V at the connector."""
        at, u, i = (np.array(column) for column in zip(*self.dc, strict=True))
        t = start + np.arange(n, dtype=np.float64) / rate
        ripple = np.interp(t, at, np.abs(i)) * (RIPPLE / RIPPLE_CURRENT)
        wave = np.interp(t, at, u) + ripple * np.sin((4.0 * math.pi * self._f) * t)
        return np.asarray(wave, dtype=np.float32)

    def aux_wave(self, start: float, n: int, rate: float) -> Samples:
        """V at the auxiliary contact, with its bounce."""
        moves: list[tuple[float, bool]] = []
        for move in self.aux:
            while moves and moves[-1][0] >= move.at:
                moves.pop()
            bounce = (CLOSING_BOUNCE if move.closed else OPENING_BOUNCE) if move.at > self.start else ((0.0, False),)
            moves += [(move.at + after, closed) for after, closed in bounce]
        out = np.zeros(n, dtype=np.float32)
        for at, closed in moves:
            first = min(max(_first_sample(at, start, rate), 0), n)
            out[first:] = AUX_VOLTAGE if closed else 0.0
        return out


def _first_sample(at: float, start: float, rate: float) -> int:
    """Index of the first sample at or after `at`; a rounding of the times does not count."""
    return math.ceil((at - start) * rate - 1e-6)


def _append(row: deque[Timed], item: Timed, keep: float) -> None:
    """Append and drop what the horizon has left behind, the one it lies in excepted."""
    row.append(item)
    oldest = item.at - keep
    while len(row) > 1 and row[1].at <= oldest:
        row.popleft()
