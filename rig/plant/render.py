"""Waveforms, rendered when somebody looks, from what has been recorded: no sample is computed in advance.

Theory
  Each AC bus (mains terminals, house) is a row of segments. A segment has the rms voltage of both legs, a frequency,
  the phase at its beginning, and a shape:
    STEADY   the sine
    RISE     the sine times a ramp 0..1 over `span` (soft start), then steady
    FALL     the sine times exp(-t/span): what a dead bus still holds (filter capacitors, running-down motors)
  Within a segment v = sqrt(2)*u*shape(t)*sin(2*pi*(turns + f*t)); leg L2 is the antiphase. A distorted source adds a
  third harmonic, in phase, within the same rms.
  The DC connector is a row of segments too, each at rest, on an exponential or on a straight line. Its voltage has a
  ripple of twice the house bus's frequency in proportion to the current; the current is drawn as it goes, without one.
  The auxiliary contact is a row of moves, each with its bounce.

  A segment older than the horizon is dropped when a new one comes, except the one the horizon lies in, so
  memory stays flat over days; who asks for older samples is refused.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
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
ALIKE = 1e-9
"""Relative difference of two values that differ by rounding only."""

Samples = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]


class Shape(Enum):
    """Envelope of a segment."""

    STEADY = "steady"
    RISE = "rise"
    FALL = "fall"


@dataclass(frozen=True, slots=True)
class Segment:
    """An AC bus from `at` (s) on. u: V rms per leg at the envelope's 1. turns: phase of leg L1 at `at`. span: s of RISE
    (its length) or FALL (its time constant). past: s of it that lie before `at`. third: harmonic, of the fundamental.
    """

    at: float
    u: tuple[float, float]
    f: float
    turns: float
    shape: Shape = Shape.STEADY
    span: float = 0.0
    past: float = 0.0
    third: float = 0.0

    def turns_at(self, t: float) -> float:
        """Phase of leg L1 at t (s) in turns, 0..1."""
        return (self.turns + self.f * (t - self.at)) % 1.0

    def scale_at(self, t: float) -> float:
        """Envelope at t (s), 0..1."""
        if self.shape is Shape.STEADY:
            return 1.0
        if self.span <= 0.0:
            return 1.0 if self.shape is Shape.RISE else 0.0
        share = (t - self.at + self.past) / self.span
        return min(share, 1.0) if self.shape is Shape.RISE else math.exp(-share)

    def render(self, leg: int, since: float, k: Floats) -> Floats:
        """V at since + k (s)."""
        t = k + (since - self.at)
        phase = self.turns_at(since) + self.f * k
        v: Floats = np.sin((2.0 * math.pi) * phase)
        if self.third:
            v = (v + self.third * np.sin((6.0 * math.pi) * phase)) / math.hypot(1.0, self.third)
        v *= math.sqrt(2.0) * self.u[leg] * (1 - 2 * leg)
        if self.shape is Shape.STEADY:
            return v
        if self.span <= 0.0:
            return v if self.shape is Shape.RISE else np.zeros_like(v)
        share = np.maximum(t + self.past, 0.0) / self.span
        v *= np.minimum(share, 1.0) if self.shape is Shape.RISE else np.exp(-share)
        return v


@dataclass(frozen=True, slots=True)
class DcSegment:
    """The DC connector from `at` (s) on: u (V) and i (A) on their way to their goals, on an exponential of tau (s), on
    a straight line of slope (V/s), or, both 0, at rest. The next segment begins when the goal is reached."""

    at: float
    u: float
    i: float
    u_goal: float
    i_goal: float
    tau: float = 0.0
    slope: float = 0.0

    def values(self, t: Floats) -> tuple[Floats, Floats]:
        """V, A at t (s)."""
        past = t - self.at
        if self.tau > 0.0:
            left = np.exp(-past / self.tau)
            return self.u_goal + (self.u - self.u_goal) * left, self.i_goal + (self.i - self.i_goal) * left
        return self.u + self.slope * past, np.full_like(past, self.i)

    def leads_to(self, new: DcSegment) -> bool:
        """Whether a segment is what this one goes on to be."""
        if self.tau != new.tau or self.slope != new.slope:
            return False
        if not _same(self.u_goal, new.u_goal) or not _same(self.i_goal, new.i_goal):
            return False
        past = new.at - self.at
        left = math.exp(-past / self.tau) if self.tau > 0.0 else 1.0
        u = self.u_goal + (self.u - self.u_goal) * left if self.tau > 0.0 else self.u + self.slope * past
        return _same(u, new.u) and _same(self.i_goal + (self.i - self.i_goal) * left, new.i)


class AuxMove(NamedTuple):
    """The auxiliary contact moved."""

    at: float
    closed: bool


Timed = TypeVar("Timed", Segment, DcSegment, AuxMove)


class History:
    """What has been, as far back as `horizon` (s)."""

    def __init__(self, start: float, f: float, horizon: float) -> None:
        dead = Segment(start, (0.0, 0.0), f, 0.0)
        self.start, self.horizon = start, horizon
        self.grid: deque[Segment] = deque([dead])
        self.house: deque[Segment] = deque([dead])
        self.dc: deque[DcSegment] = deque([DcSegment(start, 0.0, 0.0, 0.0, 0.0)])
        self.aux: deque[AuxMove] = deque([AuxMove(start, False)])

    def add_grid(self, segment: Segment) -> None:
        """The mains terminals from now on."""
        _append(self.grid, segment, self.horizon)

    def add_house(self, segment: Segment) -> None:
        """The house bus from now on."""
        _append(self.house, segment, self.horizon)

    def add_dc(self, segment: DcSegment) -> None:
        """The DC connector from now on."""
        _append(self.dc, segment, self.horizon)

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
        for segment, first, stop in _parts(row, start, n, rate):
            k = np.arange(stop - first, dtype=np.float64) / rate
            out[first:stop] = segment.render(leg, start + first / rate, k)
        return out

    def dc_wave(self, start: float, n: int, rate: float) -> Samples:
        """V at the connector: its course, and the ripple of twice the house bus's frequency."""
        t = start + np.arange(n, dtype=np.float64) / rate
        u, i, turns = np.zeros(n), np.zeros(n), np.zeros(n)
        for segment, first, stop in _parts(self.dc, start, n, rate):
            u[first:stop], i[first:stop] = segment.values(t[first:stop])
        for bus, first, stop in _parts(self.house, start, n, rate):
            turns[first:stop] = bus.turns + bus.f * (t[first:stop] - bus.at)
        ripple = np.abs(i) * (RIPPLE / RIPPLE_CURRENT)
        return np.asarray(u + ripple * np.sin((4.0 * math.pi) * turns), dtype=np.float32)

    def dc_current(self, start: float, n: int, rate: float) -> Samples:
        """A into the vehicle at the connector, its course."""
        t = start + np.arange(n, dtype=np.float64) / rate
        out = np.zeros(n, dtype=np.float32)
        for segment, first, stop in _parts(self.dc, start, n, rate):
            out[first:stop] = segment.values(t[first:stop])[1]
        return out

    def aux_wave(self, start: float, n: int, rate: float) -> Samples:
        """V at the auxiliary contact, with its bounce."""
        moves: list[tuple[float, bool]] = []
        for move in tuple(self.aux):
            while moves and moves[-1][0] >= move.at:
                moves.pop()
            bounce = (CLOSING_BOUNCE if move.closed else OPENING_BOUNCE) if move.at > self.start else ((0.0, False),)
            moves += [(move.at + after, closed) for after, closed in bounce]
        out = np.zeros(n, dtype=np.float32)
        for at, closed in moves:
            first = min(max(_first_sample(at, start, rate), 0), n)
            out[first:] = AUX_VOLTAGE if closed else 0.0
        return out


def _parts(row: deque[Timed], start: float, n: int, rate: float) -> Iterator[tuple[Timed, int, int]]:
    """Each segment that reaches into n samples from start (s) at rate (S/s), newest first, and which samples it has."""
    stop = n
    for segment in tuple(reversed(row)):  # as it is now: a real bench renders beside the thread that moves the plant
        first = min(max(_first_sample(segment.at, start, rate), 0), n)
        if first < stop:
            yield segment, first, stop
            stop = first
        if stop == 0:
            return


def _same(a: float, b: float) -> bool:
    return abs(a - b) <= ALIKE * max(abs(a), abs(b), 1.0)


def _first_sample(at: float, start: float, rate: float) -> int:
    """Index of the first sample at or after `at`; a rounding of the times does not count."""
    return math.ceil((at - start) * rate - 1e-6)


def _append(row: deque[Timed], item: Timed, keep: float) -> None:
    """Append and drop what the horizon has left behind, the one it lies in excepted."""
    row.append(item)
    oldest = item.at - keep
    while len(row) > 1 and row[1].at <= oldest:
        row.popleft()
