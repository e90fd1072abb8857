"""Grid codes as the charger knows them: at what it leaves the mains while it feeds it, and when it may come back.

Data only, from standards.md section 1, rows GRD; never from the catalogue the rig judges by. Times are a little under
those of the row where a row names the latest, so that contact and sensing have their share.

A charger that does not feed keeps to its input window of 200 V +/-15 %, 50/60 Hz +/-5 % (PWR-005 [NICH]) instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

CodeName = Literal[
    "ieee-1547-cat-1",
    "ieee-1547-cat-2",
    "ieee-1547-cat-3",
    "jeac-9701",
    "vde-ar-n-4105-2018",
    "g99",
]


@dataclass(frozen=True, slots=True)
class Trip:
    """A protection on the AC side. figure: "u" or "f". limit: fraction of nominal (u of the leg that is farthest off).
    Beyond it for `after` s the mains counts as bad."""

    name: str
    figure: Literal["u", "f"]
    above: bool
    limit: float
    after: float


@dataclass(frozen=True, slots=True)
class Support:
    """What a mains that is too fast or too high makes of the power fed into it.

    over: fraction of nominal frequency from which power falls, per_hz: of rated power a Hz. high: fractions of nominal
    voltage between which power falls from rated to nothing; empty: not by voltage.
    """

    over: float
    per_hz: float
    high: tuple[float, float] | tuple[()] = ()


@dataclass(frozen=True, kw_only=True)
class GridCode:
    """One code. trips: while it feeds the mains.

    mean_limit: fraction of nominal the mean voltage of 10 min may not pass. rocof: (Hz/s, s it must last), None for no
    such protection. enter_ramp: s over which it takes up its power again after it has been away. support: what it gives
    way to, where it has that function.
    """

    trips: tuple[Trip, ...]
    mean_limit: float | None = None
    rocof: tuple[float, float] | None = None
    enter_ramp: float = 0.0
    support: Support | None = None


IDLE: Final = (
    Trip("over voltage", "u", True, 1.20, 0.12),
    Trip("under voltage", "u", False, 0.84, 20.6),
    Trip("over frequency", "f", True, 1.055, 0.12),
    Trip("under frequency", "f", False, 0.945, 0.12),
)
"""While it does not feed: just outside the input window (PWR-005 [NICH]), and longer than a sag that must be ridden
through (XFR-014)."""

_US = (
    Trip("OV2", "u", True, 1.20, 0.12),
    Trip("OF2", "f", True, 62.0 / 60.0, 0.12),
    Trip("OF1", "f", True, 61.2 / 60.0, 299.8),
    Trip("UF1", "f", False, 58.5 / 60.0, 299.8),
    Trip("UF2", "f", False, 56.5 / 60.0, 0.12),
)
"""GRD-001, 005, 006 [UL1741SB]; ridden through for 299 s: GRD-015."""

CODES: Final[Mapping[CodeName, GridCode]] = {
    "ieee-1547-cat-1": GridCode(
        trips=(
            *_US,
            Trip("OV1", "u", True, 1.10, 1.8),
            Trip("UV1", "u", False, 0.70, 1.8),
            Trip("UV2", "u", False, 0.45, 0.12),
        ),
        enter_ramp=300.0,
    ),
    "ieee-1547-cat-2": GridCode(
        trips=(
            *_US,
            Trip("OV1", "u", True, 1.10, 1.8),
            Trip("UV1", "u", False, 0.70, 9.8),
            Trip("UV2", "u", False, 0.45, 0.12),
        ),
        enter_ramp=300.0,
    ),
    "ieee-1547-cat-3": GridCode(
        trips=(
            *_US,
            Trip("OV1", "u", True, 1.10, 12.7),
            Trip("UV1", "u", False, 0.88, 20.6),
            Trip("UV2", "u", False, 0.50, 1.9),
        ),
        enter_ramp=300.0,
    ),
    "jeac-9701": GridCode(
        trips=(
            Trip("OVR", "u", True, 230.0 / 200.0, 1.0),
            Trip("UVR", "u", False, 160.0 / 200.0, 1.0),
            Trip("OFR", "f", True, 51.0 / 50.0, 1.0),
            Trip("UFR", "f", False, 48.5 / 50.0, 1.0),
        )
    ),
    "vde-ar-n-4105-2018": GridCode(
        trips=(
            Trip("U>>", "u", True, 1.25, 0.06),
            Trip("U<", "u", False, 0.80, 2.8),
            Trip("U<<", "u", False, 0.45, 0.25),
            Trip("f>", "f", True, 51.5 / 50.0, 0.06),
            Trip("f<", "f", False, 47.5 / 50.0, 0.06),
        ),
        mean_limit=1.10,
        support=Support(50.2 / 50.0, 0.4, (1.06, 1.10)),
    ),
    "g99": GridCode(
        trips=(
            Trip("UV", "u", False, 0.80, 2.3),
            Trip("OV1", "u", True, 1.14, 0.9),
            Trip("OV2", "u", True, 1.19, 0.42),
            Trip("UF1", "f", False, 47.5 / 50.0, 19.6),
            Trip("UF2", "f", False, 47.0 / 50.0, 0.42),
            Trip("OF", "f", True, 52.0 / 50.0, 0.42),
        ),
        rocof=(1.0, 0.4),
    ),
}
"""JP: GRD-019, 020 [KYO]. DE: GRD-025; its support: GRD-029, and GRD-030 from IEEE 1547. UK: GRD-026."""


FAST = 0.5
"""Fraction of the peak off from which a loss is taken for one at once (a sag to 0.5 is ridden through: XFR-014)."""
BELOW = 0.015
"""Of nominal: how far under the lowest setting that is, so that it is not crossed (project choice)."""


def fast_deviation(code: GridCode) -> float:
    """Fraction of the peak off at which a mains is lost whatever the protections say: below all their settings."""
    lowest = min(trip.limit for trip in code.trips if trip.figure == "u" and not trip.above)
    return max(FAST, 1.0 - lowest + BELOW) if lowest < FAST else FAST


def usual_code(u_nominal: float, f_nominal: float) -> CodeName:
    """The code of a service where none is named. u_nominal: V of a leg."""
    if u_nominal < 110.0:
        return "jeac-9701"
    return "ieee-1547-cat-3" if f_nominal > 55.0 else "vde-ar-n-4105-2018"
