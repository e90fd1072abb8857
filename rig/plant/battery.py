"""The car's pack as an equivalent circuit: OCV(soc) + R0 + two RC pairs, a coulomb counter and one lump of heat.

Theory
  terminal voltage = ocv(soc) + v1 + v2 + R0*i, i positive charging. For a current constant over an interval each RC
  pair has the closed form v(t) = i*R + (v0 - i*R)*exp(-t/tau), so an interval of any length is one exact step, and so
  is the temperature's: its heat is a sum of exponentials.
  ocv is a monotone cubic (Fritsch-Carlson) through measured points, so its integral, the chemical energy, is a
  polynomial: what goes in at the terminals is d(chemical) + heat + d(rc_stored) by construction, not by tolerance.

  Outside 0..1 the curve goes on in a straight line: a pack that is over-charged or run empty shows it in its voltage.
  Resistance does not follow temperature: no public figure was found (chademo.md 4).

The points (chademo.md 4 [CLARA volts/leaf 24-30kwh], dashboard per cent) were read at different currents and disagree
(87 % 392 V, 88 % 388-390 V). Points closer than 6 % to each other are taken as one, at their mean. The ends are the
loaded end points of a 2011 car [diyelectriccar]: shutdown 3.20 V and charge end 4.10 V a cell, 96 cells.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

SECONDS_PER_HOUR = 3600.0

LEAF_OCV = (
    (0.0, 307.2),
    (0.07, 350.0),
    (0.1467, 361.0),
    (0.375, 377.5),
    (0.47, 380.0),
    (0.55, 382.0),
    (0.73, 383.0),
    (0.875, 390.0),
    (1.0, 393.6),
)
"""(soc, V) after merging: 12/15/17 %, 37/38 %, 87/88 % are one point each (see the head)."""


@dataclass(frozen=True)
class OcvCurve:
    """A monotone cubic through points (soc rising, V rising), and its integral over soc."""

    points: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        pairs = tuple(pairwise(self.points))
        if len(pairs) < 2 or any(b[0] <= a[0] or b[1] <= a[1] for a, b in pairs):
            raise ValueError("an OCV curve needs 3 or more points, soc and voltage both rising")

    @cached_property
    def _soc(self) -> tuple[float, ...]:
        return tuple(s for s, _ in self.points)

    @cached_property
    def _pieces(self) -> tuple[tuple[float, float, float, float, float, float], ...]:
        """Per interval: soc0, c0..c3 of the cubic in (soc - soc0), integral up to soc0. The ends are straight."""
        knots, slopes = self.points, monotone_slopes(self.points)
        pieces = [(knots[0][0], knots[0][1], slopes[0], 0.0, 0.0, 0.0)]
        total = 0.0
        for (s0, u0), (s1, u1), m0, m1 in zip(knots, knots[1:], slopes, slopes[1:], strict=False):
            h, chord = s1 - s0, (u1 - u0) / (s1 - s0)
            piece = (s0, u0, m0, (3 * chord - 2 * m0 - m1) / h, (m0 + m1 - 2 * chord) / h**2, total)
            pieces.append(piece)
            total = _integral(piece, h)
        return (*pieces, (knots[-1][0], knots[-1][1], slopes[-1], 0.0, 0.0, total))

    def voltage(self, soc: float) -> float:
        """V at rest."""
        s0, c0, c1, c2, c3, _ = self._pieces[bisect_right(self._soc, soc)]
        x = soc - s0
        return c0 + x * (c1 + x * (c2 + x * c3))

    def integral(self, soc: float) -> float:
        """V: the integral of the voltage over soc from the first point."""
        piece = self._pieces[bisect_right(self._soc, soc)]
        return _integral(piece, soc - piece[0])


def _integral(piece: tuple[float, float, float, float, float, float], x: float) -> float:
    _, c0, c1, c2, c3, before = piece
    return before + x * (c0 + x * (c1 / 2 + x * (c2 / 3 + x * c3 / 4)))


def monotone_slopes(points: tuple[tuple[float, float], ...]) -> tuple[float, ...]:
    """V per unit soc at each point, such that the cubic never falls between rising points (Fritsch-Carlson 1980,
    harmonic mean of the neighbouring chords; at the ends the chord itself)."""
    chords = [(u1 - u0) / (s1 - s0) for (s0, u0), (s1, u1) in pairwise(points)]
    inner = [2 * a * b / (a + b) for a, b in pairwise(chords)]
    return (chords[0], *inner, chords[-1])


@dataclass(frozen=True)
class PackParams:
    """A pack. Resistances in ohm as seen at the EVSE's side of the cable."""

    name: str
    capacity: float
    """C at full; LEAF 24 kWh: 96s2p of 32.5 Ah cells, 65 Ah (chademo.md 4 [carhackingwiki])."""
    curve: OcvCurve
    r0: float
    """ohm; with the pairs below 0.13 ohm after 1.5 s and 0.19 ohm after 20 s (chademo.md 4, estimate from log A)."""
    r1: float
    tau1: float
    """s; the split between the two pairs is a project choice within the two figures of r0."""
    r2: float
    tau2: float
    thermal_mass: float = 200e3
    """J/K; project choice: some 200 kg of cells and frame at about 1 kJ/(kg K)."""
    thermal_conductance: float = 8.0
    """W/K to ambient; project choice: an uncooled pack, hours to settle."""
    ambient: float = 25.0
    """degC; project choice: the laboratory."""
    source: str = field(default="chademo.md 4", compare=False)


LEAF_24KWH = PackParams(
    name="LEAF 24 kWh",
    capacity=65.0 * SECONDS_PER_HOUR,
    curve=OcvCurve(LEAF_OCV),
    r0=0.100,
    r1=0.050,
    tau1=2.0,
    r2=0.1025,
    tau2=40.0,
)


def _faded(t: float, a: float, b: float) -> float:
    """s: what exp(-a*x) poured in over 0..t leaves at t where all fades with exp(-b*x)."""
    slow, apart = min(a, b), abs(b - a)
    return math.exp(-slow * t) * (t if apart == 0.0 else -math.expm1(-apart * t) / apart)


class _Pair:
    """One RC pair. v: V across it. Energies since the start in J."""

    __slots__ = ("heat", "r", "tau", "v")

    def __init__(self, r: float, tau: float) -> None:
        self.r, self.tau = r, tau
        self.v = self.heat = 0.0

    def warming(self, i: float, t: float, rate: float) -> float:
        """J its heat adds to a lump that cools at `rate` (1/s), left of it after t at constant current i."""
        goal, gap = i * self.r, self.v - i * self.r
        parts = ((goal * goal, 0.0), (2.0 * goal * gap, 1.0 / self.tau), (gap * gap, 2.0 / self.tau))
        return sum(share * _faded(t, fade, rate) for share, fade in parts) / self.r

    def advance(self, i: float, t: float) -> float:
        """Constant current i for t. J that went into the pair: stored or heat."""
        goal, gap = i * self.r, self.v - i * self.r
        fade = -math.expm1(-t / self.tau)
        fade2 = -math.expm1(-2.0 * t / self.tau)
        area = goal * t + gap * self.tau * fade
        square = goal * goal * t + 2.0 * goal * gap * self.tau * fade + 0.5 * gap * gap * self.tau * fade2
        self.v = goal + gap * (1.0 - fade)
        self.heat += square / self.r
        return i * area

    def stored(self) -> float:
        return 0.5 * self.v * self.v * self.tau / self.r


class Pack:
    """A pack in use. soc: 0..1 (not clipped, see the head). temperature: degC.

    Energy account in J: terminal (in at the terminals) and heat since the start; chemical and rc_stored are what is
    held now. terminal = change of chemical + heat + change of rc_stored.
    """

    def __init__(self, params: PackParams = LEAF_24KWH, soc: float = 0.5, temperature: float = 25.0) -> None:
        self.params = params
        self.soc = soc
        self.temperature = temperature
        self.terminal = 0.0
        self._ohmic = 0.0
        self._pairs = (_Pair(params.r1, params.tau1), _Pair(params.r2, params.tau2))

    def advance(self, current: float, seconds: float) -> None:
        """Drive it with a constant current. current: A, positive charging. seconds: 0 or more."""
        if not (seconds >= 0.0 and math.isfinite(current) and math.isfinite(seconds)):
            raise ValueError(f"pack: advance({current}, {seconds}): current finite, seconds finite and 0 or more")
        if seconds == 0.0:
            return
        self._warm(current, seconds)
        chemical = self.chemical
        self.soc += current * seconds / self.params.capacity
        ohmic = self.params.r0 * current * current * seconds
        self._ohmic += ohmic
        into_pairs = sum(pair.advance(current, seconds) for pair in self._pairs)
        self.terminal += (self.chemical - chemical) + into_pairs + ohmic

    def ocv(self) -> float:
        """V at rest."""
        return self.params.curve.voltage(self.soc)

    def source_voltage(self) -> float:
        """V behind R0: the rest voltage and what the slow pairs hold."""
        return self.ocv() + self._pairs[0].v + self._pairs[1].v

    def resistance(self) -> float:
        """ohm, R0."""
        return self.params.r0

    def voltage(self, current: float) -> float:
        """V at the terminals with this current (A, positive charging)."""
        return self.source_voltage() + self.params.r0 * current

    @property
    def chemical(self) -> float:
        """J above the first point of the curve."""
        return self.params.capacity * self.params.curve.integral(self.soc)

    @property
    def heat(self) -> float:
        """J turned to heat since the start."""
        return self._ohmic + self._pairs[0].heat + self._pairs[1].heat

    @property
    def rc_stored(self) -> float:
        """J in the RC pairs."""
        return self._pairs[0].stored() + self._pairs[1].stored()

    def _warm(self, current: float, seconds: float) -> None:
        """One lump, exact: what is left of the old difference, and of each part of the heat to come."""
        p = self.params
        rate = p.thermal_conductance / p.thermal_mass
        heat = p.r0 * current * current * _faded(seconds, 0.0, rate)
        heat += sum(pair.warming(current, seconds, rate) for pair in self._pairs)
        left = (self.temperature - p.ambient) * math.exp(-rate * seconds)
        self.temperature = p.ambient + left + heat / p.thermal_mass
