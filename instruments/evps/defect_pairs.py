"""Pairs of planted defects that mask each other: each hides where the other would show. Data only.

Entries are written as in a bench file.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pair:
    """Two defects in one charger. breaks: what of it must still be found."""

    name: str
    description: str
    defects: tuple[str, str]
    breaks: tuple[str, ...]


PAIRS = (
    Pair(
        "weak-and-greedy",
        "ignores the discharge limit, and gives so little power that it seldom reaches it",
        ("deaf-to-discharge-limit", "derates=0.3"),
        ("CHA-016", "PWR-001"),
    ),
    Pair(
        "high-and-drooping",
        "forms the house too high and lets it fall under load: right in the middle of its load",
        ("forms-low=1.05", "droops=0.11"),
        ("PWR-010", "PQ-001"),
    ),
    Pair(
        "deaf-to-both-permissions",
        "looks neither at k nor at 102.5.0: each alone is covered by the other when a car stops by itself",
        ("ignores-k", "ignores-enable"),
        ("CHA-006", "CHA-022"),
    ),
    Pair(
        "waits-for-the-wrong-frame",
        "waits long for a silent car, and misses one of its frames only",
        ("can-timeout-late=5 s", "misses-only-0x102"),
        ("CHA-012",),
    ),
    Pair(
        "overcharges-and-reads-low",
        "stops above the target voltage and reports less than it measures, so that both agree on the bus",
        ("charges-past-the-target=8 V", "voltage-report-offset=-8 V"),
        ("BAT-005",),
    ),
    Pair(
        "unlocked-and-live",
        "never locks the plug, and does not discharge its output",
        ("never-locks", "never-drops-its-voltage"),
        ("CHA-018", "CHA-023"),
    ),
    Pair(
        "too-much-power-shown-right",
        "gives more than it is asked for, and its own meter shows what was asked for",
        ("overshoots-its-set-point=1.12", "measures-its-power-wrong=-10 %"),
        ("PWR-006",),
    ),
    Pair(
        "early-back-and-late-away",
        "goes back to the mains too early, and forms the house late: between two dips the house seems held",
        ("retransfer-too-early=1 s", "returns-house-late=300 ms"),
        ("XFR-002", "XFR-006"),
    ),
)
